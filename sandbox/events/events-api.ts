import * as z from 'zod';
import type { Caller } from '../accounts.ts';
import type { Answer } from '../http/answer.ts';
import { answerJson, type JsonAction, JsonApiError, type JsonCall, readInput } from '../http/json-api.ts';
import { type OffsetPage, offsetPage } from '../http/offset-page.ts';
import type { Iam } from '../iam/iam.ts';
import { busArnOf, busNameOf, busOfRule } from './bus-arn.ts';
import { type Bus, policyOf } from './buses.ts';
import type { EventBus } from './event-bus.ts';
import { putEvents } from './put-events.ts';
import type { Rule } from './rule.ts';

const INVALID = 'ValidationException';

const bus = { EventBusName: z.string().optional() };
const page = { NextToken: z.string().optional(), Limit: z.int().min(1).max(100).default(100) };

/**
 * EventBridge in its JSON 1.1 protocol: buses and rules can be looked at, rules disabled and enabled, and events put.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
 */
export class EventsApi {
  readonly #bus: EventBus;
  readonly #iam: Pick<Iam, 'authorize'>;
  readonly #actions: ReadonlyMap<string, JsonAction>;

  constructor(options: { readonly bus: EventBus; readonly iam: Pick<Iam, 'authorize'> }) {
    this.#bus = options.bus;
    this.#iam = options.iam;
    this.#actions = new Map<string, JsonAction>([
      ['ListRules', (caller, input) => this.#listRules(caller, input)],
      ['DescribeRule', (caller, input) => this.#describeRule(caller, input)],
      ['ListTargetsByRule', (caller, input) => this.#listTargetsByRule(caller, input)],
      ['EnableRule', (caller, input) => this.#setEnabled(caller, input, true)],
      ['DisableRule', (caller, input) => this.#setEnabled(caller, input, false)],
      ['ListEventBuses', (caller, input) => this.#listEventBuses(caller, input)],
      ['DescribeEventBus', (caller, input) => this.#describeEventBus(caller, input)],
      ['PutEvents', (caller, input) => putEvents(caller, input, { bus: this.#bus, iam: this.#iam })],
    ]);
  }

  /** Expected trouble is an answer. */
  handle(call: JsonCall): Answer {
    return answerJson(this.#actions, call);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html */
  #listRules(caller: Caller, input: unknown): Record<string, unknown> {
    const {
      NamePrefix = '',
      EventBusName,
      ...wanted
    } = read(z.strictObject({ NamePrefix: z.string().min(1).optional(), ...bus, ...page }), input);
    const matching = this.#rules(caller, EventBusName).filter((rule) => nameOf(rule).startsWith(NamePrefix));
    const { items, rest } = pageOf(matching, wanted);
    return { Rules: items.map((rule) => this.#shown(rule)), ...rest };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html */
  #describeRule(caller: Caller, input: unknown): Record<string, unknown> {
    return { ...this.#shown(this.#named(caller, input)), CreatedBy: caller.account };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html */
  #listTargetsByRule(caller: Caller, input: unknown): Record<string, unknown> {
    const {
      Rule: name,
      EventBusName,
      ...wanted
    } = read(z.strictObject({ Rule: z.string().min(1), ...bus, ...page }), input);
    const { items, rest } = pageOf(this.#rule(caller, name, EventBusName).shown.targets, wanted);
    return { Targets: items, ...rest };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html */
  #setEnabled(caller: Caller, input: unknown, enabled: boolean): Record<string, unknown> {
    this.#bus.setEnabled(this.#named(caller, input), enabled);
    return {};
  }

  #named(caller: Caller, input: unknown): Rule {
    const { Name, EventBusName } = read(z.strictObject({ Name: z.string().min(1), ...bus }), input);
    return this.#rule(caller, Name, EventBusName);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html */
  #listEventBuses(caller: Caller, input: unknown): Record<string, unknown> {
    const { NamePrefix = '', ...wanted } = read(
      z.strictObject({ NamePrefix: z.string().min(1).optional(), ...page }),
      input,
    );
    const matching = this.#bus.buses.in(caller).filter(({ name }) => name.startsWith(NamePrefix));
    const { items, rest } = pageOf(matching, wanted);
    return { EventBuses: items.map(shownBus), ...rest };
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html */
  #describeEventBus(caller: Caller, input: unknown): Record<string, unknown> {
    const { Name } = read(z.strictObject({ Name: z.string().optional() }), input);
    return shownBus(this.#find(caller, Name));
  }

  #rule(caller: Caller, name: string, busName: string | undefined): Rule {
    const rule = this.#rules(caller, busName).find((each) => nameOf(each) === name);
    if (rule !== undefined) return rule;
    const bus = busNameOf(busArnOf(caller, busName));
    throw new JsonApiError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${bus}.`);
  }

  #rules(caller: Caller, busName: string | undefined): readonly Rule[] {
    return this.#bus.rules(this.#find(caller, busName).arn);
  }

  /** A bus of the caller's account and Region. */
  #find(caller: Caller, busName: string | undefined): Bus {
    const arn = busArnOf(caller, busName);
    const bus = arn === busArnOf(caller, busNameOf(arn)) ? this.#bus.buses.find(arn) : undefined;
    if (bus !== undefined) return bus;
    throw new JsonApiError('ResourceNotFoundException', `Event bus ${busNameOf(arn)} does not exist.`);
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Rule.html */
  #shown(rule: Rule): Record<string, unknown> {
    return {
      Name: nameOf(rule),
      Arn: rule.arn,
      EventPattern: JSON.stringify(rule.shown.pattern),
      State: this.#bus.isEnabled(rule) ? 'ENABLED' : 'DISABLED',
      Description: rule.shown.description,
      EventBusName: busNameOf(busOfRule(rule.arn)),
    };
  }
}

/** https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EventBus.html */
function shownBus({ name, arn, description, statements }: Bus): Record<string, unknown> {
  const Policy = statements.length === 0 ? undefined : JSON.stringify(policyOf(statements));
  return { Name: name, Arn: arn, Description: description, Policy };
}

function nameOf({ arn }: Rule): string {
  return arn.split('/').at(-1) ?? '';
}

function pageOf<T>(
  list: readonly T[],
  { Limit, NextToken }: { readonly Limit: number; readonly NextToken?: string | undefined },
): OffsetPage<T> {
  const part = offsetPage(list, NextToken, Limit);
  if (part === undefined) throw new JsonApiError(INVALID, 'The token is invalid');
  return part;
}

function read<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  return readInput(schema, input, INVALID);
}
