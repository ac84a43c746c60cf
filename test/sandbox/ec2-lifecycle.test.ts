import {
  AttachVolumeCommand,
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateSnapshotsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DescribeLockedSnapshotsCommand,
  DescribeSnapshotsCommand,
  DescribeSnapshotTierStatusCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  GetEbsDefaultKmsKeyIdCommand,
  ListSnapshotsInRecycleBinCommand,
  LockSnapshotCommand,
  ModifyEbsDefaultKmsKeyIdCommand,
  ModifySnapshotTierCommand,
  ResetEbsDefaultKmsKeyIdCommand,
  RestoreSnapshotFromRecycleBinCommand,
  RestoreSnapshotTierCommand,
  UnlockSnapshotCommand,
} from '@aws-sdk/client-ec2';
import { beforeEach, describe, expect, it } from 'vitest';
import { Ec2Sandbox, errorCode, SOURCE, TARGET } from '../support/ec2-sandbox.ts';

const HERE = 'eu-west-1';
const HOUR = 3600;
const DAY = 24 * HOUR;
const INSTANCE = 'i-0123456789abcdef0';

let sandbox: Ec2Sandbox;
beforeEach(() => {
  sandbox = new Ec2Sandbox();
});

const owner = () => sandbox.as(SOURCE, HERE);
const remove = (SnapshotId: string, account = SOURCE) =>
  errorCode(sandbox.as(account, HERE).send(new DeleteSnapshotCommand({ SnapshotId })));
const exists = (snapshotId: string) => sandbox.service.snapshots().some((one) => one.snapshotId === snapshotId);

describe('a snapshot', () => {
  it('takes its time, and then tells its owner', async () => {
    const VolumeId = await sandbox.volume(HERE, 8);
    const started = await owner().send(new CreateSnapshotCommand({ VolumeId, Description: 'before upgrade' }));
    expect(started).toMatchObject({ State: 'pending', Progress: '', VolumeId, VolumeSize: 8, OwnerId: SOURCE });
    sandbox.seconds(10);
    expect(sandbox.inside(started.SnapshotId)).toMatchObject({ state: 'pending', progress: '50%' });
    expect(sandbox.events).toEqual([]);
    sandbox.seconds(10);
    const arn = `arn:aws:ec2::eu-west-1:snapshot/${started.SnapshotId}`;
    expect(sandbox.events).toEqual([
      {
        version: '0',
        id: expect.any(String),
        'detail-type': 'EBS Snapshot Notification',
        source: 'aws.ec2',
        account: SOURCE,
        time: '2026-03-02T04:00:20Z',
        region: HERE,
        resources: [arn],
        detail: {
          event: 'createSnapshot',
          result: 'succeeded',
          cause: '',
          'request-id': '',
          snapshot_id: arn,
          source: `arn:aws:ec2::eu-west-1:volume/${VolumeId}`,
          startTime: '2026-03-02T04:00:00.000Z',
          endTime: '2026-03-02T04:00:20.000Z',
        },
      },
    ]);
  });

  it('may be one of five pending ones of a volume', async () => {
    const VolumeId = await sandbox.volume(HERE);
    const start = () => errorCode(owner().send(new CreateSnapshotCommand({ VolumeId })));
    for (let i = 0; i < 5; i++) expect(await start()).toBe('no error');
    expect(await start()).toBe('ConcurrentSnapshotLimitExceeded');
    sandbox.seconds(20);
    expect(await start()).toBe('no error');
  });

  it('may be one of so many in a Region', async () => {
    sandbox = new Ec2Sandbox({ snapshotsPerRegion: 1 });
    const VolumeId = await sandbox.volume(HERE);
    await owner().send(new CreateSnapshotCommand({ VolumeId }));
    expect(await errorCode(owner().send(new CreateSnapshotCommand({ VolumeId })))).toBe('SnapshotLimitExceeded');
  });
});

