/**
 * What the service knows about one snapshot, in its own words. `aws/` makes these from EC2's answers, so that no
 * decision ever sees an optional field that EC2 forgot.
 */

/** EC2's SnapshotState: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html */
export type SnapshotState = 'pending' | 'completed' | 'error' | 'recoverable' | 'recovering';

/** A snapshot as DescribeSnapshots shows it to this account. */
export interface Snapshot {
  readonly snapshotId: string;
  /** The Region that it was looked up in; EC2 does not repeat it in the answer. */
  readonly region: string;
  /** 12 digits. */
  readonly ownerId: string;
  /** Meaningless on a copy (`vol-ffffffff`): https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html */
  readonly volumeId: string;
  readonly state: SnapshotState;
  /** Why `state` is `error`; EC2 gives it in DescribeSnapshots only. */
  readonly stateMessage?: string;
  /** 0 to 100. EC2 leaves it empty at first; that reads as 0. */
  readonly progressPercent: number;
  /** ISO 8601. For a copy: when the copy began, not when its data were taken. */
  readonly startTime: string;
  /** ISO 8601; absent while it is pending. */
  readonly completionTime?: string;
  /** Of the volume. */
  readonly sizeGiB: number;
  /**
   * All blocks that were written to the volume, as if nothing were shared with other snapshots: what a full copy moves.
   * Absent where EC2 does not tell: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html
   */
  readonly fullSizeBytes?: number;
  readonly encrypted: boolean;
  /** Key ARN; only when `encrypted`. */
  readonly kmsKeyId?: string;
  readonly storageTier: 'standard' | 'archive';
  readonly outpostArn?: string;
  /** The Local Zone that holds it, if it is not in the Region itself. */
  readonly localZone?: string;
  /** Empty if there is none. */
  readonly description: string;
  /** Those of the account that looked: another account's tags on its snapshot cannot be seen. */
  readonly tags: Readonly<Record<string, string>>;
  /** It belongs to another account and was looked at from there, through the companion's role: the tags are its owner's. */
  readonly viewedByOwner?: true;
}
