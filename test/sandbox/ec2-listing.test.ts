import {
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DescribeAvailabilityZonesCommand,
  DescribeRegionsCommand,
  type DescribeRegionsCommandInput,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  type DescribeSnapshotsCommandInput,
  DescribeTagsCommand,
  ModifySnapshotAttributeCommand,
  paginateDescribeSnapshots,
  ResetSnapshotAttributeCommand,
} from '@aws-sdk/client-ec2';
import { beforeEach, describe, expect, it } from 'vitest';
import { Ec2Sandbox, errorCode, SOURCE, TARGET } from '../support/ec2-sandbox.ts';

const HERE = 'eu-west-1';
const STRANGER = '999999999999';

let sandbox: Ec2Sandbox;
beforeEach(() => {
  sandbox = new Ec2Sandbox();
});

async function ids(input: DescribeSnapshotsCommandInput, account = SOURCE): Promise<(string | undefined)[]> {
  const answer = await sandbox.as(account, HERE).send(new DescribeSnapshotsCommand(input));
  return (answer.Snapshots ?? []).map((snapshot) => snapshot.SnapshotId);
}

async function tag(resourceId: string, tags: Record<string, string>, account = SOURCE): Promise<void> {
  await sandbox.as(account, HERE).send(
    new CreateTagsCommand({
      Resources: [resourceId],
      Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    }),
  );
}

