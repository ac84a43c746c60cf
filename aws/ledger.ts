import type { AdmissionState } from '../core/admission-state.ts';
import type { LedgerRequest, RequestKey, RunningRequest, WaitingRequest } from '../core/ledger-request.ts';
import type { Transition } from '../core/request-transitions.ts';

/**
 * The memory of the service: every copy that was asked for, until some time after its end. It is the queue and what
 * makes repeated events harmless. Every write is conditional on what was read before it. Reads see all that was written
 * before them. A request whose time is over (`expiresAt`) is as good as gone, whether or not DynamoDB has deleted it yet.
 *
 * Every method throws ThrottledError, ServiceTroubleError, RequestRefusedError, or UnreadableInputError if somebody edited
 * an item so that it makes no sense, and no other of core/errors.ts.
 */
export interface Ledger {
  request(key: RequestKey): Promise<LedgerRequest | undefined>;

  /**
   * Changes one request. `transition` is asked again if somebody else changed it in between.
   *
   * @throws ServiceTroubleError too if that happened too often
   */
  change(key: RequestKey, transition: Transition): Promise<Change>;

  /** A page of the requests that wait for a Region, oldest source snapshot first. After `next` there may be nothing. */
  waiting(
    region: string,
    page: WaitingPage,
  ): Promise<{ readonly requests: readonly WaitingRequest[]; readonly next?: string }>;

  /** All requests of a Region that have an execution, oldest source snapshot first. */
  running(region: string): Promise<readonly RunningRequest[]>;

  admission(region: string): Promise<{ readonly state: AdmissionState; readonly revision: number }>;

  /** Replaces what `admission` answered. False if somebody else has done so since, and then nothing is changed. */
  changeAdmission(region: string, revision: number, next: AdmissionState): Promise<boolean>;
}

/** What became of a request: `changed` is false if the transition had nothing to change. */
interface Change {
  readonly changed: boolean;
  /** As it is now; undefined if there is none. */
  readonly request?: LedgerRequest;
}

interface WaitingPage {
  readonly limit: number;
  /** `next` of the page before; absent for the first. */
  readonly after?: string;
}