describe('a multi-volume set', () => {
  async function attach(sizes: readonly number[]): Promise<string[]> {
    const volumes: string[] = [];
    for (const [index, size] of sizes.entries()) {
      const VolumeId = await sandbox.volume(HERE, size);
      const Device = index === 0 ? '/dev/sda1' : `/dev/sd${'bcd'.charAt(index - 1)}`;
      await owner().send(new AttachVolumeCommand({ VolumeId, InstanceId: INSTANCE, Device }));
      volumes.push(VolumeId);
    }
    return volumes;
  }

  it('completes together, the early ones wait at 99 %, and one event names them all', async () => {
    sandbox = new Ec2Sandbox({ snapshotTakesSeconds: (gib) => gib });
    const [small, big] = await attach([10, 100]);
    const set = await owner().send(
      new CreateSnapshotsCommand({
        InstanceSpecification: { InstanceId: INSTANCE },
        TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'set', Value: '1' }] }],
      }),
    );
    const [first, second] = set.Snapshots ?? [];
    expect(first).toMatchObject({ VolumeId: small, State: 'pending', Tags: [{ Key: 'set', Value: '1' }] });
    expect(second).toMatchObject({ VolumeId: big });
    sandbox.seconds(50);
    expect(sandbox.inside(first?.SnapshotId)).toMatchObject({ state: 'pending', progress: '99%' });
    expect(sandbox.inside(second?.SnapshotId).progress).toBe('50%');
    sandbox.seconds(50);
    const arns = [first, second].map((member) => `arn:aws:ec2::eu-west-1:snapshot/${member?.SnapshotId}`);
    expect(sandbox.events).toEqual([
      expect.objectContaining({
        'detail-type': 'EBS Multi-Volume Snapshots Completion Status',
        account: SOURCE,
        region: HERE,
        resources: arns,
        detail: {
          event: 'createSnapshots',
          result: 'succeeded',
          cause: '',
          'request-id': '',
          startTime: '2026-03-02T04:00:00.000Z',
          endTime: '2026-03-02T04:01:40.000Z',
          snapshots: [
            { snapshot_id: arns[0], source: `arn:aws:ec2::eu-west-1:volume/${small}`, status: 'completed' },
            { snapshot_id: arns[1], source: `arn:aws:ec2::eu-west-1:volume/${big}`, status: 'completed' },
          ],
        },
      }),
    ]);
  });

  it('fails as a whole when one member does', async () => {
    const [, bad] = await attach([8, 8]);
    sandbox.service.faults.add({ kind: 'snapshot-error', volumeId: bad, stateMessage: 'Internal error' });
    await owner().send(new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId: INSTANCE } }));
    sandbox.seconds(20);
    const failed = sandbox.service.snapshots().find((one) => one.state === 'error');
    expect(sandbox.details('createSnapshots')[0]).toMatchObject({
      result: 'failed',
      cause: `Snapshot ${failed?.snapshotId} is in status error`,
      snapshots: [{ status: 'completed' }, { status: 'error' }],
    });
  });

  it('leaves out what it is told to, and its members speak for themselves where that is set', async () => {
    sandbox = new Ec2Sandbox({ memberEvents: true });
    const [, second, third] = await attach([8, 8, 8]);
    await owner().send(
      new CreateSnapshotsCommand({
        InstanceSpecification: { InstanceId: INSTANCE, ExcludeBootVolume: true, ExcludeDataVolumeIds: [third ?? ''] },
      }),
    );
    sandbox.seconds(20);
    expect(sandbox.service.snapshots().map((one) => one.volumeId)).toEqual([second]);
    expect(sandbox.details('createSnapshot')).toHaveLength(1);
  });

  it('needs an instance with volumes', async () => {
    const set = new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId: INSTANCE } });
    expect(await errorCode(owner().send(set))).toBe('InvalidInstanceID.NotFound');
  });
});

describe('deleting', () => {
  it('refuses what is in use, locked, managed by AWS Backup, somebody else’s, or not there', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    await sandbox.share(snapshot, HERE);
    expect(await remove(snapshot, TARGET)).toBe('UnauthorizedOperation');
    expect(await remove(snapshot, '999999999999')).toBe('InvalidSnapshot.NotFound');

    const release = sandbox.service.hold(snapshot, 'ami-0123456789abcdef0');
    await expect(owner().send(new DeleteSnapshotCommand({ SnapshotId: snapshot }))).rejects.toMatchObject({
      name: 'InvalidSnapshot.InUse',
      message: `The snapshot ${snapshot} is currently in use by ami-0123456789abcdef0`,
    });
    release();

    await owner().send(new LockSnapshotCommand({ SnapshotId: snapshot, LockMode: 'governance', LockDuration: 1 }));
    expect(await remove(snapshot)).toBe('OperationNotPermitted');
    sandbox.seconds(DAY);
    expect(await remove(snapshot)).toBe('no error');
    expect(await remove(snapshot)).toBe('InvalidSnapshot.NotFound');

    const backup = await sandbox.snapshot(HERE);
    sandbox.service.putServiceTags(backup, { 'aws:backup:source-resource': 'x' });
    expect(await remove(backup)).toBe('InvalidParameterValue');
  });

  it('leaves a finished copy alone when its source goes', async () => {
    const source = await sandbox.snapshot(HERE);
    const copy = await owner().send(new CopySnapshotCommand({ SourceRegion: HERE, SourceSnapshotId: source }));
    sandbox.seconds(60);
    await remove(source);
    expect(sandbox.inside(copy.SnapshotId).state).toBe('completed');
  });

  it('puts snapshots into the recycle bin, where the account keeps them, and they can come back', async () => {
    sandbox.service.keepDeleted({ account: SOURCE, region: HERE }, 7);
    const [kept, lost] = [await sandbox.snapshot(HERE), await sandbox.snapshot(HERE)];
    await remove(kept);
    await remove(lost);
    const find = (SnapshotId: string) =>
      errorCode(owner().send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })));
    expect(await find(kept)).toBe('InvalidSnapshot.NotFound');
    expect((await owner().send(new DescribeSnapshotsCommand({}))).Snapshots).toEqual([]);
    const bin = await owner().send(new ListSnapshotsInRecycleBinCommand({}));
    expect(bin.Snapshots?.map((one) => [one.SnapshotId, one.RecycleBinExitTime])).toEqual([
      [kept, new Date('2026-03-09T04:00:40Z')],
      [lost, new Date('2026-03-09T04:00:40Z')],
    ]);
    const back = await owner().send(new RestoreSnapshotFromRecycleBinCommand({ SnapshotId: kept }));
    expect(back.State).toBe('recovering');
    sandbox.seconds(5);
    expect(sandbox.inside(kept).state).toBe('completed');
    sandbox.seconds(7 * DAY);
    expect([exists(kept), exists(lost)]).toEqual([true, false]);
  });
});

