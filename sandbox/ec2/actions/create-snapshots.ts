import * as z from 'zod';
import type { Caller } from '../../accounts.ts';
import { action, type Ec2Action } from '../action.ts';
import { Ec2Error, invalidValue } from '../ec2-error.ts';
import { flag, listOf, text } from '../query.ts';
import { checkInstanceId } from '../resource-ids.ts';
import { progressOf, type Snapshot, tagsSeenBy } from '../snapshot.ts';
import { checkPendingQuota, checkSnapshotQuota, endSnapshot, snapshotVolume } from '../snapshot-life.ts';
import { checkCount, isReservedKey, requestedTags, type Tags, tagSet, tagSpecifications } from '../tags.ts';
import type { Volume } from '../volume.ts';
import type { Ec2World } from '../world.ts';
import { isoTime, items, type XmlTree } from '../xml.ts';
import { snapshotPlace, snapshotProblem } from './create-snapshot.ts';

/**
 * Snapshots of all volumes of an instance at one moment:
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html
 *
 * They complete together, the early ones wait at 99 %. One event tells of the set; whether each member has its own
 * event too is unconfirmed, hence an option.
 */
export const createSnapshots: Ec2Action = action({
  name: 'CreateSnapshots',
  parameters: {
    InstanceSpecification: z.strictObject({
      InstanceId: text,
      ExcludeBootVolume: flag.optional(),
      ExcludeDataVolumeId: listOf(text),
    }),
    Description: text.optional(),
    TagSpecification: tagSpecifications,
    CopyTagsFromSource: text.optional(),
    OutpostArn: text.optional(),
    Location: text.optional(),
  },
  check: (input) => {
    checkInstanceId(input.InstanceSpecification.InstanceId);
    requestedTags(input.TagSpecification, 'snapshot');
    if ((input.CopyTagsFromSource ?? 'volume') !== 'volume') {
      throw invalidValue(`Value (${input.CopyTagsFromSource}) for parameter CopyTagsFromSource is invalid.`);
    }
  },
  run: (world, caller, input) => {
    const volumes = volumesOf(world, caller, input.InstanceSpecification);
    const wanted = volumes.map((volume) => ({
      volume,
      ...snapshotPlace(volume, input),
      description: input.Description ?? '',
      ownTags: memberTags(volume, requestedTags(input.TagSpecification, 'snapshot'), input.CopyTagsFromSource),
    }));
    checkSnapshotQuota(world, caller, volumes.length);
    for (const volume of volumes) checkPendingQuota(world, volume);
    const members = wanted.map(({ volume, ...rest }) => ({
      snapshot: snapshotVolume(world, volume, rest),
      problem: snapshotProblem(world, volume),
    }));
    world.after(Math.max(...members.map(({ snapshot }) => snapshot.work.takesMs)) / 1000, () => {
      const ended = members
        .filter(({ snapshot, problem }) => endSnapshot(world, snapshot, problem))
        .map(({ snapshot }) => snapshot);
      world.events.createSnapshots(ended);
      if (world.settings.memberEvents) for (const snapshot of ended) world.events.createSnapshot(snapshot);
    });
    return { snapshotSet: items(members.map(({ snapshot }) => memberXml(world, snapshot))) };
  },
});

function volumesOf(
  world: Ec2World,
  caller: Caller,
  wanted: {
    readonly InstanceId: string;
    readonly ExcludeBootVolume?: boolean | undefined;
    readonly ExcludeDataVolumeId: readonly string[];
  },
): readonly Volume[] {
  const attached = [...world.volumes.values()].filter(
    (volume) =>
      volume.account === caller.account &&
      volume.region === caller.region &&
      volume.attachment?.instanceId === wanted.InstanceId,
  );
  if (attached.length === 0) {
    throw new Ec2Error('InvalidInstanceID.NotFound', `The instance ID '${wanted.InstanceId}' does not exist`);
  }
  const excluded = new Set(wanted.ExcludeDataVolumeId);
  const strangers = [...excluded].filter((volumeId) => !attached.some((volume) => volume.volumeId === volumeId));
  if (strangers.length > 0) throw invalidValue(`The volume ${strangers.join(', ')} is not attached to the instance`);
  const chosen = attached.filter(
    (volume) => !excluded.has(volume.volumeId) && !(wanted.ExcludeBootVolume === true && isBootVolume(volume)),
  );
  if (chosen.length === 0) throw invalidValue('No volume is left to take a snapshot of');
  return chosen;
}

/** Instances are not modelled, so a root device is known by its usual names. */
function isBootVolume(volume: Volume): boolean {
  return ['/dev/xvda', '/dev/sda1'].includes(volume.attachment?.device ?? '');
}

function memberTags(volume: Volume, requested: Tags, copyFrom: string | undefined): Tags {
  const copied = copyFrom === undefined ? [] : [...volume.tags].filter(([key]) => !isReservedKey(key));
  const tags: Tags = new Map([...copied, ...requested]);
  checkCount(tags);
  return tags;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SnapshotInfo.html */
function memberXml(world: Ec2World, snapshot: Snapshot): XmlTree {
  return {
    description: snapshot.description,
    tagSet: tagSet(tagsSeenBy(snapshot, snapshot.account)),
    encrypted: snapshot.kmsKeyArn !== undefined,
    volumeId: snapshot.volumeId,
    state: snapshot.state,
    volumeSize: snapshot.sizeGiB,
    startTime: isoTime(snapshot.startedAt),
    progress: progressOf(snapshot, world.now),
    ownerId: snapshot.account,
    snapshotId: snapshot.snapshotId,
    outpostArn: snapshot.outpostArn,
    availabilityZone: snapshot.localZone,
  };
}
