import type { Tags } from './tags.ts';

/** A volume as the sandbox keeps it. */
export interface Volume {
  readonly volumeId: string;
  readonly ordinal: number;
  readonly account: string;
  readonly region: string;
  readonly zone: string;
  readonly zoneId: string;
  /** The zone if it is a Local Zone. */
  readonly localZone: string | undefined;
  readonly outpostArn: string | undefined;
  readonly type: VolumeType;
  readonly sizeGiB: number;
  readonly iops: number | undefined;
  readonly throughput: number | undefined;
  /** Undefined = not encrypted. */
  readonly kmsKeyArn: string | undefined;
  /** The snapshot that it was made from. */
  readonly snapshotId: string | undefined;
  readonly createdAt: number;
  readonly tags: Tags;
  attachment: Attachment | undefined;
  /** How many snapshots of it were begun. */
  snapshotsTaken: number;
}

export interface Attachment {
  readonly instanceId: string;
  readonly device: string;
  readonly attachedAt: number;
}

export const VOLUME_TYPES = ['standard', 'io1', 'io2', 'gp2', 'sc1', 'st1', 'gp3'] as const;
export type VolumeType = (typeof VOLUME_TYPES)[number];

/**
 * How many snapshots of one volume may be pending:
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html
 */
export function pendingSnapshotsAllowed(type: VolumeType): number {
  return type === 'st1' || type === 'sc1' ? 1 : 5;
}
