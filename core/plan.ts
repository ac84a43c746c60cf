import { COPIER_TAG } from './copier-tags.ts';
import { type CopyCost, costOf, type OwnPrices, type UnitPrices, unitPrices, wholeGib } from './copy-cost.ts';
import { type CopyRequest, copyRequest } from './copy-request.ts';
import { type Destination, destinationId } from './destination.ts';
import { ownCopyOf } from './existing-copies.ts';
import type { Install } from './install.ts';
import {
  itemOf,
  type LedgerRequest,
  type RequestKey,
  type RunningRequest,
  requestKey,
  type WaitingRequest,
} from './ledger-request.ts';
import { lossOf } from './lost-copy.ts';
import { type Group, groupsOf } from './plan-groups.ts';
import { type Intermediate, intermediatesOf, isUnshareable } from './plan-intermediates.ts';
import { keyOfCopy, type RegionKeys } from './plan-keys.ts';
import { type CopyToBe, type Movement, movementsOf, placeOf } from './plan-movement.ts';
import type { CopyRule } from './rules.ts';
import { type Selected, selectDestinations } from './selection.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * What becomes of a snapshot at a destination. `copy`: a rule wants it there, and nobody has asked for it yet, or its
 * copy is gone. `unshareable`: its account cannot share it, so the copy would fail, or has failed. `waiting`, `running`,
 * `failed`: its request in the ledger. `exists`: the copy is there. `dry-run`: the rule that wants it only rehearses.
 * `skipped`: no rule wants it there.
 */
export type PlanAction = 'copy' | 'unshareable' | 'running' | 'waiting' | 'failed' | 'exists' | 'dry-run' | 'skipped';

/** One snapshot and one destination. */
export interface PlanRow {
  readonly source: Snapshot;
  readonly destination: Destination;
  readonly action: PlanAction;
  /** Why, in one sentence. */
  readonly reason: string;
  /**
   * The rule that decides; of a skipped one every rule with this destination; each with what it says. None for a
   * destination that no rule has any more.
   */
  readonly rules: readonly RuleSays[];
  /** The copy that is there, is being made, or is gone. */
  readonly copyId?: string;
  /** Of what is copied, waits or runs. */
  readonly work?: Work;
}

interface RuleSays {
  readonly name: string;
  readonly says: string;
}

/** What a copy takes. */
export interface Work extends Movement {
  readonly request: CopyRequest;
  /** An estimate. */
  readonly gib: number;
  readonly prices: UnitPrices;
  readonly cost: CopyCost;
  /** What has to be made first, in the account of the source. */
  readonly intermediate?: Intermediate;
}

/** What an estimate rests on. */
export interface Assumptions {
  /** Which part of a volume's blocks differs between a snapshot and the one that was copied before it, 0 to 1. */
  readonly changeRate: number;
  readonly prices: OwnPrices;
}

/** All that is known when a plan is made. */
export interface Circumstances {
  readonly install: Pick<Install, 'account' | 'name'>;
  readonly rules: readonly CopyRule[];
  /** Requests of the ledger: all of these snapshots, and all that wait or run for their volumes. */
  readonly requests: readonly LedgerRequest[];
  /** The queues of all destination Regions, each in its order. */
  readonly waiting: readonly WaitingRequest[];
  /** Copies of this product in all destination Regions. */
  readonly copies: readonly Snapshot[];
  /** By destination Region. */
  readonly keys: ReadonlyMap<string, RegionKeys>;
  /** The keys of sources in other accounts that are AWS's own there (`aws/ebs`): what is under one cannot be shared. */
  readonly awsKeys: ReadonlySet<string>;
  readonly assumptions: Assumptions;
}

/** The share of blocks that is assumed to change, if nobody says otherwise. */
export const USUAL_CHANGE_RATE = 0.03;

/**
 * What would become of these snapshots, oldest first. Each snapshot has one row for every destination of the rules, and
 * one for every other that a request of it waits or runs for.
 */
