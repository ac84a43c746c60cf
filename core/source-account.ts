import { type Destination, destinationId } from './destination.ts';
import { partitionOf } from './region.ts';

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
  /** On the source: the execution that makes its intermediate copy, so that no other makes a second one. */
  intermediateBy: 'snapshot-copier:intermediate-by',
} as const;

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

/** Keys of the claims on a share with an account, of whichever install there. */
export function claimsFor(account: string, tags: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(tags).filter((key) => key.startsWith(CLAIM) && key.includes(`-for-${account}/`));
}

/** The value of a claim whose execution is over while others may still need the share. */
export const OVER = 'over';

/** The claims of one install whose executions are not known to be over: tag key and execution. */
export function claimsOf(
  install: Pick<ActingInstall, 'name' | 'account'>,
  tags: Readonly<Record<string, string>>,
): readonly (readonly [key: string, execution: string])[] {
  const own = `${CLAIM}${actingName(install)}/`;
  return Object.entries(tags).filter(([key, execution]) => key.startsWith(own) && execution !== OVER);
}

/** What EC2's filter `tag-key` takes to find everything that an install claims. */
export function claimFilter(install: Pick<ActingInstall, 'name' | 'account'>): string {
  return `${CLAIM}${actingName(install)}/*`;
}
