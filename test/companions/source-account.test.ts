// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${*} is how policies write an asterisk
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  AttachVolumeCommand,
  CopySnapshotCommand,
  CreateSnapshotsCommand,
  LockSnapshotCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import {
  announcementTag,
  claimTag,
  companionRoleArn,
  SOURCE_TAG,
  shareableKeyAlias,
} from '../../core/source-account.ts';
import { readCloudFormationYaml } from '../../sandbox/cloudformation-yaml.ts';
import { type Companion, deployCompanion } from '../../sandbox/companions.ts';
import { Buses } from '../../sandbox/events/buses.ts';
import type { Rule } from '../../sandbox/events/rule.ts';
import { awsService, Iam, sessionOf, trustOf } from '../../sandbox/iam/iam.ts';
import { type PolicyKind, parsePolicy } from '../../sandbox/iam/policy-document.ts';
import type { Context, Principal } from '../../sandbox/iam/types.ts';
import { KeyStore } from '../../sandbox/kms/key-store.ts';
import { cfnLint, installedCfnLint } from '../support/cfn-lint.ts';
import { parseTemplate, templateProblems } from '../support/cfn-schema.ts';
import { Ec2Sandbox, SOURCE, TARGET } from '../support/ec2-sandbox.ts';
import { destination } from '../support/examples.ts';
import { manualClock } from '../support/manual-clock.ts';
import { policyProblems } from '../support/packaged-policies.ts';
import { planted } from '../support/planted.ts';

const FIRST = 'eu-west-1';
const SECOND = 'eu-central-1';
const OTHER = '999999999999';
const INSTALL = 'ebs-snapshot-copier-prod';
const FILE = fileURLToPath(new URL('../../companions/source-account.yml', import.meta.url));
const text = readFileSync(FILE, 'utf8');
const { Rules: _, ...withoutRules } = z.looseObject({ Rules: z.unknown() }).parse(readCloudFormationYaml(text));

const usual = { TargetAccount: TARGET, EventBus: INSTALL, Regions: `${FIRST},${SECOND}` };
const withKey = { ...usual, Reencrypt: 'on' };

/** What the template makes in an account and Region. */
function deployed(parameters: Companion['parameters'] = usual, region = FIRST, account = SOURCE) {
  const clock = manualClock();
  const iam = new Iam({ clock });
  const keys = new KeyStore({ clock, iam });
  const rules: Rule[] = [];
  const bus = { addRule: (rule: Rule) => rules.push(rule), removeRule: () => {}, buses: new Buses() };
  const place = { account, region };
  const { contents, remove } = deployCompanion(
    { template: FILE, ...place, parameters },
    { place, stackName: 'source', seed: 1 },
    { iam, keys, bus },
  );
  const outputs = Object.fromEntries(contents.outputs.map(({ key, value }) => [key, value]));
  return { iam, keys, rules, outputs, remove };
}

