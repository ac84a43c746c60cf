import type { Home } from '../home.ts';
import { type Random, uuid } from '../ids.ts';
import type { AsyncInvoker } from '../lambda/async-invoker.ts';
import { FunctionNotFoundError } from '../lambda/lambda-service.ts';
import { type Messaging, MessagingError } from '../messaging.ts';
import type { ResourcePolicies } from '../resource-policies.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { BusEvent } from './event.ts';
import { EventFaults } from './event-faults.ts';
import type { Transform } from './input-transformer.ts';
import type { EventMatcher } from './pattern.ts';

/** An enabled `AWS::Events::Rule`. */
export interface Rule {
  readonly arn: string;
  readonly matches: EventMatcher;
  readonly targets: readonly Target[];
}

interface Target {
  /** Of a function, a topic or a queue. */
  readonly arn: string;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly deadLetterQueueArn?: string;
  /** Without it the target gets the event itself. */
  readonly transform?: Transform;
}

/** EventBridge's defaults: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html */
export const DEFAULT_RETRY = { maximumRetryAttempts: 185, maximumEventAgeSeconds: 86_400 };

/** An event that is to be put, with what its source says. */
export interface NewEvent {
  readonly 'detail-type': string;
  readonly source: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly resources?: readonly string[] | undefined;
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly id?: string | undefined;
  readonly time?: string | undefined;
}

/** An event that EventBridge dropped: there was no dead-letter queue, or it could not be sent there. */
export interface DroppedEvent {
  readonly event: BusEvent;
  readonly ruleArn: string;
  readonly targetArn: string;
  readonly why: string;
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

interface Delivery {
  readonly event: BusEvent;
  readonly rule: Rule;
  readonly target: Target;
  readonly firstTriedAt: number;
}

/** From an event to its target; EventBridge usually needs about half a second. */
const DELIVERY_MS = 500;
const LONGEST_BACKOFF_SECONDS = 600;

/**
 * EventBridge: the default buses of all accounts and Regions. Rules exist in the home account and Region only, so
 * other events are remembered and reach nobody.
 */
export class EventBus {
  readonly faults: EventFaults = new EventFaults();
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #home: Home;
  readonly #asyncInvoker: AsyncInvoker;
  readonly #messaging: Messaging;
  readonly #policies: ResourcePolicies;
  readonly #rules: Rule[] = [];
  readonly #events: BusEvent[] = [];
  readonly #dropped: DroppedEvent[] = [];
  #held: { readonly events: BusEvent[]; readonly cancel: () => void } | undefined;

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly home: Home;
    readonly asyncInvoker: AsyncInvoker;
    readonly messaging: Messaging;
    readonly policies: ResourcePolicies;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#home = options.home;
    this.#asyncInvoker = options.asyncInvoker;
    this.#messaging = options.messaging;
    this.#policies = options.policies;
  }

  addRule(rule: Rule): void {
    this.#rules.push(rule);
  }

