import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import { existingVolumes } from '../../aws/ec2-volumes.ts';
import { kmsAliases } from '../../aws/kms-aliases.ts';
import { ledgerListing } from '../../aws/ledger-listing.ts';
import { sourceLooks } from '../../aws/look-at-sources-function.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { dataTimeOf, isOf } from '../../core/audit/copies.ts';
import type { Evidence, LedgerEvidence, UnseenInRegion, VolumeEvidence } from '../../core/audit/evidence.ts';
import { toLookUp } from '../../core/audit.ts';
import { COPIER_TAG } from '../../core/copier-tags.ts';
import { CopierError } from '../../core/errors.ts';
import type { RequestKey } from '../../core/ledger-request.ts';
import { daysBetween } from '../../core/lookback.ts';
import { otherAccounts } from '../../core/other-accounts.ts';
import type { RegionKeys } from '../../core/plan-keys.ts';
import { destinationRegions } from '../../core/rule-destinations.ts';
import { parseKmsKey } from '../../core/rules/kms-key.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { sourceOwners } from '../../core/source-owners.ts';
import type { RulesText } from '../../packaging/rules-text.ts';
import type { Deployed } from '../deployed.ts';
import { listSources } from '../sources/list-sources.ts';
import type { Progress } from '../terminal.ts';
import { count } from '../words.ts';

interface Gathered {
  readonly evidence: Evidence;
  /** What could not be asked, and what that means for the audit, in words. */
  readonly troubles: readonly string[];
}

/**
 * Asks AWS for all that an audit needs; nothing is changed.
 *
 * @throws errors of core/errors.ts if snapshots or copies cannot be listed: without them nothing is proved
 */
export async function gatherEvidence(
  { install, ledgerTable, lookAtSourcesFunction, rules: deployedRules, now }: Deployed,
  { rules, sourceAccounts }: Pick<RulesText, 'rules' | 'sourceAccounts'>,
  { sinceSeconds, rpoSeconds }: { readonly sinceSeconds: number; readonly rpoSeconds: number },
  progress: Progress,
): Promise<Gathered> {
  const companions = otherAccounts(sourceAccounts.accounts, install.account);
  const snapshots = ec2Snapshots();
  const troubles: string[] = [];
  const at = now();
  const since = new Date(at.getTime() - sinceSeconds * 1000);

  // Copies before sources: a copy that is made meanwhile would look like one without a source.
  const regions = destinationRegions([...rules, ...deployedRules.rules]);
  progress.show(`looking at the copies in ${regions.join(', ')}`);
  const copies = (await Promise.all(regions.map((region) => snapshots.managedCopies(region)))).flat();
  const recent = copies.filter((copy) => isOf(copy, install.name) && isSince(copy, since));

  progress.show(`looking at the snapshots in ${install.region}`);
  const apis = { snapshots, looks: sourceLooks(lookAtSourcesFunction) };
  const { own, shared, withCompanion } = sourceOwners(rules, companions);
  const ownersIn = (region: string): ReadonlySet<string> => {
    const there = recent.filter(({ tags }) => (tags[COPIER_TAG.sourceRegion] ?? install.region) === region);
    return new Set(there.flatMap(({ tags }) => tags[COPIER_TAG.sourceAccount] ?? []));
  };
  const whose = {
    own: own === 'always' || own.length > 0 || recent.length > 0,
    shared: shared.length > 0 || recent.some(({ tags }) => isOfOthers(tags, [install.account, ...companions])),
    companions,
  };
  const days = daysBetween(since, at);
  const haveCopies = (region: string) => companions.filter((account) => ownersIn(region).has(account));
  const accounts = [...new Set([...withCompanion, ...haveCopies(install.region)])];
  const seen = await listSources(apis, install.region, days, { ...whose, accounts });
  const sources = [...seen.snapshots];
  const unseen: UnseenInRegion[] = seen.unseen.map((each) => ({ ...each, region: install.region }));
  const sourceRegions = [install.region];
  for (const region of new Set(recent.flatMap(({ tags }) => tags[COPIER_TAG.sourceRegion] ?? []))) {
    if (region === install.region) continue;
    const notKnown = `Whether the sources of copies from ${region} still exist is not known.`;
    await tolerant(
      async () => {
        const there = await listSources(apis, region, days, { ...whose, accounts: haveCopies(region) });
        sources.push(...there.snapshots);
        sourceRegions.push(region);
        for (const { account, why } of there.unseen) {
          unseen.push({ account, why, region });
          troubles.push(`${notKnown} Account ${account}: ${why}`);
        }
      },
      notKnown,
      troubles,
    );
  }

  const keys = new Map<string, RegionKeys>();
  for (const region of regionsWithAliases(rules)) {
    const aliases = await tolerant(
      () => kmsAliases(region),
      `Whether copies in ${region} are under the key that the rule wants is not known.`,
      troubles,
    );
    if (aliases !== undefined) keys.set(region, { aliases });
  }

  const known = {
    install,
    rules,
    now: at,
    since,
    rpoSeconds,
    sources,
    companions,
    unseen,
    sourceRegions,
    copies,
    keys,
  };
  const { requests, volumeIds } = toLookUp(known);

  progress.show(`reading ${count(requests.length, 'request')} in the ledger`);
  const ledger = await tolerant(
    () => readLedger(ledgerTable, requests, now, troubles),
    'What waits or failed is not known, so a snapshot without a copy counts as under way until the RPO has passed.',
    troubles,
  );
  const { found, untagged } = await lookAgain(snapshots, ledger, copies);

  progress.show(`asking which of ${count(volumeIds.length, 'volume')} still exist`);
  const existing = await tolerant(
    () => existingVolumes(install.region, volumeIds),
    'Which volumes were deleted is not known, so all count as if they existed.',
    troubles,
  );
  const volumes = new Map<string, VolumeEvidence>(
    existing && volumeIds.map((volumeId) => [volumeId, volumeEvidence(existing.get(volumeId)?.tags)]),
  );
  return { evidence: { ...known, copies: [...copies, ...found], ledger, untagged, volumes }, troubles };
}

