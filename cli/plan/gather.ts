import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import { ledgerListing, type UnreadableItem } from '../../aws/ledger-listing.ts';
import { sourceLooks } from '../../aws/look-at-sources-function.ts';
import { daysOf } from '../../core/lookback.ts';
import { otherAccounts } from '../../core/other-accounts.ts';
import { type Assumptions, type Circumstances, requestsToRead } from '../../core/plan.ts';
import { destinationRegions } from '../../core/rule-destinations.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { UnseenAccount } from '../../core/seen-sources.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { sourceOwners } from '../../core/source-owners.ts';
import type { RulesText } from '../../packaging/rules-text.ts';
import type { Deployed } from '../deployed.ts';
import { findSources, listSources, type SourceApis, type Sources } from '../sources/list-sources.ts';
import type { Progress } from '../terminal.ts';
import { askForAwsKeys } from './aws-keys.ts';
import { askForKeys } from './region-keys.ts';

/** Which snapshots: these, or all that became complete in the last so many seconds. */
export type Which = { readonly ids: readonly string[] } | { readonly sinceSeconds: number };

/** What a plan is made of. Nothing was changed to get it. */
export interface Gathered {
  readonly sources: readonly Snapshot[];
  /** Of the ids, those that nobody sees: neither this account nor one with the companion. */
  readonly notVisible: readonly string[];
  /** Source accounts whose snapshots are not among them, as they could not be looked into. */
  readonly unseen: readonly UnseenAccount[];
  readonly circumstances: Circumstances;
  /** Requests in the ledger that make no sense. */
  readonly unreadable: readonly UnreadableItem[];
  /** What could not be asked, in words; the plan goes on without. */
  readonly troubles: readonly string[];
}

/** What is to be planned. */
interface Task {
  readonly deployed: Pick<Deployed, 'install' | 'ledgerTable' | 'lookAtSourcesFunction' | 'now'>;
  readonly rules: Pick<RulesText, 'rules' | 'sourceAccounts'>;
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

async function gatherAll(task: Task, progress: Progress): Promise<Gathered> {
  const { install, ledgerTable, now, lookAtSourcesFunction } = task.deployed;
  const { which, assumptions } = task;
  const { rules } = task.rules;
  const companions = otherAccounts(task.rules.sourceAccounts.accounts, install.account);
  const snapshots = ec2Snapshots();
  const looks = sourceLooks(lookAtSourcesFunction);
  const ledger = ledgerListing(ledgerTable, { now });
  progress.show(`looking at the snapshots in ${install.region}`);
  const { snapshots: sources, unseen } = await ('ids' in which
    ? findSources({ snapshots, looks }, install.region, which.ids, companions)
    : completedSince({ snapshots, looks }, install.region, which.sinceSeconds, { rules, companions }, now()));
  const found = new Set(sources.map(({ snapshotId }) => snapshotId));
  const notVisible = 'ids' in which ? [...new Set(which.ids)].filter((id) => !found.has(id)) : [];

  progress.show('looking at what the ledger knows of them');
  const queue = await ledger.queue();
  const keys = requestsToRead(sources, { rules, install }, [...queue.waiting, ...queue.running]);
  const known = await ledger.find(keys);

  // Those that no rule has any more count as long as something is asked for there.
  const regions = [...new Set([...destinationRegions(rules), ...keys.map(({ region }) => region)])];
  progress.show(`looking at the copies in ${regions.join(', ')}`);
  const [copies, asked, ofSources] = await Promise.all([
    Promise.all(regions.map((region) => snapshots.managedCopies(region))),
    Promise.all(regions.map(askForKeys)),
    askForAwsKeys(looks, sources, { rules, install }),
  ]);

  return {
    sources,
    notVisible,
    unseen,
    circumstances: {
      install,
      rules,
      requests: known.requests,
      waiting: queue.waiting,
      copies: copies.flat(),
      keys: new Map(regions.map((region, index) => [region, asked[index]?.keys ?? {}])),
      awsKeys: ofSources.awsKeys,
      assumptions,
    },
    unreadable: [
      ...new Map(
        [...queue.unreadable, ...known.unreadable].map((each) => [`${each.region}#${each.item}`, each]),
      ).values(),
    ],
    troubles: [...asked.flatMap(({ troubles }) => troubles), ...ofSources.troubles],
  };
}

async function completedSince(
  apis: SourceApis,
  region: string,
  sinceSeconds: number,
  { rules, companions }: { readonly rules: readonly CopyRule[]; readonly companions: readonly string[] },
  now: Date,
): Promise<Sources> {
  const { shared, withCompanion: accounts } = sourceOwners(rules, companions);
  const whose = { own: true, shared: shared.length > 0, accounts, companions };
  const { snapshots, unseen } = await listSources(apis, region, daysOf(sinceSeconds / 3600, now), whose);
  const from = now.getTime() - sinceSeconds * 1000;
  return {
    snapshots: snapshots.filter(({ completionTime, startTime }) => Date.parse(completionTime ?? startTime) >= from),
    unseen,
  };
}
