import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseRulesFile, type SourceAccounts } from '../../core/rules.ts';
import { whyNotDeployable } from '../../packaging/deployable-rules.ts';
import { sourceBus, sourceExternalId } from '../../packaging/derive-source-bus.ts';
import { readRulesText } from '../../packaging/rules-text.ts';
import { compilePattern } from '../../sandbox/events/pattern.ts';
import { cfnLint, installedCfnLint } from '../support/cfn-lint.ts';
import { parseTemplate, type Template, templateProblems } from '../support/cfn-schema.ts';
import { ACROSS_ACCOUNTS_RULES, type PackagedService, packagedService } from '../support/packaged.ts';
import { policyProblems } from '../support/packaged-policies.ts';
import { planted } from '../support/planted.ts';

const INSTALL = 'ebs-snapshot-copier-test';

/** Of rules with source accounts, and of rules without. */
let service: PackagedService;
let template: Template;
let without: Template;
beforeAll(async () => {
  service = await packagedService('test', ACROSS_ACCOUNTS_RULES);
  template = parseTemplate(service.template);
  without = parseTemplate((await packagedService()).template);
}, 240_000);

const propertiesOf = (id: string) => template.Resources[id]?.Properties ?? {};

describe('a package for source accounts', () => {
  it("is what CloudFormation's schemas know, with policies that are right", async () => {
    expect(await templateProblems(service.template)).toEqual([]);
    expect(await policyProblems(service.template)).toEqual([]);
  });

  it.each([
    [
      'a misspelt action in the policy of the bus',
      'Resources.SourceAccountsBusPolicy.Properties.Statement.Action',
      'events:PutEvent',
      /SourceAccountsBusPolicy: events:PutEvent is no action/,
    ],
    [
      'another resource in it',
      'Resources.SourceAccountsBusPolicy.Properties.Statement.Resource.Fn::GetAtt.0',
      'StuckEventsQueue',
      /PutEvents is for arn:aws:sqs/,
    ],
    [
      'a condition that AssumeRole does not know',
      'Resources.TagCopyRole.Properties.Policies.0.PolicyDocument.Statement.2.Condition',
      { StringEquals: { 'sts:ExternalID2': 'x' } },
      /AssumeRole knows no condition key/,
    ],
  ])('would be found with %s', async (_what, path, value, problem) => {
    expect(await policyProblems(planted(service.template, path, value))).toContainEqual(expect.stringMatching(problem));
  });

  const version = installedCfnLint('the template for source accounts');
  it.skipIf(version === undefined)('passes cfn-lint', { timeout: 120_000 }, async () => {
    const found = await cfnLint(join(service.dir, 'cloudformation-template-update-stack.json'), ['eu-west-1']);
    // osls writes DependsOn beside the Fn::GetAtt of a function role, which is harmless.
    expect(found.filter((finding) => !finding.includes('W3005'))).toEqual([]);
  });

  it('has what it has for them; one for rules without any has none of that', () => {
    const more = Object.keys(template.Resources).filter((id) => !Object.hasOwn(without.Resources, id));
    const ofSources = more.filter((id) => !/^UndeliveredOnSnapshotEvent|^OldestWaitsFor|^NoRecentCopyTo/.test(id));
    expect(ofSources.filter((id) => !/Version/.test(id)).toSorted()).toEqual([
      'EbssnapshotcopiertestreleaseSourcerule1EventBridgeRule',
      'EventsRefusedAlarm',
      'LostReleaseSourceAlarm',
      'ReleaseSourceEventBridgeLambdaPermission1',
      'ReleaseSourceSchedule',
      'SourceAccountsBus',
      'SourceAccountsBusPolicy',
      'SourceEventsPermission',
      'SourceEventsRule',
      'UndeliveredReleaseSourceRule1Alarm',
      'UndeliveredSourceEventsAlarm',
    ]);
    expect(Object.keys(without.Outputs)).not.toContain('SourceEventBusName');
    expect(JSON.stringify(without)).not.toContain('sts:AssumeRole"]');
  });
});

