import type { Caller } from '../../accounts.ts';
import { action, type Ec2Action } from '../action.ts';
import { invalidCombination, snapshotNotFound } from '../ec2-error.ts';
import { applyFilters, type Filter, filters, knownFilter, tagFilterValues } from '../filters.ts';
import { enoughForPage, page, pageParameters, searched } from '../pages.ts';
import { listOf, text } from '../query.ts';
import { checkSnapshotId } from '../resource-ids.ts';
import {
  accessOf,
  fullSizeInBytes,
  isInEffect,
  metadataShows,
  progressOf,
  type Snapshot,
  tagsSeenBy,
} from '../snapshot.ts';
import { stateMessageOf } from '../snapshot-life.ts';
import { tagSet } from '../tags.ts';
import type { Ec2World } from '../world.ts';
import { isoTime, items, type XmlTree } from '../xml.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html */
export const describeSnapshots: Ec2Action = action({
  name: 'DescribeSnapshots',
  parameters: {
    SnapshotId: listOf(text),
    Owner: listOf(text),
    RestorableBy: listOf(text),
    Filter: filters,
    ...pageParameters,
  },
  check: (input) => {
    for (const snapshotId of input.SnapshotId) checkSnapshotId(snapshotId);
    if (input.SnapshotId.length > 0 && (input.MaxResults !== undefined || input.NextToken !== undefined)) {
      throw invalidCombination('The parameter snapshotSet cannot be used with the parameter maxResults or nextToken');
    }
  },
  run: (world, caller, input) => {
    const candidates =
      input.SnapshotId.length > 0 ? named(world, caller, input.SnapshotId) : visible(world, caller, input);
    const chosen = candidates.filter(
      (snapshot) =>
        isOwnedBy(snapshot, input.Owner, caller) && isRestorableBy(snapshot, input.RestorableBy, caller, world.now),
    );
    const part = searched(chosen, ordinalKey, input, world.settings.largestPage);
    const matching = applyFilters(
      part.items,
      input.Filter,
      isKnownFilter,
      (name, snapshot) => filterValues(world, caller, name, snapshot),
      enoughForPage(input.MaxResults),
    );
    const { items: shown, nextToken = part.nextToken } = page(matching, ordinalKey, input);
    return { snapshotSet: items(shown.map((snapshot) => snapshotXml(world, caller, snapshot))), nextToken };
  },
});

/** A snapshot as EC2 shows it to an account: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html */
export function snapshotXml(world: Ec2World, caller: Caller, snapshot: Snapshot): XmlTree {
  const { now } = world;
  const { copy } = snapshot;
  const complete = metadataShows(snapshot, now);
  const encrypted = complete && snapshot.kmsKeyArn !== undefined;
  return {
    snapshotId: snapshot.snapshotId,
    volumeId: snapshot.volumeId,
    status: snapshot.state,
    statusMessage: stateMessageOf(snapshot, now),
    startTime: isoTime(snapshot.startedAt),
    progress: progressOf(snapshot, now),
    ownerId: snapshot.account,
    // Until its metadata are there, a copy says 0 GiB and not encrypted (third-party report).
    volumeSize: complete ? snapshot.sizeGiB : 0,
    description: snapshot.description,
    encrypted,
    kmsKeyId: encrypted ? snapshot.kmsKeyArn : undefined,
    storageTier: snapshot.storageTier,
    transferType: copy?.timeBased === undefined ? 'standard' : 'time-based',
    completionDurationMinutes: copy?.timeBased?.minutes,
    completionTime: snapshot.state === 'completed' ? isoTime(snapshot.endedAt ?? now) : undefined,
    fullSnapshotSizeInBytes:
      snapshot.state === 'completed' ? fullSizeInBytes(snapshot, world.settings.writtenShare) : undefined,
    restoreExpiryTime:
      snapshot.tier?.restoreExpiresAt === undefined ? undefined : isoTime(snapshot.tier.restoreExpiresAt),
    outpostArn: snapshot.outpostArn,
    availabilityZone: snapshot.localZone,
    tagSet: tagSet(tagsSeenBy(snapshot, caller.account)),
  };
}

