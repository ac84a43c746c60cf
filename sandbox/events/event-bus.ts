import type { Home } from '../home.ts';
import { type Random, uuid } from '../ids.ts';
import type { AsyncInvoker } from '../lambda/async-invoker.ts';
import { FunctionNotFoundError } from '../lambda/function-registry.ts';
import { type Messaging, MessagingError } from '../messaging.ts';
import { Recent } from '../recent.ts';
import type { ResourcePolicies } from '../resource-policies.ts';
import { StepFunctionsError } from '../stepfunctions/step-functions-error.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { BusEvent } from './event.ts';
import { EventFaults } from './event-faults.ts';
import type { Transform } from './input-transformer.ts';
import type { EventMatcher } from './pattern.ts';

/** An `AWS::Events::Rule`. */
export interface Rule {
  readonly arn: string;
  /** Of the default bus that it is on. */
  readonly region: string;
  /** As it is deployed; see `EventBus.isEnabled`. */
  readonly enabled: boolean;
  /** What only the API tells. */
  readonly shown: {
    readonly description: string | undefined;
    readonly pattern: Readonly<Record<string, unknown>>;
    readonly targets: readonly Readonly<Record<string, unknown>>[];
  };
  readonly matches: EventMatcher;
  readonly targets: readonly Target[];
}

export interface Target {
  /** Of a function, topic, queue or state machine, or of the default bus of another Region. */
  readonly arn: string;
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
  readonly deadLetterQueueArn?: string;
  /** Without it the target gets the event itself. */
  readonly transform?: Transform;
}

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

/** An event on the default bus of a Region. */
interface Arrival {
  readonly event: BusEvent;
  readonly region: string;
  /** Whether it came from another bus. */
  readonly wasForwarded: boolean;
}

interface Delivery extends Arrival {
  readonly rule: Rule;
  readonly target: Target;
  readonly firstTriedAt: number;
}

/**
 * Of an event that came from another bus. The code is in
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html ; that nothing goes on from the second bus,
 * and the message, are third-party reports.
 */
const SECOND_HOP: Failure = {
  code: 'THIRD_REGION_HOP_DETECTED',
  message: 'An event can be sent to an event bus target only once',
  retryable: false,
};

function noResource(message: string): Failure {
  return { code: 'NO_RESOURCE', message, retryable: false };
}

/** From an event to its target; EventBridge usually needs about half a second. */
const DELIVERY_MS = 500;
const LONGEST_BACKOFF_SECONDS = 600;
const EVENTS_KEPT = 100_000;

/** What EventBridge is let in for by the target's policy. State machines and buses have none: the target has a role. */
const ACTIONS: Readonly<Record<string, string>> = {
  lambda: 'lambda:InvokeFunction',
  sns: 'sns:Publish',
  sqs: 'sqs:SendMessage',
};

/**
 * EventBridge: the default buses of all accounts and Regions. Rules exist in the home account only, so events of other
 * accounts are remembered and reach nobody.
 */