describe('a lock', () => {
  const lock = (SnapshotId: string, more: object) =>
    owner().send(new LockSnapshotCommand({ SnapshotId, LockMode: 'compliance', LockDuration: 30, ...more }));

  it('in compliance mode can be taken back while it cools off, later only made longer', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    expect((await lock(snapshot, { CoolOffPeriod: 24 })).LockState).toBe('compliance-cooloff');
    sandbox.seconds(24 * HOUR - 1);
    expect(await errorCode(owner().send(new UnlockSnapshotCommand({ SnapshotId: snapshot })))).toBe('no error');
    await lock(snapshot, { CoolOffPeriod: 1 });
    sandbox.seconds(HOUR);
    expect(await errorCode(owner().send(new UnlockSnapshotCommand({ SnapshotId: snapshot })))).toBe(
      'OperationNotPermitted',
    );
    expect(await errorCode(lock(snapshot, { LockDuration: 10 }))).toBe('OperationNotPermitted');
    expect(await errorCode(lock(snapshot, { LockDuration: 60 }))).toBe('no error');
    const listed = await owner().send(
      new DescribeLockedSnapshotsCommand({ Filters: [{ Name: 'lock-state', Values: ['compliance'] }] }),
    );
    expect(listed.Snapshots).toMatchObject([{ SnapshotId: snapshot, OwnerId: SOURCE, LockDuration: 60 }]);
  });

  it('on a pending snapshot begins with its completion, and is dropped if that fails', async () => {
    const VolumeId = await sandbox.volume(HERE);
    const start = async () => (await owner().send(new CreateSnapshotCommand({ VolumeId }))).SnapshotId ?? '';
    const good = await start();
    sandbox.service.faults.add({ kind: 'snapshot-error', stateMessage: 'Internal error' });
    const bad = await start();
    for (const id of [good, bad]) expect((await lock(id, {})).LockExpiresOn).toBeUndefined();
    sandbox.seconds(20);
    const listed = await owner().send(new DescribeLockedSnapshotsCommand({}));
    expect(listed.Snapshots).toMatchObject([{ SnapshotId: good, LockExpiresOn: new Date('2026-04-01T04:00:20Z') }]);
    expect(sandbox.details('lockSnapshot').map(({ result }) => result)).toEqual(['succeeded', 'failed']);
  });

  it('ends at the date that was given', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    const ExpirationDate = new Date('2026-03-05T12:00:00Z');
    const answer = await owner().send(
      new LockSnapshotCommand({ SnapshotId: snapshot, LockMode: 'governance', ExpirationDate }),
    );
    expect(answer).toMatchObject({ LockExpiresOn: ExpirationDate, LockDuration: 4 });
  });

  it('is not inherited by a copy', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    await lock(snapshot, {});
    const copy = await owner().send(new CopySnapshotCommand({ SourceRegion: HERE, SourceSnapshotId: snapshot }));
    sandbox.seconds(60);
    expect([sandbox.inside(snapshot).locked, sandbox.inside(copy.SnapshotId).locked]).toEqual([true, false]);
  });
});

