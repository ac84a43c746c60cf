import { CreateVolumeCommand, DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DescribeKeyCommand, KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  ConfirmSubscriptionCommand,
  CreateTopicCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  PublishCommand,
  SNSClient,
  SubscribeCommand,
} from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import type { TimeMode } from '../../../sandbox/virtual-clock.ts';
import { awsCli, awsCliInstalled } from '../../support/aws-cli.ts';
import { fixtureSandbox, stateMachine } from '../fixture-package.ts';

const SECOND = 1000;
const machineArn = 'arn:aws:states:eu-west-1:000000000000:stateMachine:fixture-dev';
const service = {
  resources: {
    Machine: stateMachine({ StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 60, End: true } } }),
    Alerts: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alerts' } },
  },
};

function client({ endpoint }: Sandbox, { account = '000000000000', region = 'eu-west-1' } = {}) {
  // A retry would wait in sandbox time, which nobody moves on meanwhile.
  return { endpoint, region, maxAttempts: 1, credentials: { accessKeyId: account, secretAccessKey: 'none' } };
}

async function control(
  { endpoint }: Sandbox,
  path: string,
  init?: RequestInit,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${endpoint}/_sandbox${path}`, init);
  const text = await answer.text();
  return { status: answer.status, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text };
}

const TIMES: readonly (readonly [string, TimeMode])[] = [
  ['while time stands still', { mode: 'jumping' }],
  ['while time runs fast', { mode: 'paced', speed: 1000 }],
];

describe.each(TIMES)('the SDK in the process of the sandbox, %s,', (_, time) => {
  it('reaches EC2 as several accounts in several Regions', async () => {
    const sandbox = await fixtureSandbox(service, { time });
    const here = new EC2Client(client(sandbox));
    const elsewhere = new EC2Client(client(sandbox, { region: 'us-east-1' }));
    const stranger = new EC2Client(client(sandbox, { account: '111122223333' }));
    await here.send(new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 8 }));
    const found = await Promise.all([here, elsewhere, stranger].map((ec2) => ec2.send(new DescribeVolumesCommand({}))));
    expect(found.map(({ Volumes }) => Volumes?.length)).toEqual([1, 0, 0]);
  });

  it('sends and receives messages', async () => {
    const sandbox = await fixtureSandbox(service, { time });
    const sqs = new SQSClient(client(sandbox));
    const sns = new SNSClient(client(sandbox));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'inbox' }));
    expect(QueueUrl).toBe(`${sandbox.endpoint}/000000000000/inbox`);
    const TopicArn = sandbox.physicalIds.get('Alerts');
    const Endpoint = 'arn:aws:sqs:eu-west-1:000000000000:inbox';
    await sns.send(
      new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint, Attributes: { RawMessageDelivery: 'true' } }),
    );
    await sns.send(new PublishCommand({ TopicArn, Subject: 'Failed', Message: 'a copy' }));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'directly' }));
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    expect(Messages?.map(({ Body }) => Body)).toEqual(['a copy', 'directly']);
  });
});

describe('SNS and SQS', () => {
  it('have queues of the same name in two Regions', async () => {
    const sandbox = await fixtureSandbox(service);
    const west = new SQSClient(client(sandbox));
    const east = new SQSClient(client(sandbox, { region: 'us-east-1' }));
    const { QueueUrl } = await west.send(new CreateQueueCommand({ QueueName: 'inbox' }));
    expect((await east.send(new ListQueuesCommand({}))).QueueUrls ?? []).toEqual([]);
    await east.send(new CreateQueueCommand({ QueueName: 'inbox' }));
    await east.send(new SendMessageCommand({ QueueUrl, MessageBody: 'in the east' }));
    expect((await west.send(new ReceiveMessageCommand({ QueueUrl }))).Messages ?? []).toEqual([]);
    expect((await east.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toMatchObject([
      { Body: 'in the east' },
    ]);
  });

  it('let a receiver wait in sandbox time', async () => {
    const sandbox = await fixtureSandbox(service);
    const sqs = new SQSClient(client(sandbox));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'inbox' }));
    let ended = false;
    const waiting = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 })).finally(() => {
      ended = true;
    });
    await expect.poll(() => control(sandbox, '').then(() => ended)).toBe(false);
    await sandbox.advance(20 * SECOND);
    expect((await waiting).Messages ?? []).toEqual([]);
  });

  it.each([
    ['a subject with a line break', { Subject: 'a\nb' }],
    ['a subject of 100 characters', { Subject: 'x'.repeat(100) }],
    ['a topic of another Region', { TopicArn: 'arn:aws:sns:us-east-1:000000000000:alerts' }],
  ])('refuse %s', async (_, wrong) => {
    const sandbox = await fixtureSandbox(service);
    const TopicArn = sandbox.physicalIds.get('Alerts');
    const publish = new SNSClient(client(sandbox)).send(new PublishCommand({ TopicArn, Message: 'm', ...wrong }));
    await expect(publish).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });

  it('keep an e-mail subscription pending until somebody confirms it', async () => {
    const sandbox = await fixtureSandbox({
      resources: {
        ...service.resources,
        Email: {
          Type: 'AWS::SNS::Subscription',
          Properties: { TopicArn: { Ref: 'Alerts' }, Protocol: 'email', Endpoint: 'ops@example.com' },
        },
      },
    });
    const sns = new SNSClient(client(sandbox));
    const TopicArn = sandbox.physicalIds.get('Alerts');
    const counts = async () => {
      const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
      return [Attributes?.['SubscriptionsPending'], Attributes?.['SubscriptionsConfirmed']];
    };
    const arns = async () => {
      const { Subscriptions } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
      // SNS promises no order.
      return Subscriptions?.map(({ Endpoint, SubscriptionArn }) => [Endpoint, SubscriptionArn]).toSorted();
    };
    const mail = { TopicArn, Protocol: 'email', Endpoint: 'dev@example.com' };
    expect(await sns.send(new SubscribeCommand(mail))).toMatchObject({ SubscriptionArn: 'pending confirmation' });
    expect(await arns()).toEqual([
      ['dev@example.com', 'PendingConfirmation'],
      ['ops@example.com', 'PendingConfirmation'],
    ]);
    expect(await counts()).toEqual(['2', '0']);

    const waiting = (endpoint: string) => expect.objectContaining({ endpoint, protocol: 'email', topicArn: TopicArn });
    const { body } = await control(sandbox, '/confirmations');
    expect(body).toEqual(expect.arrayContaining([waiting('ops@example.com'), waiting('dev@example.com')]));
    const confirm = { method: 'POST', body: '{"endpoint":"ops@example.com"}' };
    expect(await control(sandbox, '/confirmations', confirm)).toEqual({ status: 200, body: { confirmed: 1 } });
    expect(await control(sandbox, '/confirmations', confirm)).toEqual({
      status: 400,
      body: 'No subscription waits for ops@example.com.\n',
    });
    expect(await counts()).toEqual(['1', '1']);
    const arn = /^arn:aws:sns:eu-west-1:000000000000:alerts:[0-9a-f-]{36}$/;
    expect(await arns()).toEqual([
      ['dev@example.com', 'PendingConfirmation'],
      ['ops@example.com', expect.stringMatching(arn)],
    ]);
    const again = await sns.send(new SubscribeCommand({ ...mail, ReturnSubscriptionArn: true }));
    expect(again.SubscriptionArn).toMatch(arn);
    const [{ token } = { token: undefined }] = sandbox.messaging.pendingSubscriptions();
    await sns.send(new ConfirmSubscriptionCommand({ TopicArn, Token: token }));
    expect(await counts()).toEqual(['0', '2']);
  });

  it('are in the home account only', async () => {
    const sandbox = await fixtureSandbox(service);
    const stranger = new SNSClient(client(sandbox, { account: '111122223333' }));
    await expect(stranger.send(new CreateTopicCommand({ Name: 'x' }))).rejects.toThrow(
      'Account 111122223333 has no topics and queues',
    );
  });
});

describe('Step Functions', () => {
  it('starts, lists, describes and stops executions', async () => {
    const sandbox = await fixtureSandbox(service);
    const sfn = new SFNClient(client(sandbox));
    expect((await sfn.send(new ListStateMachinesCommand({}))).stateMachines).toMatchObject([
      { stateMachineArn: machineArn, type: 'STANDARD' },
    ]);
    const { definition } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: machineArn }));
    expect(definition).toContain('"StartAt":"Wait"');

    const names = ['a', 'b', 'c'];
    for (const name of names) {
      await sfn.send(new StartExecutionCommand({ stateMachineArn: machineArn, name, input: `{"is":"${name}"}` }));
      await sandbox.advance(10 * SECOND);
    }
    const executionArn = `${machineArn.replace('stateMachine', 'execution')}:b`;
    await sfn.send(new StopExecutionCommand({ executionArn, error: 'Enough', cause: 'of it' }));
    const b = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    expect(b).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'of it', input: '{"is":"b"}' });
    expect([b.startDate, b.stopDate].map((date) => date?.toISOString())).toEqual([
      '2026-01-05T09:00:10.000Z',
      '2026-01-05T09:00:30.000Z',
    ]);

    const first = await sfn.send(new ListExecutionsCommand({ stateMachineArn: machineArn, maxResults: 2 }));
    expect(first.executions?.map(({ name, status }) => [name, status])).toEqual([
      ['c', 'RUNNING'],
      ['b', 'ABORTED'],
    ]);
    const rest = await sfn.send(
      new ListExecutionsCommand({ stateMachineArn: machineArn, maxResults: 2, nextToken: first.nextToken }),
    );
    expect([rest.executions?.map(({ name }) => name), rest.nextToken]).toEqual([['a'], undefined]);
    const running = await sfn.send(new ListExecutionsCommand({ stateMachineArn: machineArn, statusFilter: 'RUNNING' }));
    expect(running.executions?.map(({ name }) => name)).toEqual(['c', 'a']);

    const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true }));
    expect(events?.map(({ type }) => type)).toEqual(['ExecutionAborted', 'WaitStateEntered', 'ExecutionStarted']);
    expect(events?.[1]).toMatchObject({
      id: 2,
      previousEventId: 1,
      stateEnteredEventDetails: { name: 'Wait', input: '{"is":"b"}' },
    });
  });

  it('says its errors in AWS words, and what is not in the sandbox', async () => {
    const sandbox = await fixtureSandbox(service);
    const sfn = new SFNClient(client(sandbox));
    const start = new StartExecutionCommand({ stateMachineArn: machineArn, name: 'a', input: '{}' });
    await sfn.send(start);
    await sandbox.advance(100 * SECOND);
    await expect(sfn.send(start)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await expect(sfn.send(new RedriveExecutionCommand({ executionArn: 'x' }))).rejects.toThrow(
      'RedriveExecution is not in the sandbox',
    );
    const elsewhere = new SFNClient(client(sandbox, { region: 'us-east-1' }));
    await expect(elsewhere.send(start)).rejects.toThrow('only in account 000000000000 in eu-west-1');
  });
});

describe('the endpoint', () => {
  it('reaches KMS', async () => {
    const sandbox = await fixtureSandbox(service);
    sandbox.keys.create({ account: '000000000000', region: 'eu-central-1' });
    const kms = new KMSClient(client(sandbox, { region: 'eu-central-1' }));
    expect((await kms.send(new ListKeysCommand({}))).Keys).toHaveLength(1);
  });

  it('tells the time of the sandbox, whatever the service and the answer', async () => {
    const sandbox = await fixtureSandbox(service);
    const dateOf = async (signedFor: string | undefined, body = '') => {
      const authorization = `AWS4-HMAC-SHA256 Credential=x/20260105/eu-west-1/${signedFor}/aws4_request`;
      const headers = signedFor === undefined ? {} : { authorization };
      const answer = await fetch(sandbox.endpoint, { method: 'POST', headers, body });
      return [answer.status, answer.headers.get('date')];
    };
    expect(await dateOf('sts', 'Action=GetCallerIdentity')).toEqual([200, 'Mon, 05 Jan 2026 09:00:00 GMT']);
    await sandbox.advance(26 * 3600 * SECOND);
    const tomorrow = 'Tue, 06 Jan 2026 11:00:00 GMT';
    expect(await dateOf('sts', 'Action=GetCallerIdentity')).toEqual([200, tomorrow]);
    expect(await dateOf('ec2', 'Action=DescribeRegions&Version=2016-11-15')).toEqual([200, tomorrow]);
    expect(await dateOf('rds', 'Action=DescribeDBInstances')).toEqual([400, tomorrow]);
    expect(await dateOf(undefined)).toEqual([403, tomorrow]);
  });

  it('lets trouble befall every service that has an API of its own here', async () => {
    const sandbox = await fixtureSandbox(service);
    const refused = { name: 'AccessDeniedException', message: 'not you' };
    for (const name of ['kms', 'events', 'servicequotas', 'lambda', 'cloudformation', 'sts']) {
      sandbox.api(name).faults.add({ kind: 'error', code: refused.name, message: refused.message, status: 403 });
    }
    const kms = new KMSClient(client(sandbox));
    await expect(kms.send(new DescribeKeyCommand({ KeyId: 'x' }))).rejects.toMatchObject(refused);
    expect((await control(sandbox, '/faults')).body).toHaveLength(5);
    const sts = new STSClient(client(sandbox));
    await expect(sts.send(new GetCallerIdentityCommand({}))).rejects.toMatchObject(refused);
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: '000000000000' });
    expect(sandbox.api('sts').calls.map(({ action, outcome }) => [action, outcome])).toEqual([
      ['GetCallerIdentity', 'refused'],
      ['GetCallerIdentity', 'accepted'],
    ]);
  });

  it('names a service that it does not have', async () => {
    const sandbox = await fixtureSandbox(service);
    const answer = await fetch(sandbox.endpoint, {
      method: 'POST',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=x/20260105/eu-west-1/kinesis/aws4_request',
        'x-amz-target': 'Kinesis_20131202.ListStreams',
      },
    });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { __type: 'UnknownService', message: 'The sandbox does not have the service kinesis (asked for: ListStreams)' },
    ]);
  });

  it('writes names of others into XML as text', async () => {
    const sandbox = await fixtureSandbox(service);
    const answer = await fetch(sandbox.endpoint, {
      method: 'POST',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x/20260105/eu-west-1/rds/aws4_request' },
      body: new URLSearchParams({ Action: '<b>&' }).toString(),
    });
    expect(await answer.text()).toBe(
      '<ErrorResponse><Error><Type>Sender</Type><Code>UnknownService</Code><Message>The sandbox does not have the service rds (asked for: &lt;b&gt;&amp;)</Message></Error></ErrorResponse>',
    );
  });

  it('refuses a request that is not signed', async () => {
    const sandbox = await fixtureSandbox(service);
    const answer = await fetch(sandbox.endpoint, { method: 'POST', body: 'Action=DescribeVolumes' });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('MissingAuthenticationToken')]);
  });
});

describe('the control endpoints', () => {
  it('keep faults of EC2 and of events until they happen or are forgotten', async () => {
    const sandbox = await fixtureSandbox(service);
    const faults = [{ kind: 'error', action: 'CreateVolume', code: 'RequestLimitExceeded' }, { kind: 'lose-event' }];
    const added = await control(sandbox, '/faults', { method: 'POST', body: JSON.stringify(faults) });
    expect(added).toMatchObject({
      status: 201,
      body: [
        { id: 'ec2-1', left: 1 },
        { id: 'event-1', left: 1 },
      ],
    });
    const ec2 = new EC2Client(client(sandbox));
    const refused = ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 8 }));
    await expect(refused).rejects.toMatchObject({ name: 'RequestLimitExceeded' });
    expect((await control(sandbox, '/faults')).body).toMatchObject([{ id: 'event-1' }]);
    expect(await control(sandbox, '/faults?id=event-1', { method: 'DELETE' })).toMatchObject({
      status: 200,
      body: { forgotten: 1 },
    });
    expect((await control(sandbox, '/faults')).body).toEqual([]);
  });

  it('put an event on a bus as it is', async () => {
    const sandbox = await fixtureSandbox(service);
    const forged = {
      'detail-type': 'EBS Snapshot Notification',
      source: 'my.own',
      detail: { event: 'createSnapshot' },
      account: '111122223333',
      region: 'us-east-1',
    };
    const answer = await control(sandbox, '/events', { method: 'POST', body: JSON.stringify(forged) });
    expect(answer).toMatchObject({ status: 202, body: { ...forged, time: '2026-01-05T09:00:00Z', resources: [] } });
    expect((await control(sandbox, '/events')).body).toMatchObject({ events: [forged], dropped: [] });
  });

  it('show executions and logs', async () => {
    const sandbox = await fixtureSandbox({
      ...service,
      functions: { it: { code: `export const handler = () => console.log('hello');` } },
    });
    sandbox.stepFunctions.start({ stateMachineArn: machineArn, name: 'a' });
    await sandbox.lambda.invoke('fixture-dev-it', '{}');
    await sandbox.clock.quiet();
    expect((await control(sandbox, '/executions?status=RUNNING')).body).toMatchObject([
      { name: 'a', stateNow: 'Wait', input: {} },
    ]);
    expect((await control(sandbox, '/executions?status=FAILED')).body).toEqual([]);
    expect((await control(sandbox, '/logs?function=-it')).body).toMatchObject([{ text: 'hello' }]);
  });

  it('show what EC2 was asked, and what became of it', async () => {
    const sandbox = await fixtureSandbox(service);
    const ec2 = new EC2Client(client(sandbox));
    await ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 8 }));
    await expect(ec2.send(new CreateVolumeCommand({ AvailabilityZone: 'us-east-1a', Size: 8 }))).rejects.toMatchObject({
      name: 'InvalidZone.NotFound',
    });
    expect((await control(sandbox, '/calls?action=CreateVolume')).body).toMatchObject([
      { at: '2026-01-05T09:00:00.000Z', region: 'eu-west-1', params: { Size: '8' }, outcome: 'accepted' },
      { outcome: 'refused', errorCode: 'InvalidZone.NotFound' },
    ]);
    expect((await control(sandbox, '/calls?action=CopySnapshot')).body).toEqual([]);
  });

  it.each([
    ['no JSON', '/faults', '{', 'The body is not JSON.'],
    ['an unknown fault', '/faults', '{"kind":"lose-events"}', 'kind'],
    [
      'a fault with a wrong field',
      '/faults',
      '{"kind":"delay-event","minutes":5}',
      'A right one: {"kind":"duplicate-event"',
    ],
    ['half an event', '/events', '{"detail-type":"x"}', 'This is not an event:'],
    ['a speed that is none', '/speed', '{"speed":0}', 'This is no speed:'],
    ['a speed of time that stands still', '/speed', '{"speed":10}', 'Time stands still'],
  ])('refuse %s with a reason', async (_, path, body, message) => {
    const sandbox = await fixtureSandbox(service);
    expect(await control(sandbox, path, { method: 'POST', body })).toEqual({
      status: 400,
      body: expect.stringContaining(message),
    });
  });

  it('have time run faster', async () => {
    const sandbox = await fixtureSandbox(service, { time: { mode: 'paced', speed: 1 } });
    const before = sandbox.clock.now();
    expect(await control(sandbox, '/speed', { method: 'POST', body: '{"speed":10000}' })).toEqual({
      status: 200,
      body: { speed: 10_000 },
    });
    // An hour would be an hour.
    await sandbox.advanceUntil(() => sandbox.clock.now() > before + 3_600_000, 2 * 3_600_000);
  });

  it('explain themselves', async () => {
    const sandbox = await fixtureSandbox(service);
    expect((await control(sandbox, '')).body).toContain('POST   /_sandbox/faults');
    expect(await control(sandbox, '/nothing')).toEqual({
      status: 404,
      body: expect.stringContaining('GET /_sandbox says what there is'),
    });
  });
});

describe.skipIf(!awsCliInstalled())('the aws command line', { timeout: 60_000 }, () => {
  it('drives the sandbox', async () => {
    const sandbox = await fixtureSandbox(service, { time: { mode: 'paced', speed: 60 } });
    const run = awsCli('000000000000', sandbox.endpoint);
    const aws = (command: string) => run(`${command} --region eu-west-1`);
    // Version 1 has an endpoint of its own for SQS, and lets nothing but this option change it.
    const sqs = (command: string) => aws(`sqs --endpoint-url ${sandbox.endpoint} ${command}`);

    expect(await aws('sts get-caller-identity')).toMatchObject({ Account: '000000000000' });
    const url = `${sandbox.endpoint}/000000000000/inbox`;
    expect(await sqs('create-queue --queue-name inbox')).toEqual({ QueueUrl: url });
    const topic = 'arn:aws:sns:eu-west-1:000000000000:alerts';
    await aws(
      `sns subscribe --protocol sqs --topic-arn ${topic} --notification-endpoint arn:aws:sqs:eu-west-1:000000000000:inbox`,
    );
    await aws(`sns publish --topic-arn ${topic} --subject Failed --message copy`);
    const { Messages } = Object(await sqs(`receive-message --queue-url ${url}`));
    expect(JSON.parse(Messages[0].Body)).toMatchObject({ Subject: 'Failed', Message: 'copy', TopicArn: topic });

    await aws(`stepfunctions start-execution --state-machine-arn ${machineArn} --name a`);
    expect(await aws(`stepfunctions list-executions --state-machine-arn ${machineArn}`)).toMatchObject({
      executions: [{ name: 'a' }],
    });
    await expect(aws('kinesis list-streams')).rejects.toThrow('The sandbox does not have the service kinesis');
  });
});
