import {
  CopySnapshotCommand,
  type CopySnapshotCommandInput,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  EnableEbsEncryptionByDefaultCommand,
  ModifySnapshotAttributeCommand,
  ModifySnapshotTierCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Ec2Options } from '../../sandbox/ec2/ec2-service.ts';
import { Ec2Sandbox, errorCode, SOURCE, TARGET } from '../support/ec2-sandbox.ts';

const FROM = 'eu-west-1';
const TO = 'eu-central-1';
const OUTPOST = 'arn:aws:outposts:eu-west-1:111122223333:outpost/op-0123456789abcdef0';

async function copy(
  sandbox: Ec2Sandbox,
  sourceSnapshotId: string,
  { account = SOURCE, to = TO, ...input }: Partial<CopySnapshotCommandInput> & { account?: string; to?: string } = {},
): Promise<string> {
  const answer = await sandbox
    .as(account, to)
    .send(new CopySnapshotCommand({ SourceRegion: FROM, SourceSnapshotId: sourceSnapshotId, ...input }));
  return answer.SnapshotId ?? '';
}

async function look(sandbox: Ec2Sandbox, snapshotId: string, account = SOURCE, region = TO) {
  const answer = await sandbox.as(account, region).send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] }));
  return answer.Snapshots?.[0];
}

async function ready(options: Partial<Ec2Options> = {}): Promise<{ sandbox: Ec2Sandbox; source: string }> {
  const sandbox = new Ec2Sandbox(options);
  return { sandbox, source: await sandbox.snapshot(FROM) };
}

describe('a copy', () => {
  it('grows from nothing to completed, and tells its account in the destination Region', async () => {
    const { sandbox, source } = await ready({ copyTakesSeconds: () => 100 });
    const id = await copy(sandbox, source, { Description: 'nightly' });

    expect(await look(sandbox, id)).toMatchObject({
      State: 'pending',
      Progress: '',
      StateMessage: 'Metadata not updated',
    });
    sandbox.seconds(42);
    expect(await look(sandbox, id)).toMatchObject({ State: 'pending', Progress: '42%', VolumeSize: 100 });
    sandbox.seconds(57.999);
    expect(await look(sandbox, id)).toMatchObject({ State: 'pending', Progress: '99%' });
    sandbox.seconds(0.001);
    const done = await look(sandbox, id);
    expect(done).toMatchObject({
      State: 'completed',
      Progress: '100%',
      VolumeId: 'vol-ffffffff',
      Description: 'nightly',
      Encrypted: false,
      StorageTier: 'standard',
      TransferType: 'standard',
      FullSnapshotSizeInBytes: 107374182400,
      StartTime: new Date('2026-03-02T04:00:20Z'),
      CompletionTime: new Date('2026-03-02T04:02:00Z'),
    });
    expect(done?.StateMessage).toBeUndefined();
    expect(sandbox.events.at(-1)).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      'detail-type': 'EBS Snapshot Notification',
      source: 'aws.ec2',
      account: SOURCE,
      time: '2026-03-02T04:02:00Z',
      region: TO,
      resources: [`arn:aws:ec2::eu-central-1:snapshot/${id}`],
      detail: {
        event: 'copySnapshot',
        result: 'succeeded',
        cause: '',
        'request-id': '',
        snapshot_id: `arn:aws:ec2::eu-central-1:snapshot/${id}`,
        source: `arn:aws:ec2::eu-west-1:snapshot/${source}`,
        incremental: 'false',
        transferType: 'standard',
        completionDurationStartTime: '2026-03-02T04:00:20.000Z',
        startTime: '2026-03-02T04:00:20.000Z',
        endTime: '2026-03-02T04:02:00.000Z',
      },
    });
  });

  it('gets neither tags nor shares of its source, and its own tags from the first moment', async () => {
    const { sandbox, source } = await ready();
    await sandbox.share(source, FROM);
    const id = await copy(sandbox, source, {
      TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'Tier', Value: 'dr' }] }],
    });
    expect((await look(sandbox, id))?.Tags).toEqual([{ Key: 'Tier', Value: 'dr' }]);
    expect(sandbox.inside(id).sharedWith).toEqual([]);
  });

  it('is made twice by two equal calls: there is no client token', async () => {
    const { sandbox, source } = await ready();
    expect(await copy(sandbox, source)).not.toBe(await copy(sandbox, source));
  });

  it('takes the ids of the last run again', async () => {
    const first = await ready();
    const second = await ready();
    expect(await copy(first.sandbox, first.source)).toBe(await copy(second.sandbox, second.source));
  });

  it('is not begun by a dry run', async () => {
    const { sandbox, source } = await ready();
    expect(await errorCode(copy(sandbox, source, { DryRun: true }))).toBe('DryRunOperation');
    expect(sandbox.service.snapshots({ region: TO })).toEqual([]);
  });

  it.each([
    ['account-empty', 'arn:aws:ec2:eu-west-1::snapshot/'],
    ['account-filled', `arn:aws:ec2:eu-west-1:${SOURCE}:snapshot/`],
  ] as const)('writes its ARNs %s if asked to', async (eventArns, prefix) => {
    const { sandbox, source } = await ready({ eventArns });
    expect(sandbox.events[0]?.resources).toEqual([`${prefix}${source}`]);
  });
});

