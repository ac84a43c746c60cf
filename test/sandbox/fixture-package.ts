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

/** Always the same, for the same code to be the same package. */
const ZIPPED_AT = new Date(2026, 0, 1);

/** Writes a package of a made-up service. */
function writePackage(options: FixtureService): FixturePackage {
  const packageDir = mkdtempSync(join(tmpdir(), 'fixture-package-'));
  const functions = Object.entries(options.functions ?? {}).map(([name, { code, properties }]) => {
    writeFileSync(
      join(packageDir, `${name}.zip`),
      zipSync({ [`dist/${name}/index.mjs`]: strToU8(code) }, { mtime: ZIPPED_AT }),
    );
    const resource = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: `fixture-dev-${name}`,
        Code: { S3Bucket: 'deployment', S3Key: `serverless/fixture/dev/1/${name}.zip` },
        Handler: `dist/${name}/index.handler`,
        Runtime: 'nodejs24.x',
        Timeout: 30,
        Role: 'arn:aws:iam::000000000000:role/fixture',
        ...properties,
      },
    };
    return [`${name}LambdaFunction`, resource];
  });
  const template = {
    AWSTemplateFormatVersion: '2010-09-09',
    ...options.template,
    Resources: { ...Object.fromEntries(functions), ...options.resources },
  };
  writeFileSync(join(packageDir, 'cloudformation-template-update-stack.json'), JSON.stringify(template));
  const state = { service: { service: 'fixture', provider: { stage: 'dev' } } };
  writeFileSync(join(packageDir, 'serverless-state.json'), JSON.stringify(state));
  return { packageDir, remove: () => rmSync(packageDir, { recursive: true, force: true }) };
}

/** `${name}`, for `Fn::Sub`. */
export function variable(name: string): string {
  return `\${${name}}`;
}

/** A queue that EventBridge may send to, with the policy that says so. */
export function queueForEvents(name: string): Record<string, unknown> {
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
                ArnLike: { 'aws:SourceArn': 'arn:aws:events:eu-west-1:000000000000:rule/*' },
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
