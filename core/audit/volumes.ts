import { COPIER_TAG } from '../copier-tags.ts';
import { destinationId } from '../destination.ts';
import { isGivenUp } from '../existing-copies.ts';
import type { CopyRule } from '../rules.ts';
import type { Snapshot } from '../snapshot.ts';
import { isArbitraryVolume } from '../volume-of-copy.ts';
import { at, byText, dataTimeOf, isOf, placeOf } from './copies.ts';
import { encryptionProblem } from './encryption.ts';
import type { Evidence } from './evidence.ts';
import { isSafe, type JudgedPair } from './pairs.ts';

/** The newest data of a volume that are safe at a destination. */
interface NewestCopy {
  readonly copyId: string;
  /** Its source snapshot. */
  readonly snapshotId: string;
  /** Milliseconds since 1970: when the data were taken, not when they were copied. */
  readonly dataTime: number;
}

/**
 * `kept`: the newest good copy is young enough. `broken`: it is not, or there is none. `starting`: there is none, and the
 * first snapshot is younger than the RPO. `ended`: the volume is deleted, so its data grow no older. `unknown`: EC2 does
 * not tell which volume it is.
 */
export type RpoStatus = 'kept' | 'broken' | 'starting' | 'ended' | 'unknown';

export interface VolumeAtDestination {
  /** `destinationId`. */
  readonly destination: string;
  readonly newestCopy?: NewestCopy;
  readonly rpo: RpoStatus;
  readonly pairs: readonly JudgedPair[];
}

export interface AuditedVolume {
  readonly volumeId: string;
  readonly name?: string;
  readonly sizeGiB: number;
  /** 12 digits. */
  readonly ownerId: string;
  /** `unknown`: another account's, or EC2 could not be asked. */
  readonly state: 'exists' | 'deleted' | 'unknown';
  /**
   * `unprotected`: the RPO is broken at a destination. `gaps`: it is kept, but a snapshot of the time that is audited has
   * no good copy.
   */
  readonly status: 'protected' | 'gaps' | 'unprotected';
  /** The newest snapshot of it that a rule selects, or the source of its newest copy if that is all there is. */
  readonly newestSnapshot: { readonly snapshotId: string; readonly time: number };
  /** The volume is there, and that newest one is older than the RPO. */
  readonly hasStopped: boolean;
  /** How many newer snapshots of it no rule selects. */
  readonly newerUnselected: number;
  readonly destinations: readonly VolumeAtDestination[];
}

/** A volume that has copies, but no snapshot in the time that is audited, and of which EC2 does not tell whether it exists. */
export interface UnseenVolume {
  readonly volumeId: string;
  readonly ownerId: string;
  readonly newestSnapshot: { readonly snapshotId: string; readonly time: number };
}

/** Of which volumes EC2 should be asked whether they exist: those of this account. */
export function volumesToAsk(evidence: Omit<Evidence, 'volumes'>, pairs: readonly JudgedPair[]): readonly string[] {
  const known = [...pairs.map(({ source }) => source), ...goodCopies(evidence, pairs)];
  const own = known.filter(
    ({ ownerId, volumeId }) => ownerId === evidence.install.account && !isArbitraryVolume(volumeId),
  );
  return [...new Set(own.map(({ volumeId }) => volumeId))].toSorted();
}

