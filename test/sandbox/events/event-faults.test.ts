import { describe, expect, it } from 'vitest';
import type { BusEvent } from '../../../sandbox/events/event.ts';
import { EventFaultError, EventFaults } from '../../../sandbox/events/event-faults.ts';
import { seededRandom } from '../../../sandbox/ids.ts';

const event: BusEvent = {
  version: '0',
  id: 'e',
  'detail-type': 'EBS Snapshot Notification',
  source: 'aws.ec2',
  account: '000000000000',
  time: '2026-01-05T09:00:00Z',
  region: 'eu-west-1',
  resources: [],
  detail: { event: 'createSnapshot' },
};

/** What befalls each of so many events: `l` lost, `d` doubled, `.` nothing. */
function befallen(faults: EventFaults, events: number): string {
  const letters = { 'lose-event': 'l', 'duplicate-event': 'd', 'delay-event': 'w', 'reorder-events': 'r' };
  return Array.from({ length: events }, () => {
    const fault = faults.befalls(event);
    return fault === undefined ? '.' : letters[fault.kind];
  }).join('');
}

function count(text: string, letter: string): number {
  return text.split(letter).length - 1;
}

describe('a fault for a share of the events', () => {
  it('befalls about that share of them, until it is cleared', () => {
    const faults = new EventFaults(seededRandom(1));
    faults.add({ kind: 'lose-event', share: 0.05 });
    faults.add({ kind: 'duplicate-event', share: 0.05, seconds: 30 });
    const happened = befallen(faults, 10_000);
    // Five standard deviations of 10,000 throws are 109.
    expect(Math.abs(count(happened, 'l') - 500)).toBeLessThan(109);
    expect(Math.abs(count(happened, 'd') - 475)).toBeLessThan(109);
    expect(faults.list()).toMatchObject([
      { id: 'event-1', left: undefined },
      { id: 'event-2', left: undefined },
    ]);
    faults.clear();
    expect(befallen(faults, 1000)).toBe('.'.repeat(1000));
  });

  it('befalls the same ones with the same seed', () => {
    const [first, same, other] = [7, 7, 8].map((seed) => {
      const faults = new EventFaults(seededRandom(seed));
      faults.add({ kind: 'lose-event', share: 0.3 });
      return befallen(faults, 100);
    });
    expect(same).toBe(first);
    expect(other).not.toBe(first);
  });

  it('befalls all of them if the share is 1, and stops after its times if it has any', () => {
    const faults = new EventFaults(seededRandom(1));
    faults.add({ kind: 'lose-event', share: 1, times: 3 });
    expect(befallen(faults, 5)).toBe('lll..');
    expect(faults.list()).toEqual([]);
  });

  it('can be for some events only, and for attempts to deliver', () => {
    const faults = new EventFaults(seededRandom(1));
    faults.add({ kind: 'lose-event', share: 1, event: 'copySnapshot' });
    faults.add({ kind: 'fail-delivery', share: 0.5 });
    expect(befallen(faults, 100)).toBe('.'.repeat(100));
    const failed = Array.from({ length: 1000 }, () => faults.failsDelivery(event)).filter(Boolean).length;
    expect(Math.abs(failed - 500)).toBeLessThan(80);
  });

  it.each([0, 1.01, '5 %'])('is refused if the share is %s', (share) => {
    const faults = new EventFaults(seededRandom(1));
    expect(() => faults.add({ kind: 'lose-event', share })).toThrow(EventFaultError);
  });
});
