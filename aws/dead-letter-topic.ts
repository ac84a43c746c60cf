import type { SNSClient } from '@aws-sdk/client-sns';
import type { Alert } from '../core/alert.ts';
import { requestHandler } from './request-handler.ts';

/** Where people hear of copies that failed. */
export interface DeadLetterTopic {
  tell(alert: Alert): Promise<void>;
}

/** The dead-letter topic on SNS. The state machine publishes to the same one, in state TellDeadLetterTopic. */
export function snsDeadLetterTopic(topicArn: string): DeadLetterTopic {
  let client: SNSClient | undefined;
  return {
    async tell({ subject, message, attributes }) {
      // Loaded when there is something to tell, which is seldom: a cold start need not wait for it.
      const { PublishCommand, SNSClient } = await import('@aws-sdk/client-sns');
      client ??= new SNSClient({ requestHandler });
      const MessageAttributes = Object.fromEntries(
        Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
      );
      await client.send(
        new PublishCommand({ TopicArn: topicArn, Subject: subject, Message: message, MessageAttributes }),
      );
    },
  };
}
