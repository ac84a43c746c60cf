import { COPIER_TAG } from './copier-tags.ts';
import type { CopyRequest } from './copy-request.ts';
import { destinationId } from './destination.ts';
import type { LedgerRequest } from './ledger-request.ts';
import { itemOf, requestKey } from './ledger-request.ts';
import { type Group, groupsOf } from './plan-groups.ts';
import { type CopyKey, isSameKey } from './plan-keys.ts';
import type { Snapshot } from './snapshot.ts';
import { isArbitraryVolume } from './volume-of-copy.ts';

/** What EC2 moves for a copy, and why. */
export interface Movement {
  /** `all` blocks: a full copy. Those that `changed`, or `nothing`: an incremental one. */
  readonly moves: 'all' | 'changed' | 'nothing';
  readonly reason: string;
}

/** A copy that is being made, or will be. */
export interface CopyToBe {
  readonly request: CopyRequest;
  readonly key: CopyKey;
  /** ISO 8601: when EC2 began it; absent while it waits. */
  readonly begunAt?: string;
}

/** What is known of the copies that are there. */
export interface KnownCopies {
  /** Those of this product at all destinations, in any state. */
  readonly copies: readonly Snapshot[];
  /** Requests that were copied, and whose copies are there no more. */
  readonly lost: readonly LedgerRequest[];
}

/**
 * What EC2 will move for each of these copies. They are taken in the order in which the queue makes them, oldest source
 * first and one of a volume at a time, so that each finds those before it complete.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html#ebs-incremental-copy
 *
 * @returns by `placeOf`
 */
export function movementsOf(
  toBe: readonly CopyToBe[],
  known: KnownCopies,
  homeAccount: string,
): ReadonlyMap<string, Movement> {
  const movements = new Map<string, Movement>();
  const copiesOf = Map.groupBy(known.copies, ({ tags }) => tags[COPIER_TAG.sourceVolume]);
  const lostOf = Map.groupBy(known.lost, ({ request }) => lineOf(request));
  for (const line of groupsOf(toBe, ({ request }) => lineOf(request)).values()) {
    const { request } = line[0];
    let standing = standingOf(line, {
      copies: copiesOf.get(request.source.volumeId) ?? [],
      lost: lostOf.get(lineOf(request)) ?? [],
    });
    for (const copy of line.toSorted(inTurn)) {
      const movement = staysHome(copy.request, homeAccount) ? movementAtHome(copy) : movementAbroad(copy, standing);
      movements.set(placeOf(copy.request), movement);
      standing = { newest: { name: `the copy of ${copy.request.source.snapshotId}` }, keys: [...standing.keys, copy] };
    }
  }
  return movements;
}

/** One text for a source and a place to copy it to. */
export function placeOf({ source, destination }: CopyRequest): string {
  return `${destination.region}#${itemOf(requestKey(source, destination))}`;
}

/** What the copies of one volume at one destination are, as far as the next one's size depends on it. */
interface Standing {
  readonly newest?: {
    /** In words. */
    readonly name: string;
    /** Why nothing can be incremental to it, in words. */
    readonly unfit?: string;
  };
  readonly keys: readonly { readonly key: CopyKey }[];
}

/** @param known of the line's volume */
function standingOf(line: Group<CopyToBe>, { copies, lost }: KnownCopies): Standing {
  const [first] = line;
  if (!hasLineage(first.request)) return { keys: [] };
  const inTheMaking = new Set(
    line.flatMap(({ begunAt, request }) => (begunAt === undefined ? [] : [request.source.snapshotId])),
  );
  const there = copies
    .filter(
      (copy) =>
        isAt(copy, first.request) &&
        (copy.state === 'completed' ||
          // Made by somebody else: the queue waits for it too.
          (copy.state === 'pending' && !inTheMaking.has(copy.tags[COPIER_TAG.sourceSnapshot] ?? ''))),
    )
    .toSorted((a, b) => compare(b.startTime, a.startTime));
  const [gone] = lost.toSorted((a, b) => compare(begunAt(b), begunAt(a)));
  const [newest] = there;
  const keys = there.map(({ kmsKeyId }) => ({ key: keyOf(kmsKeyId) }));
  if (gone !== undefined && (newest === undefined || begunAt(gone) > newest.startTime)) {
    return { newest: { name: `the copy of ${gone.request.source.snapshotId}`, unfit: 'is deleted' }, keys };
  }
  if (newest === undefined) return { keys };
  const { snapshotId, storageTier } = newest;
  return { newest: { name: snapshotId, ...(storageTier === 'archive' && { unfit: 'is archived' }) }, keys };
}

function movementAbroad({ request, key }: CopyToBe, { newest, keys }: Standing): Movement {
  if (!hasLineage(request)) return { moves: 'all', reason: 'the source is a copy, which names no volume' };
  if (newest === undefined) return { moves: 'all', reason: 'no copy of its volume is there' };
  if (newest.unfit !== undefined) return { moves: 'all', reason: `the newest there, ${newest.name}, ${newest.unfit}` };
  if (keys.some((other) => !isSameKey(other.key, key))) {
    return { moves: 'all', reason: 'copies of its volume there have another key' };
  }
  return { moves: 'changed', reason: `after ${newest.name}` };
}

/** Within one account and Region the copies that are there do not matter. */
function movementAtHome({ request: { source }, key }: CopyToBe): Movement {
  if (!key.known) return { moves: 'all', reason: 'its key could not be looked up, and may be another' };
  if (source.kmsKeyId !== key.arn) return { moves: 'all', reason: 'it gets another key' };
  return { moves: 'nothing', reason: 'same Region, same key' };
}

function staysHome({ source, destination }: CopyRequest, homeAccount: string): boolean {
  return (
    source.region === destination.region &&
    source.ownerId === homeAccount &&
    destination.outpost === undefined &&
    destination.localZone === undefined
  );
}

/** Copies of one volume to one destination. A source without a volume is a line of its own. */
function lineOf(request: CopyRequest): string {
  const { source, destination } = request;
  return `${destinationId(destination)}#${hasLineage(request) ? source.volumeId : source.snapshotId}`;
}

/** The volume id of a copy says nothing. */
function hasLineage({ source }: CopyRequest): boolean {
  return !isArbitraryVolume(source.volumeId);
}

function inTurn(a: CopyToBe, b: CopyToBe): number {
  if (a.begunAt !== undefined && b.begunAt !== undefined) return compare(a.begunAt, b.begunAt);
  if (a.begunAt !== undefined || b.begunAt !== undefined) return a.begunAt !== undefined ? -1 : 1;
  return (
    compare(a.request.source.startTime, b.request.source.startTime) || compare(placeOf(a.request), placeOf(b.request))
  );
}

function isAt(copy: Snapshot, { destination }: CopyRequest): boolean {
  return (
    copy.region === destination.region &&
    copy.outpostArn === destination.outpost &&
    copy.localZone === destination.localZone
  );
}

function begunAt({ copyBegunAt, changedAt }: LedgerRequest): string {
  return copyBegunAt ?? changedAt;
}

function keyOf(arn: string | undefined): CopyKey {
  return arn === undefined ? { known: true } : { known: true, arn };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
