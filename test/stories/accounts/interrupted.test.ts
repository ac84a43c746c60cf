import { describe, expect, it } from 'vitest';
import { copyOfAnotherTool, LedgerView } from '../ledger-view.ts';
import { SOURCE_REGION } from '../world.ts';
import { type Accounts, HOME, newAccounts, ORDERS, PARTNER } from './world.ts';

/** A complete snapshot of an account without the companion, which its owner has just shared. */
async function sharedByHand(world: Accounts): Promise<string> {
  const source = await world.snapshot({}, { account: PARTNER, description: 'for the vault' });
  await world.share(source);
  return source;
}

describe('a source that is lost in mid-copy, with the companion or without', () => {
  it.each([
    ['because its share is taken back', (world: Accounts, source: string) => world.share(source, 'remove')],
    ['because it is deleted', (world: Accounts, source: string) => world.remove(source)],
  ])('%s: one alert, and nothing left', async (_why, lose) => {
    const world = await newAccounts();
    const sources = [await world.snapshot({ Backup: 'in-place' }, { account: ORDERS }), await sharedByHand(world)];
    await world.pass('3 min');
    for (const source of sources) {
      expect(world.copiesOf(source)).toMatchObject([{ state: 'pending' }]);
      await lose(world, source);
    }
    await world.pass('30 min');
    const alerts = await world.alerts();
    expect(alerts.map(({ attributes }) => attributes['reason'])).toEqual(['SourceGone', 'SourceGone']);
    expect(new Set(alerts.map(({ attributes }) => attributes['sourceSnapshot']))).toEqual(new Set(sources));
    for (const source of sources) expect(world.copiesOf(source)).toEqual([]);
    expect(world.held()).toEqual([]);
    expect(await new LedgerView(world).statuses()).toEqual({ failed: 2 });
    expect(await world.stuckEvents()).toEqual([]);
  });
});

describe('a source that is deleted while its request waits', () => {
  it('is nothing to copy, and nobody is told, where the companion says so', async () => {
    const world = await newAccounts({ slots: 1, copyTakes: '15 min' });
    await copyOfAnotherTool(world, await world.snapshot({}), SOURCE_REGION);
    const source = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    await world.pass('6 min');
    const ledger = new LedgerView(world);
    expect(await ledger.request(source, SOURCE_REGION)).toMatchObject({ status: 'waiting' });
    expect(world.held()).toEqual([]);
    await world.remove(source);
    await world.pass('30 min');
    expect(await ledger.request(source, SOURCE_REGION)).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(/^source gone/),
    });
    expect(new Set(world.executions().map(({ status }) => status))).toEqual(new Set(['SUCCEEDED']));
    expect(world.copiesOf(source)).toEqual([]);
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('cannot be told from one whose share was taken back, where nothing says so: one alert, and no copy is tried', async () => {
    const world = await newAccounts({ slots: 1, copyTakes: '15 min' });
    await copyOfAnotherTool(world, await world.snapshot({}));
    const source = await sharedByHand(world);
    await world.pass('5 min');
    await world.remove(source);
    await world.pass('30 min');
    expect(await world.alerts()).toMatchObject([{ attributes: { reason: 'SourceGone', sourceSnapshot: source } }]);
    const tried = world.callsIn(HOME, 'CopySnapshot').filter(({ params }) => params['SourceSnapshotId'] === source);
    expect(tried.filter(({ outcome }) => outcome === 'accepted')).toEqual([]);
    expect(await new LedgerView(world).statuses()).toEqual({ failed: 1 });
  });

  it('or while its share has no effect yet: likewise nothing to copy', async () => {
    const world = await newAccounts({ ec2: { shareVisibleAfterSeconds: 90 } });
    const source = await world.startSnapshot({ Backup: 'nightly' }, { account: ORDERS });
    await world.pass('1 min');
    expect(world.executions().map(({ status }) => status)).toEqual(['RUNNING', 'RUNNING']);
    await world.remove(source);
    await world.pass('10 min');
    expect(await new LedgerView(world).statuses()).toEqual({ skipped: 2 });
    expect(world.calls('CopySnapshot')).toBe(0);
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });
});

describe('a source that EC2 does not show for a moment', () => {
  it('is looked for again, and copied', async () => {
    const world = await newAccounts({ ec2: { shareVisibleAfterSeconds: 90 } });
    const source = await world.startSnapshot({ Backup: 'in-place' }, { account: ORDERS });
    await world.pass('1 min');
    expect(world.executions().map(({ status }) => status)).toEqual(['RUNNING']);
    const notFound = { kind: 'error', action: 'DescribeSnapshots', code: 'InvalidSnapshot.NotFound', status: 400 };
    world.sandbox.ec2.faults.add({ ...notFound, account: ORDERS, times: 1 });
    await world.pass('20 min');
    expect(world.log('prepareSource')).toContain('EC2 does not show the source now');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }]);
    expect(world.held()).toEqual([]);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1 });
  });
});

describe('a complete copy of a source that is gone', () => {
  it('is adopted when it is started again', async () => {
    const world = await newAccounts({ copyTakes: '4 min' });
    const forbidden = { kind: 'error', action: 'CreateTags', code: 'UnauthorizedOperation', status: 403 };
    world.sandbox.ec2.faults.add({ ...forbidden, account: HOME, times: 1 });
    const source = await world.startSnapshot({ Backup: 'in-place' }, { account: ORDERS });
    await world.pass('10 min');
    expect(await world.reasons()).toEqual(['NotAllowed']);
    await world.remove(source);
    for (const { name } of world.executions()) await world.startAgain(name);
    await world.pass('5 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1 });
    expect(await world.alerts()).toHaveLength(1);
  });
});

describe('an intermediate copy that somebody deletes in mid-copy', () => {
  it('is told of; started again, the source is copied in its account anew', async () => {
    const world = await newAccounts({ companion: { Reencrypt: 'on' } });
    const volumeId = await world.volumeUnder('alias/aws/ebs', ORDERS);
    const source = await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.passUntil(() => world.copiesOf(source).length === 2);
    for (const { snapshotId } of world.intermediates()) await world.remove(snapshotId);
    await world.pass('30 min');
    expect(await world.reasons()).toEqual(['SourceGone', 'SourceGone']);
    expect(world.copiesOf(source)).toEqual([]);
    for (const { name } of world.executions()) await world.startAgain(name);
    await world.pass('40 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
    expect(world.intermediates()).toHaveLength(1);
    expect(world.held()).toEqual([]);
  });
});
