import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { cfnLint, installedCfnLint } from '../support/cfn-lint.ts';
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
    [
      'a misspelt property of the table',
      'Resources.LedgerTable.Properties.TimeToLiveSpecification.Attribute',
      'expiresAt',
      /Attribute is not/,
    ],
    [
      'a misspelt property of a schedule',
      'Resources.SweepSchedule.Properties.FlexibleTimeWindow.Modes',
      'OFF',
      /Modes is not/,
    ],
    [
      'a circle through the machine that admits, if a function knew it by reference',
      'Resources.AdmitCopiesRole.DependsOn',
      ['AdmitCopiesMachine'],
      /wait for each other: .*AdmitCopiesRole/,
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

const version = installedCfnLint('the template');

describe.skipIf(version === undefined)(`cfn-lint (${version ?? 'not installed'})`, () => {
  /** Rules that may be broken, with the reason. */
  const IGNORED = new Map([
    ['W3005', 'osls writes DependsOn beside the Fn::GetAtt of a function role, which is harmless'],
  ]);

  it('finds no error and gives no warning, in any Region of the rules', async () => {
    const file = join(service.dir, 'cloudformation-template-update-stack.json');
    const found = await cfnLint(file, ['eu-west-1', 'eu-central-1', 'us-east-1', 'us-west-2']);
    const ruleOf = (finding: string) => /^\w+ (\w+):/.exec(finding)?.[1] ?? '';
    expect(found.filter((finding) => !IGNORED.has(ruleOf(finding)))).toEqual([]);
  }, 120_000);
});
