import { itemOf, type RequestKey } from './ledger-request.ts';

/**
 * What admission remembers of one destination Region between two calls. Every decision replaces it on condition that
 * nobody else has, so that of several calls at once one decides and the others look again.
 */
export interface AdmissionState {
  /** The requests that the last decision starts. A call that finds one still waiting completes its start. */
  readonly starting: readonly RequestAttempt[];
  /** The last look at what is pending in the Region; absent before the first. */
  readonly count?: CopyCount;
  /** Requests that still run, but whose copies EC2 has finished: they take no slot, and their volumes are free. */
  readonly ended: readonly RequestAttempt[];
  /** Requests whose executions failed, perhaps with a copy that goes on: once they run no more, a count is due. */
  readonly failed?: readonly RequestAttempt[];
  /** EC2 refused a copy although admission saw a free slot. */
  readonly refusal?: Refusal;
  /** The execution that looks again while requests wait. */
  readonly heartbeat?: Heartbeat;
}

export interface RequestAttempt extends RequestKey {
  /** The number of the execution. */
  readonly attempt: number;
}

/** Copies pending in the Region that are in no request of ours that runs. */
export interface CopyCount {
  /** ISO 8601. */
  readonly at: string;
  /** How many: of other tools, of other installs, or started by hand. */
  readonly others: number;
  /** Those among them that an install of this product made. */
  readonly volumes: readonly OtherCopy[];
}

export interface OtherCopy {
  /** Of the source. */
  readonly volumeId: string;
  readonly destination: string;
  /** The source, if this install made the copy and has not given it up: a request for it adopts the copy. */
  readonly snapshotId?: string;
}

export interface Refusal {
  /** ISO 8601. */
  readonly at: string;
  /** How many slots were taken then, as far as admission knew: no more are believed to exist. */
  readonly taken: number;
}

export interface Heartbeat {
  /** ARN. */
  readonly execution: string;
  /** ISO 8601: when it is taken for dead if it has not said anything. */
  readonly until: string;
}

export const NO_ADMISSION_YET: AdmissionState = { starting: [], ended: [] };

/** One text for one execution of a request. */
export function attemptOf(request: RequestAttempt): string {
  return `${itemOf(request)}#${request.attempt}`;
}

/** Each of `ended` once, as far as it still runs: what runs no more need not be remembered. */
export function stillKnown(
  ended: readonly RequestAttempt[],
  running: readonly RequestAttempt[],
): readonly RequestAttempt[] {
  const over = new Set(ended.map(attemptOf));
  return running
    .filter((request) => over.has(attemptOf(request)))
    .map(({ region, destination, snapshotId, attempt }) => ({ region, destination, snapshotId, attempt }));
}

/** The same, once this execution is known to have failed; undefined if that is known already. */
export function withFailed(state: AdmissionState, { region, destination, snapshotId, attempt }: RequestAttempt) {
  const failed = { region, destination, snapshotId, attempt };
  const known = state.failed ?? [];
  if (known.some((each) => attemptOf(each) === attemptOf(failed))) return undefined;
  return { ...state, failed: [...known, failed] } satisfies AdmissionState;
}
