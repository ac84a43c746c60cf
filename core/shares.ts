import type { CopyRequest } from './copy-request.ts';
import type { Snapshot } from './snapshot.ts';
import { type ActingInstall, claimsFor, claimsOf, claimTag, OVER } from './source-account.ts';

/**
 * Who made a share, and who may end it. A share that this service makes is claimed by a tag on the snapshot, written
 * before it: one for each execution that needs it. A share without any claim is somebody else's, and stays.
 */

/** What has to be done so that a snapshot is shared for an execution, in this order. */
export interface SharePlan {
  /** A tag to write. */
  readonly claim?: Readonly<Record<string, string>>;
  readonly share: boolean;
}

/** @param sharedWith ids of the accounts that it is shared with */
export function planShare(
  snapshot: Snapshot,
  sharedWith: readonly string[],
  { destination }: Pick<CopyRequest, 'destination'>,
  execution: string,
  install: ActingInstall,
): SharePlan {
  const isShared = sharedWith.includes(install.account);
  const claims = claimsFor(install.account, snapshot.tags);
  if (isShared && claims.length === 0) return { share: false };
  const tag = claimTag(install, destination);
  return {
    ...(snapshot.tags[tag] !== execution && { claim: { [tag]: execution } }),
    share: !isShared,
  };
}

/** What has to be done about the claims of executions that are over. */
export interface ReleasePlan {
  /** Somebody claims the share who is not over. */
  readonly isNeeded: boolean;
  /** The service made the share, and nobody needs it any more. */
  readonly takeBack: boolean;
  /** Tags to remove after that, unless they have changed meanwhile. */
  readonly untag: Readonly<Record<string, string>>;
  /** Tags to write while others need the share: for the one that ends last, or for both of two that end at once. */
  readonly note: Readonly<Record<string, string>>;
}

/** @param isEnded whether an execution of this install is over */
export function planRelease(
  { tags }: Pick<Snapshot, 'tags'>,
  isEnded: (execution: string) => boolean,
  install: ActingInstall,
): ReleasePlan {
  const note = Object.fromEntries(
    claimsOf(install, tags).flatMap(([key, execution]) => (isEnded(execution) ? [[key, OVER]] : [])),
  );
  const keys = claimsFor(install.account, tags);
  const claims = Object.entries(tags).filter(([key]) => keys.includes(key));
  const isNeeded = claims.some(([key, value]) => value !== OVER && note[key] === undefined);
  if (isNeeded) return { isNeeded, takeBack: false, untag: {}, note };
  return { isNeeded, takeBack: claims.length > 0, untag: Object.fromEntries(claims), note: {} };
}
