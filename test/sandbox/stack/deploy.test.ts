import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startSandbox } from '../../../sandbox/sandbox.ts';
import { packagedService } from '../../support/packaged.ts';
import { fixtureSandbox } from '../fixture-package.ts';

const it_ = { code: 'export const handler = async () => 1;' };
const functionId = { Ref: 'itLambdaFunction' };

function table(properties: Readonly<Record<string, unknown>>) {
  const key = {
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  };
  return {
    Table: { Type: 'AWS::DynamoDB::Table', Properties: { BillingMode: 'PAY_PER_REQUEST', ...key, ...properties } },
  };
}

describe('a template is refused with', () => {
  it.each([
    [
      'a type that the sandbox does not know',
      { Stream: { Type: 'AWS::Kinesis::Stream', Properties: {} } },
      'Stream: the sandbox does not know resources of type AWS::Kinesis::Stream',
    ],
    ['a table with capacity units', table({ BillingMode: 'PROVISIONED' }), 'the sandbox has tables on demand only'],
    ['a stream of a table', table({ StreamSpecification: { StreamViewType: 'NEW_IMAGE' } }), 'StreamSpecification'],
    [
      'a table that DynamoDB would refuse',
      table({ KeySchema: [{ AttributeName: 'other', KeyType: 'HASH' }] }),
      'Table (AWS::DynamoDB::Table): ValidationException: ',
    ],
    [
      'a property that would change what happens',
      { Queue: { Type: 'AWS::SQS::Queue', Properties: { KmsMasterKeyId: 'x' } } },
      'Queue (AWS::SQS::Queue): ✖ Unrecognized key: "KmsMasterKeyId"',
    ],
    [
      'a rule on a schedule',
      { Rule: { Type: 'AWS::Events::Rule', Properties: { ScheduleExpression: 'rate(1 hour)', Targets: [] } } },
      'ScheduleExpression',
    ],
    [
      'a pattern that the sandbox does not understand',
      { Rule: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: [{ cidr: 'x' }] }, Targets: [] } } },
      'Rule (AWS::Events::Rule): pattern.source[0]: the sandbox does not know the operator cidr',
    ],
    [
      'a target that the sandbox does not have',
      {
        Rule: {
          Type: 'AWS::Events::Rule',
          Properties: {
            EventPattern: { source: ['x'] },
            Targets: [{ Id: 'x', Arn: 'arn:aws:kinesis:eu-west-1:000000000000:stream/x' }],
          },
        },
      },
      'the sandbox delivers to functions, topics, queues, state machines and event buses only',
    ],
    [
      'a policy with a condition that is not known',
      {
        Policy: {
          Type: 'AWS::SQS::QueuePolicy',
          Properties: {
            Queues: ['q'],
            PolicyDocument: {
              Statement: { Effect: 'Allow', Principal: '*', Action: 'sqs:*', Condition: { IpAddress: {} } },
            },
          },
        },
      },
      'Policy (AWS::SQS::QueuePolicy)',
    ],
    [
      'an unknown intrinsic in a resource that has no effect',
      { Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { AlarmActions: [{ 'Fn::ImportValue': 'x' }] } } },
      'Alarm.AlarmActions[0]: the sandbox does not know Fn::ImportValue',
    ],
    [
      'a destination that the sandbox does not have',
      {
        Config: {
          Type: 'AWS::Lambda::EventInvokeConfig',
          Properties: {
            FunctionName: functionId,
            Qualifier: '$LATEST',
            DestinationConfig: { OnSuccess: { Destination: 'arn:aws:sqs:eu-west-1:000000000000:q' } },
          },
        },
      },
      'OnSuccess',
    ],
    [
      'a destination that is not there',
      {
        Config: {
          Type: 'AWS::Lambda::EventInvokeConfig',
          Properties: {
            FunctionName: functionId,
            Qualifier: '$LATEST',
            DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:eu-west-1:000000000000:none' } },
          },
        },
      },
      'Config (AWS::Lambda::EventInvokeConfig): there is no destination arn:aws:sqs:eu-west-1:000000000000:none',
    ],
  ])('%s', async (_, resources, message) => {
    await expect(fixtureSandbox({ functions: { it: it_ }, resources })).rejects.toThrow(message);
  });

  it('a function property that would change what happens', async () => {
    const limited = { ...it_, properties: { ReservedConcurrentExecutions: 1 } };
    await expect(fixtureSandbox({ functions: { it: limited } })).rejects.toThrow('ReservedConcurrentExecutions');
  });

  it('a section that the sandbox does not know', async () => {
    await expect(fixtureSandbox({ template: { Mappings: {} } })).rejects.toThrow('Unrecognized key: "Mappings"');
  });

  it('and leaves the process as it was', async () => {
    const before = globalThis.Date;
    await expect(fixtureSandbox({ template: { Mappings: {} } })).rejects.toThrow();
    expect(globalThis.Date).toBe(before);
  });
});

describe('a package', () => {
  it('without a template says how to make one', async () => {
    const time = { mode: 'jumping' } as const;
    await expect(startSandbox({ packageDir: '/nonexistent', time })).rejects.toThrow(
      '`npx serverless package --package /nonexistent` makes it.',
    );
  });

  it('of the service itself is deployed whole', { timeout: 60_000 }, async () => {
    const { dir } = await packagedService();
    const sandbox = await startSandbox({ packageDir: dir, time: { mode: 'jumping' } });
    try {
      const zipFiles = readdirSync(dir).filter((name) => name.endsWith('.zip'));
      expect(sandbox.lambda.functions()).toHaveLength(zipFiles.length);
      expect(sandbox.stepFunctions.stateMachines().map(({ name }) => name)).toEqual([
        'ebs-snapshot-copier-test',
        'ebs-snapshot-copier-test-admission',
      ]);
      expect(await sandbox.messages('StuckEventsQueue')).toEqual([]);
      expect(await sandbox.messages('DeadLetterTopic')).toEqual([]);
      expect(sandbox.outputs['DeadLetterTopicArn']).toBe(sandbox.physicalIds.get('DeadLetterTopic'));
    } finally {
      await sandbox.stop();
    }
  });
});