export class EventBus {
  readonly faults: EventFaults;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #home: Home;
  readonly #asyncInvoker: AsyncInvoker;
  readonly #messaging: Messaging;
  readonly #policies: ResourcePolicies;
  readonly #startExecution: (request: { readonly stateMachineArn: string; readonly input: string }) => void;
  readonly #rules: Rule[] = [];
  /** ARNs. */
  readonly #enabled = new Set<string>();
  readonly #events: Recent<BusEvent>;
  readonly #dropped: Recent<DroppedEvent>;
  #held: { readonly arrivals: Arrival[]; readonly cancel: () => void } | undefined;

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly home: Home;
    readonly asyncInvoker: AsyncInvoker;
    readonly messaging: Messaging;
    readonly policies: ResourcePolicies;
    /** Throws StepFunctionsError. */
    readonly startExecution: (request: { readonly stateMachineArn: string; readonly input: string }) => void;
    /** How many events are remembered. Default 100,000. */
    readonly eventsKept?: number | undefined;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#home = options.home;
    this.#asyncInvoker = options.asyncInvoker;
    this.#messaging = options.messaging;
    this.#policies = options.policies;
    this.#startExecution = options.startExecution;
    this.#events = new Recent(options.eventsKept ?? EVENTS_KEPT);
    this.#dropped = new Recent(options.eventsKept ?? EVENTS_KEPT);
    this.faults = new EventFaults(options.random);
  }

  addRule(rule: Rule): void {
    this.#rules.push(rule);
    this.setEnabled(rule, rule.enabled);
  }

  /** The rules on the default bus of a Region, enabled or not. */
  rules(region: string): readonly Rule[] {
    return this.#rules.filter((rule) => rule.region === region);
  }

  isEnabled({ arn }: Rule): boolean {
    return this.#enabled.has(arn);
  }

  /** A rule that is not enabled sees no event. AWS needs a moment until that has effect. */
  setEnabled({ arn }: Rule, enabled: boolean): void {
    if (enabled) this.#enabled.add(arn);
    else this.#enabled.delete(arn);
  }

  /** Puts an event on the bus of its account and Region. Delivery follows a moment later. */
  put(event: BusEvent): void {
    this.#events.add(event);
    const { account, region } = event;
    if (account !== this.#home.account || !this.#isHeard(region)) return;
    const arrival = { event, region, wasForwarded: false };
    const fault = this.faults.befalls(event);
    switch (fault?.kind) {
      case 'lose-event':
        return;
      case 'duplicate-event':
        this.#route(arrival, 0);
        this.#route(arrival, fault.seconds);
        return;
      case 'delay-event':
        this.#route(arrival, fault.seconds);
        return;
      case 'reorder-events':
        this.#hold(arrival, fault.times, fault.seconds);
        return;
      case undefined:
        this.#route(arrival, 0);
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

  /** The last events that were put, on any bus, in order. A forwarded event is there once. */
  events(): readonly BusEvent[] {
    return this.#events.all();
  }

  dropped(): readonly DroppedEvent[] {
    return this.#dropped.all();
  }

  /** Elsewhere than at home, an event without rules is not worth a fault that others wait for. */
  #isHeard(region: string): boolean {
    return region === this.#home.region || this.rules(region).some((rule) => this.isEnabled(rule));
  }

  /** Keeps events back until there are `count` of them, then sends them in the opposite order. */
  #hold(arrival: Arrival, count: number, seconds: number): void {
    if (this.#held === undefined) {
      const cancel = this.#clock.after(seconds * 1000, () => this.#releaseHeld());
      this.#held = { arrivals: [], cancel };
    }
    this.#held.arrivals.push(arrival);
    if (this.#held.arrivals.length >= count) this.#releaseHeld();
  }

  #releaseHeld(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.cancel();
    for (const arrival of held?.arrivals.toReversed() ?? []) this.#route(arrival, 0);
  }

  #route(arrival: Arrival, lateSeconds: number): void {
    this.#clock.after(DELIVERY_MS + lateSeconds * 1000, () => {
      const rules = this.rules(arrival.region).filter((rule) => this.isEnabled(rule) && rule.matches(arrival.event));
      for (const rule of rules) {
        for (const target of rule.targets) {
          const delivery = { ...arrival, rule, target, firstTriedAt: this.#clock.now() };
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

  async #send({ event, wasForwarded, rule, target }: Delivery): Promise<Failure | undefined> {
    const [, , service = '', region = ''] = target.arn.split(':');
    const action = ACTIONS[service];
    if (action !== undefined && !this.#mayDo(action, target.arn, rule.arn)) {
      const message = `User: events.amazonaws.com is not authorized to perform: ${action} on resource: ${target.arn}`;
      return { code: 'NO_PERMISSIONS', message, retryable: false };
    }
    const body = target.transform?.(event) ?? JSON.stringify(event);
    try {
      switch (service) {
        case 'lambda':
          this.#asyncInvoker.accept(target.arn, body);
          return undefined;
        case 'states':
          this.#startExecution({ stateMachineArn: target.arn, input: body });
          return undefined;
        case 'events':
          if (wasForwarded) return SECOND_HOP;
          this.#route({ event, region, wasForwarded: true }, 0);
          return undefined;
        default:
          await this.#messaging.sendTo(target.arn, body);
          return undefined;
      }
    } catch (error) {
      if (error instanceof FunctionNotFoundError) return noResource(error.message);
      if (error instanceof StepFunctionsError && error.code === 'StateMachineDoesNotExist') {
        return noResource(error.message);
      }
      if (!(error instanceof MessagingError || error instanceof StepFunctionsError)) throw error;
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
      this.#dropped.add({ event, ruleArn: rule.arn, targetArn: target.arn, why });
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