describe('DescribeSnapshots', () => {
  it('shows what is own, shared or public, in the called Region only', async () => {
    const own = await sandbox.snapshot(HERE);
    const elsewhere = await sandbox.snapshot('us-east-1');
    expect(await ids({})).toEqual([own]);
    expect(await ids({}, TARGET)).toEqual([]);
    await sandbox.share(own, HERE);
    await sandbox.share(elsewhere, 'us-east-1');
    expect(await ids({}, TARGET)).toEqual([own]);
    expect(await ids({}, STRANGER)).toEqual([]);
    await sandbox
      .as(SOURCE, HERE)
      .send(
        new ModifySnapshotAttributeCommand({ SnapshotId: own, CreateVolumePermission: { Add: [{ Group: 'all' }] } }),
      );
    expect(await ids({}, STRANGER)).toEqual([own]);
    expect(await ids({ RestorableByUserIds: ['all'] }, STRANGER)).toEqual([own]);
  });

  it('tells owners from users', async () => {
    const given = await sandbox.snapshot(HERE);
    await sandbox.share(given, HERE);
    const copy = await sandbox
      .as(TARGET, HERE)
      .send(new CopySnapshotCommand({ SourceRegion: HERE, SourceSnapshotId: given }));
    expect(await ids({ OwnerIds: ['self'] }, TARGET)).toEqual([copy.SnapshotId]);
    expect(await ids({ OwnerIds: [SOURCE] }, TARGET)).toEqual([given]);
    expect(await ids({ OwnerIds: ['self', SOURCE] }, TARGET)).toEqual([given, copy.SnapshotId]);
    expect(await ids({ OwnerIds: ['amazon'] }, TARGET)).toEqual([]);
    expect(await ids({ RestorableByUserIds: ['self'] }, TARGET)).toEqual([given, copy.SnapshotId]);
    expect(await ids({ RestorableByUserIds: [TARGET] }, SOURCE)).toEqual([given]);
    expect(await ids({ RestorableByUserIds: [SOURCE] }, TARGET)).toEqual([]);
  });

  it('refuses ids that cannot be, and does not find those that are not there', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    expect(await errorCode(ids({ SnapshotIds: [snapshot, 'snap-0123456789abcdef0'] }))).toBe(
      'InvalidSnapshot.NotFound',
    );
    expect(await errorCode(ids({ SnapshotIds: ['snap-zz'] }))).toBe('InvalidSnapshotID.Malformed');
    expect(await errorCode(ids({ SnapshotIds: ['vol-0123456789abcdef0'] }))).toBe('InvalidParameterValue');
    expect(await errorCode(ids({ SnapshotIds: [snapshot], MaxResults: 5 }))).toBe('InvalidParameterCombination');
  });

  it('does not find, or leaves out, what the caller may not see', async () => {
    const closed = await sandbox.snapshot(HERE);
    expect(await errorCode(ids({ SnapshotIds: [closed] }, TARGET))).toBe('InvalidSnapshot.NotFound');
    sandbox = new Ec2Sandbox({ withoutAccess: 'left-out' });
    const other = await sandbox.snapshot(HERE);
    expect(await ids({ SnapshotIds: [other] }, TARGET)).toEqual([]);
    expect(await errorCode(ids({ SnapshotIds: ['snap-0123456789abcdef0'] }, TARGET))).toBe('InvalidSnapshot.NotFound');
  });

  it('misses a new snapshot for a while, where that is set', async () => {
    sandbox = new Ec2Sandbox({ visibleAfterSeconds: 25 });
    const fresh = await sandbox.snapshot(HERE);
    expect(await ids({})).toEqual([]);
    expect(await errorCode(ids({ SnapshotIds: [fresh] }))).toBe('InvalidSnapshot.NotFound');
    sandbox.seconds(5);
    expect(await ids({ SnapshotIds: [fresh] })).toEqual([fresh]);
  });

  it('is not alone in that: the new snapshot cannot be tagged or deleted either', async () => {
    sandbox = new Ec2Sandbox({ visibleAfterSeconds: 25 });
    const fresh = await sandbox.snapshot(HERE);
    const remove = () => errorCode(sandbox.as(SOURCE, HERE).send(new DeleteSnapshotCommand({ SnapshotId: fresh })));
    expect(await errorCode(tag(fresh, { a: 'b' }))).toBe('InvalidSnapshot.NotFound');
    expect(await remove()).toBe('InvalidSnapshot.NotFound');
    expect(sandbox.inside(fresh)).toMatchObject({ state: 'completed', tags: {} });
    sandbox.seconds(5);
    expect(await errorCode(tag(fresh, { a: 'b' }))).toBe('no error');
    expect(await remove()).toBe('no error');
  });

  it('shows a share, and its end, only after a while, where that is set', async () => {
    sandbox = new Ec2Sandbox({ shareVisibleAfterSeconds: 60 });
    const snapshot = await sandbox.snapshot(HERE);
    await sandbox.share(snapshot, HERE);
    expect(sandbox.details('shareSnapshot')).toHaveLength(1);
    sandbox.seconds(59);
    expect(await ids({}, TARGET)).toEqual([]);
    sandbox.seconds(1);
    expect(await ids({}, TARGET)).toEqual([snapshot]);
    await sandbox
      .as(SOURCE, HERE)
      .send(new ResetSnapshotAttributeCommand({ SnapshotId: snapshot, Attribute: 'createVolumePermission' }));
    sandbox.seconds(59);
    expect(await ids({}, TARGET)).toEqual([snapshot]);
    sandbox.seconds(1);
    expect(await ids({}, TARGET)).toEqual([]);
  });

  it('never shows a share that was taken back before it had effect, nor an end that was', async () => {
    sandbox = new Ec2Sandbox({ shareVisibleAfterSeconds: 60 });
    const snapshot = await sandbox.snapshot(HERE);
    const change = (permission: 'Add' | 'Remove') =>
      sandbox.as(SOURCE, HERE).send(
        new ModifySnapshotAttributeCommand({
          SnapshotId: snapshot,
          CreateVolumePermission: { [permission]: [{ UserId: TARGET }] },
        }),
      );
    const seen = async () => {
      const answers = [await ids({}, TARGET)];
      for (const pause of [29, 2, 60]) {
        sandbox.seconds(pause);
        answers.push(await ids({}, TARGET));
      }
      return answers;
    };
    await change('Add');
    sandbox.seconds(30);
    await change('Remove');
    expect(await seen()).toEqual([[], [], [], []]);
    await change('Add');
    sandbox.seconds(60);
    await change('Remove');
    sandbox.seconds(30);
    await change('Add');
    expect(await seen()).toEqual([[snapshot], [snapshot], [snapshot], [snapshot]]);
  });

  describe('filters', () => {
    let nightly: string;
    let weekly: string;
    let volumeId: string;
    beforeEach(async () => {
      volumeId = await sandbox.volume(HERE, 100);
      const make = async (Description: string, Encrypted: boolean, Size: number, Tags: Record<string, string>) => {
        const VolumeId = Size === 100 ? volumeId : await sandbox.volume(HERE, Size, { Encrypted });
        const made = await sandbox.as(SOURCE, HERE).send(new CreateSnapshotCommand({ VolumeId, Description }));
        sandbox.seconds(20);
        await tag(made.SnapshotId ?? '', Tags);
        return made.SnapshotId ?? '';
      };
      nightly = await make('Created by backup (nightly)', false, 100, { Backup: 'nightly', Team: 'a' });
      weekly = await make('Created by backup [weekly]', true, 8, { Backup: 'weekly' });
    });

    it.each([
      ['status', ['completed'], 'both'],
      ['status', ['pending', 'error'], 'none'],
      ['encrypted', ['true'], 'weekly'],
      ['encrypted', ['TRUE'], 'none'],
      ['owner-id', [SOURCE], 'both'],
      ['progress', ['100%'], 'both'],
      ['storage-tier', ['standard'], 'both'],
      ['transfer-type', ['time-based'], 'none'],
      ['volume-size', ['100'], 'nightly'],
      ['start-time', ['2026-03-02T04:00:00.*'], 'nightly'],
      ['start-time', ['2026-03-02*'], 'both'],
      ['tag:Backup', ['nightly'], 'nightly'],
      ['tag:Backup', ['nightly', 'weekly'], 'both'],
      ['tag:backup', ['nightly'], 'none'],
      ['tag:Backup', ['*ly'], 'both'],
      ['tag-key', ['Team'], 'nightly'],
      ['tag-key', ['Te?m'], 'nightly'],
      ['description', ['Created by *'], 'both'],
      ['description', ['Created by'], 'none'],
      ['description', ['*[weekly]'], 'weekly'],
      ['description', ['Created by backup ?nightly?'], 'nightly'],
      ['description', ['Created by backup \\?nightly?'], 'none'],
      ['owner-alias', ['amazon'], 'none'],
      ['status', [], 'none'],
    ])('%s %j matches %s', async (Name, Values, expected) => {
      const wanted = { both: [nightly, weekly], nightly: [nightly], weekly: [weekly], none: [] }[expected];
      expect(await ids({ Filters: [{ Name, Values }] })).toEqual(wanted);
    });

    it('must all match, and find by volume and id too', async () => {
      const byVolume = { Name: 'volume-id', Values: [volumeId] };
      expect(await ids({ Filters: [byVolume] })).toEqual([nightly]);
      expect(await ids({ Filters: [byVolume, { Name: 'snapshot-id', Values: [weekly] }] })).toEqual([]);
    });

    it('that do not exist are an error, even where nothing is to be filtered', async () => {
      const unknown = { Filters: [{ Name: 'state', Values: ['completed'] }] };
      await expect(ids(unknown)).rejects.toMatchObject({
        name: 'InvalidParameterValue',
        message: "The filter 'state' is invalid",
      });
      expect(await errorCode(ids(unknown, STRANGER))).toBe('InvalidParameterValue');
    });

    it('take 200 values and no more', async () => {
      const Values = Array.from({ length: 200 }, (_, i) => `v${i}`);
      expect(await errorCode(ids({ Filters: [{ Name: 'tag:Backup', Values }] }))).toBe('no error');
      expect(await errorCode(ids({ Filters: [{ Name: 'tag:Backup', Values: [...Values, 'v200'] }] }))).toBe(
        'FilterLimitExceeded',
      );
    });
  });

  describe('pages', () => {
    const made: string[] = [];
    beforeEach(async () => {
      made.length = 0;
      for (let i = 0; i < 12; i++) made.push(await sandbox.snapshot(HERE));
    });

    it('come one after the other until all was shown', async () => {
      const pages = [];
      for await (const page of paginateDescribeSnapshots({ client: sandbox.as(SOURCE, HERE), pageSize: 5 }, {})) {
        pages.push((page.Snapshots ?? []).map((snapshot) => snapshot.SnapshotId));
      }
      expect(pages).toEqual([made.slice(0, 5), made.slice(5, 10), made.slice(10)]);
    });

    it('miss nothing and repeat nothing when snapshots come and go in between', async () => {
      const first = await sandbox.as(SOURCE, HERE).send(new DescribeSnapshotsCommand({ MaxResults: 5 }));
      const late = await sandbox.snapshot(HERE);
      const rest = await ids({ MaxResults: 1000, NextToken: first.NextToken });
      expect(rest).toEqual([...made.slice(5), late]);
    });

    it('are short, or empty, where EC2 looks through less than that for one', async () => {
      sandbox = new Ec2Sandbox({ largestPage: 3 });
      const wanted: string[] = [];
      for (let i = 0; i < 10; i++) {
        const snapshot = await sandbox.snapshot(HERE);
        if (![0, 1, 7].includes(i)) continue;
        await tag(snapshot, { Backup: 'nightly' });
        wanted.push(snapshot);
      }
      const Filters = [{ Name: 'tag:Backup', Values: ['nightly'] }];
      const sizes: number[] = [];
      const found: (string | undefined)[] = [];
      for await (const page of paginateDescribeSnapshots(
        { client: sandbox.as(SOURCE, HERE), pageSize: 5 },
        { Filters },
      )) {
        sizes.push(page.Snapshots?.length ?? 0);
        found.push(...(page.Snapshots ?? []).map((snapshot) => snapshot.SnapshotId));
      }
      expect(sizes).toEqual([2, 0, 1, 0]);
      expect(found).toEqual(wanted);
      expect(await ids({ Filters })).toEqual(wanted);
    });

    it('are as long as asked for where EC2 looks through more than that', async () => {
      sandbox = new Ec2Sandbox({ largestPage: 8 });
      for (let i = 0; i < 12; i++) await sandbox.snapshot(HERE);
      const sizes: number[] = [];
      for await (const page of paginateDescribeSnapshots({ client: sandbox.as(SOURCE, HERE), pageSize: 5 }, {})) {
        sizes.push(page.Snapshots?.length ?? 0);
      }
      expect(sizes).toEqual([5, 5, 2]);
    });

    it('of fewer than five are refused, and so is a token that EC2 did not give', async () => {
      expect(await errorCode(ids({ MaxResults: 4 }))).toBe('InvalidParameterValue');
      expect(await errorCode(ids({ NextToken: 'made-up' }))).toBe('InvalidParameterValue');
    });
  });
});

