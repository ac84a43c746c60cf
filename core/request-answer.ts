import type { RequestStatus } from './ledger-request.ts';

/** What the function requestCopy answers to one request. */
export interface RequestAnswer {
  /** False if there was nothing to do: it waits, runs or is copied already. */
  readonly accepted: boolean;
  readonly status: RequestStatus;
  readonly reason: string;
  readonly copyId?: string;
}

/** The answer to a request, among several, with which nothing was done. */
export interface RefusedRequest {
  /** Why: it is none, or could never be started, or AWS was in trouble. */
  readonly refused: string;
}

/** How many requests one call may hold: each may need two calls of the ledger and one of EC2, and a call has 45 seconds. */
export const REQUESTS_AT_ONCE = 100;
