import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateSnapshotsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  type EC2Client,
  type TagSpecification,
} from '@aws-sdk/client-ec2';
import { CreateAliasCommand, CreateKeyCommand, DisableKeyCommand, type KMSClient } from '@aws-sdk/client-kms';

/** One copy that the demo asks for, and how it must end. */
export type Expected = {
  readonly snapshotId: string;
  /** A few words, for the table. */
  readonly what: string;
  readonly destination: string;
} & (ExpectedCopy | ExpectedAlert);

interface ExpectedCopy {
  readonly end: 'copied';
  /** The alias of the key in the destination Region; absent = plain. */
  readonly key?: string;
  /** What the copy must have, besides the tags of the service. */
  readonly tags: Readonly<Record<string, string>>;
  /** How often the event of the snapshot is delivered. */
  readonly events: number;
}

interface ExpectedAlert {
  readonly end: 'alert';
  readonly reason: string;
}

/** How the demo reaches the sandbox. */
export interface Clients {
  /** In the source Region. */
  readonly ec2: EC2Client;
  readonly kmsIn: (region: string) => KMSClient;
  /** Adds a fault, see docs/sandbox.md. */
  readonly addFault: (fault: Readonly<Record<string, unknown>>) => Promise<void>;
}

const ZONE = 'eu-west-1a';

/** Makes volumes and snapshots, and the trouble that some of them are to meet. Answers with what must come of them. */
export async function playScenario({ ec2, kmsIn, addFault }: Clients): Promise<readonly Expected[]> {
  const expected: Expected[] = [];
  type Tags = Readonly<Record<string, string>>;
  const snapshotOf = async (sizeGiB: number, description: string, tags: Tags, key?: string) => {
    const volumeId = await createVolume(ec2, sizeGiB, key);
    const made = await ec2.send(
      new CreateSnapshotCommand({ VolumeId: volumeId, Description: description, TagSpecifications: tagged(tags) }),
    );
    return idOf(made);
  };
  const expectCopy = (
    snapshotId: string,
    what: string,
    destination: string,
    copy: Omit<ExpectedCopy, 'end' | 'events'> & { readonly events?: number },
  ) => expected.push({ snapshotId, what, destination, end: 'copied', events: 1, ...copy });
  const dr = { key: 'alias/dr-copies' };

  // EventBridge delivers at least once; the event of the first snapshot comes twice.
  await addFault({ kind: 'duplicate-event', event: 'createSnapshot', seconds: 20 });
  const web = await snapshotOf(20, 'nightly of web-1', { Backup: 'nightly', Name: 'web-1' });
  expectCopy(web, 'event twice', 'eu-central-1', { ...dr, tags: { Name: 'web-1', Tier: 'dr' }, events: 2 });
  expectCopy(web, 'event twice', 'us-east-1', { tags: { Name: 'web-1' }, events: 2 });

  const files = await snapshotOf(120, 'nightly of files-1', { Backup: 'nightly', Name: 'files-1' });
  expectCopy(files, '120 GiB', 'eu-central-1', { ...dr, tags: { Name: 'files-1', Tier: 'dr' } });
  expectCopy(files, '120 GiB', 'us-east-1', { tags: { Name: 'files-1' } });

  const kms = kmsIn('eu-west-1');
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'the key that the vault had so far' }));
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/old-vault', TargetKeyId: KeyMetadata?.KeyId }));
  const vault = await snapshotOf(40, 'vault before the audit', { Encrypt: 'yes', Name: 'vault' }, 'alias/old-vault');
  expectCopy(vault, 're-encrypted', 'eu-west-1', { key: 'alias/home', tags: { Name: 'vault' } });

  for (const snapshotId of await snapshotSet(ec2, [30, 60], { Set: 'orders-db' })) {
    expectCopy(snapshotId, 'set of volumes', 'eu-central-1', { ...dr, tags: { Set: 'orders-db' } });
  }

  const retired = await kmsIn('us-east-1').send(new DisableKeyCommand({ KeyId: 'alias/retired' }));
  if (retired.$metadata.httpStatusCode !== 200) throw new Error('The sandbox did not disable the key alias/retired.');
  const badKey = await snapshotOf(8, 'key is disabled', { Case: 'retired-key', Name: 'ledger' });
  expected.push(failure(badKey, 'key disabled', 'us-east-1', 'KeyNotAccessible'));

  const gone = await snapshotOf(8, 'deleted too early', { Case: 'source-deleted', Name: 'scratch' });
  // Throttled for a while, so that the source is gone when EC2 takes the call.
  await addFault({
    kind: 'error',
    action: 'CopySnapshot',
    code: 'RequestLimitExceeded',
    status: 503,
    message: 'Request limit exceeded.',
    sourceSnapshotId: gone,
    times: 4,
  });
  expected.push(failure(gone, 'source deleted', 'us-east-1', 'SourceGone'));

  const slow = await snapshotOf(200, 'slower than its deadline', { Case: 'too-slow', Name: 'warehouse' });
  await addFault({ kind: 'slow-copy', sourceSnapshotId: slow, factor: 20 });
  expected.push(failure(slow, 'too slow', 'eu-central-1', 'DeadlinePassed'));

  return expected;
}

/** Deletes the source of the copy that is to lose it. */
export async function deleteSource(ec2: EC2Client, expected: readonly Expected[]): Promise<void> {
  const victim = expected.find((one) => one.end === 'alert' && one.reason === 'SourceGone');
  if (victim === undefined) throw new Error('The scenario has no source to delete.');
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: victim.snapshotId }));
}

function failure(snapshotId: string, what: string, destination: string, reason: string): Expected {
  return { snapshotId, what, destination, end: 'alert', reason };
}

/** @param key encrypt the volume, and thereby its snapshots, under this key */
async function createVolume(ec2: EC2Client, sizeGiB: number, key?: string): Promise<string> {
  const encryption = key === undefined ? {} : { Encrypted: true, KmsKeyId: key };
  const command = new CreateVolumeCommand({ AvailabilityZone: ZONE, Size: sizeGiB, ...encryption });
  const { VolumeId } = await ec2.send(command);
  if (VolumeId === undefined) throw new Error('CreateVolume answered without a VolumeId.');
  return VolumeId;
}

/** One crash-consistent snapshot of each volume of an instance. */
async function snapshotSet(
  ec2: EC2Client,
  sizes: readonly number[],
  tags: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const instanceId = 'i-0d3000000000000db';
  for (const [index, size] of sizes.entries()) {
    const volumeId = await createVolume(ec2, size);
    await ec2.send(
      new AttachVolumeCommand({ InstanceId: instanceId, VolumeId: volumeId, Device: `/dev/sd${'fghi'.charAt(index)}` }),
    );
  }
  const made = await ec2.send(
    new CreateSnapshotsCommand({
      InstanceSpecification: { InstanceId: instanceId },
      Description: 'orders database',
      TagSpecifications: tagged(tags),
    }),
  );
  return (made.Snapshots ?? []).map(idOf);
}

function tagged(tags: Readonly<Record<string, string>>): TagSpecification[] {
  return [{ ResourceType: 'snapshot', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }];
}

function idOf({ SnapshotId }: { readonly SnapshotId?: string | undefined }): string {
  if (SnapshotId === undefined) throw new Error('EC2 answered without a SnapshotId.');
  return SnapshotId;
}
