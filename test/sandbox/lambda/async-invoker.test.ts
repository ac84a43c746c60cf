import { expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { deleteQueue, fixtureSandbox } from '../fixture-package.ts';

const MINUTE = 60_000;
const ARN = 'arn:aws:lambda:eu-west-1:000000000000:function:fixture-dev-it';

/** Fails as often as the event says. */
const flaky = `let tries = 0; export const handler = async ({ failures }) => {
  tries += 1; console.log('try ' + tries);
  if (tries <= failures) { const error = new Error('failure ' + tries); error.name = 'OwnError'; throw error; }
};`;

function sandboxWith(
  config: Readonly<Record<string, unknown>>,
  onFailure: unknown = { 'Fn::GetAtt': ['Stuck', 'Arn'] },
) {
  return fixtureSandbox({
    functions: { it: { code: flaky } },
    resources: {
      Stuck: { Type: 'AWS::SQS::Queue', Properties: {} },
      Alerts: { Type: 'AWS::SNS::Topic', Properties: {} },
      Config: {
        Type: 'AWS::Lambda::EventInvokeConfig',
        Properties: {
          FunctionName: { Ref: 'itLambdaFunction' },
          Qualifier: '$LATEST',
          DestinationConfig: { OnFailure: { Destination: onFailure } },
          ...config,
        },
      },
    },
  });
}

function accept(sandbox: Sandbox, failures: number): void {
  sandbox.asyncInvoker.accept('fixture-dev-it', JSON.stringify({ failures }));
}

it('an event is tried again one and three minutes later', async () => {
  const sandbox = await sandboxWith({});
  accept(sandbox, 2);
  await sandbox.advance(10 * MINUTE);
  expect(sandbox.logs().map(({ time, text }) => `${time.slice(14, 19)} ${text}`)).toEqual([
    '00:00 try 1',
    '01:00 try 2',
    '03:00 try 3',
  ]);
  expect(await sandbox.messages('Stuck')).toEqual([]);
});

it('an event that keeps failing ends at the on-failure destination, with its error', async () => {
  const sandbox = await sandboxWith({});
  accept(sandbox, 3);
  await sandbox.advance(10 * MINUTE);
  const [message, ...more] = await sandbox.messages('Stuck');
  expect(more).toEqual([]);
  expect(JSON.parse(message?.body ?? '')).toEqual({
    version: '1.0',
    timestamp: '2026-01-05T09:03:00.000Z',
    requestContext: {
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      functionArn: `${ARN}:$LATEST`,
      condition: 'RetriesExhausted',
      approximateInvokeCount: 3,
    },
    requestPayload: { failures: 3 },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    responsePayload: { errorType: 'OwnError', errorMessage: 'failure 3', trace: expect.any(Array) },
  });
});

it('an event is given up without a try if no retry is wanted, also to a topic', async () => {
  const sandbox = await sandboxWith({ MaximumRetryAttempts: 0 }, { Ref: 'Alerts' });
  accept(sandbox, 1);
  await sandbox.advance(MINUTE);
  const [message] = await sandbox.messages('Alerts');
  expect(JSON.parse(message?.body ?? '')).toMatchObject({
    requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 1 },
  });
});

it('an event is given up when it gets too old for another try', async () => {
  const sandbox = await sandboxWith({ MaximumEventAgeInSeconds: 120 });
  accept(sandbox, 3);
  await sandbox.advance(10 * MINUTE);
  const [message] = await sandbox.messages('Stuck');
  expect(JSON.parse(message?.body ?? '')).toMatchObject({
    timestamp: '2026-01-05T09:02:00.000Z',
    requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 2 },
  });
});

it('an event whose on-failure destination was deleted is dropped with a word in the log, and all else goes on', async () => {
  const sandbox = await sandboxWith({ MaximumRetryAttempts: 0 });
  await deleteQueue(sandbox, 'Stuck');
  accept(sandbox, 1);
  await sandbox.advance(MINUTE);
  accept(sandbox, 0);
  await sandbox.advance(MINUTE);
  expect(sandbox.logs().map(({ text }) => text)).toEqual([
    'try 1',
    expect.stringMatching(/^The sandbox dropped the event of this invocation: RetriesExhausted; arn:aws:sqs:.*Stuck/),
    'try 2',
  ]);
});
