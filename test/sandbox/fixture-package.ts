import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';

/** A function of a made-up service. */
export interface FixtureFunction {
  /** Source of the module; it exports `handler`. */
  readonly code: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A made-up service, as `serverless package` would leave it. */
export interface FixturePackage {
  readonly packageDir: string;
  remove(): void;
}

/** Writes a package: the functions by logical id, and all other resources of the template. */
export function writePackage(options: {
  readonly functions?: Readonly<Record<string, FixtureFunction>>;
  readonly resources?: Readonly<Record<string, unknown>>;
  readonly template?: Readonly<Record<string, unknown>>;
}): FixturePackage {
  const packageDir = mkdtempSync(join(tmpdir(), 'fixture-package-'));
  const functions = Object.entries(options.functions ?? {}).map(([id, { code, properties }]) => {
    const name = id.replace(/LambdaFunction$/, '');
    writeFileSync(join(packageDir, `${name}.zip`), zipSync({ [`dist/${name}/index.mjs`]: strToU8(code) }));
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
    return [id, resource];
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

/** A role for state machines; it has no effect in the sandbox. */
export const ROLE_ARN = 'arn:aws:iam::000000000000:role/fixture';

/** A state machine resource with that definition, named `fixture-dev`. */
export function stateMachine(definition: Readonly<Record<string, unknown>>, substitutions: Readonly<Record<string, unknown>> = {}): unknown {
  return {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: {
      StateMachineName: 'fixture-dev',
      DefinitionString: { 'Fn::Sub': [JSON.stringify(definition), substitutions] },
      RoleArn: ROLE_ARN,
    },
  };
}
