import TimeQueue from 'flatqueue';
import { type Random, seededRandom } from '../sandbox/ids.ts';
import { besideIdeal } from './ideal.ts';
import { priceOf } from './prices.ts';
import type { BurstRow } from './results.ts';
import type { ScheduledCopy } from './schedule.ts';
import type { BurstSnapshot } from './workload.ts';

/** What became of a burst where every execution tries until EC2 has a slot for it. */
export interface PlainRetries {
  /** In the order in which they ended; without those that were lost. */
  readonly copies: readonly ScheduledCopy[];
  /** Executions that died of their history. */
  readonly lost: number;
  /** Tries: each is one call, one Lambda invocation and one state transition. */
  readonly calls: number;
  /** For want of a slot. */
  readonly refused: number;
  /** Because the account's calls come too fast. */
  readonly throttled: number;
}

export interface RetryOptions {
  /** Copies that the destination Region runs at once. Default 20. */
  readonly slots?: number;
  /** Numbers from 0 to 1 for the jitter. Default: seeded. */
  readonly random?: Random;
  /** The longest wait. Default 300 s, as MaxDelaySeconds has it. */
  readonly longestWaitSeconds?: number;
  /** Default: as many as an execution's history takes. */
  readonly triesAllowed?: number;
}

/** IntervalSeconds and BackoffRate. */
const FIRST_WAIT_SECONDS = 5;
const BACKOFF_RATE = 2;

/** ExecutionStarted and TaskStateEntered; each try adds that it was scheduled, has started and has failed. */
const EVENTS_BEFORE_TRIES = 2;
const EVENTS_OF_A_TRY = 3;
/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const HISTORY_EVENTS = 25_000;

/** After so many tries the next one has no place in the history, and the execution fails. */
export const TRIES_ALLOWED = Math.floor((HISTORY_EVENTS - EVENTS_BEFORE_TRIES) / EVENTS_OF_A_TRY);

/**
 * One execution per snapshot, which calls CopySnapshot as soon as the snapshot arrives. Refused or throttled, it waits a
 * time by chance (JitterStrategy FULL): from 0 up to 5 s, then 10, 20 …, at most 300 s. Calls take no time.
 */
export function plainRetries(snapshots: readonly BurstSnapshot[], options: RetryOptions = {}): PlainRetries {
  const { slots = 20, random = seededRandom(1), longestWaitSeconds = 300, triesAllowed = TRIES_ALLOWED } = options;
  const bucket = new CallBucket();
  const tries = new Uint32Array(snapshots.length);
  const nextTry = new TimeQueue();
  const ends = new TimeQueue();
  const copies: ScheduledCopy[] = [];
  let calls = 0;
  let refused = 0;
  let throttled = 0;
  let lost = 0;

  for (const [place, { arrivesAtMs }] of snapshots.entries()) nextTry.push(place, arrivesAtMs);
  for (;;) {
    const nowMs = nextTry.peekValue();
    const place = nextTry.pop();
    const snapshot = place === undefined ? undefined : snapshots[place];
    if (nowMs === undefined || place === undefined || snapshot === undefined) break;
    while ((ends.peekValue() ?? Number.POSITIVE_INFINITY) <= nowMs) ends.pop();
    calls += 1;
    const triesBefore = tries[place] ?? 0;
    tries[place] = triesBefore + 1;
    if (!bucket.take(nowMs)) {
      throttled += 1;
    } else if (ends.length >= slots) {
      refused += 1;
    } else {
      const copyEndsAtMs = nowMs + Math.round(snapshot.copySeconds * 1000);
      ends.push(place, copyEndsAtMs);
      copies.push({ ...snapshot, copyBeginsAtMs: nowMs, copyEndsAtMs });
      continue;
    }
    if (triesBefore + 1 >= triesAllowed) {
      lost += 1;
    } else {
      const longest = Math.min(longestWaitSeconds, FIRST_WAIT_SECONDS * BACKOFF_RATE ** triesBefore);
      nextTry.push(place, nowMs + random() * longest * 1000);
    }
  }
  return { copies, lost, calls, refused, throttled };
}

/** The same as a row of the results, all but what its making took. */
export function plainRetriesRow(
  snapshots: readonly BurstSnapshot[],
  options: RetryOptions = {},
): Omit<BurstRow, 'wallSeconds' | 'peakMiB'> {
  const n = snapshots.length;
  const { copies, lost, calls, refused, throttled } = plainRetries(snapshots, options);
  return {
    n,
    variant: 'plain-retries',
    ...besideIdeal(copies, snapshots, { slots: options.slots ?? 20, oneCopyPerVolume: false }),
    lost,
    duplicated: 0,
    copySnapshotCalls: calls,
    refusedCalls: refused,
    throttledCalls: throttled,
    admissionDescribes: 0,
    // The first try would have been without waiting.
    waitTransitions: calls - n,
    lambdaInvocations: calls,
    dollarsPer1000: (priceOf({ stateTransitions: calls, lambdaInvocations: calls }) / n) * 1000,
  };
}

/**
 * What an account may call: 50 at once and 5 a second, the bucket of all mutating actions that have none of their own.
 * A call that EC2 refuses for other reasons has taken its token (assumed).
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
export class CallBucket {
  #tokens = 50;
  #filledAtMs = Number.NEGATIVE_INFINITY;

  /** False if the call is throttled. Time must not go back. */
  take(nowMs: number): boolean {
    this.#tokens = Math.min(50, this.#tokens + ((nowMs - this.#filledAtMs) / 1000) * 5);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
