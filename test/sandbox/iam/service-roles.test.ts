import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { fixtureSandbox, stateMachine } from '../fixture-package.ts';
import { client } from './assumed-role.ts';

const HOUR = 3_600_000;
const HERE = 'eu-west-1:000000000000';
const FUNCTION = `arn:aws:lambda:${HERE}:function:fixture-dev-it`;
const arnOf = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

const log = { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*' };
const invoke = { Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: FUNCTION };

const withProperties = z.object({ Properties: z.record(z.string(), z.unknown()) });

/** A role that lets a service in, under a condition or not, with these statements. */
function roleOf(service: string, statements: readonly unknown[], Condition?: unknown): unknown {
  const trust = {
    Effect: 'Allow',
    Principal: { Service: `${service}.amazonaws.com` },
    Action: 'sts:AssumeRole',
    ...(Condition !== undefined && { Condition }),
  };
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] },
      Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

describe('a function', () => {
  function functionWith(
    statements: readonly unknown[],
    { service = 'lambda', code = `export const handler = async () => { console.log('seen'); };`, properties = {} } = {},
    resources: Readonly<Record<string, unknown>> = {},
  ): Promise<Sandbox> {
    return fixtureSandbox({
      functions: { it: { code, properties: { Role: arnOf('ItsRole'), ...properties } } },
      resources: { ItsRole: roleOf(service, statements), ...resources },
    });
  }

  const ofItsGroup = `arn:aws:logs:${HERE}:log-group:/aws/lambda/fixture-dev-it:*`;
  it.each([
    ['with both permissions', { ...log, Resource: ofItsGroup }, ['seen']],
    ['not with those for another group', { ...log, Resource: ofItsGroup.replace('-it', '-other') }, []],
    ['not without CreateLogStream', { ...log, Action: 'logs:PutLogEvents' }, []],
    ['not without PutLogEvents', { ...log, Action: 'logs:CreateLogStream' }, []],
  ])('writes its log %s', async (_, statement, seen) => {
    const sandbox = await functionWith([statement]);
    await sandbox.lambda.invoke(FUNCTION, '{}');
    expect(sandbox.logs().map(({ text }) => text)).toEqual(seen);
  });

  it('calls with the keys of its role, for as long as it lives', async () => {
    const code = `
      import { request } from 'node:http';
      const { AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN } = process.env;
      export const handler = () => new Promise((resolve) => {
        const headers = {
          authorization: 'AWS4-HMAC-SHA256 Credential=' + AWS_ACCESS_KEY_ID + '/20260101/eu-west-1/sts/aws4_request',
          'x-amz-security-token': AWS_SESSION_TOKEN,
          'content-type': 'application/x-www-form-urlencoded',
        };
        const call = request(AWS_ENDPOINT_URL, { method: 'POST', headers }, (answer) => {
          let body = '';
          answer.on('data', (chunk) => { body += chunk; }).on('end', () => resolve(/<Arn>([^<]*)|<Code>([^<]*)/.exec(body)[0]));
        });
        call.end('Action=GetCallerIdentity&Version=2011-06-15');
      });`;
    const sandbox = await functionWith([], { code });
    const identity = async () => {
      const result = await sandbox.lambda.invoke(FUNCTION, '{}');
      return result.ok && JSON.parse(result.payload);
    };
    const role =
      sandbox.iam
        .usage()
        .roles()
        .find(({ logicalId }) => logicalId === 'ItsRole')?.arn ?? '';
    const session = `<Arn>arn:aws:sts::000000000000:assumed-role/${role.split('/').at(-1)}/fixture-dev-it`;
    expect(await identity()).toBe(session);
    await sandbox.advance(30 * HOUR);
    expect(await identity()).toBe(session);
  });

  it.each([
    [
      'whose role does not let Lambda in',
      { service: 'states' },
      [],
      'itLambdaFunction (AWS::Lambda::Function): The role defined for the function cannot be assumed by Lambda.',
    ],
    [
      'that shall be traced and may not be',
      { properties: { TracingConfig: { Mode: 'Active' } } },
      [{ Effect: 'Allow', Action: 'xray:PutTelemetryRecords', Resource: '*' }],
      'The provided execution role does not have permissions to call PutTraceSegments on XRAY',
    ],
  ])('is not deployed %s', async (_, settings, statements, why) => {
    await expect(functionWith(statements, settings)).rejects.toThrow(why);
  });

  it('without a role any more fails', async () => {
    const sandbox = await functionWith([log]);
    const role = sandbox.iam
      .usage()
      .roles()
      .find(({ logicalId }) => logicalId === 'ItsRole');
    sandbox.iam.removeRole(role?.arn ?? '');
    expect(await sandbox.lambda.invoke(FUNCTION, '{}')).toMatchObject({
      ok: false,
      error: { errorType: 'AccessDeniedException' },
    });
  });

  describe('with a destination for what fails', () => {
    const withDestination = (...statements: readonly unknown[]) =>
      functionWith(
        statements,
        { code: `export const handler = async () => { throw new Error('always'); };` },
        {
          Stuck: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'stuck' } },
          Config: {
            Type: 'AWS::Lambda::EventInvokeConfig',
            Properties: {
              FunctionName: { Ref: 'itLambdaFunction' },
              Qualifier: '$LATEST',
              MaximumRetryAttempts: 0,
              DestinationConfig: { OnFailure: { Destination: arnOf('Stuck') } },
            },
          },
        },
      );
    const send = { ...log, Action: 'sqs:SendMessage' };

    it('is not deployed without the permission to send there', async () => {
      await expect(withDestination(log)).rejects.toThrow(
        /is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs/,
      );
    });

    it('has its events sent there', async () => {
      const sandbox = await withDestination(log, send);
      sandbox.asyncInvoker.accept(FUNCTION, '{}');
      await sandbox.advance(1000);
      expect(await sandbox.messages('Stuck')).toHaveLength(1);
    });

    it('loses them if its role is taken away meanwhile', async () => {
      const sandbox = await withDestination(log, send);
      const role = sandbox.iam
        .usage()
        .roles()
        .find(({ logicalId }) => logicalId === 'ItsRole');
      sandbox.iam.removeRole(role?.arn ?? '');
      sandbox.asyncInvoker.accept(FUNCTION, '{}');
      await sandbox.advance(1000);
      expect(await sandbox.messages('Stuck')).toEqual([]);
      expect(sandbox.logs().map(({ text }) => text)).toContainEqual(
        expect.stringMatching(/dropped .* cannot be assumed/),
      );
    });
  });
});

