import { basename, join } from 'node:path';
import type * as z from 'zod';
import type { DynamoDbService } from '../dynamodb/dynamodb-service.ts';
import { type Home, homeArn } from '../home.ts';
import type { AsyncInvoker } from '../lambda/async-invoker.ts';
import { findHandler, unpackBundle } from '../lambda/bundle.ts';
import type { FunctionRunner } from '../lambda/function-runner.ts';
import type { Messaging } from '../messaging.ts';
import type { ResourcePolicies } from '../resource-policies.ts';
import { periodOf } from '../scheduler/rate.ts';
import type { Scheduler } from '../scheduler/scheduler.ts';
import type { StepFunctions } from '../stepfunctions/step-functions.ts';
import { ACCOUNT_TYPES, type AccountServices, makeAccountResources } from './account-resources.ts';
import { checkedResources, failureOf } from './checked-resources.ts';
import { contentsOf, type StackContents, stackId } from './deployed-stacks.ts';
import { identitiesOf } from './identities.ts';
import { Resolver } from './intrinsics.ts';
import {
  eventInvokeConfigProperties,
  functionProperties,
  permissionProperties,
  queuePolicyProperties,
  queueProperties,
  scheduleGroupProperties,
  scheduleProperties,
  stateMachineProperties,
  subscriptionProperties,
  TYPES_WITHOUT_EFFECT,
  tableProperties,
  topicPolicyProperties,
  topicProperties,
  versionProperties,
} from './resource-schemas.ts';
import { parseTemplate, TemplateError } from './template.ts';

/** The services that the resources of a stack are made in. */
export interface StackServices extends AccountServices {
  readonly lambda: FunctionRunner;
  readonly asyncInvoker: AsyncInvoker;
  readonly messaging: Messaging;
  readonly policies: ResourcePolicies;
  readonly stepFunctions: StepFunctions;
  readonly dynamodb: DynamoDbService;
  readonly scheduler: Scheduler;
}

export interface StackOptions {
  /** The template, parsed from JSON. */
  readonly template: unknown;
  readonly stackName: string;
  readonly home: Home;
  readonly seed: number;
  /** Values instead of the parameters' defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Where the functions' zip files lie. */
  readonly packageDir: string;
  /** Where they are to be unpacked. */
  readonly codeDir: string;
}

/** What was deployed. */
export interface Stack {
  /** What CloudFormation shows of it. */
  readonly contents: StackContents;
  readonly outputs: Readonly<Record<string, string>>;
  /** ARN, or URL of a queue, by logical id: what `Ref` gives. */
  readonly physicalIds: ReadonlyMap<string, string>;
  /** Where the functions' bundles were unpacked. */
  readonly codeDirs: readonly string[];
}

/**
 * Makes the resources of a CloudFormation template.
 * @throws TemplateError for everything that the sandbox does not honour
 */
