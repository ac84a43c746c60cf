// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are placeholders of Fn::Sub
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { indexItem, requestItem } from '../../aws/ledger-items.ts';
import type { LedgerRequest } from '../../core/ledger-request.ts';
import { optionProblems } from '../../packaging/check-options.ts';
import { functionFiles } from '../../packaging/functions.ts';
import { parseStateMachine } from '../../packaging/state-machine.ts';
import { compilePattern } from '../../sandbox/events/pattern.ts';
import { parseTemplate, type Template } from '../support/cfn-schema.ts';
import { request } from '../support/examples.ts';
import { ACROSS_ACCOUNTS_RULES, packagedService } from '../support/packaged.ts';
import { statementsIn } from '../support/packaged-policies.ts';

/** Of rules with source accounts: everything is in it. */
let template: Template;
let statements: ReturnType<typeof statementsIn>;
beforeAll(async () => {
  const service = await packagedService('test', ACROSS_ACCOUNTS_RULES);
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
    expect(functions()).toHaveLength(functionFiles().length);
    for (const [id, { Runtime, Architectures, TracingConfig }] of functions()) {
      expect({ id, Runtime, Architectures, TracingConfig }).toEqual({
        id,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        TracingConfig: { Mode: 'Active' },
      });
    }
  });

  it('has a role of its own, and so have the state machines, the rule that starts one, and the schedules', () => {
    const machines = all('AWS::StepFunctions::StateMachine', z.object({ RoleArn: atArn }));
    const ofRules = all('AWS::Events::Rule', z.object({ Targets: z.array(z.object({ RoleArn: atArn.optional() })) }));
    const ofSchedules = all('AWS::Scheduler::Schedule', z.object({ Target: z.object({ RoleArn: atArn }) }));
    const taken = [
      ...functions().map(([, { Role }]) => Role),
      ...machines.map(([, { RoleArn }]) => RoleArn),
      ...ofRules.flatMap(([, { Targets }]) => Targets.flatMap(({ RoleArn }) => RoleArn ?? [])),
      ...new Set(ofSchedules.map(([, { Target }]) => Target.RoleArn)),
    ];
    const there = all('AWS::IAM::Role', z.unknown()).map(([id]) => id);
    expect(taken.toSorted()).toEqual(there.toSorted());
    expect(new Set(taken).size).toBe(taken.length);
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
    expect(names).toHaveLength(functions().length + 2); // and those of the state machines
  });

  it('finds all its settings in its environment, and nothing that it does not read', () => {
    const always = ['ACCOUNT_ID', 'INSTALL_NAME', 'POWERTOOLS_LOG_LEVEL', 'POWERTOOLS_SERVICE_NAME'];
    const byLambda = ['AWS_LAMBDA_FUNCTION_NAME', 'AWS_REGION'];
    const settingsIn = (file: string) => {
      const source = readFileSync(new URL(`../../functions/${file}.ts`, import.meta.url), 'utf8');
      return new Set([...source.matchAll(/\bsetting\.([A-Z_]+)/g)].map(([, name = '']) => name));
    };
    for (const file of functionFiles()) {
      const source = readFileSync(new URL(`../../functions/${file}.ts`, import.meta.url), 'utf8');
      const shared = source.includes('./install-settings.ts') ? settingsIn('install-settings') : new Set<string>();
      const read = settingsIn(file).union(shared).difference(new Set(byLambda));
      const id = `${file.replaceAll(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase())}LambdaFunction`;
      const there = Object.keys(functions().find(([of]) => of === id)?.[1].Environment.Variables ?? {});
      expect({ file, there: there.toSorted() }).toEqual({ file, there: [...read.union(new Set(always))].toSorted() });
    }
  });

  it('gets each setting from what it names', () => {
    const admission = {
      'Fn::Sub':
        'arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:ebs-snapshot-copier-test-admission',
    };
    const wanted: Readonly<Record<string, unknown>> = {
      ACCOUNT_ID: { Ref: 'AWS::AccountId' },
      ADMISSION_MACHINE_ARN: admission,
      COPIER_ROLE_ARN: getAtt('StartCopyRole'),
      DEAD_LETTER_TOPIC_ARN: { Ref: 'DeadLetterTopic' },
      INSTALL_NAME: 'ebs-snapshot-copier-test',
      KEEP_REQUESTS_DAYS: { Ref: 'KeepRequestsDays' },
      LEDGER_TABLE: { Ref: 'LedgerTable' },
      LOOKBACK_HOURS: { Ref: 'LookbackHours' },
      POWERTOOLS_LOG_LEVEL: 'INFO',
      POWERTOOLS_SERVICE_NAME: 'ebs-snapshot-copier-test',
      SOURCE_EXTERNAL_ID: 'ebs-snapshot-copier-test',
      STATE_MACHINE_ARN: { Ref: 'CopySnapshotMachine' },
    };
    for (const [id, { Environment }] of functions()) {
      for (const [name, value] of Object.entries(Environment.Variables))
        expect([id, name, value]).toEqual([id, name, wanted[name]]);
    }
    // By name, for it cannot be referred to: this is that name.
    const { StateMachineName } = template.Resources['AdmitCopiesMachine']?.Properties ?? {};
    expect(StateMachineName).toBe('ebs-snapshot-copier-test-admission');
    expect(template.Resources['CopySnapshotMachine']?.Properties['StateMachineName']).toBe('ebs-snapshot-copier-test');
  });
});

