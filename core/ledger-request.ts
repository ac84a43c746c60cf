import type { CopyRequest } from './copy-request.ts';
import { type Destination, destinationId } from './destination.ts';

/**
 * `waiting` for a slot, `running` in an execution, and then one of three ends: `copied`; `failed`, until somebody asks
 * for it again; `skipped`, because there is nothing left to copy.
 */
export type RequestStatus = 'waiting' | 'running' | 'copied' | 'failed' | 'skipped';

/** What the ledger knows of one copy that was asked for: one source snapshot, one destination. */
export interface LedgerRequest {
  readonly request: CopyRequest;
  readonly status: RequestStatus;
  /** Why it is in this status, in one sentence. */
  readonly reason: string;
  /** How many executions it has had; the last one's name ends with this number. */
  readonly attempt: number;
  /** Name of the last execution; absent before the first. */
  readonly execution?: string;
  /** ISO 8601: when it was asked for first. */
  readonly requestedAt: string;
  /** ISO 8601: since when it waits. A request that EC2 sends back to the queue keeps this. */
  readonly waitingSince: string;
  /** ISO 8601. */
  readonly changedAt: string;
  /** The copy, from the moment that EC2 accepted it. */
  readonly copyId?: string;
  /** ISO 8601: when EC2 accepted the copy. */
  readonly copyBegunAt?: string;
  /** Seconds since 1970: when DynamoDB may delete it. Only at an end. */
  readonly expiresAt?: number;
}

/** Where a request is in the ledger. */
export interface RequestKey {
  /** The destination Region: requests to one Region share its slots. */
  readonly region: string;
  /** See `destinationId`. */
  readonly destination: string;
  readonly snapshotId: string;
}

/** A request in the queue of its Region, as far as admission asks. */
export interface WaitingRequest extends RequestKey {
  readonly volumeId: string;
  /** ISO 8601. The queue is in this order. */
  readonly sourceStartTime: string;
  /** How many of the Region's slots may be taken for this one to start. */
  readonly slots: number;
  readonly attempt: number;
  readonly waitingSince: string;
}

/** A request with an execution, as far as admission and the sweep ask. */
export interface RunningRequest extends RequestKey {
  readonly volumeId: string;
  readonly attempt: number;
  readonly execution: string;
  /** ISO 8601: when its status, or what is known of its copy, changed last. */
  readonly changedAt: string;
  readonly copyId?: string;
  readonly copyBegunAt?: string;
}

export function requestKey(source: { readonly snapshotId: string }, destination: Destination): RequestKey {
  return { region: destination.region, destination: destinationId(destination), snapshotId: source.snapshotId };
}

/** One text for a request within its Region, for sets and for the ledger's key. */
export function itemOf({ destination, snapshotId }: Pick<RequestKey, 'destination' | 'snapshotId'>): string {
  return `${destination}#${snapshotId}`;
}

/** Whether its time is over: then it is as if there were none, even while DynamoDB has not deleted it yet. */
export function hasExpired({ expiresAt }: LedgerRequest, now: Date): boolean {
  return expiresAt !== undefined && expiresAt * 1000 <= now.getTime();
}