/** The snapshots of these ids; an unknown one is an error, one without access too, or is left out. */
function named(world: Ec2World, caller: Caller, snapshotIds: readonly string[]): readonly Snapshot[] {
  return [...new Set(snapshotIds)]
    .flatMap((snapshotId) => {
      const found = world.access(caller, snapshotId)?.snapshot;
      if (found !== undefined && world.isListed(found)) return [found];
      const hidden = found === undefined && world.snapshots.find(snapshotId, caller.region) !== undefined;
      if (hidden && world.settings.withoutAccess === 'left-out') return [];
      throw snapshotNotFound(snapshotId);
    })
    .sort((a, b) => a.ordinal - b.ordinal);
}

interface Listing {
  readonly Owner: readonly string[];
  readonly Filter: readonly Filter[];
  readonly MaxResults?: number | undefined;
}

/** All that the caller may use in the Region, oldest first; without some that do not match the filters. */
function visible(world: Ec2World, caller: Caller, input: Listing): readonly Snapshot[] {
  const { now } = world;
  return [...listed(world, caller, input)].filter(
    (snapshot) =>
      snapshot.state !== 'recoverable' &&
      world.isListed(snapshot) &&
      accessOf(snapshot, caller.account, now) !== undefined,
  );
}

function listed(world: Ec2World, caller: Caller, { Owner, Filter, MaxResults }: Listing): Iterable<Snapshot> {
  const { snapshots, settings } = world;
  // Where a page looks through so many snapshots only, those that do not match count as well.
  const countsAll = MaxResults !== undefined && Number.isFinite(settings.largestPage);
  const narrowed = countsAll ? undefined : snapshots.narrow(caller, Filter);
  if (narrowed !== undefined) return narrowed;
  const onlyOwn = Owner.length > 0 && Owner.every((owner) => owner === 'self' || owner === caller.account);
  return onlyOwn ? snapshots.ownedBy(caller) : snapshots.inRegion(caller.region);
}

function isOwnedBy(snapshot: Snapshot, owners: readonly string[], caller: Caller): boolean {
  return (
    owners.length === 0 || owners.some((owner) => (owner === 'self' ? caller.account : owner) === snapshot.account)
  );
}

/** Another account's rights are seen on own snapshots only (third-party report). */
function isRestorableBy(snapshot: Snapshot, users: readonly string[], caller: Caller, now: number): boolean {
  return (
    users.length === 0 ||
    users.some((user) => {
      if (user === 'all') return isInEffect(snapshot.publicShare, now);
      const account = user === 'self' ? caller.account : user;
      if (account !== caller.account && snapshot.account !== caller.account) return false;
      return snapshot.account === account || isInEffect(snapshot.shares.get(account), now);
    })
  );
}

const isKnownFilter = knownFilter(
  new Set([
    'description',
    'encrypted',
    'owner-alias',
    'owner-id',
    'progress',
    'snapshot-id',
    'start-time',
    'status',
    'storage-tier',
    'transfer-type',
    'volume-id',
    'volume-size',
  ]),
  { tags: true },
);

function filterValues(
  world: Ec2World,
  caller: Caller,
  name: string,
  snapshot: Snapshot,
): readonly string[] | undefined {
  const ofTags = tagFilterValues(name, tagsSeenBy(snapshot, caller.account));
  if (ofTags !== undefined) return ofTags;
  const complete = metadataShows(snapshot, world.now);
  switch (name) {
    case 'description':
      return [snapshot.description];
    case 'encrypted':
      return [String(complete && snapshot.kmsKeyArn !== undefined)];
    case 'owner-id':
      return [snapshot.account];
    case 'progress':
      return [progressOf(snapshot, world.now)];
    case 'snapshot-id':
      return [snapshot.snapshotId];
    case 'start-time':
      return [isoTime(snapshot.startedAt)];
    case 'status':
      return [snapshot.state];
    case 'storage-tier':
      return [snapshot.storageTier];
    case 'transfer-type':
      return [snapshot.copy?.timeBased === undefined ? 'standard' : 'time-based'];
    case 'volume-id':
      return [snapshot.volumeId];
    case 'volume-size':
      return [String(complete ? snapshot.sizeGiB : 0)];
    default:
      return [];
  }
}

/** For pages: sorts like the ordinal. */
export function ordinalKey({ ordinal }: { readonly ordinal: number }): string {
  return String(ordinal).padStart(12, '0');
}