/** Where a rule names a key by an alias, which only KMS can resolve. */
function regionsWithAliases(rules: readonly CopyRule[]): ReadonlySet<string> {
  const destinations = rules.flatMap((rule) => rule.destinations);
  const named = destinations.filter(
    ({ encryption }) => encryption.kind === 'key' && parseKmsKey(encryption.kmsKey)?.kind === 'alias',
  );
  return new Set(named.map(({ region }) => region));
}

function isSince(copy: Snapshot, since: Date): boolean {
  const dataTime = dataTimeOf(copy);
  return dataTime !== undefined && dataTime >= since.getTime();
}

function isOfOthers(tags: Snapshot['tags'], accounts: readonly string[]): boolean {
  const owner = tags[COPIER_TAG.sourceAccount];
  return owner !== undefined && !accounts.includes(owner);
}

/** What AWS does not answer here only makes the audit poorer. */
async function tolerant<Answer>(
  ask: () => Promise<Answer>,
  consequence: string,
  troubles: string[],
): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CopierError)) throw error;
    troubles.push(`${consequence} ${error.message}`);
    return undefined;
  }
}

/** @param troubles gets what is wrong with requests that make no sense */
async function readLedger(
  table: string,
  keys: readonly RequestKey[],
  now: () => Date,
  troubles: string[],
): Promise<LedgerEvidence> {
  const { requests, unreadable } = await ledgerListing(table, { now }).find(keys);
  troubles.push(...unreadable.map(({ problem }) => problem));
  return { requests, unreadable: new Set(unreadable.map(({ item }) => item)) };
}

/** More were not lost between two calls, and each costs one. */
const LOOKS_AGAIN = 200;

/**
 * Copies that the ledger takes for good and that were not listed: complete only after the listing, or without the tags
 * by which copies are listed.
 */
async function lookAgain(
  snapshots: Pick<SnapshotApi, 'find'>,
  ledger: LedgerEvidence | undefined,
  listed: readonly Snapshot[],
): Promise<{ readonly found: readonly Snapshot[]; readonly untagged: ReadonlySet<string> }> {
  const known = new Set(listed.map(({ snapshotId }) => snapshotId));
  const copied = (ledger?.requests ?? []).filter(({ status }) => status === 'copied').slice(0, LOOKS_AGAIN);
  const found: Snapshot[] = [];
  const untagged = new Set<string>();
  for (const { copyId, request } of copied) {
    if (copyId === undefined || known.has(copyId)) continue;
    const copy = await snapshots.find(request.destination.region, copyId);
    if (copy?.tags[COPIER_TAG.managed] !== undefined) found.push(copy);
    else if (copy !== undefined) untagged.add(copyId);
  }
  return { found, untagged };
}

function volumeEvidence(tags: Readonly<Record<string, string>> | undefined): VolumeEvidence {
  const name = tags?.['Name'];
  return { exists: tags !== undefined, ...(name !== undefined && { name }) };
}
