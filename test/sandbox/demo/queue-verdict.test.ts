import { describe, expect, it } from 'vitest';
import type { QueueEvidence, Start } from '../../../sandbox/demo/queue-evidence.ts';
import type { QueueRow } from '../../../sandbox/demo/queue-observer.ts';
import { isDrained, problemsOfQueue, summaryOfQueue } from '../../../sandbox/demo/queue-verdict.ts';
import type { SeenCopy } from '../../../sandbox/demo/seen-copies.ts';
import { destination, request } from '../../support/examples.ts';

/** All times in seconds. */
interface Story {
  readonly volume: string;
  readonly taken: number;
  readonly heard?: number;
  readonly started: number;
  /** Of the copy; absent if there is none. */
  readonly copied?: readonly [from: number, to: number];
  readonly how?: 'full' | 'incremental';
  readonly status?: 'copied' | 'skipped' | 'waiting';
}

/** Two slots; a volume with two snapshots, and a third one for which there is no slot at first. */
const GOOD: Record<'orders1' | 'orders2' | 'mail' | 'wiki', Story> = {
  orders1: { volume: 'orders', taken: 0, started: 30, copied: [31, 200] },
  orders2: { volume: 'orders', taken: 10, started: 231, copied: [232, 300], how: 'incremental' },
  mail: { volume: 'mail', taken: 20, started: 40, copied: [41, 220] },
  wiki: { volume: 'wiki', taken: 25, started: 251, copied: [252, 400] },
};

function at(seconds: number): Date {
  return new Date(Date.UTC(2026, 2, 2) + seconds * 1000);
}

function tell(stories: Readonly<Record<string, Story>>, calls?: number) {
  const told = Object.entries(stories).map(([name, story], index) => {
    const { volume, taken, heard = taken + 20, started, copied, how = 'full', status = 'copied' } = story;
    const asked = request({
      source: { snapshotId: `snap-${name}`, startTime: at(taken).toISOString() },
      destination: destination({ slots: 2 }),
    });
    const copies: SeenCopy[] =
      copied === undefined
        ? []
        : [
            {
              copyId: `snap-copy${index}`,
              sourceSnapshotId: `snap-${name}`,
              state: 'completed',
              progressPercent: 100,
              startTime: at(copied[0]),
              completionTime: at(copied[1]),
              kmsKeyId: undefined,
              tags: new Map(),
            },
          ];
    const row: QueueRow = {
      snapshot: { snapshotId: `snap-${name}`, name, volumeId: `vol-${volume}`, volume },
      request: {
        request: asked,
        status,
        reason: '',
        attempt: 1,
        requestedAt: at(heard).toISOString(),
        waitingSince: at(heard).toISOString(),
        changedAt: at(started).toISOString(),
      },
      copies,
    };
    const start: Start = {
      row,
      takenAt: at(taken),
      requestedAt: at(heard),
      startedAt: at(started),
      ...(copied !== undefined && {
        endedAt: at(copied[1] + 30),
        copied: { from: at(copied[0]), to: at(copied[1]), how },
      }),
    };
    return { row, start };
  });
  const rows = told.map(({ row }) => row);
  const evidence: QueueEvidence = {
    starts: told.map(({ start }) => start),
    copies: rows.flatMap(({ copies }) => copies),
    copySnapshotCalls: calls ?? rows.filter(({ copies }) => copies.length > 0).length,
  };
  return { rows, evidence };
}

function problems(
  stories: Readonly<Record<string, Story>>,
  { deleted = '', calls }: { readonly deleted?: string; readonly calls?: number } = {},
) {
  const { rows, evidence } = tell(stories, calls);
  return problemsOfQueue(rows, deleted, evidence);
}

describe('the verdict about the queue', () => {
  it('finds nothing wrong with a queue in order', () => {
    expect(problems(GOOD)).toEqual([]);
  });

  it('does not blame whoever starts before an older one that nobody had heard of', () => {
    const { orders1, orders2, mail, wiki } = GOOD;
    expect(
      problems({
        orders1,
        mail,
        wiki: { ...wiki, started: 231, copied: [232, 400] },
        orders2: { ...orders2, heard: 240, started: 301, copied: [302, 360] },
      }),
    ).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, Story>>, readonly string[]]>([
    [
      'a younger one that starts first',
      {
        ...GOOD,
        orders2: { ...GOOD.orders2, started: 251, copied: [252, 320] },
        wiki: { ...GOOD.wiki, started: 231, copied: [232, 400] },
      },
      ['wiki overtook orders2'],
    ],
    [
      'a younger one of the same volume that starts first',
      {
        ...GOOD,
        orders1: { ...GOOD.orders1, started: 231, copied: [232, 300], how: 'incremental' },
        orders2: { ...GOOD.orders2, started: 30, copied: [31, 200], how: 'full' },
      },
      ['orders2 overtook orders1'],
    ],
    [
      'a copy more than there are slots',
      { ...GOOD, wiki: { ...GOOD.wiki, started: 99, copied: [100, 400] } },
      ['at most 3 copies were under way at once, through 2 slots'],
    ],
    [
      'slots that nobody took',
      { orders1: GOOD.orders1, orders2: GOOD.orders2 },
      ['at most 1 copies were under way at once, through 2 slots'],
    ],
    [
      'two copies of a volume at once',
      {
        ...GOOD,
        mail: { ...GOOD.mail, copied: [41, 110] },
        orders2: { ...GOOD.orders2, started: 149, copied: [150, 240] },
      },
      ['two copies of orders at once'],
    ],
    [
      'a full copy where an incremental one was due',
      { ...GOOD, orders2: { ...GOOD.orders2, how: 'full' } },
      ['4 copies of 3 volumes were full ones'],
    ],
    ['a burst that never queued', { orders1: GOOD.orders1, mail: GOOD.mail }, ['nobody had to wait']],
  ])('sees %s', (_, stories, expected) => {
    expect(problems(stories)).toEqual(expected);
  });

  it('sees a call of CopySnapshot that was one too many', () => {
    expect(problems(GOOD, { calls: 5 })).toEqual(['CopySnapshot was called 5 times for 4 copies']);
  });

  it('wants no copy of the snapshot that was deleted, and one of every other', () => {
    const { copied: _, ...wiki } = { ...GOOD.wiki, status: 'skipped' as const };
    expect(problems({ ...GOOD, wiki }, { deleted: 'snap-wiki' })).toEqual([]);
    expect(problems({ ...GOOD, wiki })).toEqual([
      'wiki: expected copied, it is skipped',
      'wiki: expected 1 copies, found 0',
    ]);
  });

  it('says what was measured', () => {
    const { copied: _, ...wiki } = { ...GOOD.wiki, status: 'skipped' as const };
    const { rows, evidence } = tell({ ...GOOD, wiki });
    expect(summaryOfQueue(rows, evidence)).toEqual([
      'Queue: 4 requests through 2 slots, never more than 2 at once, oldest first;',
      '  CopySnapshot called 3 times, for 2 full and 1 incremental copies;',
      '  1 skipped because its source was deleted; the longest wait was 3:26.',
    ]);
  });

  it('waits until no request waits or runs', () => {
    expect(isDrained(tell(GOOD).rows)).toBe(true);
    expect(isDrained(tell({ ...GOOD, mail: { ...GOOD.mail, status: 'waiting' } }).rows)).toBe(false);
  });
});