describe('an event that cannot be delivered or processed ends in the queue of stuck events', () => {
  const rule = z.object({
    Name: z.string(),
    EventBusName: z.object({ Ref: z.literal('SourceAccountsBus') }).optional(),
    State: z.literal('ENABLED'),
    Targets: z.tuple([
      z.object({
        Arn: atArn,
        RetryPolicy: z.object({ MaximumEventAgeInSeconds: z.int(), MaximumRetryAttempts: z.int() }),
        DeadLetterConfig: z.object({ Arn: z.unknown() }),
      }),
    ]),
  });
  const rules = () =>
    all('AWS::Events::Rule', z.unknown()).flatMap(([id, properties]) =>
      id === 'CopyEventsRule' ? [] : [[id, rule.parse(properties)] as const],
    );

  it('from every rule that calls a function, after a day of tries', () => {
    expect(rules()).toHaveLength(6);
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
      .strictObject({
        ArnLike: z.strictObject({ 'aws:SourceArn': z.array(z.strictObject({ 'Fn::Sub': z.string() })) }),
      })
      .parse(statement?.Condition);
    const taken = condition.ArnLike['aws:SourceArn'].map((arn) => {
      const [start, end] = arn['Fn::Sub'].split(':rule/');
      expect(start).toBe(`arn:$\{AWS::Partition}:events:$\{AWS::Region}:$\{AWS::AccountId}`);
      return new RegExp(`^${end?.replace('*', '.*') ?? ''}$`);
    });
    for (const [, { Name, EventBusName }] of rules()) {
      // The ARN of a rule on another bus than the default one begins with that: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-manage-iam-access.html
      const path = EventBusName === undefined ? Name : `${busName()}/${Name}`;
      expect(taken.filter((pattern) => pattern.test(path)).length, path).toBe(1);
    }
    expect(template.Resources['StuckEventsQueuePolicy']?.Properties['Queues']).toEqual([{ Ref: 'StuckEventsQueue' }]);
  });

  const busName = () => String(template.Resources['SourceAccountsBus']?.Properties['Name']);

  const configs = () =>
    all(
      'AWS::Lambda::EventInvokeConfig',
      z.object({
        FunctionName: z.object({ Ref: z.string() }),
        Qualifier: z.literal('$LATEST'), // rules and schedules call the function, not a version
        MaximumRetryAttempts: z.int(),
        DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.unknown() }).optional() }),
      }),
    );

  it('from every function that events call, which may also send it there', () => {
    const called = new Set(rules().map(([, { Targets }]) => Targets[0].Arn));
    const keeping = configs().filter(([, { DestinationConfig }]) => DestinationConfig.OnFailure !== undefined);
    expect(new Set(keeping.map(([, { FunctionName }]) => FunctionName.Ref))).toEqual(called);
    for (const [, { FunctionName, DestinationConfig, MaximumRetryAttempts }] of keeping) {
      expect(DestinationConfig.OnFailure?.Destination).toEqual(stuckEvents);
      expect(MaximumRetryAttempts).toBe(2);
      const role = functions().find(([id]) => id === FunctionName.Ref)?.[1].Role;
      expect(statements).toContainEqual(
        expect.objectContaining({ of: role, Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [stuckEvents] }),
      );
    }
  });

  it('but not from those that schedules call: the next call does what one has failed to do', () => {
    const others = configs().filter(([, { DestinationConfig }]) => DestinationConfig.OnFailure === undefined);
    const attempts = others.map(([, { FunctionName, MaximumRetryAttempts }]) => [
      FunctionName.Ref,
      MaximumRetryAttempts,
    ]);
    expect(Object.fromEntries(attempts)).toEqual({ SweepLambdaFunction: 0, HealLostEventsLambdaFunction: 2 });
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
    for (const [id, { Name, Targets }] of rules()) {
      const names = [`"${Name}"`, JSON.stringify(getAtt(id))];
      const permission = permissions.find(([, { SourceArn }]) =>
        names.some((name) => JSON.stringify(SourceArn).includes(name)),
      );
      expect(permission?.[1].FunctionName, Name).toBe(Targets[0].Arn);
    }
  });
});

