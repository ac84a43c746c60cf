import { queueLength } from '../../aws/queue-length.ts';
import { topicSubscriptions } from '../../aws/topic-subscriptions.ts';
import { checkStuckEvents, checkTopic } from '../../core/doctor/alerts.ts';
import type { Finding } from '../../core/doctor/finding.ts';
import type { Examination } from './examination.ts';

/** Whether people hear of what goes wrong. */
export async function checkAlerts({ look, deployed, deployment }: Examination): Promise<readonly Finding[]> {
  if (deployed === undefined) return [];
  const { topicArn, stuckEventsQueueUrl } = deployed;
  const [subscriptions, stuck] = await Promise.all([
    look(['sns:ListSubscriptionsByTopic'], () => topicSubscriptions(topicArn)),
    look(['sqs:GetQueueAttributes'], () => queueLength(stuckEventsQueueUrl)),
  ]);
  return [...checkTopic(topicArn, subscriptions, deployment), checkStuckEvents(stuckEventsQueueUrl, stuck, deployment)];
}
