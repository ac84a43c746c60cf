import { createHash } from 'node:crypto';
import { busArn, busArnOf, ruleArn } from '../events/bus-arn.ts';
import { type Home, homeArn } from '../home.ts';
import { hexDigits, type Random, seededRandom, uuid } from '../ids.ts';
import { kmsArn } from '../kms/key.ts';
import type { Identify, Identity, Resolver } from './intrinsics.ts';
import { type Resource, TemplateError } from './template.ts';

/** Made of a resource's name, and of properties that say where it belongs. */
type FromName = (name: string, home: Home, textOf: (property: string) => string | undefined) => Identity;

interface NamedType {
  /** The property that holds the name, if the template gives one. */
  readonly property: string;
  /** How long a name that CloudFormation makes up can be. */
  readonly longest?: number;
  readonly identity: FromName;
}

/** What `Ref` and `Fn::GetAtt` give: "Return values" in the reference of each type. */
const NAMED_TYPES: Readonly<Record<string, NamedType>> = {
  'AWS::Lambda::Function': {
    property: 'FunctionName',
    identity: (name, home) => ({ ref: name, attributes: { Arn: homeArn(home, 'lambda', `function:${name}`) } }),
  },
  'AWS::Events::Rule': {
    property: 'Name',
    // Of a custom bus, Ref is `<bus>|<rule>`.
    identity(name, home, textOf) {
      const arn = ruleArn(busArnOf(home, textOf('EventBusName')), name);
      return { ref: arn.split('/').slice(1).join('|'), attributes: { Arn: arn } };
    },
  },
  'AWS::Events::EventBus': {
    property: 'Name',
    identity: (name, home) => ({ ref: name, attributes: { Arn: busArn(home, name), Name: name } }),
  },
  'AWS::KMS::Alias': { property: 'AliasName', identity: (name) => ({ ref: name, attributes: {} }) },
  'AWS::StepFunctions::StateMachine': {
    property: 'StateMachineName',
    identity(name, home) {
      const arn = homeArn(home, 'states', `stateMachine:${name}`);
      return { ref: arn, attributes: { Arn: arn, Name: name } };
    },
  },
  'AWS::DynamoDB::Table': {
    property: 'TableName',
    identity: (name, home) => ({ ref: name, attributes: { Arn: homeArn(home, 'dynamodb', `table/${name}`) } }),
  },
  'AWS::Scheduler::ScheduleGroup': {
    property: 'Name',
    identity: (name, home) => ({
      ref: name,
      attributes: { Arn: homeArn(home, 'scheduler', `schedule-group/${name}`) },
    }),
  },
  'AWS::SNS::Topic': {
    property: 'TopicName',
    identity(name, home) {
      const arn = homeArn(home, 'sns', name);
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
    },
  },
  'AWS::IAM::Role': {
    property: 'RoleName',
    longest: 64,
    identity(name, { account }, textOf) {
      return { ref: name, attributes: { Arn: `arn:aws:iam::${account}:role${textOf('Path') ?? '/'}${name}` } };
    },
  },
  'AWS::Logs::LogGroup': {
    property: 'LogGroupName',
    identity: (name, home) => ({ ref: name, attributes: { Arn: homeArn(home, 'logs', `log-group:${name}:*`) } }),
  },
  'AWS::CloudWatch::Alarm': {
    property: 'AlarmName',
    identity: (name, home) => ({ ref: name, attributes: { Arn: homeArn(home, 'cloudwatch', `alarm:${name}`) } }),
  },
  'AWS::CloudWatch::Dashboard': { property: 'DashboardName', identity: (name) => ({ ref: name, attributes: {} }) },
  'AWS::S3::Bucket': {
    property: 'BucketName',
    identity: (name) => ({ ref: name.toLowerCase(), attributes: { Arn: `arn:aws:s3:::${name.toLowerCase()}` } }),
  },
};

