import { type Random, uuid } from '../ids.ts';
import { type Messaging, MessagingError } from '../messaging.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { FunctionRoles } from './function-roles.ts';
import type { FunctionRunner, Invocation } from './function-runner.ts';
import type { FunctionLogs } from './logs.ts';

/** `AWS::Lambda::EventInvokeConfig`, or Lambda's defaults. */
export interface AsyncConfig {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  /** ARN of the queue or topic that gets a record of each event that was given up. */
  readonly onFailure?: string;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
const DEFAULT_CONFIG: AsyncConfig = { maximumRetryAttempts: 2, maximumEventAgeSeconds: 21_600 };

/** "with a one-minute wait between the first two attempts, and two minutes between the second and third" */
const WAIT_BEFORE_RETRY_SECONDS = [60, 120];

type GivenUpBecause = 'RetriesExhausted' | 'EventAgeExceeded';

/**
 * Lambda's asynchronous invocation: an event is taken at once, tried again after errors, and at last recorded at the
 * on-failure destination. Without a destination it is dropped, as Lambda does; a destination that refuses it is told in
 * the function's log.
 */
export class AsyncInvoker {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #lambda: FunctionRunner;
  readonly #messaging: Messaging;
  readonly #logs: FunctionLogs;
  readonly #roles: FunctionRoles | undefined;
  readonly #configs = new Map<string, AsyncConfig>();

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly lambda: FunctionRunner;
    readonly messaging: Messaging;
    readonly logs: FunctionLogs;
    /** Default: every function may send to every destination. */
    readonly roles?: FunctionRoles;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#lambda = options.lambda;
    this.#messaging = options.messaging;
    this.#logs = options.logs;
    this.#roles = options.roles;
  }

  /**
   * @param functionArn of the function, or of one version of it
   * @throws Error if the function's role may not send to the destination
   */
  configure(functionArn: string, config: Partial<AsyncConfig>): void {
    const { arn, config: target } = this.#lambda.resolve(functionArn);
    const refusal =
      config.onFailure === undefined ? undefined : this.#roles?.refusalOfDestination(target, config.onFailure);
    if (refusal !== undefined) throw new Error(`The function's execution role cannot use its destination: ${refusal}`);
    this.#configs.set(arn, { ...DEFAULT_CONFIG, ...config });
  }

  /**
   * Takes an event for a function.
   * @param event JSON text
   * @throws FunctionNotFoundError
   */
  accept(nameOrArn: string, event: string): void {
    const { arn } = this.#lambda.resolve(nameOrArn);
    const requestId = uuid(this.#random);
    void this.#attempt({ arn, event, requestId, acceptedAt: this.#clock.now() }, 1);
  }

  async #attempt(accepted: Accepted, attempt: number): Promise<void> {
    const config = this.#configs.get(accepted.arn) ?? DEFAULT_CONFIG;
    const result = await this.#lambda.invoke(accepted.arn, accepted.event, accepted.requestId);
    if (result.ok) return;
    if (attempt > config.maximumRetryAttempts) {
      await this.#giveUp(accepted, config, 'RetriesExhausted', attempt, result);
      return;
    }
    const waitSeconds = WAIT_BEFORE_RETRY_SECONDS[attempt - 1] ?? 120;
    const tooOldAt = accepted.acceptedAt + config.maximumEventAgeSeconds * 1000;
    const retryAt = this.#clock.now() + waitSeconds * 1000;
    const next =
      retryAt > tooOldAt
        ? () => this.#giveUp(accepted, config, 'EventAgeExceeded', attempt, result)
        : () => this.#attempt(accepted, attempt + 1);
    this.#clock.after(Math.min(retryAt, Math.max(tooOldAt, this.#clock.now())) - this.#clock.now(), () => {
      void next();
    });
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
  async #giveUp(
    accepted: Accepted,
    { onFailure }: AsyncConfig,
    condition: GivenUpBecause,
    attempts: number,
    last: Extract<Invocation, { ok: false }>,
  ): Promise<void> {
    if (onFailure === undefined) return;
    const { arn, version, config } = this.#lambda.resolve(accepted.arn);
    const drop = (why: string): void => {
      const text = `The sandbox dropped the event of this invocation: ${condition}; ${onFailure}: ${why}`;
      this.#logs.write(config.name, accepted.requestId, text);
    };
    const refusal = this.#roles?.refusalOfDestination(config, onFailure);
    if (refusal !== undefined) return drop(refusal);
    const record = {
      version: '1.0',
      timestamp: new Date(this.#clock.now()).toISOString(),
      requestContext: {
        requestId: accepted.requestId,
        functionArn: version === '$LATEST' ? `${arn}:$LATEST` : arn,
        condition,
        approximateInvokeCount: attempts,
      },
      requestPayload: JSON.parse(accepted.event),
      responseContext: { statusCode: 200, executedVersion: last.executedVersion, functionError: 'Unhandled' },
      responsePayload: last.error,
    };
    try {
      await this.#messaging.sendTo(onFailure, JSON.stringify(record));
    } catch (error) {
      if (!(error instanceof MessagingError)) throw error;
      drop(`${error.code}: ${error.message}`);
    }
  }
}

interface Accepted {
  readonly arn: string;
  readonly event: string;
  readonly requestId: string;
  readonly acceptedAt: number;
}