describe('the archive', () => {
  it('takes a snapshot, gives it back for some days, and takes it again', async () => {
    const snapshot = await sandbox.snapshot(HERE);
    await owner().send(new ModifySnapshotTierCommand({ SnapshotId: snapshot, StorageTier: 'archive' }));
    expect(sandbox.inside(snapshot).storageTier).toBe('standard');
    sandbox.seconds(60);
    expect(sandbox.inside(snapshot).storageTier).toBe('archive');
    expect(sandbox.details('archiveSnapshot')[0]?.['snapshot_id']).toBe(`arn:aws:ec2:eu-west-1::snapshot/${snapshot}`);
    expect(await errorCode(sandbox.share(snapshot, HERE))).toBe('OperationNotPermitted');
    expect(
      await errorCode(owner().send(new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', SnapshotId: snapshot }))),
    ).toBe('IncorrectState');

    await owner().send(new RestoreSnapshotTierCommand({ SnapshotId: snapshot, TemporaryRestoreDays: 2 }));
    sandbox.seconds(60);
    expect(sandbox.inside(snapshot).storageTier).toBe('standard');
    sandbox.seconds(2 * DAY);
    expect(sandbox.inside(snapshot).storageTier).toBe('archive');
    await owner().send(new RestoreSnapshotTierCommand({ SnapshotId: snapshot, PermanentRestore: true }));
    sandbox.seconds(60);
    const status = await owner().send(new DescribeSnapshotTierStatusCommand({}));
    expect(status.SnapshotTierStatuses).toMatchObject([
      { SnapshotId: snapshot, StorageTier: 'standard', LastTieringOperationStatus: 'permanent-restore-completed' },
    ]);
    expect(sandbox.events.map(({ detail }) => detail['event'])).toEqual([
      'createSnapshot',
      'archiveSnapshot',
      'temporaryRestoreSnapshot',
      'restoreExpiry',
      'permanentRestoreSnapshot',
    ]);
  });
});

describe('volumes', () => {
  it('are made, attached, detached and deleted, and the same client token makes one only', async () => {
    const make = (Size: number) =>
      owner().send(
        new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1b', Size, VolumeType: 'gp3', ClientToken: 't' }),
      );
    const VolumeId = (await make(8)).VolumeId ?? '';
    expect((await make(8)).VolumeId).toBe(VolumeId);
    expect(await errorCode(make(9))).toBe('IdempotentParameterMismatch');
    const look = async () => (await owner().send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))).Volumes?.[0];
    expect(await look()).toMatchObject({ State: 'available', Size: 8, VolumeType: 'gp3', Iops: 3000, Attachments: [] });

    const attach = () =>
      errorCode(owner().send(new AttachVolumeCommand({ VolumeId, InstanceId: INSTANCE, Device: '/dev/sdf' })));
    expect(await attach()).toBe('no error');
    expect(await attach()).toBe('VolumeInUse');
    expect(await look()).toMatchObject({ State: 'in-use', Attachments: [{ InstanceId: INSTANCE, State: 'attached' }] });
    expect(await errorCode(owner().send(new DeleteVolumeCommand({ VolumeId })))).toBe('VolumeInUse');
    await owner().send(new DetachVolumeCommand({ VolumeId }));
    await owner().send(new DeleteVolumeCommand({ VolumeId }));
    expect(await errorCode(look())).toBe('InvalidVolume.NotFound');
  });

  it('come from a snapshot with its size and encryption, and begin a lineage of their own', async () => {
    const source = await sandbox.snapshot(HERE, await sandbox.volume(HERE, 50, { Encrypted: true }));
    const made = await owner().send(
      new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', SnapshotId: source, Size: 10 }),
    );
    expect(made).toMatchObject({ Size: 50, Encrypted: true, SnapshotId: source, VolumeType: 'gp2' });
    const again = await sandbox.snapshot(HERE, made.VolumeId);
    expect(sandbox.inside(again).lineage).toEqual({ volumeId: made.VolumeId, sequence: 1 });
  });
});

describe('the default key of EBS', () => {
  it('is the AWS managed one until another is set', async () => {
    const current = async () => (await owner().send(new GetEbsDefaultKmsKeyIdCommand({}))).KmsKeyId;
    const key = sandbox.keys.create({ account: SOURCE, region: HERE });
    expect(await current()).toBe('alias/aws/ebs');
    await owner().send(new ModifyEbsDefaultKmsKeyIdCommand({ KmsKeyId: key.keyId }));
    expect(await current()).toBe(key.arn);
    const snapshot = await sandbox.snapshot(HERE, await sandbox.volume(HERE, 8, { Encrypted: true }));
    expect(sandbox.inside(snapshot).kmsKeyArn).toBe(key.arn);
    await owner().send(new ResetEbsDefaultKmsKeyIdCommand({}));
    expect(await current()).toBe('alias/aws/ebs');
  });
});