export async function deployStack(options: StackOptions, services: StackServices): Promise<Stack> {
  const { home, stackName, seed } = options;
  const { lambda, asyncInvoker, messaging, policies, stepFunctions, dynamodb, scheduler } = services;
  const resolver = new Resolver({
    template: parseTemplate(options.template),
    pseudo: {
      'AWS::AccountId': home.account,
      'AWS::Region': home.region,
      'AWS::Partition': 'aws',
      'AWS::URLSuffix': 'amazonaws.com',
      'AWS::StackName': stackName,
      'AWS::StackId': stackId(home, stackName),
    },
    parameters: options.parameters ?? {},
    identify: identitiesOf({ home, stackName, seed, queueUrl: (name) => messaging.queueUrl(name) }),
  });

  type Make<S extends z.ZodType> = (
    properties: z.output<S>,
    attributeOf: (name: string) => string,
    id: string,
  ) => void | Promise<void>;
  const made = new Set<string>([...TYPES_WITHOUT_EFFECT, ...ACCOUNT_TYPES]);
  const codeDirs: string[] = [];

  /** Makes all resources of a type, in the template's order. */
  async function make<S extends z.ZodType>(type: string, schema: S, one: Make<S>): Promise<void> {
    made.add(type);
    for (const { id, properties, attributeOf } of checkedResources(resolver, type, schema)) {
      try {
        await one(properties, attributeOf, id);
      } catch (error) {
        throw failureOf(id, type, error);
      }
    }
  }

  const parts = { resolver, stackName, place: home };
  makeAccountResources(parts, services, ['AWS::IAM::Role']);
  await make('AWS::SQS::Queue', queueProperties, async ({ RedrivePolicy, ...rest }, attributeOf) => {
    const attributes = Object.entries({
      ...rest,
      RedrivePolicy: RedrivePolicy === undefined ? undefined : JSON.stringify(RedrivePolicy),
    })
      .filter(([name, value]) => value !== undefined && !['QueueName', 'Tags'].includes(name))
      .map(([name, value]) => [name, String(value)]);
    await messaging.createQueue(attributeOf('QueueName'), Object.fromEntries(attributes));
  });
  await make('AWS::SNS::Topic', topicProperties, async ({ DisplayName, Subscription }, attributeOf) => {
    await messaging.createTopic(attributeOf('TopicName'), DisplayName);
    for (const { Protocol, Endpoint } of Subscription) {
      await messaging.subscribe(attributeOf('TopicArn'), Protocol, Endpoint, {});
    }
  });
  await make('AWS::SNS::Subscription', subscriptionProperties, async (subscription) => {
    const { TopicArn, Protocol, Endpoint, FilterPolicy, FilterPolicyScope, RawMessageDelivery } = subscription;
    await messaging.subscribe(TopicArn, Protocol, Endpoint, {
      ...(FilterPolicy === undefined ? {} : { FilterPolicy: JSON.stringify(FilterPolicy) }),
      ...(FilterPolicyScope === undefined ? {} : { FilterPolicyScope }),
      ...(RawMessageDelivery === undefined ? {} : { RawMessageDelivery: String(RawMessageDelivery) }),
    });
  });
  await make('AWS::SQS::QueuePolicy', queuePolicyProperties, ({ Queues, PolicyDocument }) => {
    for (const url of Queues) policies.add(homeArn(home, 'sqs', url.split('/').at(-1) ?? ''), PolicyDocument);
  });
  await make('AWS::SNS::TopicPolicy', topicPolicyProperties, ({ Topics, PolicyDocument }) => {
    for (const topicArn of Topics) policies.add(topicArn, PolicyDocument);
  });
  await make('AWS::DynamoDB::Table', tableProperties, async (table, attributeOf) => {
    const { AttributeDefinitions, KeySchema, BillingMode, LocalSecondaryIndexes, GlobalSecondaryIndexes } = table;
    const expiry = table.TimeToLiveSpecification;
    await dynamodb.createTable({
      name: attributeOf('Arn').split('/').at(-1) ?? '',
      input: { AttributeDefinitions, KeySchema, BillingMode, LocalSecondaryIndexes, GlobalSecondaryIndexes },
      expiresAt: expiry?.Enabled === true ? expiry.AttributeName : undefined,
    });
  });
  await make('AWS::Lambda::Function', functionProperties, (properties, attributeOf) => {
    const name = attributeOf('Arn').split(':').at(-1) ?? '';
    const directory = unpackBundle(join(options.packageDir, basename(properties.Code.S3Key)), options.codeDir);
    codeDirs.push(directory);
    lambda.add({
      name,
      code: findHandler(directory, properties.Handler),
      timeoutSeconds: properties.Timeout,
      memoryMegabytes: properties.MemorySize,
      environment: properties.Environment?.Variables ?? {},
      traces: properties.TracingConfig?.Mode === 'Active',
      shown: {
        description: properties.Description,
        handler: properties.Handler,
        role: properties.Role,
        runtime: properties.Runtime,
      },
    });
  });
  await make('AWS::Lambda::Version', versionProperties, ({ FunctionName }) => {
    lambda.publishVersion(lambda.resolve(FunctionName).config.name);
  });
  await make('AWS::Lambda::EventInvokeConfig', eventInvokeConfigProperties, async (properties) => {
    const { FunctionName, Qualifier, MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = properties;
    const onFailure = DestinationConfig?.OnFailure?.Destination;
    if (onFailure !== undefined && !(await messaging.exists(onFailure))) {
      throw new Error(`there is no destination ${onFailure}`);
    }
    asyncInvoker.configure(`${FunctionName}:${Qualifier}`, {
      ...(MaximumRetryAttempts === undefined ? {} : { maximumRetryAttempts: MaximumRetryAttempts }),
      ...(MaximumEventAgeInSeconds === undefined ? {} : { maximumEventAgeSeconds: MaximumEventAgeInSeconds }),
      ...(onFailure === undefined ? {} : { onFailure }),
    });
  });
  await make('AWS::Lambda::Permission', permissionProperties, (permission, _, id) => {
    const { FunctionName, Action, Principal, SourceArn, SourceAccount } = permission;
    const { arn } = lambda.resolve(FunctionName);
    const Condition = {
      ...(SourceArn === undefined ? {} : { ArnLike: { 'aws:SourceArn': SourceArn } }),
      ...(SourceAccount === undefined ? {} : { StringEquals: { 'aws:SourceAccount': SourceAccount } }),
    };
    const who = { Service: Principal };
    // CloudFormation makes up a Sid with the logical id in it.
    policies.add(arn, { Statement: { Sid: id, Effect: 'Allow', Principal: who, Action, Resource: arn, Condition } });
  });
  await make('AWS::StepFunctions::StateMachine', stateMachineProperties, (machine, attributeOf) => {
    const text = machine.DefinitionString ?? JSON.stringify(machine.Definition);
    const definition = text.replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => {
      const value = machine.DefinitionSubstitutions[name];
      if (value === undefined) throw new Error(`DefinitionSubstitutions has nothing for ${whole}`);
      return JSON.stringify(value).slice(1, -1);
    });
    stepFunctions.addStateMachine({
      name: attributeOf('Name'),
      type: machine.StateMachineType,
      definition,
      roleArn: machine.RoleArn,
      duties: {
        logs: (machine.LoggingConfiguration?.Level ?? 'OFF') !== 'OFF',
        traces: machine.TracingConfiguration?.Enabled === true,
      },
    });
  });
  // Rules last, when their targets are there.
  makeAccountResources(
    parts,
    services,
    ACCOUNT_TYPES.filter((type) => type !== 'AWS::IAM::Role'),
  );

  const groups = new Set(['default']);
  await make('AWS::Scheduler::ScheduleGroup', scheduleGroupProperties, (_, attributeOf) => {
    groups.add(attributeOf('Arn').split('/').at(-1) ?? '');
  });
  await make('AWS::Scheduler::Schedule', scheduleProperties, async (schedule, attributeOf) => {
    const { GroupName, ScheduleExpression, State, FlexibleTimeWindow, Target } = schedule;
    if (!groups.has(GroupName)) throw new Error(`there is no schedule group ${GroupName}`);
    const deadLetterQueue = Target.DeadLetterConfig?.Arn;
    if (deadLetterQueue !== undefined && !(await messaging.exists(deadLetterQueue))) {
      throw new Error(`there is no queue ${deadLetterQueue}`);
    }
    const made = {
      arn: attributeOf('Arn'),
      periodMs: periodOf(ScheduleExpression),
      windowMs: FlexibleTimeWindow.Mode === 'OFF' ? 0 : FlexibleTimeWindow.MaximumWindowInMinutes * 60_000,
      functionArn: lambda.resolve(Target.Arn).arn,
      input: Target.Input,
      roleArn: Target.RoleArn,
    };
    if (State === 'ENABLED') scheduler.add(made);
  });

  for (const [id, { Type, Properties }] of resolver.resources(
    (type) => !made.has(type) || TYPES_WITHOUT_EFFECT.has(type),
  )) {
    if (!made.has(Type)) throw new TemplateError(id, `the sandbox does not know resources of type ${Type}`);
    resolver.resolve(Properties, id);
  }
  const contents = contentsOf(resolver, stackName, home);
  return {
    contents,
    outputs: Object.fromEntries(contents.outputs.map(({ key, value }) => [key, value])),
    physicalIds: new Map(
      contents.resources.flatMap(({ logicalId, physicalId }) =>
        physicalId === undefined ? [] : [[logicalId, physicalId] as const],
      ),
    ),
    codeDirs,
  };
}
