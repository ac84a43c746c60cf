import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseTemplate, templateProblems } from '../support/cfn-schema.ts';
import { type PackagedService, packagedService } from '../support/packaged.ts';
import { planted } from '../support/planted.ts';

let service: PackagedService;
beforeAll(async () => {
  service = await packagedService();
}, 120_000);

describe("CloudFormation's schemas", () => {
  it('know everything in the packaged template', async () => {
    expect(await templateProblems(service.template)).toEqual([]);
  });

  it.each([
    [
      'a type that does not exist',
      'Resources.DeadLetterTopic.Type',
      'AWS::SNS::Topics',
      /no resource type AWS::SNS::Topics/,
    ],
    [
      'a misspelt property',
      'Resources.StuckEventsQueue.Properties.MessageRetentionPeriods',
      60,
      /MessageRetentionPeriods is not/,
    ],
    [
      'a misspelt inner property',
      'Resources.CopySnapshotMachine.Properties.LoggingConfiguration.Levels',
      'ALL',
      /Levels is not/,
    ],
    [
      'a missing property',
      'Resources.StartCopyRole.Properties.AssumeRolePolicyDocument',
      undefined,
      /Document is missing/,
    ],
    [
      'a missing inner property',
      'Resources.StartCopyRole.Properties.Policies.0.PolicyName',
      undefined,
      /PolicyName is missing/,
    ],
    [
      'text for a number',
      'Resources.StartCopyLambdaFunction.Properties.Timeout',
      '45 s',
      /Timeout should be a whole number/,
    ],
    [
      'a number for a boolean',
      'Resources.StuckEventsQueue.Properties.SqsManagedSseEnabled',
      1,
      /should be true or false/,
    ],
    [
      'a value that is not allowed',
      'Resources.CopySnapshotMachine.Properties.LoggingConfiguration.Level',
      'WARN',
      /should be one of/,
    ],
    ['a mapping for a list', 'Resources.DeadLetterTopicPolicy.Properties.Topics', {}, /Topics should be a list/],
    ['a tag without value', 'Resources.StartCopyLambdaFunction.Properties.Tags.0.Value', undefined, /Tags\[0\]/],
    [
      'a Ref to nothing',
      'Resources.DeadLetterTopicPolicy.Properties.Topics.0.Ref',
      'DeadLetterTopics',
      /refers to DeadLetterTopics/,
    ],
    [
      'a Fn::GetAtt of nothing',
      'Resources.StartCopyLambdaFunction.Properties.Role.Fn::GetAtt.0',
      'StartRole',
      /refers to StartRole/,
    ],
    [
      'a Fn::GetAtt of no attribute',
      'Resources.StartCopyLambdaFunction.Properties.Role.Fn::GetAtt.1',
      'Arns',
      /no attribute Arns/,
    ],
    [
      'a Ref to nothing in a Fn::Sub',
      'Outputs.DeadLetterTopicArn.Value',
      { 'Fn::Sub': `$\{Topic}` },
      /refers to Topic,/,
    ],
    [
      'no such attribute in a Fn::Sub',
      'Outputs.DeadLetterTopicArn.Value',
      { 'Fn::Sub': `$\{StartCopyRole.Id}` },
      /no attribute Id/,
    ],
    [
      'a Fn::Sub value that the text does not use',
      'Outputs.DeadLetterTopicArn.Value',
      { 'Fn::Sub': ['a', { b: 'c' }] },
      /value for b/,
    ],
    [
      'a dependency on nothing',
      'Resources.StartCopyLambdaFunction.DependsOn.0',
      'StartCopyLogs',
      /depends on StartCopyLogs/,
    ],
    [
      'a condition that is not there',
      'Resources.AlertEmailSubscription.Condition',
      'WantsEmail',
      /no condition WantsEmail/,
    ],
    [
      'a function that is not there',
      'Outputs.DeadLetterTopicArn.Value',
      { 'Fn::Concat': ['a', 'b'] },
      /no function Fn::Concat/,
    ],
    ['a circle', 'Resources.StartCopyRole.DependsOn', ['CopySnapshotMachine'], /wait for each other: .*StartCopyRole/],
  ])('would show %s', async (_, path, value, problem) => {
    const problems = await templateProblems(planted(service.template, path, value));
    expect(problems).toContainEqual(expect.stringMatching(problem));
  });

  it('would show an unknown attribute of a resource', () => {
    const template = planted(service.template, 'Resources.DeadLetterTopic.DeletePolicy', 'Retain');
    expect(() => parseTemplate(template)).toThrow(/DeletePolicy/);
  });
});

const CFN_LINT = 'cfn-lint';
const cfnLint = (() => {
  try {
    return execFileSync(CFN_LINT, ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    console.warn('\n*** cfn-lint is not installed (pip install cfn-lint): its check of the template is SKIPPED ***\n');
    return undefined;
  }
})();

describe.skipIf(cfnLint === undefined)(`cfn-lint (${cfnLint ?? 'not installed'})`, () => {
  /** Rules that may be broken, with the reason. */
  const IGNORED = new Map([
    ['W3005', 'osls writes DependsOn beside the Fn::GetAtt of a function role, which is harmless'],
  ]);

  const findings = z.array(z.object({ Level: z.string(), Message: z.string(), Rule: z.object({ Id: z.string() }) }));

  it('finds no error and gives no warning, in any Region of the rules', async () => {
    const file = join(service.dir, 'cloudformation-template-update-stack.json');
    const regions = ['eu-west-1', 'eu-central-1', 'us-east-1', 'us-west-2'];
    // It exits with an error when it has findings, and its output says which.
    const { stdout } = await promisify(execFile)(CFN_LINT, [
      '-t',
      file,
      '--format',
      'json',
      '--regions',
      ...regions,
    ]).catch((failure: unknown) => z.object({ stdout: z.string() }).parse(failure));
    const found = findings.parse(JSON.parse(stdout)).filter(({ Rule }) => !IGNORED.has(Rule.Id));
    expect(found.map(({ Level, Rule, Message }) => `${Level} ${Rule.Id}: ${Message}`)).toEqual([]);
  }, 120_000);
});
