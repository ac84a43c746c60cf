import type { Removal } from './copy-progress.ts';
import type { CopyRequest } from './copy-request.ts';
import { isOwnCopy } from './existing-copies.ts';
import type { Snapshot } from './snapshot.ts';

export type RemovalDecision =
  | { readonly action: 'remove'; readonly removal: Removal & { readonly copyId: string } }
  | { readonly action: 'keep'; readonly removal: Removal };

/**
 * Which snapshot a failed copy left behind, if any. A complete copy is never removed, whatever failed: starting again
 * adopts it. Nothing is removed that does not carry this install's tags for this source.
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
  const complete = own.find((copy) => copy.state === 'completed');
  if (complete !== undefined) {
    return keep('keptComplete', `Copy ${complete.snapshotId} is complete and was kept.`, complete.snapshotId);
  }
  const leftover = own.find((copy) => copy.state === 'pending' || copy.state === 'error');
  if (leftover === undefined) {
    return copyId === undefined || own.length > 0 || candidates.length === 0
      ? keep('nothingToRemove', 'No half-made copy was left behind.')
      : keep('notOurs', `Snapshot ${copyId} lacks this install's tags and was left alone.`, copyId);
  }
  const how =
    leftover.state === 'pending'
      ? 'was marked as failed and deleted; EC2 removes it when the transfer ends'
      : 'ended in state error and was deleted';
  return {
    action: 'remove',
    removal: { outcome: 'removed', copyId: leftover.snapshotId, detail: `Copy ${leftover.snapshotId} ${how}.` },
  };
}

function keep(outcome: Removal['outcome'], detail: string, copyId?: string): RemovalDecision {
  return { action: 'keep', removal: { outcome, detail, ...(copyId !== undefined && { copyId }) } };
}