/** The volumes of the pairs, and those whose snapshots stopped before; worst first. */
export function auditVolumes(
  evidence: Evidence,
  pairs: readonly JudgedPair[],
): { readonly volumes: readonly AuditedVolume[]; readonly unseen: readonly UnseenVolume[] } {
  const copiesOf = Map.groupBy(goodCopies(evidence, pairs), ({ volumeId }) => volumeId);
  const pairsOf = Map.groupBy(pairs, ({ source }) => source.volumeId);
  const sourcesOf = Map.groupBy(evidence.sources, ({ volumeId }) => volumeId);
  const volumes = [...pairsOf].map(([volumeId, own]) =>
    auditVolume(own, copiesOf.get(volumeId) ?? [], sourcesOf.get(volumeId), evidence),
  );
  const unseen: UnseenVolume[] = [];
  const unknown = new Set(evidence.unseen.map(({ account }) => account));
  for (const [volumeId, copies] of copiesOf) {
    // One that has other snapshots has not stopped: no rule selects it any more.
    if (pairsOf.has(volumeId) || sourcesOf.has(volumeId) || isArbitraryVolume(volumeId)) continue;
    const { ownerId, snapshotId, dataTime } = newestOf(copies);
    // That its account could not be looked into is a finding of its own.
    if (unknown.has(ownerId)) continue;
    const asked = evidence.volumes.get(volumeId);
    const isThere = asked === undefined ? !isOlder(dataTime, evidence) : asked.exists;
    if (isThere) volumes.push(auditVolume([], copies, undefined, evidence));
    else if (asked === undefined) unseen.push({ volumeId, ownerId, newestSnapshot: { snapshotId, time: dataTime } });
  }
  return {
    volumes: volumes.toSorted(
      (a, b) => rank(a) - rank(b) || byText(titleOf(a), titleOf(b)) || byText(a.volumeId, b.volumeId),
    ),
    unseen: unseen.toSorted((a, b) => byText(a.volumeId, b.volumeId)),
  };
}

/** A snapshot of a volume, whether it is known itself or by its copy. */
interface Known {
  readonly volumeId: string;
  readonly ownerId: string;
  readonly sizeGiB: number;
  readonly snapshotId: string;
  /** Milliseconds since 1970. */
  readonly dataTime: number;
  readonly name?: string;
}

interface GoodCopy extends Known {
  readonly copyId: string;
  readonly destination: string;
}

/** Those of the pairs, and older ones at destinations that their rule still has. */
function goodCopies(evidence: Omit<Evidence, 'volumes'>, pairs: readonly JudgedPair[]): readonly GoodCopy[] {
  const { copies, install } = evidence;
  const ofPairs = pairs.flatMap(({ source, destination, goodCopies }) =>
    goodCopies.map(({ snapshotId: copyId }) => ({ ...known(source), copyId, destination: destinationId(destination) })),
  );
  const audited = new Set(pairs.map(({ source, destination }) => at(destinationId(destination), source.snapshotId)));
  const older = copies.flatMap((copy): GoodCopy[] => {
    const { tags, state, sizeGiB, snapshotId: copyId } = copy;
    const snapshotId = tags[COPIER_TAG.sourceSnapshot];
    const volumeId = tags[COPIER_TAG.sourceVolume];
    const dataTime = dataTimeOf(copy);
    if (snapshotId === undefined || volumeId === undefined || dataTime === undefined) return [];
    if (!isOf(copy, install.name) || state !== 'completed' || isGivenUp(copy)) return [];
    const place = placeOf(copy);
    const destination = destinationOf(copy, place, evidence);
    if (destination === undefined || audited.has(at(place, snapshotId))) return [];
    if (encryptionProblem(copy, destination, undefined, evidence) !== undefined) return [];
    const ownerId = tags[COPIER_TAG.sourceAccount] ?? '';
    return [{ volumeId, ownerId, sizeGiB, snapshotId, dataTime, copyId, destination: place }];
  });
  return [...ofPairs, ...older];
}

function known({ volumeId, ownerId, sizeGiB, snapshotId, startTime, tags }: Snapshot): Known {
  const name = tags['Name'];
  return {
    volumeId,
    ownerId,
    sizeGiB,
    snapshotId,
    dataTime: Date.parse(startTime),
    ...(name !== undefined && { name }),
  };
}

/** The destination that the copy was made for, if its rule still has it and may still select the volume. */
function destinationOf(copy: Snapshot, place: string, { rules, install }: Omit<Evidence, 'volumes'>) {
  const rule = rules.find(({ name, dryRun }) => name === copy.tags[COPIER_TAG.rule] && !dryRun);
  if (rule === undefined || !maySelect(rule, copy, install.account)) return undefined;
  return rule.destinations.find((destination) => destinationId(destination) === place);
}

