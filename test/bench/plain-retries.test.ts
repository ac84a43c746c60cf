import { describe, expect, it } from 'vitest';
import { CallBucket, plainRetries, plainRetriesRow, TRIES_ALLOWED } from '../../bench/plain-retries.ts';
import { burst } from '../../bench/workload.ts';
import { type ByHand, byHand } from './burst-by-hand.ts';

/** Each wait is half of the longest one. */
const half = () => 0.5;

/** The first takes the only slot until 100 s; the second tries from 1 s on. */
const two = byHand([
  [1, 0, 100],
  [2, 1, 10],
]);

describe('an execution that EC2 has no slot for', () => {
  it('waits half of 5, 10, 20 … s where chance says a half, and begins at the first try that finds one', () => {
    // It tries at 1, 3.5, 8.5, 18.5, 38.5, 78.5 and 158.5 s.
    const { copies, ...counts } = plainRetries(two, { slots: 1, random: half });
    expect(copies.map(({ copyBeginsAtMs, copyEndsAtMs }) => [copyBeginsAtMs, copyEndsAtMs])).toEqual([
      [0, 100_000],
      [158_500, 168_500],
    ]);
    expect(counts).toEqual({ calls: 8, refused: 6, throttled: 0, lost: 0 });
  });

  it('waits no longer than the longest wait', () => {
    // At 1, 3.5, then every 4 s: 7.5 … 99.5 and 103.5.
    const { copies, calls } = plainRetries(two, { slots: 1, random: half, longestWaitSeconds: 8 });
    expect(copies.at(-1)?.copyBeginsAtMs).toBe(103_500);
    expect(calls).toBe(1 + 2 + 25);
  });

  it('dies when its history has no place for another try', () => {
    const { copies, ...counts } = plainRetries(two, { slots: 1, random: half, triesAllowed: 6 });
    expect(copies.map(({ index }) => index)).toEqual([0]);
    expect(counts).toEqual({ calls: 7, refused: 6, throttled: 0, lost: 1 });
    expect(plainRetries(two, { slots: 1, random: half, triesAllowed: 7 }).lost).toBe(0);
  });

  it('can try 8,332 times: three events each after the first two, 25,000 at most', () => {
    expect(TRIES_ALLOWED).toBe(8332);
  });
});

describe("the account's calls", () => {
  it('are fifty at once, then one every 0.2 s; time that is not used makes it fifty again, not more', () => {
    const bucket = new CallBucket();
    const taken = (count: number, atMs: number) =>
      Array.from({ length: count }, () => bucket.take(atMs)).filter(Boolean).length;
    expect(taken(60, 0)).toBe(50);
    expect(taken(5, 100)).toBe(0);
    expect(taken(5, 250)).toBe(1);
    expect(taken(5, 400)).toBe(1);
    expect(taken(60, 3_600_000)).toBe(50);
  });

  it('are used up by those that EC2 refuses, too', () => {
    const sixty = byHand(Array.from({ length: 60 }, (_, volume): ByHand => [volume, 0, 1000]));
    const { refused, throttled } = plainRetries(sixty, { slots: 1, random: half, triesAllowed: 1 });
    expect({ refused, throttled }).toEqual({ refused: 49, throttled: 10 });
  });
});

describe('a row of the results', () => {
  it('counts every try as a call, an invocation and a transition', () => {
    expect(plainRetriesRow(two, { slots: 1, random: half })).toMatchObject({
      n: 2,
      variant: 'plain-retries',
      copySnapshotCalls: 8,
      refusedCalls: 6,
      throttledCalls: 0,
      lambdaInvocations: 8,
      waitTransitions: 6,
      lost: 0,
      makespanHours: 168.5 / 3600,
      idealHours: 110 / 3600,
    });
    // $25 a million transitions, $0.20 and $0.50 a million invocations; four tries a copy.
    expect(plainRetriesRow(two, { slots: 1, random: half }).dollarsPer1000).toBeCloseTo(0.1028, 6);
  });

  it('of a large burst grows with the square of n: each waits n / 2 copies / 20 slots long, and tries every 150 s', () => {
    const snapshots = burst(1000, 3);
    const meanSeconds = snapshots.reduce((sum, { copySeconds }) => sum + copySeconds, 0) / 1000;
    const law = (1000 * 1000 * meanSeconds) / (20 * 300);
    const row = plainRetriesRow(snapshots);
    expect(row.copySnapshotCalls / law).toBeGreaterThan(0.85);
    expect(row.copySnapshotCalls / law).toBeLessThan(1.15);
    expect(row.throttledCalls).toBeGreaterThan(1000);
    expect(row).toMatchObject({ lost: 0, duplicated: 0 });
    expect(row.outOfOrder).toBeGreaterThan(900);
  });
});
