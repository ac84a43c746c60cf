import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import { ledgerListing, type UnreadableItem } from '../../aws/ledger-listing.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { daysOf } from '../../core/lookback.ts';
import { type Assumptions, type Circumstances, requestsToRead } from '../../core/plan.ts';
import { destinationRegions } from '../../core/rule-destinations.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { sourceOwners } from '../../core/source-owners.ts';
import type { Deployed } from '../deployed.ts';
import type { Progress } from '../terminal.ts';
import { askForKeys } from './region-keys.ts';

/** Which snapshots: these, or all that became complete in the last so many seconds. */
export type Which = { readonly ids: readonly string[] } | { readonly sinceSeconds: number };

/** What a plan is made of. Nothing was changed to get it. */
export interface Gathered {
  readonly sources: readonly Snapshot[];
  /** Of the ids, those that this account cannot see. */
  readonly notVisible: readonly string[];
  readonly circumstances: Circumstances;
  /** Requests in the ledger that make no sense. */
  readonly unreadable: readonly UnreadableItem[];
  /** What could not be asked, in words; the plan goes on without. */
  readonly troubles: readonly string[];
}

/** What is to be planned. */
interface Task {
  readonly deployed: Pick<Deployed, 'install' | 'ledgerTable' | 'now'>;
  readonly rules: readonly CopyRule[];
  readonly which: Which;
  readonly assumptions: Assumptions;
}

/** Reads all that a plan is made of; `progress` is told what, and is done then. */
export async function gather(task: Task, progress: Progress): Promise<Gathered> {
  try {
    return await gatherAll(task, progress);
  } finally {
    progress.done();
  }
}

async function gatherAll({ deployed, rules, which, assumptions }: Task, progress: Progress): Promise<Gathered> {
  const { install, ledgerTable, now } = deployed;
  const snapshots = ec2Snapshots();
  const ledger = ledgerListing(ledgerTable, { now });
  progress.show(`looking at the snapshots in ${install.region}`);
  const { sources, notVisible } =
    'ids' in which
      ? await findEach(snapshots, install.region, which.ids)
      : { sources: await completedSince(snapshots, install.region, which.sinceSeconds, rules, now()), notVisible: [] };

  progress.show('looking at what the ledger knows of them');
  const queue = await ledger.queue();
  const keys = requestsToRead(sources, { rules, install }, [...queue.waiting, ...queue.running]);
  const known = await ledger.find(keys);

  // Those that no rule has any more count as long as something is asked for there.
  const regions = [...new Set([...destinationRegions(rules), ...keys.map(({ region }) => region)])];
  progress.show(`looking at the copies in ${regions.join(', ')}`);
  const [copies, asked] = await Promise.all([
    Promise.all(regions.map((region) => snapshots.managedCopies(region))),
    Promise.all(regions.map(askForKeys)),
  ]);

  return {
    sources,
    notVisible,
    circumstances: {
      install,
      rules,
      requests: known.requests,
      waiting: queue.waiting,
      copies: copies.flat(),
      keys: new Map(regions.map((region, index) => [region, asked[index]?.keys ?? {}])),
      assumptions,
    },
    unreadable: [
      ...new Map(
        [...queue.unreadable, ...known.unreadable].map((each) => [`${each.region}#${each.item}`, each]),
      ).values(),
    ],
    troubles: asked.flatMap(({ troubles }) => troubles),
  };
}

/** EC2 takes 200 values of filters in a call. */
const DAYS_AT_ONCE = 100;

async function completedSince(
  snapshots: Pick<SnapshotApi, 'begunOn'>,
  region: string,
  sinceSeconds: number,
  rules: readonly CopyRule[],
  now: Date,
): Promise<readonly Snapshot[]> {
  const isShared = sourceOwners(rules).shared.length > 0;
  const days = daysOf(sinceSeconds / 3600, now);
  const found: (readonly Snapshot[])[] = [];
  for (let start = 0; start < days.length; start += DAYS_AT_ONCE) {
    const some = days.slice(start, start + DAYS_AT_ONCE);
    found.push(await snapshots.begunOn(region, some, 'own'));
    if (isShared) found.push(await snapshots.begunOn(region, some, 'shared'));
  }
  const from = now.getTime() - sinceSeconds * 1000;
  // Among those that it may use, EC2 lists an account's own again.
  return [...new Map(found.flat().map((each) => [each.snapshotId, each])).values()].filter(
    ({ completionTime, startTime }) => Date.parse(completionTime ?? startTime) >= from,
  );
}

/** EC2 answers none of several ids if it does not know one of them. */
async function findEach(
  snapshots: Pick<SnapshotApi, 'find'>,
  region: string,
  ids: readonly string[],
): Promise<{ readonly sources: readonly Snapshot[]; readonly notVisible: readonly string[] }> {
  const sources: Snapshot[] = [];
  const notVisible: string[] = [];
  for (const id of new Set(ids)) {
    const found = await snapshots.find(region, id);
    if (found === undefined) notVisible.push(id);
    else sources.push(found);
  }
  return { sources, notVisible };
}