describe('the rule for the ends of copies', () => {
  const rule = () => template.Resources['CopyEventsRule']?.Properties ?? {};
  const event = (detail: object) => ({
    source: 'aws.ec2',
    'detail-type': 'EBS Snapshot Notification',
    account: '111122223333',
    region: 'eu-central-1',
    detail,
  });

  it('hears of every copy, in whatever Region and however it ended, and of nothing else', () => {
    const hears = compilePattern(rule()['EventPattern']);
    expect(hears(event({ event: 'copySnapshot', result: 'succeeded' }))).toBe(true);
    expect(hears(event({ event: 'copySnapshot', result: 'failed' }))).toBe(true);
    expect(hears(event({ event: 'createSnapshot', result: 'succeeded' }))).toBe(false);
    expect(hears({ ...event({ event: 'copySnapshot' }), source: 'aws.states' })).toBe(false);
  });

  it('starts the state machine that admits, and nothing else; what it cannot deliver others find by the clock', () => {
    expect(rule()['Targets']).toEqual([
      {
        Id: 'admission',
        Arn: { Ref: 'AdmitCopiesMachine' },
        RoleArn: getAtt('CopyEventsRuleRole'),
        RetryPolicy: { MaximumEventAgeInSeconds: 300, MaximumRetryAttempts: 10 },
      },
    ]);
    const [allowed, ...more] = statements.filter(({ of }) => of === 'CopyEventsRuleRole');
    expect(more).toEqual([]);
    expect(allowed).toMatchObject({
      Effect: 'Allow',
      Action: ['states:StartExecution'],
      Resource: [
        {
          'Fn::Sub':
            'arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:ebs-snapshot-copier-test-admission',
        },
      ],
    });
  });

  it('alone hears of copies: they are no sources', () => {
    const onDefaultBus = z.object({ EventPattern: z.unknown(), EventBusName: z.unknown().optional() });
    const patterns = all('AWS::Events::Rule', onDefaultBus).filter(([, rule]) => rule.EventBusName === undefined);
    const deployed = (pattern: unknown): unknown =>
      JSON.parse(JSON.stringify(pattern).replaceAll(/\{"Ref":"(\w+)"\}/g, '"the ARN of $1"'));
    const copied = event({ event: 'copySnapshot', result: 'succeeded' });
    const hearing = patterns.filter(([, { EventPattern }]) => compilePattern(deployed(EventPattern))(copied));
    expect(hearing.map(([id]) => id)).toEqual(['CopyEventsRule']);
  });
});

describe('the schedules', () => {
  const schedules = () =>
    new Map(
      all(
        'AWS::Scheduler::Schedule',
        z.object({
          ScheduleExpression: z.unknown(),
          State: z.literal('ENABLED').optional(), // which it is if nothing is said
          FlexibleTimeWindow: z.object({ Mode: z.literal('OFF') }),
          Target: z.object({ Arn: atArn, RoleArn: atArn }),
        }),
      ),
    );

  it('call the sweep as often as the parameter says, and the looks for what events lost and executions left every hour', () => {
    const found = [...schedules()].map(([, { ScheduleExpression, Target }]) => [Target.Arn, ScheduleExpression]);
    expect(found).toEqual([
      ['SweepLambdaFunction', { 'Fn::Sub': 'rate(${SweepMinutes} minutes)' }],
      ['HealLostEventsLambdaFunction', 'rate(1 hour)'],
      ['ReleaseSourceLambdaFunction', 'rate(1 hour)'],
    ]);
  });

  it('may call what they call', () => {
    const allowed = statements.filter(({ of }) => of === 'SchedulesRole');
    expect(allowed.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [['lambda:InvokeFunction'], [...schedules().values()].map(({ Target }) => getAtt(Target.Arn))],
    ]);
    for (const { Target } of schedules().values()) expect(Target.RoleArn).toBe('SchedulesRole');
  });
});

