import { describe, expect, it } from 'vitest';
import { afterCount, believedSlots, decideAdmission, type RegionView, slotsTaken } from '../../core/admission.ts';
import type { CopyCount } from '../../core/admission-state.ts';
import type { WaitingRequest } from '../../core/ledger-request.ts';
import { attempt, running, waiting } from './admission-examples.ts';

const NOW = new Date('2026-03-02T04:10:00Z');
const NOTHING_ELSE: CopyCount = { at: '2026-03-02T04:10:00.000Z', others: 0, volumes: [] };

function view(over: Partial<RegionView> = {}): RegionView {
  return { running: [], ended: [], count: NOTHING_ELSE, mostSlots: 20, ...over };
}

function othersTake(others: number): CopyCount {
  return { ...NOTHING_ELSE, others };
}

/** The snapshots whose copies start. */
function starts(region: RegionView, queue: readonly WaitingRequest[]): readonly string[] {
  return decideAdmission(region, queue, NOW)
    .admissions.filter(({ action }) => action === 'start')
    .map(({ request }) => request.snapshotId);
}

/** What is said of each request. */
function reasons(region: RegionView, queue: readonly WaitingRequest[]): readonly string[] {
  return decideAdmission(region, queue, NOW).admissions.map(({ action, reason }) => `${action}: ${reason}`);
}

describe('the slots of a Region', () => {
  const twoSlots = { slots: 2 };
  const queue = [waiting('snap-0a', twoSlots), waiting('snap-0b', twoSlots), waiting('snap-0c', twoSlots)];

  it('go to the head of the queue, and the others hear why they wait', () => {
    expect(reasons(view(), queue)).toEqual([
      'start: it is the oldest that may start, as slot 1 of 2',
      'start: it is the oldest that may start, as slot 2 of 2',
      'hold: all 2 slots are taken: 2 by copies of ours, 0 by others',
    ]);
  });

  it('are taken by requests that run', () => {
    expect(starts(view({ running: [running('snap-01')] }), queue)).toEqual(['snap-0a']);
  });

  it("are taken by another tool's copies", () => {
    expect(starts(view({ count: othersTake(1) }), queue)).toEqual(['snap-0a']);
    expect(reasons(view({ running: [running('snap-01')], count: othersTake(4) }), queue)[0]).toBe(
      'hold: all 2 slots are taken: 1 by copies of ours, 4 by others',
    );
  });

  it('are free again when a copy has ended, although its execution still runs', () => {
    const region = view({ running: [running('snap-01'), running('snap-02')], ended: [attempt('snap-01')] });
    expect(starts(region, queue)).toEqual(['snap-0a']);
    expect(slotsTaken(region)).toBe(1);
  });

  it('are taken again by the next execution of a request whose last copy has ended', () => {
    const region = view({ running: [running('snap-01', { attempt: 2 })], ended: [attempt('snap-01')] });
    expect(starts(region, queue)).toEqual(['snap-0a']);
    expect(slotsTaken(region)).toBe(1);
  });

  it('may be fewer for one destination of the Region than for another, and the other goes on', () => {
    const modest = waiting('snap-0a', { slots: 1 });
    const region = view({ running: [running('snap-01')] });
    expect(starts(region, [modest, waiting('snap-0b', { slots: 2 }), waiting('snap-0c', { slots: 2 })])).toEqual([
      'snap-0b',
    ]);
  });
});

