import { describe, expect, it } from 'vitest';
import type { WaitingRequest } from '../../../core/ledger-request.ts';
import { forecast, lineOf, type TakenSlot } from '../../../core/status/queue-forecast.ts';

const NOON = new Date('2026-03-02T12:00:00.000Z');

function waiting(id: string, volumeId: string, over: Partial<WaitingRequest> = {}): WaitingRequest {
  return {
    region: 'eu-central-1',
    destination: 'eu-central-1',
    snapshotId: id,
    volumeId,
    sourceStartTime: '2026-03-02T04:00:00.000Z',
    slots: 2,
    attempt: 0,
    waitingSince: '2026-03-02T05:00:00.000Z',
    ...over,
  };
}

const endsIn = (minutes: number, volumeId?: string): TakenSlot => ({
  endsAt: NOON.getTime() + minutes * 60_000,
  line: volumeId === undefined ? undefined : lineOf({ volumeId, destination: 'eu-central-1' }),
});

/** Minutes after noon at which each starts and ends, in the order of the queue; every copy takes ten. */
function minutes(queue: readonly WaitingRequest[], taken: readonly TakenSlot[] = []) {
  const found = forecast(queue, taken, { limitOf: ({ slots }) => slots, secondsOf: () => 600 }, NOON);
  const after = (time: string) => (Date.parse(time) - NOON.getTime()) / 60_000;
  return queue.map((request) => {
    const expected = found.get(request);
    return expected === undefined ? 'never' : [after(expected.start), after(expected.end)];
  });
}

describe('a queue', () => {
  it('starts at once as far as slots are free, and then one after the other as they become so', () => {
    const queue = ['a', 'b', 'c', 'd', 'e'].map((id) => waiting(id, `vol-${id}`));
    expect(minutes(queue)).toEqual([
      [0, 10],
      [0, 10],
      [10, 20],
      [10, 20],
      [20, 30],
    ]);
    expect(minutes(queue.slice(0, 3), [endsIn(4), endsIn(7)])).toEqual([
      [4, 14],
      [7, 17],
      [14, 24],
    ]);
  });

  it('has never two copies of one volume at a time, but lets others pass', () => {
    const queue = [waiting('a', 'vol-1'), waiting('b', 'vol-1'), waiting('c', 'vol-1'), waiting('d', 'vol-2')];
    expect(minutes(queue)).toEqual([
      [0, 10],
      [10, 20],
      [20, 30],
      [0, 10],
    ]);
  });

  it('waits for a copy of the volume that is under way, for the last one of them if there are more', () => {
    const queue = [waiting('a', 'vol-1', { slots: 5 }), waiting('b', 'vol-2', { slots: 5 })];
    expect(minutes(queue, [endsIn(3, 'vol-1'), endsIn(8, 'vol-1'), endsIn(9)])).toEqual([
      [8, 18],
      [0, 10],
    ]);
  });

  it('starts the oldest first, even if it became free to start last', () => {
    const queue = [waiting('a', 'vol-1'), waiting('b', 'vol-2'), waiting('c', 'vol-3')];
    expect(minutes(queue, [endsIn(5, 'vol-1'), endsIn(5)])).toEqual([
      [5, 15],
      [5, 15],
      [15, 25],
    ]);
  });

  it('takes snapshots of copies for no lineage', () => {
    const queue = [waiting('a', 'vol-ffffffff'), waiting('b', 'vol-ffffffff')];
    expect(minutes(queue, [endsIn(30, 'vol-ffffffff')])).toEqual([
      [0, 10],
      [10, 20],
    ]);
  });

  it('keeps a volume apart for each destination', () => {
    const zone = { destination: 'eu-central-1-ham-1a' };
    expect(minutes([waiting('a', 'vol-1'), waiting('b', 'vol-1', zone)])).toEqual([
      [0, 10],
      [0, 10],
    ]);
  });

  it('lets a request pass that may take more of the slots', () => {
    const queue = [waiting('a', 'vol-1', { slots: 1 }), waiting('b', 'vol-2', { slots: 3 }), waiting('c', 'vol-3')];
    expect(minutes(queue, [endsIn(5), endsIn(6)])).toEqual([
      // When all others are done: the second one starts at once, as third, and the third one when but one other runs.
      [16, 26],
      [0, 10],
      [6, 16],
    ]);
  });

  it('starts the older one first of two that may take different numbers of slots', () => {
    const queue = [waiting('a', 'vol-1', { slots: 3 }), waiting('b', 'vol-2', { slots: 2 })];
    expect(minutes(queue, [endsIn(9), endsIn(4)])).toEqual([
      [0, 10],
      [9, 19],
    ]);
    expect(minutes(queue.toReversed(), [endsIn(9)])).toEqual([
      [0, 10],
      [0, 10],
    ]);
  });

  it('leaves out what no slot would ever do for', () => {
    const queue = [waiting('a', 'vol-1', { slots: 0 }), waiting('b', 'vol-1'), waiting('c', 'vol-2')];
    expect(minutes(queue, [endsIn(5)])).toEqual(['never', 'never', [0, 10]]);
  });

  it('is what it is if copies should have ended by now', () => {
    expect(minutes([waiting('a', 'vol-1', { slots: 1 })], [endsIn(-20)])).toEqual([[0, 10]]);
  });

  it('of 20,000 requests is told in a moment', () => {
    const queue = Array.from({ length: 20_000 }, (_, index) =>
      waiting(`s${index}`, `vol-${index % 5000}`, { slots: 20 }),
    );
    const begun = performance.now();
    expect(minutes(queue).at(-1)).toEqual([9990, 10_000]);
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});
