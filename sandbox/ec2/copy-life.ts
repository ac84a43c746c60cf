import type { Caller } from '../accounts.ts';
import type { FoundKey } from '../kms/key-store.ts';
import { KEY_NOT_ACCESSIBLE } from './encryption.ts';
import { decideTransfer } from './lineage.ts';
import type { CopyFacts, Snapshot } from './snapshot.ts';
import { addSnapshot, endSnapshot } from './snapshot-life.ts';
import type { Tags } from './tags.ts';
import { planTimeBased } from './time-based.ts';
import type { Ec2World } from './world.ts';

/** A copy that CopySnapshot accepts. */
export interface AcceptedCopy {
  /** Undefined = there is no such snapshot, or not for this account. */
  readonly source: Snapshot | undefined;
  readonly sourceSnapshotId: string;
  readonly sourceRegion: string;
  readonly description: string;
  /** Undefined = the copy is not encrypted. */
  readonly key: FoundKey | undefined;
  readonly minutes: number | undefined;
  readonly outpostArn: string | undefined;
  readonly localZone: string | undefined;
  readonly ownTags: Tags;
}

/**
 * What EC2 shows as the volume of a copy: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 * calls it arbitrary; the value is that of third-party reports.
 */
const ARBITRARY_VOLUME = 'vol-ffffffff';

/** Begins a copy, which ends by itself later, as `completed` or `error`. */
export function beginCopy(world: Ec2World, caller: Caller, wanted: AcceptedCopy): Snapshot {
  const snapshotId = world.newSnapshotId();
  const problem = problemAtStart(world, caller, wanted, snapshotId);
  const kmsKeyArn = wanted.key !== undefined && 'key' in wanted.key ? wanted.key.key.arn : undefined;
  const basics = {
    snapshotId,
    account: caller.account,
    region: caller.region,
    outpostArn: wanted.outpostArn,
    localZone: wanted.localZone,
    volumeId: ARBITRARY_VOLUME,
    description: wanted.description,
    kmsKeyArn,
    ownTags: wanted.ownTags,
  };
  const origin = {
    sourceSnapshotId: wanted.sourceSnapshotId,
    sourceRegion: wanted.sourceRegion,
    sourceAccount: wanted.source?.account,
    sourceKmsKeyArn: wanted.source?.kmsKeyArn,
  };
  if (wanted.source === undefined || problem !== undefined) {
    const takesSeconds = world.settings.copyFailsAfterSeconds;
    const copy = {
      ...origin,
      incremental: false,
      basedOn: undefined,
      gibMoved: 0,
      metadataAt: undefined,
      timeBased: undefined,
    };
    const snapshot = addSnapshot(world, {
      ...basics,
      copy,
      sizeGiB: 0,
      lineage: wanted.source?.lineage ?? { volumeId: ARBITRARY_VOLUME, sequence: 0 },
      work: { startsAt: world.now, takesMs: takesSeconds * 1000 },
    });
    world.after(takesSeconds, () => endCopy(world, snapshot, copy, problem));
    return snapshot;
  }
  return beginTransfer(world, caller, wanted, wanted.source, basics, origin);
}

type CopyBasics = Pick<
  Snapshot,
  'snapshotId' | 'account' | 'region' | 'outpostArn' | 'localZone' | 'volumeId' | 'description' | 'kmsKeyArn'
> & { readonly ownTags: Tags };
type CopyOrigin = Pick<CopyFacts, 'sourceSnapshotId' | 'sourceRegion' | 'sourceAccount' | 'sourceKmsKeyArn'>;