describe('tags', () => {
  it('on one snapshot are each account’s own', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    await tag(snapshot, { Team: 'owner' });
    await sandbox.share(snapshot, HERE);
    const seen = async (account: string) =>
      (await sandbox.as(account, HERE).send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshot] }))).Snapshots?.[0]
        ?.Tags;
    expect(await seen(TARGET)).toBeUndefined();
    await tag(snapshot, { Team: 'receiver' }, TARGET);
    expect(await seen(TARGET)).toEqual([{ Key: 'Team', Value: 'receiver' }]);
    expect(await seen(SOURCE)).toEqual([{ Key: 'Team', Value: 'owner' }]);
    expect(await ids({ Filters: [{ Name: 'tag:Team', Values: ['owner'] }] }, TARGET)).toEqual([]);
    expect(await errorCode(tag(snapshot, { a: 'b' }, STRANGER))).toBe('InvalidSnapshot.NotFound');
  });

  it('are listed to the account alone that wrote them', async () => {
    const volumeId = await sandbox.volume(HERE);
    const snapshot = await sandbox.snapshot(HERE, volumeId);
    await tag(volumeId, { Disk: 'owner' });
    await tag(snapshot, { Team: 'owner' });
    await sandbox.share(snapshot, HERE);
    const listed = async (account: string) =>
      (await sandbox.as(account, HERE).send(new DescribeTagsCommand({}))).Tags?.map(({ Key, Value }) => [Key, Value]);
    expect(await listed(TARGET)).toEqual([]);
    await tag(snapshot, { Plan: 'receiver' }, TARGET);
    expect(await listed(TARGET)).toEqual([['Plan', 'receiver']]);
    expect(await listed(SOURCE)).toEqual([
      ['Team', 'owner'],
      ['Disk', 'owner'],
    ]);
  });

  it('beyond fifty are refused, and none of the call’s is written', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    sandbox.service.putServiceTags(snapshot, { 'aws:dlm:managed': 'true' });
    const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`k${i}`, 'x']));
    await tag(snapshot, fifty);
    expect(await errorCode(tag(snapshot, { k0: 'y', another: 'y' }))).toBe('TagLimitExceeded');
    expect(await errorCode(tag(snapshot, { k0: 'y' }))).toBe('no error');
    expect(Object.keys(sandbox.inside(snapshot).tags)).toHaveLength(51);
  });

  it('change all resources of a call, or none', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    const both = new CreateTagsCommand({
      Resources: [snapshot, 'snap-0123456789abcdef0'],
      Tags: [{ Key: 'a', Value: 'b' }],
    });
    expect(await errorCode(sandbox.as(SOURCE, HERE).send(both))).toBe('InvalidSnapshot.NotFound');
    expect(sandbox.inside(snapshot).tags).toEqual({});
  });

  it.each([
    ['aws:backup:source-resource', 'x', 'InvalidParameterValue'],
    ['AWS:Upper', 'x', 'InvalidParameterValue'],
    ['', 'x', 'InvalidParameterValue'],
    ['k'.repeat(128), 'x', 'InvalidParameterValue'],
    ['k', 'v'.repeat(257), 'InvalidParameterValue'],
    ['k'.repeat(127), 'v'.repeat(256), 'no error'],
    ['<&">', '', 'no error'],
  ])('with key %.20s and value %.20s: %s', async (key, value, code) => {
    const snapshot = await sandbox.snapshot(HERE);
    expect(await errorCode(tag(snapshot, { [key]: value }))).toBe(code);
    expect(sandbox.inside(snapshot).tags).toEqual(code === 'no error' ? { [key]: value } : {});
  });

  it('are listed and taken away: by key, by key and value, or all but AWS’s', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    sandbox.service.putServiceTags(snapshot, { 'aws:dlm:managed': 'true' });
    await tag(snapshot, { a: '1', b: '2', c: '' });
    const listed = await sandbox.as(SOURCE, HERE).send(
      new DescribeTagsCommand({
        Filters: [
          { Name: 'resource-id', Values: [snapshot] },
          { Name: 'key', Values: ['a', 'c'] },
        ],
      }),
    );
    expect(listed.Tags).toEqual([
      { ResourceId: snapshot, ResourceType: 'snapshot', Key: 'a', Value: '1' },
      { ResourceId: snapshot, ResourceType: 'snapshot', Key: 'c', Value: '' },
    ]);
    const remove = async (Tags?: { Key: string; Value?: string }[]) => {
      await sandbox
        .as(SOURCE, HERE)
        .send(new DeleteTagsCommand({ Resources: [snapshot], ...(Tags === undefined ? {} : { Tags }) }));
      return sandbox.inside(snapshot).tags;
    };
    expect(await remove([{ Key: 'a', Value: 'other' }, { Key: 'b' }])).toEqual({
      'aws:dlm:managed': 'true',
      a: '1',
      c: '',
    });
    expect(await remove([{ Key: 'a', Value: '1' }])).toEqual({ 'aws:dlm:managed': 'true', c: '' });
    expect(await remove()).toEqual({ 'aws:dlm:managed': 'true' });
  });
});

