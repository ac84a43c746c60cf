import { describe, expect, it } from 'vitest';
import { LedgerView } from '../ledger-view.ts';
import { newAccounts, ORDERS, PARTNER, PAYROLL } from './world.ts';

describe('a snapshot of a source account of which no event told', () => {
  it('is found within the hour with its tags, copied once and counted', async () => {
    const world = await newAccounts({ schedules: 'on' });
    await world.pass('10 min');
    world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot', times: 2 });
    const lost = [
      await world.startSnapshot({ Backup: 'in-place', Team: 'orders' }, { account: ORDERS }),
      await world.startSnapshot({ Backup: 'in-place', Team: 'payroll' }, { account: PAYROLL }),
    ];
    await world.pass('1 min');
    const heard = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    const unwanted = await world.snapshot({ Backup: 'weekly' }, { account: ORDERS });
    await world.pass('30 min');
    for (const source of lost) expect(world.copiesOf(source)).toEqual([]);
    await world.pass('40 min');

    const teams = lost.flatMap((source) => world.copiesOf(source)).map(({ tags }) => tags['Team']);
    expect(teams).toEqual(['orders', 'payroll']);
    expect(world.counted('EventsHealed')).toBe(2);
    await world.pass('65 min');
    for (const source of [...lost, heard]) expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }]);
    expect(world.copies(unwanted)).toEqual([]);
    expect(world.held()).toEqual([]);
    expect(world.counted('EventsHealed')).toBe(2);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 3 });
    expect(await world.alerts()).toEqual([]);
  });

  it('is found although another account cannot be looked into, and that shows as an error', async () => {
    const world = await newAccounts({ companion: 'none', schedules: 'on' });
    // ORDERS comes first and has no companion.
    world.deployCompanion({ account: PAYROLL });
    world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot', times: 2 });
    const source = await world.snapshot({ Backup: 'in-place' }, { account: PAYROLL });
    const ours = await world.snapshot({ Backup: 'in-place' });
    await world.pass('75 min');
    for (const each of [source, ours]) expect(world.copiesOf(each)).toMatchObject([{ state: 'completed' }]);
    expect(world.log('healLostEvents')).toContain(`The role of the companion in account ${ORDERS} cannot be assumed`);
    expect(world.log('healLostEvents')).toContain('SourceAccountRefusedError');
  });

  it('is found where somebody shared it and nothing is installed', async () => {
    const world = await newAccounts({ schedules: 'on' });
    world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'shareSnapshot' });
    const source = await world.snapshot({}, { account: PARTNER, description: 'for the vault' });
    await world.share(source);
    await world.pass('75 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }]);
    expect(world.counted('EventsHealed')).toBe(1);
  });
});
