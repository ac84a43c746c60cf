import * as z from 'zod';
import type { Call } from '../types.ts';
import { type ApiRequest, arnIn, inputOf, NotReadable, ownArn } from './request.ts';

const ON_TOPIC = new Set([
  'ConfirmSubscription',
  'DeleteTopic',
  'GetTopicAttributes',
  'ListSubscriptionsByTopic',
  'Publish',
  'SetTopicAttributes',
  'Subscribe',
]);

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html */
export function snsCalls(request: ApiRequest): readonly Call[] {
  const { action: name, params } = request;
  const action = `sns:${name}`;
  if (name === 'ListTopics' || name === 'ListSubscriptions') return [{ action, resource: '*', context: {} }];
  if (name === 'CreateTopic') {
    return [{ action, resource: ownArn(request, 'sns', params.get('Name') ?? ''), context: {} }];
  }
  if (!ON_TOPIC.has(name)) throw new Error(`the sandbox cannot say what permission ${action} needs`);
  const resource = arnIn(params.get('TopicArn') ?? params.get('TargetArn'), 'sns');
  const subscription = {
    'sns:Endpoint': params.get('Endpoint') ?? '',
    'sns:Protocol': params.get('Protocol') ?? '',
  };
  return [{ action, resource, context: name === 'Subscribe' ? subscription : {} }];
}

const ofQueue = z.object({ QueueUrl: z.string().optional(), QueueName: z.string().optional() });

/** Batches need the permission of the single action. */
const ON_QUEUE: Readonly<Record<string, string>> = {
  ChangeMessageVisibility: 'ChangeMessageVisibility',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
  CreateQueue: 'CreateQueue',
  DeleteMessage: 'DeleteMessage',
  DeleteMessageBatch: 'DeleteMessage',
  DeleteQueue: 'DeleteQueue',
  GetQueueAttributes: 'GetQueueAttributes',
  GetQueueUrl: 'GetQueueUrl',
  PurgeQueue: 'PurgeQueue',
  ReceiveMessage: 'ReceiveMessage',
  SendMessage: 'SendMessage',
  SendMessageBatch: 'SendMessage',
  SetQueueAttributes: 'SetQueueAttributes',
};

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html */
export function sqsCalls(request: ApiRequest): readonly Call[] {
  if (request.action === 'ListQueues') return [{ action: 'sqs:ListQueues', resource: '*', context: {} }];
  const name = ON_QUEUE[request.action];
  if (name === undefined) throw new Error(`the sandbox cannot say what permission sqs:${request.action} needs`);
  const { QueueUrl, QueueName } = inputOf(ofQueue, request);
  const queue = QueueUrl?.split('/').at(-1) ?? QueueName;
  if (queue === undefined || queue === '') throw new NotReadable();
  return [{ action: `sqs:${name}`, resource: ownArn(request, 'sqs', queue), context: {} }];
}
