import type { Call } from '../types.ts';
import { type ApiRequest, ownArn } from './request.ts';

const ACTIONS = new Set(['DescribeStackResources', 'DescribeStacks', 'GetTemplate', 'ListStackResources']);

/**
 * The id at the end of a stack's ARN is not known to who names the stack: `*` stands for it.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
 */
export function cloudformationCalls(request: ApiRequest): readonly Call[] {
  const action = `cloudformation:${request.action}`;
  if (!ACTIONS.has(request.action)) throw new Error(`the sandbox cannot say what permission ${action} needs`);
  const name = request.params.get('StackName') ?? '*';
  const resource = name.startsWith('arn:') ? name : ownArn(request, 'cloudformation', `stack/${name}/*`);
  return [{ action, resource, context: {} }];
}