describe('an accepted copy that cannot work', () => {
  const cases: Record<string, [string, (sandbox: Ec2Sandbox, source: string) => Promise<string>]> = {
    'of an unknown snapshot': ['Source snapshot is not found', (sandbox) => copy(sandbox, 'snap-0123456789abcdef0')],
    'from the wrong Region': [
      'Source snapshot is not found',
      (sandbox, source) => copy(sandbox, source, { SourceRegion: 'us-east-1' }),
    ],
    'of a snapshot that was not shared': [
      'Source snapshot is not found',
      (sandbox, source) => copy(sandbox, source, { account: TARGET }),
    ],
    'of a snapshot whose share was revoked': [
      'Source snapshot is not found',
      async (sandbox, source) => {
        await sandbox.share(source, FROM);
        await sandbox.as(SOURCE, FROM).send(
          new ModifySnapshotAttributeCommand({
            SnapshotId: source,
            Attribute: 'createVolumePermission',
            OperationType: 'remove',
            UserIds: [TARGET],
          }),
        );
        return copy(sandbox, source, { account: TARGET });
      },
    ],
    'of a deleted snapshot': [
      'Source snapshot is not found',
      async (sandbox, source) => {
        await sandbox.as(SOURCE, FROM).send(new DeleteSnapshotCommand({ SnapshotId: source }));
        return copy(sandbox, source);
      },
    ],
    'of a copy that is still running': [
      'Source snapshot is not complete',
      async (sandbox, source) => copy(sandbox, await copy(sandbox, source), { SourceRegion: TO, to: 'eu-north-1' }),
    ],
    'of an archived snapshot': [
      'Source snapshot is archived',
      async (sandbox, source) => {
        await sandbox
          .as(SOURCE, FROM)
          .send(new ModifySnapshotTierCommand({ SnapshotId: source, StorageTier: 'archive' }));
        sandbox.seconds(60);
        return copy(sandbox, source);
      },
    ],
    'under a key that is not there': [
      'Given key ID is not accessible',
      (sandbox, source) => copy(sandbox, source, { Encrypted: true, KmsKeyId: 'alias/nobody-made-this' }),
    ],
  };

  it.each(Object.entries(cases))('%s ends in error, and says so by event', async (_name, [message, begin]) => {
    const { sandbox, source } = await ready();
    const id = await begin(sandbox, source);
    expect(sandbox.inside(id)).toMatchObject({ state: 'pending', sizeGiB: 0 });
    sandbox.seconds(30);
    expect(sandbox.inside(id)).toMatchObject({ state: 'error', stateMessage: message, progress: '0%' });
    expect(sandbox.details('copySnapshot').at(-1)).toMatchObject({
      result: 'failed',
      cause: message,
      incremental: 'false',
      snapshot_id: expect.stringMatching(new RegExp(`${id}$`)),
    });
  });

  it('shows why in DescribeSnapshots only', async () => {
    const { sandbox } = await ready();
    const id = await copy(sandbox, 'snap-0123456789abcdef0');
    sandbox.seconds(30);
    expect(await look(sandbox, id)).toMatchObject({
      State: 'error',
      StateMessage: 'Source snapshot is not found',
      VolumeSize: 0,
    });
  });
});

