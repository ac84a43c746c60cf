import type { Home } from '../home.ts';
import type { Iam } from '../iam/iam.ts';
import type { Principal } from '../iam/types.ts';
import type { AsyncInvoker } from '../lambda/async-invoker.ts';
import { FunctionNotFoundError } from '../lambda/function-registry.ts';
import { type Messaging, MessagingError } from '../messaging.ts';
import type { ResourcePolicies } from '../resource-policies.ts';
import { StepFunctionsError } from '../stepfunctions/step-functions-error.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { busNameOf, placeOf } from './bus-arn.ts';
import type { Buses } from './buses.ts';
import type { BusEvent } from './event.ts';
import type { EventFaults } from './event-faults.ts';
import type { Rule, Target } from './rule.ts';

/** What rules of one account and Region can have as their targets. */
export interface EventTargets {
  readonly asyncInvoker: Pick<AsyncInvoker, 'accept'>;
  readonly messaging: Pick<Messaging, 'sendTo'>;
  /** Throws StepFunctionsError. */
  readonly startExecution: (request: { readonly stateMachineArn: string; readonly input: string }) => void;
}

/** An event that EventBridge dropped: there was no dead-letter queue, or it could not be sent there. */
export interface DroppedEvent {
  readonly event: BusEvent;
  readonly ruleArn: string;
  readonly targetArn: string;
  readonly why: string;
}

/** An event on its way from a bus to a target of a rule. */
export interface Delivery {
  readonly event: BusEvent;
  /** Whether it came to the rule's bus from another bus. */
  readonly wasForwarded: boolean;
  readonly rule: Rule;
  readonly target: Target;
  readonly firstTriedAt: number;
}

/** Codes are those of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html */
interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

function final(code: string, message: string): Failure {
  return { code, message, retryable: false };
}

const LONGEST_BACKOFF_SECONDS = 600;

/** What EventBridge is let in for by the target's own policy. For state machines and buses, the target has a role. */
const ACTIONS: Readonly<Record<string, string>> = {
  lambda: 'lambda:InvokeFunction',
  sns: 'sns:Publish',
  sqs: 'sqs:SendMessage',
};

export interface DeliveryOptions {
  readonly clock: VirtualClock;
  readonly faults: EventFaults;
  readonly buses: Buses;
  readonly iam: Pick<Iam, 'assumeForService' | 'authorize'>;
  readonly policies: ResourcePolicies;
  readonly targetsIn: (place: Home) => EventTargets | undefined;
  /** Takes an event for another bus. */
  readonly forward: (event: BusEvent, busArn: string) => void;
  readonly drop: (dropped: DroppedEvent) => void;
}

/** Brings events to the targets of rules: with retries, and a dead-letter queue for what cannot be delivered. */
export class Deliverer {
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  async deliver(delivery: Delivery, retries = 0): Promise<void> {
    const { clock, faults } = this.#options;
    const { event, target, firstTriedAt } = delivery;
    const failure = faults.failsDelivery(event)
      ? { code: 'INTERNAL_ERROR', message: 'The sandbox was asked to fail this delivery', retryable: true }
      : await this.#send(delivery);
    if (failure === undefined) return;
    if (!failure.retryable) return this.#toDeadLetterQueue(delivery, failure, retries, undefined);
    if (retries >= target.maximumRetryAttempts) {
      return this.#toDeadLetterQueue(delivery, failure, retries, 'MaximumRetryAttempts');
    }
    const backoffMs = Math.min(2 ** retries, LONGEST_BACKOFF_SECONDS) * 1000;
    if (clock.now() + backoffMs > firstTriedAt + target.maximumEventAgeSeconds * 1000) {
      return this.#toDeadLetterQueue(delivery, failure, retries, 'MaximumEventAgeInSeconds');
    }
    clock.after(backoffMs, () => {
      void clock.during(this.deliver(delivery, retries + 1));
    });
  }