describe('the template', () => {
  it("is what CloudFormation's schemas know", async () => {
    expect(await templateProblems(withoutRules)).toEqual([]);
    const wrong = planted(withoutRules, 'Resources.ShareableKey.Properties.KeyRotation', true);
    expect(await templateProblems(wrong)).toEqual([expect.stringContaining('KeyRotation is not a property')]);
  });

  it('is plain: no transform, no custom resource, nothing that a StackSet cannot have', () => {
    expect(text).not.toMatch(/Transform:|Custom::|AWS::CloudFormation::|Fn::ForEach/);
    expect(text.length).toBeLessThan(51_200);
  });

  it('has policies of actions, resources and condition keys that exist and belong together', async () => {
    expect(await policyProblems(withoutRules)).toEqual([]);
  });

  const statements = 'Resources.CopierRole.Properties.Policies.0.PolicyDocument.Statement';
  it.each([
    ['a misspelt action', `${statements}.1.Action`, 'ec2:DescribeSnapshotsAttribute', /is no action/],
    [
      'a condition key of another action',
      `${statements}.1.Condition.StringEquals.ec2:Add/userId`,
      TARGET,
      /no condition/,
    ],
    [
      'everything, where an action knows resources',
      `${statements}.2.Resource`,
      '*',
      /ModifySnapshotAttribute is for \*/,
    ],
    [
      'something wrong on one side of a condition',
      'Resources.CopierRole.Properties.Policies.1.Fn::If.1.PolicyDocument.Statement.3.Action',
      'ec2:DeleteSnapshots',
      /DeleteSnapshots is no action/,
    ],
    [
      'a condition key in the policy of a key that its action does not have',
      'Resources.ShareableKey.Properties.KeyPolicy.Statement.1.Condition.Bool',
      { 'kms:GrantIsForAWSResource': 'true' },
      /Decrypt knows no condition key/,
    ],
    [
      'a condition key in a trust policy that STS does not have',
      'Resources.CopierRole.Properties.AssumeRolePolicyDocument.Statement.0.Condition.StringEquals',
      { 'sts:ExternalIds': 'x' },
      /AssumeRole knows no condition key sts:ExternalIds/,
    ],
  ])('would be found with %s', async (_what, path, value, problem) => {
    expect(await policyProblems(planted(withoutRules, path, value))).toContainEqual(expect.stringMatching(problem));
  });

  it('gives every statement a name and, above it, a reason', () => {
    const lines = text.split('\n');
    const sids = lines.flatMap((line, index) => (/^\s+- Sid: /.test(line) ? [index] : []));
    expect(sids.length).toBe(text.match(/Effect: /g)?.length);
    for (const index of sids)
      expect([lines[index], lines[index - 1]]).toEqual([lines[index], expect.stringMatching(/ # /)]);
  });
});

const version = installedCfnLint('companions/source-account.yml');

describe.skipIf(version === undefined)(`cfn-lint (${version ?? 'not installed'})`, () => {
  it('finds no error and gives no warning', { timeout: 120_000 }, async () => {
    expect(await cfnLint(FILE, [FIRST, 'us-east-1', 'us-west-2', 'ap-northeast-1'])).toEqual([]);
  });

  it('would find an error in the section Rules as well', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'companion-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const wrong = join(folder, 'wrong.yml');
    writeFileSync(wrong, text.replace('!Equals [!Ref TargetAccount,', '!Equals [!Ref TargetAccounts,'));
    expect(await cfnLint(wrong, [FIRST])).toEqual([expect.stringContaining('TargetAccounts')]);
  });
});

describe('a deployment', () => {
  it.each<[string, Companion['parameters'], string, string, string]>([
    ['in the target account', usual, FIRST, TARGET, 'Rules.NotInTargetAccount: TargetAccount is this account'],
    ['to a Region that is not listed', usual, 'us-east-1', SOURCE, 'Rules.InOneOfRegions: Regions does not have'],
    [
      'without a target account',
      { EventBus: INSTALL, Regions: FIRST },
      FIRST,
      SOURCE,
      'Parameters.TargetAccount: has no',
    ],
    ['with a number that lost its zeros', { ...usual, TargetAccount: '12345' }, FIRST, SOURCE, 'must be the 12 digits'],
    [
      'with the ARN of the bus',
      { ...usual, EventBus: `arn:aws:events:${FIRST}:${TARGET}:event-bus/${INSTALL}` },
      FIRST,
      SOURCE,
      'must be the name of the bus and not its ARN',
    ],
    ['with a name that is too long', { ...usual, EventBus: 'x'.repeat(41) }, FIRST, SOURCE, 'at most 40 letters'],
    ['with an Availability Zone', { ...usual, Regions: 'eu-west-1a' }, FIRST, SOURCE, 'must be ids of Regions'],
    ['with an external id of one letter', { ...usual, ExternalId: 'x' }, FIRST, SOURCE, 'must be empty, or 2 to 1224'],
    ['with another word than on or off', { ...usual, Reencrypt: 'yes' }, FIRST, SOURCE, 'must be one of on, off'],
  ])('%s is refused, and says why', (_what, parameters, region, account, message) => {
    expect(() => deployed(parameters, region, account)).toThrow(message);
  });

  it('makes the role in the first of the Regions only, and what sends events in each', () => {
    const role = companionRoleArn({ name: INSTALL, account: TARGET, region: FIRST }, SOURCE);
    const first = deployed();
    expect(first.iam.role(role)).toBeDefined();
    expect(first.outputs).toEqual({
      RoleArn: role,
      RuleArn: `arn:aws:events:eu-west-1:${SOURCE}:rule/ebs-snapshot-copier-prod-for-444455556666`,
      TargetBusArn: `arn:aws:events:eu-west-1:${TARGET}:event-bus/ebs-snapshot-copier-prod`,
    });
    const second = deployed(usual, SECOND);
    expect(second.iam.role(role)).toBeUndefined();
    expect(second.outputs).toEqual({
      RuleArn: `arn:aws:events:eu-central-1:${SOURCE}:rule/ebs-snapshot-copier-prod-for-444455556666`,
      TargetBusArn: `arn:aws:events:eu-central-1:${TARGET}:event-bus/ebs-snapshot-copier-prod`,
    });
  });

  it('takes names that fit into 64 characters, however long the install is called', () => {
    const name = 'x'.repeat(40);
    const { outputs } = deployed({ ...usual, EventBus: name });
    for (const arn of [outputs['RoleArn'], outputs['RuleArn']]) expect(arn?.split('/').at(-1)).toHaveLength(57);
  });

  it('has names of its own for each install and target account, so that several can be in one account', () => {
    const role = (more: object) => deployed({ ...usual, ...more }).outputs['RoleArn'];
    expect(new Set([role({}), role({ EventBus: 'other' }), role({ TargetAccount: OTHER })]).size).toBe(3);
  });

  it('makes a key only if it may reencrypt, under the name by which the service finds it', () => {
    const alias = shareableKeyAlias({ name: INSTALL, account: TARGET });
    const keyIn = (parameters: Companion['parameters'], region: string) =>
      deployed(parameters, region).keys.find({ account: SOURCE, region }, alias);
    expect(keyIn(usual, FIRST)).toBeUndefined();
    for (const region of [FIRST, SECOND]) {
      expect(keyIn(withKey, region)).toMatchObject({ account: SOURCE, region, manager: 'CUSTOMER' });
    }
  });

  it('leaves the key when it goes, for what is under it could not be read again, and nothing else', () => {
    const { iam, keys, outputs, remove } = deployed(withKey);
    remove();
    expect(keys.keys({ account: SOURCE, region: FIRST })).toMatchObject([
      { arn: outputs['ShareableKeyArn'], state: 'Enabled' },
    ]);
    expect(keys.aliases({ account: SOURCE, region: FIRST })).toEqual([]);
    expect(iam.role(outputs['RoleArn'] ?? '')).toBeUndefined();
    expect(parseTemplate(withoutRules).Resources['ShareableKey']).toMatchObject({
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: { EnableKeyRotation: true },
    });
  });
});

describe('its rule', () => {
  it('matches new snapshots of its own account and Region, alone or as a set, and nothing else that EBS tells', async () => {
    const sandbox = new Ec2Sandbox({ copyTakesSeconds: () => 600 });
    const here = sandbox.as(SOURCE, FIRST);
    // Matched: a snapshot, and a set of them.
    const own = await sandbox.snapshot(FIRST);
    const InstanceId = 'i-0123456789abcdef0';
    const volume = await sandbox.volume(FIRST);
    await here.send(new AttachVolumeCommand({ VolumeId: volume, InstanceId, Device: '/dev/sdb' }));
    await here.send(new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId } }));
    sandbox.seconds(600);
    // Not matched: those of other Regions and accounts, failures, copies, shares and locks.
    await sandbox.snapshot(SECOND);
    await sandbox.share(own, FIRST);
    await here.send(new LockSnapshotCommand({ SnapshotId: own, LockMode: 'governance', LockDuration: 1 }));
    await here.send(new CopySnapshotCommand({ SourceRegion: FIRST, SourceSnapshotId: own }));
    sandbox.seconds(600);

    const [rule, ...others] = deployed().rules;
    expect(others).toEqual([]);
    const told = sandbox.events.map(({ account, region, detail }) =>
      [detail['event'], detail['result'], account, region].join(' '),
    );
    const matched = told.filter((_each, index) => rule?.matches(sandbox.events[index]));
    expect(matched).toEqual([
      `createSnapshot succeeded ${SOURCE} ${FIRST}`,
      `createSnapshots succeeded ${SOURCE} ${FIRST}`,
    ]);
    expect(new Set(told.filter((each) => !matched.includes(each)))).toEqual(
      new Set([
        `createSnapshot succeeded ${SOURCE} ${SECOND}`,
        `shareSnapshot succeeded ${TARGET} ${FIRST}`,
        `lockSnapshot succeeded ${SOURCE} ${FIRST}`,
        `copySnapshot succeeded ${SOURCE} ${FIRST}`,
      ]),
    );
    const event = sandbox.events[told.indexOf(matched[0] ?? '')];
    expect(rule?.matches(event)).toBe(true);
    expect(rule?.matches({ ...event, account: TARGET })).toBe(false);
    expect(rule?.matches({ ...event, detail: { ...event?.detail, result: 'failed' } })).toBe(false);
  });

  it('sends them to the bus of the install in the target account, for a day, by a role that can do nothing else', () => {
    const { rules, iam } = deployed();
    const [rule] = rules;
    const bus = `arn:aws:events:${FIRST}:${TARGET}:event-bus/${INSTALL}`;
    expect(rule?.targets).toEqual([
      { arn: bus, roleArn: expect.any(String), maximumEventAgeSeconds: 86_400, maximumRetryAttempts: 185 },
    ]);
    const roleArn = rule?.targets[0]?.roleArn ?? '';
    const forRule = (arn: string | undefined, account = SOURCE) =>
      iam.assumeForService(roleArn, 'events.amazonaws.com', 'x', {
        'aws:SourceArn': arn ?? '',
        'aws:SourceAccount': account,
      });
    expect(forRule(`arn:aws:events:${FIRST}:${SOURCE}:rule/another`)).toHaveProperty('why');
    expect(forRule(rule?.arn, OTHER)).toHaveProperty('why');
    const taken = forRule(rule?.arn);
    const principal = 'principal' in taken ? taken.principal : awsService('nobody');
    const put = (resource: string) =>
      iam.authorize(principal, { action: 'events:PutEvents', resource, context: {} }).allowed;
    expect([put(bus), put(`${bus}-dev`), put(`arn:aws:events:${FIRST}:${SOURCE}:event-bus/default`)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

const functionRole = (install = INSTALL, account = TARGET): Principal =>
  sessionOf(
    {
      arn: `arn:aws:iam::${account}:role/snapshot-copier/${install}/${install}-PrepareSourceRole-1A`,
      name: 'x',
      account,
    },
    'prepareSource',
  );

describe('its role can be taken', () => {
  /** By a principal whose own policies let it. */
  function canTake(principal: Principal, externalId: string | undefined, parameters: Companion['parameters'] = usual) {
    const { iam, outputs } = deployed(parameters);
    const role = iam.role(outputs['RoleArn'] ?? '');
    if (role === undefined) throw new Error('there is no role');
    if (principal.roleArn !== undefined) allowAll(iam, principal, 'sts:AssumeRole');
    const context: Context = externalId === undefined ? {} : { 'sts:ExternalId': externalId };
    return iam.authorize(principal, { action: 'sts:AssumeRole', resource: role.arn, context }, trustOf(role)).allowed;
  }

  it('by functions of the install who say its name', () => {
    expect(canTake(functionRole(), INSTALL)).toBe(true);
  });

  it.each<[string, Principal, string | undefined, Companion['parameters']?]>([
    ['who say nothing', functionRole(), undefined],
    ['who say another', functionRole(), 'ebs-snapshot-copier-dev'],
    ['of another stage', functionRole('ebs-snapshot-copier-dev'), INSTALL],
    ['of an install whose name only begins so', functionRole(`${INSTALL}2`), INSTALL],
    ['of another account', functionRole(INSTALL, OTHER), INSTALL],
    [
      'who say its name where an external id was agreed',
      functionRole(),
      INSTALL,
      { ...usual, ExternalId: 'our-secret' },
    ],
  ])('but not by functions %s', (_who, principal, externalId, parameters) => {
    expect(canTake(principal, externalId, parameters)).toBe(false);
  });

  it("and by nobody else, not even by the target account's administrator", () => {
    expect(canTake({ account: TARGET, arn: `arn:aws:iam::${TARGET}:root` }, INSTALL)).toBe(false);
    expect(canTake(functionRole(), 'our-secret', { ...usual, ExternalId: 'our-secret' })).toBe(true);
  });
});

/** A role of the other account whose own policies are no obstacle. */
function allowAll(iam: Iam, { roleArn = '', account }: Principal, action: string): void {
  iam.addRole({
    arn: roleArn,
    account,
    stack: 'home',
    logicalId: 'Role',
    trust: policyOf('trust', { Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }),
    policies: [policyOf('identity', { Action: action, Resource: '*' })],
  });
}

function policyOf(kind: PolicyKind, statement: object) {
  return parsePolicy(kind, { Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] }, 'a test');
}

const acting = { name: INSTALL, account: TARGET };
const actingName = `${INSTALL}-for-${TARGET}`;
const snapshot = (region = FIRST) => `arn:aws:ec2:${region}::snapshot/snap-0123456789abcdef0`;
const newSnapshot = (region = FIRST) => `arn:aws:ec2:${region}::snapshot/*`;
const key = (account = SOURCE) => `arn:aws:kms:${FIRST}:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const here = { 'ec2:Region': FIRST };
const claim = claimTag(acting, destination());
const announcement = announcementTag(acting);
const madeBy = (name: string) => ({ [`aws:ResourceTag/${SOURCE_TAG.intermediateFor}`]: name });

type Case = readonly [what: string, action: string, resource: string, context: Context];

/** Which of the calls the role may make, by their names. */
function allowed(cases: readonly Case[], parameters: Companion['parameters']): readonly string[] {
  const { iam, outputs } = deployed(parameters);
  const arn = outputs['RoleArn'] ?? '';
  const principal = sessionOf({ arn, name: arn.split('/').at(-1) ?? '', account: SOURCE }, 'snapshot-copier');
  return cases.flatMap(([what, action, resource, context]) =>
    iam.authorize(principal, { action, resource, context }).allowed ? [what] : [],
  );
}

const names = (cases: readonly Case[]) => cases.map(([what]) => what);

describe('its role may', () => {
  const right: readonly Case[] = [
    ['look at snapshots', 'ec2:DescribeSnapshots', '*', here],
    ['look at those of the other Region', 'ec2:DescribeSnapshots', '*', { 'ec2:Region': SECOND }],
    ['see whom one is shared with', 'ec2:DescribeSnapshotAttribute', snapshot(), here],
    ['share it', 'ec2:ModifySnapshotAttribute', snapshot(), { ...here, 'ec2:Add/userId': TARGET }],
    ['take the share back', 'ec2:ModifySnapshotAttribute', snapshot(), { ...here, 'ec2:Remove/userId': TARGET }],
    ['claim it', 'ec2:CreateTags', snapshot(), { ...here, 'aws:TagKeys': [claim] }],
    [
      'write where its copy is',
      'ec2:CreateTags',
      snapshot(),
      { ...here, 'aws:TagKeys': ['snapshot-copier:copied-to:us-east-1'] },
    ],
    ['give up the claim', 'ec2:DeleteTags', snapshot(), { ...here, 'aws:TagKeys': [claim] }],
    ['announce a copy', 'ec2:CreateTags', snapshot(), { ...here, 'aws:TagKeys': [announcement] }],
    ['look at a key', 'kms:DescribeKey', key(), {}],
    ['read its policy', 'kms:GetKeyPolicy', key(), {}],
    ['read its grants', 'kms:ListGrants', key(), {}],
  ];
  const wrong: readonly Case[] = [
    ['look at snapshots of a Region that is not listed', 'ec2:DescribeSnapshots', '*', { 'ec2:Region': 'us-east-1' }],
    [
      'share one there',
      'ec2:ModifySnapshotAttribute',
      snapshot('us-east-1'),
      { 'ec2:Region': 'us-east-1', 'ec2:Add/userId': TARGET },
    ],
    ['share with another account', 'ec2:ModifySnapshotAttribute', snapshot(), { ...here, 'ec2:Add/userId': OTHER }],
    ['share with everybody', 'ec2:ModifySnapshotAttribute', snapshot(), { ...here, 'ec2:Add/group': 'all' }],
    [
      'share with everybody as well',
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Add/userId': TARGET, 'ec2:Add/group': 'all' },
    ],
    [
      'share with another account as well',
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Add/userId': [TARGET, OTHER] },
    ],
    [
      'say whom to share with and whose share to take back at once',
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Add/userId': TARGET, 'ec2:Remove/userId': TARGET },
    ],
    [
      "share, and take another account's share back at once",
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Add/userId': TARGET, 'ec2:Remove/userId': OTHER },
    ],
    [
      'share, and take it from everybody at once',
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Add/userId': TARGET, 'ec2:Remove/group': 'all' },
    ],
    [
      'take the share back, and share with everybody at once',
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Remove/userId': TARGET, 'ec2:Add/group': 'all' },
    ],
    [
      'take the share back, and share with another account at once',
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Remove/userId': TARGET, 'ec2:Add/userId': OTHER },
    ],
    [
      "take another account's share back as well",
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Remove/userId': [OTHER, TARGET] },
    ],
    ['change nothing that it names', 'ec2:ModifySnapshotAttribute', snapshot(), here],
    [
      "take another account's share back",
      'ec2:ModifySnapshotAttribute',
      snapshot(),
      { ...here, 'ec2:Remove/userId': OTHER },
    ],
    ['write a tag of its owner', 'ec2:CreateTags', snapshot(), { ...here, 'aws:TagKeys': ['Backup'] }],
    ['write one beside its own', 'ec2:CreateTags', snapshot(), { ...here, 'aws:TagKeys': [claim, 'Backup'] }],
    [
      'say of a source that it is an intermediate copy, and so could be deleted',
      'ec2:CreateTags',
      snapshot(),
      { ...here, 'aws:TagKeys': [SOURCE_TAG.intermediateFor] },
    ],
    ['remove a tag of its owner', 'ec2:DeleteTags', snapshot(), { ...here, 'aws:TagKeys': ['Backup'] }],
    ['remove all tags', 'ec2:DeleteTags', snapshot(), here],
    ['delete a snapshot', 'ec2:DeleteSnapshot', snapshot(), here],
    ['look at a key of another account', 'kms:DescribeKey', key(OTHER), {}],
    ['change its policy', 'kms:PutKeyPolicy', key(), {}],
    ['give a grant', 'kms:CreateGrant', key(), {}],
    ['use a key', 'kms:Decrypt', key(), { 'kms:ViaService': `ec2.${FIRST}.amazonaws.com` }],
  ];

  it('see, share and mark snapshots of its Regions', () => {
    expect(allowed(right, usual)).toEqual(names(right));
    expect(allowed(right, withKey)).toEqual(names(right));
  });

  it('do nothing else', () => {
    expect(allowed(wrong, usual)).toEqual([]);
    expect(allowed(wrong, withKey)).toEqual([]);
  });

  const via = { 'kms:ViaService': `ec2.${FIRST}.amazonaws.com` };
  const ours = { 'kms:ResourceAliases': [shareableKeyAlias(acting)] };
  const tagged = {
    [`aws:RequestTag/${SOURCE_TAG.intermediateFor}`]: actingName,
    'aws:TagKeys': [SOURCE_TAG.intermediateFor, SOURCE_TAG.intermediateOf],
  };
  const forAws = { 'kms:GrantIsForAWSResource': 'true' };
  const rightWithKey: readonly Case[] = [
    ['copy from a snapshot', 'ec2:CopySnapshot', snapshot(), { ...here, 'ec2:Owner': SOURCE }],
    ['make the copy', 'ec2:CopySnapshot', newSnapshot(), { ...here, ...tagged }],
    ['tag it', 'ec2:CreateTags', newSnapshot(), { ...here, ...tagged, 'ec2:CreateAction': 'CopySnapshot' }],
    ['delete it', 'ec2:DeleteSnapshot', snapshot(), { ...here, ...madeBy(actingName) }],
    ...['Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext'].map(
      (operation): Case => [operation, `kms:${operation}`, key(), { ...via, ...ours }],
    ),
    ['CreateGrant', 'kms:CreateGrant', key(), { ...via, ...ours, ...forAws }],
  ];
  const wrongWithKey: readonly Case[] = [
    ["copy another account's snapshot", 'ec2:CopySnapshot', snapshot(), { ...here, 'ec2:Owner': OTHER }],
    ['make a copy without the tag', 'ec2:CopySnapshot', newSnapshot(), here],
    [
      "make one with another install's",
      'ec2:CopySnapshot',
      newSnapshot(),
      { ...here, [`aws:RequestTag/${SOURCE_TAG.intermediateFor}`]: `${INSTALL}-for-${OTHER}` },
    ],
    ['tag something with it', 'ec2:CreateTags', newSnapshot(), { ...here, ...tagged }],
    [
      'give it a tag of somebody else',
      'ec2:CreateTags',
      newSnapshot(),
      { ...here, 'aws:TagKeys': ['Backup'], 'ec2:CreateAction': 'CopySnapshot' },
    ],
    ["delete another install's", 'ec2:DeleteSnapshot', snapshot(), { ...here, ...madeBy(`${INSTALL}-for-${OTHER}`) }],
    // An account can be a target too, of an install with the same name: these are its copies.
    [
      'delete copies that this account owns for good',
      'ec2:DeleteSnapshot',
      snapshot(),
      { ...here, 'aws:ResourceTag/snapshot-copier:managed': INSTALL },
    ],
    ['use another key', 'kms:Decrypt', key(), { ...via, 'kms:ResourceAliases': ['alias/theirs'] }],
    ['use the key without EC2', 'kms:Decrypt', key(), ours],
    ['let others than AWS use it', 'kms:CreateGrant', key(), { ...via, ...ours }],
  ];

  it('make and delete intermediate copies if it may reencrypt, and only then', () => {
    expect(allowed(rightWithKey, withKey)).toEqual(names(rightWithKey));
    expect(allowed(rightWithKey, usual)).toEqual([]);
  });

  it('touch nothing else then either', () => {
    expect(allowed(wrongWithKey, withKey)).toEqual([]);
  });
});

describe('its key', () => {
  it("can be used by the companion's own role, through EC2, for it is left to the account who may", () => {
    const { keys, outputs } = deployed(withKey);
    const place = { account: SOURCE, region: FIRST };
    const made = keys.find(place, shareableKeyAlias(acting));
    if (made === undefined) throw new Error('there is no key');
    const roleArn = outputs['RoleArn'] ?? '';
    const principal = sessionOf({ arn: roleArn, name: actingName, account: SOURCE }, 'snapshot-copier');
    const may = (operation: string, via?: string) =>
      keys.may({ ...place, principal }, made, { operation, ...(via !== undefined && { via }) }).allowed;
    for (const operation of ['DescribeKey', 'Decrypt', 'GenerateDataKeyWithoutPlaintext', 'CreateGrant']) {
      expect([operation, may(operation, `ec2.${FIRST}.amazonaws.com`)]).toEqual([operation, true]);
    }
    expect(may('Decrypt')).toBe(false);
    expect(may('PutKeyPolicy')).toBe(false);
  });

  it('can be used by functions of the install in the target account, through EC2, and by nobody else there', () => {
    const { keys, iam } = deployed(withKey);
    const place = { account: SOURCE, region: FIRST };
    const made = keys.find(place, shareableKeyAlias(acting));
    if (made === undefined) throw new Error('there is no key');
    const asked = (principal: Principal, operation: string, via = `ec2.${FIRST}.amazonaws.com`) =>
      keys.may({ ...place, account: principal.account, principal }, made, { operation, via }).allowed;
    const ours = functionRole();
    const another = functionRole('ebs-snapshot-copier-dev');
    const third = functionRole(INSTALL, OTHER);
    for (const each of [ours, another, third]) allowAll(iam, each, 'kms:*');
    const operations = ['DescribeKey', 'Decrypt', 'ReEncryptFrom', 'GenerateDataKeyWithoutPlaintext', 'CreateGrant'];
    for (const operation of operations) {
      const who = [ours, another, third, { account: TARGET, arn: `arn:aws:iam::${TARGET}:root` }];
      expect([operation, ...who.map((each) => asked(each, operation))]).toEqual([operation, true, false, false, false]);
      expect(asked(ours, operation, `s3.${FIRST}.amazonaws.com`)).toBe(false);
    }
    expect(asked(ours, 'ScheduleKeyDeletion')).toBe(false);
  });
});
