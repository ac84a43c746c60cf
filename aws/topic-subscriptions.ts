import { NotFoundException, paginateListSubscriptionsByTopic, SNSClient } from '@aws-sdk/client-sns';
import type { Subscription } from '../core/doctor/alerts.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/**
 * Who subscribes to a topic; undefined if there is no such topic. One that is not confirmed has no ARN yet:
 * https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
 *
 * @throws errors of core/errors.ts
 */
export async function topicSubscriptions(topicArn: string): Promise<readonly Subscription[] | undefined> {
  const client = new SNSClient({ requestHandler });
  try {
    const found: Subscription[] = [];
    for await (const page of paginateListSubscriptionsByTopic({ client }, { TopicArn: topicArn })) {
      for (const { SubscriptionArn = '', Protocol = '', Endpoint = '' } of page.Subscriptions ?? []) {
        // SNS shows a subscription that was ended for some days as `Deleted`.
        if (SubscriptionArn === 'Deleted') continue;
        found.push({ protocol: Protocol, endpoint: Endpoint, isConfirmed: SubscriptionArn.startsWith('arn:') });
      }
    }
    return found;
  } catch (error) {
    if (error instanceof NotFoundException) return undefined;
    throw inWordsOf('SNS', `ListSubscriptionsByTopic of ${topicArn}`, error);
  }
}
