import { COPIER_TAG } from '../copier-tags.ts';
import { type Destination, destinationId } from '../destination.ts';
import { isGivenUp } from '../existing-copies.ts';
import { itemOf, type LedgerRequest, requestKey } from '../ledger-request.ts';
import { selectDestinations } from '../selection.ts';
import type { Snapshot } from '../snapshot.ts';
import { at, byText, isOf, placeOf } from './copies.ts';
import { encryptionProblem } from './encryption.ts';
import type { Evidence } from './evidence.ts';

/** What became of one selected snapshot at one destination. */
export const PAIR_VERDICTS = [
  /** There is exactly one good copy in EC2: complete, ours, not given up, and encrypted as the rule says. */
  'protected',
  /** There is more than one. */
  'duplicate',
  /** No good copy yet, somebody works on it, and the snapshot is younger than the RPO. */
  'under-way',
  /** The same, and the snapshot is older. */
  'late',
  /** No good copy, and nobody works on it. */
  'missing',
  /** No good copy, and the ledger, or EC2, says why. */
  'failed',
  /** A complete copy, but not encrypted as the rule says. */
  'wrong-encryption',
] as const;
export type PairVerdict = (typeof PAIR_VERDICTS)[number];

const GOOD: readonly PairVerdict[] = ['protected', 'duplicate', 'under-way'];

/** Whether nobody has to act, as far as the data's safety goes. */
export function isSafe(verdict: PairVerdict): boolean {
  return GOOD.includes(verdict);
}

/** One selected snapshot at one destination. */
export interface Pair {
  readonly source: Snapshot;
  /** Name of the rule that wants it there. */
  readonly rule: string;
  readonly destination: Destination;
}

export interface JudgedPair extends Pair {
  readonly verdict: PairVerdict;
  /** What the verdict rests on, in one sentence without a full stop. */
  readonly reason: string;
  /** The good copies, oldest first: the first is the one that the service takes for its own. */
  readonly goodCopies: readonly Snapshot[];
  /** Another snapshot that the reason speaks of: pending, failed, or not encrypted as it should be. */
  readonly otherCopyId?: string;
  /** Whether the ledger has a request for it; false where it was not asked, as there is a good copy. */
  readonly wasAsked: boolean;
}

/**
 * Every snapshot of the time that is audited with every destination that a rule wants it at, once. A source that was
 * archived since counts: EC2 could have copied it before.
 */
export function selectedPairs({
  sources,
  rules,
  install,
  since,
}: Pick<Evidence, 'sources' | 'rules' | 'install' | 'since'>): readonly Pair[] {
  const own = sources.filter(
    ({ region, state, startTime }) =>
      region === install.region && state === 'completed' && Date.parse(startTime) >= since.getTime(),
  );
  return own.flatMap((source) =>
    selectDestinations({ ...source, storageTier: 'standard' }, rules, install)
      .filter(({ action, rule }) => action === 'copy' && !rule.dryRun)
      .map(({ rule, destination }) => ({ source, rule: rule.name, destination })),
  );
}

/** Exactly one verdict for each pair, in the same order. */
export function judgePairs(pairs: readonly Pair[], evidence: Evidence): readonly JudgedPair[] {
  const { copies, install, ledger } = evidence;
  const ownCopies = Map.groupBy(
    copies.filter((copy) => isOf(copy, install.name)),
    (copy) => at(placeOf(copy), copy.tags[COPIER_TAG.sourceSnapshot]),
  );
  const requests = new Map(
    ledger?.requests.map((request) => {
      const { source, destination } = request.request;
      return [itemOf(requestKey(source, destination)), request];
    }),
  );
  return pairs.map((pair) => {
    const item = itemOf(requestKey(pair.source, pair.destination));
    const there = ownCopies.get(at(destinationId(pair.destination), pair.source.snapshotId)) ?? [];
    return judge(pair, inOrder(there), requests.get(item), evidence);
  });
}

type Verdict = Pick<JudgedPair, 'verdict' | 'reason' | 'otherCopyId'>;

/** @param copies of the pair, of whatever state */
function judge(
  pair: Pair,
  copies: readonly Snapshot[],
  request: LedgerRequest | undefined,
  evidence: Evidence,
): JudgedPair {
  const complete = copies
    .filter((copy) => copy.state === 'completed' && !isGivenUp(copy))
    .map((copy) => ({ copy, problem: encryptionProblem(copy, pair.destination, pair.source, evidence) }));
  const goodCopies = complete.filter(({ problem }) => problem === undefined).map(({ copy }) => copy);
  const verdict = verdictOnComplete(goodCopies, complete) ?? verdictOnGap(pair, copies, request, evidence);
  return { ...pair, ...verdict, goodCopies, wasAsked: request !== undefined };
}