export function makePlan(sources: readonly Snapshot[], circumstances: Circumstances): readonly PlanRow[] {
  const { install, keys, assumptions } = circumstances;
  const known = indexed(circumstances);
  const outlines = sources
    .toSorted((a, b) => compare(a.startTime, b.startTime) || compare(a.snapshotId, b.snapshotId))
    .flatMap((source) => outlinesOf(source, circumstances, known));

  const listed = new Map(outlines.flatMap(({ toBe }) => (toBe === undefined ? [] : [[toBe.of, toBe] as const])));
  const keyFor = (request: CopyRequest) =>
    keyOfCopy(request.source, request.destination, keys.get(request.destination.region) ?? {}, install.account);
  // What waits and runs for older snapshots of the same volumes comes first, though it is not in the plan.
  const unlisted = circumstances.requests.filter(
    ({ request, status }) => (status === 'waiting' || status === 'running') && !listed.has(placeOf(request)),
  );
  const toBe: readonly CopyToBe[] = [
    ...[...listed.values()].map(({ request, begunAt }) => ({
      request,
      key: keyFor(request),
      ...(begunAt !== undefined && { begunAt }),
    })),
    ...unlisted.map(({ request, status, copyBegunAt, changedAt }) => ({
      request,
      key: keyFor(request),
      ...(status === 'running' && { begunAt: copyBegunAt ?? changedAt }),
    })),
  ];
  const movements = movementsOf(toBe, { copies: circumstances.copies, lost: known.lost }, install.account);

  const rows = outlines.map(({ toBe: copy, ...row }): PlanRow => {
    const movement = copy === undefined ? undefined : movements.get(copy.of);
    if (copy === undefined || movement === undefined) return row;
    return { ...row, work: workOf(copy.request, row.source, movement, assumptions) };
  });
  const intermediates = intermediatesOf(rows, sources, circumstances);
  return rows.map((row) => {
    const intermediate = intermediates.get(row);
    if (row.work === undefined || intermediate === undefined) return row;
    return { ...row, work: { ...row.work, intermediate } };
  });
}

/**
 * The requests that a plan has to know: those for what a rule wants, and of the queue those that concern these snapshots
 * or their volumes.
 */
export function requestsToRead(
  sources: readonly Snapshot[],
  { rules, install }: Pick<Circumstances, 'rules' | 'install'>,
  queue: readonly (WaitingRequest | RunningRequest)[],
): readonly RequestKey[] {
  const ids = new Set(sources.map(({ snapshotId }) => snapshotId));
  const volumes = new Set(sources.map(({ volumeId }) => volumeId));
  const wanted = sources.flatMap((source) =>
    selectDestinations(source, rules, install).flatMap(({ action, destination }) =>
      action === 'copy' ? [requestKey(source, destination)] : [],
    ),
  );
  const queued = queue.filter(({ snapshotId, volumeId }) => ids.has(snapshotId) || volumes.has(volumeId));
  return [...new Map([...wanted, ...queued].map((key) => [keyText(key), key])).values()];
}

/** A row before anybody knows what EC2 moves. */
interface Outline extends Omit<PlanRow, 'work'> {
  readonly toBe?: { readonly of: string; readonly request: CopyRequest; readonly begunAt?: string };
}

interface Known {
  /** By `placeOf`. */
  readonly requests: ReadonlyMap<string, LedgerRequest>;
  readonly lost: readonly LedgerRequest[];
  /** By source snapshot. */
  readonly requestsOf: ReadonlyMap<string, readonly LedgerRequest[]>;
  readonly copiesOf: ReadonlyMap<string, readonly Snapshot[]>;
  /** Place in its queue and the length of that, by `placeOf`. */
  readonly places: ReadonlyMap<string, { readonly place: number; readonly of: number }>;
}

function indexed({ requests, waiting, copies }: Circumstances): Known {
  const ids = new Set(copies.map(({ region, snapshotId }) => `${region}#${snapshotId}`));
  const queues = [...Map.groupBy(waiting, ({ region }) => region).values()];
  return {
    requests: new Map(requests.map((each) => [placeOf(each.request), each])),
    lost: requests.filter(
      ({ status, copyId, request }) => status === 'copied' && !ids.has(`${request.destination.region}#${copyId}`),
    ),
    requestsOf: Map.groupBy(requests, ({ request }) => request.source.snapshotId),
    copiesOf: Map.groupBy(copies, ({ tags }) => tags[COPIER_TAG.sourceSnapshot] ?? ''),
    places: new Map(
      queues.flatMap((queue) => queue.map((each, index) => [keyText(each), { place: index + 1, of: queue.length }])),
    ),
  };
}

function outlinesOf(source: Snapshot, circumstances: Circumstances, known: Known): readonly Outline[] {
  const { rules, install } = circumstances;
  const selected = groupsOf(selectDestinations(source, rules, install), ({ destination }) =>
    destinationId(destination),
  );
  const rows = [...selected.values()].map((says) => outlineOf(source, says, circumstances, known));
  const others = (known.requestsOf.get(source.snapshotId) ?? []).filter(
    ({ status, request }) =>
      (status === 'waiting' || status === 'running') && !selected.has(destinationId(request.destination)),
  );
  return [
    ...rows,
    ...others.map((each) => {
      const { reason, ...row } = underWay(
        source,
        each,
        ownCopyOf(each.request, copiesAt(each.request, known), install.name),
        known,
      );
      return { ...row, rules: [], reason: `${reason}, as rule ${each.request.rule} asked for before` };
    }),
  ];
}

