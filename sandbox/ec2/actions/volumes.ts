import type { Caller } from '../../accounts.ts';
import { action, DONE, type Ec2Action } from '../action.ts';
import { outpostRegion } from '../copy-placement.ts';
import {
  Ec2Error,
  incorrectState,
  invalidCombination,
  invalidValue,
  snapshotNotFound,
  volumeNotFound,
} from '../ec2-error.ts';
import { chooseKey, keyRefusal } from '../encryption.ts';
import { applyFilters, filters, knownFilter, tagFilterValues } from '../filters.ts';
import { page, pageParameters } from '../pages.ts';
import { flag, integer, listOf, text } from '../query.ts';
import { zonesOf } from '../regions.ts';
import { checkInstanceId, checkSnapshotId, checkVolumeId } from '../resource-ids.ts';
import type { Snapshot } from '../snapshot.ts';
import { requestedTags, tagSet, tagSpecifications } from '../tags.ts';
import { type Attachment, VOLUME_TYPES, type Volume, type VolumeType } from '../volume.ts';
import type { Ec2World } from '../world.ts';
import { isoTime, items, type XmlTree } from '../xml.ts';
import { ordinalKey } from './describe-snapshots.ts';

/** GiB: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html, Size */
const SIZES: Readonly<Record<VolumeType, readonly [number, number]>> = {
  gp2: [1, 16384],
  gp3: [1, 65536],
  io1: [4, 16384],
  io2: [4, 65536],
  st1: [125, 16384],
  sc1: [125, 16384],
  standard: [1, 1024],
};

/**
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html
 * The volume can be used at once; on AWS that takes seconds. A repeated ClientToken answers the same volume:
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
export const createVolume: Ec2Action = action({
  name: 'CreateVolume',
  parameters: {
    AvailabilityZone: text.optional(),
    AvailabilityZoneId: text.optional(),
    Size: integer.optional(),
    SnapshotId: text.optional(),
    VolumeType: text.optional(),
    Iops: integer.optional(),
    Throughput: integer.optional(),
    Encrypted: flag.optional(),
    KmsKeyId: text.optional(),
    OutpostArn: text.optional(),
    MultiAttachEnabled: flag.optional(),
    ClientToken: text.optional(),
    TagSpecification: tagSpecifications,
  },
  check: (input) => {
    if (input.AvailabilityZone !== undefined && input.AvailabilityZoneId !== undefined) {
      throw invalidCombination('AvailabilityZone and AvailabilityZoneId cannot be used together');
    }
    if (input.AvailabilityZone === undefined && input.AvailabilityZoneId === undefined) {
      throw new Ec2Error('MissingParameter', 'The request must contain the parameter AvailabilityZone');
    }
    if (input.Size === undefined && input.SnapshotId === undefined) {
      throw new Ec2Error('MissingParameter', 'The request must contain the parameter size/snapshot');
    }
    if (input.SnapshotId !== undefined) checkSnapshotId(input.SnapshotId);
    readType(input.VolumeType);
    requestedTags(input.TagSpecification, 'volume');
  },
  run: (world, caller, input) => {
    const { ClientToken, ...request } = input;
    const token = ClientToken === undefined ? undefined : `${caller.account}/${caller.region}/${ClientToken}`;
    const asText = JSON.stringify(request);
    const known = token === undefined ? undefined : world.volumeOfClientToken.get(token);
    if (known !== undefined) {
      const volume = world.volumes.get(known.volumeId);
      if (known.request !== asText || volume === undefined) {
        throw new Ec2Error('IdempotentParameterMismatch', 'The client token was used before with other parameters.');
      }
      return volumeXml(volume, 'creating');
    }
    const volume = makeVolume(world, caller, input);
    world.volumes.set(volume.volumeId, volume);
    if (token !== undefined) world.volumeOfClientToken.set(token, { volumeId: volume.volumeId, request: asText });
    return volumeXml(volume, 'creating');
  },
});

interface VolumeInput {
  readonly AvailabilityZone?: string | undefined;
  readonly AvailabilityZoneId?: string | undefined;
  readonly Size?: number | undefined;
  readonly SnapshotId?: string | undefined;
  readonly VolumeType?: string | undefined;
  readonly Iops?: number | undefined;
  readonly Throughput?: number | undefined;
  readonly Encrypted?: boolean | undefined;
  readonly KmsKeyId?: string | undefined;
  readonly OutpostArn?: string | undefined;
  readonly TagSpecification: Parameters<typeof requestedTags>[0];
}

function makeVolume(world: Ec2World, caller: Caller, input: VolumeInput): Volume {
  const zone = zonesOf(caller.region).find(
    ({ name, zoneId }) => name === input.AvailabilityZone || zoneId === input.AvailabilityZoneId,
  );
  if (zone === undefined) {
    const named = input.AvailabilityZone ?? input.AvailabilityZoneId;
    throw new Ec2Error('InvalidZone.NotFound', `The zone '${named}' does not exist.`);
  }
  if (input.OutpostArn !== undefined && outpostRegion(input.OutpostArn) !== caller.region) {
    throw invalidValue(`Value (${input.OutpostArn}) for parameter OutpostArn is not an Outpost of ${caller.region}`);
  }
  const source = input.SnapshotId === undefined ? undefined : usableSnapshot(world, caller, input.SnapshotId);
  const type = readType(input.VolumeType);
  const sizeGiB = Math.max(input.Size ?? 0, source?.sizeGiB ?? 0);
  const [smallest, largest] = SIZES[type];
  if (sizeGiB < smallest || sizeGiB > largest) {
    throw invalidValue(
      `Volume of ${sizeGiB}GiB is not allowed for type ${type}; allowed is ${smallest} to ${largest}GiB.`,
    );
  }
  const keyName = chooseKey(world, caller, input, source?.kmsKeyArn !== undefined || input.OutpostArn !== undefined);
  const volumeId = world.newVolumeId();
  const found = keyName === undefined ? undefined : world.settings.keys.usableByEc2(caller, keyName, volumeId);
  if (keyName !== undefined && found !== undefined && 'problem' in found) throw keyRefusal(keyName, found.problem);
  return {
    volumeId,
    ordinal: world.nextVolumeOrdinal(),
    account: caller.account,
    region: caller.region,
    zone: zone.name,
    zoneId: zone.zoneId,
    localZone: zone.type === 'local-zone' ? zone.name : undefined,
    outpostArn: input.OutpostArn,
    type,
    sizeGiB,
    iops: input.Iops ?? baselineIops(type, sizeGiB),
    throughput: type === 'gp3' ? (input.Throughput ?? 125) : undefined,
    kmsKeyArn: found !== undefined && 'key' in found ? found.key.arn : undefined,
    snapshotId: source?.snapshotId,
    createdAt: world.now,
    tags: requestedTags(input.TagSpecification, 'volume'),
    attachment: undefined,
    snapshotsTaken: 0,
  };
}

function usableSnapshot(world: Ec2World, caller: Caller, snapshotId: string): Snapshot {
  const snapshot = world.access(caller, snapshotId)?.snapshot;
  if (snapshot === undefined) throw snapshotNotFound(snapshotId);
  if (snapshot.state !== 'completed' || snapshot.storageTier === 'archive') {
    throw incorrectState(`Snapshot is in invalid state - ${snapshot.state}`);
  }
  return snapshot;
}

function readType(name: string | undefined): VolumeType {
  const type = VOLUME_TYPES.find((known) => known === (name ?? 'gp2'));
  if (type === undefined) throw invalidValue(`Value (${name}) for parameter volumeType is invalid.`);
  return type;
}

function baselineIops(type: VolumeType, sizeGiB: number): number | undefined {
  if (type === 'gp3') return 3000;
  return type === 'gp2' ? Math.min(16000, Math.max(100, sizeGiB * 3)) : undefined;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html */
