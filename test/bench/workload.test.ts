import { describe, expect, it } from 'vitest';
import { burst } from '../../bench/workload.ts';

const NINE = Date.parse('2026-01-05T09:00:00Z');

describe('a burst', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(burst(50, 7)).toEqual(burst(50, 7));
    const durations = (seed: number) => burst(50, seed).map(({ copySeconds }) => copySeconds);
    expect(durations(8)).not.toEqual(durations(7));
  });

  it('arrives evenly in ten minutes', () => {
    expect(burst(4, 1).map(({ arrivesAtMs }) => arrivesAtMs - NINE)).toEqual([0, 150_000, 300_000, 450_000]);
  });

  it('is of 2,000 volumes, each as likely as any other', () => {
    const snapshots = Map.groupBy(burst(20_000, 1), ({ volume }) => volume);
    expect(Math.min(...snapshots.keys())).toBe(0);
    expect(Math.max(...snapshots.keys())).toBe(1999);
    expect(Math.max(...[...snapshots.values()].map((of) => of.length))).toBeLessThan(30);
  });

  it('takes a lognormal time to copy: the median 480 s, the deviation of the logarithm 1.2', () => {
    const durations = burst(20_000, 1).map(({ copySeconds }) => copySeconds);
    const median = durations.toSorted((a, b) => a - b)[10_000] ?? 0;
    expect(median).toBeGreaterThan(465);
    expect(median).toBeLessThan(495);
    const logarithms = durations.map((seconds) => Math.log(seconds / 480));
    const deviation = Math.sqrt(logarithms.reduce((sum, x) => sum + x * x, 0) / 20_000);
    expect(deviation).toBeCloseTo(1.2, 1);
    // Of a normal distribution 68.3 % lie within one deviation; an even spread has 57.7 %.
    const near = logarithms.filter((x) => Math.abs(x) < 1.2).length / 20_000;
    expect(near).toBeCloseTo(0.683, 1);
  });

  it('has snapshots that were begun in the order in which they arrive, each at a time of its own', () => {
    const begun = burst(10_000, 1).map(({ startTimeMs }) => startTimeMs);
    expect(begun).toEqual(begun.toSorted((a, b) => a - b));
    expect(new Set(begun).size).toBe(10_000);
  });

  it('or, if asked for, in another order; but none after it arrives', () => {
    const snapshots = burst(1000, 1, { arrivesOutOfOrder: true });
    const begun = snapshots.map(({ startTimeMs }) => startTimeMs);
    expect(new Set(begun).size).toBe(1000);
    const overtaken = begun.filter((startTime, place) => startTime < (begun[place - 1] ?? 0));
    expect(overtaken.length).toBeGreaterThan(400);
    expect(snapshots.filter(({ startTimeMs, arrivesAtMs }) => startTimeMs >= arrivesAtMs)).toEqual([]);
  });

  it('is refused if its snapshots could not differ in their start time', () => {
    expect(() => burst(11, 1, { arrivalsMs: 10 })).toThrow(RangeError);
  });
});