/**
 * Gives resources their names and ARNs. A resource without a name gets `<stack>-<logical id>-<12 characters>` as from
 * CloudFormation, the same for the same seed.
 */
export function identitiesOf(options: {
  readonly home: Home;
  readonly stackName: string;
  readonly seed: number;
  readonly queueUrl: (name: string) => string;
}): Identify {
  const { home } = options;

  function randomOf(logicalId: string): Random {
    const digest = createHash('sha256').update(`${options.seed} ${options.stackName} ${logicalId}`).digest();
    return seededRandom(digest.readUInt32BE());
  }

  function nameOf(
    logicalId: string,
    { property, longest = Infinity }: Pick<NamedType, 'property' | 'longest'>,
    resource: Resource,
    resolver: Resolver,
  ): string {
    const given = textOf(resolver, logicalId, resource, property);
    if (given !== undefined) return given;
    const suffix = hexDigits(randomOf(logicalId), 12).toUpperCase();
    // Of a name that would be too long, the longer part loses its end, or both do.
    const room = longest - suffix.length - 2;
    const stack = options.stackName.slice(0, Math.max(Math.floor(room / 2), room - logicalId.length));
    return [stack, logicalId.slice(0, room - stack.length), suffix].join('-');
  }

  return (logicalId, resource, resolver) => {
    const type = NAMED_TYPES[resource.Type];
    if (type !== undefined) {
      const name = nameOf(logicalId, type, resource, resolver);
      return type.identity(name, home, (property) => textOf(resolver, logicalId, resource, property));
    }
    switch (resource.Type) {
      case 'AWS::SQS::Queue': {
        const name = nameOf(logicalId, { property: 'QueueName' }, resource, resolver);
        const ref = options.queueUrl(name);
        return { ref, attributes: { Arn: homeArn(home, 'sqs', name), QueueName: name, QueueUrl: ref } };
      }
      case 'AWS::Scheduler::Schedule': {
        const name = nameOf(logicalId, { property: 'Name' }, resource, resolver);
        const group = textOf(resolver, logicalId, resource, 'GroupName') ?? 'default';
        return { ref: name, attributes: { Arn: homeArn(home, 'scheduler', `schedule/${group}/${name}`) } };
      }
      case 'AWS::KMS::Key': {
        const keyId = uuid(randomOf(logicalId));
        return { ref: keyId, attributes: { Arn: kmsArn(home, `key/${keyId}`), KeyId: keyId } };
      }
      case 'AWS::Lambda::Version': {
        const number = versionNumber(logicalId, resource, resolver);
        const name = functionName(logicalId, resource, resolver);
        return { ref: homeArn(home, 'lambda', `function:${name}:${number}`), attributes: { Version: String(number) } };
      }
      default:
        return { attributes: {} };
    }
  };
}

function textOf(resolver: Resolver, logicalId: string, resource: Resource, property: string): string | undefined {
  const where = `${logicalId}.${property}`;
  const value = resolver.resolve(resource.Properties[property], where);
  if (value === undefined || typeof value === 'string') return value;
  throw new TemplateError(where, 'must be a text');
}

/** The name of the function that a resource's FunctionName means, be it a name or an ARN. */
function functionName(logicalId: string, resource: Resource, resolver: Resolver): string {
  const where = `${logicalId}.FunctionName`;
  const given = resolver.resolve(resource.Properties['FunctionName'], where);
  if (typeof given !== 'string') throw new TemplateError(where, 'must be a text');
  return given.startsWith('arn:') ? (given.split(':')[6] ?? '') : given;
}

/** Versions of one function are numbered from 1 in the order of the template. */
function versionNumber(logicalId: string, resource: Resource, resolver: Resolver): number {
  const name = functionName(logicalId, resource, resolver);
  const versions = resolver
    .resources((type) => type === 'AWS::Lambda::Version')
    .filter(([id, each]) => functionName(id, each, resolver) === name);
  return versions.findIndex(([id]) => id === logicalId) + 1;
}
