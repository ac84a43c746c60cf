import { type Destination, destinationId } from './destination.ts';
import { partitionOf } from './region.ts';
import type { Snapshot } from './snapshot.ts';

/** Names that this service and companions/source-account.yml agree on. */

/** Which install acts in a source account. */
export interface ActingInstall {
  /** `<service>-<stage>` */
  readonly name: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/**
 * Who an install is in the eyes of a source account, in names of roles, keys and tags: the account belongs to it, for
 * installs of two accounts may have one name. Two Regions of one account share it, and have different snapshots.
 */
export function actingName({ name, account }: Pick<ActingInstall, 'name' | 'account'>): string {
  return `${name}-for-${account}`;
}

/** The role that the companion makes for an install in a source account. */
export function companionRoleArn(install: ActingInstall, sourceAccount: string): string {
  return `arn:${partitionOf(install.region)}:iam::${sourceAccount}:role/snapshot-copier/${actingName(install)}`;
}

/** The key that the companion makes, in each of its Regions, for copies that can be shared. */
export function shareableKeyAlias(install: Pick<ActingInstall, 'name' | 'account'>): string {
  return `alias/snapshot-copier-${actingName(install)}`;
}

/** How the description of every intermediate copy begins: those it is shared with see no tags, and must not copy it. */
export const INTERMEDIATE = 'snapshot-copier intermediate of ';

/** Tags that the service writes in source accounts, beside `copiedToTag` on the source. */
export const SOURCE_TAG = {
  /** On an intermediate copy: the source that it is of. */
  intermediateOf: 'snapshot-copier:intermediate-of',
  /** On an intermediate copy: the volume of that source, for EC2 shows an arbitrary one. */
  intermediateVolume: 'snapshot-copier:intermediate-volume',
  /** On an intermediate copy: `actingName` of the install that made it. */
  intermediateFor: 'snapshot-copier:intermediate-for',
} as const;

/** How the key of every announcement begins. */
export const ANNOUNCEMENT = 'snapshot-copier:intermediate-by:';

/**
 * On the source: the execution that makes its intermediate copy, so that no other makes a second one. Each install has its
 * own key and its own intermediate copies; names of executions are the same in all of them.
 */
export function announcementTag(install: Pick<ActingInstall, 'name' | 'account'>): string {
  return `${ANNOUNCEMENT}${actingName(install)}`;
}

const CLAIM = 'snapshot-copier:share:';

/**
 * On what is shared, a source or its intermediate copy: the execution that needs the share. Only shares that this service
 * made have such tags, and who removes the last one of an account takes the share back.
 */
export function claimTag(
  install: Pick<ActingInstall, 'name' | 'account'>,
  destination: Pick<Destination, 'region' | 'outpost' | 'localZone'>,
): string {
  return `${CLAIM}${actingName(install)}/${destinationId(destination)}`;
}

/** No destination has this name. */
const OVER = '/over';

/**
 * On what is shared while others still need it: an execution of the install that needed it as well and is over. It says
 * that the service made the share when the claim of that execution is gone. Nobody's claim has this key, so writing it
 * late does no harm.
 */
export function overTag(install: Pick<ActingInstall, 'name' | 'account'>): string {
  return `${CLAIM}${actingName(install)}${OVER}`;
}

/** A snapshot of a source account, as far as claims go. */
type Claimed = Pick<Snapshot, 'snapshotId' | 'tags'>;

/** Keys of the claims on a share with an account, of whichever install there; `overTag` is one of them. */
export function claimsFor(account: string, snapshot: Claimed): readonly string[] {
  return Object.entries(snapshot.tags).flatMap(([key, execution]) =>
    key.startsWith(CLAIM) && key.includes(`-for-${account}/`) && isOf(snapshot, execution) ? [key] : [],
  );
}

/** What of those keys are claims, and not `overTag`. */
export function isClaim(key: string): boolean {
  return !key.endsWith(OVER);
}

/** The claims of one install: tag key and execution. */
export function claimsOf(
  install: Pick<ActingInstall, 'name' | 'account'>,
  snapshot: Claimed,
): readonly (readonly [key: string, execution: string])[] {
  const own = `${CLAIM}${actingName(install)}/`;
  return Object.entries(snapshot.tags).filter(
    ([key, execution]) => key.startsWith(own) && isClaim(key) && isOf(snapshot, execution),
  );
}

/**
 * Tools that copy a snapshot may copy its tags too, and whoever shares what they make does so for himself. Names of
 * executions begin with the source's id; what people named by hand may not, and counts.
 */
function isOf({ snapshotId, tags }: Claimed, execution: string): boolean {
  const source = /^snap-[0-9a-f]+(?=-)/.exec(execution)?.[0];
  return source === undefined || source === snapshotId || source === tags[SOURCE_TAG.intermediateOf];
}

/** What EC2's filter `tag-key` takes to find everything that an install claims. */
export function claimFilter(install: Pick<ActingInstall, 'name' | 'account'>): string {
  return `${CLAIM}${actingName(install)}/*`;
}
