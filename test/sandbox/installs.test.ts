import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient, ListTablesCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListExecutionsCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ListTopicsCommand, PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { ListQueuesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { fixturePackage, fixtureSandbox, queueForEvents, variable } from './fixture-package.ts';

const SECOND = 1000;
const HOME = '000000000000';
const PARTNER = '111122223333';

/** A function that says where it is, an event rule to it, a machine, a table, and a topic with a queue. */
const service = (stage: string) => ({
  stage,
  functions: {
    hears: {
      code: `export const handler = async (event) => {
        console.log(event.account, event.region, event.detail?.number);
        return [process.env.AWS_REGION, process.env.ACCOUNT];
      };`,
      properties: { Environment: { Variables: { ACCOUNT: { Ref: 'AWS::AccountId' } } } },
    },
  },
  resources: {
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventPattern: { source: ['aws.ec2'] },
        Targets: [{ Id: 'hears', Arn: { 'Fn::GetAtt': ['hearsLambdaFunction', 'Arn'] } }],
      },
    },
    Permission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        FunctionName: { Ref: 'hearsLambdaFunction' },
        Action: 'lambda:InvokeFunction',
        Principal: 'events.amazonaws.com',
        SourceArn: { 'Fn::GetAtt': ['Rule', 'Arn'] },
      },
    },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: `fixture-${stage}`,
        Definition: { StartAt: 'Done', States: { Done: { Type: 'Succeed' } } },
        RoleArn: { 'Fn::GetAtt': ['FixtureRole', 'Arn'] },
      },
    },
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: `table-${stage}`,
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
      },
    },
    Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `topic-${stage}` } },
    Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: `queue-${stage}` } },
    Subscription: {
      Type: 'AWS::SNS::Subscription',
      Properties: { TopicArn: { Ref: 'Topic' }, Protocol: 'sqs', Endpoint: { 'Fn::GetAtt': ['Queue', 'Arn'] } },
    },
  },
  template: { Outputs: { Topic: { Value: { Ref: 'Topic' } }, Stack: { Value: { Ref: 'AWS::StackName' } } } },
});

/** Clients of somebody in an account, for a Region. */
function clients({ endpoint }: Sandbox, account: string, region = 'eu-west-1') {
  const credentials = { accessKeyId: account, secretAccessKey: 'none' };
  const settings = { endpoint, region, maxAttempts: 1, credentials };
  return {
    cloudFormation: new CloudFormationClient(settings),
    dynamodb: new DynamoDBClient(settings),
    lambda: new LambdaClient(settings),
    states: new SFNClient(settings),
    sns: new SNSClient(settings),
    sqs: new SQSClient(settings),
  };
}

type Clients = ReturnType<typeof clients>;

async function answerOf({ lambda }: Clients, FunctionName: string): Promise<unknown> {
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}

function happen(sandbox: Sandbox, number: number, account: string, region = 'eu-west-1'): void {
  const about = { source: 'aws.ec2', 'detail-type': 'x', detail: { number } };
  sandbox.bus.put(sandbox.bus.fill({ ...about, account, region }));
}

