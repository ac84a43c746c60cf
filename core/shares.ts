import type { CopyRequest } from './copy-request.ts';
import { readEc2Answer } from './ec2-errors.ts';
import type { Snapshot } from './snapshot.ts';
import { type ActingInstall, claimsFor, claimsOf, claimTag, isClaim, overTag } from './source-account.ts';

/**
 * Who made a share, and who may end it. A share that this service makes is claimed by a tag on the snapshot, written
 * before it: one for each execution that needs it. A share without any claim is somebody else's, and stays.
 */

/** How a snapshot is shared for an execution. */
export type SharePlan =
  /** Write the claim, then share it: also if it is shared, for whoever claimed that may be taking it back just now. */
  | { readonly action: 'share'; readonly claim: Readonly<Record<string, string>> }
  /** The execution has claimed it, and it is shared. */
  | { readonly action: 'none' }
  /** Somebody else shares it. */
  | { readonly action: 'leave' };

/** @param sharedWith ids of the accounts that it is shared with, read before the snapshot's tags */
export function planShare(
  snapshot: Snapshot,
  sharedWith: readonly string[],
  { destination }: Pick<CopyRequest, 'destination'>,
  execution: string,
  install: ActingInstall,
): SharePlan {
  const isShared = sharedWith.includes(install.account);
  const claims = claimsFor(install.account, snapshot);
  if (isShared && claims.length === 0) return { action: 'leave' };
  const claim = { [claimTag(install, destination)]: execution };
  return isShared && isClaimed(snapshot, claim) ? { action: 'none' } : { action: 'share', claim };
}

/** Whether a snapshot carries this claim. */
export function isClaimed({ tags }: Pick<Snapshot, 'tags'>, claim: Readonly<Record<string, string>>): boolean {
  return Object.entries(claim).every(([key, execution]) => tags[key] === execution);
}

/** What has to be done about the claims of executions that are over; nothing if `over` is empty. */
export interface ReleasePlan {
  /** Somebody claims the share who is not known to be over: it stays. Otherwise it is taken back. */
  readonly isNeeded: boolean;
  /** Tags of this service on the share, of those who do not need it any more. */
  readonly over: Readonly<Record<string, string>>;
  /** Those of them that are claims of this install. */
  readonly ended: Readonly<Record<string, string>>;
  /** The tag to write before claims in `ended` are removed from a share that stays. */
  readonly note: Readonly<Record<string, string>>;
}

/** @param isEnded whether an execution of this install is over */
export function planRelease(
  snapshot: Pick<Snapshot, 'snapshotId' | 'tags'>,
  isEnded: (execution: string) => boolean,
  install: ActingInstall,
): ReleasePlan {
  const { tags } = snapshot;
  const ended = claimsOf(install, snapshot).filter(([, execution]) => isEnded(execution));
  const keysOfEnded = ended.map(([key]) => key);
  const keys = claimsFor(install.account, snapshot);
  const isOver = (key: string): boolean => !isClaim(key) || keysOfEnded.includes(key);
  return {
    isNeeded: !keys.every(isOver),
    over: Object.fromEntries(Object.entries(tags).filter(([key]) => keys.includes(key) && isOver(key))),
    ended: Object.fromEntries(ended),
    note: Object.fromEntries(ended.map(([, execution]) => [overTag(install), execution])),
  };
}

/** Whether an error of CreateTags says that the snapshot has as many tags as it can have. */
export function hasNoRoom({ message }: Error): boolean {
  return readEc2Answer(message)?.code === 'TagLimitExceeded';
}
