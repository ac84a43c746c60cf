import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requestKey } from '../../../core/ledger-request.ts';
import { requested, settled, started } from '../../../core/request-transitions.ts';
import { memoryLedger } from '../../../sandbox/ledger/memory-ledger.ts';
import { Places } from '../../../sandbox/ledger/places.ts';
import { ledgerContract } from '../../aws/ledger-contract.ts';
import { request } from '../../support/examples.ts';

const NOON = new Date('2026-03-02T12:00:00.000Z');

describe('the ledger in memory', () => {
  ledgerContract(async (now) => memoryLedger({ now }));
});

describe('what DynamoDB would bill', () => {
  const KEY = requestKey(request().source, request().destination);
  const ledgerNow = () => memoryLedger({ now: () => NOON });

  it('is a read unit for a look at nothing, and nothing for a change that is none', async () => {
    const ledger = ledgerNow();
    await ledger.request(KEY);
    await ledger.waiting('eu-central-1', { limit: 50 });
    await ledger.running('eu-central-1');
    await ledger.admission('eu-central-1');
    await ledger.change(KEY, () => undefined);
    expect(ledger.usage()).toEqual({ reads: 5, writes: 0, readUnits: 5, writeUnits: 0 });
  });

  it('follows a request through its life', async () => {
    const ledger = ledgerNow();
    const spent: number[] = [];
    let before = 0;
    const note = () => {
      spent.push(ledger.usage().writeUnits - before);
      before = ledger.usage().writeUnits;
    };
    // 0.8 kB in the table, and 0.2 kB of that in the index: a unit each.
    await ledger.change(KEY, requested(request(), 'rule nightly selects it', NOON));
    note(); // put into the index
    await ledger.change(KEY, started(1, 'e', 'a slot is free', NOON));
    note(); // moved in the index: deleted and put
    await ledger.change(KEY, (now) => now && { ...now, copyId: 'snap-0c' });
    note(); // changed in the index
    await ledger.change(KEY, (now) => now && { ...now, reason: 'of no interest to the index' });
    note();
    await ledger.change(KEY, settled('e', { kind: 'failed', reason: 'no key' }, NOON, 90));
    note(); // deleted from the index
    await ledger.change(KEY, (now) => now && { ...now, reason: 'of no interest to the index' });
    note();
    expect(spent).toEqual([2, 3, 2, 1, 2, 1]);
    expect(ledger.usage()).toMatchObject({ reads: 6, writes: 6, readUnits: 6 });
  });

  it('is the larger of the item before and after', async () => {
    const ledger = ledgerNow();
    const long = 'x'.repeat(4000);
    await ledger.change(KEY, requested(request(), long, NOON));
    const { writeUnits } = ledger.usage();
    await ledger.change(KEY, (now) => now && { ...now, reason: 'short' });
    expect([writeUnits, ledger.usage().writeUnits]).toEqual([5 + 1, 6 + 5]);
    const { readUnits } = ledger.usage();
    await ledger.change(KEY, (now) => now && { ...now, reason: long });
    await ledger.request(KEY);
    // 0.8 and 4.8 kB
    expect(ledger.usage().readUnits - readUnits).toBe(1 + 2);
  });

  it('is a page as a whole, not item by item', async () => {
    const ledger = ledgerNow();
    for (let index = 0; index < 100; index++) {
      const asked = request({ source: { snapshotId: `snap-${String(index).padStart(17, '0')}` } });
      await ledger.change(requestKey(asked.source, asked.destination), requested(asked, 'selected', NOON));
    }
    const unitsOf = async (limit: number) => {
      const before = ledger.usage().readUnits;
      await ledger.waiting('eu-central-1', { limit });
      return ledger.usage().readUnits - before;
    };
    // Each: region 18 bytes, item 39, place 73, volumeId 29, slots 7, attempt 9, waitingSince 36, changedAt 33: 244.
    expect(await unitsOf(1)).toBe(1);
    expect(await unitsOf(100)).toBe(6);
  });

  it('counts a write that comes too late, and the look at who was first', async () => {
    const ledger = ledgerNow();
    const state = { starting: [], ended: [] };
    await ledger.changeAdmission('eu-central-1', 0, state);
    expect(ledger.usage()).toEqual({ reads: 0, writes: 1, readUnits: 0, writeUnits: 1 });
    await ledger.changeAdmission('eu-central-1', 0, state);
    expect(ledger.usage()).toEqual({ reads: 1, writes: 2, readUnits: 1, writeUnits: 2 });
  });
});

describe('places', () => {
  it('are in order, each once, whatever was set and deleted, and page from anywhere', () => {
    const place = fc.stringMatching(/^[abc]{1,3}$/);
    const step = fc.record({ place, value: fc.nat(), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), place, fc.nat(5), (steps, after, limit) => {
        const places = new Places<number>();
        const model = new Map<string, number>();
        for (const { place: at, value, remove } of steps) {
          if (remove) {
            places.delete(at);
            model.delete(at);
          } else {
            places.set(at, value);
            model.set(at, value);
          }
        }
        const sorted = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([at, value]) => ({ place: at, value }));
        expect(places.after('')).toEqual(sorted);
        expect(places.after(after, limit)).toEqual(sorted.filter((each) => each.place > after).slice(0, limit));
      }),
    );
  });
});