  /** Puts an event on the bus of its account and Region. Delivery follows a moment later. */
  put(event: BusEvent): void {
    this.#events.push(event);
    if (event.account !== this.#home.account || event.region !== this.#home.region) return;
    const fault = this.faults.befalls(event);
    switch (fault?.kind) {
      case 'lose-event':
        return;
      case 'duplicate-event':
        this.#route(event, 0);
        this.#route(event, fault.seconds);
        return;
      case 'delay-event':
        this.#route(event, fault.seconds);
        return;
      case 'reorder-events':
        this.#hold(event, fault.times, fault.seconds);
        return;
      case undefined:
        this.#route(event, 0);
        return;
      default:
        fault satisfies never;
    }
  }

  /** Completes an event with what EventBridge adds; without account and Region it is one of the home bus. */
  fill(event: NewEvent): BusEvent {
    return {
      version: '0',
      id: event.id ?? uuid(this.#random),
      'detail-type': event['detail-type'],
      source: event.source,
      account: event.account ?? this.#home.account,
      time: event.time ?? `${new Date(this.#clock.now()).toISOString().slice(0, 19)}Z`,
      region: event.region ?? this.#home.region,
      resources: event.resources ?? [],
      detail: event.detail,
    };
  }

  /** All events that were put, on any bus, in order. */
  events(): readonly BusEvent[] {
    return this.#events;
  }

  dropped(): readonly DroppedEvent[] {
    return this.#dropped;
  }

  /** Keeps events back until there are `count` of them, then sends them in the opposite order. */
  #hold(event: BusEvent, count: number, seconds: number): void {
    if (this.#held === undefined) {
      const cancel = this.#clock.after(seconds * 1000, () => this.#releaseHeld());
      this.#held = { events: [], cancel };
    }
    this.#held.events.push(event);
    if (this.#held.events.length >= count) this.#releaseHeld();
  }

  #releaseHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.cancel();
    for (const event of held?.events.toReversed() ?? []) this.#route(event, 0);
  }

  #route(event: BusEvent, lateSeconds: number): void {
    this.#clock.after(DELIVERY_MS + lateSeconds * 1000, () => {
      for (const rule of this.#rules.filter(({ matches }) => matches(event))) {
        for (const target of rule.targets) {
          const delivery = { event, rule, target, firstTriedAt: this.#clock.now() };
          void this.#clock.during(this.#deliver(delivery, 0));
        }
      }
    });
  }

  async #deliver(delivery: Delivery, retries: number): Promise<void> {
    const { event, target, firstTriedAt } = delivery;
    const failure = this.faults.failsDelivery(event)
      ? { code: 'INTERNAL_ERROR', message: 'The sandbox was asked to fail this delivery', retryable: true }
      : await this.#send(delivery);
    if (failure === undefined) return;
    if (!failure.retryable) return this.#toDeadLetterQueue(delivery, failure, retries, undefined);
    if (retries >= target.maximumRetryAttempts) {
      return this.#toDeadLetterQueue(delivery, failure, retries, 'MaximumRetryAttempts');
    }
    const backoffMs = Math.min(2 ** retries, LONGEST_BACKOFF_SECONDS) * 1000;
    if (this.#clock.now() + backoffMs > firstTriedAt + target.maximumEventAgeSeconds * 1000) {
      return this.#toDeadLetterQueue(delivery, failure, retries, 'MaximumEventAgeInSeconds');
    }
    this.#clock.after(backoffMs, () => {
      void this.#clock.during(this.#deliver(delivery, retries + 1));
    });
  }

  async #send({ event, rule, target }: Delivery): Promise<Failure | undefined> {
    const [, , service] = target.arn.split(':');
    const action = { lambda: 'lambda:InvokeFunction', sns: 'sns:Publish', sqs: 'sqs:SendMessage' }[service ?? ''] ?? '';
    if (!this.#mayDo(action, target.arn, rule.arn)) {
      const message = `User: events.amazonaws.com is not authorized to perform: ${action} on resource: ${target.arn}`;
      return { code: 'NO_PERMISSIONS', message, retryable: false };
    }
    const body = target.transform?.(event) ?? JSON.stringify(event);
    try {
      if (service === 'lambda') this.#asyncInvoker.accept(target.arn, body);
      else await this.#messaging.sendTo(target.arn, body);
      return undefined;
    } catch (error) {
      if (error instanceof FunctionNotFoundError)
        return { code: 'NO_RESOURCE', message: error.message, retryable: false };
      if (!(error instanceof MessagingError)) throw error;
      return { code: 'ERROR_FROM_TARGET', message: `${error.code}: ${error.message}`, retryable: false };
    }
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html */
  async #toDeadLetterQueue(
    { event, rule, target }: Delivery,
    failure: Failure,
    retries: number,
    exhausted: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds' | undefined,
  ): Promise<void> {
    const drop = (why: string): void => {
      this.#dropped.push({ event, ruleArn: rule.arn, targetArn: target.arn, why });
    };
    const queue = target.deadLetterQueueArn;
    const failed = `${failure.code}: ${failure.message}`;
    if (queue === undefined) return drop(`${failed}; the target has no dead-letter queue`);
    if (!this.#mayDo('sqs:SendMessage', queue, rule.arn)) {
      return drop(`${failed}; the policy of ${queue} does not let events.amazonaws.com send for this rule`);
    }
    const attributes = {
      RULE_ARN: rule.arn,
      TARGET_ARN: target.arn,
      ERROR_CODE: failure.code,
      ERROR_MESSAGE: failure.message,
      RETRY_ATTEMPTS: String(retries),
      ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: exhausted }),
    };
    const named = Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]);
    try {
      await this.#messaging.sendTo(queue, JSON.stringify(event), Object.fromEntries(named));
    } catch (error) {
      if (!(error instanceof MessagingError)) throw error;
      drop(`${failed}; ${queue}: ${error.message}`);
    }
  }

  #mayDo(action: string, resource: string, sourceArn: string): boolean {
    return this.#policies.allows({ service: 'events.amazonaws.com', action, resource, sourceArn });
  }
}