describe('a state machine', () => {
  const task = (Resource: string, more: Readonly<Record<string, unknown>> = {}) => ({
    StartAt: 'Work',
    States: { Work: { Type: 'Task', Resource, ...more, End: true } },
  });
  const callsFunction = task(FUNCTION);
  const publishes = task('arn:aws:states:::sns:publish', {
    Parameters: { TopicArn: `arn:aws:sns:${HERE}:alerts`, Message: 'm' },
  });

  const publish = { Effect: 'Allow', Action: 'sns:Publish', Resource: '*' };

  async function deployed(
    definition: Readonly<Record<string, unknown>>,
    statements: readonly unknown[],
    { condition, properties = {} }: { condition?: unknown; properties?: Readonly<Record<string, unknown>> } = {},
  ): Promise<Sandbox> {
    const { Properties } = withProperties.parse(stateMachine(definition));
    return fixtureSandbox({
      functions: { it: { code: `export const handler = async () => 'done';` } },
      resources: {
        ItsRole: roleOf('states', statements, condition),
        Alerts: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'alerts' } },
        Machine: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: { ...Properties, RoleArn: arnOf('ItsRole'), ...properties },
        },
      },
    });
  }

  async function run(sandbox: Sandbox) {
    const states = new SFNClient(client(sandbox));
    const stateMachineArn = sandbox.physicalIds.get('Machine');
    const { executionArn } = await states.send(new StartExecutionCommand({ stateMachineArn }));
    await sandbox.advance(1000);
    return states.send(new DescribeExecutionCommand({ executionArn }));
  }

  it.each([
    ['a function', callsFunction, 'Lambda.AWSLambdaException', `lambda:InvokeFunction on resource: ${FUNCTION}`],
    ['a topic', publishes, 'SNS.AuthorizationErrorException', `sns:Publish on resource: arn:aws:sns:${HERE}:alerts`],
  ])('is refused %s by its role', async (_, definition, error, refused) => {
    expect(await run(await deployed(definition, []))).toMatchObject({
      status: 'FAILED',
      error,
      cause: expect.stringContaining(refused),
    });
  });

  it.each([
    ['a function', callsFunction, invoke],
    ['a topic', publishes, publish],
  ])('calls %s where its role may', async (_, definition, permission) => {
    expect(await run(await deployed(definition, [permission]))).toMatchObject({ status: 'SUCCEEDED' });
  });

  const machine = `arn:aws:states:${HERE}:stateMachine:fixture-dev`;
  it.each([
    ['aws:SourceAccount', '000000000000', true],
    ['aws:SourceArn', machine, true],
    ['aws:SourceAccount', '111122223333', false],
    ['aws:SourceArn', `${machine}-2`, false],
  ])('acts for itself: with %s %s its role lets it in: %s', async (key, value, letsIn) => {
    const sandbox = deployed(callsFunction, [], { condition: { StringEquals: { [key]: value } } });
    if (letsIn) await expect(sandbox).resolves.toBeDefined();
    else {
      await expect(sandbox).rejects.toThrow(
        'Machine (AWS::StepFunctions::StateMachine): Neither the global service principal states.amazonaws.com',
      );
    }
  });

  const duties = [
    'logs:CreateLogDelivery',
    'logs:GetLogDelivery',
    'logs:UpdateLogDelivery',
    'logs:DeleteLogDelivery',
    'logs:ListLogDeliveries',
    'logs:PutResourcePolicy',
    'logs:DescribeResourcePolicies',
    'logs:DescribeLogGroups',
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
    'xray:GetSamplingRules',
    'xray:GetSamplingTargets',
  ];
  const properties = { LoggingConfiguration: { Level: 'ERROR' }, TracingConfiguration: { Enabled: true } };
  const mayAllBut = (action: string) => [
    { Effect: 'Allow', Action: duties.filter((each) => each !== action), Resource: '*' },
  ];

  it('with a log and traces is deployed with all permissions for them', async () => {
    await expect(deployed(callsFunction, mayAllBut('none'), { properties })).resolves.toBeDefined();
  });

  it.each(duties)('with a log and traces is not deployed without %s', async (action) => {
    await expect(deployed(callsFunction, mayAllBut(action), { properties })).rejects.toThrow(action);
  });
});

