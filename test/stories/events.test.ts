import {
  AttachVolumeCommand,
  CopySnapshotCommand,
  CreateSnapshotsCommand,
  DeleteSnapshotCommand,
  ModifySnapshotAttributeCommand,
  ModifySnapshotTierCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { FRANKFURT, newWorld, PARTNER, SOURCE_REGION, tagged, VIRGINIA, type World } from './world.ts';

async function share(world: World, snapshotId: string): Promise<void> {
  await world.ec2(SOURCE_REGION, PARTNER).send(
    new ModifySnapshotAttributeCommand({
      SnapshotId: snapshotId,
      Attribute: 'createVolumePermission',
      OperationType: 'add',
      UserIds: [world.sandbox.home.account],
    }),
  );
}

describe('events come at least once and in any order', () => {
  it('and twice the same event makes one copy', async () => {
    const world = await newWorld();
    world.sandbox.bus.faults.add({ kind: 'duplicate-event', event: 'createSnapshot', seconds: 30, times: 3 });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');
    const asked = world.log('onSnapshotEvent').match(/(Requested|Already \w+): \S+ for eu-central-1/g);
    expect(asked?.map((line) => line.split(':')[0])).toEqual(['Requested', 'Already running']);
    expect(world.copies(source, FRANKFURT)).toHaveLength(1);
    expect(world.executions()).toHaveLength(2);
  });

  it('and an event that comes again with another id, long after the copy ended, makes no second one', async () => {
    // A month of sweeps is not what this is about.
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('30 d');
    const [event] = world.sandbox.bus.events().filter(({ detail }) => detail['event'] === 'createSnapshot');
    await world.event({ ...event, id: '11111111-2222-3333-4444-555555555555' });
    await world.pass('1 h');
    expect(world.log('onSnapshotEvent')).toContain(`Already copied: ${source} for ${FRANKFURT}`);
    expect(world.copies(source, FRANKFURT)).toHaveLength(1);
    expect(world.executions()).toHaveLength(2);
  });

  it.each(['region-in-account-slot', 'account-empty', 'account-filled'] as const)(
    'with ARNs laid out %s',
    async (eventArns) => {
      const world = await newWorld({ ec2: { eventArns } });
      const source = await world.snapshot({ Backup: 'nightly' });
      await world.pass('20 min');
      expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    },
  );
});

describe('a multi-volume set', () => {
  it('is copied snapshot by snapshot, once each, even if its members have events of their own', async () => {
    const world = await newWorld({ ec2: { memberEvents: true } });
    const instanceId = 'i-0123456789abcdef0';
    for (const Device of ['/dev/sdf', '/dev/sdg', '/dev/sdh']) {
      const VolumeId = await world.volume();
      await world.ec2(SOURCE_REGION).send(new AttachVolumeCommand({ InstanceId: instanceId, VolumeId, Device }));
    }
    const { Snapshots = [] } = await world.ec2(SOURCE_REGION).send(
      new CreateSnapshotsCommand({
        InstanceSpecification: { InstanceId: instanceId },
        TagSpecifications: tagged({ Backup: 're-encrypt' }),
      }),
    );
    await world.pass('30 min');
    expect(Snapshots).toHaveLength(3);
    for (const { SnapshotId = '' } of Snapshots) {
      expect(world.copies(SnapshotId)).toMatchObject([{ state: 'completed' }]);
    }
    expect(world.executions()).toHaveLength(3);
  });
});

describe('a multi-volume set with a snapshot that nobody can see', () => {
  it('does not keep the others waiting, and is told of once', async () => {
    const world = await newWorld();
    world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    const hidden = 'snap-0aaaaaaaaaaaaaaaa';
    await world.event({
      'detail-type': 'EBS Multi-Volume Snapshots Completion Status',
      detail: {
        event: 'createSnapshots',
        result: 'succeeded',
        snapshots: [hidden, source].map((id) => ({ snapshot_id: `arn:aws:ec2::${SOURCE_REGION}:snapshot/${id}` })),
      },
    });
    await world.pass('10 s');
    expect(world.execution(`${source}-${SOURCE_REGION}-1`).status).toBe('RUNNING');
    await world.pass('30 min');
    expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'SourceNotVisible', sourceSnapshot: hidden } },
    ]);
  });
});

describe('a snapshot that another account shares with ours', () => {
  it('is selected by owner and description, and copied; its owner’s tags are not to be seen', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Secret: 'yes' }, { account: PARTNER, description: 'Created by DLM' });
    await share(world, source);
    await world.pass('20 min');
    expect(world.copies(source, FRANKFURT)).toMatchObject([
      { state: 'completed', tags: { 'snapshot-copier:source-account': PARTNER, 'snapshot-copier:state': 'copied' } },
    ]);
    expect(world.copies(source, FRANKFURT)[0]?.tags).not.toHaveProperty('Secret');
    // It is not ours to mark, and nobody tries.
    const tagged = world.sandbox.ec2.calls.filter(({ action }) => action === 'CreateTags').map(({ region }) => region);
    expect(tagged).toEqual([FRANKFURT]);
    expect(world.log('tagCopy')).toContain(`the source belongs to account ${PARTNER}`);
  });

  it('is waited for while the share takes effect', async () => {
    const world = await newWorld({ ec2: { shareVisibleAfterSeconds: 90 } });
    const source = await world.snapshot({}, { account: PARTNER, description: 'Created by DLM' });
    await share(world, source);
    await world.pass('30 min');
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    expect(await world.alerts()).toEqual([]);
  });

  it('is told, once, if it cannot be seen after three looks in three minutes', async () => {
    const world = await newWorld({ ec2: { shareVisibleAfterSeconds: 3600 } });
    const source = await world.snapshot({}, { account: PARTNER, description: 'Created by DLM' });
    const before = world.calls('DescribeSnapshots');
    await share(world, source);
    await world.pass('30 min');
    expect(world.calls('DescribeSnapshots') - before).toBe(3);
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'SourceNotVisible', sourceSnapshot: source }, body: expect.stringContaining(PARTNER) },
    ]);
    expect(world.executions()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('starts nothing if no rule takes snapshots of its owner', async () => {
    const world = await newWorld();
    const source = await world.snapshot({}, { account: '999999999999', description: 'Created by DLM' });
    await world.ec2(SOURCE_REGION, '999999999999').send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: source,
        Attribute: 'createVolumePermission',
        OperationType: 'add',
        UserIds: [world.sandbox.home.account],
      }),
    );
    await world.pass('10 min');
    expect(world.executions()).toEqual([]);
  });
});