describe('the parameters', () => {
  const numbers = () =>
    Object.entries(template.Parameters).flatMap(([name, parameter]) => {
      const { data } = z
        .object({ Type: z.literal('Number'), Default: z.string(), MinValue: z.int(), MaxValue: z.int() })
        .safeParse(parameter);
      return data === undefined ? [] : [{ option: `${name.charAt(0).toLowerCase()}${name.slice(1)}`, ...data }];
    });

  it('have the defaults that the README names', () => {
    expect(numbers().map(({ option, Default }) => [option, Default])).toEqual([
      ['keepRequestsDays', '90'],
      ['sweepMinutes', '5'],
      ['lookbackHours', '24'],
    ]);
  });

  it('that are numbers are checked at the command line within the limits that CloudFormation has', () => {
    for (const { option, Default, MinValue, MaxValue } of numbers()) {
      const isRight = (value: number) =>
        optionProblems({ stage: 'prod', region: 'eu-west-1', params: { [option]: String(value) } }, []).length === 0;
      const tried = [MinValue - 1, MinValue, Number(Default), MaxValue, MaxValue + 1];
      expect([option, tried.map(isRight)]).toEqual([option, [false, true, true, true, false]]);
    }
  });
});

describe('the ledger', () => {
  const table = () => template.Resources['LedgerTable']?.Properties ?? {};
  const key = { region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-0a1b2c3d4e5f60718' };
  /** With every attribute that a request can have. */
  const full: LedgerRequest = {
    request: request(),
    status: 'running',
    reason: 'x',
    attempt: 1,
    execution: 'snap-0a1b2c3d4e5f60718-eu-central-1-1',
    requestedAt: '2026-03-02T04:13:01.000Z',
    waitingSince: '2026-03-02T04:13:01.000Z',
    changedAt: '2026-03-02T04:13:01.000Z',
    copyId: 'snap-0c0c0c0c0c0c0c0c0',
    copyBegunAt: '2026-03-02T04:13:02.511Z',
    expiresAt: 1_780_000_000,
  };

  it('has the keys of its items, and is billed by use', () => {
    const { region, item, place } = requestItem(key, full, 1);
    expect({ region, item, place }).toEqual({
      region: { S: 'eu-central-1' },
      item: { S: 'eu-central-1#snap-0a1b2c3d4e5f60718' },
      place: { S: 'running#2026-03-02T04:09:51.204Z#eu-central-1#snap-0a1b2c3d4e5f60718' },
    });
    expect(table()).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['region', 'item', 'place'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'region', KeyType: 'HASH' },
        { AttributeName: 'item', KeyType: 'RANGE' },
      ],
      LocalSecondaryIndexes: [
        {
          IndexName: 'queue',
          KeySchema: [
            { AttributeName: 'region', KeyType: 'HASH' },
            { AttributeName: 'place', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'INCLUDE' },
        },
      ],
    });
    // Only a local one can be read consistently.
    expect(table()).not.toHaveProperty('GlobalSecondaryIndexes');
  });

  it('has an index with all that the queue is read for', () => {
    const [index, ...more] = z
      .array(z.object({ Projection: z.object({ NonKeyAttributes: z.array(z.string()) }) }))
      .parse(table()['LocalSecondaryIndexes']);
    expect(more).toEqual([]);
    const read = Object.keys(indexItem(requestItem(key, full, 1)) ?? {});
    const keys = ['region', 'item', 'place'];
    expect([...(index?.Projection.NonKeyAttributes ?? []), ...keys].toSorted()).toEqual(read.toSorted());
  });

  it('forgets requests by the attribute that says when, which is in seconds', () => {
    const { expiresAt } = requestItem(key, full, 1);
    expect(expiresAt).toEqual({ N: '1780000000' });
    expect(table()['TimeToLiveSpecification']).toEqual({ AttributeName: 'expiresAt', Enabled: true });
  });

  it('can be restored to any second of the last 35 days', () => {
    expect(table()['PointInTimeRecoverySpecification']).toEqual({ PointInTimeRecoveryEnabled: true });
  });

  it('is open to the functions that know its name, and to no others', () => {
    const knowing = functions().filter(([, { Environment }]) => Object.hasOwn(Environment.Variables, 'LEDGER_TABLE'));
    const allowed = statements.filter(({ Action }) => Action.includes('dynamodb:PutItem'));
    expect(allowed.map(({ of }) => of).toSorted()).toEqual(knowing.map(([, { Role }]) => Role).toSorted());
    expect(knowing.length).toBeGreaterThan(5);
  });
});