  async #send(delivery: Delivery): Promise<Failure | undefined> {
    const { event, rule, target } = delivery;
    const [, , service = ''] = target.arn.split(':');
    if (service === 'events') return this.#forward(delivery);
    const targets = this.#options.targetsIn(placeOf(target.arn));
    if (targets === undefined) return final('NO_RESOURCE', `There is no ${target.arn}`);
    const action = ACTIONS[service];
    if (action !== undefined && !this.#mayDo(action, target.arn, rule.arn)) {
      const message = `User: events.amazonaws.com is not authorized to perform: ${action} on resource: ${target.arn}`;
      return final('NO_PERMISSIONS', message);
    }
    const body = target.transform?.(event) ?? JSON.stringify(event);
    try {
      switch (service) {
        case 'lambda':
          targets.asyncInvoker.accept(target.arn, body);
          return undefined;
        case 'states': {
          const failure = this.#mayStart(delivery);
          if (failure === undefined) targets.startExecution({ stateMachineArn: target.arn, input: body });
          return failure;
        }
        default:
          await targets.messaging.sendTo(target.arn, body);
          return undefined;
      }
    } catch (error) {
      if (error instanceof FunctionNotFoundError) return final('NO_RESOURCE', error.message);
      if (error instanceof StepFunctionsError && error.code === 'StateMachineDoesNotExist') {
        return final('NO_RESOURCE', error.message);
      }
      if (!(error instanceof MessagingError || error instanceof StepFunctionsError)) throw error;
      return final('ERROR_FROM_TARGET', `${error.code}: ${error.message}`);
    }
  }

  #mayStart({ rule, target }: Delivery): Failure | undefined {
    const principal = this.#assumed(target.roleArn, rule);
    if (principal === undefined) {
      return final('FAILED_TO_ASSUME_ROLE', `EventBridge cannot assume ${target.roleArn} for ${rule.arn}`);
    }
    const action = 'states:StartExecution';
    const { allowed, why } = this.#options.iam.authorize(principal, { action, resource: target.arn, context: {} });
    return allowed ? undefined : notAuthorized(principal, action, target.arn, why);
  }

  /**
   * An event goes on from one bus only: "EventBridge can't route events received from a sender event bus to a third
   * event bus", https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html . Codes and messages are
   * third-party reports of what AWS answered; so is it that an event for a bus that is not there vanishes.
   */
  #forward({ event, wasForwarded, rule, target }: Delivery): Failure | undefined {
    const { iam, buses, forward, drop } = this.#options;
    const from = placeOf(rule.arn);
    const to = placeOf(target.arn);
    if (wasForwarded) {
      const code = to.region === from.region ? 'THIRD_ACCOUNT_HOP_DETECTED' : 'THIRD_REGION_HOP_DETECTED';
      return final(code, 'An event can be sent to an event bus target only once');
    }
    const principal = this.#assumed(target.roleArn, rule);
    if (principal === undefined) {
      return final('NO_PERMISSIONS', 'Lack of permissions to invoke cross account target.');
    }
    const bus = buses.find(target.arn);
    const action = 'events:PutEvents';
    const context = {
      'aws:SourceArn': rule.arn,
      'aws:SourceAccount': from.account,
      'events:source': event.source,
      'events:detail-type': event['detail-type'],
      'events:eventBusInvocation': 'true',
    };
    const { allowed, why } = iam.authorize(
      principal,
      { action, resource: target.arn, context },
      { account: to.account, policy: bus?.policy },
    );
    if (!allowed) return notAuthorized(principal, action, target.arn, why);
    if (bus === undefined) {
      drop({ event, ruleArn: rule.arn, targetArn: target.arn, why: `there is no event bus ${busNameOf(target.arn)}` });
    } else forward(event, target.arn);
    return undefined;
  }

  /** What EventBridge is when it has taken on the role of a target; undefined if it may not. */
  #assumed(roleArn: string | undefined, rule: Rule): Principal | undefined {
    if (roleArn === undefined) return undefined;
    const { account } = placeOf(rule.arn);
    const context = { 'aws:SourceArn': rule.arn, 'aws:SourceAccount': account };
    const session = rule.arn.split('/').at(-1) ?? '';
    const taken = this.#options.iam.assumeForService(roleArn, 'events.amazonaws.com', session, context);
    return 'principal' in taken && taken.principal.account === account ? taken.principal : undefined;
  }

  async #toDeadLetterQueue(
    { event, rule, target }: Delivery,
    failure: Failure,
    retries: number,
    exhausted: 'MaximumRetryAttempts' | 'MaximumEventAgeInSeconds' | undefined,
  ): Promise<void> {
    const drop = (why: string): void => {
      this.#options.drop({ event, ruleArn: rule.arn, targetArn: target.arn, why });
    };
    const queue = target.deadLetterQueueArn;
    const failed = `${failure.code}: ${failure.message}`;
    if (queue === undefined) return drop(`${failed}; the target has no dead-letter queue`);
    const targets = this.#options.targetsIn(placeOf(queue));
    if (targets === undefined) return drop(`${failed}; there is no ${queue}`);
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
      await targets.messaging.sendTo(queue, JSON.stringify(event), Object.fromEntries(named));
    } catch (error) {
      if (!(error instanceof MessagingError)) throw error;
      drop(`${failed}; ${queue}: ${error.message}`);
    }
  }

  #mayDo(action: string, resource: string, sourceArn: string): boolean {
    return this.#options.policies.allows({ service: 'events.amazonaws.com', action, resource, sourceArn });
  }
}

function notAuthorized(principal: Principal, action: string, resource: string, why: string): Failure {
  const message = `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
  return final('NO_PERMISSIONS', message);
}