describe('two copies of one volume', () => {
  const volumeId = 'vol-0db1';

  it('are never made at a time: the next volume passes', () => {
    const region = view({ running: [running('snap-01', { volumeId })] });
    const queue = [waiting('snap-0a', { volumeId }), waiting('snap-0b')];
    expect(reasons(region, queue)).toEqual([
      'hold: the copy of snap-01 from vol-0db1 to eu-central-1 is under way',
      'start: it is the oldest that may start, as slot 2 of 20',
    ]);
  });

  it('are not begun by one decision either, and the older goes first', () => {
    const queue = [waiting('snap-0a', { volumeId }), waiting('snap-0b', { volumeId }), waiting('snap-0c')];
    expect(starts(view(), queue)).toEqual(['snap-0a', 'snap-0c']);
  });

  it('keep their order when the older one is held back by something else', () => {
    const older = waiting('snap-0a', { volumeId, slots: 1 });
    const newer = waiting('snap-0b', { volumeId, slots: 20 });
    const newest = waiting('snap-0c', { volumeId, slots: 20 });
    const region = view({ count: othersTake(1) });
    expect(reasons(region, [older, newer, newest]).slice(1)).toEqual([
      'hold: snap-0a of the same volume, vol-0db1, is older and waits as well',
      'hold: snap-0a of the same volume, vol-0db1, is older and waits as well',
    ]);
  });

  it('may be made of one after the other, as soon as EC2 has finished the first', () => {
    const region = view({ running: [running('snap-01', { volumeId })], ended: [attempt('snap-01')] });
    expect(starts(region, [waiting('snap-0a', { volumeId })])).toEqual(['snap-0a']);
  });

  it('may be made at once to two destinations of one Region', () => {
    const elsewhere = { volumeId, destination: 'eu-central-1-op-0123456789abcdef0' };
    const region = view({ running: [running('snap-01', { volumeId })] });
    expect(starts(region, [waiting('snap-0a', elsewhere)])).toEqual(['snap-0a']);
    expect(starts(view(), [waiting('snap-0b', { volumeId }), waiting('snap-0b', elsewhere)])).toHaveLength(2);
  });

  it('are not made at a time with one that another install makes, or that nobody waits for any more', () => {
    const count = { ...NOTHING_ELSE, others: 1, volumes: [{ volumeId, destination: 'eu-central-1' }] };
    expect(reasons(view({ count }), [waiting('snap-0a', { volumeId })])).toEqual([
      'hold: another copy of it from vol-0db1 to eu-central-1 is under way',
    ]);
  });

  it('are not told by the volume id of sources that are copies themselves: all those have the same', () => {
    const queue = ['snap-0a', 'snap-0b'].map((id) => waiting(id, { volumeId: 'vol-ffffffff', slots: 3 }));
    const region = view({
      running: [running('snap-01', { volumeId: 'vol-ffffffff' })],
      count: { ...NOTHING_ELSE, volumes: [{ volumeId: 'vol-ffffffff', destination: 'eu-central-1' }] },
    });
    expect(starts(region, queue)).toEqual(['snap-0a', 'snap-0b']);
  });
});

describe('a refusal', () => {
  const refusal = { at: '2026-03-02T04:10:00.000Z', taken: 3 };
  const later = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

  it('leaves only as many slots as were taken, one more every five minutes', () => {
    expect(believedSlots(refusal, NOW)).toBe(3);
    expect(believedSlots(refusal, later(299))).toBe(3);
    expect(believedSlots(refusal, later(300))).toBe(4);
    expect(believedSlots(refusal, later(3000))).toBe(13);
  });

  it('leaves no fewer than that by a clock that goes behind', () => {
    expect(believedSlots(refusal, later(-900))).toBe(3);
  });

  it('holds requests back below the slots of their rule, and says so', () => {
    const region = view({ refusal, running: ['snap-01', 'snap-02', 'snap-03'].map((id) => running(id)) });
    expect(reasons(region, [waiting('snap-0a')])).toEqual([
      'hold: all 3 slots, of 20, since EC2 refused a copy are taken: 3 by copies of ours, 0 by others',
    ]);
  });

  it('leaves room for one as soon as one of the copies has ended', () => {
    const region = view({ refusal, running: ['snap-01', 'snap-02'].map((id) => running(id)) });
    expect(starts(region, [waiting('snap-0a'), waiting('snap-0b')])).toEqual(['snap-0a']);
  });

  it('is corrected upwards by a count that shows more copies under way than were known of', () => {
    expect(afterCount(refusal, 5)).toEqual({ at: '2026-03-02T04:10:00.000Z', taken: 5 });
    expect(afterCount(refusal, 2)).toEqual(refusal);
  });

  it('never makes more of the slots than the rule gives', () => {
    const region = view({ refusal: { ...refusal, at: '2026-03-01T04:10:00.000Z' } });
    expect(starts(region, [waiting('snap-0a', { slots: 1 }), waiting('snap-0b', { slots: 1 })])).toEqual(['snap-0a']);
  });

  it('that came of an old count leaves as many slots to believe in as the next count finds taken', () => {
    expect(afterCount(refusal, 8)).toEqual({ ...refusal, taken: 8 });
    expect(afterCount(refusal, 2)).toEqual(refusal);
  });
});