describe('a call that is refused at once', () => {
  const refused: [string, Partial<CopySnapshotCommandInput>][] = [
    ['InvalidParameterValue', { SourceSnapshotId: 'snap-xyz' }],
    ['InvalidParameterValue', { SourceSnapshotId: 'snap-00000000000000000' }],
    ['InvalidRegion', { SourceRegion: 'not-a-region' }],
    ['InvalidParameterValue', { CompletionDurationMinutes: 14 }],
    ['InvalidParameterValue', { CompletionDurationMinutes: 20 }],
    ['InvalidParameterValue', { CompletionDurationMinutes: 2895 }],
    ['InvalidParameterDependency', { KmsKeyId: 'alias/dr' }],
    ['InvalidParameterValue', { DestinationRegion: 'us-east-1' }],
    ['InvalidParameterValue', { PresignedUrl: 'not-a-url' }],
    ['InvalidParameterValue', { PresignedUrl: `https://ec2.${FROM}.amazonaws.com/?SourceSnapshotId=snap-1` }],
    ['InvalidParameterValue', { TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'a', Value: 'b' }] }] }],
    [
      'InvalidParameterValue',
      { TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'aws:x', Value: 'b' }] }] },
    ],
    [
      'TagLimitExceeded',
      {
        TagSpecifications: [
          { ResourceType: 'snapshot', Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' })) },
        ],
      },
    ],
    ['InvalidParameterValue', { DestinationOutpostArn: OUTPOST.replace('eu-west-1', 'us-east-1') }],
    ['InvalidZone.NotFound', { DestinationAvailabilityZone: 'eu-central-1-nowhere-1a' }],
    ['InvalidParameterValue', { DestinationAvailabilityZone: 'eu-central-1a' }],
  ];

  it.each(refused)('%s for %j leaves nothing behind', async (code, input) => {
    const { sandbox, source } = await ready();
    expect(await errorCode(copy(sandbox, source, input))).toBe(code);
    expect(sandbox.service.snapshots({ region: TO })).toEqual([]);
  });

  it.each([
    ['another Region', '&DestinationRegion=us-east-1', 'us-east-1'],
    ['no Region', '', ''],
  ])('refuses a presigned URL for %s', async (_name, parameter, said) => {
    const { sandbox, source } = await ready();
    const url = `https://ec2.${FROM}.amazonaws.com/?Action=CopySnapshot&SourceSnapshotId=${source}${parameter}`;
    await expect(copy(sandbox, source, { PresignedUrl: url })).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message: `The destination region specified in PresignedUrl: '${said}' is incorrect`,
    });
    expect(sandbox.service.snapshots({ region: TO })).toEqual([]);
  });

  it('accepts a presigned URL that nobody signed', async () => {
    const { sandbox, source } = await ready();
    const url = `https://ec2.${FROM}.amazonaws.com/?Action=CopySnapshot&SourceSnapshotId=${source}&DestinationRegion=${TO}`;
    const id = await copy(sandbox, source, { PresignedUrl: url });
    sandbox.seconds(3600);
    expect(sandbox.inside(id).state).toBe('completed');
  });

  it('names a destination key that cannot be used, where that is set', async () => {
    const { sandbox, source } = await ready({ unusableKey: 'refused' });
    const key = sandbox.keys.create({ account: SOURCE, region: TO });
    sandbox.keys.disable(key);
    await expect(copy(sandbox, source, { Encrypted: true, KmsKeyId: key.arn })).rejects.toThrow(
      `The specified keyId ${key.arn} is disabled`,
    );
  });
});

