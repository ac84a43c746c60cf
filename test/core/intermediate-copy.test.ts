import { describe, expect, it } from 'vitest';
import { needlessIntermediates } from '../../core/intermediate-copy.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { HOME, INSTALL, snapshot } from '../support/examples.ts';

const now = new Date('2026-03-02T12:00:00Z');
const install = { name: INSTALL, account: HOME, region: 'eu-west-1' };

/** Complete, of a source that was taken so many hours ago; its copy began and ended at these hours ago. */
function intermediate(
  snapshotId: string,
  { taken, begun = taken, ended, volume }: { taken?: number; begun?: number; ended?: number; volume?: string },
): Snapshot {
  const ago = (hours: number | undefined) => new Date(now.getTime() - (hours ?? 0) * 3_600_000).toISOString();
  const { completionTime: _, ...rest } = snapshot({ snapshotId, startTime: ago(begun) });
  return {
    ...rest,
    ...(ended !== undefined && { completionTime: ago(ended) }),
    tags: {
      ...(taken !== undefined && { 'snapshot-copier:source-start-time': ago(taken) }),
      ...(volume !== undefined && { 'snapshot-copier:intermediate-volume': volume }),
    },
  };
}

const needless = (...all: readonly Snapshot[]) =>
  needlessIntermediates(all, install, now).map(({ snapshotId }) => snapshotId);

describe('an intermediate copy that is not the newest of its volume', () => {
  const newest = intermediate('snap-new', { taken: 1, ended: 0, volume: 'vol-1' });

  it('is needless two hours after it was complete', () => {
    const older = (ended: number) => intermediate('snap-old', { taken: 30, begun: 29, ended, volume: 'vol-1' });
    expect(needless(newest, older(2))).toEqual([]);
    expect(needless(newest, older(2.1))).toEqual(['snap-old']);
  });

  it('is as old as its beginning where EC2 does not tell its end', () => {
    expect(needless(newest, intermediate('snap-old', { taken: 30, begun: 2, volume: 'vol-1' }))).toEqual([]);
    expect(needless(newest, intermediate('snap-old', { taken: 30, begun: 3, volume: 'vol-1' }))).toEqual(['snap-old']);
  });
});

describe('the newest one', () => {
  it('is that of the newest data, whichever was copied last', () => {
    const oldData = intermediate('snap-late', { taken: 50, begun: 3, ended: 3, volume: 'vol-1' });
    const newData = intermediate('snap-early', { taken: 20, begun: 10, ended: 9, volume: 'vol-1' });
    expect(needless(oldData, newData)).toEqual(['snap-late']);
  });

  it('is that which began last, where somebody has removed the tag that tells', () => {
    const began = (snapshotId: string, begun: number) => intermediate(snapshotId, { begun, volume: 'vol-1' });
    expect(needless(began('snap-1', 9), began('snap-2', 3))).toEqual(['snap-1']);
  });

  it('is kept for each volume; those without the tag of one count as of one', () => {
    const of = (snapshotId: string, taken: number, volume?: string) =>
      intermediate(snapshotId, { taken, ended: taken, ...(volume !== undefined && { volume }) });
    expect(needless(of('snap-1', 9, 'vol-1'), of('snap-2', 8, 'vol-2'))).toEqual([]);
    expect(needless(of('snap-1', 9), of('snap-2', 8))).toEqual(['snap-1']);
  });

  it('goes when no other has come for 35 days', () => {
    const idle = (hours: number) => intermediate('snap-1', { taken: hours, ended: hours, volume: 'vol-1' });
    expect(needless(idle(35 * 24))).toEqual([]);
    expect(needless(idle(35 * 24 + 1))).toEqual(['snap-1']);
  });
});
