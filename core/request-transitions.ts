import type { CopyRequest } from './copy-request.ts';
import { parseExecutionName } from './execution-name.ts';
import type { ExecutionOutcome } from './execution-outcome.ts';
import type { LedgerRequest } from './ledger-request.ts';

/**
 * What becomes of a request in the ledger. Each function takes the request as it is, undefined if there is none, and
 * answers what to write, or undefined if nothing changes: so a repeated or late message changes nothing.
 */
export type Transition = (current: LedgerRequest | undefined) => LedgerRequest | undefined;

/** A source snapshot was selected. */
export function requested(request: CopyRequest, reason: string, now: Date): Transition {
  return (current) => (current === undefined ? newRequest(request, reason, now) : undefined);
}

/**
 * Somebody asks for the copy by hand. A failed or skipped request waits again, with what is asked for now; one that
 * waits, runs or is copied stays as it is.
 */
export function requestedAgain(request: CopyRequest, now: Date): Transition {
  return (current) => {
    if (current === undefined) return newRequest(request, 'asked for by hand', now);
    if (!hasFailed(current)) return undefined;
    return waitingAgain(current, request, `asked for again by hand after it ${current.status}: ${current.reason}`, now);
  };
}

/**
 * Somebody asks by hand for a copy that was made, and is gone from EC2: it is to be made anew.
 *
 * @param lost the request as it was when EC2 was asked for its copy: nothing changes if it has changed since
 * @param what what became of the copy, in words
 */
export function requestedAnew(request: CopyRequest, lost: LedgerRequest, what: string, now: Date): Transition {
  return (current) => {
    if (current?.status !== 'copied' || current.copyId !== lost.copyId || current.changedAt !== lost.changedAt) {
      return undefined;
    }
    return waitingAgain(current, request, `asked for again by hand, as ${what}`, now);
  };
}

/** Its execution was started. */
export function started(attempt: number, execution: string, reason: string, now: Date): Transition {
  return (current) => {
    if (current?.status !== 'waiting' || current.attempt !== attempt - 1) return undefined;
    return running(current, attempt, execution, reason, now);
  };
}

/** The name of its next execution is taken by one of before: that number is left out. */
export function nameTaken(attempt: number, now: Date): Transition {
  return (current) => {
    if (current?.status !== 'waiting' || current.attempt !== attempt - 1) return undefined;
    return { ...current, attempt, changedAt: now.toISOString() };
  };
}

/**
 * EC2 accepted the copy, or it was found. Here an execution shows for the first time that was started by hand, or whose
 * start is not written down yet.
 */
export function copyBegun(execution: string, copyId: string, begun: Date, now: Date): Transition {
  return (current) => {
    const attempt = parseExecutionName(execution)?.attempt;
    if (current === undefined || attempt === undefined) return undefined;
    const isThisOne = current.status === 'running' && current.attempt === attempt;
    if (isThisOne && current.copyId === copyId) return undefined;
    if (!isThisOne && !isNews(current, attempt)) return undefined;
    return {
      ...running(
        current,
        attempt,
        execution,
        isThisOne ? current.reason : 'its execution tells that the copy has begun',
        now,
      ),
      copyId,
      copyBegunAt: begun.toISOString(),
    };
  };
}

/** EC2 had no slot for the copy after all: it waits again, at its old place. */
export function returned(request: CopyRequest, execution: string, now: Date): Transition {
  return (current) => {
    const attempt = parseExecutionName(execution)?.attempt;
    const reason = 'EC2 refused it, as it runs as many copies into the Region as it allows';
    if (current === undefined) return { ...newRequest(request, reason, now), attempt: attempt ?? 0, execution };
    const isThisOne = current.status === 'running' && current.execution === execution;
    // A name that somebody gave by hand has no number; it is news if nothing else is under way.
    const isOther = attempt === undefined ? hasFailed(current) : isNews(current, attempt);
    if (!isThisOne && !isOther) return undefined;
    const { requestedAt, waitingSince } = current;
    return {
      ...newRequest(request, reason, now),
      attempt: Math.max(attempt ?? 0, current.attempt),
      execution,
      requestedAt,
      waitingSince,
    };
  };
}

/** Its execution is over. */
export function settled(
  execution: string,
  outcome: Extract<ExecutionOutcome, { kind: 'copied' | 'failed' | 'skipped' }>,
  now: Date,
  keepDays: number,
): Transition {
  return (current) => {
    if (current === undefined || current.status === 'copied') return undefined;
    const attempt = parseExecutionName(execution)?.attempt ?? current.attempt;
    const isThisOne = current.status === 'running' && current.execution === execution;
    // A good copy is good whoever made it.
    if (!isThisOne && outcome.kind !== 'copied' && !isNews(current, attempt)) return undefined;
    return {
      ...current,
      status: outcome.kind,
      reason: outcome.reason,
      attempt: Math.max(attempt, current.attempt),
      execution,
      changedAt: now.toISOString(),
      ...(outcome.kind === 'copied' && { copyId: outcome.copyId }),
      expiresAt: Math.floor(now.getTime() / 1000) + keepDays * 86_400,
    };
  };
}

/**
 * Whether the ledger has gone on from this execution: its end is written, or it was put back into the queue, or a later
 * one serves the request now.
 */
export function isSettledBy(execution: string, current: LedgerRequest | undefined): boolean {
  if (current === undefined) return false;
  if (current.execution === execution) return current.status !== 'running';
  const attempt = parseExecutionName(execution)?.attempt;
  return attempt !== undefined && attempt < current.attempt;
}

/** An execution of which the ledger has not heard yet: the one that is just being started, or one started by hand. */
function isNews(current: LedgerRequest, attempt: number): boolean {
  return current.status !== 'copied' && attempt > current.attempt;
}

function hasFailed({ status }: LedgerRequest): boolean {
  return status === 'failed' || status === 'skipped';
}

function waitingAgain(
  { attempt, requestedAt, execution }: LedgerRequest,
  request: CopyRequest,
  reason: string,
  now: Date,
): LedgerRequest {
  return {
    ...newRequest(request, reason, now),
    attempt,
    requestedAt,
    ...(execution !== undefined && { execution }),
  };
}

function newRequest(request: CopyRequest, reason: string, now: Date): LedgerRequest {
  const at = now.toISOString();
  return { request, status: 'waiting', reason, attempt: 0, requestedAt: at, waitingSince: at, changedAt: at };
}

function running(
  { request, requestedAt, waitingSince }: LedgerRequest,
  attempt: number,
  execution: string,
  reason: string,
  now: Date,
): LedgerRequest {
  const changedAt = now.toISOString();
  return { request, status: 'running', reason, attempt, execution, requestedAt, waitingSince, changedAt };
}
