import type { SourceLooks } from '../../aws/look-at-sources-function.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { CopierError } from '../../core/errors.ts';
import { seenSources, type UnseenAccount } from '../../core/seen-sources.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { DAYS_AT_ONCE } from '../../core/source-look.ts';

/** Source snapshots, as far as they can be seen. */
export interface Sources {
  readonly snapshots: readonly Snapshot[];
  readonly unseen: readonly UnseenAccount[];
}

/** How snapshots are looked up, here and in source accounts. */
export interface SourceApis {
  readonly snapshots: Pick<SnapshotApi, 'begunOn' | 'find'>;
  readonly looks: Pick<SourceLooks, 'begunOn' | 'snapshots'>;
}

/** Whose snapshots are wanted. */
export interface Whose {
  readonly own: boolean;
  /** What other accounts share by themselves. */
  readonly shared: boolean;
  /** Accounts to look into. */
  readonly accounts: readonly string[];
  /** All that have the companion. */
  readonly companions: readonly string[];
}

/** So many accounts side by side: each call runs for seconds, and they call one function. */
const AT_ONCE = 5;

/**
 * The snapshots that were begun on these days (UTC).
 *
 * @throws errors of core/errors.ts if those of this account, or that others share with it, cannot be listed
 */
export async function listSources(
  { snapshots, looks }: SourceApis,
  region: string,
  days: readonly string[],
  { own, shared, accounts, companions }: Whose,
): Promise<Sources> {
  const list = async (whose: 'own' | 'shared'): Promise<readonly Snapshot[]> => {
    const found: Snapshot[] = [];
    for (let start = 0; start < days.length; start += DAYS_AT_ONCE) {
      found.push(...(await snapshots.begunOn(region, days.slice(start, start + DAYS_AT_ONCE), whose)));
    }
    return found;
  };
  const [ofOwn, ofOthers, viewed] = await Promise.all([
    own ? list('own') : [],
    shared ? list('shared') : [],
    lookInto(accounts, (account) => looks.begunOn(account, region, days)),
  ]);
  const sightings = { own: ofOwn, shared: ofOthers, viewed: viewed.snapshots };
  return { snapshots: seenSources(sightings, companions), unseen: viewed.unseen };
}

/** The snapshots of these ids, as far as they are there. */
export async function findSources(
  { snapshots, looks }: SourceApis,
  region: string,
  ids: readonly string[],
  companions: readonly string[],
): Promise<Sources> {
  const found: Snapshot[] = [];
  const elsewhere: string[] = [];
  // EC2 answers none of several ids if it does not know one of them.
  for (const id of new Set(ids)) {
    const seen = await snapshots.find(region, id);
    if (seen === undefined || companions.includes(seen.ownerId)) elsewhere.push(id);
    else found.push(seen);
  }
  if (elsewhere.length === 0) return { snapshots: found, unseen: [] };
  const viewed = await lookInto(companions, (account) => looks.snapshots(account, region, elsewhere));
  return { snapshots: [...found, ...viewed.snapshots], unseen: viewed.unseen };
}

/** What these accounts have, and which of them could not be looked into. */
export async function lookInto(
  accounts: readonly string[],
  look: (account: string) => Promise<readonly Snapshot[]>,
): Promise<Sources> {
  const snapshots: Snapshot[] = [];
  const unseen: UnseenAccount[] = [];
  for (let start = 0; start < accounts.length; start += AT_ONCE) {
    await Promise.all(
      accounts.slice(start, start + AT_ONCE).map(async (account) => {
        try {
          snapshots.push(...(await look(account)));
        } catch (error) {
          if (!(error instanceof CopierError)) throw error;
          unseen.push({ account, why: error.message });
        }
      }),
    );
  }
  return { snapshots, unseen: unseen.toSorted((a, b) => (a.account < b.account ? -1 : 1)) };
}
