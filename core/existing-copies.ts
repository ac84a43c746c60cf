import { COPIER_TAG, type CopyTagState } from './copier-tags.ts';
import type { CopyBasis } from './copy-progress.ts';
import type { CopyRequest } from './copy-request.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Our own copy of this source among the copies at the destination, or undefined. CopySnapshot takes no client token
 * (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html), so this look-up is what makes a second
 * attempt harmless. A complete copy wins over a pending one, then the older one: every attempt finds the same.
 *
 * A copy in state `error`, in the recycle bin, or given up by us is none.
 */
export function ownCopyOf(
  request: CopyRequest,
  copies: readonly Snapshot[],
  installName: string,
): Snapshot | undefined {
  return copies
    .filter(
      (copy) =>
        (copy.state === 'completed' || copy.state === 'pending') &&
        !isGivenUp(copy) &&
        isOwnCopy(copy, request, installName),
    )
    .toSorted((a, b) => rank(a) - rank(b) || compare(a.startTime, b.startTime) || compare(a.snapshotId, b.snapshotId))
    .at(0);
}

/** Was this made by this install, of this source, for this destination? */
export function isOwnCopy(copy: Snapshot, request: CopyRequest, installName: string): boolean {
  return (
    copy.tags[COPIER_TAG.managed] === installName &&
    copy.tags[COPIER_TAG.sourceSnapshot] === request.source.snapshotId &&
    isAtDestination(copy, request)
  );
}

/** Was it marked for removal? EC2 deletes a pending copy only when it is complete, and shows it until then. */
export function isGivenUp(copy: Snapshot): boolean {
  return copy.tags[COPIER_TAG.state] === ('failed' satisfies CopyTagState);
}

/**
 * The newest complete copy of the same volume at the destination: what EC2 can make the next copy incremental to.
 * An archived one does not serve, and hides the older ones; nor does any where the copies are under several keys.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html#ebs-incremental-copy
 *
 * @param copies all copies at the destination that carry the source's volume in their tags.
 */
export function basisOf(request: CopyRequest, copies: readonly Snapshot[], copyId?: string): CopyBasis | undefined {
  const [newest, ...older] = copies
    .filter(
      (copy) =>
        copy.snapshotId !== copyId &&
        copy.state === 'completed' &&
        copy.tags[COPIER_TAG.sourceVolume] === request.source.volumeId &&
        isAtDestination(copy, request),
    )
    .toSorted((a, b) => compare(b.startTime, a.startTime));
  if (newest === undefined || newest.storageTier === 'archive') return undefined;
  if (older.some(({ kmsKeyId }) => kmsKeyId !== newest.kmsKeyId)) return undefined;
  return { copyId: newest.snapshotId, ...(newest.kmsKeyId !== undefined && { kmsKeyId: newest.kmsKeyId }) };
}

/**
 * Does EC2 move all blocks of this copy, as far as tags tell? Within one account and Region only a change of key makes
 * a full copy; elsewhere a copy is full unless there is a basis under the same key. Source as for `basisOf`.
 *
 * @param copyKey the copy's key ARN, undefined if it is plain.
 */
export function isExpectedFull(
  { source, destination }: CopyRequest,
  homeAccount: string,
  basis: CopyBasis | undefined,
  copyKey: string | undefined,
): boolean {
  const staysHome = source.region === destination.region && source.ownerId === homeAccount;
  if (staysHome && destination.outpost === undefined && destination.localZone === undefined) {
    return source.kmsKeyId !== copyKey;
  }
  return basis === undefined || basis.kmsKeyId !== copyKey;
}

function isAtDestination(copy: Snapshot, { destination }: CopyRequest): boolean {
  return copy.outpostArn === destination.outpost && copy.localZone === destination.localZone;
}

function rank(copy: Snapshot): number {
  return copy.state === 'completed' ? 0 : 1;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
