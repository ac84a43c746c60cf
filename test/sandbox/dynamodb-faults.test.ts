import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { fixtureSandbox, stateMachine } from './fixture-package.ts';

const machineArn = 'arn:aws:states:eu-west-1:000000000000:stateMachine:fixture-dev';
const topicArn = 'arn:aws:sns:eu-west-1:000000000000:alerts';

/** Puts 1, 2 and 3, starts an execution and publishes, in this order. */
const worker = {
  code: `import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
    import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
    import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
    const [tables, states, sns] = [new DynamoDBClient(), new SFNClient(), new SNSClient()];
    export const handler = async () => {
      for (const number of ['1', '2', '3']) {
        await tables.send(new PutItemCommand({ TableName: 'by-number', Item: { number: { N: number } } }));
        console.log('put ' + number);
      }
      await states.send(new StartExecutionCommand({ stateMachineArn: '${machineArn}', name: 'one' }));
      console.log('started');
      await sns.send(new PublishCommand({ TopicArn: '${topicArn}', Message: 'done' }));
      console.log('published');
    };`,
};
const service = {
  functions: { worker },
  resources: {
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: 'by-number',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'number', AttributeType: 'N' }],
        KeySchema: [{ AttributeName: 'number', KeyType: 'HASH' }],
      },
    },
    Machine: stateMachine({ StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 60, End: true } } }),
    Alerts: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alerts' } },
  },
};

async function deployed() {
  const sandbox = await fixtureSandbox(service);
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'none' };
  const config = { endpoint: sandbox.endpoint, region: 'eu-west-1', maxAttempts: 1, credentials };
  const tables = new DynamoDBClient(config);
  const put = (number: number) =>
    tables.send(new PutItemCommand({ TableName: 'by-number', Item: { number: { N: String(number) } } }));
  const numbers = async () =>
    (await tables.send(new ScanCommand({ TableName: 'by-number' }))).Items?.map(({ number }) =>
      Number(number?.N),
    ).sort();
  return { sandbox, put, numbers, states: new SFNClient(config), sns: new SNSClient(config) };
}

async function control({ endpoint }: Sandbox, init?: RequestInit, id = ''): Promise<unknown> {
  const answer = await fetch(`${endpoint}/_sandbox/faults${id}`, init);
  const text = await answer.text();
  return answer.ok ? JSON.parse(text) : text;
}

describe('a fault of DynamoDB', () => {
  it('refuses calls of an action so many times, and does nothing', async () => {
    const { sandbox, put, numbers } = await deployed();
    const code = 'ProvisionedThroughputExceededException';
    sandbox.dynamodb.faults.add({ kind: 'error', action: 'PutItem', code, times: 2 });
    for (const number of [1, 2]) await expect(put(number)).rejects.toMatchObject({ name: code });
    expect(await numbers()).toEqual([]);
    await put(3);
    expect(await numbers()).toEqual([3]);
  });

  it.each([
    ['InternalServerError', 500],
    ['ThrottlingException', 400],
  ])('%s comes with status %d', async (code, status) => {
    const { sandbox, put } = await deployed();
    sandbox.dynamodb.faults.add({ kind: 'error', code });
    await expect(put(1)).rejects.toMatchObject({ name: code, $metadata: { httpStatusCode: status } });
  });

  it('loses an answer after the work was done', async () => {
    const { sandbox, put, numbers } = await deployed();
    sandbox.dynamodb.faults.add({ kind: 'lost-answer', action: 'PutItem' });
    await expect(put(1)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await numbers()).toEqual([1]);
    await put(2);
  });

  it('hangs without doing anything, and time goes on', async () => {
    const { sandbox, put, numbers } = await deployed();
    sandbox.dynamodb.faults.add({ kind: 'hang' });
    const outcome = Promise.allSettled([put(1)]);
    await expect.poll(() => sandbox.dynamodb.calls.map((call) => call.outcome)).toEqual(['unanswered']);
    await sandbox.advance(60_000);
    expect(await numbers()).toEqual([]);
    await sandbox.stop();
    expect(await outcome).toMatchObject([{ status: 'rejected' }]);
  });

  it('by chance befalls its share of the calls, until it is forgotten', async () => {
    const { sandbox, put, numbers } = await deployed();
    const { id } = sandbox.dynamodb.faults.add({ kind: 'error', code: 'ThrottlingException', share: 0.5 });
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, number) => put(number)));
    const refused = outcomes.filter(({ status }) => status === 'rejected').length;
    expect(refused).toBeGreaterThan(30);
    expect(refused).toBeLessThan(70);
    sandbox.dynamodb.faults.clear(id);
    expect((await numbers())?.length).toBe(100 - refused);
  });

  it('by chance ends after so many, if that is asked for as well', async () => {
    const { sandbox, put } = await deployed();
    sandbox.dynamodb.faults.add({ kind: 'error', code: 'ThrottlingException', share: 0.5, times: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, number) => put(number)));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(3);
    expect(sandbox.dynamodb.faults.list()).toEqual([]);
  });
});