describe('nothing is started', () => {
  it('for a snapshot that failed', async () => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({ kind: 'snapshot-error', stateMessage: 'volume gone' });
    await world.snapshot({ Backup: 'nightly' });
    await world.pass('10 min');
    expect(world.sandbox.bus.events()).toMatchObject([{ detail: { event: 'createSnapshot', result: 'failed' } }]);
    expect(world.executions()).toEqual([]);
    expect(world.calls('CopySnapshot')).toBe(0);
  });

  it('for a copy that this service made, here or from another Region: two installs that copy to each other stop', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    const [copy] = world.copies(source);
    expect(copy?.tags).toMatchObject({ Backup: 're-encrypt' });
    // As if it had been made here: only its tag tells.
    await world.event({
      'detail-type': 'EBS Snapshot Notification',
      detail: {
        event: 'createSnapshot',
        result: 'succeeded',
        snapshot_id: `arn:aws:ec2::${SOURCE_REGION}:snapshot/${copy?.snapshotId}`,
      },
    });
    await world.pass('1 h');
    expect(world.copies(copy?.snapshotId ?? '')).toEqual([]);
    expect(world.log('onSnapshotEvent')).toContain('it is a copy itself, made by ebs-snapshot-copier-test');
    expect(world.executions()).toHaveLength(1);
  });

  it('for a snapshot without tags, or that a rule excepts', async () => {
    const world = await newWorld();
    await world.snapshot({});
    await world.snapshot({ Backup: 'nightly', Copy: 'no' });
    expect(world.executions()).toEqual([]);
    expect(world.log('onSnapshotEvent')).toContain('tag Backup is not there');
    expect(world.log('onSnapshotEvent')).toContain("tag Copy is 'no', which rule nightly excepts");
  });

  it('for one that is archived by the time we look', async () => {
    const world = await newWorld();
    world.sandbox.bus.faults.add({ kind: 'delay-event', event: 'createSnapshot', seconds: 3600, times: 1 });
    const archived = await world.snapshot({ Backup: 'nightly' });
    await world
      .ec2(SOURCE_REGION)
      .send(new ModifySnapshotTierCommand({ SnapshotId: archived, StorageTier: 'archive' }));
    await world.pass('2 h');
    expect(world.executions()).toEqual([]);
    expect(world.log('onSnapshotEvent')).toContain('it is archived');
  });

  it('for one in a Local Zone, towards places that EC2 does not copy to from there', async () => {
    const world = await newWorld({ home: { region: FRANKFURT } });
    const source = await world.snapshot({});
    const { SnapshotId = '' } = await world.ec2(FRANKFURT).send(
      new CopySnapshotCommand({
        SourceRegion: FRANKFURT,
        SourceSnapshotId: source,
        DestinationAvailabilityZone: 'eu-central-1-ham-1a',
        TagSpecifications: tagged({ Backup: 'nightly' }),
      }),
    );
    await world.pass('20 min');
    const snapshot_id = `arn:aws:ec2::${FRANKFURT}:snapshot/${SnapshotId}`;
    await world.event({
      'detail-type': 'EBS Snapshot Notification',
      detail: { event: 'createSnapshot', result: 'succeeded', snapshot_id },
    });
    await world.pass('20 min');
    expect(world.log('onSnapshotEvent')).toContain(
      'it is in the Local Zone eu-central-1-ham-1a, from where EC2 copies to',
    );
    expect(world.executions().map(({ name }) => name)).toEqual([`${SnapshotId}-${FRANKFURT}-1`]);
  });

  it('for a rule whose destination a rule before it has taken', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'nightly' }, { description: 'Created by hand' });
    await world.pass('20 min');
    expect(world.copies(source, FRANKFURT)).toHaveLength(1);
    expect(world.copies(source, VIRGINIA)).toHaveLength(1);
  });
});

describe('a source that is deleted before anybody looks', () => {
  it('is told after three minutes', async () => {
    const world = await newWorld();
    world.sandbox.bus.faults.add({ kind: 'delay-event', event: 'createSnapshot', seconds: 60, times: 1 });
    const source = await world.startSnapshot({ Backup: 'nightly' });
    await world.pass('30 s');
    await world.ec2(SOURCE_REGION).send(new DeleteSnapshotCommand({ SnapshotId: source }));
    await world.pass('10 min');
    expect(await world.reasons()).toEqual(['SourceNotVisible']);
    expect(world.executions()).toEqual([]);
  });
});