describe('the rest of the queue', () => {
  const slotLeft = (region: RegionView, queue: readonly WaitingRequest[]) =>
    decideAdmission(region, queue, NOW).slotLeft;

  it('is worth reading while a slot is left, be it for another destination', () => {
    expect(slotLeft(view({ mostSlots: 1 }), [])).toBe(true);
    expect(slotLeft(view({ mostSlots: 1 }), [waiting('snap-0a', { slots: 1 })])).toBe(false);
    expect(slotLeft(view({ mostSlots: 2 }), [waiting('snap-0a', { slots: 1 })])).toBe(true);
  });

  it('is worth reading for a request that was made when the rules gave more slots', () => {
    expect(slotLeft(view({ mostSlots: 1 }), [waiting('snap-0a', { slots: 3 })])).toBe(true);
  });

  it('is not worth reading when EC2 is believed to have no slot', () => {
    const refusal = { at: NOW.toISOString(), taken: 1 };
    expect(slotLeft(view({ refusal, count: othersTake(1) }), [])).toBe(false);
  });
});

describe('a new count could change the decision', () => {
  const volumeId = 'vol-0db1';
  const depends = (region: RegionView, queue: readonly WaitingRequest[]) =>
    decideAdmission(region, queue, NOW).dependsOnCount;

  it('when a request starts, or waits for a slot', () => {
    expect(depends(view(), [waiting('snap-0a')])).toBe(true);
    expect(depends(view({ count: othersTake(20) }), [waiting('snap-0a')])).toBe(true);
  });

  it('when a request waits for a copy of its volume that is none of ours: nobody else tells of its end', () => {
    const count = { ...NOTHING_ELSE, others: 1, volumes: [{ volumeId, destination: 'eu-central-1' }] };
    expect(depends(view({ count }), [waiting('snap-0a', { volumeId })])).toBe(true);
  });

  it('but not while all that wait do so for a copy of ours, or when nothing waits', () => {
    const region = view({ running: [running('snap-01', { volumeId })] });
    expect(depends(region, [waiting('snap-0a', { volumeId }), waiting('snap-0b', { volumeId })])).toBe(false);
    expect(depends(region, [])).toBe(false);
  });
});

it('a request whose own copy was left behind by an execution that was stopped starts, and will adopt it', () => {
  const volumeId = 'vol-0db1';
  const left = { volumeId, destination: 'eu-central-1', snapshotId: 'snap-0a' };
  const region = view({ count: { ...NOTHING_ELSE, others: 1, volumes: [left] } });
  expect(starts(region, [waiting('snap-0a', { volumeId })])).toEqual(['snap-0a']);
  expect(starts(region, [waiting('snap-0b', { volumeId })])).toEqual([]);
});

it('a request of which two copies seem to be due is held, not made twice', () => {
  // It was returned to the queue between the reading of what runs and the reading of what waits.
  const volumeId = 'vol-0db1';
  const region = view({ running: [running('snap-0a', { volumeId })] });
  expect(starts(region, [waiting('snap-0a', { volumeId, attempt: 1 })])).toEqual([]);
});
