import type { Removal } from './copy-progress.ts';
import type { CopyRequest } from './copy-request.ts';
import { isGivenUp, isOwnCopy } from './existing-copies.ts';
import type { Snapshot } from './snapshot.ts';

export interface RemovalDecision {
  /** What to mark as failed and delete; empty = nothing. */
  readonly copyIds: readonly string[];
  readonly removal: Removal;
}

/**
 * Which snapshots a failed copy left behind, if any. A complete copy is never removed, whatever failed: starting again
 * adopts it. Only one that was given up before (tag `failed`) goes even if it became complete, for nobody may adopt it.
 * Nothing is removed that does not carry this install's tags for this source.
 *
 * @param copyId the copy, if StartCopy came to know it.
 * @param candidates what EC2 shows: that copy, or else all copies of the same volume at the destination.
 */
export function decideRemoval(
  copyId: string | undefined,
  candidates: readonly Snapshot[],
  request: CopyRequest,
  installName: string,
): RemovalDecision {
  if (request.dryRun) return keep('nothingToRemove', 'A dry run makes no copy.');
  const own = candidates.filter((copy) => isOwnCopy(copy, request, installName));
  const leftovers = own.filter(
    (copy) => copy.state === 'pending' || copy.state === 'error' || (copy.state === 'completed' && isGivenUp(copy)),
  );
  const complete = own.find((copy) => copy.state === 'completed' && !isGivenUp(copy));
  const copyIds = leftovers.map(({ snapshotId }) => snapshotId);
  const fates = leftovers.map(fateOf);
  if (complete !== undefined) {
    const detail = [`Copy ${complete.snapshotId} is complete and was kept.`, ...fates].join(' ');
    return { copyIds, removal: { outcome: 'keptComplete', copyId: complete.snapshotId, detail } };
  }
  const [first] = copyIds;
  if (first !== undefined) return { copyIds, removal: { outcome: 'removed', copyId: first, detail: fates.join(' ') } };
  return copyId === undefined || own.length > 0 || candidates.length === 0
    ? keep('nothingToRemove', 'No half-made copy was left behind.')
    : keep('notOurs', `Snapshot ${copyId} lacks this install's tags and was left alone.`, copyId);
}

function fateOf({ snapshotId, state }: Snapshot): string {
  return state === 'pending'
    ? `Copy ${snapshotId} was marked as failed and deleted; EC2 removes it when the transfer ends.`
    : `Copy ${snapshotId} ${state === 'error' ? 'ended in state error' : 'had been given up'} and was deleted.`;
}

function keep(outcome: Removal['outcome'], detail: string, copyId?: string): RemovalDecision {
  return { copyIds: [], removal: { outcome, detail, ...(copyId !== undefined && { copyId }) } };
}