describe('slots', () => {
  it('are 20 per account and destination Region, and free when a copy ends, well or not', async () => {
    const { sandbox, source } = await ready({ copyTakesSeconds: () => 600 });
    await copy(sandbox, 'snap-0123456789abcdef0');
    for (let i = 0; i < 19; i++) await copy(sandbox, source);

    await expect(copy(sandbox, source)).rejects.toMatchObject({
      name: 'ResourceLimitExceeded',
      message: 'Too many snapshot copies in progress. The limit is 20 for this destination region.',
      $metadata: { httpStatusCode: 400 },
    });
    await sandbox.share(source, FROM);
    expect(await errorCode(copy(sandbox, source, { account: TARGET }))).toBe('no error');
    expect(await errorCode(copy(sandbox, source, { to: 'eu-north-1' }))).toBe('no error');

    sandbox.seconds(30);
    expect(await errorCode(copy(sandbox, source))).toBe('no error');
    expect(await errorCode(copy(sandbox, source))).toBe('ResourceLimitExceeded');
  });

  it('stay taken by a deleted copy until it would have ended, and then nothing is heard of it', async () => {
    const { sandbox, source } = await ready({ slotsPerRegion: 1, copyTakesSeconds: () => 600 });
    const id = await copy(sandbox, source);
    await sandbox.as(SOURCE, TO).send(new DeleteSnapshotCommand({ SnapshotId: id }));
    expect((await look(sandbox, id))?.State).toBe('pending');
    expect(await errorCode(copy(sandbox, source))).toBe('ResourceLimitExceeded');
    sandbox.seconds(600);
    expect(await errorCode(look(sandbox, id))).toBe('InvalidSnapshot.NotFound');
    expect(sandbox.details('copySnapshot')).toEqual([]);
    expect(await errorCode(copy(sandbox, source))).toBe('no error');
  });
});

