import { describe, expect, it } from 'vitest';
import { changesBetween } from '../../../core/status/changes.ts';
import type { RunningStatus, Status, WaitingStatus } from '../../../core/status/status.ts';

const key = (snapshotId: string, region = 'eu-central-1') => ({ snapshotId, region, destination: region });

const waiting = (snapshotId: string, over: Partial<WaitingStatus> = {}): WaitingStatus => ({
  ...key(snapshotId),
  place: 1,
  volumeId: 'vol-1',
  sourceStartTime: '2026-03-02T04:00:00.000Z',
  waitingSince: '2026-03-02T04:10:00.000Z',
  mayStart: false,
  why: 'all slots are taken',
  expectedStart: null,
  expectedEnd: null,
  ...over,
});

const running = (snapshotId: string, over: Partial<RunningStatus> = {}): RunningStatus => ({
  ...key(snapshotId),
  volumeId: 'vol-1',
  execution: `${snapshotId}-eu-central-1-1`,
  stage: 'starting',
  copyId: null,
  sizeGiB: null,
  progressPercent: null,
  begunAt: '2026-03-02T04:20:00.000Z',
  expectedEnd: null,
  basis: null,
  ...over,
});

const status = (over: Partial<Status>): Status => ({
  at: '2026-03-02T05:00:00.000Z',
  destinations: [],
  running: [],
  waiting: [],
  ...over,
});

const changes = (before: Partial<Status>, after: Partial<Status>) => changesBetween(status(before), status(after));

describe('between two looks', () => {
  it('nothing changes where only places, progress and reasons do', () => {
    const before = { waiting: [waiting('a')], running: [running('b', { copyId: 'c', progressPercent: 1 })] };
    const after = {
      waiting: [waiting('a', { place: 2, why: 'another copy is under way', mayStart: true })],
      running: [running('b', { copyId: 'c', progressPercent: 99, stage: 'finishing' })],
    };
    expect(changes(before, after)).toEqual([]);
  });

  it('a request comes, starts, gets its copy, and leaves', () => {
    const [comes, starts] = [waiting('a'), running('a')];
    const copies = running('a', { copyId: 'snap-c', stage: 'copying' });
    expect(changes({}, { waiting: [comes] })).toEqual([{ kind: 'waits', request: comes }]);
    expect(changes({ waiting: [comes] }, { running: [starts] })).toEqual([{ kind: 'runs', request: starts }]);
    expect(changes({ running: [starts] }, { running: [copies] })).toEqual([{ kind: 'copies', request: copies }]);
    expect(changes({ running: [copies] }, {})).toEqual([{ kind: 'left', key: key('a') }]);
  });

  it('a copy that began at once is told at once', () => {
    const copies = running('a', { copyId: 'snap-c', stage: 'copying' });
    expect(changes({ waiting: [waiting('a')] }, { running: [copies] })).toEqual([{ kind: 'copies', request: copies }]);
  });

  it('a request comes back to the queue, and starts once more', () => {
    const again = running('a', { execution: 'a-eu-central-1-2' });
    expect(changes({ running: [running('a')] }, { waiting: [waiting('a')] })).toMatchObject([{ kind: 'waits' }]);
    expect(changes({ running: [running('a')] }, { running: [again] })).toEqual([{ kind: 'runs', request: again }]);
  });

  it('a request that waited may leave as well, and requests of two Regions are two', () => {
    const there = waiting('a', key('a', 'us-east-1'));
    expect(changes({ waiting: [waiting('a'), there] }, { waiting: [there] })).toEqual([
      { kind: 'left', key: key('a') },
    ]);
  });

  it('what left is told first', () => {
    const found = changes(
      { running: [running('a')], waiting: [waiting('b')] },
      { running: [running('b')], waiting: [waiting('c')] },
    );
    expect(found.map(({ kind }) => kind)).toEqual(['left', 'runs', 'waits']);
  });
});