describe.each([
  ['CopySnapshotMachine', 'STANDARD', 7],
  ['AdmitCopiesMachine', 'EXPRESS', 1],
])('the state machine %s', (id, type, tasks) => {
  const machine = () => {
    const { DefinitionString, ...properties } = z
      .looseObject({
        DefinitionString: z.object({ 'Fn::Sub': z.tuple([z.string(), z.record(z.string(), z.unknown())]) }),
      })
      .parse(template.Resources[id]?.Properties);
    const [text, values] = DefinitionString['Fn::Sub'];
    return { text, values, properties };
  };

  it(`is ${type} and writes a log, with what an execution was asked for`, () => {
    const { properties } = machine();
    expect(properties).toMatchObject({
      StateMachineType: type,
      LoggingConfiguration: {
        Level: 'ERROR',
        IncludeExecutionData: true,
        Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: getAtt(`${id}Logs`) } }],
      },
    });
    const { LogGroupName } = template.Resources[`${id}Logs`]?.Properties ?? {};
    expect(LogGroupName).toMatch(/^\/aws\/vendedlogs\/states\//);
  });

  it('calls versions of functions, so that a deployment does not change the code under what runs', () => {
    const { text, values } = machine();
    const states = parseStateMachine(
      JSON.parse(text, (name, value: unknown) => (name === 'QueryLanguage' ? undefined : value)),
    );
    const called = Object.values(states.States).flatMap((state) => {
      if (state.Type !== 'Task' || typeof state.Resource !== 'string' || !state.Resource.startsWith('${')) return [];
      const value = values[state.Resource.slice(2, -1)];
      // The other one is SNS, in whatever partition: Step Functions knows it by the partition's own ARN only.
      if (JSON.stringify(value) === `{"Fn::Sub":"arn:$\{AWS::Partition}:states:::sns:publish"}`) return [];
      return [z.object({ Ref: z.string() }).parse(value).Ref];
    });
    expect(called).toHaveLength(tasks);
    for (const version of called) expect(template.Resources[version]?.Type).toBe('AWS::Lambda::Version');

    const versioned = called.map(
      (version) => z.object({ Ref: z.string() }).parse(template.Resources[version]?.Properties['FunctionName']).Ref,
    );
    const allowed = statements.find(({ of, Action }) => of === `${id}Role` && Action.includes('lambda:InvokeFunction'));
    // Exactly these, in every version: an execution that began before a deployment calls the older ones.
    const wanted = versioned.map((of) => ({ 'Fn::Sub': `$\{${of}.Arn}:*` }));
    expect(allowed?.Resource.map((one) => JSON.stringify(one)).toSorted()).toEqual(
      wanted.map((one) => JSON.stringify(one)).toSorted(),
    );
    expect(new Set(versioned).size).toBe(tasks);
  });
});