describe('incremental or full', () => {
  async function copied(sandbox: Ec2Sandbox, source: string, input: Parameters<typeof copy>[2] = {}) {
    const id = await copy(sandbox, source, input);
    sandbox.seconds(36_000);
    return sandbox.inside(id);
  }

  async function threeSnapshots() {
    const sandbox = new Ec2Sandbox();
    const volume = await sandbox.volume(FROM, 100);
    const [first, second, third] = [
      await sandbox.snapshot(FROM, volume),
      await sandbox.snapshot(FROM, volume),
      await sandbox.snapshot(FROM, volume),
    ];
    return { sandbox, first, second, third };
  }

  it('the first copy moves all, the next what changed since', async () => {
    const { sandbox, first, third } = await threeSnapshots();
    const full = await copied(sandbox, first);
    expect(full.copy).toMatchObject({ incremental: false, gibMoved: 100 });
    expect((await copied(sandbox, third)).copy).toMatchObject({
      incremental: true,
      gibMoved: 6,
      basedOn: full.snapshotId,
    });
    expect(sandbox.details('copySnapshot').map((detail) => detail['incremental'])).toEqual(['false', 'true']);
  });

  it('moves no more than was ever written to the volume, and EC2 says how much that is', async () => {
    const sandbox = new Ec2Sandbox({ writtenShare: 0.4 });
    const volume = await sandbox.volume(FROM, 100);
    const source = await sandbox.snapshot(FROM, volume);
    const full = await copied(sandbox, source);
    expect(full).toMatchObject({ sizeGiB: 100, copy: { incremental: false, gibMoved: 40 } });
    const shown = await look(sandbox, full.snapshotId);
    expect(shown).toMatchObject({ VolumeSize: 100, FullSnapshotSizeInBytes: 40 * 1024 ** 3 });
    for (let taken = 0; taken < 20; taken += 1) await sandbox.snapshot(FROM, volume);
    const last = await copied(sandbox, await sandbox.snapshot(FROM, volume));
    expect(last.copy).toMatchObject({ incremental: true, gibMoved: 40 });
  });

  it('copies at the same time are all full: only a finished copy counts', async () => {
    const { sandbox, first, second } = await threeSnapshots();
    await copy(sandbox, first);
    expect((await copied(sandbox, second)).copy?.incremental).toBe(false);
  });

  it('is incremental to the newest finished copy, while a newer one is still running', async () => {
    const { sandbox, first, second, third } = await threeSnapshots();
    const finished = await copied(sandbox, first);
    await copy(sandbox, second);
    const next = await copied(sandbox, third);
    expect(next.copy).toMatchObject({ incremental: true, basedOn: finished.snapshotId, gibMoved: 6 });
  });

  it('is not incremental in the event, if it failed', async () => {
    const { sandbox, first, second } = await threeSnapshots();
    await copied(sandbox, first);
    sandbox.service.faults.add({ kind: 'copy-error', stateMessage: 'Internal error' });
    expect((await copied(sandbox, second)).copy?.incremental).toBe(true);
    expect(sandbox.details('copySnapshot').at(-1)).toMatchObject({ result: 'failed', incremental: 'false' });
  });

  it('is full again once the newest copy is deleted, though an older one is left', async () => {
    const { sandbox, first, second, third } = await threeSnapshots();
    await copied(sandbox, first);
    const newest = await copied(sandbox, second);
    await sandbox.as(SOURCE, TO).send(new DeleteSnapshotCommand({ SnapshotId: newest.snapshotId }));
    expect((await copied(sandbox, third)).copy?.incremental).toBe(false);
  });

  it('stays incremental when an older copy is deleted', async () => {
    const { sandbox, first, second, third } = await threeSnapshots();
    const oldest = await copied(sandbox, first);
    await copied(sandbox, second);
    await sandbox.as(SOURCE, TO).send(new DeleteSnapshotCommand({ SnapshotId: oldest.snapshotId }));
    expect((await copied(sandbox, third)).copy).toMatchObject({ incremental: true, gibMoved: 3 });
  });

  it('is full once the newest copy is archived', async () => {
    const { sandbox, first, second } = await threeSnapshots();
    const newest = await copied(sandbox, first);
    await sandbox
      .as(SOURCE, TO)
      .send(new ModifySnapshotTierCommand({ SnapshotId: newest.snapshotId, StorageTier: 'archive' }));
    sandbox.seconds(60);
    expect((await copied(sandbox, second)).copy?.incremental).toBe(false);
  });

  it('is full under another key than the copies that are there', async () => {
    const { sandbox, first, second, third } = await threeSnapshots();
    const key = sandbox.keys.create({ account: SOURCE, region: TO });
    await copied(sandbox, first);
    const rekeyed = await copied(sandbox, second, { Encrypted: true, KmsKeyId: key.arn });
    expect(rekeyed.copy?.incremental).toBe(false);
    expect((await copied(sandbox, third, { Encrypted: true, KmsKeyId: key.arn })).copy?.incremental).toBe(false);
  });

  it('does not count copies in another account or Region, nor of another volume', async () => {
    const { sandbox, first, second } = await threeSnapshots();
    await copied(sandbox, first);
    await sandbox.share(second, FROM);
    expect((await copied(sandbox, second, { account: TARGET })).copy?.incremental).toBe(false);
    expect((await copied(sandbox, second, { to: 'eu-north-1' })).copy?.incremental).toBe(false);
    expect((await copied(sandbox, await sandbox.snapshot(FROM))).copy?.incremental).toBe(false);
  });

  it('within an account and Region moves nothing, or everything under another key', async () => {
    const { sandbox, first } = await threeSnapshots();
    expect((await copied(sandbox, first, { to: FROM })).copy).toMatchObject({ incremental: true, gibMoved: 0 });
    expect((await copied(sandbox, first, { to: FROM, Encrypted: true })).copy).toMatchObject({
      incremental: false,
      gibMoved: 100,
    });
  });

  it('follows the volume through a copy of a copy', async () => {
    const { sandbox, first, second } = await threeSnapshots();
    const there = await copied(sandbox, first);
    await copied(sandbox, there.snapshotId, { SourceRegion: TO, to: 'eu-north-1' });
    expect((await copied(sandbox, second, { to: 'eu-north-1' })).copy).toMatchObject({
      incremental: true,
      gibMoved: 3,
    });
  });

  it('takes 60 s and what moves at 100 MiB/s', async () => {
    const { sandbox, source } = await ready();
    const id = await copy(sandbox, source);
    sandbox.seconds(60 + 1023);
    expect(sandbox.inside(id).state).toBe('pending');
    sandbox.seconds(1);
    expect(sandbox.inside(id).state).toBe('completed');
  });
});

