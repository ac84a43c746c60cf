import { CopySnapshotCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { LedgerView } from '../ledger-view.ts';
import { FRANKFURT, SOURCE_REGION, VIRGINIA } from '../world.ts';
import { type Accounts, HOME, INSTALL, newAccounts, ORDERS } from './world.ts';

const AWS_KEY = 'alias/aws/ebs';
const REENCRYPT = { Reencrypt: 'on' };
const SHAREABLE = `alias/snapshot-copier-${INSTALL}-for-${HOME}`;

/** The ARN of the key behind an alias. */
function keyOf(world: Accounts, account: string, region: string, alias: string): string | undefined {
  return world.sandbox.keys.find({ account, region }, alias)?.arn;
}

/** The states of the intermediate copies, oldest first. */
function intermediateStates(world: Accounts): readonly string[] {
  return world.intermediates().map(({ state }) => state);
}

/** Has the policy of a key leave nothing to IAM: the companion may not look at it. */
function closeToIam({ sandbox: { keys } }: Accounts, arn: string): void {
  const key = keys.find({ account: ORDERS, region: SOURCE_REGION }, arn);
  const closed = key?.policy.replaceAll(`:iam::${key.account}:root`, `:iam::${key.account}:role/KeyAdministrators`);
  if (key === undefined || closed === undefined || closed === key.policy) throw new Error(`${arn} is closed already`);
  keys.putPolicy(key, closed);
}

describe('a source under a customer managed key of its account', () => {
  it('that lets home in is copied under keys of home, and only once even by a rule that would re-encrypt', async () => {
    const world = await newAccounts({ companion: REENCRYPT });
    const key = world.sourceKey(ORDERS, { usableBy: [HOME] });
    const volumeId = await world.volumeUnder(key, ORDERS);
    const inPlace = await world.startSnapshot({ Backup: 'in-place' }, { account: ORDERS, volumeId });
    const nightly = await world.startSnapshot({ Backup: 'nightly' }, { account: ORDERS, volumeId });
    // It is for home to use it.
    closeToIam(world, key);
    const sensitive = await world.startSnapshot({ Backup: 'sensitive' }, { account: ORDERS });
    await world.pass('30 min');
    expect(world.copiesOf(inPlace)).toMatchObject([
      { state: 'completed', kmsKeyArn: keyOf(world, HOME, SOURCE_REGION, 'alias/dr-copies') },
    ]);
    expect(world.copiesOf(nightly)).toMatchObject([
      { region: FRANKFURT, state: 'completed', kmsKeyArn: keyOf(world, HOME, FRANKFURT, AWS_KEY) },
      { region: VIRGINIA, state: 'completed', kmsKeyArn: keyOf(world, HOME, VIRGINIA, 'alias/dr-copies') },
    ]);
    // That one is plain.
    expect(world.copiesOf(sensitive)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
    expect(world.callsIn(ORDERS, 'CopySnapshot')).toEqual([]);
    expect(world.held()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
  });

  it('that does not is told once, with the key, and the share does not stay', async () => {
    const world = await newAccounts();
    const key = world.sourceKey(ORDERS);
    const volumeId = await world.volumeUnder(key, ORDERS);
    const source = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS, volumeId });
    await world.pass('30 min');
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'KeyNotAccessible', sourceSnapshot: source }, body: expect.stringContaining(key) },
    ]);
    expect(world.copiesOf(source)).toEqual([]);
    expect(world.held()).toEqual([]);
  });
});

describe('a source under aws/ebs', () => {
  it('is recognised before anything is tried, and somebody is told of the way out', async () => {
    const world = await newAccounts();
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    const source = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS, volumeId });
    await world.pass('30 min');
    expect(await world.alerts()).toMatchObject([
      {
        attributes: { reason: 'SourceNotShareable', sourceSnapshot: source },
        body: expect.stringMatching(/reencrypt: true/),
      },
    ]);
    expect(world.calls('ModifySnapshotAttribute') + world.calls('CopySnapshot')).toBe(0);
    expect(world.record(source).tags).toEqual({ Backup: 'in-place' });
    expect(await new LedgerView(world).request(source, SOURCE_REGION)).toMatchObject({ status: 'failed' });
  });
});

