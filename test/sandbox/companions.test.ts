import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deployCompanion } from '../../sandbox/companions.ts';
import type { Rule } from '../../sandbox/events/event-bus.ts';

/** The rules that a template makes in eu-central-1. */
function deploy(template: string, parameters: Readonly<Record<string, string>> = {}): readonly Rule[] {
  const folder = mkdtempSync(join(tmpdir(), 'companion-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'companion.yml');
  writeFileSync(file, template);
  const rules: Rule[] = [];
  const place = { account: '000000000000', region: 'eu-central-1' };
  deployCompanion(
    { template: file, region: place.region, parameters },
    { place, stackName: 'c', seed: 1 },
    {
      addRule: (rule) => rules.push(rule),
    },
  );
  return rules;
}

const rule = (state: string): string => `
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: r
      State: ${state}
      EventPattern: { source: [aws.ec2] }
      Targets:
        - Id: home
          Arn: !Sub arn:aws:events:eu-west-1:\${AWS::AccountId}:event-bus/default
          RoleArn: arn:aws:iam::000000000000:role/r
`;

describe('a companion', () => {
  it('puts its rules on the bus of its own Region', () => {
    const arn = 'arn:aws:events:eu-central-1:000000000000:rule/r';
    expect(deploy(`Resources: ${rule('ENABLED')}`)).toMatchObject([{ arn, region: 'eu-central-1', enabled: true }]);
    expect(deploy(`Resources: ${rule('DISABLED')}`)).toMatchObject([{ arn, enabled: false }]);
  });

  it.each([
    [
      'resources without effect here',
      'Resources: { Topic: { Type: AWS::SNS::Topic } }',
      'Topic: the sandbox does not know resources of type AWS::SNS::Topic in a companion',
    ],
    [
      'properties that the sandbox does not honour',
      `Resources: ${rule('ENABLED').replace('Name: r', 'Name: r\n      ScheduleExpression: rate(1 hour)')}`,
      'Rule (AWS::Events::Rule): ✖ Unrecognized key: "ScheduleExpression"',
    ],
    [
      'sections that the sandbox does not know',
      'Transform: AWS::LanguageExtensions\nResources: {}',
      'Unrecognized key: "Transform"',
    ],
    [
      'references to nothing in a role',
      'Resources: { Role: { Type: AWS::IAM::Role, Properties: { Description: !Ref Nothing } } }',
      'there is no resource or parameter Nothing',
    ],
    [
      'references to nothing in an output',
      'Resources: {}\nOutputs: { Out: { Value: !Ref Nothing } }',
      'there is no resource or parameter Nothing',
    ],
    [
      'functions in a rule of the template that the sandbox does not know',
      'Rules: { R: { Assertions: [{ Assert: !Contains [[a], b], AssertDescription: x }] } }\nResources: {}',
      'Rules.R: the sandbox does not know the condition {"Fn::Contains"',
    ],
  ])('is refused for %s', (_, template, message) => {
    expect(() => deploy(template)).toThrow(message);
  });

  it('is checked by the rules of its template, where their conditions hold', () => {
    const template = `
Parameters: { Stage: { Type: String, Default: test }, Size: { Type: String, Default: small } }
Rules:
  LargeInProduction:
    RuleCondition: !Equals [!Ref Stage, prod]
    Assertions:
      - { Assert: !Not [!Equals [!Ref Stage, '']], AssertDescription: never }
      - { Assert: !Equals [!Ref Size, large], AssertDescription: production is large }
Resources: {}
`;
    expect(deploy(template)).toEqual([]);
    expect(deploy(template, { Stage: 'prod', Size: 'large' })).toEqual([]);
    expect(() => deploy(template, { Stage: 'prod' })).toThrow('Rules.LargeInProduction: production is large');
  });
});