describe('an install in another Region', () => {
  it('has functions, tables and machines of its own, which its Region answers for', async () => {
    const sandbox = await fixtureSandbox(service('prod'), {
      installs: [{ packageDir: fixturePackage(service('prod')), region: 'us-east-1' }],
    });
    const here = clients(sandbox, HOME);
    const there = clients(sandbox, HOME, 'us-east-1');
    expect(await answerOf(here, 'fixture-prod-hears')).toEqual(['eu-west-1', HOME]);
    expect(await answerOf(there, 'fixture-prod-hears')).toEqual(['us-east-1', HOME]);

    await there.dynamodb.send(new PutItemCommand({ TableName: 'table-prod', Item: { id: { S: 'there' } } }));
    const scanned = [here, there].map(({ dynamodb }) => dynamodb.send(new ScanCommand({ TableName: 'table-prod' })));
    expect((await Promise.all(scanned)).map(({ Count }) => Count)).toEqual([0, 1]);

    const stateMachineArn = `arn:aws:states:us-east-1:${HOME}:stateMachine:fixture-prod`;
    await there.states.send(new StartExecutionCommand({ stateMachineArn }));
    expect((await there.states.send(new ListExecutionsCommand({ stateMachineArn }))).executions).toHaveLength(1);
    expect([sandbox, ...sandbox.installs].map((install) => install.executions().length)).toEqual([0, 1]);
  });

  it('hears the events of its Region only', async () => {
    const sandbox = await fixtureSandbox(service('prod'), {
      installs: [{ packageDir: fixturePackage(service('prod')), region: 'us-east-1' }],
    });
    happen(sandbox, 1, HOME);
    happen(sandbox, 2, HOME, 'us-east-1');
    await sandbox.advance(10 * SECOND);
    const heard = [sandbox, ...sandbox.installs].map((install) => install.logs().map(({ text }) => text));
    expect(heard).toEqual([[`${HOME} eu-west-1 1`], [`${HOME} us-east-1 2`]]);
  });

  it('has a role of its own, though IAM is the same everywhere', async () => {
    const sandbox = await fixtureSandbox(service('prod'), {
      installs: [{ packageDir: fixturePackage(service('prod')), region: 'us-east-1' }],
    });
    const names = [sandbox, ...sandbox.installs].map(({ physicalIds }) => physicalIds.get('FixtureRole') ?? '');
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^fixture-prod-FixtureRole-[0-9A-F]{12}$/);
  });
});

describe('two stages in one Region', () => {
  it('share nothing but the services', async () => {
    const sandbox = await fixtureSandbox(service('prod'), {
      installs: [{ packageDir: fixturePackage(service('test')) }],
    });
    const [test] = sandbox.installs;
    expect([sandbox.outputs['Stack'], test?.outputs['Stack']]).toEqual(['fixture-prod', 'fixture-test']);
    const { dynamodb, cloudFormation } = clients(sandbox, HOME);
    expect((await dynamodb.send(new ListTablesCommand())).TableNames).toEqual(['table-prod', 'table-test']);
    const { StackResourceSummaries = [] } = await cloudFormation.send(
      new ListStackResourcesCommand({ StackName: 'fixture-test' }),
    );
    expect(StackResourceSummaries.find(({ LogicalResourceId }) => LogicalResourceId === 'Table')).toMatchObject({
      PhysicalResourceId: 'table-test',
    });

    happen(sandbox, 1, HOME);
    await sandbox.advance(10 * SECOND);
    for (const install of [sandbox, test])
      expect(install?.logs().map(({ text }) => text)).toEqual([`${HOME} eu-west-1 1`]);
    const stateMachineArn = test?.physicalIds.get('Machine') ?? '';
    test?.stepFunctions.start({ stateMachineArn });
    expect([sandbox.executions().length, test?.executions().length]).toEqual([0, 1]);
    expect(await test?.messages('Queue')).toEqual([]);
  });

  it('cannot be the same stage twice', async () => {
    const again = fixtureSandbox(service('prod'), { installs: [{ packageDir: fixturePackage(service('prod')) }] });
    await expect(again).rejects.toThrow(`Account ${HOME} has a stack fixture-prod in eu-west-1 already.`);
  });
});

