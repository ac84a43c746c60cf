import type { CopyFailure, CopyProgress } from './copy-progress.ts';
import type { Snapshot } from './snapshot.ts';
import { waitSeconds } from './wait-schedule.ts';

/** What the workflow does next about a copy, and why. */
export type NextStep =
  | { readonly action: 'wait'; readonly waitSeconds: number; readonly reason: string }
  | { readonly action: 'tag'; readonly reason: string }
  | { readonly action: 'giveUp'; readonly reason: string; readonly failure: CopyFailure };

/**
 * EC2 may leave a new snapshot out of its answers for some minutes; later, not shown means deleted.
 * https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
const HIDDEN_AT_MOST_SECONDS = 5 * 60;

/**
 * What to do about a copy that was looked up at `now`. A complete copy is good even after the deadline.
 *
 * @param copy undefined if EC2 does not show it.
 * @param begun when the copy began, as far as is known.
 */
export function decideNextStep(copy: Snapshot | undefined, begun: Date, now: Date, deadline: Date): NextStep {
  const elapsedSeconds = (now.getTime() - begun.getTime()) / 1000;
  const secondsToDeadline = (deadline.getTime() - now.getTime()) / 1000;
  if (copy === undefined) {
    if (elapsedSeconds >= HIDDEN_AT_MOST_SECONDS) {
      return giveUp('CopyDisappeared', 'EC2 does not show the copy any more: somebody deleted it');
    }
    const reason = 'EC2 does not show the new copy yet';
    return { action: 'wait', waitSeconds: waitSeconds(elapsedSeconds, secondsToDeadline), reason };
  }
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
        waitSeconds: waitSeconds(elapsedSeconds, secondsToDeadline),
        reason: `the copy is pending (${copy.progressPercent} %)`,
      };
    }
    default:
      return copy.state satisfies never; // a new EC2 state stops the build, not the night shift
  }
}

function giveUp(name: CopyFailure['name'], message: string): NextStep {
  return { action: 'giveUp', reason: message, failure: { name, message } };
}

/** The report of a look at the copy, for `$.copy` of the execution. */
export function progressOf(copy: Snapshot | undefined, begun: Date, step: NextStep): CopyProgress {
  return {
    ...(copy !== undefined && { copyId: copy.snapshotId, state: copy.state }),
    ...(copy?.kmsKeyId !== undefined && { kmsKeyId: copy.kmsKeyId }),
    progressPercent: copy?.progressPercent ?? 0,
    copyStartTime: begun.toISOString(),
    adopted: false,
    action: step.action,
    waitSeconds: step.action === 'wait' ? step.waitSeconds : 0,
    reason: step.reason,
    ...(step.action === 'giveUp' && { failure: step.failure }),
  };
}
