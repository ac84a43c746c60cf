import type { Call } from '../types.ts';
import { type ApiRequest, ownArn } from './request.ts';

const ACTIONS: Readonly<Record<string, string>> = {
  GetFunctionConfiguration: 'GetFunctionConfiguration',
  Invoke: 'InvokeFunction',
};

/**
 * The function, or its version if one is named: a permission for the function alone is none for `function:name:1`.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
 */
export function lambdaCalls(request: ApiRequest): readonly Call[] {
  const name = ACTIONS[request.action];
  if (name === undefined) throw new Error(`the sandbox cannot say what permission lambda:${request.action} needs`);
  const named = decodeURIComponent(/\/functions\/([^/]+)/.exec(request.url.pathname)?.[1] ?? '');
  const qualifier = request.url.searchParams.get('Qualifier');
  const [, account, plain = named] = /^(?:(\d{12}):function:)(.+)$/.exec(named) ?? [];
  const arn = named.startsWith('arn:')
    ? named
    : ownArn({ ...request, account: account ?? request.account }, 'lambda', `function:${plain}`);
  return [{ action: `lambda:${name}`, resource: qualifier === null ? arn : `${arn}:${qualifier}`, context: {} }];
}
