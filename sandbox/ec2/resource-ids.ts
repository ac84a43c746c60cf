import { Ec2Error, invalidValue } from './ec2-error.ts';

/** Eight hexadecimal digits, or 17 since 2016: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html */
const DIGITS = /^([0-9a-f]{8}|[0-9a-f]{17})$/;

/** Refuses what cannot be a snapshot's id. The two codes for the two mistakes are those of a third-party report. */
export function checkSnapshotId(snapshotId: string): void {
  if (isSnapshotId(snapshotId)) return;
  if (!snapshotId.startsWith('snap-')) {
    throw invalidValue(`Value (${snapshotId}) for parameter snapshotId is invalid. Expected: 'snap-...'.`);
  }
  throw new Ec2Error(
    'InvalidSnapshotID.Malformed',
    `Value ( ${snapshotId} ) for parameter SNAPSHOT is invalid. Expected: 'snap-...'.`,
  );
}

/** All zeros is no id either (third-party report). */
export function isSnapshotId(snapshotId: string): boolean {
  return isId('snap-', snapshotId) && !/^snap-0+$/.test(snapshotId);
}

export function checkVolumeId(volumeId: string): void {
  if (isId('vol-', volumeId)) return;
  throw invalidValue(`Value (${volumeId}) for parameter volumeId is invalid. Expected: 'vol-...'.`);
}

export function checkInstanceId(instanceId: string): void {
  if (isId('i-', instanceId)) return;
  throw new Ec2Error('InvalidInstanceID.Malformed', `Invalid id: "${instanceId}" (expecting "i-...")`);
}

function isId(prefix: string, id: string): boolean {
  return id.startsWith(prefix) && DIGITS.test(id.slice(prefix.length));
}
