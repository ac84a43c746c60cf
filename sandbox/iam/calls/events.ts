import * as z from 'zod';
import { busArnOf, busNameOf } from '../../events/bus-arn.ts';
import type { Call } from '../types.ts';
import { type ApiRequest, inputOf, ownArn } from './request.ts';

const ofRule = z.object({
  Name: z.string().optional(),
  Rule: z.string().optional(),
  EventBusName: z.string().optional(),
});

/**
 * PutEvents is not here: EventBridge asks for each event.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
 */
export function eventsCalls(request: ApiRequest): readonly Call[] {
  const action = `events:${request.action}`;
  switch (request.action) {
    case 'PutEvents':
      return [];
    case 'ListRules':
    case 'ListEventBuses':
      return [{ action, resource: '*', context: {} }];
    case 'DescribeEventBus':
      return [{ action, resource: busArnOf(request, inputOf(ofRule, request).Name), context: {} }];
    case 'DescribeRule':
    case 'EnableRule':
    case 'DisableRule':
    case 'ListTargetsByRule': {
      const { Name, Rule, EventBusName } = inputOf(ofRule, request);
      const bus = busNameOf(busArnOf(request, EventBusName));
      const name = Name ?? Rule ?? '';
      const resource = ownArn(request, 'events', bus === 'default' ? `rule/${name}` : `rule/${bus}/${name}`);
      return [{ action, resource, context: {} }];
    }
    default:
      throw new Error(`the sandbox cannot say what permission ${action} needs`);
  }
}
