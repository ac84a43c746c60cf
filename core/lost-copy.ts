import type { CopyRequest } from './copy-request.ts';
import { isGivenUp, ownCopyOf } from './existing-copies.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What became of a copy that the ledger takes for good, in words; undefined if there is a good one still.
 *
 * @param copyId the copy that the ledger names
 * @param copies all copies at the destination that carry the source's volume in their tags
 */
export function lossOf(
  copyId: string | undefined,
  request: CopyRequest,
  copies: readonly Snapshot[],
  installName: string,
): string | undefined {
  if (ownCopyOf(request, copies, installName) !== undefined) return undefined;
  const found = copies.find(({ snapshotId }) => snapshotId === copyId);
  if (found === undefined) return `its copy${copyId === undefined ? '' : ` ${copyId}`} is gone from EC2`;
  if (isGivenUp(found)) return `its copy ${copyId} was given up later`;
  if (found.state === 'completed') return `its copy ${copyId} lost the tags that make it ours`;
  return `its copy ${copyId} is in state ${found.state}`;
}
