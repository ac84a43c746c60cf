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
  Architectures: withoutEffect,
  Description: withoutEffect,
  LoggingConfig: withoutEffect,
  Role: withoutEffect,
  Tags: withoutEffect,
  TracingConfig: withoutEffect,
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
  Description: withoutEffect,
  EventBusName: z.literal('default').optional(),
  EventPattern: z.record(z.string(), z.unknown()),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  Tags: withoutEffect,
  Targets: z
    .array(
      z.strictObject({
        Id: text,
        Arn: z
          .string()
          .regex(/^arn:aws:(lambda|sns|sqs):/, 'the sandbox delivers to functions, topics and queues only'),
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

export const stateMachineProperties = z
  .strictObject({
    StateMachineName: text.optional(),
    StateMachineType: z.literal('STANDARD', 'the sandbox runs STANDARD state machines only').optional(),
    DefinitionString: text.optional(),
    Definition: z.record(z.string(), z.unknown()).optional(),
    DefinitionSubstitutions: z.record(z.string(), z.coerce.string()).default({}),
    RoleArn: text,
    LoggingConfiguration: withoutEffect,
    Tags: withoutEffect,
    TracingConfiguration: withoutEffect,
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

/** Types that may be in a template and do nothing here. Their intrinsics are resolved all the same. */
export const TYPES_WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::IAM::Role',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::S3::BucketPolicy',
]);
