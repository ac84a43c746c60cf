import { Ec2Error } from './ec2-error.ts';
import { runningLock } from './lock.ts';
import type { Snapshot } from './snapshot.ts';
import { metadataShows } from './snapshot.ts';
import type { Tags } from './tags.ts';
import { pendingSnapshotsAllowed, type Volume } from './volume.ts';
import type { Ec2World } from './world.ts';

/** What differs from one new snapshot to the other. */
export type SnapshotBasics = Pick<
  Snapshot,
  | 'account'
  | 'region'
  | 'outpostArn'
  | 'localZone'
  | 'volumeId'
  | 'description'
  | 'sizeGiB'
  | 'kmsKeyArn'
  | 'lineage'
  | 'copy'
  | 'work'
> & {
  /** The owner's tags, there from the first moment. */
  readonly ownTags: Tags;
  /** Default: a new one. */
  readonly snapshotId?: string;
  /** Default: now. */
  readonly startedAt?: number;
};

/** Puts a pending snapshot into the world. */
export function addSnapshot(world: Ec2World, { ownTags, ...basics }: SnapshotBasics): Snapshot {
  const snapshot: Snapshot = {
    startedAt: world.now,
    ...basics,
    snapshotId: basics.snapshotId ?? world.newSnapshotId(),
    ordinal: world.snapshots.nextOrdinal(),
    state: 'pending',
    stateMessage: undefined,
    endedAt: undefined,
    storageTier: 'standard',
    tier: undefined,
    lock: undefined,
    bin: undefined,
    deletionRequested: false,
    gone: false,
    heldBy: new Set(),
    tags: new Map([[basics.account, ownTags]]),
    shares: new Map(),
    publicShare: undefined,
  };
  world.snapshots.add(snapshot);
  return snapshot;
}

/** Room for so many more snapshots of an account in a Region? */
export function checkSnapshotQuota(world: Ec2World, caller: { account: string; region: string }, more: number): void {
  if (world.snapshots.ownedBy(caller).size + more <= world.settings.snapshotsPerRegion) return;
  throw new Ec2Error(
    'SnapshotLimitExceeded',
    `You have reached the limit of ${world.settings.snapshotsPerRegion} snapshots in this Region.`,
  );
}

/** https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html */
export function checkPendingQuota(world: Ec2World, volume: Volume): void {
  const allowed = pendingSnapshotsAllowed(volume.type);
  let pending = 0;
  for (const snapshot of world.snapshots.pendingIn(volume.region)) {
    if (snapshot.copy === undefined && snapshot.volumeId === volume.volumeId) pending++;
  }
  if (pending < allowed) return;
  throw new Ec2Error(
    'ConcurrentSnapshotLimitExceeded',
    `Maximum allowed in-progress snapshots for a single volume exceeded (${allowed} for ${volume.type}).`,
  );
}

/** A snapshot of a volume; it is pending, and nothing ends it yet. */
export function snapshotVolume(
  world: Ec2World,
  volume: Volume,
  wanted: Pick<SnapshotBasics, 'description' | 'outpostArn' | 'localZone' | 'ownTags'>,
): Snapshot {
  volume.snapshotsTaken += 1;
  return addSnapshot(world, {
    ...wanted,
    account: volume.account,
    region: volume.region,
    volumeId: volume.volumeId,
    sizeGiB: volume.sizeGiB,
    kmsKeyArn: volume.kmsKeyArn,
    lineage: { volumeId: volume.volumeId, sequence: volume.snapshotsTaken },
    copy: undefined,
    work: { startsAt: world.now, takesMs: world.settings.snapshotTakesSeconds(volume.sizeGiB) * 1000 },
  });
}

/**
 * The snapshot is `completed`, or `error` with the reason. Answers whether it still exists: if its deletion was asked
 * for while it was pending, it goes now (https://docs.aws.amazon.com/ebs/latest/userguide/ebs-deleting-snapshot.html),
 * and no event tells of its end (third-party report).
 */
export function endSnapshot(world: Ec2World, snapshot: Snapshot, problem: string | undefined): boolean {
  snapshot.endedAt = world.now;
  snapshot.state = problem === undefined ? 'completed' : 'error';
  snapshot.stateMessage = problem;
  world.snapshots.ended(snapshot);
  if (snapshot.deletionRequested) {
    discard(world, snapshot);
    return false;
  }
  const { lock } = snapshot;
  if (lock !== undefined) {
    // https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-lock-concepts.html: the lock of a pending snapshot
    // begins when it completes, and is dropped if it fails.
    snapshot.lock = problem === undefined ? runningLock(lock, world.now) : undefined;
    world.events.lockSnapshot(snapshot, lock.createdAt);
  }
  return true;
}

/**
 * Deletes a snapshot, or puts it into the recycle bin where the account keeps deleted snapshots:
 * https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin.html
 */
export function discard(world: Ec2World, snapshot: Snapshot): void {
  const days = world.settingsOf(snapshot).keepDeletedDays;
  if (days === undefined || snapshot.state !== 'completed') {
    world.snapshots.remove(snapshot);
    return;
  }
  const seconds = days * 86_400;
  snapshot.state = 'recoverable';
  snapshot.deletionRequested = false;
  const bin = { enteredAt: world.now, exitAt: world.now + seconds * 1000 };
  snapshot.bin = bin;
  world.after(seconds, () => {
    if (snapshot.bin === bin) world.snapshots.remove(snapshot);
  });
}

/** What EC2 says beside the state: while a copy's metadata do not show yet, that (third-party report). */
export function stateMessageOf(snapshot: Snapshot, now: number): string | undefined {
  if (snapshot.state === 'pending' && !metadataShows(snapshot, now)) return 'Metadata not updated';
  return snapshot.stateMessage;
}