describe('the state machines', () => {
  it('that copies sends traces; the one that looks every half a minute does not, for each trace is billed', () => {
    const tracing = (id: string) => template.Resources[id]?.Properties['TracingConfiguration'];
    expect(tracing('CopySnapshotMachine')).toEqual({ Enabled: true });
    expect(tracing('AdmitCopiesMachine')).toBeUndefined();
  });

  it('keep old versions of functions, as executions may still call them', () => {
    const versions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Version');
    expect(versions.map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(Array(functions().length).fill('Retain'));
  });
});

describe('every alarm', () => {
  const alarm = z.object({
    Namespace: z.string(),
    MetricName: z.string(),
    Dimensions: z.array(z.object({ Name: z.string(), Value: z.unknown() })),
    Threshold: z.number(),
    AlarmActions: z.array(z.unknown()),
  });
  const alarms = () => all('AWS::CloudWatch::Alarm', alarm);

  /** Metrics of our own that functions write. */
  const written = new Set(
    [...functionFiles(), 'settle'].flatMap((file) => {
      const source = readFileSync(new URL(`../../functions/${file}.ts`, import.meta.url), 'utf8');
      return [...source.matchAll(/\.addMetric\('(\w+)'/g)].map(([, name = '']) => name);
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
    const rules = all('AWS::Events::Rule', z.object({ Name: z.string().optional() })).map(([, { Name }]) => Name);
    const machines = all('AWS::StepFunctions::StateMachine', z.unknown()).map(([id]) => ({ Ref: id }));
    for (const [id, { Dimensions, Namespace, MetricName }] of alarms()) {
      if (Namespace === 'SnapshotCopier') expect([...written], id).toContain(MetricName);
      for (const { Name, Value } of Dimensions) {
        if (Name === 'FunctionName') expect(names, id).toContain(Value);
        if (Name === 'service') expect(services, id).toEqual(Array(functions().length).fill(Value));
        if (Name === 'StateMachineArn') expect(machines, id).toContainEqual(Value);
        if (Name === 'RuleName') expect(rules, id).toContain(Value);
        if (Name === 'EventBusName') expect(Value, id).toEqual({ Ref: 'SourceAccountsBus' });
        if (Name === 'QueueName') expect(Value, id).toEqual({ 'Fn::GetAtt': ['StuckEventsQueue', 'QueueName'] });
      }
    }
  });

  it('on a rule of another bus names that too, for the metric is another one', () => {
    const onBus = all(
      'AWS::Events::Rule',
      z.object({ Name: z.string().optional(), EventBusName: z.unknown().optional() }),
    ).flatMap(([, { Name, EventBusName }]) => (EventBusName === undefined ? [] : [Name]));
    expect(onBus).toEqual(['ebs-snapshot-copier-test-source-accounts']);
    for (const [id, { Dimensions }] of alarms()) {
      const rule = Dimensions.find(({ Name }) => Name === 'RuleName')?.Value;
      const hasBus = Dimensions.some(({ Name }) => Name === 'EventBusName');
      if (rule !== undefined) expect([id, hasBus]).toEqual([id, onBus.some((name) => name === rule)]);
    }
  });

  it('on waiting is for one destination, and goes off when a request has waited for the shortest deadline there', async () => {
    const { Resources } = parseTemplate((await packagedService()).template);
    const waiting = Object.entries(Resources)
      .filter(([, { Properties }]) => Properties['MetricName'] === 'OldestWaitingAge')
      .map(([id, { Properties }]) => [id, alarm.parse(Properties)] as const);
    const found = waiting.map(([, { Dimensions, Threshold }]) => [
      Dimensions.find(({ Name }) => Name === 'destination')?.Value,
      Threshold,
    ]);
    const twoDays = 48 * 3600;
    expect(Object.fromEntries(found)).toEqual({
      'eu-central-1': twoDays,
      'eu-central-1-ham-1a': twoDays,
      'eu-north-1': 4 * 3600,
      'eu-west-1': twoDays,
      'eu-west-1-op-0123456789abcdef0': twoDays,
      'us-east-1': twoDays,
      'us-west-2': twoDays,
    });
  });

  it('is left out, and the dashboard with it, if nobody wants to pay for monitoring', () => {
    const isOff = ({ Type }: Template['Resources'][string]) =>
      Type === 'AWS::CloudWatch::Alarm' || Type === 'AWS::CloudWatch::Dashboard';
    const conditions = Object.values(template.Resources).flatMap((resource) =>
      isOff(resource) ? [resource.Condition] : [],
    );
    expect(new Set(conditions)).toEqual(new Set(['WantsMonitoring', 'WantsNoRecentCopyAlarm']));
    expect(JSON.stringify(template.Conditions['WantsNoRecentCopyAlarm'])).toContain('{"Condition":"WantsMonitoring"}');
  });

  it('and every graph of the dashboard that shows a metric of ours shows one that is written', () => {
    const body = z
      .object({ 'Fn::Sub': z.tuple([z.string(), z.unknown()]) })
      .parse(template.Resources['Dashboard']?.Properties['DashboardBody']);
    const shown = [...body['Fn::Sub'][0].matchAll(/"SnapshotCopier","(\w+)"/g)].map(([, name = '']) => name);
    expect(new Set(shown)).toEqual(written);
  });
});
