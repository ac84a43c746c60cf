import { setTimeout as sleep } from 'node:timers/promises';
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateSnapshotsCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  type EC2Client,
  ModifySnapshotAttributeCommand,
  type TagSpecification,
} from '@aws-sdk/client-ec2';

export type Tags = Readonly<Record<string, string>>;

const ZONE = 'eu-west-1a';

/** @param key encrypt the volume, and thereby its snapshots, under this key */
export async function createVolume(ec2: EC2Client, sizeGiB: number, key?: string): Promise<string> {
  const encryption = key === undefined ? {} : { Encrypted: true, KmsKeyId: key };
  const command = new CreateVolumeCommand({ AvailabilityZone: ZONE, Size: sizeGiB, ...encryption });
  const { VolumeId } = await ec2.send(command);
  if (VolumeId === undefined) throw new Error('CreateVolume answered without a VolumeId.');
  return VolumeId;
}

export async function createSnapshot(
  ec2: EC2Client,
  volumeId: string,
  description: string,
  tags: Tags,
): Promise<string> {
  const made = await ec2.send(
    new CreateSnapshotCommand({ VolumeId: volumeId, Description: description, TagSpecifications: tagged(tags) }),
  );
  return idOf(made);
}

/** One crash-consistent snapshot of each volume of an instance. */
export async function createSnapshotSet(
  ec2: EC2Client,
  sizes: readonly number[],
  tags: Tags,
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

/** Lets another account use a snapshot, as soon as it is complete. */
export async function shareWhenComplete(ec2: EC2Client, snapshotId: string, account: string): Promise<void> {
  for (;;) {
    const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshotId] }));
    if (Snapshots.every(({ State }) => State === 'completed')) break;
    await sleep(100);
  }
  await share(ec2, snapshotId, account);
}

/** Lets another account use a snapshot. */
export async function share(ec2: EC2Client, snapshotId: string, account: string): Promise<void> {
  await ec2.send(
    new ModifySnapshotAttributeCommand({
      SnapshotId: snapshotId,
      Attribute: 'createVolumePermission',
      OperationType: 'add',
      UserIds: [account],
    }),
  );
}

function tagged(tags: Tags): TagSpecification[] {
  return [{ ResourceType: 'snapshot', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }];
}

function idOf({ SnapshotId }: { readonly SnapshotId?: string | undefined }): string {
  if (SnapshotId === undefined) throw new Error('EC2 answered without a SnapshotId.');
  return SnapshotId;
}