describe('the calls of a service', () => {
  it('are kept with what became of them, and counted', async () => {
    const { sandbox, put, numbers } = await deployed();
    await put(1);
    sandbox.dynamodb.faults.add({ kind: 'lost-answer' });
    await expect(put(2)).rejects.toThrow();
    await expect(put(Number.NaN)).rejects.toThrow();
    await numbers();
    const about = { at: Date.parse('2026-01-05T09:00:00Z'), account: '000000000000', region: 'eu-west-1' };
    expect(sandbox.dynamodb.calls).toEqual([
      { ...about, action: 'PutItem', outcome: 'accepted' },
      { ...about, action: 'PutItem', outcome: 'answer-lost' },
      { ...about, action: 'PutItem', outcome: 'refused', errorCode: 'ValidationException' },
      { ...about, action: 'Scan', outcome: 'accepted' },
    ]);
    expect(Object.fromEntries(sandbox.dynamodb.callCounts())).toEqual({ PutItem: 3, Scan: 1 });
  });
});

describe('a fault of Step Functions or SNS', () => {
  it('loses the answer of StartExecution, and refuses it', async () => {
    const { sandbox, states } = await deployed();
    const start = (name: string) => states.send(new StartExecutionCommand({ stateMachineArn: machineArn, name }));
    sandbox.states.faults.add({ kind: 'lost-answer', action: 'StartExecution' });
    sandbox.states.faults.add({ kind: 'error', action: 'StartExecution', code: 'ServiceUnavailable' });
    await expect(start('refused')).rejects.toMatchObject({
      name: 'ServiceUnavailable',
      $metadata: { httpStatusCode: 503 },
    });
    await expect(start('done')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(sandbox.stepFunctions.executions().map(({ name }) => name)).toEqual(['done']);
    expect(sandbox.states.calls.map(({ outcome }) => outcome)).toEqual(['refused', 'answer-lost']);
  });

  it('is written as the service writes its errors', async () => {
    const { sandbox, sns } = await deployed();
    sandbox.sns.faults.add({ kind: 'error', code: 'Throttled', status: 429, message: 'Rate exceeded' });
    await expect(sns.send(new PublishCommand({ TopicArn: topicArn, Message: 'm' }))).rejects.toMatchObject({
      name: 'ThrottledException',
      message: 'Rate exceeded',
    });
  });
});

describe('the control endpoints', () => {
  it('take faults of a service by its name, list them and forget them', async () => {
    const { sandbox, put } = await deployed();
    const fault = { service: 'dynamodb', kind: 'error', action: 'PutItem', code: 'ThrottlingException', times: 2 };
    expect(await control(sandbox, { method: 'POST', body: JSON.stringify(fault) })).toMatchObject([
      { id: 'dynamodb-1', left: 2 },
    ]);
    await expect(put(1)).rejects.toMatchObject({ name: 'ThrottlingException' });
    expect(await control(sandbox)).toEqual([{ id: 'dynamodb-1', fault, left: 1 }]);
    expect(await control(sandbox, { method: 'DELETE' }, '?id=dynamodb-1')).toEqual({ forgotten: 1 });
    await put(1);
  });

  it.each([
    ['a service that has none', { service: 'sqs', kind: 'hang' }, '"service" can be dynamodb, states, sns, cloud'],
    ['an unknown kind', { service: 'states', kind: 'explode' }, 'This is not a fault of states:'],
    ['a share that is none', { service: 'sns', kind: 'hang', share: 1.5 }, 'This is not a fault of sns:'],
  ])('refuse a fault of %s', async (_, fault, message) => {
    const { sandbox } = await deployed();
    expect(await control(sandbox, { method: 'POST', body: JSON.stringify(fault) })).toContain(message);
  });
});

describe('a function that a test interrupts', () => {
  it.each([
    ['the first PutItem', { afterCall: 'PutItem' }, { told: [], numbers: [1], executions: 0, published: 0 }],
    [
      'the second PutItem',
      { afterCall: 'PutItem', nth: 2 },
      { told: ['put 1'], numbers: [1, 2], executions: 0, published: 0 },
    ],
    [
      'StartExecution',
      { afterCall: 'StartExecution' },
      { told: ['put 1', 'put 2', 'put 3'], numbers: [1, 2, 3], executions: 1, published: 0 },
    ],
    [
      'Publish',
      { afterCall: 'Publish' },
      { told: ['put 1', 'put 2', 'put 3', 'started'], numbers: [1, 2, 3], executions: 1, published: 1 },
    ],
  ])('dies after %s, which is done', async (_, moment, expected) => {
    const { sandbox, numbers } = await deployed();
    sandbox.lambda.interruptNext({ functionName: 'worker', moment, as: 'crash' });
    expect(await sandbox.lambda.invoke('fixture-dev-worker', '{}')).toMatchObject({
      error: { errorType: 'Runtime.ExitError' },
    });
    expect({
      told: sandbox.logs().map(({ text }) => text),
      numbers: await numbers(),
      executions: sandbox.stepFunctions.executions().length,
      published: (await sandbox.messages('Alerts')).length,
    }).toEqual(expected);
  });
});
