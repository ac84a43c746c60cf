import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { onTestFinished } from 'vitest';
import { type Sandbox, type SandboxOptions, startSandbox } from '../../sandbox/sandbox.ts';

/** A function of a made-up service. */
export interface FixtureFunction {
  /** Source of the module; it exports `handler`. */
  readonly code: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A made-up service, as `serverless package` would leave it. */
interface FixturePackage {
  readonly packageDir: string;
  remove(): void;
}

interface FixtureService {
  /** By name; the logical id is `<name>LambdaFunction`. */
  readonly functions?: Readonly<Record<string, FixtureFunction>>;
  /** All other resources of the template, by logical id. */
  readonly resources?: Readonly<Record<string, unknown>>;
  /** Other sections of the template. */
  readonly template?: Readonly<Record<string, unknown>>;
  /** Default `dev`. CloudFormation names the role of any other. */
  readonly stage?: string;
}

/** Starts a sandbox with a made-up service, until the test is over. Time stands still unless asked otherwise. */
export async function fixtureSandbox(
  service: FixtureService,
  options: Partial<Omit<SandboxOptions, 'packageDir'>> = {},
): Promise<Sandbox> {
  const { packageDir, remove } = writePackage(service);
  try {
    const sandbox = await startSandbox({ time: { mode: 'jumping' }, ...options, packageDir });
    onTestFinished(() => sandbox.stop());
    return sandbox;
  } finally {
    remove();
  }
}

/** A package of a made-up service, until the test is over. Answers its folder. */
export function fixturePackage(service: FixtureService): string {
  const { packageDir, remove } = writePackage(service);
  onTestFinished(remove);
  return packageDir;
}

/** Always the same, for the same code to be the same package. */
const ZIPPED_AT = new Date(2026, 0, 1);

/** The role of functions, state machines and schedules that name no other one: it may do everything. */
const roleForAll = (RoleName: string | undefined): unknown => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    ...(RoleName === undefined ? {} : { RoleName }),
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: ['lambda', 'scheduler', 'states'].map((service) => `${service}.amazonaws.com`) },
          Action: 'sts:AssumeRole',
        },
      ],
    },
    Policies: [
      {
        PolicyName: 'everything',
        PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] },
      },
    ],
  },
});

/** Writes a package of a made-up service. */
function writePackage(options: FixtureService): FixturePackage {
  const packageDir = mkdtempSync(join(tmpdir(), 'fixture-package-'));
  const { stage = 'dev' } = options;
  const functions = Object.entries(options.functions ?? {}).map(([name, { code, properties }]) => {
    writeFileSync(
      join(packageDir, `${name}.zip`),
      zipSync({ [`dist/${name}/index.mjs`]: strToU8(code) }, { mtime: ZIPPED_AT }),
    );
    const resource = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: `fixture-${stage}-${name}`,
        Code: { S3Bucket: 'deployment', S3Key: `serverless/fixture/dev/1/${name}.zip` },
        Handler: `dist/${name}/index.handler`,
        Runtime: 'nodejs24.x',
        Timeout: 30,
        Role: { 'Fn::GetAtt': ['FixtureRole', 'Arn'] },
        ...properties,
      },
    };
    return [`${name}LambdaFunction`, resource];
  });
  const made = { ...Object.fromEntries(functions), ...options.resources };
  const needsRole = /FixtureRole|role\/fixture/.test(JSON.stringify(made));
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    ...options.template,
    Resources: { ...(needsRole && { FixtureRole: roleForAll(stage === 'dev' ? 'fixture' : undefined) }), ...made },
  };
  writeFileSync(join(packageDir, 'cloudformation-template-update-stack.json'), JSON.stringify(template));
  const state = { service: { service: 'fixture', provider: { stage } } };
  writeFileSync(join(packageDir, 'serverless-state.json'), JSON.stringify(state));
  return { packageDir, remove: () => rmSync(packageDir, { recursive: true, force: true }) };
}

/** `${name}`, for `Fn::Sub`. */
export function variable(name: string): string {
  return `\${${name}}`;
}

/** A role that a service takes on, for example `states`, and what it may do then. */
export function role(service: string, action: string, resource: unknown, name?: string): unknown {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      ...(name === undefined ? {} : { RoleName: name }),
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: `${service}.amazonaws.com` }, Action: 'sts:AssumeRole' }],
      },
      Policies: [
        {
          PolicyName: 'only',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Action: action, Resource: resource }],
          },
        },
      ],
    },
  };
}

/** A queue that EventBridge may send to, with the policy that says so. */
export function queueForEvents(name: string, account = '000000000000'): Record<string, unknown> {
  return {
    [name]: { Type: 'AWS::SQS::Queue', Properties: { QueueName: `fixture-${name}` } },
    [`${name}Policy`]: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: name }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'events.amazonaws.com' },
              Action: 'sqs:SendMessage',
              Resource: { 'Fn::GetAtt': [name, 'Arn'] },
              Condition: {
                ArnLike: { 'aws:SourceArn': `arn:aws:events:eu-west-1:${account}:rule/*` },
              },
            },
          ],
        },
      },
    },
  };
}

/** A state machine resource with that definition, named `fixture-dev`. */
export function stateMachine(
  definition: Readonly<Record<string, unknown>>,
  substitutions: Readonly<Record<string, unknown>> = {},
): unknown {
  return {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      StateMachineName: 'fixture-dev',
      DefinitionString: { 'Fn::Sub': [JSON.stringify(definition), substitutions] },
      RoleArn: 'arn:aws:iam::000000000000:role/fixture',
    },
  };
}

/** Deletes a queue, as somebody might do by hand. */
export async function deleteQueue(sandbox: Sandbox, logicalId: string): Promise<void> {
  const { status } = await sandbox.messaging.handle({
    service: 'sqs',
    region: sandbox.home.region,
    contentType: 'application/x-amz-json-1.0',
    target: 'AmazonSQS.DeleteQueue',
    body: JSON.stringify({ QueueUrl: sandbox.physicalIds.get(logicalId) }),
  });
  if (status !== 200) throw new Error(`DeleteQueue of ${logicalId}: status ${status}`);
}
