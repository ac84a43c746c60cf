import type { CopyFailure, CopyProgress } from './copy-progress.ts';
import { isGivenUp } from './existing-copies.ts';
import type { Snapshot } from './snapshot.ts';
import { waitSeconds } from './wait-schedule.ts';

/** What the workflow does next about a copy, and why. */
export type NextStep =
  | { readonly action: 'wait'; readonly waitSeconds: number; readonly reason: string }
  | { readonly action: 'tag'; readonly reason: string }
  | { readonly action: 'giveUp'; readonly reason: string; readonly failure: CopyFailure };

/**
 * EC2 may leave a snapshot out of its answers for some minutes; for longer means deleted.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
const HIDDEN_AT_MOST_SECONDS = 5 * 60;
const LOOK_FOR_HIDDEN_SECONDS = 60;

/** What is known of a copy besides what EC2 shows. */
export interface CopyTimes {
  /** When it began. */
  readonly begun: Date;
  readonly deadline: Date;
  /** Since which look EC2 does not show it; absent if it did at the last one. */
  readonly missingSince?: Date;
}

/**
 * What to do about a copy that was looked up at `now`. A complete copy is good even after the deadline.
 *
 * @param copy undefined if EC2 does not show it.
 */
export function decideNextStep(copy: Snapshot | undefined, now: Date, times: CopyTimes): NextStep {
  const { begun, deadline, missingSince = now } = times;
  const secondsToDeadline = secondsBetween(now, deadline);
  if (copy === undefined) {
    if (secondsBetween(missingSince, now) >= HIDDEN_AT_MOST_SECONDS) {
      return giveUp('CopyDisappeared', 'EC2 has not shown the copy for five minutes: somebody deleted it');
    }
    return { action: 'wait', waitSeconds: LOOK_FOR_HIDDEN_SECONDS, reason: 'EC2 does not show the copy now' };
  }
  if (isGivenUp(copy)) {
    return giveUp('CopyDisappeared', 'another execution gave the copy up, and EC2 will delete it');
  }
  // No default: a new EC2 state stops the build, not the night shift.
  switch (copy.state) {
    case 'completed':
      return { action: 'tag', reason: 'the copy is complete' };
    case 'error':
      return giveUp('CopyEndedInError', copy.stateMessage ?? 'EC2 gave no reason');
    case 'recoverable':
    case 'recovering':
      return giveUp('CopyDisappeared', `the copy is in the recycle bin (${copy.state})`);
    case 'pending': {
      if (secondsToDeadline <= 0) {
        return giveUp(
          'DeadlinePassed',
          `the copy was still pending (${copy.progressPercent} %) at its deadline, ${deadline.toISOString()}`,
        );
      }
      return {
        action: 'wait',
        waitSeconds: waitSeconds(secondsBetween(begun, now), secondsToDeadline),
        reason: `the copy is pending (${copy.progressPercent} %)`,
      };
    }
  }
}

function giveUp(name: CopyFailure['name'], message: string): NextStep {
  return { action: 'giveUp', reason: message, failure: { name, message } };
}

function secondsBetween(earlier: Date, later: Date): number {
  return (later.getTime() - earlier.getTime()) / 1000;
}

/** The report of a look at the copy, for `$.copy` of the execution. */
export function progressOf(
  copyId: string,
  copy: Snapshot | undefined,
  now: Date,
  times: CopyTimes,
): Omit<CopyProgress, 'adopted' | 'basis'> {
  const step = decideNextStep(copy, now, times);
  return {
    copyId,
    ...(copy !== undefined && { state: copy.state }),
    ...(copy?.kmsKeyId !== undefined && { kmsKeyId: copy.kmsKeyId }),
    ...(copy === undefined && { missingSince: (times.missingSince ?? now).toISOString() }),
    progressPercent: copy?.progressPercent ?? 0,
    copyStartTime: times.begun.toISOString(),
    action: step.action,
    waitSeconds: step.action === 'wait' ? step.waitSeconds : 0,
    reason: step.reason,
    ...(step.action === 'giveUp' && { failure: step.failure }),
  };
}
