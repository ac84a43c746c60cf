import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseStateMachine } from '../../packaging/state-machine.ts';
import { parseTemplate, type Template } from '../support/cfn-schema.ts';
import { packagedService } from '../support/packaged.ts';
import { statementsIn } from '../support/packaged-policies.ts';

let template: Template;
let statements: ReturnType<typeof statementsIn>;
beforeAll(async () => {
  const service = await packagedService();
  template = parseTemplate(service.template);
  statements = statementsIn(service.template);
}, 120_000);

const getAtt = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const atArn = z
  .object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) })
  .transform((call) => call['Fn::GetAtt'][0]);
const stuckEvents = getAtt('StuckEventsQueue');

/** Logical ids and properties of all resources of a type. */
function all<T>(type: string, properties: z.ZodType<T>): readonly (readonly [id: string, T])[] {
  return Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => [id, properties.parse(resource.Properties)]);
}

const lambda = z.object({
  FunctionName: z.string(),
  Runtime: z.string(),
  Architectures: z.array(z.string()),
  TracingConfig: z.object({ Mode: z.string() }),
  Role: atArn,
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});
const functions = () => all('AWS::Lambda::Function', lambda);

describe('every function', () => {
  it('runs on nodejs24.x and arm64, with active tracing', () => {
    expect(functions()).toHaveLength(7);
    for (const [id, { Runtime, Architectures, TracingConfig }] of functions()) {
      expect({ id, Runtime, Architectures, TracingConfig }).toEqual({
        id,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
    }
  });

  it('has a role of its own, and the state machine another', () => {
    const machines = all('AWS::StepFunctions::StateMachine', z.object({ RoleArn: atArn }));
    const taken = [...functions().map(([, { Role }]) => Role), ...machines.map(([, { RoleArn }]) => RoleArn)];
    const there = all('AWS::IAM::Role', z.unknown()).map(([id]) => id);
    expect(taken.toSorted()).toEqual(there.toSorted());
    expect(new Set(taken).size).toBe(8);
  });

  it('has a log group that does not grow for ever, and so has everything else', () => {
    const groups = all(
      'AWS::Logs::LogGroup',
      z.object({ LogGroupName: z.string(), RetentionInDays: z.int().positive() }),
    );
    const names = groups.map(([, { LogGroupName }]) => LogGroupName);
    expect(names).toEqual(
      expect.arrayContaining(functions().map(([, { FunctionName }]) => `/aws/lambda/${FunctionName}`)),
    );
    expect(names).toHaveLength(functions().length + 1); // and that of the state machine
  });
});

describe('an event that cannot be delivered or processed ends in the queue of stuck events', () => {
  const rule = z.object({
    Name: z.string(),
    State: z.literal('ENABLED'),
    Targets: z.tuple([
      z.object({
        Arn: atArn,
        RetryPolicy: z.object({ MaximumEventAgeInSeconds: z.int(), MaximumRetryAttempts: z.int() }),
        DeadLetterConfig: z.object({ Arn: z.unknown() }),
      }),
    ]),
  });
  const rules = () => all('AWS::Events::Rule', rule);

  it('from every rule, after a day of tries', () => {
    expect(rules().length).toBeGreaterThanOrEqual(3);
    for (const [, { Targets }] of rules()) {
      expect(Targets[0].DeadLetterConfig.Arn).toEqual(stuckEvents);
      expect(Targets[0].RetryPolicy).toEqual({ MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 });
    }
  });

  it('because the queue takes them from every rule', () => {
    const [statement, ...others] = statements.filter(({ of }) => of === 'StuckEventsQueuePolicy');
    expect(others).toEqual([]);
    expect(statement).toMatchObject({
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['sqs:SendMessage'],
      Resource: [stuckEvents],
    });
    const condition = z
      .strictObject({ ArnLike: z.strictObject({ 'aws:SourceArn': z.strictObject({ 'Fn::Sub': z.string() }) }) })
      .parse(statement?.Condition);
    const [start, end] = condition.ArnLike['aws:SourceArn']['Fn::Sub'].split(':rule/');
    expect(start).toBe(`arn:$\{AWS::Partition}:events:$\{AWS::Region}:$\{AWS::AccountId}`);
    const taken = new RegExp(`^${end?.replace('*', '.*') ?? ''}$`);
    for (const [, { Name }] of rules()) expect(Name).toMatch(taken);
    expect(template.Resources['StuckEventsQueuePolicy']?.Properties['Queues']).toEqual([{ Ref: 'StuckEventsQueue' }]);
  });

  it('from every function that events call, which may also send it there', () => {
    const configs = all(
      'AWS::Lambda::EventInvokeConfig',
      z.object({
        FunctionName: z.object({ Ref: z.string() }),
        Qualifier: z.literal('$LATEST'), // the rules call the function, not a version
        DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.unknown() }) }),
      }),
    );
    const called = new Set(rules().map(([, { Targets }]) => Targets[0].Arn));
    expect(new Set(configs.map(([, { FunctionName }]) => FunctionName.Ref))).toEqual(called);
    for (const [, { FunctionName, DestinationConfig }] of configs) {
      expect(DestinationConfig.OnFailure.Destination).toEqual(stuckEvents);
      const role = functions().find(([id]) => id === FunctionName.Ref)?.[1].Role;
      expect(statements).toContainEqual(
        expect.objectContaining({ of: role, Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [stuckEvents] }),
      );
    }
  });

  it('and is otherwise delivered: every rule may call its function', () => {
    const permissions = all(
      'AWS::Lambda::Permission',
      z.object({
        FunctionName: atArn,
        Principal: z.literal('events.amazonaws.com'),
        Action: z.literal('lambda:InvokeFunction'),
        SourceArn: z.unknown(),
      }),
    );
    for (const [, { Name, Targets }] of rules()) {
      const permission = permissions.find(([, { SourceArn }]) => JSON.stringify(SourceArn).includes(`"${Name}"`));
      expect(permission?.[1].FunctionName, Name).toBe(Targets[0].Arn);
    }
  });
});