describe('encryption of a copy', () => {
  async function keyOfCopy(sandbox: Ec2Sandbox, source: string, input: Parameters<typeof copy>[2] = {}) {
    const id = await copy(sandbox, source, input);
    sandbox.seconds(36_000);
    return { ...sandbox.inside(id), shown: await look(sandbox, id, input.account) };
  }

  it('a plain snapshot stays plain, unless asked for or the default of the destination', async () => {
    const { sandbox, source } = await ready();
    const managed = sandbox.keys.ebsManagedKey({ account: SOURCE, region: TO }).arn;
    expect((await keyOfCopy(sandbox, source)).shown?.Encrypted).toBe(false);
    expect((await keyOfCopy(sandbox, source, { Encrypted: true })).shown?.KmsKeyId).toBe(managed);
    await sandbox.as(SOURCE, TO).send(new EnableEbsEncryptionByDefaultCommand({}));
    expect((await keyOfCopy(sandbox, source)).shown).toMatchObject({ Encrypted: true, KmsKeyId: managed });
  });

  it('an encrypted snapshot lands under the default key of the destination, not under its own', async () => {
    const sandbox = new Ec2Sandbox();
    const source = await sandbox.snapshot(FROM, await sandbox.volume(FROM, 8, { Encrypted: true }));
    expect((await keyOfCopy(sandbox, source, { Encrypted: false })).kmsKeyArn).toBe(
      sandbox.keys.ebsManagedKey({ account: SOURCE, region: TO }).arn,
    );
  });

  it('takes a key by id, alias, ARN or alias ARN', async () => {
    const { sandbox, source } = await ready();
    const key = sandbox.keys.create({ account: SOURCE, region: TO });
    const alias = sandbox.keys.createAlias('alias/dr-copies', key);
    for (const name of [key.keyId, 'alias/dr-copies', key.arn, alias?.arn ?? '']) {
      expect(await keyOfCopy(sandbox, source, { Encrypted: true, KmsKeyId: name })).toMatchObject({
        state: 'completed',
        kmsKeyArn: key.arn,
      });
    }
  });

  it.each([
    ['of another Region', (sandbox: Ec2Sandbox) => sandbox.keys.create({ account: SOURCE, region: FROM }).arn],
    [
      'that is asymmetric',
      (sandbox: Ec2Sandbox) => sandbox.keys.create({ account: SOURCE, region: TO, keySpec: 'RSA_2048' }).arn,
    ],
    [
      'that is being deleted',
      (sandbox: Ec2Sandbox) => {
        const key = sandbox.keys.create({ account: SOURCE, region: TO });
        sandbox.keys.scheduleDeletion(key, 7);
        return key.arn;
      },
    ],
  ])('a key %s is not accessible', async (_name, makeKey) => {
    const { sandbox, source } = await ready();
    expect(await keyOfCopy(sandbox, source, { Encrypted: true, KmsKeyId: makeKey(sandbox) })).toMatchObject({
      state: 'error',
      stateMessage: 'Given key ID is not accessible',
    });
  });

  it('with a key that the caller may not even see is refused at once', async () => {
    const { sandbox, source } = await ready();
    const KmsKeyId = sandbox.keys.create({ account: TARGET, region: TO }).arn;
    expect(await errorCode(copy(sandbox, source, { Encrypted: true, KmsKeyId }))).toBe('AuthFailure');
  });

  it('of a shared snapshot needs the source key to let the copying account in', async () => {
    const sandbox = new Ec2Sandbox();
    const closed = sandbox.keys.create({ account: SOURCE, region: FROM });
    const open = sandbox.keys.create({ account: SOURCE, region: FROM, usableBy: [TARGET] });
    const states: string[] = [];
    for (const key of [closed, open]) {
      const volume = await sandbox.volume(FROM, 8, { Encrypted: true, KmsKeyId: key.arn });
      const source = await sandbox.snapshot(FROM, volume);
      await sandbox.share(source, FROM);
      const { state, stateMessage } = await keyOfCopy(sandbox, source, { account: TARGET });
      states.push(`${state} ${stateMessage}`);
    }
    expect(states).toEqual(['error Given key ID is not accessible', 'completed undefined']);
  });

  it('fails if the source key is disabled before the copy is complete, and not after', async () => {
    const sandbox = new Ec2Sandbox();
    const key = sandbox.keys.create({ account: SOURCE, region: FROM });
    const source = await sandbox.snapshot(FROM, await sandbox.volume(FROM, 8, { Encrypted: true, KmsKeyId: key.arn }));
    const good = await keyOfCopy(sandbox, source);
    const bad = await copy(sandbox, source);
    sandbox.keys.disable(key);
    sandbox.seconds(36_000);
    expect(sandbox.inside(bad)).toMatchObject({ state: 'error', stateMessage: 'Given key ID is not accessible' });
    expect(sandbox.inside(good.snapshotId).state).toBe('completed');
  });
});

