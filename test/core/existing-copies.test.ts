import { describe, expect, it } from 'vitest';
import { basisOf, isExpectedFull, ownCopyOf } from '../../core/existing-copies.ts';
import { copy, copyTags, HOME, INSTALL, request } from '../support/examples.ts';

const OUTPOST = 'arn:aws:outposts:eu-central-1:444455556666:outpost/op-0123456789abcdef0';

describe('our own copy of a source', () => {
  const own = (...copies: Parameters<typeof ownCopyOf>[1]) => ownCopyOf(request(), copies, INSTALL)?.snapshotId;

  it('is found by its tags, pending or complete', () => {
    expect(own(copy())).toBe('snap-0c0c0c0c0c0c0c0c0');
    expect(own(copy({ state: 'pending' }))).toBe('snap-0c0c0c0c0c0c0c0c0');
  });

  it.each([
    ['of another install', { tags: copyTags({ 'snapshot-copier:managed': 'other' }) }],
    ['of another source', { tags: copyTags({ 'snapshot-copier:source-snapshot': 'snap-other' }) }],
    ['without tags', { tags: {} }],
    ['in state error', { state: 'error' as const }],
    ['in the recycle bin', { state: 'recoverable' as const }],
    [
      'that was given up and will be deleted when it is complete',
      { tags: copyTags({ 'snapshot-copier:state': 'failed' }) },
    ],
    ['on an Outpost when the Region is wanted', { outpostArn: OUTPOST }],
    ['in a Local Zone when the Region is wanted', { localZone: 'eu-central-1-ham-1a' }],
  ])('is not a snapshot %s', (_what, over) => {
    expect(own(copy(over))).toBeUndefined();
  });

  it('is the complete one of two, and else the older one, in whatever order EC2 lists them', () => {
    const pending = copy({ snapshotId: 'snap-1', state: 'pending', startTime: '2026-03-02T04:00:00Z' });
    const older = copy({ snapshotId: 'snap-2', startTime: '2026-03-02T05:00:00Z' });
    const younger = copy({ snapshotId: 'snap-3', startTime: '2026-03-02T06:00:00Z' });
    const twin = copy({ snapshotId: 'snap-4', startTime: '2026-03-02T05:00:00Z' });
    expect(own(pending, younger, twin, older)).toBe('snap-2');
    expect(own(older, twin, younger, pending)).toBe('snap-2');
  });
});

describe('the basis of a copy', () => {
  it('is the newest complete copy of the same volume', () => {
    const old = copy({ snapshotId: 'snap-1', startTime: '2026-03-01T00:00:00Z', kmsKeyId: 'key-1' });
    const newest = copy({ snapshotId: 'snap-2', startTime: '2026-03-02T00:00:00Z', kmsKeyId: 'key-1' });
    const pending = copy({ snapshotId: 'snap-3', startTime: '2026-03-03T00:00:00Z', state: 'pending' });
    const otherVolume = copy({ snapshotId: 'snap-4', startTime: '2026-03-03T00:00:00Z', tags: {} });
    expect(basisOf(request(), [old, newest, pending, otherVolume])).toEqual({ copyId: 'snap-2', kmsKeyId: 'key-1' });
    const plain = copy({ snapshotId: 'snap-1', startTime: '2026-03-01T00:00:00Z' });
    expect(basisOf(request(), [plain, newest], 'snap-2')).toEqual({ copyId: 'snap-1' });
  });

  it('is none when there is none, or when the newest is archived', () => {
    const old = copy({ snapshotId: 'snap-1', startTime: '2026-03-01T00:00:00Z' });
    const archived = copy({ snapshotId: 'snap-2', startTime: '2026-03-02T00:00:00Z', storageTier: 'archive' });
    expect(basisOf(request(), [])).toBeUndefined();
    expect(basisOf(request(), [old, archived])).toBeUndefined();
  });

  it('is none where the copies of the volume are under several keys, or some under none', () => {
    const newest = copy({ snapshotId: 'snap-2', startTime: '2026-03-02T00:00:00Z', kmsKeyId: 'key-1' });
    const oldest = { snapshotId: 'snap-1', startTime: '2026-03-01T00:00:00Z' };
    expect(basisOf(request(), [newest, copy({ ...oldest, kmsKeyId: 'key-2' })])).toBeUndefined();
    expect(basisOf(request(), [newest, copy(oldest)])).toBeUndefined();
    expect(basisOf(request(), [newest, copy({ ...oldest, kmsKeyId: 'key-2', state: 'error' })])).toEqual({
      copyId: 'snap-2',
      kmsKeyId: 'key-1',
    });
  });
});

describe('a copy is expected to be full', () => {
  it('without a basis, or under another key than its basis', () => {
    expect(isExpectedFull(request(), HOME, undefined, undefined)).toBe(true);
    expect(isExpectedFull(request(), HOME, { copyId: 'snap-1', kmsKeyId: 'key-1' }, 'key-2')).toBe(true);
    expect(isExpectedFull(request(), HOME, { copyId: 'snap-1' }, 'key-2')).toBe(true);
    expect(isExpectedFull(request(), HOME, { copyId: 'snap-1', kmsKeyId: 'key-1' }, 'key-1')).toBe(false);
  });

  it('in the same account and Region only when the key changes', () => {
    const atHome = request({ destination: { region: 'eu-west-1' } });
    expect(isExpectedFull(atHome, HOME, undefined, undefined)).toBe(false);
    expect(isExpectedFull(atHome, HOME, undefined, 'key-1')).toBe(true);
    expect(isExpectedFull(atHome, '111122223333', undefined, undefined)).toBe(true);
    const outpost = request({ destination: { region: 'eu-west-1', outpost: OUTPOST } });
    expect(isExpectedFull(outpost, HOME, undefined, undefined)).toBe(true);
    const localZone = request({ destination: { region: 'eu-west-1', localZone: 'eu-west-1-x' } });
    expect(isExpectedFull(localZone, HOME, undefined, undefined)).toBe(true);
  });
});
