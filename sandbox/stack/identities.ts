import { createHash } from 'node:crypto';
import { type Home, homeArn } from '../home.ts';
import { hexDigits, seededRandom } from '../ids.ts';
import type { Identify, Identity, Resolver } from './intrinsics.ts';
import { type Resource, TemplateError } from './template.ts';

/** Made of a resource's name. */
type FromName = (name: string, home: Home, properties: Readonly<Record<string, unknown>>) => Identity;

interface NamedType {
  /** The property that holds the name, if the template gives one. */
  readonly property: string;
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
    identity: (name, home) => ({ ref: name, attributes: { Arn: homeArn(home, 'events', `rule/${name}`) } }),
  },
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
    identity(name, { account }, { Path = '/' }) {
      return { ref: name, attributes: { Arn: `arn:aws:iam::${account}:role${String(Path)}${name}` } };
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

  function nameOf(logicalId: string, property: string, resource: Resource, resolver: Resolver): string {
    const where = `${logicalId}.${property}`;
    const given = resolver.resolve(resource.Properties[property], where);
    if (typeof given === 'string') return given;
    if (given !== undefined) throw new TemplateError(where, 'must be a text');
    const digest = createHash('sha256').update(`${options.seed} ${options.stackName} ${logicalId}`).digest();
    const suffix = hexDigits(seededRandom(digest.readUInt32BE()), 12).toUpperCase();
    return `${options.stackName}-${logicalId}-${suffix}`;
  }

  return (logicalId, resource, resolver) => {
    const type = NAMED_TYPES[resource.Type];
    if (type !== undefined) {
      const name = nameOf(logicalId, type.property, resource, resolver);
      const path = resolver.resolve(resource.Properties['Path'], `${logicalId}.Path`);
      return type.identity(name, home, path === undefined ? {} : { Path: path });
    }
    switch (resource.Type) {
      case 'AWS::SQS::Queue': {
        const name = nameOf(logicalId, 'QueueName', resource, resolver);
        const ref = options.queueUrl(name);
        return { ref, attributes: { Arn: homeArn(home, 'sqs', name), QueueName: name, QueueUrl: ref } };
      }
      case 'AWS::Scheduler::Schedule': {
        const name = nameOf(logicalId, 'Name', resource, resolver);
        const group = resolver.resolve(resource.Properties['GroupName'] ?? 'default', `${logicalId}.GroupName`);
        if (typeof group !== 'string') throw new TemplateError(`${logicalId}.GroupName`, 'must be a text');
        return { ref: name, attributes: { Arn: homeArn(home, 'scheduler', `schedule/${group}/${name}`) } };
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