describe('a time-based copy', () => {
  it('finishes in the time asked for, and says that it did', async () => {
    const { sandbox, source } = await ready({ copyTakesSeconds: () => 7200 });
    const id = await copy(sandbox, source, { CompletionDurationMinutes: 30 });
    sandbox.seconds(1799);
    expect(await look(sandbox, id)).toMatchObject({
      State: 'pending',
      TransferType: 'time-based',
      CompletionDurationMinutes: 30,
    });
    sandbox.seconds(1);
    expect(sandbox.inside(id).state).toBe('completed');
    expect(sandbox.details('copySnapshot')[0]).toMatchObject({
      transferType: 'time-based',
      metCompletionDuration: 'true',
      completionDurationStartTime: '2026-03-02T04:00:20.000Z',
    });
  });

  it('that is late is announced, carries on, and completes', async () => {
    const { sandbox, source } = await ready({ copyTakesSeconds: () => 600 });
    sandbox.service.faults.add({ kind: 'slow-copy', seconds: 2000 });
    const id = await copy(sandbox, source, { CompletionDurationMinutes: 15 });
    sandbox.seconds(900);
    expect(sandbox.events.at(-1)).toMatchObject({
      'detail-type': 'EBS Copy Snapshot Missed Completion Duration',
      region: TO,
      resources: [`arn:aws:ec2:eu-central-1:${SOURCE}:snapshot/${id}`],
      detail: { startTime: 'Mon Mar 02 04:00:20 UTC 2026', transferType: 'time-based' },
    });
    sandbox.seconds(1100);
    expect(sandbox.inside(id).state).toBe('completed');
    expect(sandbox.events.at(-1)?.detail).toMatchObject({
      metCompletionDuration: 'false',
      missedCompletionDurationCause: expect.stringMatching(/./),
    });
  });

  it('is no faster than 500 MiB/s, and refused when the Region has no throughput left', async () => {
    const sandbox = new Ec2Sandbox({ copyTakesSeconds: () => 36_000 });
    // 1,000 GiB in 15 minutes would need 1,138 MiB/s.
    const sources = [];
    for (let i = 0; i < 5; i++) sources.push(await sandbox.snapshot(FROM, await sandbox.volume(FROM, 1000)));
    const [first, ...rest] = sources;
    const id = await copy(sandbox, first ?? '', { CompletionDurationMinutes: 15 });
    for (const source of rest.slice(0, 3)) await copy(sandbox, source, { CompletionDurationMinutes: 15 });
    expect(await errorCode(copy(sandbox, rest[3] ?? '', { CompletionDurationMinutes: 15 }))).toBe(
      'ResourceLimitExceeded',
    );
    sandbox.seconds(2047);
    expect(sandbox.inside(id).state).toBe('pending');
    sandbox.seconds(1);
    expect(sandbox.inside(id).state).toBe('completed');
  });

  it('of the same snapshot starts its clock when the first has ended', async () => {
    const { sandbox, source } = await ready({ copyTakesSeconds: () => 7200 });
    await copy(sandbox, source, { CompletionDurationMinutes: 15 });
    const second = await copy(sandbox, source, { CompletionDurationMinutes: 15 });
    sandbox.seconds(1799);
    expect(sandbox.inside(second).state).toBe('pending');
    sandbox.seconds(1);
    expect(sandbox.details('copySnapshot').map((detail) => detail['completionDurationStartTime'])).toEqual([
      '2026-03-02T04:00:20.000Z',
      '2026-03-02T04:15:20.000Z',
    ]);
  });
});

