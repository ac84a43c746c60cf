import { describe, expect, it } from 'vitest';
import { LedgerView } from '../ledger-view.ts';
import { FRANKFURT } from '../world.ts';
import { type Accounts, HOME, newAccounts, ORDERS, PARTNER } from './world.ts';

const WANTED = 'for the vault: orders';

/** A complete snapshot that its owner has just shared with home. */
async function shared(
  world: Accounts,
  { account = PARTNER, description = WANTED, volumeId }: { account?: string; description?: string; volumeId?: string },
): Promise<string> {
  const of = volumeId === undefined ? { account, description } : { account, description, volumeId };
  const snapshotId = await world.snapshot({ Team: 'secret of the partner' }, of);
  await world.share(snapshotId);
  return snapshotId;
}

describe('a snapshot that an account without the companion shares', () => {
  it('is copied if owner and description are those of a rule, and nothing is done in that account', async () => {
    const world = await newAccounts();
    const wanted = await shared(world, {});
    const otherwiseDescribed = await shared(world, { description: 'scratch' });
    const ofNobodyInTheRules = await shared(world, { account: '444455556666' });
    const notShared = await world.snapshot({}, { account: PARTNER, description: WANTED });
    await world.pass('30 min');

    const [copy, ...more] = world.copiesOf(wanted);
    expect(more).toEqual([]);
    expect(copy).toMatchObject({ account: HOME, region: FRANKFURT, state: 'completed' });
    expect(copy?.tags).toMatchObject({ 'snapshot-copier:source-account': PARTNER, 'snapshot-copier:state': 'copied' });
    expect(copy?.tags).not.toHaveProperty('Team');
    for (const other of [otherwiseDescribed, ofNobodyInTheRules, notShared]) expect(world.copies(other)).toEqual([]);
    expect(world.executions()).toHaveLength(1);

    expect(world.record(wanted).tags).toEqual({ Team: 'secret of the partner' });
    expect(world.sharedWith(wanted)).toEqual([HOME]);
    expect(world.sandbox.api('sts').callCounts().get('AssumeRole')).toBeUndefined();
    expect(await world.alerts()).toEqual([]);
  });

  it('under a key that lets home in is copied under the key of home; under one that does not, somebody is told', async () => {
    const world = await newAccounts();
    const open = await world.volumeUnder(world.sourceKey(PARTNER, { usableBy: [HOME] }), PARTNER);
    const closed = await world.volumeUnder(world.sourceKey(PARTNER), PARTNER);
    const good = await shared(world, { volumeId: open });
    const bad = await shared(world, { volumeId: closed });
    await world.pass('30 min');

    const ours = world.sandbox.keys.find({ account: HOME, region: FRANKFURT }, 'alias/dr-copies')?.arn;
    expect(world.copiesOf(good)).toMatchObject([{ state: 'completed', kmsKeyArn: ours }]);
    expect(await world.alerts()).toMatchObject([
      {
        attributes: { reason: 'KeyNotAccessible', sourceSnapshot: bad },
        body: expect.stringContaining(world.record(bad).kmsKeyArn ?? 'no key'),
      },
    ]);
    expect(world.copiesOf(bad)).toEqual([]);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1, failed: 1 });
  });

  it('and that home sees only 90 s later is waited for', async () => {
    const world = await newAccounts({ ec2: { shareVisibleAfterSeconds: 90 } });
    const source = await shared(world, {});
    await world.pass('1 min');
    expect(world.log('onSnapshotEvent')).toContain('not visible to this account yet');
    expect(world.executions()).toEqual([]);
    await world.pass('30 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }]);
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('and takes back before anybody could look is no copy and one alert', async () => {
    const world = await newAccounts();
    const source = await shared(world, {});
    await world.share(source, 'remove');
    await world.pass('10 min');
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'SourceNotVisible', sourceSnapshot: source } },
    ]);
    expect(world.executions()).toEqual([]);
  });

  it('of an account with the companion is seen as its owner sees it, with its tags', async () => {
    const world = await newAccounts();
    // Nobody hears that it was made, only that it was shared.
    world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot' });
    const source = await world.snapshot({ Backup: 'nightly', Team: 'orders' }, { account: ORDERS });
    await world.share(source);
    await world.pass('30 min');
    expect(world.copiesOf(source)).toMatchObject([{ tags: { Team: 'orders' } }, { tags: { Team: 'orders' } }]);
    // It was not the service that shared it.
    expect(world.sharedWith(source)).toEqual([HOME]);
    expect(await world.alerts()).toEqual([]);
  });
});
