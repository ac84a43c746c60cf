import { describe, expect, it } from 'vitest';
import type { CopyRequest } from '../../core/copy-request.ts';
import type { LedgerRequest } from '../../core/ledger-request.ts';
import type { CopyKey } from '../../core/plan-keys.ts';
import { type CopyToBe, type KnownCopies, movementsOf, placeOf } from '../../core/plan-movement.ts';
import { copy, copyTags, destination, HOME, request } from '../support/examples.ts';

const KEY = { known: true, arn: 'arn:key' } as const;
const PLAIN: CopyKey = { known: true };
const NONE: KnownCopies = { copies: [], lost: [] };

/** A copy of a snapshot of the usual volume, taken at this hour. */
function toBe(snapshotId: string, hour: number, over: Partial<CopyToBe> = {}): CopyToBe {
  return { request: request({ source: { snapshotId, startTime: at(hour) } }), key: PLAIN, ...over };
}

function at(hour: number): string {
  return `2026-03-02T${String(hour).padStart(2, '0')}:00:00.000Z`;
}

/** By snapshot, in the order in which they were given. */
function moved(copies: readonly CopyToBe[], known: KnownCopies = NONE): readonly string[] {
  const movements = movementsOf(copies, known, HOME);
  return copies.map((each) => {
    const movement = movements.get(placeOf(each.request));
    return `${each.request.source.snapshotId}: ${movement?.moves}, ${movement?.reason}`;
  });
}

function lost(snapshotId: string, over: Partial<LedgerRequest>): LedgerRequest {
  return {
    request: request({ source: { snapshotId } }),
    status: 'copied',
    reason: 'its execution ended green',
    attempt: 1,
    requestedAt: at(0),
    waitingSince: at(0),
    changedAt: at(6),
    ...over,
  };
}