describe('Outposts and Local Zones', () => {
  it('a copy to an Outpost is encrypted, and can be neither copied nor shared on', async () => {
    const { sandbox, source } = await ready();
    const id = await copy(sandbox, source, { to: FROM, DestinationOutpostArn: OUTPOST });
    sandbox.seconds(36_000);
    expect(await look(sandbox, id, SOURCE, FROM)).toMatchObject({
      OutpostArn: OUTPOST,
      Encrypted: true,
      State: 'completed',
    });
    expect(await errorCode(copy(sandbox, id))).toBe('UnsupportedOperation');
    expect(await errorCode(sandbox.share(id, FROM))).toBe('OperationNotPermitted');
  });

  it('are reached from their own Region only, and not by time-based copies', async () => {
    const { sandbox, source } = await ready();
    const there = { to: 'us-west-2', DestinationAvailabilityZone: 'us-west-2-lax-1a' };
    expect(await errorCode(copy(sandbox, source, there))).toBe('InvalidParameterValue');
    expect(
      await errorCode(
        copy(sandbox, source, { to: FROM, DestinationOutpostArn: OUTPOST, CompletionDurationMinutes: 15 }),
      ),
    ).toBe('InvalidParameterCombination');
  });

  it('a Local Zone passes its snapshots to its own group and its parent Region', async () => {
    const sandbox = new Ec2Sandbox();
    const west = { SourceRegion: 'us-west-2', to: 'us-west-2' };
    const source = await sandbox.snapshot('us-west-2');
    const local = await copy(sandbox, source, { ...west, DestinationAvailabilityZone: 'us-west-2-lax-1a' });
    sandbox.seconds(36_000);
    expect((await look(sandbox, local, SOURCE, 'us-west-2'))?.AvailabilityZone).toBe('us-west-2-lax-1a');
    const outcome = async (input: Parameters<typeof copy>[2]) => errorCode(copy(sandbox, local, { ...west, ...input }));
    expect(await outcome({ DestinationAvailabilityZone: 'us-west-2-lax-1b' })).toBe('no error');
    expect(await outcome({})).toBe('no error');
    expect(await outcome({ DestinationAvailabilityZone: 'us-west-2-den-1a' })).toBe('UnsupportedOperation');
    expect(await outcome({ to: TO })).toBe('UnsupportedOperation');
  });
});