describe('an install in another account', () => {
  const inPartner = () => [{ packageDir: fixturePackage(service('prod')), account: PARTNER }];

  it('answers those who call from there, under its own account id', async () => {
    const sandbox = await fixtureSandbox(service('prod'), { installs: inPartner() });
    const partner = clients(sandbox, PARTNER);
    expect(await answerOf(partner, `arn:aws:lambda:eu-west-1:${PARTNER}:function:fixture-prod-hears`)).toEqual([
      'eu-west-1',
      PARTNER,
    ]);
    const topic = `arn:aws:sns:eu-west-1:${PARTNER}:topic-prod`;
    expect(sandbox.installs[0]?.outputs['Topic']).toBe(topic);
    expect((await partner.sns.send(new ListTopicsCommand())).Topics).toEqual([{ TopicArn: topic }]);
    const { QueueUrls = [] } = await partner.sqs.send(new ListQueuesCommand());
    expect(QueueUrls).toEqual([`${sandbox.endpoint}/${PARTNER}/queue-prod`]);
  });

  it('has topics that deliver to its queues, whole and with their own names', async () => {
    const sandbox = await fixtureSandbox(service('prod'), { installs: inPartner() });
    const { sns, sqs } = clients(sandbox, PARTNER);
    const TopicArn = `arn:aws:sns:eu-west-1:${PARTNER}:topic-prod`;
    const Message = 'see arn:aws:sqs:eu-west-1:000000000000:queue-prod';
    await sns.send(new PublishCommand({ TopicArn, Message }));
    const QueueUrl = `${sandbox.endpoint}/${PARTNER}/queue-prod`;
    // The client checks the sum of each message that it receives.
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages.map(({ Body = '' }) => JSON.parse(Body))).toMatchObject([{ TopicArn, Message }]);
    const [onQueue] = (await sandbox.installs[0]?.messages('Queue')) ?? [];
    expect(JSON.parse(onQueue?.body ?? '')).toMatchObject({ TopicArn, Message });
    expect(await sandbox.installs[0]?.messages('Topic')).toMatchObject([{ body: Message }]);
    expect(await sandbox.messages('Queue')).toEqual([]);
  });

  it('is no business of others: queues and topics are for their own account', async () => {
    const sandbox = await fixtureSandbox(service('prod'), { installs: inPartner() });
    const { sns, sqs } = clients(sandbox, HOME);
    const QueueUrl = `${sandbox.endpoint}/${PARTNER}/queue-prod`;
    await expect(sqs.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toThrow('for their own account alone');
    const TopicArn = `arn:aws:sns:eu-west-1:${PARTNER}:topic-prod`;
    await expect(sns.send(new PublishCommand({ TopicArn, Message: 'x' }))).rejects.toThrow(
      'for their own account alone',
    );
  });

  it('can send its events to the bus of the main one, and the main one to its bus', async () => {
    const rule = (from: string, to: string) => ({
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: 'shares',
        EventPattern: { source: ['aws.ec2'], account: [from] },
        Targets: [
          {
            Id: 'bus',
            Arn: `arn:aws:events:eu-west-1:${to}:event-bus/shared`,
            RoleArn: { 'Fn::GetAtt': ['Shares', 'Arn'] },
          },
        ],
      },
    });
    const sharing = (from: string, to: string) => ({
      stage: 'share',
      resources: {
        Bus: {
          Type: 'AWS::Events::EventBus',
          Properties: {
            Name: 'shared',
            Policy: {
              Statement: { Effect: 'Allow', Principal: { AWS: to }, Action: 'events:PutEvents', Resource: '*' },
            },
          },
        },
        Rule: rule(from, to),
        Shares: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: {
              Statement: { Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' },
            },
            Policies: [
              {
                PolicyName: 'puts',
                PolicyDocument: {
                  Statement: {
                    Effect: 'Allow',
                    Action: 'events:PutEvents',
                    Resource: { 'Fn::Sub': `arn:aws:events:${variable('AWS::Region')}:${to}:event-bus/shared` },
                  },
                },
              },
            ],
          },
        },
        OnBus: {
          Type: 'AWS::Events::Rule',
          Properties: {
            Name: 'on-shared',
            EventBusName: { Ref: 'Bus' },
            EventPattern: { source: [{ prefix: '' }] },
            Targets: [{ Id: 'queue', Arn: { 'Fn::GetAtt': ['Heard', 'Arn'] } }],
          },
        },
        ...queueForEvents('Heard', from),
      },
    });
    const sandbox = await fixtureSandbox(sharing(HOME, PARTNER), {
      installs: [{ packageDir: fixturePackage(sharing(PARTNER, HOME)), account: PARTNER }],
    });
    happen(sandbox, 1, HOME);
    happen(sandbox, 2, PARTNER);
    await sandbox.advance(10 * SECOND);
    const numbers = [sandbox, ...sandbox.installs].map(async (install) =>
      (await install.messages('Heard')).map(({ body }) => JSON.parse(body).detail.number),
    );
    expect(await Promise.all(numbers)).toEqual([[2], [1]]);
  });
});