describe('a source under aws/ebs whose rule says reencrypt', () => {
  it('is copied in its account under a key that can be shared, once for two destinations, and from there', async () => {
    const world = await newAccounts({ companion: REENCRYPT });
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    const source = await world.snapshot({ Backup: 'sensitive', Team: 'orders' }, { account: ORDERS, volumeId });
    await world.passUntil(() => world.intermediates().length > 0);
    const [intermediate] = world.intermediates();
    expect(intermediate).toMatchObject({
      region: SOURCE_REGION,
      kmsKeyArn: keyOf(world, ORDERS, SOURCE_REGION, SHAREABLE),
      copy: { sourceSnapshotId: source },
      sharedWith: [],
    });
    await world.passUntil(() => world.sharedWith(intermediate?.snapshotId ?? '').length > 0);
    await world.pass('40 min');

    expect(world.callsIn(ORDERS, 'CopySnapshot')).toHaveLength(1);
    const copies = world.copiesOf(source);
    expect(copies.map(({ region }) => region)).toEqual([FRANKFURT, VIRGINIA]);
    for (const copy of copies) {
      expect(copy).toMatchObject({
        state: 'completed',
        kmsKeyArn: keyOf(world, HOME, copy.region, 'alias/dr-copies'),
        copy: { sourceSnapshotId: intermediate?.snapshotId },
        // What it is a copy of, for whoever looks at it: the source, not what was in between.
        tags: { Team: 'orders', 'snapshot-copier:source-volume': volumeId },
      });
      expect(copy.tags).not.toHaveProperty('snapshot-copier:intermediate-of');
    }
    expect(world.record(source).tags).toMatchObject({
      [`snapshot-copier:copied-to:${FRANKFURT}`]: copies[0]?.snapshotId,
      [`snapshot-copier:copied-to:${VIRGINIA}`]: copies[1]?.snapshotId,
    });
    // It stays, for the next one to be compared with; its share and all the rest do not.
    expect(intermediateStates(world)).toEqual(['completed']);
    expect(world.held()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
    expect(world.counted('EventsRefused')).toBe(0);
  });

  it('moves the whole volume to a destination once: its next copies are incremental, and older intermediates go', async () => {
    const world = await newAccounts({ companion: REENCRYPT });
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    const sources: string[] = [];
    for (let day = 0; day < 3; day += 1) {
      sources.push(await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId }));
      await world.pass('3 h');
      // One at a time, the newest.
      expect(world.intermediates().map(({ copy }) => copy?.sourceSnapshotId)).toEqual([sources.at(-1)]);
    }
    const incremental = (source: string): readonly (boolean | undefined)[] =>
      world.copiesOf(source).map(({ copy }) => copy?.incremental);
    expect(sources.map(incremental)).toEqual([
      [false, false],
      [true, true],
      [true, true],
    ]);
    expect(world.held()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
  });

  it('of a volume that has no more snapshots leaves nothing behind after some weeks', async () => {
    const world = await newAccounts({ companion: REENCRYPT });
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.pass('30 d');
    await world.lookEverywhere();
    expect(intermediateStates(world)).toEqual(['completed']);
    await world.pass('7 d');
    await world.lookEverywhere();
    expect(world.intermediates()).toEqual([]);
  });

  it('whose copy in its account fails is told of, and leaves nothing behind', async () => {
    const world = await newAccounts({ companion: REENCRYPT });
    const cosmicRays = { kind: 'copy-error', stateMessage: 'Cosmic rays', account: ORDERS, times: 10 };
    world.sandbox.ec2.faults.add(cosmicRays);
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    const source = await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.pass('1 h');
    const alerts = await world.alerts();
    // One for each destination.
    expect(alerts).toHaveLength(2);
    for (const { attributes, body } of alerts) {
      expect(attributes).toMatchObject({ reason: 'IntermediateFailed', sourceSnapshot: source });
      expect(body).toContain('Cosmic rays');
    }
    expect(world.copiesOf(source)).toEqual([]);
    expect(world.intermediates()).toEqual([]);
    expect(world.held()).toEqual([]);

    world.sandbox.ec2.faults.clear();
    for (const { name } of world.executions()) await world.startAgain(name);
    await world.pass('1 h');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
    expect(world.held()).toEqual([]);
  });

  it('waits for a slot in its own account, which others have taken', async () => {
    const world = await newAccounts({ companion: REENCRYPT, slots: 2, copyTakes: '20 min' });
    const theirs = await world.snapshot({}, { account: ORDERS });
    const copyTheirs = { SourceRegion: SOURCE_REGION, SourceSnapshotId: theirs };
    for (let i = 0; i < 2; i += 1) await world.ec2(SOURCE_REGION, ORDERS).send(new CopySnapshotCommand(copyTheirs));
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    const source = await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.pass('10 min');
    expect(world.log('prepareSource')).toContain('no free slot for its intermediate copy');
    expect(world.intermediates()).toEqual([]);
    await world.pass('90 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
    expect(intermediateStates(world)).toEqual(['completed']);
    expect(world.held()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
  });

  it('without Reencrypt=on at the companion is told of, with what refused', async () => {
    const world = await newAccounts();
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    const source = await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.pass('1 h');
    expect(await world.reasons()).toEqual(['SourceAccountRefused', 'SourceAccountRefused']);
    expect((await world.alerts())[0]?.body).toContain('Reencrypt');
    expect(world.copiesOf(source)).toEqual([]);
    expect(world.held()).toEqual([]);
  });

  it('is told with the key in its account, not that of the copy, if EC2 refuses the shareable key at once', async () => {
    const world = await newAccounts({ companion: REENCRYPT, ec2: { unusableKey: 'refused' } });
    const key = world.sandbox.keys.find({ account: ORDERS, region: SOURCE_REGION }, SHAREABLE);
    if (key !== undefined) world.sandbox.keys.disable(key);
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    await world.startSnapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.pass('10 min');
    const alerts = await world.alerts();
    expect(alerts.map(({ attributes }) => attributes['reason'])).toEqual(['IntermediateFailed', 'IntermediateFailed']);
    for (const { body } of alerts) {
      expect(body).toContain(`--key-id ${SHAREABLE}`);
      expect(body).not.toContain('alias/dr-copies');
    }
    expect(world.held()).toEqual([]);
  });

  it('has one copy in its account even if EC2 shows new snapshots late', async () => {
    const world = await newAccounts({ companion: REENCRYPT, ec2: { visibleAfterSeconds: 120 } });
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    const source = await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.pass('1 h');
    expect(world.sandbox.ec2.copiesEverMade({ account: ORDERS, region: SOURCE_REGION })).toHaveLength(1);
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
    expect(world.held()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
  });

  it('has one copy in its account even if the answer to that is lost, or who makes it dies', async () => {
    const world = await newAccounts({ companion: REENCRYPT });
    const volumeId = await world.volumeUnder(AWS_KEY, ORDERS);
    world.sandbox.ec2.faults.add({ kind: 'lost-answer', action: 'CopySnapshot', account: ORDERS });
    await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.pass('1 h');
    const moment = { afterCall: 'CopySnapshot' };
    world.sandbox.lambda.interruptNext({ functionName: 'prepareSource', moment, as: 'crash' });
    const source = await world.snapshot({ Backup: 'sensitive' }, { account: ORDERS, volumeId });
    await world.pass('150 min');
    expect(world.sandbox.ec2.copiesEverMade({ account: ORDERS, region: SOURCE_REGION })).toHaveLength(2);
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
    await world.lookEverywhere();
    expect(world.intermediates()).toHaveLength(1);
    expect(world.held()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
  });
});
