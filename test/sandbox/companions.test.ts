import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deployCompanion } from '../../sandbox/companions.ts';
import { accountServices, type TestServices } from '../support/account-services.ts';

const PLACE = { account: '111122223333', region: 'eu-central-1' };

/** Deploys a template as the stack `c`; answers what is there then, and how to take the stack away. */
function deploy(
  template: string,
  parameters: Readonly<Record<string, string>> = {},
): TestServices & { readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'companion-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'companion.yml');
  writeFileSync(file, template);
  const services = accountServices();
  const companion = { template: file, region: PLACE.region, parameters };
  const { remove } = deployCompanion(companion, { place: PLACE, stackName: 'c', seed: 1 }, services);
  return { ...services, remove };
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
          RoleArn: arn:aws:iam::111122223333:role/r
`;

/** A role, a key with an alias, and a bus with a policy and a rule. */
const everything = (deletionPolicy: string): string => `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Path: /snapshot-copier/
      RoleName: reads
      MaxSessionDuration: 7200
      AssumeRolePolicyDocument:
        Statement: { Effect: Allow, Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: sts:AssumeRole }
      Policies:
        - PolicyName: reads
          PolicyDocument: { Statement: { Effect: Allow, Action: ec2:DescribeSnapshots, Resource: '*' } }
  Key:
    Type: AWS::KMS::Key
    DeletionPolicy: ${deletionPolicy}
    Properties:
      Description: for copies
      PendingWindowInDays: 7
      KeyPolicy:
        Version: '2012-10-17'
        Statement:
          - Sid: Owner
            Effect: Allow
            Principal: { AWS: !Sub 'arn:aws:iam::\${AWS::AccountId}:root' }
            Action: kms:*
            Resource: '*'
  Alias: { Type: AWS::KMS::Alias, Properties: { AliasName: alias/copies, TargetKeyId: !Ref Key } }
  Inbox: { Type: AWS::Events::EventBus, Properties: { Name: inbox } }
  InboxPolicy:
    Type: AWS::Events::EventBusPolicy
    Properties:
      EventBusName: !Ref Inbox
      StatementId: LetsIn
      Statement: { Effect: Allow, Principal: '*', Action: events:PutEvents, Resource: !GetAtt Inbox.Arn }
  OnInbox:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Inbox
      EventPattern: { source: [aws.ec2] }
      Targets: []
`;

describe('a companion', () => {
  it('puts its rules on the bus of its own Region', () => {
    const arn = 'arn:aws:events:eu-central-1:111122223333:rule/r';
    expect(deploy(`Resources: ${rule('ENABLED')}`).rules()).toMatchObject([{ arn, enabled: true }]);
    expect(deploy(`Resources: ${rule('DISABLED')}`).rules()).toMatchObject([{ arn, enabled: false }]);
  });

  it('makes roles and keys in its account, named and allowed as the template says', () => {
    const { iam, keys } = deploy(everything('Delete'));
    expect(iam.role('arn:aws:iam::111122223333:role/snapshot-copier/reads')).toMatchObject({
      account: '111122223333',
      name: 'reads',
      stack: 'c',
      logicalId: 'Role',
      maxSessionSeconds: 7200,
    });
    const [key, ...others] = keys.keys(PLACE);
    expect(others).toEqual([]);
    expect(key).toMatchObject({ account: '111122223333', region: 'eu-central-1', description: 'for copies' });
    expect(JSON.parse(key?.policy ?? '')).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Owner',
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111122223333:root' },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    });
    expect(keys.find(PLACE, 'alias/copies')?.arn).toBe(key?.arn);
  });

  it('takes everything away with it; a key goes after its days, and is no more found by its name', () => {
    const { iam, keys, bus, rules, remove } = deploy(everything('Delete'));
    const arn = 'arn:aws:events:eu-central-1:111122223333:event-bus/inbox';
    expect([bus.buses.find(arn)?.statements.length, rules().length]).toEqual([1, 1]);
    remove();
    expect([bus.buses.find(arn), rules()]).toEqual([undefined, []]);
    expect(iam.role('arn:aws:iam::111122223333:role/snapshot-copier/reads')).toBeUndefined();
    const [key] = keys.keys(PLACE);
    expect([key?.state, (key?.deletionAt ?? 0) - (key?.createdAt ?? 0)]).toEqual(['PendingDeletion', 7 * 86_400_000]);
    expect(keys.find(PLACE, 'alias/copies')).toBeUndefined();
  });

  it('leaves a key that is to be kept', () => {
    const { keys, remove } = deploy(everything('RetainExceptOnCreate'));
    remove();
    expect(keys.keys(PLACE)).toMatchObject([{ state: 'Enabled' }]);
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
      'Rules: { R: { Assertions: [{ Assert: !RefAll x, AssertDescription: x }] } }\nResources: {}',
      'Rules.R: the sandbox does not know the condition {"Fn::RefAll"',
    ],
    [
      'functions of such rules elsewhere',
      'Conditions: { C: !Contains [[a], b] }\nResources: { Role: { Type: AWS::IAM::Role, Condition: C } }',
      'Conditions.C: Fn::Contains belongs to the section Rules',
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
    expect(() => deploy(template)).not.toThrow();
    expect(() => deploy(template, { Stage: 'prod', Size: 'large' })).not.toThrow();
    expect(() => deploy(template, { Stage: 'prod' })).toThrow('Rules.LargeInProduction: production is large');
  });
});