function beginTransfer(
  world: Ec2World,
  caller: Caller,
  wanted: AcceptedCopy,
  source: Snapshot,
  basics: CopyBasics,
  origin: CopyOrigin,
): Snapshot {
  const { settings } = world;
  const earlier = world.snapshots.copiesOfVolume(caller, source.lineage.volumeId);
  const transfer = decideTransfer(source, basics, earlier, settings);
  const plainSeconds = settings.copyTakesSeconds({
    gib: transfer.gibMoved,
    incremental: transfer.incremental,
    sourceRegion: wanted.sourceRegion,
    destinationRegion: caller.region,
    sourceSnapshotId: wanted.sourceSnapshotId,
  });
  const plan =
    wanted.minutes === undefined
      ? undefined
      : planTimeBased(world, caller, {
          minutes: wanted.minutes,
          gib: transfer.gibMoved,
          sourceSnapshotId: wanted.sourceSnapshotId,
          plainSeconds,
        });
  const subject = {
    account: caller.account,
    region: caller.region,
    destinationRegion: caller.region,
    sourceSnapshotId: wanted.sourceSnapshotId,
  };
  const slow = world.faults.take('slow-copy', subject);
  const failure = world.faults.take('copy-error', subject);
  const fairSeconds = plan?.takesSeconds ?? plainSeconds;
  const takesSeconds = slow?.seconds ?? fairSeconds * (slow?.factor ?? 1);
  const startsAt = plan?.timeBased.clockStartsAt ?? world.now;
  const metadataMs = Math.min(settings.copyMetadataAfterSeconds * 1000, takesSeconds * 100);
  const copy: CopyFacts = {
    ...origin,
    ...transfer,
    metadataAt: startsAt + metadataMs,
    timeBased: plan?.timeBased,
  };
  const snapshot = addSnapshot(world, {
    ...basics,
    copy,
    sizeGiB: source.sizeGiB,
    lineage: source.lineage,
    work: { startsAt, takesMs: takesSeconds * 1000 },
  });
  const waitSeconds = (startsAt - world.now) / 1000;
  if (failure === undefined) {
    world.after(waitSeconds + takesSeconds, () => {
      endCopy(world, snapshot, copy, problemAtEnd(world, caller, snapshot, source));
    });
  } else {
    world.after(waitSeconds + takesSeconds * failure.afterShare, () => {
      endCopy(world, snapshot, copy, failure.stateMessage);
    });
  }
  if (plan !== undefined) {
    world.after((plan.timeBased.dueAt - world.now) / 1000, () => {
      if (snapshot.state === 'pending') world.events.missedCompletionDuration(snapshot, copy);
    });
  }
  return snapshot;
}

function endCopy(world: Ec2World, snapshot: Snapshot, copy: CopyFacts, problem: string | undefined): void {
  if (endSnapshot(world, snapshot, problem)) world.events.copySnapshot(snapshot, copy);
}

/**
 * Why the copy cannot work, in the words of a StateMessage. The first two and the key's are those of
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html and third-party reports; that of an archived
 * source (https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive.html: cannot be copied) is unconfirmed.
 */
function problemAtStart(
  world: Ec2World,
  caller: Caller,
  { source, key }: AcceptedCopy,
  copyId: string,
): string | undefined {
  if (source === undefined) return SOURCE_NOT_FOUND;
  if (source.state !== 'completed') return 'Source snapshot is not complete';
  if (source.storageTier === 'archive') return 'Source snapshot is archived';
  if (key !== undefined && 'problem' in key) return KEY_NOT_ACCESSIBLE;
  return keysProblem(world, caller, source, key?.key.arn, copyId);
}

/**
 * What must hold until the end: the source is there and shared (unconfirmed, whether a copy fails that has begun), and both
 * keys work (https://docs.aws.amazon.com/kms/latest/developerguide/services-ebs.html).
 */
function problemAtEnd(world: Ec2World, caller: Caller, copy: Snapshot, source: Snapshot): string | undefined {
  const there = world.access({ ...caller, region: source.region }, source.snapshotId);
  if (there === undefined) return SOURCE_NOT_FOUND;
  return keysProblem(world, caller, source, copy.kmsKeyArn, copy.snapshotId);
}

const SOURCE_NOT_FOUND = 'Source snapshot is not found';

/** EC2 reads with the source's key and writes with the copy's, in the name of the caller. */
function keysProblem(
  { settings: { keys } }: Ec2World,
  caller: Caller,
  source: Snapshot,
  kmsKeyArn: string | undefined,
  copyId: string,
): string | undefined {
  const canRead =
    source.kmsKeyArn === undefined ||
    'key' in keys.usableByEc2({ ...caller, region: source.region }, source.kmsKeyArn, ebsIdOf(source));
  const canWrite = kmsKeyArn === undefined || 'key' in keys.usableByEc2(caller, kmsKeyArn, copyId);
  return canRead && canWrite ? undefined : KEY_NOT_ACCESSIBLE;
}

/**
 * What the data key of a snapshot is bound to: its volume, or, if it is a copy, itself.
 * https://docs.aws.amazon.com/kms/latest/developerguide/services-ebs.html
 */
function ebsIdOf({ copy, volumeId, snapshotId }: Snapshot): string {
  return copy === undefined ? volumeId : snapshotId;
}
