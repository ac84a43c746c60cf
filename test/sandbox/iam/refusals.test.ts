import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, GetItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { CreateSnapshotCommand, CreateVolumeCommand, DescribeSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DisableRuleCommand, EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { GetFunctionConfigurationCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { fixtureSandbox, stateMachine } from '../fixture-package.ts';
import { addRole, assume, client } from './assumed-role.ts';

const HERE = 'eu-west-1:000000000000';
const MACHINE = `arn:aws:states:${HERE}:stateMachine:fixture-dev`;
const FUNCTION = `arn:aws:lambda:${HERE}:function:fixture-dev-it`;
const QUEUE = `arn:aws:sqs:${HERE}:inbox`;
const TOPIC = `arn:aws:sns:${HERE}:alerts`;
const TABLE = `arn:aws:dynamodb:${HERE}:table/ledger`;

const key = [{ AttributeName: 'id', KeyType: 'HASH' }];
const service = {
  functions: { it: { code: `export const handler = async () => 'done';` } },
  resources: {
    Machine: stateMachine({ StartAt: 'End', States: { End: { Type: 'Succeed' } } }),
    Alerts: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alerts' } },
    Inbox: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'inbox' } },
    Ledger: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: 'ledger',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: key,
        BillingMode: 'PAY_PER_REQUEST',
        GlobalSecondaryIndexes: [{ IndexName: 'queue', KeySchema: key, Projection: { ProjectionType: 'ALL' } }],
      },
    },
  },
};

type Client = ReturnType<typeof client>;
type Send = (of: Client, sandbox: Sandbox) => Promise<unknown>;

const item = { id: { S: '1' } };
const query: Send = (of) =>
  new DynamoDBClient(of).send(
    new QueryCommand({
      TableName: 'ledger',
      IndexName: 'queue',
      KeyConditionExpression: 'id = :id',
      ExpressionAttributeValues: { ':id': { S: '1' } },
    }),
  );
const quota: Send = (of) =>
  new ServiceQuotasClient(of).send(new GetServiceQuotaCommand({ ServiceCode: 'ebs', QuotaCode: 'L-SANDBOX1' }));

/** The call, the permission that it needs, on what, and how the service refuses it. */
const CALLS: readonly (readonly [string, Send, string, string, string, number])[] = [
  [
    'EC2',
    (of) => new EC2Client(of).send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] })),
    'ec2:DescribeSnapshots',
    '*',
    'UnauthorizedOperation',
    403,
  ],
  [
    'DynamoDB',
    (of) => new DynamoDBClient(of).send(new GetItemCommand({ TableName: 'ledger', Key: item })),
    'dynamodb:GetItem',
    TABLE,
    'AccessDeniedException',
    400,
  ],
  ['DynamoDB, an index', query, 'dynamodb:Query', `${TABLE}/index/queue`, 'AccessDeniedException', 400],
  [
    'Step Functions',
    (of) => new SFNClient(of).send(new StartExecutionCommand({ stateMachineArn: MACHINE })),
    'states:StartExecution',
    MACHINE,
    'AccessDeniedException',
    400,
  ],
  [
    'Lambda',
    (of) => new LambdaClient(of).send(new InvokeCommand({ FunctionName: 'fixture-dev-it' })),
    'lambda:InvokeFunction',
    FUNCTION,
    'AccessDeniedException',
    403,
  ],
  [
    'Lambda, a version',
    (of) =>
      new LambdaClient(of).send(new GetFunctionConfigurationCommand({ FunctionName: FUNCTION, Qualifier: '$LATEST' })),
    'lambda:GetFunctionConfiguration',
    `${FUNCTION}:$LATEST`,
    'AccessDeniedException',
    403,
  ],
  [
    'SNS',
    (of) => new SNSClient(of).send(new PublishCommand({ TopicArn: TOPIC, Message: 'm' })),
    'sns:Publish',
    TOPIC,
    'AuthorizationErrorException',
    403,
  ],
  [
    'SQS',
    (of, { physicalIds }) =>
      new SQSClient(of).send(
        new SendMessageBatchCommand({
          QueueUrl: physicalIds.get('Inbox'),
          Entries: [{ Id: '1', MessageBody: 'm' }],
        }),
      ),
    'sqs:SendMessage',
    QUEUE,
    'AccessDenied',
    403,
  ],
  [
    'EventBridge',
    (of) => new EventBridgeClient(of).send(new ListRulesCommand({})),
    'events:ListRules',
    '*',
    'AccessDeniedException',
    400,
  ],
  [
    'CloudFormation',
    (of) => new CloudFormationClient(of).send(new DescribeStacksCommand({ StackName: 'fixture-dev' })),
    'cloudformation:DescribeStacks',
    `arn:aws:cloudformation:${HERE}:stack/fixture-dev/*`,
    'AccessDenied',
    403,
  ],
  ['KMS', (of) => new KMSClient(of).send(new ListKeysCommand({})), 'kms:ListKeys', '*', 'AccessDeniedException', 400],
  [
    'Service Quotas',
    quota,
    'servicequotas:GetServiceQuota',
    `arn:aws:servicequotas:${HERE}:ebs/L-SANDBOX1`,
    'AccessDeniedException',
    400,
  ],
];

