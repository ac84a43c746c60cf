import * as z from 'zod';

/**
 * The properties of each type that the sandbox honours, and those that change nothing here (`withoutEffect`). Any other
 * property is an error, because a sandbox that ignores what a template says proves nothing.
 */
const withoutEffect = z.unknown().optional();
const int = z.coerce.number().int();
const text = z.string();

export const functionProperties = z.strictObject({
  FunctionName: text.optional(),
  Code: z.strictObject({ S3Bucket: z.unknown(), S3Key: text }),
  Handler: text,
  Runtime: z.string().startsWith('nodejs', 'the sandbox runs Node.js functions only'),
  Timeout: int.default(3),
  MemorySize: int.default(128),
  Environment: z.strictObject({ Variables: z.record(z.string(), z.coerce.string()) }).optional(),
  Role: text,
  Architectures: withoutEffect,
  Description: text.default(''),
  LoggingConfig: withoutEffect,
  Tags: withoutEffect,
  TracingConfig: z.strictObject({ Mode: z.enum(['Active', 'PassThrough']) }).optional(),
});

export const versionProperties = z.strictObject({
  FunctionName: text,
  CodeSha256: withoutEffect,
  Description: withoutEffect,
});

export const eventInvokeConfigProperties = z.strictObject({
  FunctionName: text,
  Qualifier: text,
  MaximumRetryAttempts: int.min(0).max(2).optional(),
  MaximumEventAgeInSeconds: int.min(60).max(21_600).optional(),
  DestinationConfig: z
    .strictObject({ OnFailure: z.strictObject({ Destination: z.string().regex(/^arn:aws:(sqs|sns):/) }).optional() })
    .optional(),
});

export const permissionProperties = z.strictObject({
  FunctionName: text,
  Action: text,
  Principal: text,
  SourceArn: text.optional(),
  SourceAccount: text.optional(),
});

export const ruleProperties = z.strictObject({
  Name: text.optional(),
  Description: text.optional(),
  /** Name or ARN. */
  EventBusName: text.optional(),
  EventPattern: z.record(z.string(), z.unknown()),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Tags: withoutEffect,
  Targets: z
    .array(
      z.strictObject({
        Id: text,
        Arn: z
          .string()
          .regex(
            /^arn:aws:(lambda|sns|sqs|states|events):/,
            'the sandbox delivers to functions, topics, queues, state machines and event buses only',
          ),
        RoleArn: text.optional(),
        RetryPolicy: z
          .strictObject({
            MaximumRetryAttempts: int.min(0).max(185).optional(),
            MaximumEventAgeInSeconds: int.min(60).max(86_400).optional(),
          })
          .optional(),
        DeadLetterConfig: z.strictObject({ Arn: text }).optional(),
        InputTransformer: z
          .strictObject({ InputPathsMap: z.record(z.string(), z.string()).default({}), InputTemplate: text })
          .optional(),
      }),
    )
    .max(5),
});

export const roleProperties = z.strictObject({
  RoleName: text.optional(),
  Path: text.regex(/^\/([\x21-\x7e]+\/)*$/).optional(),
  AssumeRolePolicyDocument: z.unknown(),
  Policies: z.array(z.strictObject({ PolicyName: text, PolicyDocument: z.unknown() })).default([]),
  MaxSessionDuration: int.min(3600).max(43_200).optional(),
  Description: withoutEffect,
  Tags: withoutEffect,
});

export const keyProperties = z.strictObject({
  Description: text.optional(),
  KeyPolicy: z.record(z.string(), z.unknown()),
  KeySpec: z.literal('SYMMETRIC_DEFAULT').optional(),
  KeyUsage: z.literal('ENCRYPT_DECRYPT').optional(),
  PendingWindowInDays: int.min(7).max(30).default(30),
  EnableKeyRotation: withoutEffect,
  Tags: withoutEffect,
});

export const keyAliasProperties = z.strictObject({ AliasName: text.startsWith('alias/'), TargetKeyId: text });

export const eventBusProperties = z.strictObject({
  Name: text.regex(/^(?!default$)[\w.-]{1,256}$/, 'the sandbox knows custom event buses here'),
  Description: text.optional(),
  Policy: z.unknown().optional(),
  Tags: withoutEffect,
});

export const eventBusPolicyProperties = z.strictObject({
  EventBusName: text.optional(),
  StatementId: text.regex(/^[\w-]{1,64}$/),
  Statement: z.record(z.string(), z.unknown()),
});

