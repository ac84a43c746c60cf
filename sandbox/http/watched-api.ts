import type { Caller } from '../accounts.ts';
import type { Clock } from '../clock.ts';
import type { Hang } from '../ec2/ec2-service.ts';
import type { Random } from '../ids.ts';
import { Recent } from '../recent.ts';
import type { Answer, NoAnswer } from './answer.ts';
import { ApiFaults } from './api-faults.ts';
import { awsError, codeOf, type ErrorForm } from './aws-error.ts';

/** A call that came in over HTTP, as it was dealt with. */
export interface ApiCall extends Caller {
  /** Milliseconds since 1970, sandbox time. */
  readonly at: number;
  readonly action: string;
  /** `answer-lost`: it was done, and the caller was not told. `unanswered`: it was not done either. */
  readonly outcome: 'accepted' | 'refused' | 'answer-lost' | 'unanswered';
  /** Of a refused call. */
  readonly errorCode?: string | undefined;
}

/** A sandbox may run for weeks, and nobody looks further back. */
const CALLS_KEPT = 100_000;

/** HTTP statuses of the codes that a fault may name without one, if it is not 400. */
const STATUS_OF: Readonly<Record<string, number>> = {
  InternalServerError: 500,
  InternalFailure: 500,
  InternalError: 500,
  ServiceUnavailable: 503,
};

/** What befalls the calls of one API on their way through the endpoint, and the record of them. */
export class WatchedApi {
  /** Trouble to come, on request. */
  readonly faults: ApiFaults;
  readonly #clock: Clock;
  readonly #calls = new Recent<ApiCall>(CALLS_KEPT);
  readonly #counts = new Map<string, number>();

  /** @param options.random for the faults that happen by chance */
  constructor(options: { readonly service: string; readonly clock: Clock; readonly random: Random }) {
    this.faults = new ApiFaults(options);
    this.#clock = options.clock;
  }

  /** The calls, accepted or refused, in the order of their ends: the last 100,000. */
  get calls(): readonly ApiCall[] {
    return this.#calls.all();
  }

  /** How often each action was called, whatever came of it. */
  callCounts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Has a call carried out, unless a fault that was asked for befalls it. */
  async carryOut(
    { account, region, action, form }: Caller & { readonly action: string; readonly form: ErrorForm },
    work: () => Promise<Answer | NoAnswer | Hang>,
  ): Promise<Answer | NoAnswer | Hang> {
    const at = this.#clock.now();
    const note = (outcome: ApiCall['outcome'], errorCode?: string): void => {
      this.#note({ at, account, region, action, outcome, ...(errorCode === undefined ? {} : { errorCode }) });
    };
    if (this.faults.take('hang', action) !== undefined) {
      note('unanswered');
      return { hang: true };
    }
    const error = this.faults.take('error', action);
    if (error !== undefined) {
      const { code, message = `${code}, as asked for`, status = STATUS_OF[code] ?? 400 } = error;
      note('refused', code);
      return awsError(form, code, message, status);
    }
    const answer = await work();
    if ('status' in answer && answer.status >= 400) {
      note('refused', codeOf(answer));
      return answer;
    }
    const isLost = this.faults.take('lost-answer', action) !== undefined;
    note(isLost ? 'answer-lost' : 'accepted');
    return isLost ? { drop: true } : answer;
  }

  #note(call: ApiCall): void {
    this.#counts.set(call.action, (this.#counts.get(call.action) ?? 0) + 1);
    this.#calls.add(call);
  }
}
