import { action, type Ec2Action } from '../action.ts';
import { invalidValue, volumeNotFound } from '../ec2-error.ts';
import { text } from '../query.ts';
import { checkVolumeId } from '../resource-ids.ts';
import type { Snapshot } from '../snapshot.ts';
import { checkPendingQuota, checkSnapshotQuota, endSnapshot, snapshotVolume } from '../snapshot-life.ts';
import { requestedTags, tagSpecifications } from '../tags.ts';
import type { Volume } from '../volume.ts';
import type { Ec2World } from '../world.ts';
import { snapshotXml } from './describe-snapshots.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html */
export const createSnapshot: Ec2Action = action({
  name: 'CreateSnapshot',
  parameters: {
    VolumeId: text,
    Description: text.optional(),
    TagSpecification: tagSpecifications,
    OutpostArn: text.optional(),
    Location: text.optional(),
  },
  check: (input) => {
    checkVolumeId(input.VolumeId);
    requestedTags(input.TagSpecification, 'snapshot');
  },
  run: (world, caller, input) => {
    const volume = world.volumes.get(input.VolumeId);
    if (volume?.account !== caller.account || volume.region !== caller.region) throw volumeNotFound(input.VolumeId);
    const place = snapshotPlace(volume, input);
    checkSnapshotQuota(world, caller, 1);
    checkPendingQuota(world, volume);
    const snapshot = snapshotVolume(world, volume, {
      ...place,
      description: input.Description ?? '',
      ownTags: requestedTags(input.TagSpecification, 'snapshot'),
    });
    const problem = snapshotProblem(world, volume);
    world.after(snapshot.work.takesMs / 1000, () => {
      if (endSnapshot(world, snapshot, problem)) world.events.createSnapshot(snapshot);
    });
    return snapshotXml(world, caller, snapshot);
  },
});

/**
 * A snapshot goes to the Region, or stays on the volume's Outpost or in its Local Zone if that is asked for:
 * https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-outposts.html
 * https://docs.aws.amazon.com/ebs/latest/userguide/snapshots-localzones.html
 */
export function snapshotPlace(
  volume: Volume,
  input: { readonly OutpostArn?: string | undefined; readonly Location?: string | undefined },
): Pick<Snapshot, 'outpostArn' | 'localZone'> {
  if (input.OutpostArn !== undefined && input.OutpostArn !== volume.outpostArn) {
    throw invalidValue(`The volume ${volume.volumeId} is not on the Outpost ${input.OutpostArn}`);
  }
  if (input.Location !== undefined && !['regional', 'local'].includes(input.Location)) {
    throw invalidValue(`Value (${input.Location}) for parameter Location is invalid.`);
  }
  if (input.Location === 'local' && volume.localZone === undefined) {
    throw invalidValue(`The volume ${volume.volumeId} is not in a Local Zone`);
  }
  return {
    outpostArn: input.OutpostArn,
    localZone: input.Location === 'local' ? volume.localZone : undefined,
  };
}

/** Why the snapshot will end in `error`, if that was asked for. */
export function snapshotProblem(world: Ec2World, { account, region, volumeId }: Volume): string | undefined {
  return world.faults.take('snapshot-error', { account, region, volumeId })?.stateMessage;
}
