import { EventBridgeClient, ListRulesCommand, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge';
import type { EventRule } from '../core/doctor/events.ts';
import { perRegion } from './per-region.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/** Event rules of the default buses of this account. Every method throws errors of core/errors.ts only. */
export interface EventRuleApi {
  /** All rules of a Region. */
  list(region: string): Promise<readonly EventRule[]>;
  /** The ARNs of a rule's targets. */
  targets(region: string, rule: string): Promise<readonly string[]>;
}

/** Event rules on EventBridge. */
export function eventBridgeRules(): EventRuleApi {
  const clientOf = perRegion((region) => new EventBridgeClient({ region, requestHandler }));
  return {
    async list(region) {
      try {
        return await allPages(async (NextToken) => {
          const answer = await clientOf(region).send(new ListRulesCommand({ NextToken }));
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
        throw inWordsOf('EventBridge', `ListRules in ${region}`, error);
      }
    },

    async targets(region, rule) {
      try {
        return await allPages(async (NextToken) => {
          const answer = await clientOf(region).send(new ListTargetsByRuleCommand({ Rule: rule, NextToken }));
          return { items: (answer.Targets ?? []).map(({ Arn = '' }) => Arn), next: answer.NextToken };
        });
      } catch (error) {
        throw inWordsOf('EventBridge', `ListTargetsByRule of ${rule} in ${region}`, error);
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
