import { COPIER_TAG } from './copier-tags.ts';
import type { CopyParameters } from './copy-parameters.ts';
import type { CopyRequest } from './copy-request.ts';
import { readEc2Answer } from './ec2-errors.ts';
import type { Snapshot } from './snapshot.ts';
import {
  type ActingInstall,
  actingName,
  claimsFor,
  INTERMEDIATE,
  SOURCE_TAG,
  shareableKeyAlias,
} from './source-account.ts';

/** What to ask of EC2 for a copy of the source under the companion's key, in the source's own account and Region. */
export function intermediateParameters(
  { source }: Pick<CopyRequest, 'source'>,
  install: ActingInstall,
): CopyParameters {
  return {
    sourceRegion: source.region,
    sourceSnapshotId: source.snapshotId,
    description: `${INTERMEDIATE}${source.snapshotId} for ${install.name}`,
    encrypted: true,
    kmsKeyId: shareableKeyAlias(install),
    tags: {
      [SOURCE_TAG.intermediateFor]: actingName(install),
      [SOURCE_TAG.intermediateOf]: source.snapshotId,
      [SOURCE_TAG.intermediateVolume]: source.volumeId,
      [COPIER_TAG.sourceStartTime]: source.startTime,
      // Any value marks what this product made, for rules of whatever install.
      [COPIER_TAG.managed]: install.name,
    },
  };
}

/** The intermediate copies of one source. */
export function intermediatesOf(snapshotId: string, all: readonly Snapshot[]): readonly Snapshot[] {
  return all.filter(({ tags }) => tags[SOURCE_TAG.intermediateOf] === snapshotId);
}

/** Executions that wait for a fresh one may not have claimed it yet. */
const FRESH_FOR_MS = 2 * 3_600_000;
/** A volume of which no newer snapshot came for so long will have none. */
const KEPT_IDLE_FOR_MS = 35 * 86_400_000;

/**
 * The intermediate copies that nobody needs. The newest complete one of a volume stays until the next one of it is
 * complete: AWS does not say what EC2 compares a copy of the next one with, to move only what has changed. So do those
 * that are claimed, fresh or pending.
 */
export function needlessIntermediates(
  all: readonly Snapshot[],
  install: ActingInstall,
  now: Date,
): readonly Snapshot[] {
  const age = (time: string): number => now.getTime() - Date.parse(time);
  const groups = Map.groupBy(all, ({ tags }) => tags[SOURCE_TAG.intermediateVolume] ?? '');
  return [...groups.values()].flatMap((ofVolume) => {
    const newest = ofVolume
      .filter(({ state }) => state === 'completed')
      .toSorted((a, b) => Date.parse(takenAt(b)) - Date.parse(takenAt(a)))
      .at(0);
    return ofVolume.filter((each) => {
      if (each.state === 'error') return true;
      if (each.state !== 'completed' || claimsFor(install.account, each).length > 0) return false;
      const since = age(each.completionTime ?? each.startTime);
      return each === newest ? since > KEPT_IDLE_FOR_MS : since > FRESH_FOR_MS;
    });
  });
}

/** Whether an error of DeleteSnapshot says that somebody keeps the snapshot: an AMI is registered of it, or it is locked. */
export function isKept({ message }: Error): boolean {
  const { call, code } = readEc2Answer(message) ?? {};
  return call === 'DeleteSnapshot' && (code === 'InvalidSnapshot.InUse' || code === 'OperationNotPermitted');
}

/** When the data were taken. */
function takenAt({ tags, startTime }: Snapshot): string {
  return tags[COPIER_TAG.sourceStartTime] ?? startTime;
}
