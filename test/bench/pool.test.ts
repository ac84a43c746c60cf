import { describe, expect, it } from 'vitest';
import { boundsOf } from '../../bench/bounds.ts';
import { pooled } from '../../bench/pool.ts';
import type { BenchResults, BurstRow } from '../../bench/results.ts';

const ROW: BurstRow = {
  n: 100,
  variant: 'heartbeat',
  makespanHours: 2,
  idealHours: 2,
  makespanRatio: 1,
  slotsBusyShare: 0.98,
  lost: 0,
  duplicated: 0,
  sameVolumeAtOnce: 1,
  outOfOrder: 0,
  copySnapshotCalls: 100,
  admissionDescribes: 120,
  waitTransitions: 0,
  lambdaInvocations: 1000,
  dollarsPer1000: 0.1,
  wallSeconds: 1,
};

describe('several bursts as one row', () => {
  it('add up what must not happen, take the worst of it, and the mean of all else', () => {
    const worse: BurstRow = {
      ...ROW,
      makespanHours: 4,
      slotsBusyShare: 0.96,
      lost: 1,
      duplicated: 2,
      sameVolumeAtOnce: 3,
      outOfOrder: 4,
      admissionDescribes: 140,
      peakMiB: 300,
    };
    expect(pooled([ROW, worse])).toMatchObject({
      bursts: 2,
      makespanHours: 3,
      makespanRatio: 1.5,
      slotsBusyShare: 0.97,
      lost: 1,
      duplicated: 2,
      sameVolumeAtOnce: 3,
      outOfOrder: 4,
      admissionDescribes: 130,
      peakMiB: 300,
    });
    expect(pooled([ROW])).toBe(ROW);
  });
});

describe('the bounds', () => {
  const results = (row: Partial<BurstRow>): BenchResults => ({
    node: 'v24',
    platform: 'linux',
    bundles: [],
    copies: [],
    bursts: [{ ...ROW, ...row }],
  });
  const broken = (of: BenchResults) => boundsOf(of).flatMap(({ what, isKept }) => (isKept ? [] : [what]));

  it.each<[string, Partial<BurstRow>]>([
    ['makespan over the ideal: 1.04, at most 1.03', { makespanRatio: 1.04 }],
    ['slots busy: 0.97, at least 0.975', { slotsBusyShare: 0.97 }],
    ['CopySnapshot per copy: 1.03, at most 1.02', { copySnapshotCalls: 103 }],
    ['DescribeSnapshots for admission per copy: 1.51, at most 1.5', { admissionDescribes: 151 }],
    ['state transitions for waiting: 1, at most 0', { waitTransitions: 1 }],
    ['lost: 1, at most 0', { lost: 1 }],
    ['duplicated: 1, at most 0', { duplicated: 1 }],
    ['copies of one volume at once: 2, at most 1', { sameVolumeAtOnce: 2 }],
    ['out of order: 1, at most 0', { outOfOrder: 1 }],
  ])('are each told by name when they are not kept: %s', (what, row) => {
    expect(broken(results({}))).toEqual([]);
    expect(broken(results(row))).toEqual([`100 snapshots, heartbeat: ${what}`]);
  });

  it('are stricter where the destination’s events are forwarded', () => {
    expect(broken(results({ variant: 'events' }))).toEqual(['100 snapshots, events: slots busy: 0.98, at least 0.995']);
  });

  it('are not asked of plain retries', () => {
    expect(boundsOf(results({ variant: 'plain-retries', lost: 50 }))).toEqual([]);
  });
});