describe.each(CALLS)('%s', (_, send, action, resource, code, httpStatusCode) => {
  it('refuses a role without the permission, and says which one', async () => {
    const sandbox = await fixtureSandbox(service);
    const keys = await assume(sandbox, addRole(sandbox, {}));
    const on = resource === '*' ? '' : ` on resource: ${resource}`;
    const why = `because no identity-based policy allows the ${action} action`;
    await expect(send(client(sandbox, keys), sandbox)).rejects.toMatchObject({
      name: code,
      message: expect.stringContaining(
        `User: arn:aws:sts::000000000000:assumed-role/tried/session is not authorized to perform: ${action}${on} ${why}`,
      ),
      $metadata: { httpStatusCode },
    });
  });

  it('serves a role that has this permission and no other', async () => {
    const sandbox = await fixtureSandbox(service);
    const statements = [{ Effect: 'Allow', Action: action, Resource: resource }];
    const keys = await assume(sandbox, addRole(sandbox, { statements }));
    await expect(send(client(sandbox, keys), sandbox)).resolves.toBeDefined();
  });
});

it('the administrator may do all of it', async () => {
  const sandbox = await fixtureSandbox(service);
  for (const [, send] of CALLS) await expect(send(client(sandbox), sandbox)).resolves.toBeDefined();
});

it('what is wrong with a request comes before what is not allowed', async () => {
  const sandbox = await fixtureSandbox(service);
  const keys = await assume(sandbox, addRole(sandbox, {}));
  const states = new SFNClient(client(sandbox, keys));
  await expect(states.send(new DescribeExecutionCommand({ executionArn: 'no-arn' }))).rejects.not.toMatchObject({
    name: 'AccessDeniedException',
  });
  const ec2 = new EC2Client(client(sandbox, keys));
  await expect(ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: ['snap-x'] }))).rejects.toMatchObject({
    name: 'InvalidSnapshotID.Malformed',
  });
});

it('DryRun tells what would be refused', async () => {
  const sandbox = await fixtureSandbox({});
  const admin = new EC2Client(client(sandbox));
  const { VolumeId } = await admin.send(new CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 1 }));
  const dryRun = async (statements: readonly unknown[], name: string) => {
    const keys = await assume(sandbox, addRole(sandbox, { name, statements }));
    return new EC2Client(client(sandbox, keys)).send(new CreateSnapshotCommand({ VolumeId, DryRun: true }));
  };
  const may = { Effect: 'Allow', Action: 'ec2:CreateSnapshot', Resource: '*' };
  await expect(dryRun([], 'unable')).rejects.toMatchObject({ name: 'UnauthorizedOperation' });
  await expect(dryRun([may], 'able')).rejects.toMatchObject({ name: 'DryRunOperation' });
});

it('a rule is named with its bus', async () => {
  const sandbox = await fixtureSandbox({});
  const statements = [
    { Effect: 'Allow', Action: 'events:DisableRule', Resource: `arn:aws:events:${HERE}:rule/bus/one` },
  ];
  const events = new EventBridgeClient(client(sandbox, await assume(sandbox, addRole(sandbox, { statements }))));
  const disable = (EventBusName?: string) =>
    events.send(new DisableRuleCommand({ Name: 'one', ...(EventBusName !== undefined && { EventBusName }) }));
  await expect(disable('bus')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await expect(disable()).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
