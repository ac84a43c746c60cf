import type { AdmissionState, Heartbeat } from './admission-state.ts';
import type { AdmissionExecution } from './wake.ts';

/** While requests wait, the Region is looked at so often at least. */
const BEAT_SECONDS = 30;
const SHORTEST_BEAT_SECONDS = 5;

/** Three beats. Whoever comes later takes the heartbeat over. */
const DEAD_AFTER_SECONDS = 90;

/**
 * An Express execution ends after five minutes at the latest, so its successor takes over before, with time for a beat and
 * for looks that have to be tried again:
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
 */
const LONGEST_EXECUTION_SECONDS = 180;

/** What an execution of the admission machine does after a look at its Region. */
export type AfterLook =
  | {
      readonly action: 'end';
      readonly reason: string;
      readonly heartbeat?: Heartbeat;
      /** Requests wait, and another execution has to know: it may be about to end because it saw none. */
      readonly relies: boolean;
    }
  | { readonly action: 'beat'; readonly reason: string; readonly waitSeconds: number; readonly heartbeat: Heartbeat }
  /** Ends, and wakes a new execution that goes on. */
  | { readonly action: 'handOver'; readonly reason: string };

/**
 * Of all executions that look at a Region one stays, as long as requests wait; the others end at once.
 *
 * @param secondsUntilCount when a count is due, so that a beat is not half a minute late for it
 */
export function decideAfterLook(
  heldBack: boolean,
  before: AdmissionState['heartbeat'],
  execution: AdmissionExecution,
  secondsUntilCount: number,
  now: Date,
): AfterLook {
  const isMine = before?.execution === execution.id;
  if (!heldBack) {
    return {
      action: 'end',
      reason: 'nothing waits',
      relies: false,
      ...(!isMine && before !== undefined && { heartbeat: before }),
    };
  }
  if (!isMine && before !== undefined && now.getTime() < Date.parse(before.until)) {
    return { action: 'end', reason: 'another execution has the heartbeat', relies: true, heartbeat: before };
  }
  if (now.getTime() - Date.parse(execution.startTime) >= LONGEST_EXECUTION_SECONDS * 1000) {
    return { action: 'handOver', reason: 'requests wait, and an Express execution has to end' };
  }
  const heartbeat = {
    execution: execution.id,
    until: new Date(now.getTime() + DEAD_AFTER_SECONDS * 1000).toISOString(),
  };
  const due = Math.ceil(secondsUntilCount);
  const waitSeconds = due === 0 ? BEAT_SECONDS : Math.min(BEAT_SECONDS, Math.max(SHORTEST_BEAT_SECONDS, due));
  return { action: 'beat', reason: 'requests wait', waitSeconds, heartbeat };
}
