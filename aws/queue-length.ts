import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/**
 * About how many messages are on a queue, with those that somebody is reading.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 *
 * @throws errors of core/errors.ts
 */
export async function queueLength(queueUrl: string): Promise<number> {
  const client = new SQSClient({ requestHandler });
  try {
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({
        QueueUrl: queueUrl,
        AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    const { ApproximateNumberOfMessages = '0', ApproximateNumberOfMessagesNotVisible = '0' } = Attributes;
    return Number(ApproximateNumberOfMessages) + Number(ApproximateNumberOfMessagesNotVisible);
  } catch (error) {
    throw inWordsOf('SQS', `GetQueueAttributes of ${queueUrl}`, error);
  }
}