describe('sharing', () => {
  it('tells the receiver, in the Region of the snapshot, once', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    sandbox.events.length = 0;
    await sandbox.share(snapshot, HERE);
    await sandbox.share(snapshot, HERE);
    await sandbox.share(snapshot, HERE, SOURCE);
    expect(sandbox.events).toEqual([
      {
        version: '0',
        id: expect.any(String),
        'detail-type': 'EBS Snapshot Notification',
        source: 'aws.ec2',
        account: TARGET,
        time: '2026-03-02T04:00:20Z',
        region: HERE,
        resources: [`arn:aws:ec2::eu-west-1:snapshot/${snapshot}`],
        detail: {
          event: 'shareSnapshot',
          result: 'succeeded',
          cause: '',
          'request-id': '',
          snapshot_id: `arn:aws:ec2::eu-west-1:snapshot/${snapshot}`,
          source: SOURCE,
          startTime: '2026-03-02T04:00:20.000Z',
          endTime: '2026-03-02T04:00:20.000Z',
        },
      },
    ]);
    const attribute = await sandbox
      .as(SOURCE, HERE)
      .send(new DescribeSnapshotAttributeCommand({ SnapshotId: snapshot, Attribute: 'createVolumePermission' }));
    expect(attribute.CreateVolumePermissions).toEqual([{ UserId: TARGET }]);
  });

  it('is not possible under the AWS managed key, and never with everybody when encrypted', async () => {
    const managed = await sandbox.snapshot(HERE, await sandbox.volume(HERE, 8, { Encrypted: true }));
    const key = sandbox.keys.create({ account: SOURCE, region: HERE });
    const own = await sandbox.snapshot(HERE, await sandbox.volume(HERE, 8, { Encrypted: true, KmsKeyId: key.arn }));
    await expect(sandbox.share(managed, HERE)).rejects.toMatchObject({
      name: 'OperationNotPermitted',
      message: 'Encrypted snapshots with EBS default key cannot be shared',
    });
    expect(await errorCode(sandbox.share(own, HERE))).toBe('no error');
    const everybody = new ModifySnapshotAttributeCommand({
      SnapshotId: own,
      CreateVolumePermission: { Add: [{ Group: 'all' }] },
    });
    expect(await errorCode(sandbox.as(SOURCE, HERE).send(everybody))).toBe('OperationNotPermitted');
  });

  it('is the owner’s business, and adds or removes at most 500 at once, not both', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    await sandbox.share(snapshot, HERE);
    const change = (account: string, Add: { UserId: string }[], Remove: { UserId: string }[] = []) =>
      errorCode(
        sandbox
          .as(account, HERE)
          .send(new ModifySnapshotAttributeCommand({ SnapshotId: snapshot, CreateVolumePermission: { Add, Remove } })),
      );
    const users = Array.from({ length: 501 }, () => ({ UserId: STRANGER }));
    expect(await change(TARGET, [{ UserId: STRANGER }])).toBe('InvalidSnapshot.NotFound');
    expect(await change(SOURCE, users)).toBe('InvalidParameterValue');
    expect(await change(SOURCE, users.slice(1))).toBe('no error');
    expect(await change(SOURCE, users.slice(0, 1), users.slice(0, 1))).toBe('InvalidParameterCombination');
    expect(await change(SOURCE, [{ UserId: 'self' }])).toBe('InvalidAMIAttributeItemValue');
  });
});