/** @param says what each rule with this destination says of the snapshot */
function outlineOf(
  source: Snapshot,
  says: Group<Selected>,
  { install, awsKeys }: Circumstances,
  known: Known,
): Outline {
  const chosen = says.find(({ action }) => action === 'copy');
  const { rule, destination, reason } = chosen ?? says[0];
  const request = copyRequest(source, rule, destination);
  const ledger = known.requests.get(placeOf(request));
  const own = ownCopyOf(request, copiesAt(request, known), install.name);
  const row = { source, destination, rules: [{ name: rule.name, says: reason }] };

  if (own?.state !== 'completed' && (ledger?.status === 'waiting' || ledger?.status === 'running')) {
    return underWay(source, ledger, own, known);
  }
  if (chosen === undefined) {
    const rules = says.map((each) => ({ name: each.rule.name, says: each.reason }));
    return { ...row, rules, action: 'skipped', reason: [...new Set(rules.map((each) => each.says))].join('; ') };
  }
  if (own?.state === 'completed') {
    return { ...row, action: 'exists', reason: `${own.snapshotId} is its copy`, copyId: own.snapshotId };
  }
  // To start it again would not help, if it has failed.
  const isHopeless = isUnshareable(source, awsKeys) && rule.reencrypt !== true;
  if (isHopeless && !rule.dryRun && own === undefined) {
    const why = `it is under aws/ebs of account ${source.ownerId}, which cannot share it, and rule ${rule.name} has no reencrypt`;
    return { ...row, action: 'unshareable', reason: why };
  }
  if (ledger?.status === 'failed') return { ...row, action: 'failed', reason: ledger.reason };
  const toBe = { of: placeOf(request), request };
  if (own !== undefined) {
    const begun = { ...toBe, begunAt: own.startTime };
    return { ...row, action: 'running', reason: progressOf(own), copyId: own.snapshotId, toBe: begun };
  }
  if (rule.dryRun) return { ...row, action: 'dry-run', reason };
  const again = ledger && whyAgain(ledger, copiesAt(request, known), install.name);
  const gone = ledger?.copyId;
  return { ...row, action: 'copy', reason: again ?? reason, ...(gone !== undefined && { copyId: gone }), toBe };
}

/** Why there is something to do although the ledger has an end for it. */
function whyAgain(ledger: LedgerRequest, copies: readonly Snapshot[], installName: string): string | undefined {
  const { status, reason, request, copyId } = ledger;
  if (status === 'copied') return lossOf(copyId, request, copies, installName);
  return `it was ${status} before: ${reason}`;
}

/** The row of a request that waits or runs. */
function underWay(source: Snapshot, ledger: LedgerRequest, own: Snapshot | undefined, known: Known): Outline {
  const { request, reason, copyBegunAt, changedAt } = ledger;
  const copyId = own?.snapshotId ?? ledger.copyId;
  const row = {
    source,
    destination: request.destination,
    rules: [{ name: request.rule, says: reason }],
    ...(copyId !== undefined && { copyId }),
  };
  const of = placeOf(request);
  if (ledger.status === 'running') {
    const is = own === undefined ? 'its execution runs' : progressOf(own);
    return { ...row, action: 'running', reason: is, toBe: { of, request, begunAt: copyBegunAt ?? changedAt } };
  }
  const place = known.places.get(of);
  const where = request.destination.region;
  const waits = place === undefined ? `waits for ${where}` : `number ${place.place} of ${place.of} for ${where}`;
  return { ...row, action: 'waiting', reason: waits, toBe: { of, request } };
}

function copiesAt({ source, destination }: CopyRequest, { copiesOf }: Known): readonly Snapshot[] {
  return (copiesOf.get(source.snapshotId) ?? []).filter(({ region }) => region === destination.region);
}

function progressOf({ snapshotId, progressPercent }: Snapshot): string {
  return `${snapshotId} is at ${progressPercent} %`;
}

function workOf(
  request: CopyRequest,
  source: Snapshot,
  movement: Movement,
  { changeRate, prices: own }: Assumptions,
): Work {
  const whole = wholeGib(source);
  const share = { all: 1, changed: changeRate, nothing: 0 }[movement.moves];
  const prices = unitPrices(source, request.destination, own);
  return { ...movement, request, gib: whole * share, prices, cost: costOf(whole * share, prices) };
}

/** As `placeOf`, of a request in the queue. */
function keyText(key: RequestKey): string {
  return `${key.region}#${itemOf(key)}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