export const stateMachineProperties = z
  .strictObject({
    StateMachineName: text.optional(),
    StateMachineType: z.enum(['STANDARD', 'EXPRESS']).default('STANDARD'),
    DefinitionString: text.optional(),
    Definition: z.record(z.string(), z.unknown()).optional(),
    DefinitionSubstitutions: z.record(z.string(), z.coerce.string()).default({}),
    RoleArn: text,
    LoggingConfiguration: z.looseObject({ Level: text.default('OFF') }).optional(),
    Tags: withoutEffect,
    TracingConfiguration: z.strictObject({ Enabled: z.union([z.boolean(), z.stringbool()]) }).optional(),
  })
  .refine(
    (machine) => (machine.DefinitionString === undefined) !== (machine.Definition === undefined),
    'needs either DefinitionString or Definition',
  );

/** fauxqs delivers to queues. An e-mail subscription is kept and nothing is sent. */
const protocol = z.enum(['sqs', 'email', 'email-json']);

export const topicProperties = z.strictObject({
  TopicName: text.optional(),
  DisplayName: text.optional(),
  Subscription: z.array(z.strictObject({ Protocol: protocol, Endpoint: text })).default([]),
  Tags: withoutEffect,
  TracingConfig: withoutEffect,
});

export const subscriptionProperties = z.strictObject({
  TopicArn: text,
  Protocol: protocol,
  Endpoint: text,
  FilterPolicy: z.record(z.string(), z.unknown()).optional(),
  FilterPolicyScope: z.enum(['MessageAttributes', 'MessageBody']).optional(),
  RawMessageDelivery: z.union([z.boolean(), z.stringbool()]).optional(),
});

export const topicPolicyProperties = z.strictObject({ Topics: z.array(text), PolicyDocument: z.unknown() });

export const queueProperties = z.strictObject({
  QueueName: text.optional(),
  DelaySeconds: int.optional(),
  MaximumMessageSize: int.optional(),
  MessageRetentionPeriod: int.optional(),
  ReceiveMessageWaitTimeSeconds: int.optional(),
  RedrivePolicy: z.record(z.string(), z.unknown()).optional(),
  SqsManagedSseEnabled: z.union([z.boolean(), z.stringbool()]).optional(),
  VisibilityTimeout: int.optional(),
  Tags: withoutEffect,
});

export const queuePolicyProperties = z.strictObject({ Queues: z.array(text), PolicyDocument: z.unknown() });

const keySchema = z.array(z.strictObject({ AttributeName: text, KeyType: z.enum(['HASH', 'RANGE']) }));
const tableIndex = z.strictObject({
  IndexName: text,
  KeySchema: keySchema,
  Projection: z.strictObject({
    ProjectionType: z.enum(['ALL', 'INCLUDE', 'KEYS_ONLY']),
    NonKeyAttributes: z.array(text).optional(),
  }),
});

export const tableProperties = z.strictObject({
  TableName: text.optional(),
  AttributeDefinitions: z.array(z.strictObject({ AttributeName: text, AttributeType: z.enum(['S', 'N', 'B']) })),
  KeySchema: keySchema,
  BillingMode: z.literal('PAY_PER_REQUEST', 'the sandbox has tables on demand only'),
  LocalSecondaryIndexes: z.array(tableIndex).optional(),
  GlobalSecondaryIndexes: z.array(tableIndex).optional(),
  TimeToLiveSpecification: z
    .strictObject({ AttributeName: text, Enabled: z.union([z.boolean(), z.stringbool()]) })
    .optional(),
  DeletionProtectionEnabled: withoutEffect,
  PointInTimeRecoverySpecification: withoutEffect,
  SSESpecification: withoutEffect,
  Tags: withoutEffect,
});

export const scheduleGroupProperties = z.strictObject({ Name: text.optional(), Tags: withoutEffect });

export const scheduleProperties = z.strictObject({
  Name: text.optional(),
  GroupName: text.default('default'),
  Description: withoutEffect,
  ScheduleExpression: text,
  ScheduleExpressionTimezone: withoutEffect,
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  FlexibleTimeWindow: z.discriminatedUnion('Mode', [
    z.strictObject({ Mode: z.literal('OFF') }),
    z.strictObject({ Mode: z.literal('FLEXIBLE'), MaximumWindowInMinutes: int.min(1).max(1440) }),
  ]),
  Target: z.strictObject({
    Arn: z.string().startsWith('arn:aws:lambda:', 'the targets of schedules in the sandbox are functions only'),
    RoleArn: text,
    Input: text.refine(isJson, 'must be JSON').optional(),
    // Lambda takes every event at once here, so that there is nothing to try again and nothing dead.
    RetryPolicy: z
      .strictObject({
        MaximumRetryAttempts: int.min(0).max(185).optional(),
        MaximumEventAgeInSeconds: int.min(60).max(86_400).optional(),
      })
      .optional(),
    DeadLetterConfig: z.strictObject({ Arn: text }).optional(),
  }),
});

/** Types that may be in a template and do nothing here. Their intrinsics are resolved all the same. */
export const TYPES_WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::S3::BucketPolicy',
]);

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