function verdictOnComplete(
  [first, ...more]: readonly Snapshot[],
  complete: readonly { readonly copy: Snapshot; readonly problem: string | undefined }[],
): Verdict | undefined {
  if (first !== undefined && more.length > 0) {
    const ids = [first, ...more].map(({ snapshotId }) => snapshotId);
    return { verdict: 'duplicate', reason: `${ids.join(' and ')} are all good copies of it` };
  }
  if (first !== undefined) return { verdict: 'protected', reason: `${first.snapshotId} is a good copy of it` };
  const [wrong] = complete;
  if (wrong === undefined) return undefined;
  const { snapshotId } = wrong.copy;
  return { verdict: 'wrong-encryption', reason: `its copy ${snapshotId} ${wrong.problem}`, otherCopyId: snapshotId };
}

/** There is no complete copy. What EC2 shows comes before what the ledger says. */
function verdictOnGap(
  { source, destination }: Pair,
  copies: readonly Snapshot[],
  request: LedgerRequest | undefined,
  { now, rpoSeconds, ledger, untagged }: Evidence,
): Verdict {
  const isOld = now.getTime() - Date.parse(source.startTime) > rpoSeconds * 1000;
  const underWay = isOld ? 'late' : 'under-way';
  const pending = copies.find((copy) => copy.state === 'pending' && !isGivenUp(copy));
  if (pending !== undefined) {
    const { snapshotId, progressPercent } = pending;
    return { verdict: underWay, reason: `its copy ${snapshotId} is at ${progressPercent} %`, otherCopyId: snapshotId };
  }
  if (request?.status === 'waiting') {
    const since = toTheMinute(Date.parse(request.waitingSince));
    return { verdict: underWay, reason: `it waits for a copy slot since ${since}: ${request.reason}` };
  }
  if (request?.status === 'running') {
    const since = toTheMinute(Date.parse(request.changedAt));
    return { verdict: underWay, reason: `execution ${request.execution} works on it since ${since}` };
  }
  const left = copies.find(({ state }) => state === 'error') ?? copies[0];
  const other = left === undefined ? {} : { otherCopyId: left.snapshotId };
  if (request?.status === 'failed') return { verdict: 'failed', reason: request.reason, ...other };
  if (left?.state === 'error') return { verdict: 'failed', reason: fateOf(left), ...other };
  if (ledger === undefined) {
    const reason = 'the ledger could not be read, so it is not known whether anybody works on it';
    return { verdict: underWay, reason, ...other };
  }
  const isUnreadable = ledger.unreadable.has(itemOf(requestKey(source, destination)));
  const completed = Date.parse(source.completionTime ?? source.startTime);
  if (
    request === undefined &&
    left === undefined &&
    !isUnreadable &&
    now.getTime() - completed < EVENT_TAKES_SECONDS * 1000
  ) {
    const reason = `it is complete since ${toTheMinute(completed)}, and its event may be on the way`;
    return { verdict: underWay, reason };
  }
  const reasons = [
    isUnreadable ? 'its request in the ledger cannot be read, so nothing serves it' : whyNobody(request, untagged),
    ...(left === undefined ? [] : [fateOf(left)]),
    ...(source.storageTier === 'archive' ? ['it is archived now, and EC2 copies only from the standard tier'] : []),
  ];
  return { verdict: 'missing', reason: reasons.join('; '), ...other };
}

/** Events take seconds; Lambda tries again for some minutes, and then a look by the clock finds what they lost. */
const EVENT_TAKES_SECONDS = 15 * 60;

function whyNobody(request: LedgerRequest | undefined, untagged: ReadonlySet<string>): string {
  switch (request?.status) {
    case undefined:
      return 'nobody asked for it';
    case 'copied': {
      const { copyId = '' } = request;
      return untagged.has(copyId)
        ? `it was copied as ${copyId}, which has lost the tags that say so`
        : `it was copied${copyId && ` as ${copyId}`}, and EC2 shows no such copy any more: somebody deleted it`;
    }
    default:
      return `the ledger has it as ${request?.status}: ${request?.reason}`;
  }
}

/** What is there of a copy and is no good. */
function fateOf({ snapshotId, state, stateMessage }: Snapshot): string {
  switch (state) {
    case 'error':
      return `its copy ${snapshotId} ended in error: ${stateMessage ?? 'EC2 gave no reason'}`;
    case 'recoverable':
    case 'recovering':
      return `its copy ${snapshotId} is in the recycle bin`;
    default:
      return `its copy ${snapshotId} was given up and is being removed`;
  }
}

function toTheMinute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

/** Oldest first, as the service chooses among several. */
function inOrder(copies: readonly Snapshot[]): readonly Snapshot[] {
  return copies.toSorted((a, b) => byText(a.startTime, b.startTime) || byText(a.snapshotId, b.snapshotId));
}
