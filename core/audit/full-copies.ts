import { COPIER_TAG } from '../copier-tags.ts';
import { isGivenUp } from '../existing-copies.ts';
import type { Snapshot } from '../snapshot.ts';
import { isArbitraryVolume } from '../volume-of-copy.ts';
import { at, byText, dataTimeOf, isOf, placeOf } from './copies.ts';
import type { Evidence } from './evidence.ts';

/**
 * What EC2's rule makes of a copy. EC2 shows it nowhere but in the event of the copy's end, so this is computed from the
 * copies that exist now: one that was deleted, or archived, since may have changed it.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html#ebs-incremental-copy
 */
export type Transfer =
  /** There is no older copy of the volume at the place, so it had to be full. */
  | { readonly kind: 'first' }
  | { readonly kind: 'incremental' }
  /** Where incremental was expected; the reason is one sentence without a full stop. */
  | { readonly kind: 'full'; readonly reason: string };

/**
 * Of every complete copy of this install, by its id. Left out are copies whose volume is not known, and those within one
 * account and Region: there EC2 decides by the source's key alone, so none is a surprise.
 */
export function transfers({ copies, install }: Pick<Evidence, 'copies' | 'install'>): ReadonlyMap<string, Transfer> {
  const lineages = Map.groupBy(
    copies.filter((copy) => {
      const volumeId = copy.tags[COPIER_TAG.sourceVolume];
      const isComplete = copy.state === 'completed' || copy.state === 'pending';
      return isComplete && volumeId !== undefined && !isArbitraryVolume(volumeId);
    }),
    (copy) => at(placeOf(copy), copy.tags[COPIER_TAG.sourceVolume]),
  );
  const found = new Map<string, Transfer>();
  for (const lineage of lineages.values()) {
    for (const { copy, transfer } of transfersIn(lineage)) {
      if (isOf(copy, install.name) && !isGivenUp(copy) && !staysHome(copy, install.account)) {
        found.set(copy.snapshotId, transfer);
      }
    }
  }
  return found;
}

/** A copy that moved everything although the volume had been copied there before. */
export interface FullCopy {
  readonly copyId: string;
  readonly destination: string;
  readonly volumeId: string;
  /** Its source. */
  readonly snapshotId: string;
  readonly sizeGiB: number;
  /** In one sentence without a full stop. */
  readonly reason: string;
}

/** Those among the copies of data of the time that is audited; see `Transfer` for how sure that is. */
export function fullCopies(
  { copies, since }: Pick<Evidence, 'copies' | 'since'>,
  known: ReadonlyMap<string, Transfer>,
): readonly FullCopy[] {
  return copies
    .flatMap((copy): readonly FullCopy[] => {
      const transfer = known.get(copy.snapshotId);
      const dataTime = dataTimeOf(copy);
      const { [COPIER_TAG.sourceVolume]: volumeId, [COPIER_TAG.sourceSnapshot]: snapshotId } = copy.tags;
      if (transfer?.kind !== 'full' || dataTime === undefined || dataTime < since.getTime()) return [];
      if (volumeId === undefined || snapshotId === undefined) return [];
      const { snapshotId: copyId, sizeGiB } = copy;
      return [{ copyId, destination: placeOf(copy), volumeId, snapshotId, sizeGiB, reason: transfer.reason }];
    })
    .toSorted((a, b) => byText(a.destination, b.destination) || byText(a.copyId, b.copyId));
}

/** @param lineage all copies of one volume at one place, of whatever install: EC2 does not ask whose they are. */
function* transfersIn(
  lineage: readonly Snapshot[],
): Generator<{ readonly copy: Snapshot; readonly transfer: Transfer }> {
  const begun = lineage.toSorted((a, b) => byText(a.startTime, b.startTime) || byText(a.snapshotId, b.snapshotId));
  const ended = begun
    .flatMap((copy) => (copy.completionTime === undefined || isAtOnce(copy) ? [] : [{ copy, at: copy.completionTime }]))
    .toSorted((a, b) => byText(a.at, b.at));
  // What was complete when the copy at hand began: the newest, and one of each key.
  let newest: Snapshot | undefined;
  const byKey = new Map<string | undefined, Snapshot>();
  const add = (copy: Snapshot): void => {
    if (newest === undefined || copy.startTime >= newest.startTime) newest = copy;
    byKey.set(copy.kmsKeyId, copy);
  };
  let next = 0;
  for (const [index, copy] of begun.entries()) {
    for (let end = ended[next]; end !== undefined && end.at <= copy.startTime; end = ended[next]) {
      add(end.copy);
      next += 1;
    }
    if (copy.state !== 'completed') continue;
    yield { copy, transfer: transferOf(copy, begun[index - 1], newest, byKey) };
    if (isAtOnce(copy)) add(copy);
  }
}

/** EC2 need not say when a copy was complete: then it counts as complete at once. */
function isAtOnce({ state, startTime, completionTime }: Snapshot): boolean {
  return state === 'completed' && (completionTime === undefined || completionTime <= startTime);
}

/**
 * @param before the one that was begun last before it
 * @param newest the newest that was complete when it began
 */
function transferOf(
  copy: Snapshot,
  before: Snapshot | undefined,
  newest: Snapshot | undefined,
  byKey: ReadonlyMap<string | undefined, Snapshot>,
): Transfer {
  if (before === undefined) return { kind: 'first' };
  if (newest === undefined) {
    const reason = `it began while ${before.snapshotId}, an older copy of the volume there, was not complete`;
    return { kind: 'full', reason };
  }
  if (newest.storageTier === 'archive') {
    return { kind: 'full', reason: `${newest.snapshotId}, the newest copy of the volume before it, is archived` };
  }
  const other = [...byKey].find(([key]) => key !== copy.kmsKeyId);
  if (other === undefined) return { kind: 'incremental' };
  const [key = 'no key', { snapshotId }] = other;
  const reason = `it is under ${copy.kmsKeyId ?? 'no key'}, and ${snapshotId}, an older copy of the volume there, is under ${key}`;
  return { kind: 'full', reason };
}

function staysHome({ region, outpostArn, localZone, tags }: Snapshot, account: string): boolean {
  return (
    tags[COPIER_TAG.sourceRegion] === region &&
    tags[COPIER_TAG.sourceAccount] === account &&
    outpostArn === undefined &&
    localZone === undefined
  );
}