describe('a schedule', () => {
  async function deployed(statements: readonly unknown[], condition?: unknown): Promise<Sandbox> {
    return fixtureSandbox({
      functions: { it: { code: `export const handler = async () => console.log('swept');` } },
      resources: {
        ItsRole: roleOf('scheduler', statements, condition),
        Sweep: {
          Type: 'AWS::Scheduler::Schedule',
          Properties: {
            Name: 'sweep',
            ScheduleExpression: 'rate(1 hour)',
            FlexibleTimeWindow: { Mode: 'OFF' },
            Target: { Arn: arnOf('itLambdaFunction'), RoleArn: arnOf('ItsRole') },
          },
        },
      },
    });
  }

  it.each([
    ['where it may', [invoke], ['swept']],
    ['and not where it may not', [], []],
  ])('invokes its function with its role %s', async (_, statements, seen) => {
    const sandbox = await deployed(statements);
    await sandbox.advance(HOUR);
    expect(sandbox.logs().map(({ text }) => text)).toEqual(seen);
  });

  it.each([
    ['schedule-group/default', true],
    ['schedule/default/sweep', false],
  ])('acts for its group: with aws:SourceArn %s its role lets it in: %s', async (value, letsIn) => {
    const sandbox = deployed([], { ArnLike: { 'aws:SourceArn': `arn:aws:scheduler:${HERE}:${value}` } });
    if (letsIn) await expect(sandbox).resolves.toBeDefined();
    else await expect(sandbox).rejects.toThrow('must allow AWS EventBridge Scheduler to assume the role');
  });
});
