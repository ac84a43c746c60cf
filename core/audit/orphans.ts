import { COPIER_TAG } from '../copier-tags.ts';
import { destinationId } from '../destination.ts';
import { isGivenUp } from '../existing-copies.ts';
import { BY_HAND } from '../hand-request.ts';
import { selectDestinations } from '../selection.ts';
import type { Snapshot } from '../snapshot.ts';
import { at, byText, dataTimeOf, isOf, placeOf } from './copies.ts';
import type { Evidence } from './evidence.ts';
import type { Pair } from './pairs.ts';

/**
 * A copy of this install that nothing asks for now. `source-gone`: its source does not exist any more, or is not shared
 * any more; that is how it should be where sources are kept for a shorter time. `not-selected`: its source is there, and
 * no rule wants it at this place. `untraceable`: it lacks the tags that say what it is a copy of.
 */
export interface Orphan {
  readonly copyId: string;
  readonly destination: string;
  readonly kind: 'source-gone' | 'not-selected' | 'untraceable';
  /** In one sentence without a full stop. */
  readonly reason: string;
  /** As its tags say. */
  readonly snapshotId?: string;
  readonly volumeId?: string;
  /** Milliseconds since 1970. */
  readonly dataTime?: number;
  readonly sizeGiB: number;
}

/**
 * The orphans among the copies of data of the time that is audited: whether an older source exists is not looked up.
 * Of a source in a Region or account that could not be looked into nothing is known, so its copies are left out.
 */
export function findOrphans(evidence: Evidence, pairs: readonly Pair[]): readonly Orphan[] {
  const { copies, install, since, sources, sourceRegions, unseen } = evidence;
  const wanted = new Set(pairs.map(({ source, destination }) => at(destinationId(destination), source.snapshotId)));
  const sourceOf = new Map(sources.map((source) => [source.snapshotId, source]));
  const found = copies.flatMap((copy): Orphan[] => {
    if (!isOf(copy, install.name) || isGivenUp(copy) || (copy.state !== 'completed' && copy.state !== 'pending')) {
      return [];
    }
    const destination = placeOf(copy);
    const snapshotId = copy.tags[COPIER_TAG.sourceSnapshot];
    const volumeId = copy.tags[COPIER_TAG.sourceVolume];
    const dataTime = dataTimeOf(copy);
    if (wanted.has(at(destination, snapshotId))) return [];
    const orphan = {
      copyId: copy.snapshotId,
      destination,
      sizeGiB: copy.sizeGiB,
      ...(snapshotId !== undefined && { snapshotId }),
      ...(volumeId !== undefined && { volumeId }),
      ...(dataTime !== undefined && { dataTime }),
    };
    if (snapshotId === undefined || dataTime === undefined) {
      const lacks = snapshotId === undefined ? COPIER_TAG.sourceSnapshot : COPIER_TAG.sourceStartTime;
      return [{ ...orphan, kind: 'untraceable', reason: `it lacks the tag ${lacks}, or what it says makes no sense` }];
    }
    if (dataTime < since.getTime()) return [];
    const source = sourceOf.get(snapshotId);
    if (source !== undefined) {
      // Somebody wanted it, whatever the rules say.
      if (copy.tags[COPIER_TAG.rule] === BY_HAND) return [];
      return [{ ...orphan, kind: 'not-selected', reason: whyNotSelected(source, destination, evidence) }];
    }
    const region = copy.tags[COPIER_TAG.sourceRegion] ?? install.region;
    const owner = copy.tags[COPIER_TAG.sourceAccount] ?? install.account;
    const isUnseen = unseen.some((each) => each.account === owner && each.region === region);
    if (!sourceRegions.includes(region) || isUnseen) return [];
    return [{ ...orphan, kind: 'source-gone', reason: whyGone(snapshotId, region, owner, evidence) }];
  });
  return found.toSorted((a, b) => byText(a.destination, b.destination) || byText(a.copyId, b.copyId));
}

function whyNotSelected(source: Snapshot, place: string, { rules, install }: Evidence): string {
  if (source.region !== install.region) {
    return `its source ${source.snapshotId} is in ${source.region}, and ${install.name} serves ${install.region}`;
  }
  const wishes = selectDestinations({ ...source, storageTier: 'standard' }, rules, install).filter(
    ({ destination }) => destinationId(destination) === place,
  );
  if (wishes.length === 0) return `no rule copies to ${place}`;
  return wishes
    .map(({ action, rule, reason }) => (action === 'copy' ? `rule ${rule.name} only rehearses (dryRun)` : reason))
    .join('; ');
}

function whyGone(snapshotId: string, region: string, owner: string, { install, companions }: Evidence): string {
  return owner === install.account || companions.includes(owner)
    ? `its source ${snapshotId} is not in ${region} any more`
    : `its source ${snapshotId} is not in ${region} any more, or account ${owner} does not share it any more`;
}
