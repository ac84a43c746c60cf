import { AttachVolumeCommand, CreateSnapshotsCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { LedgerView } from '../ledger-view.ts';
import { FRANKFURT, SOURCE_REGION, tagged, VIRGINIA } from '../world.ts';
import { HOME, newAccounts, ORDERS, PARTNER, PAYROLL } from './world.ts';

describe('a snapshot of an account with the companion', () => {
  it('is selected by its tags and copied with them, and shared for as long as that takes', async () => {
    const world = await newAccounts();
    const tags = { Backup: 'nightly', Team: 'orders', Name: 'disk 1' };
    const source = await world.snapshot(tags, { account: ORDERS, description: 'before the release' });
    const other = await world.snapshot({ ...tags, Backup: 'weekly' }, { account: ORDERS });
    const elsewhere = await world.snapshot(tags, { account: PARTNER });
    await world.pass('2 min');
    expect(world.sharedWith(source)).toEqual([HOME]);
    // Two executions need it, and one share serves them.
    expect(Object.keys(world.record(source).tags).filter((key) => key.includes('share'))).toEqual([
      `snapshot-copier:share:ebs-snapshot-copier-test-for-${HOME}/${FRANKFURT}`,
      `snapshot-copier:share:ebs-snapshot-copier-test-for-${HOME}/${VIRGINIA}`,
    ]);
    await world.pass('28 min');

    const copies = world.copiesOf(source);
    expect(copies).toMatchObject([
      { region: FRANKFURT, state: 'completed', kmsKeyArn: undefined },
      {
        region: VIRGINIA,
        state: 'completed',
        kmsKeyArn: world.sandbox.keys.find({ account: HOME, region: VIRGINIA }, 'alias/dr-copies')?.arn,
      },
    ]);
    for (const copy of copies) {
      expect(copy.tags).toMatchObject({ ...tags, 'snapshot-copier:source-account': ORDERS });
      expect(copy.tags['snapshot-copier:source-volume']).toBe(world.record(source).volumeId);
    }
    // The source says where its copies are, and carries nothing else of the service.
    expect(world.record(source).tags).toEqual({
      ...tags,
      [`snapshot-copier:copied-to:${FRANKFURT}`]: copies[0]?.snapshotId,
      [`snapshot-copier:copied-to:${VIRGINIA}`]: copies[1]?.snapshotId,
    });
    expect(world.held()).toEqual([]);
    // One by each execution, which are one share, and its end.
    expect(world.callsIn(ORDERS, 'ModifySnapshotAttribute').map(({ outcome }) => outcome)).toEqual([
      'accepted',
      'accepted',
      'accepted',
    ]);

    expect(world.copies(other)).toEqual([]);
    expect(world.copies(elsewhere)).toEqual([]);
    // That the share itself is an event here makes no second request.
    expect(world.executions()).toHaveLength(2);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 2 });
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
    expect(world.counted('EventsRefused')).toBe(0);
  });

  it('is copied within the Region as well, for several accounts at once, and with the others of its multi-volume set', async () => {
    const world = await newAccounts();
    const sources = [
      await world.startSnapshot({ Backup: 'in-place', Team: 'orders' }, { account: ORDERS }),
      await world.startSnapshot({ Backup: 'in-place', Team: 'payroll' }, { account: PAYROLL }),
      await world.startSnapshot({ Backup: 'in-place', Team: 'home' }),
    ];
    const ec2 = world.ec2(SOURCE_REGION, ORDERS);
    const InstanceId = 'i-0123456789abcdef0';
    for (const Device of ['/dev/sda1', '/dev/sdb']) {
      await ec2.send(new AttachVolumeCommand({ VolumeId: await world.volume(8, ORDERS), InstanceId, Device }));
    }
    const TagSpecifications = tagged({ Backup: 'in-place', Team: 'a set' });
    const command = new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId }, TagSpecifications });
    const { Snapshots = [] } = await ec2.send(command);
    sources.push(...Snapshots.map(({ SnapshotId = '' }) => SnapshotId));
    await world.pass('30 min');
    const copies = sources.flatMap((source) => world.copiesOf(source));
    expect(copies.map(({ account, region, state, tags }) => [account, region, state, tags['Team']])).toEqual([
      [HOME, SOURCE_REGION, 'completed', 'orders'],
      [HOME, SOURCE_REGION, 'completed', 'payroll'],
      [HOME, SOURCE_REGION, 'completed', 'home'],
      [HOME, SOURCE_REGION, 'completed', 'a set'],
      [HOME, SOURCE_REGION, 'completed', 'a set'],
    ]);
    expect(world.held()).toEqual([]);
  });

  it('that somebody else has shared with home stays shared', async () => {
    const world = await newAccounts();
    const source = await world.startSnapshot({ Backup: 'nightly' }, { account: ORDERS });
    await world.share(source);
    await world.pass('30 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
    expect(world.sharedWith(source)).toEqual([HOME]);
    // That was somebody else.
    expect(world.callsIn(ORDERS, 'ModifySnapshotAttribute')).toHaveLength(1);
    expect(Object.keys(world.record(source).tags).some((key) => key.includes('share'))).toBe(false);
  });

  it('whose share has effect 90 s later is waited for, and no copy is tried before', async () => {
    const world = await newAccounts({ ec2: { shareVisibleAfterSeconds: 90 } });
    const source = await world.snapshot({ Backup: 'nightly' }, { account: ORDERS });
    await world.pass('30 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }, { state: 'completed' }]);
    expect(world.calls('CopySnapshot')).toBe(2);
    expect(world.held()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
  });

  it('that finds the Region full goes back to the queue, and is not shared while it waits there', async () => {
    // Where the rule believes in twenty.
    const world = await newAccounts({ slots: 2, copyTakes: '6 min' });
    const sources: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      sources.push(await world.startSnapshot({ Backup: 'in-place' }, { account: i % 2 === 0 ? ORDERS : PAYROLL }));
    }
    await world.pass('4 min');
    const ledger = new LedgerView(world);
    expect(await ledger.statuses()).toEqual({ running: 2, waiting: 3 });
    const copied = sources.filter((source) => world.copiesOf(source).length > 0);
    expect(sources.filter((source) => world.sharedWith(source).length > 0)).toEqual(copied);
    expect(world.executions().length).toBeGreaterThan(2);

    await world.pass('40 min');
    for (const source of sources) expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }]);
    expect(world.held()).toEqual([]);
    expect(await ledger.statuses()).toEqual({ copied: 5 });
    expect(new Set(world.executions().map(({ status }) => status))).toEqual(new Set(['SUCCEEDED']));
    expect(await world.alerts()).toEqual([]);
  });

  it('that has no room for the tag which claims its share is told by its name and account, and is not shared', async () => {
    const world = await newAccounts();
    const others = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`tag-${i}`, 'x']));
    const source = await world.startSnapshot({ Backup: 'in-place', ...others }, { account: ORDERS });
    await world.pass('5 min');
    expect(await world.alerts()).toMatchObject([
      {
        attributes: { reason: 'QuotaReached', sourceSnapshot: source },
        body: expect.stringContaining(`${source} of account ${ORDERS} has as many tags as EC2 lets a snapshot have`),
      },
    ]);
    expect(world.held()).toEqual([]);
  });

  it('is left as it is by a rule that only rehearses, which looks at it all the same', async () => {
    const world = await newAccounts();
    const source = await world.snapshot({ Backup: 'rehearsal' }, { account: ORDERS });
    await world.pass('30 min');
    expect(world.executions()).toMatchObject([{ name: `${source}-${FRANKFURT}-0`, status: 'SUCCEEDED' }]);
    expect(world.log('startCopy')).toContain('rule rehearsal is a dry run');
    expect(world.copies(source)).toEqual([]);
    expect(world.record(source).tags).toEqual({ Backup: 'rehearsal' });
    for (const change of ['ModifySnapshotAttribute', 'CreateTags', 'CopySnapshot', 'DeleteTags']) {
      expect(world.callsIn(ORDERS, change)).toEqual([]);
    }
  });
});
