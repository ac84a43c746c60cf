import {
  DescribeEventBusCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-eventbridge';
import type { EventRule } from '../core/doctor/events.ts';
import type { ShownBus } from '../core/doctor/source-bus.ts';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/**
 * Event buses of this account and their rules; those of the default bus where none is named. Every method throws errors
 * of core/errors.ts only.
 */
export interface EventRuleApi {
  /** All rules of a Region on one bus; none if there is no such bus. */
  list(region: string, bus?: string): Promise<readonly EventRule[]>;
  /** The ARNs of a rule's targets. */
  targets(region: string, rule: string, bus?: string): Promise<readonly string[]>;
  /** Undefined if there is no such bus. */
  bus(region: string, name: string): Promise<ShownBus | undefined>;
}

/** Event rules on EventBridge. */
export function eventBridgeRules(): EventRuleApi {
  const clientOf = perRegion((region) => new EventBridgeClient({ region, requestHandler }));
  return {
    async list(region, bus) {
      try {
        return await allPages(async (NextToken) => {
          const answer = await clientOf(region).send(new ListRulesCommand({ NextToken, EventBusName: bus }));
          const items = (answer.Rules ?? []).map(
            ({ Name = '', State, EventPattern }): EventRule => ({
              name: Name,
              isEnabled: State !== 'DISABLED',
              pattern: EventPattern,
            }),
          );
          return { items, next: answer.NextToken };
        });
      } catch (error) {
        if (bus !== undefined && error instanceof ResourceNotFoundException) return [];
        throw inWordsOf('EventBridge', `ListRules in ${region}`, error);
      }
    },

    async targets(region, rule, bus) {
      try {
        return await allPages(async (NextToken) => {
          const answer = await clientOf(region).send(
            new ListTargetsByRuleCommand({ Rule: rule, NextToken, EventBusName: bus }),
          );
          return { items: (answer.Targets ?? []).map(({ Arn = '' }) => Arn), next: answer.NextToken };
        });
      } catch (error) {
        throw inWordsOf('EventBridge', `ListTargetsByRule of ${rule} in ${region}`, error);
      }
    },

    async bus(region, name) {
      try {
        const { Policy } = await clientOf(region).send(new DescribeEventBusCommand({ Name: name }));
        return { policy: Policy };
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw inWordsOf('EventBridge', `DescribeEventBus of ${name} in ${region}`, error);
      }
    },
  };
}

/** The client has no paginators. */
async function allPages<T>(
  page: (token: string | undefined) => Promise<{ readonly items: readonly T[]; readonly next: string | undefined }>,
): Promise<readonly T[]> {
  const all: T[] = [];
  let token: string | undefined;
  do {
    const { items, next } = await page(token);
    all.push(...items);
    token = next;
  } while (token !== undefined);
  return all;
}
