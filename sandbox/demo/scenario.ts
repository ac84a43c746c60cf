import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateSnapshotsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  type EC2Client,
  type TagSpecification,
} from '@aws-sdk/client-ec2';
import { DisableKeyCommand, type KMSClient } from '@aws-sdk/client-kms';

/** One copy that the demo asks for, and how it must end. */
export interface Expected {
  readonly snapshotId: string;
  readonly what: string;
  readonly destination: string;
  readonly end: 'copied' | 'alert';
  /** With `alert`: the reason that the alert must give. */
  readonly reason?: string;
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
  const snapshotOf = async (sizeGiB: number, description: string, tags: Readonly<Record<string, string>>) => {
    const volumeId = await createVolume(ec2, sizeGiB);
    const made = await ec2.send(
      new CreateSnapshotCommand({ VolumeId: volumeId, Description: description, TagSpecifications: tagged(tags) }),
    );
    return idOf(made);
  };
  const expectCopies = (snapshotId: string, what: string, ...destinations: readonly string[]) => {
    for (const destination of destinations) expected.push({ snapshotId, what, destination, end: 'copied' });
  };

  // EventBridge delivers at least once; each event of the first snapshot comes twice.
  await addFault({ kind: 'duplicate-event', event: 'createSnapshot', seconds: 20 });
  const web = await snapshotOf(20, 'nightly of web-1', { Backup: 'nightly', Name: 'web-1' });
  expectCopies(web, 'web-1, event delivered twice', 'eu-central-1', 'us-east-1');

  const files = await snapshotOf(120, 'nightly of files-1', { Backup: 'nightly', Name: 'files-1' });
  expectCopies(files, 'files-1, 120 GiB', 'eu-central-1', 'us-east-1');

  const vault = await snapshotOf(40, 'vault before the audit', { Encrypt: 'yes', Name: 'vault' });
  expectCopies(vault, 'vault, re-encrypted in place', 'eu-west-1');

  for (const snapshotId of await snapshotSet(ec2, [30, 60], { Set: 'orders-db' })) {
    expectCopies(snapshotId, 'orders-db, multi-volume set', 'eu-central-1');
  }

  const retired = await kmsIn('us-east-1').send(new DisableKeyCommand({ KeyId: 'alias/retired' }));
  if (retired.$metadata.httpStatusCode !== 200) throw new Error('The sandbox did not disable the key alias/retired.');
  const badKey = await snapshotOf(8, 'key is disabled', { Case: 'retired-key', Name: 'ledger' });
  expected.push(failure(badKey, 'its key is disabled', 'us-east-1', 'KeyNotAccessible'));

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
  expected.push(failure(gone, 'its source is deleted', 'us-east-1', 'SourceGone'));

  const slow = await snapshotOf(200, 'slower than its deadline', { Case: 'too-slow', Name: 'warehouse' });
  await addFault({ kind: 'slow-copy', sourceSnapshotId: slow, factor: 20 });
  expected.push(failure(slow, 'slower than its deadline', 'eu-central-1', 'DeadlinePassed'));

  return expected;
}

/** Deletes the source of the copy that is to lose it. */
export async function deleteSource(ec2: EC2Client, expected: readonly Expected[]): Promise<void> {
  const victim = expected.find((one) => one.reason === 'SourceGone');
  if (victim === undefined) throw new Error('The scenario has no source to delete.');
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: victim.snapshotId }));
}

function failure(snapshotId: string, what: string, destination: string, reason: string): Expected {
  return { snapshotId, what, destination, end: 'alert', reason };
}

async function createVolume(ec2: EC2Client, sizeGiB: number): Promise<string> {
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: ZONE, Size: sizeGiB }));
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
