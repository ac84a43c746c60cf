import { describe, expect, it } from 'vitest';
import { parseRules } from '../../core/rules.ts';
import { roles } from '../../packaging/derive-roles.ts';

const to = (...where: object[]) => parseRules({ rules: [{ name: 'a', destinations: where }] });
const rules = to({ region: 'eu-central-1' });

describe('roles', () => {
  const all = roles(rules, 'copier-prod');

  it('are one for each function, each state machine, the rule that starts one, and the schedules', () => {
    expect(Object.keys(all)).toEqual([
      'OnSnapshotEventRole',
      'AdmitCopiesRole',
      'PrepareSourceRole',
      'StartCopyRole',
      'CheckCopyRole',
      'TagCopyRole',
      'ReturnToQueueRole',
      'RemoveFailedCopyRole',
      'ExplainFailureRole',
      'OnCopyEndedRole',
      'SweepRole',
      'HealLostEventsRole',
      'RequestCopyRole',
      'ReleaseSourceRole',
      'LookAtSourcesRole',
      'CopySnapshotMachineRole',
      'AdmitCopiesMachineRole',
      'CopyEventsRuleRole',
      'SchedulesRole',
    ]);
  });

  it('have no fixed names, so that a second install does not get in the way', () => {
    for (const { Type, Properties } of Object.values(all)) {
      expect(Type).toBe('AWS::IAM::Role');
      expect(Properties).not.toHaveProperty('RoleName');
    }
  });

  it("of functions, and no others, are in the path by which policies in source accounts know the install's functions", () => {
    const paths = Object.entries(all).map(([id, { Properties }]) => [id, 'Path' in Properties ? Properties.Path : '/']);
    const others = ['CopySnapshotMachineRole', 'AdmitCopiesMachineRole', 'CopyEventsRuleRole', 'SchedulesRole'];
    expect(paths).toEqual(
      Object.keys(all).map((id) => [id, others.includes(id) ? '/' : '/snapshot-copier/copier-prod/']),
    );
  });

  it('trust the service that takes them; all but Lambda for this account only', () => {
    const ofThisAccount = { Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } } };
    const services: Readonly<Record<string, string>> = {
      CopySnapshotMachineRole: 'states',
      AdmitCopiesMachineRole: 'states',
      CopyEventsRuleRole: 'events',
      SchedulesRole: 'scheduler',
    };
    for (const [id, { Properties }] of Object.entries(all)) {
      const service = services[id] ?? 'lambda';
      const trust = {
        Effect: 'Allow',
        Principal: { Service: `${service}.amazonaws.com` },
        Action: 'sts:AssumeRole',
        ...(service === 'lambda' ? {} : ofThisAccount),
      };
      expect([id, Properties.AssumeRolePolicyDocument.Statement]).toEqual([id, [trust]]);
    }
  });

  it('make no circle: roles of Task functions know neither functions nor their machine, nor does a machine know itself', () => {
    const text = (id: string) => JSON.stringify(all[id]);
    const machines = {
      CopySnapshotMachine: [
        'PrepareSource',
        'StartCopy',
        'CheckCopy',
        'TagCopy',
        'ReturnToQueue',
        'RemoveFailedCopy',
        'ExplainFailure',
      ],
      AdmitCopiesMachine: ['AdmitCopies'],
    };
    for (const [machine, tasks] of Object.entries(machines)) {
      for (const task of tasks) {
        expect(text(`${task}Role`)).not.toMatch(new RegExp(`LambdaFunction|{"Ref":"${machine}"}`));
        expect(text(`${machine}Role`)).toContain(`{"Fn::Sub":"\${${task}LambdaFunction.Arn}:*"}`);
      }
      expect(text(`${machine}Role`)).not.toContain(`{"Ref":"${machine}"}`);
      const called = text(`${machine}Role`).match(/\w+(?=LambdaFunction\.Arn}:\*"})/g);
      expect(called).toEqual(tasks);
    }
    expect(text('AdmitCopiesRole')).toContain('{"Ref":"CopySnapshotMachine"}');
    // The one that starts the machine that calls it.
    expect(text('AdmitCopiesRole')).toContain(':stateMachine:copier-prod-admission"');
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
    const sources = (count: number) => ({
      accounts: Array.from({ length: count }, (_, index) => String(100_000_000_000 + index)),
    });
    expect(() => roles(rules, 'copier', sources(300))).not.toThrow();
    expect(() => roles(rules, 'copier', sources(700))).toThrow(/fewer destinations or source accounts/);
    const aliasEach = nine.map((index) => ({ ...region(index), encryption: { kmsKey: `alias/dr-${index}` } }));
    expect(() => roles(to(...aliasEach), 'copier')).toThrow(
      /^The rules need a policy of about \d+ characters for startCopy, and IAM allows 10240\. Have the same key alias/,
    );
  });
});
