import { describe, expect, it } from 'vitest';
import { type ScheduledCopy, scheduleFigures } from '../../bench/schedule.ts';
import { byHand } from './burst-by-hand.ts';

/** Arrives, begins and ends in seconds; older than those after it. */
type Run = readonly [volume: number, arrives: number, begins: number, ends: number];

function ran(runs: readonly Run[]): readonly ScheduledCopy[] {
  const snapshots = byHand(runs.map(([volume, arrives, begins, ends]) => [volume, arrives, ends - begins]));
  return snapshots.flatMap((snapshot, place) => {
    const [, , begins, ends] = runs[place] ?? [0, 0, 0, 0];
    return { ...snapshot, copyBeginsAtMs: begins * 1000, copyEndsAtMs: ends * 1000 };
  });
}

const free = { slots: 2, oneCopyPerVolume: false };
const gated = { slots: 2, oneCopyPerVolume: true };

describe('the makespan and the waits', () => {
  it('go from the first arrival to the last end, and from arrival to beginning', () => {
    const figures = scheduleFigures(
      ran([
        [1, 3600, 3600, 10_800],
        [2, 3600, 7200, 9000],
      ]),
      free,
    );
    expect(figures).toMatchObject({ makespanHours: 2, meanWaitHours: 0.5, p99WaitHours: 1 });
  });

  it('of 200 waits the third longest is what 99 % do not exceed', () => {
    const runs = Array.from({ length: 200 }, (_, place): Run => [place, 0, place * 3600, 1_000_000]);
    expect(scheduleFigures(ran(runs), { slots: 200, oneCopyPerVolume: false }).p99WaitHours).toBe(197);
  });
});

describe('slots busy', () => {
  it('counts only while somebody waits', () => {
    // One of two slots copies while the second waits, from 0 to 10; later nobody waits.
    const figures = scheduleFigures(
      ran([
        [1, 0, 0, 10],
        [2, 0, 10, 100],
      ]),
      free,
    );
    expect(figures.slotsBusyShare).toBe(0.5);
  });

  it('does not count who waits for the older copy of its volume', () => {
    const runs: readonly Run[] = [
      [1, 0, 0, 10],
      [1, 0, 10, 20],
      [2, 5, 5, 8],
    ];
    expect(scheduleFigures(ran(runs), gated).slotsBusyShare).toBe(1);
    // Without the rule: one slot from 0 to 5 and from 8 to 10, both from 5 to 8, of two in ten seconds.
    expect(scheduleFigures(ran(runs), free).slotsBusyShare).toBe(0.65);
  });
});

describe('out of order', () => {
  it('is a copy that begins while an older snapshot waits', () => {
    const figures = scheduleFigures(
      ran([
        [1, 0, 30, 40],
        [2, 0, 10, 40],
        [3, 0, 20, 40],
      ]),
      free,
    );
    expect(figures.outOfOrder).toBe(2);
  });

  it('is not one that begins at the same moment, or before the older one arrives', () => {
    const figures = scheduleFigures(
      ran([
        [1, 0, 10, 40],
        [2, 0, 10, 40],
        [3, 50, 60, 70],
        [4, 45, 45, 70],
      ]),
      free,
    );
    expect(figures.outOfOrder).toBe(0);
  });

  it('is not one that overtakes a snapshot whose volume is busy; but one that still does when it is free', () => {
    const runs: readonly Run[] = [
      [1, 0, 0, 50],
      [1, 0, 70, 80],
      [2, 0, 10, 80],
      [3, 0, 60, 80],
    ];
    expect(scheduleFigures(ran(runs), gated).outOfOrder).toBe(1);
    expect(scheduleFigures(ran(runs), free).outOfOrder).toBe(2);
  });
});

describe('copies of a volume at once', () => {
  it('are counted where they overlap, not where one ends as the next begins', () => {
    const overlapping = scheduleFigures(
      ran([
        [1, 0, 0, 10],
        [1, 0, 5, 20],
        [1, 0, 10, 15],
        [2, 0, 0, 20],
      ]),
      free,
    );
    expect(overlapping.sameVolumeAtOnce).toBe(2);
  });
});
