import { storagePrice, wholeGib } from './copy-cost.ts';
import type { Circumstances, PlanRow } from './plan.ts';
import { parseKmsKey } from './rules/kms-key.ts';
import { selectDestinations } from './selection.ts';
import type { Snapshot } from './snapshot.ts';
import { actingName, SOURCE_TAG } from './source-account.ts';

/**
 * A copy under a shareable key in the account of the source. Another key makes it a full one, in the same account and
 * Region too: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html#ebs-incremental-copy
 */
export interface Intermediate {
  /** 12 digits. */
  readonly account: string;
  /** `toMake`; `shared`: the one of another row of the same source serves; `exists`: it is there already. */
  readonly is: 'toMake' | 'shared' | 'exists';
  /** 0 unless it is to be made. */
  readonly gib: number;
  /** US dollars that the source account pays for each month that it is kept; undefined if the price is not known. */
  readonly storagePerMonth: number | undefined;
}

/** Whether the account that owns the snapshot cannot share it: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html */
export function isUnshareable(
  { viewedByOwner, kmsKeyId }: Pick<Snapshot, 'viewedByOwner' | 'kmsKeyId'>,
  awsKeys: ReadonlySet<string>,
): boolean {
  return viewedByOwner === true && kmsKeyId !== undefined && awsKeys.has(kmsKeyId);
}

/**
 * The keys to ask about in each source account: those of its selected snapshots that are its own. A key of yet another
 * account is no key of AWS's there.
 */
export function keysToAsk(
  sources: readonly Snapshot[],
  { rules, install }: Pick<Circumstances, 'rules' | 'install'>,
): ReadonlyMap<string, readonly string[]> {
  const keys = sources.flatMap((source) => {
    const { ownerId: account, kmsKeyId, viewedByOwner } = source;
    if (viewedByOwner !== true || kmsKeyId === undefined) return [];
    if (parseKmsKey(kmsKeyId)?.arn?.account !== account) return [];
    const isWanted = selectDestinations(source, rules, install).some(({ action }) => action === 'copy');
    return isWanted ? [{ account, kmsKeyId }] : [];
  });
  return new Map(
    [...Map.groupBy(keys, ({ account }) => account)].map(([account, of]) => [
      account,
      [...new Set(of.map(({ kmsKeyId }) => kmsKeyId))],
    ]),
  );
}

/**
 * What has to be made first for the rows with work; one serves all destinations of a source.
 *
 * @param listed may hold those that are there
 */
export function intermediatesOf(
  rows: readonly PlanRow[],
  listed: readonly Snapshot[],
  { install, awsKeys, assumptions }: Pick<Circumstances, 'install' | 'awsKeys' | 'assumptions'>,
): ReadonlyMap<PlanRow, Intermediate> {
  const served = new Map<string, Intermediate['is']>(
    listed
      .filter(
        ({ tags, state }) =>
          tags[SOURCE_TAG.intermediateFor] === actingName(install) && (state === 'completed' || state === 'pending'),
      )
      .map(({ tags }) => [tags[SOURCE_TAG.intermediateOf] ?? '', 'exists']),
  );
  const found = new Map<PlanRow, Intermediate>();
  for (const row of rows) {
    const { source, action, work } = row;
    if (work?.request.source.companion?.reencrypt !== true || !isUnshareable(source, awsKeys)) continue;
    const { snapshotId, ownerId: account, region } = source;
    // What runs has made it, or is about to.
    const is = served.get(snapshotId) ?? (action === 'running' ? 'exists' : 'toMake');
    const gib = is === 'toMake' ? wholeGib(source) : 0;
    const price = storagePrice(region, assumptions.prices);
    const storagePerMonth = gib === 0 ? 0 : price === undefined ? undefined : price * gib;
    found.set(row, { account, is, gib, storagePerMonth });
    if (is === 'toMake') served.set(snapshotId, 'shared');
  }
  return found;
}