export const describeVolumes: Ec2Action = action({
  name: 'DescribeVolumes',
  parameters: {
    VolumeId: listOf(text),
    Filter: filters,
    IncludeManagedResources: flag.optional(),
    ...pageParameters,
  },
  check: (input) => {
    for (const volumeId of input.VolumeId) checkVolumeId(volumeId);
    if (input.VolumeId.length > 0 && (input.MaxResults !== undefined || input.NextToken !== undefined)) {
      throw invalidCombination('The parameter volumeIdsSet cannot be used with the parameter maxResults or nextToken');
    }
  },
  run: (world, caller, input) => {
    const own = [...world.volumes.values()].filter(
      (volume) => volume.account === caller.account && volume.region === caller.region,
    );
    const missing = input.VolumeId.find((volumeId) => !own.some((volume) => volume.volumeId === volumeId));
    if (missing !== undefined) throw volumeNotFound(missing);
    const chosen = own.filter(({ volumeId }) => input.VolumeId.length === 0 || input.VolumeId.includes(volumeId));
    const matching = applyFilters(chosen, input.Filter, isKnownFilter, filterValues);
    const { items: shown, nextToken } = page(matching, ordinalKey, input);
    return { volumeSet: items(shown.map((volume) => volumeXml(volume, stateOf(volume)))), nextToken };
  },
});

const isKnownFilter = knownFilter(
  new Set([
    'attachment.device',
    'attachment.instance-id',
    'availability-zone',
    'availability-zone-id',
    'create-time',
    'encrypted',
    'size',
    'snapshot-id',
    'status',
    'volume-id',
    'volume-type',
  ]),
  { tags: true },
);