describe('its bus', () => {
  it('is named like the install, as the companions know it, and an output says so', () => {
    expect(propertiesOf('SourceAccountsBus')['Name']).toBe(INSTALL);
    expect(template.Outputs['SourceEventBusName']?.Value).toEqual({ Ref: 'SourceAccountsBus' });
  });

  const whoMaySend = (sources: SourceAccounts) =>
    sourceBus(sources, INSTALL).SourceAccountsBusPolicy?.Properties.Statement;

  it('lets in the listed accounts, and no others', () => {
    const root = (account: string) => ({ 'Fn::Sub': `arn:$\{AWS::Partition}:iam::${account}:root` });
    expect(whoMaySend({ accounts: ['111122223333', '222233334444'] })).toEqual({
      Effect: 'Allow',
      Principal: { AWS: [root('111122223333'), root('222233334444')] },
      Action: 'events:PutEvents',
      Resource: { 'Fn::GetAtt': ['SourceAccountsBus', 'Arn'] },
    });
  });

  it('lets in an organisation instead, if the rules name one', () => {
    expect(whoMaySend({ accounts: ['111122223333'], organization: 'o-a1b2c3d4e5' })).toMatchObject({
      Principal: '*',
      Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } },
    });
  });

  it('hands everything on it to the function, which is to refuse what it did not expect', () => {
    const hears = compilePattern(propertiesOf('SourceEventsRule')['EventPattern']);
    expect(hears({ source: 'aws.ec2', 'detail-type': 'EBS Snapshot Notification', detail: {} })).toBe(true);
    expect(hears({ source: 'somebody', 'detail-type': 'x', detail: { event: 'y' } })).toBe(true);
    expect(propertiesOf('SourceEventsRule')).toMatchObject({
      EventBusName: { Ref: 'SourceAccountsBus' },
      Targets: [{ Arn: { 'Fn::GetAtt': ['OnSnapshotEventLambdaFunction', 'Arn'] } }],
    });
    expect(propertiesOf('EventsRefusedAlarm')).toMatchObject({
      Namespace: 'SnapshotCopier',
      MetricName: 'EventsRefused',
      Dimensions: [{ Name: 'service', Value: INSTALL }],
      Statistic: 'Sum',
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
      AlarmActions: [{ Ref: 'DeadLetterTopic' }],
    });
  });
});

describe('the external id', () => {
  it('is that of the rules, or the name of the install', () => {
    expect(sourceExternalId({ accounts: ['111122223333'], externalId: 'our-copier-7f3a' }, INSTALL)).toBe(
      'our-copier-7f3a',
    );
    expect(sourceExternalId({ accounts: ['111122223333'] }, INSTALL)).toBe(INSTALL);
  });
});

describe('an install of a name that companions do not take', () => {
  const sources = { accounts: ['111122223333'] };

  it.each([
    ['too long', `e${'b'.repeat(40)}`],
    ['beginning with a digit', '2nd-copier'],
    ['with an underscore', 'snapshot_copier'],
  ])('is not packaged: %s', (_how, name) => {
    expect(() => sourceBus(sources, name)).toThrow(
      `The install is named ${name}, which has ${name.length} characters. With sourceAccounts`,
    );
  });

  it('is if it has no source accounts, and so is the longest that they take', () => {
    expect(sourceBus({ accounts: [] }, 'e'.repeat(60))).toEqual({});
    expect(sourceBus(sources, `e${'b'.repeat(39)}`).SourceAccountsBus?.Properties.Name).toHaveLength(40);
    const companion = readFileSync(new URL('../../companions/source-account.yml', import.meta.url), 'utf8');
    expect(companion).toContain("AllowedPattern: '[A-Za-z][A-Za-z0-9-]{0,39}'");
  });
});

describe('more accounts than AWS has room for', () => {
  const rulesFor = (count: number, organization?: string) => {
    const accounts = Array.from({ length: count }, (_each, index) => String(100_000_000_000 + index));
    const document = {
      sourceAccounts: { accounts, ...(organization !== undefined && { organization }) },
      rules: [{ name: 'a', destinations: [{ region: 'eu-central-1' }] }],
    };
    return readRulesText('copy-rules.yml', JSON.stringify(document));
  };

  it('are found when the rules are checked, with what to do', () => {
    expect(whyNotDeployable(rulesFor(240))).toEqual([]);
    expect(whyNotDeployable(rulesFor(700))).toEqual([
      expect.stringMatching(/fewer destinations or source accounts/),
      expect.stringMatching(/^700 source accounts do not fit .* Say sourceAccounts\.organization, or/),
    ]);
  });

  it('can be let in by their organisation', () => {
    const { sourceAccounts } = parseRulesFile(rulesFor(400, 'o-a1b2c3d4e5').document);
    expect(() => sourceBus(sourceAccounts, INSTALL)).not.toThrow();
  });
});