describe('the state machine', () => {
  const machine = () => {
    const { DefinitionString, ...properties } = z
      .looseObject({
        DefinitionString: z.object({ 'Fn::Sub': z.tuple([z.string(), z.record(z.string(), z.unknown())]) }),
      })
      .parse(template.Resources['CopySnapshotMachine']?.Properties);
    const [text, values] = DefinitionString['Fn::Sub'];
    return { text, values, properties };
  };

  it('writes a log, with what an execution was asked for, and sends traces', () => {
    const { properties } = machine();
    expect(properties).toMatchObject({
      StateMachineType: 'STANDARD',
      LoggingConfiguration: {
        Level: 'ERROR',
        IncludeExecutionData: true,
        Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: getAtt('CopySnapshotMachineLogs') } }],
      },
      TracingConfiguration: { Enabled: true },
    });
  });

  it('calls versions of functions, so that a deployment does not change the code under a running copy', () => {
    const { text, values } = machine();
    const states = parseStateMachine(
      JSON.parse(text, (key, value: unknown) => (key === 'QueryLanguage' ? undefined : value)),
    );
    const called = Object.values(states.States).flatMap((state) => {
      if (state.Type !== 'Task' || typeof state.Resource !== 'string' || !state.Resource.startsWith('${')) return [];
      const value = values[state.Resource.slice(2, -1)];
      // The other one is SNS, in whatever partition: Step Functions knows it by the partition's own ARN only.
      if (JSON.stringify(value) === `{"Fn::Sub":"arn:$\{AWS::Partition}:states:::sns:publish"}`) return [];
      return [z.object({ Ref: z.string() }).parse(value).Ref];
    });
    expect(called).toHaveLength(5);
    for (const id of called) expect(template.Resources[id]?.Type).toBe('AWS::Lambda::Version');

    const versioned = called.map(
      (id) => z.object({ Ref: z.string() }).parse(template.Resources[id]?.Properties['FunctionName']).Ref,
    );
    const allowed = statements.find(
      ({ of, Action }) => of === 'CopySnapshotMachineRole' && Action.includes('lambda:InvokeFunction'),
    );
    // Exactly these, in every version: an execution that began before a deployment calls the older ones.
    const wanted = versioned.flatMap((id) => [getAtt(id), { 'Fn::Sub': `$\{${id}.Arn}:*` }]);
    expect(allowed?.Resource.map((one) => JSON.stringify(one)).toSorted()).toEqual(
      wanted.map((one) => JSON.stringify(one)).toSorted(),
    );
    expect(new Set(versioned).size).toBe(5);
  });

  it('keeps old versions of functions, as executions may still call them', () => {
    const versions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Version');
    expect(versions.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(Array(7).fill('Retain'));
  });
});

describe('every alarm', () => {
  const alarms = () =>
    all(
      'AWS::CloudWatch::Alarm',
      z.object({
        Namespace: z.string(),
        MetricName: z.string(),
        Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
        AlarmActions: z.array(z.unknown()),
      }),
    );

  it('that tells somebody tells the dead-letter topic, which takes it', () => {
    const told = alarms().flatMap(([, { AlarmActions }]) => AlarmActions);
    expect(told.length).toBeGreaterThan(3);
    for (const action of told) expect(action).toEqual({ Ref: 'DeadLetterTopic' });
    expect(statements).toContainEqual(
      expect.objectContaining({
        of: 'DeadLetterTopicPolicy',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['sns:Publish'],
        Resource: [{ Ref: 'DeadLetterTopic' }],
      }),
    );
  });

  it('looks at something that is there', () => {
    const names = functions().map(([, { FunctionName }]) => FunctionName);
    const services = functions().map(([, { Environment }]) => Environment.Variables['POWERTOOLS_SERVICE_NAME']);
    for (const [id, { Dimensions }] of alarms()) {
      for (const { Name, Value } of Dimensions) {
        if (Name === 'FunctionName') expect(names, id).toContain(Value);
        if (Name === 'service') expect(services, id).toEqual(Array(7).fill(Value));
        if (Name === 'StateMachineArn') expect(Value, id).toEqual({ Ref: 'CopySnapshotMachine' });
        if (Name === 'QueueName') expect(Value, id).toEqual({ 'Fn::GetAtt': ['StuckEventsQueue', 'QueueName'] });
      }
    }
  });
});