/** Whether a rule selects snapshots of the volume, as far as the tags of an old copy tell. */
function maySelect({ select: { volumes, owners, regions } }: CopyRule, { tags }: Snapshot, account: string): boolean {
  const owner = tags[COPIER_TAG.sourceAccount] ?? '';
  const isIn = (list: readonly string[] | undefined, value: string | undefined): boolean =>
    list === undefined || list.includes(value ?? '');
  return (
    isIn(volumes, tags[COPIER_TAG.sourceVolume]) &&
    isIn(regions, tags[COPIER_TAG.sourceRegion]) &&
    (isIn(owners, owner) || (owner === account && isIn(owners, 'self')))
  );
}

/**
 * @param pairs of the volume, if any
 * @param copies good ones of the volume; at least one if there are no pairs
 * @param sources all snapshots of the volume, selected or not; undefined if there are none
 */
function auditVolume(
  pairs: readonly JudgedPair[],
  copies: readonly GoodCopy[],
  sources: readonly Snapshot[] | undefined,
  evidence: Evidence,
): AuditedVolume {
  const snapshots: readonly Known[] = pairs.length > 0 ? pairs.map(({ source }) => known(source)) : copies;
  const { volumeId, ownerId, sizeGiB, snapshotId, dataTime, ...newest } = newestOf(snapshots);
  const oldest = snapshots.reduce((least, { dataTime }) => Math.min(least, dataTime), dataTime);
  const asked = evidence.volumes.get(volumeId);
  const state = asked === undefined ? 'unknown' : asked.exists ? 'exists' : 'deleted';
  const name = asked?.name ?? newest.name;

  const pairsAt = Map.groupBy(pairs, ({ destination }) => destinationId(destination));
  const copiesAt = Map.groupBy(copies, ({ destination }) => destination);
  const destinations = [...(pairs.length > 0 ? pairsAt : copiesAt).keys()].toSorted(byText).map((destination) => {
    const there = copiesAt.get(destination);
    const newestCopy = there && newestOf(there);
    return {
      destination,
      ...(newestCopy !== undefined && {
        newestCopy: {
          copyId: newestCopy.copyId,
          snapshotId: newestCopy.snapshotId,
          dataTime: newestCopy.dataTime,
        },
      }),
      rpo: rpoStatus(volumeId, state, newestCopy?.dataTime, oldest, evidence),
      pairs: pairsAt.get(destination) ?? [],
    };
  });
  return {
    volumeId,
    ...(name !== undefined && name !== '' && { name }),
    sizeGiB,
    ownerId,
    state,
    status: statusOf(destinations),
    newestSnapshot: { snapshotId, time: dataTime },
    hasStopped: state !== 'deleted' && !isArbitraryVolume(volumeId) && isOlder(dataTime, evidence),
    newerUnselected: (sources ?? []).filter(({ startTime }) => Date.parse(startTime) > dataTime).length,
    destinations,
  };
}

/** @param list not empty */
function newestOf<Dated extends { readonly dataTime: number }>(list: readonly Dated[]): Dated {
  return list.reduce((newest, other) => (other.dataTime > newest.dataTime ? other : newest));
}

/** @param oldest of the snapshots that should have been copied: without any copy, the volume is at risk since then */
function rpoStatus(
  volumeId: string,
  state: AuditedVolume['state'],
  dataTime: number | undefined,
  oldest: number,
  evidence: Evidence,
): RpoStatus {
  if (isArbitraryVolume(volumeId)) return 'unknown';
  if (state === 'deleted') return 'ended';
  if (isOlder(dataTime ?? oldest, evidence)) return 'broken';
  return dataTime === undefined ? 'starting' : 'kept';
}

function isOlder(time: number, { now, rpoSeconds }: Evidence): boolean {
  return now.getTime() - time > rpoSeconds * 1000;
}

function statusOf(destinations: readonly VolumeAtDestination[]): AuditedVolume['status'] {
  if (destinations.some(({ rpo }) => rpo === 'broken')) return 'unprotected';
  return destinations.every(({ pairs }) => pairs.every(({ verdict }) => isSafe(verdict))) ? 'protected' : 'gaps';
}

function rank({ status }: AuditedVolume): number {
  return { unprotected: 0, gaps: 1, protected: 2 }[status];
}

function titleOf({ name, volumeId }: AuditedVolume): string {
  return name ?? volumeId;
}