describe('what EC2 moves for the copies of one volume', () => {
  it('is everything for the first, and what changed for each that follows it, oldest first', () => {
    expect(moved([toBe('snap-3', 3), toBe('snap-1', 1), toBe('snap-2', 2)])).toEqual([
      'snap-3: changed, after the copy of snap-2',
      'snap-1: all, no copy of its volume is there',
      'snap-2: changed, after the copy of snap-1',
    ]);
  });

  it('is what changed since the newest copy that is there, or is being made', () => {
    const older = copy({ snapshotId: 'snap-c1', startTime: at(1) });
    const newer = copy({ snapshotId: 'snap-c2', startTime: at(2) });
    expect(moved([toBe('snap-9', 9)], { ...NONE, copies: [older, newer] })).toEqual(['snap-9: changed, after snap-c2']);
    expect(moved([toBe('snap-2', 2), toBe('snap-9', 9, { begunAt: at(10) })])).toEqual([
      'snap-2: changed, after the copy of snap-9',
      'snap-9: all, no copy of its volume is there',
    ]);
    expect(moved([toBe('snap-2', 2, { begunAt: at(11) }), toBe('snap-9', 9, { begunAt: at(10) })])).toEqual([
      'snap-2: changed, after the copy of snap-9',
      'snap-9: all, no copy of its volume is there',
    ]);
  });

  it('takes no copy that is being made for one that is there, but one that somebody else makes', () => {
    const own = copy({ state: 'pending', tags: copyTags({ 'snapshot-copier:source-snapshot': 'snap-1' }) });
    const other = copy({
      ...own,
      snapshotId: 'snap-o',
      tags: copyTags({ 'snapshot-copier:source-snapshot': 'snap-7' }),
    });
    const running = toBe('snap-1', 1, { begunAt: at(5) });
    expect(moved([running], { ...NONE, copies: [own] })).toEqual(['snap-1: all, no copy of its volume is there']);
    expect(moved([running], { ...NONE, copies: [own, other] })).toEqual(['snap-1: changed, after snap-o']);
    const { 'snapshot-copier:source-snapshot': _, ...untold } = copyTags();
    expect(moved([running], { ...NONE, copies: [copy({ ...own, tags: untold })] })).toEqual([
      'snap-1: changed, after snap-0c0c0c0c0c0c0c0c0',
    ]);
  });

  it('is everything if the newest is archived: the older ones do not serve instead', () => {
    const older = copy({ snapshotId: 'snap-c1', startTime: at(1) });
    const newest = copy({ snapshotId: 'snap-c2', startTime: at(2), storageTier: 'archive' });
    expect(moved([toBe('snap-9', 9), toBe('snap-8', 8)], { ...NONE, copies: [older, newest] })).toEqual([
      'snap-9: changed, after the copy of snap-8',
      'snap-8: all, the newest there, snap-c2, is archived',
    ]);
  });

  it('is everything if the newest was deleted', () => {
    const there = copy({ snapshotId: 'snap-c1', startTime: at(1) });
    const deleted = [lost('snap-4', { copyBegunAt: at(4) }), lost('snap-5', {})];
    expect(moved([toBe('snap-9', 9)], { copies: [there], lost: deleted })).toEqual([
      'snap-9: all, the newest there, the copy of snap-5, is deleted',
    ]);
    expect(moved([toBe('snap-9', 9)], { copies: [], lost: deleted })).toEqual([
      'snap-9: all, the newest there, the copy of snap-5, is deleted',
    ]);
    const later = copy({ snapshotId: 'snap-c7', startTime: at(7) });
    expect(moved([toBe('snap-9', 9)], { copies: [later], lost: deleted })).toEqual(['snap-9: changed, after snap-c7']);
  });

  it('is everything under another key than any copy that is there, also for the second one under the new key', () => {
    const plain = copy({ startTime: at(1) });
    const keyed = copy({ snapshotId: 'snap-k', startTime: at(2), kmsKeyId: 'arn:key' });
    const why = 'all, copies of its volume there have another key';
    expect(
      moved([toBe('snap-8', 8, { key: KEY }), toBe('snap-9', 9, { key: KEY })], { ...NONE, copies: [plain] }),
    ).toEqual([`snap-8: ${why}`, `snap-9: ${why}`]);
    expect(moved([toBe('snap-9', 9, { key: KEY })], { ...NONE, copies: [keyed] })).toEqual([
      'snap-9: changed, after snap-k',
    ]);
    expect(moved([toBe('snap-9', 9, { key: { known: false } })], { ...NONE, copies: [keyed] })).toEqual([
      'snap-9: changed, after snap-k',
    ]);
  });

  it.each([
    ['of another volume', { tags: copyTags({ 'snapshot-copier:source-volume': 'vol-0aaa' }) }],
    ['in another Region', { region: 'us-east-1' }],
    ['on an Outpost', { outpostArn: 'arn:outpost/op-1' }],
    ['in a Local Zone', { localZone: 'eu-central-1-ham-1a' }],
    ['that failed', { state: 'error' }],
    ['in the recycle bin', { state: 'recoverable' }],
  ] as const)('has nothing to do with a copy %s', (_, over) => {
    expect(moved([toBe('snap-9', 9)], { ...NONE, copies: [copy(over)] })).toEqual([
      'snap-9: all, no copy of its volume is there',
    ]);
  });

  it('is everything for each copy of a copy: EC2 gives all of them the same volume', () => {
    const ofCopy = (snapshotId: string): CopyToBe => ({
      request: request({ source: { snapshotId, volumeId: 'vol-ffffffff' } }),
      key: PLAIN,
    });
    const there = copy({ tags: copyTags({ 'snapshot-copier:source-volume': 'vol-ffffffff' }) });
    const why = 'all, the source is a copy, which names no volume';
    expect(moved([ofCopy('snap-1'), ofCopy('snap-2')], { ...NONE, copies: [there] })).toEqual([
      `snap-1: ${why}`,
      `snap-2: ${why}`,
    ]);
  });

  it('counts for each destination by itself', () => {
    const to = (region: string): CopyToBe => ({ request: request({ destination: { region } }), key: PLAIN });
    const known = { ...NONE, copies: [copy()] };
    expect(moved([to('eu-central-1'), to('us-east-1')], known)).toEqual([
      'snap-0a1b2c3d4e5f60718: changed, after snap-0c0c0c0c0c0c0c0c0',
      'snap-0a1b2c3d4e5f60718: all, no copy of its volume is there',
    ]);
  });
});

describe('what EC2 moves within a Region', () => {
  const home = (key: CopyKey, source: Partial<CopyRequest['source']> = {}): CopyToBe => ({
    request: request({ source, destination: destination({ region: 'eu-west-1' }) }),
    key,
  });

  it('is nothing under the same key, and everything under another', () => {
    expect(moved([home(PLAIN)])).toEqual(['snap-0a1b2c3d4e5f60718: nothing, same Region, same key']);
    expect(moved([home(KEY, { kmsKeyId: 'arn:key' })])).toEqual([
      'snap-0a1b2c3d4e5f60718: nothing, same Region, same key',
    ]);
    expect(moved([home(KEY)])).toEqual(['snap-0a1b2c3d4e5f60718: all, it gets another key']);
    expect(moved([home({ known: false })])).toEqual([
      'snap-0a1b2c3d4e5f60718: all, its key could not be looked up, and may be another',
    ]);
  });

  it('depends on the copies that are there if the source is of another account', () => {
    expect(moved([home(PLAIN, { ownerId: '111122223333' })])).toEqual([
      'snap-0a1b2c3d4e5f60718: all, no copy of its volume is there',
    ]);
  });

  it.each([
    { localZone: 'eu-west-1-dub-1a' },
    { outpost: 'arn:aws:outposts:eu-west-1:444455556666:outpost/op-0123456789abcdef0' },
  ])('depends on them too if the copy goes to %j', (place) => {
    const there: CopyToBe = { request: request({ destination: { region: 'eu-west-1', ...place } }), key: PLAIN };
    expect(moved([there])).toEqual(['snap-0a1b2c3d4e5f60718: all, no copy of its volume is there']);
  });
});
