import { describe, expect, it } from 'vitest';
import { parseRules } from '../../core/rules.ts';
import { destinationRegions, destinations } from '../../packaging/derive-destinations.ts';
import { roles } from '../../packaging/derive-roles.ts';

const to = (...where: object[]) => parseRules({ rules: [{ name: 'a', destinations: where }] });
const rules = to({ region: 'eu-central-1' });

describe('roles', () => {
  const all = roles(rules, 'copier-prod');

  it('are one for each function and one for the state machine', () => {
    expect(Object.keys(all)).toEqual([
      'OnSnapshotEventRole',
      'StartCopyRole',
      'CheckCopyRole',
      'TagCopyRole',
      'RemoveFailedCopyRole',
      'ExplainFailureRole',
      'OnCopyEndedRole',
      'CopySnapshotMachineRole',
    ]);
  });

  it('have no fixed names, so that a second install does not get in the way', () => {
    for (const { Type, Properties } of Object.values(all)) {
      expect(Type).toBe('AWS::IAM::Role');
      expect(Properties).not.toHaveProperty('RoleName');
    }
  });

  it('trust the service that takes them, Step Functions for this account only', () => {
    expect(all['StartCopyRole']?.Properties.AssumeRolePolicyDocument.Statement).toEqual([
      { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
    ]);
    expect(all['CopySnapshotMachineRole']?.Properties.AssumeRolePolicyDocument.Statement).toEqual([
      {
        Effect: 'Allow',
        Principal: { Service: 'states.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
  });

  it('make no circle: roles of Task functions know neither functions nor the machine, nor does the machine know itself', () => {
    const text = (id: string) => JSON.stringify(all[id]);
    for (const task of ['StartCopy', 'CheckCopy', 'TagCopy', 'RemoveFailedCopy', 'ExplainFailure']) {
      expect(text(`${task}Role`)).not.toMatch(/LambdaFunction|CopySnapshotMachine"/);
      expect(text('CopySnapshotMachineRole')).toContain(`{"Fn::GetAtt":["${task}LambdaFunction","Arn"]}`);
      expect(text('CopySnapshotMachineRole')).toContain(`{"Fn::Sub":"\${${task}LambdaFunction.Arn}:*"}`);
    }
    expect(text('CopySnapshotMachineRole')).not.toContain('{"Ref":"CopySnapshotMachine"}');
  });

  it('carry each permission as a statement of their one policy', () => {
    expect(all['CheckCopyRole']?.Properties.Policies).toEqual([
      {
        PolicyName: 'CheckCopy',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'LookAtCopies',
              Effect: 'Allow',
              Action: ['ec2:DescribeSnapshots'],
              Resource: ['*'],
              Condition: { StringEquals: { 'ec2:Region': ['eu-central-1'] } },
            },
            {
              Sid: 'WriteLog',
              Effect: 'Allow',
              Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              Resource: [{ 'Fn::GetAtt': ['CheckCopyLogGroup', 'Arn'] }],
            },
            {
              Sid: 'Trace',
              Effect: 'Allow',
              Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
              Resource: ['*'],
            },
          ],
        },
      },
    ]);
  });

  it('fit into IAM for a dozen Regions, and say so where they do not', () => {
    const region = (index: number) => ({ region: `eu-west-${index}` });
    const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const oneAlias = [...nine.map(region), { region: 'us-east-1' }, { region: 'us-east-2' }, { region: 'us-west-1' }];
    const encryption = { kmsKey: 'alias/dr-copies' };
    expect(() => roles(to(...oneAlias.map((place) => ({ ...place, encryption }))), 'copier')).not.toThrow();
    const aliasEach = nine.map((index) => ({ ...region(index), encryption: { kmsKey: `alias/dr-${index}` } }));
    expect(() => roles(to(...aliasEach), 'copier')).toThrow(
      /^The rules need a policy of about \d+ characters for startCopy, and IAM allows 10240\. Have the same key alias/,
    );
  });
});

describe('destinations', () => {
  const localZone = { region: 'us-west-2', localZone: 'us-west-2-lax-1a' };
  const several = parseRules({
    rules: [
      { name: 'a', destinations: [{ region: 'us-west-2', slots: 5 }, localZone] },
      { name: 'b', destinations: [{ region: 'eu-central-1' }, { region: 'us-west-2', slots: 9 }] },
    ],
  });

  it('are listed once each, as the first rule has them', () => {
    expect(destinations(several).map(({ region, localZone: zone, slots }) => [region, zone, slots])).toEqual([
      ['eu-central-1', undefined, 20],
      ['us-west-2', undefined, 5],
      ['us-west-2', 'us-west-2-lax-1a', 20],
    ]);
  });

  it('are in these Regions', () => {
    expect(destinationRegions(several)).toEqual(['eu-central-1', 'us-west-2']);
  });
});