function filterValues(name: string, volume: Volume): readonly string[] | undefined {
  switch (name) {
    case 'attachment.device':
      return volume.attachment === undefined ? [] : [volume.attachment.device];
    case 'attachment.instance-id':
      return volume.attachment === undefined ? [] : [volume.attachment.instanceId];
    case 'availability-zone':
      return [volume.zone];
    case 'availability-zone-id':
      return [volume.zoneId];
    case 'create-time':
      return [isoTime(volume.createdAt)];
    case 'encrypted':
      return [String(volume.kmsKeyArn !== undefined)];
    case 'size':
      return [String(volume.sizeGiB)];
    case 'snapshot-id':
      return [volume.snapshotId ?? ''];
    case 'status':
      return [stateOf(volume)];
    case 'volume-id':
      return [volume.volumeId];
    case 'volume-type':
      return [volume.type];
    default:
      return tagFilterValues(name, volume.tags);
  }
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVolume.html */
export const deleteVolume: Ec2Action = action({
  name: 'DeleteVolume',
  parameters: { VolumeId: text },
  check: (input) => checkVolumeId(input.VolumeId),
  run: (world, caller, { VolumeId }) => {
    const volume = ownVolume(world, caller, VolumeId);
    if (volume.attachment !== undefined) {
      throw new Ec2Error('VolumeInUse', `Volume ${VolumeId} is currently attached to ${volume.attachment.instanceId}`);
    }
    world.volumes.delete(VolumeId);
    return DONE;
  },
});

/**
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html
 * Instances are not modelled: any well-formed id will do.
 */
export const attachVolume: Ec2Action = action({
  name: 'AttachVolume',
  parameters: { VolumeId: text, InstanceId: text, Device: text, EbsCardIndex: integer.optional() },
  check: (input) => {
    checkVolumeId(input.VolumeId);
    checkInstanceId(input.InstanceId);
  },
  run: (world, caller, { VolumeId, InstanceId, Device }) => {
    const volume = ownVolume(world, caller, VolumeId);
    if (volume.attachment !== undefined) {
      throw new Ec2Error('VolumeInUse', `${VolumeId} is already attached to an instance`);
    }
    const taken = [...world.volumes.values()].some(
      ({ attachment }) => attachment?.instanceId === InstanceId && attachment.device === Device,
    );
    if (taken)
      throw invalidValue(`Invalid value '${Device}' for unixDevice. Attachment point ${Device} is already in use`);
    volume.attachment = { instanceId: InstanceId, device: Device, attachedAt: world.now };
    return attachmentXml(volume, volume.attachment, 'attaching');
  },
});

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html */
export const detachVolume: Ec2Action = action({
  name: 'DetachVolume',
  parameters: { VolumeId: text, InstanceId: text.optional(), Device: text.optional(), Force: flag.optional() },
  check: (input) => checkVolumeId(input.VolumeId),
  run: (world, caller, { VolumeId, InstanceId, Device }) => {
    const volume = ownVolume(world, caller, VolumeId);
    const { attachment } = volume;
    if (attachment === undefined) throw incorrectState(`Volume '${VolumeId}' is in the 'available' state.`);
    if (
      (InstanceId ?? attachment.instanceId) !== attachment.instanceId ||
      (Device ?? attachment.device) !== attachment.device
    ) {
      throw new Ec2Error(
        'InvalidAttachment.NotFound',
        `Volume '${VolumeId}' is not attached to '${InstanceId ?? Device}'`,
      );
    }
    volume.attachment = undefined;
    return attachmentXml(volume, attachment, 'detaching');
  },
});

function ownVolume(world: Ec2World, caller: Caller, volumeId: string): Volume {
  const volume = world.volumes.get(volumeId);
  if (volume?.account !== caller.account || volume.region !== caller.region) throw volumeNotFound(volumeId);
  return volume;
}

function stateOf(volume: Volume): string {
  return volume.attachment === undefined ? 'available' : 'in-use';
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html */
function volumeXml(volume: Volume, status: string): XmlTree {
  return {
    volumeId: volume.volumeId,
    size: volume.sizeGiB,
    snapshotId: volume.snapshotId ?? '',
    availabilityZone: volume.zone,
    availabilityZoneId: volume.zoneId,
    status,
    createTime: isoTime(volume.createdAt),
    volumeType: volume.type,
    iops: volume.iops,
    throughput: volume.throughput,
    encrypted: volume.kmsKeyArn !== undefined,
    kmsKeyId: volume.kmsKeyArn,
    outpostArn: volume.outpostArn,
    multiAttachEnabled: false,
    attachmentSet: items(volume.attachment === undefined ? [] : [attachmentXml(volume, volume.attachment, 'attached')]),
    tagSet: tagSet(volume.tags),
  };
}

function attachmentXml(volume: Volume, { instanceId, device, attachedAt }: Attachment, status: string): XmlTree {
  return {
    volumeId: volume.volumeId,
    instanceId,
    device,
    status,
    attachTime: isoTime(attachedAt),
    deleteOnTermination: false,
  };
}
