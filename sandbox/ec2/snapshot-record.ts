import type { SnapshotState } from '../../core/snapshot.ts';
import { isInEffect, type Lineage, progressOf, type Snapshot, tagsSeenBy } from './snapshot.ts';

/** A snapshot with all that the sandbox knows of it, at one moment: for tests, the demo and measurements. */
export interface SnapshotRecord {
  readonly snapshotId: string;
  readonly account: string;
  readonly region: string;
  readonly outpostArn: string | undefined;
  readonly localZone: string | undefined;
  /** What EC2 shows; arbitrary for a copy, see `lineage`. */
  readonly volumeId: string;
  readonly description: string;
  readonly sizeGiB: number;
  readonly kmsKeyArn: string | undefined;
  readonly state: SnapshotState;
  readonly stateMessage: string | undefined;
  /** As EC2 shows it, for example `42%`; empty at first. */
  readonly progress: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds since 1970; when it became `completed` or `error`. */
  readonly endedAt: number | undefined;
  readonly storageTier: 'standard' | 'archive';
  readonly locked: boolean;
  readonly deletionRequested: boolean;
  /** The owner's tags. */
  readonly tags: Readonly<Record<string, string>>;
  readonly sharedWith: readonly string[];
  readonly public: boolean;
  /** The volume that the data come from, through any number of copies, and the how manieth snapshot of it. */
  readonly lineage: Lineage;
  readonly copy: CopyRecord | undefined;
}

interface CopyRecord {
  readonly sourceSnapshotId: string;
  readonly sourceRegion: string;
  /** Undefined if EC2 did not find the source. */
  readonly sourceAccount: string | undefined;
  readonly incremental: boolean;
  /** The earlier copy that only the difference to was moved. */
  readonly basedOn: string | undefined;
  readonly gibMoved: number;
  readonly completionDurationMinutes: number | undefined;
}

export function recordOf(snapshot: Snapshot, now: number): SnapshotRecord {
  const { copy } = snapshot;
  return {
    snapshotId: snapshot.snapshotId,
    account: snapshot.account,
    region: snapshot.region,
    outpostArn: snapshot.outpostArn,
    localZone: snapshot.localZone,
    volumeId: snapshot.volumeId,
    description: snapshot.description,
    sizeGiB: snapshot.sizeGiB,
    kmsKeyArn: snapshot.kmsKeyArn,
    state: snapshot.state,
    stateMessage: snapshot.stateMessage,
    progress: progressOf(snapshot, now),
    startedAt: snapshot.startedAt,
    endedAt: snapshot.endedAt,
    storageTier: snapshot.storageTier,
    locked: snapshot.lock !== undefined,
    deletionRequested: snapshot.deletionRequested,
    tags: Object.fromEntries(tagsSeenBy(snapshot, snapshot.account)),
    sharedWith: [...snapshot.shares].filter(([, share]) => isInEffect(share, now)).map(([account]) => account),
    public: isInEffect(snapshot.publicShare, now),
    lineage: snapshot.lineage,
    copy: copy && {
      sourceSnapshotId: copy.sourceSnapshotId,
      sourceRegion: copy.sourceRegion,
      sourceAccount: copy.sourceAccount,
      incremental: copy.incremental,
      basedOn: copy.basedOn,
      gibMoved: copy.gibMoved,
      completionDurationMinutes: copy.timeBased?.minutes,
    },
  };
}