describe('Regions and zones', () => {
  it('are the real ones', async () => {
    const regions = await sandbox.as(SOURCE, HERE).send(new DescribeRegionsCommand({}));
    expect(regions.Regions).toHaveLength(17);
    expect(regions.Regions?.find(({ RegionName }) => RegionName === 'sa-east-1')).toEqual({
      RegionName: 'sa-east-1',
      Endpoint: 'ec2.sa-east-1.amazonaws.com',
      OptInStatus: 'opt-in-not-required',
    });
    const zones = await sandbox.as(SOURCE, 'us-west-2').send(new DescribeAvailabilityZonesCommand({}));
    expect(zones.AvailabilityZones?.map(({ ZoneName, ZoneId }) => `${ZoneName} ${ZoneId}`)).toEqual([
      'us-west-2a usw2-az1',
      'us-west-2b usw2-az2',
      'us-west-2c usw2-az3',
      'us-west-2-den-1a usw2-den1-az1',
      'us-west-2-lax-1a usw2-lax1-az1',
      'us-west-2-lax-1b usw2-lax1-az2',
    ]);
  });

  it('are those that are enabled, unless all or others by name are asked for', async () => {
    sandbox = new Ec2Sandbox({ regions: ['eu-west-1', 'eu-south-2'] });
    const statuses = async (input: DescribeRegionsCommandInput) => {
      const { Regions } = await sandbox.as(SOURCE, HERE).send(new DescribeRegionsCommand(input));
      return Object.fromEntries(Regions?.map(({ RegionName, OptInStatus }) => [RegionName, OptInStatus]) ?? []);
    };
    expect(await statuses({})).toEqual({ 'eu-west-1': 'opt-in-not-required', 'eu-south-2': 'opted-in' });
    expect(await statuses({ RegionNames: ['af-south-1', 'eu-south-2'] })).toEqual({
      'af-south-1': 'not-opted-in',
      'eu-south-2': 'opted-in',
    });
    const all = await statuses({ AllRegions: true });
    expect([all['ap-east-1'], all['eu-south-2'], all['eu-west-1']]).toEqual([
      'not-opted-in',
      'opted-in',
      'opt-in-not-required',
    ]);
    const Filters = [{ Name: 'opt-in-status', Values: ['opted-in'] }];
    expect(await statuses({ AllRegions: true, Filters })).toEqual({ 'eu-south-2': 'opted-in' });
    const unknown = new DescribeRegionsCommand({ RegionNames: ['eu-north-9'] });
    expect(await errorCode(sandbox.as(SOURCE, HERE).send(unknown))).toBe('InvalidParameterValue');
  });

  it('that are not enabled let nobody in', async () => {
    sandbox = new Ec2Sandbox({ regions: ['eu-west-1'] });
    expect(await errorCode(sandbox.as(SOURCE, 'af-south-1').send(new DescribeRegionsCommand({})))).toBe('AuthFailure');
  });
});
