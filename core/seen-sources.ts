import type { Snapshot } from './snapshot.ts';

/** A source account that could not be looked into: of its snapshots nothing is known. */
export interface UnseenAccount {
  /** 12 digits. */
  readonly account: string;
  /** The words of whoever refused. */
  readonly why: string;
}

/** Snapshots as several accounts see them. */
export interface Sightings {
  /** Of the account of the install. */
  readonly own: readonly Snapshot[];
  /** What that account may use; EC2 lists its own among them. */
  readonly shared: readonly Snapshot[];
  /** What accounts with the companion see of their own. */
  readonly viewed: readonly Snapshot[];
}

/**
 * Each snapshot once, as the account sees it that sees the most. What an account with the companion shares is judged by
 * what that account sees, tags and all, or not at all: without its tags it would be judged wrongly.
 *
 * @param companions the accounts that have the companion
 */
export function seenSources({ own, shared, viewed }: Sightings, companions: readonly string[]): readonly Snapshot[] {
  const byThemselves = shared.filter(({ ownerId }) => !companions.includes(ownerId));
  const all = [...own, ...byThemselves, ...viewed];
  return [...new Map(all.map((snapshot) => [snapshot.snapshotId, snapshot])).values()];
}
