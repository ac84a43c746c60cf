import type { SnapshotState } from '../../core/snapshot.ts';
import type { Tags } from './tags.ts';

/**
 * A snapshot as the sandbox keeps it: what EC2 shows of it, and what only EBS knows. Only the sandbox's own parts
 * change one; everybody else sees a `SnapshotRecord` or an answer.
 */
export interface Snapshot {
  readonly snapshotId: string;
  /** Counts all snapshots of the sandbox, oldest first. */
  readonly ordinal: number;
  readonly account: string;
  readonly region: string;
  readonly outpostArn: string | undefined;
  /** The Local Zone that holds it. */
  readonly localZone: string | undefined;
  /** What EC2 shows; arbitrary for a copy, see `lineage`. */
  readonly volumeId: string;
  readonly description: string;
  readonly sizeGiB: number;
  /** Undefined = not encrypted. */
  readonly kmsKeyArn: string | undefined;
  /** The data, wherever it was copied to. */
  readonly lineage: Lineage;
  /** Milliseconds since 1970, like every time here. */
  readonly startedAt: number;
  readonly copy: CopyFacts | undefined;

  state: SnapshotState;
  stateMessage: string | undefined;
  /** When it became `completed` or `error`. */
  endedAt: number | undefined;
  work: Work;
  storageTier: 'standard' | 'archive';
  tier: TierStatus | undefined;
  lock: Lock | undefined;
  bin: { readonly enteredAt: number; readonly exitAt: number } | undefined;
  /** DeleteSnapshot came while it was pending. */
  deletionRequested: boolean;
  /** It exists no more. */
  gone: boolean;
  /** What keeps it from being deleted, for example AMI ids. */
  readonly heldBy: Set<string>;
  /** Each account's tags: nobody sees another account's. Only the `SnapshotStore` changes them. */
  readonly tags: Map<string, Tags>;
  readonly shares: Map<string, Share>;
  publicShare: Share | undefined;
}

/** Which volume the data come from, and the how manieth snapshot of it. */
export interface Lineage {
  readonly volumeId: string;
  readonly sequence: number;
}

/** What is going on while the snapshot is pending, for the progress. */
interface Work {
  readonly startsAt: number;
  readonly takesMs: number;
}

export interface CopyFacts {
  readonly sourceSnapshotId: string;
  readonly sourceRegion: string;
  /** Owner of the source, if EC2 found it. */
  readonly sourceAccount: string | undefined;
  readonly sourceKmsKeyArn: string | undefined;
  readonly incremental: boolean;
  /** The earlier copy that only the difference to was moved. */
  readonly basedOn: string | undefined;
  readonly gibMoved: number;
  /** When size and encryption begin to show; undefined = never. */
  readonly metadataAt: number | undefined;
  /** Only of a time-based copy. */
  readonly timeBased: TimeBased | undefined;
}

export interface TimeBased {
  readonly minutes: number;
  readonly clockStartsAt: number;
  readonly dueAt: number;
  readonly mibPerSecond: number;
}

/** A permission to use the snapshot. A change takes a while to have effect. */
export interface Share {
  readonly granted: boolean;
  readonly effectiveAt: number;
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SnapshotTierStatus.html */
export interface TierStatus {
  readonly operation:
    | 'archival-in-progress'
    | 'archival-completed'
    | 'temporary-restore-in-progress'
    | 'temporary-restore-completed'
    | 'permanent-restore-in-progress'
    | 'permanent-restore-completed';
  readonly startedAt: number;
  readonly archivedAt: number | undefined;
  readonly restoreExpiresAt: number | undefined;
}

/** https://docs.aws.amazon.com/ebs/latest/userguide/ebs-snapshot-lock.html */
export interface Lock {
  readonly mode: 'governance' | 'compliance';
  readonly createdAt: number;
  readonly durationDays: number;
  /** Undefined while the snapshot is pending: the duration counts from its completion. */
  readonly startsAt: number | undefined;
  readonly expiresAt: number | undefined;
  readonly coolOffHours: number | undefined;
  readonly coolOffEndsAt: number | undefined;
}

const GIB = 2 ** 30;

/** "The size of all the blocks that were written": https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html */
export function fullSizeInBytes({ sizeGiB }: Snapshot, writtenShare: number): number {
  return Math.round(sizeGiB * GIB * writtenShare);
}

/**
 * A percentage as text; empty at first (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html).
 * A member of a multi-volume set that is ready before the others stays at 99 %.
 */
export function progressOf(snapshot: Snapshot, now: number): string {
  if (snapshot.state === 'error') return `${sharePercent(snapshot, snapshot.endedAt ?? now)}%`;
  if (snapshot.state !== 'pending') return '100%';
  const percent = sharePercent(snapshot, now);
  return percent < 2 ? '' : `${percent}%`;
}

function sharePercent({ work, copy }: Snapshot, at: number): number {
  // An error copy that never moved anything stays at 0 % (third-party report).
  if (copy !== undefined && copy.metadataAt === undefined) return 0;
  if (work.takesMs <= 0) return 99;
  return Math.min(99, Math.max(0, Math.floor(((at - work.startsAt) / work.takesMs) * 100)));
}

/** Whether a copy shows its size and encryption yet. */
export function metadataShows({ copy }: Snapshot, now: number): boolean {
  return copy === undefined || (copy.metadataAt !== undefined && now >= copy.metadataAt);
}

export type Access = 'owner' | 'shared' | 'public';

/**
 * How an account may use a snapshot, if at all: only its Region's snapshots, own, shared or public.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html
 */
export function accessOf(snapshot: Snapshot, account: string, now: number): Access | undefined {
  if (snapshot.account === account) return 'owner';
  if (isInEffect(snapshot.shares.get(account), now)) return 'shared';
  return isInEffect(snapshot.publicShare, now) ? 'public' : undefined;
}

export function isInEffect(share: Share | undefined, now: number): boolean {
  return share !== undefined && share.granted === now >= share.effectiveAt;
}

const NO_TAGS: ReadonlyMap<string, string> = new Map();

/** The tags that an account sees on the snapshot: its own. */
export function tagsSeenBy(snapshot: Snapshot, account: string): ReadonlyMap<string, string> {
  return snapshot.tags.get(account) ?? NO_TAGS;
}
