import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { GetFunctionConfigurationCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { awsCliInstalled } from '../../support/aws-cli.ts';
import { fixtureSandbox } from '../fixture-package.ts';

const MINUTE = 60_000;
const functionArn = 'arn:aws:lambda:eu-west-1:000000000000:function:fixture-dev-it';

/** Answers its event and version, or fails if the event says so. */
const code = `export const handler = async (event, { functionVersion }) => {
  console.log('hello');
  if (event.fail) throw new TypeError('asked to fail');
  return { event, functionVersion };
};`;
const service = {
  functions: { it: { code } },
  resources: {
    Version: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'itLambdaFunction' } } },
  },
};

async function call(
  { endpoint }: Sandbox,
  path: string,
  {
    body = '{}',
    headers = {},
    keyId = '000000000000',
    method = 'POST',
  }: { body?: string; headers?: Record<string, string>; keyId?: string; method?: string } = {},
) {
  const answer = await fetch(`${endpoint}/2015-03-31/functions/${path}`, {
    method,
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${keyId}/20260105/eu-west-1/lambda/aws4_request`,
      ...headers,
    },
    ...(method === 'POST' ? { body } : {}),
  });
  const body_ = await answer.text();
  return { status: answer.status, headers: answer.headers, body: body_ === '' ? undefined : JSON.parse(body_) };
}

const it_ = (fn = 'fixture-dev-it') => `${encodeURIComponent(fn)}/invocations`;

describe('Invoke', () => {
  it.each([
    ['a name', it_(), '$LATEST'],
    ['an ARN', it_(functionArn), '$LATEST'],
    ['account and name', it_('000000000000:function:fixture-dev-it'), '$LATEST'],
    ['the ARN of a version', it_(`${functionArn}:1`), '1'],
    ['a name and a qualifier', `${it_()}?Qualifier=1`, '1'],
  ])('runs the function that %s means, and answers what it returned', async (_, path, version) => {
    const sandbox = await fixtureSandbox(service);
    const { status, headers, body } = await call(sandbox, path, { body: '{"a":1}' });
    expect([status, body]).toEqual([200, { event: { a: 1 }, functionVersion: version }]);
    expect(headers.get('x-amz-executed-version')).toBe(version);
    expect(headers.get('x-amz-function-error')).toBeNull();
  });

  it('says that the function failed, and how', async () => {
    const sandbox = await fixtureSandbox(service);
    const { status, headers, body } = await call(sandbox, it_(), { body: '{"fail":true}' });
    expect([status, headers.get('x-amz-function-error')]).toEqual([200, 'Unhandled']);
    expect(body).toMatchObject({ errorType: 'TypeError', errorMessage: 'asked to fail' });
  });

  it('gives the end of the log of this very invocation', async () => {
    const sandbox = await fixtureSandbox(service);
    await call(sandbox, it_());
    const { headers } = await call(sandbox, it_(), { headers: { 'x-amz-log-type': 'Tail' } });
    expect(Buffer.from(headers.get('x-amz-log-result') ?? '', 'base64').toString()).toBe('hello\n');
  });

  it('asynchronously is answered at once, and Lambda tries again what failed', async () => {
    const sandbox = await fixtureSandbox(service);
    const headers = { 'x-amz-invocation-type': 'Event' };
    const { status, body } = await call(sandbox, it_(), { headers, body: '{"fail":true}' });
    expect([status, body]).toEqual([202, undefined]);
    await sandbox.advance(3 * MINUTE);
    expect(sandbox.logs().map(({ time }) => time.slice(14, 19))).toEqual(['00:00', '01:00', '03:00']);
  });

  it('as a dry run looks for the function alone', async () => {
    const sandbox = await fixtureSandbox(service);
    const headers = { 'x-amz-invocation-type': 'DryRun' };
    expect(await call(sandbox, it_(), { headers })).toMatchObject({ status: 204 });
    expect(await call(sandbox, it_('none'), { headers })).toMatchObject({ status: 404 });
    expect(sandbox.logs()).toEqual([]);
  });

  it('takes as long as the function, also in sandbox time', async () => {
    const sandbox = await fixtureSandbox(service);
    sandbox.lambda.interruptNext({ functionName: 'it', moment: 'answer', as: 'timeout' });
    const answer = call(sandbox, it_());
    await expect.poll(() => sandbox.logs().length).toBe(1);
    await sandbox.advance(MINUTE);
    expect(await answer).toMatchObject({ status: 200, body: { errorType: 'Sandbox.Timedout' } });
  });

  it.each([
    ['a function that is not there', it_('none'), {}, 404, 'ResourceNotFoundException', 'Function not found: none'],
    ['a version that is not there', `${it_()}?Qualifier=2`, {}, 404, 'ResourceNotFoundException', 'Function not found'],
    ['a payload that is no JSON', it_(), { body: '{' }, 400, 'InvalidRequestContentException', 'Could not parse'],
    [
      'another kind of invocation',
      it_(),
      { headers: { 'x-amz-invocation-type': 'Later' } },
      400,
      'InvalidParameterValueException',
      'InvocationType Later',
    ],
    [
      'a client context',
      it_(),
      { headers: { 'x-amz-client-context': 'e30=' } },
      400,
      'InvalidParameterValueException',
      'ClientContext is not in the sandbox',
    ],
    [
      'too large an event',
      it_(),
      { headers: { 'x-amz-invocation-type': 'Event' }, body: JSON.stringify('x'.repeat(1024 * 1024)) },
      413,
      'RequestTooLargeException',
      'Request must be smaller than 1048576 bytes',
    ],
    ['another account', it_(), { keyId: '111122223333' }, 403, 'AccessDeniedException', 'no functions in account 1111'],
    [
      'another action of Lambda',
      'fixture-dev-it',
      { method: 'GET' },
      400,
      'UnknownOperationException',
      'not GET /2015-03-31/functions/fixture-dev-it',
    ],
  ] as const)('refuses %s', async (_, path, request, status, code, message) => {
    const sandbox = await fixtureSandbox(service);
    const answer = await call(sandbox, path, request);
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([status, code]);
    expect(answer.body).toMatchObject({ Message: expect.stringContaining(message) });
    expect(sandbox.logs()).toEqual([]);
  });
});

describe('GetFunctionConfiguration', () => {
  it('says what the template says, in which version', async () => {
    const properties = { Description: 'It', MemorySize: 256, Environment: { Variables: { A: 'b' } } };
    const sandbox = await fixtureSandbox({ ...service, functions: { it: { code, properties } } });
    const credentials = { accessKeyId: '000000000000', secretAccessKey: 'none' };
    const lambda = new LambdaClient({ endpoint: sandbox.endpoint, region: 'eu-west-1', maxAttempts: 1, credentials });
    const about = { FunctionName: 'fixture-dev-it', Qualifier: '1' };
    expect(await lambda.send(new GetFunctionConfigurationCommand(about))).toMatchObject({
      FunctionName: 'fixture-dev-it',
      FunctionArn: `${functionArn}:1`,
      Version: '1',
      Description: 'It',
      Handler: 'dist/it/index.handler',
      Role: 'arn:aws:iam::000000000000:role/fixture',
      Runtime: 'nodejs24.x',
      Timeout: 30,
      MemorySize: 256,
      Environment: { Variables: { A: 'b' } },
      LastModified: '2026-01-05T09:00:00.000+0000',
      State: 'Active',
      LastUpdateStatus: 'Successful',
    });
    const unknown = lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'none' }));
    await expect(unknown).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'Function not found: none',
    });
    await expect(lambda.send(new ListFunctionsCommand({}))).rejects.toThrow('the sandbox has Invoke and');
  });
});

describe.skipIf(!awsCliInstalled())('the aws command line', { timeout: 60_000 }, () => {
  it('invokes a function, and shows what it answered', async () => {
    const sandbox = await fixtureSandbox(service, { time: { mode: 'paced', speed: 60 } });
    // Pipes of the shell: those of Node are sockets, which have no path.
    const command = `echo '{"snapshotId":"snap-1"}' |
      aws lambda invoke --function-name fixture-dev-it --payload fileb:///dev/stdin /dev/stdout | cat`;
    const env = {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      AWS_ENDPOINT_URL: sandbox.endpoint,
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: '000000000000',
      AWS_SECRET_ACCESS_KEY: 'none',
    };
    const { stdout: printed } = await promisify(execFile)('sh', ['-c', command], { env });
    expect(printed).toContain('{"event":{"snapshotId":"snap-1"},"functionVersion":"$LATEST"}');
    expect(printed).toContain('"StatusCode": 200');
  });
});
