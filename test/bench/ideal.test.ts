import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { besideIdeal, idealSchedule } from '../../bench/ideal.ts';
import type { SlotRules } from '../../bench/schedule.ts';
import type { BurstSnapshot } from '../../bench/workload.ts';
import { type ByHand, byHand } from './burst-by-hand.ts';

/** When each copy begins, in seconds, in the order of the list. */
function begins(snapshots: readonly ByHand[], slots: number, oneCopyPerVolume = false): readonly number[] {
  return idealSchedule(byHand(snapshots), { slots, oneCopyPerVolume })
    .toSorted((a, b) => a.index - b.index)
    .map(({ copyBeginsAtMs }) => copyBeginsAtMs / 1000);
}

describe('the ideal scheduler', () => {
  it('on one slot copies one after the other, each as soon as the slot is free', () => {
    const three: readonly ByHand[] = [
      [1, 0, 10],
      [2, 0, 20],
      [3, 100, 30],
    ];
    expect(begins(three, 1)).toEqual([0, 10, 100]);
  });

  it('gives each slot that becomes free to the next in order', () => {
    const five: readonly ByHand[] = [
      [1, 0, 30],
      [2, 1, 10],
      [3, 2, 10],
      [4, 3, 100],
      [5, 4, 1],
    ];
    expect(begins(five, 2)).toEqual([0, 1, 11, 21, 30]);
  });

  it('takes the oldest source snapshot, not the first to arrive', () => {
    const late: readonly ByHand[] = [
      [1, 0, 100, -30],
      [2, 1, 10, -10],
      [3, 2, 10, -20],
    ];
    expect(begins(late, 1)).toEqual([0, 110, 100]);
  });

  it('with one copy per volume leaves out whose volume is busy, and comes back to it first', () => {
    const two: readonly ByHand[] = [
      [1, 0, 100],
      [1, 0, 10],
      [2, 0, 60],
      [3, 0, 40],
      [4, 0, 10],
    ];
    expect(begins(two, 2, true)).toEqual([0, 100, 0, 60, 100]);
    expect(begins(two, 2, false)).toEqual([0, 0, 10, 70, 100]);
  });

  it('begins each copy when a scheduler does that looks at every second', () => {
    const snapshot = fc.tuple(fc.nat(3), fc.nat(20), fc.integer({ min: 1, max: 15 }), fc.nat(1000));
    const bursts = fc.uniqueArray(snapshot, { selector: ([, , , startTime]) => startTime, maxLength: 25 });
    fc.assert(
      fc.property(bursts, fc.integer({ min: 1, max: 4 }), fc.boolean(), (burst, slots, oneCopyPerVolume) => {
        const expected = secondBySecond(byHand(burst), { slots, oneCopyPerVolume });
        expect(begins(burst, slots, oneCopyPerVolume)).toEqual(expected);
      }),
    );
  });
});

/** Begins in seconds, in the order of the list. */
function secondBySecond(snapshots: readonly BurstSnapshot[], rules: SlotRules): readonly number[] {
  const begun = new Map<BurstSnapshot, number>();
  for (let now = 0; begun.size < snapshots.length; now++) {
    const runs = (of: BurstSnapshot) =>
      (begun.get(of) ?? Number.POSITIVE_INFINITY) + of.copySeconds > now && begun.has(of);
    for (const next of snapshots.toSorted((a, b) => a.startTimeMs - b.startTimeMs)) {
      const running = snapshots.filter(runs);
      const busy = rules.oneCopyPerVolume && running.some(({ volume }) => volume === next.volume);
      if (begun.has(next) || next.arrivesAtMs / 1000 > now || running.length >= rules.slots || busy) continue;
      begun.set(next, now);
    }
  }
  return snapshots.map((of) => begun.get(of) ?? Number.NaN);
}

describe('beside the ideal', () => {
  it('a schedule has the ratio of the makespans, and how far its copies begin from their ideal time', () => {
    const snapshots = byHand([
      [1, 0, 3600],
      [2, 0, 3600],
    ]);
    const [first, second] = snapshots;
    if (first === undefined || second === undefined) throw new Error('There are two.');
    const swapped = [
      { ...first, copyBeginsAtMs: 5_400_000, copyEndsAtMs: 9_000_000 },
      { ...second, copyBeginsAtMs: 0, copyEndsAtMs: 3_600_000 },
    ];
    expect(besideIdeal(swapped, snapshots, { slots: 1, oneCopyPerVolume: true })).toEqual({
      makespanHours: 2.5,
      idealHours: 2,
      makespanRatio: 1.25,
      slotsBusyShare: 1 / 1.5,
      sameVolumeAtOnce: 1,
      outOfOrder: 1,
      startsApartP99Hours: 1.5,
    });
  });

  it('the ideal itself is perfect', () => {
    const snapshots = byHand([
      [1, 0, 50],
      [1, 1, 50],
      [2, 2, 50],
      [3, 3, 50],
    ]);
    const rules = { slots: 2, oneCopyPerVolume: true };
    expect(besideIdeal(idealSchedule(snapshots, rules), snapshots, rules)).toMatchObject({
      makespanRatio: 1,
      slotsBusyShare: 1,
      sameVolumeAtOnce: 1,
      outOfOrder: 0,
      startsApartP99Hours: 0,
    });
  });
});
