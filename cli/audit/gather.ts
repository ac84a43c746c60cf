import { ec2Snapshots } from '../../aws/ec2-snapshots.ts';
import { existingVolumes } from '../../aws/ec2-volumes.ts';
import { kmsAliases } from '../../aws/kms-aliases.ts';
import { ledgerListing } from '../../aws/ledger-listing.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { dataTimeOf, isOf } from '../../core/audit/copies.ts';
import type { Evidence, LedgerEvidence, VolumeEvidence } from '../../core/audit/evidence.ts';
import { toLookUp } from '../../core/audit.ts';
import { COPIER_TAG } from '../../core/copier-tags.ts';
import { CopierError } from '../../core/errors.ts';
import type { RequestKey } from '../../core/ledger-request.ts';
import type { RegionKeys } from '../../core/plan-keys.ts';
import { destinationRegions } from '../../core/rule-destinations.ts';
import { parseKmsKey } from '../../core/rules/kms-key.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { sourceOwners } from '../../core/source-owners.ts';
import type { Deployed } from '../deployed.ts';
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
  { install, ledgerTable, rules: deployedRules, now }: Deployed,
  rules: readonly CopyRule[],
  { sinceSeconds, rpoSeconds }: { readonly sinceSeconds: number; readonly rpoSeconds: number },
  progress: Progress,
): Promise<Gathered> {
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
  const tagOf = (tag: string) => new Set(recent.flatMap(({ tags }) => tags[tag] ?? []));
  const { own, shared } = sourceOwners(rules);
  const whose = {
    own: own === 'always' || own.length > 0 || recent.length > 0,
    shared: shared.length > 0 || [...tagOf(COPIER_TAG.sourceAccount)].some((account) => account !== install.account),
  };
  const days = daysBetween(since, at);
  const sources = await begunSince(snapshots, install.region, days, whose);
  const sourceRegions = [install.region];
  for (const region of tagOf(COPIER_TAG.sourceRegion)) {
    if (region === install.region) continue;
    await tolerant(
      async () => {
        sources.push(...(await begunSince(snapshots, region, days, whose)));
        sourceRegions.push(region);
      },
      `Whether the sources of copies from ${region} still exist is not known.`,
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

function daysBetween(first: Date, last: Date): readonly string[] {
  const dayMs = 86_400_000;
  const from = Math.floor(first.getTime() / dayMs);
  const days = Math.floor(last.getTime() / dayMs) - from + 1;
  return Array.from({ length: days }, (_, index) => new Date((from + index) * dayMs).toISOString().slice(0, 10));
}

/** EC2 takes 200 values of filters in a call. */
const DAYS_AT_ONCE = 100;

async function begunSince(
  snapshots: Pick<SnapshotApi, 'begunOn'>,
  region: string,
  days: readonly string[],
  whose: { readonly own: boolean; readonly shared: boolean },
): Promise<Snapshot[]> {
  const found = new Map<string, Snapshot>();
  const add = (list: readonly Snapshot[]): void => {
    for (const snapshot of list) found.set(snapshot.snapshotId, snapshot);
  };
  for (let start = 0; start < days.length; start += DAYS_AT_ONCE) {
    const some = days.slice(start, start + DAYS_AT_ONCE);
    if (whose.own) add(await snapshots.begunOn(region, some, 'own'));
    // Among those that it may use, EC2 lists an account's own again.
    if (whose.shared) add(await snapshots.begunOn(region, some, 'shared'));
  }
  return [...found.values()];
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
