import { describe, expect, it } from 'vitest';
import { FIELDS } from '../../core/rules/fields.ts';
import { parseRulesFile } from '../../core/rules.ts';
import { explainRules, type Place } from '../../core/rules-explained.ts';
import { planted } from '../support/planted.ts';

const DUBLIN: Place = { account: '444455556666', region: 'eu-west-1' };

function explained(document: unknown, place?: Place) {
  const { rules, sourceAccounts } = parseRulesFile(document);
  return explainRules(rules, sourceAccounts, place);
}

/** One rule with one destination. */
function explainedRule(rule: object, place?: Place): { readonly selects: string; readonly copies: string } {
  const [first] = explained(
    { rules: [{ name: 'a', destinations: [{ region: 'eu-central-1' }], ...rule }] },
    place,
  ).rules;
  return {
    selects: first?.selects.join(' ') ?? '',
    copies: first?.copies.map((each) => each.join(' ')).join(' ') ?? '',
  };
}

const selecting = (select: object, place?: Place) => explainedRule({ select }, place).selects;
const copying = (destination: object) =>
  explainedRule({ destinations: [{ region: 'us-west-2', ...destination }] }).copies;

describe('which snapshots', () => {
  it('a rule selects is one sentence', () => {
    const select = {
      tags: { Backup: ['nightly', 'weekly'], Team: true, 'cost center': ['08 15'] },
      owners: ['self'],
      description: '^Created by ',
      volumes: ['vol-0123456789abcdef0', 'vol-01234567'],
      regions: ['eu-west-1', 'eu-north-1', 'eu-west-3'],
      except: { tags: { Copy: ['no'], Scratch: true }, description: 'temp', owners: ['self', '111122223333'] },
    };
    const destinations = [{ region: 'eu-central-1' }, { region: 'us-east-1' }, { region: 'us-west-2' }];
    expect(explainedRule({ select, destinations }).selects).toBe(
      'Every snapshot of this account whose tag Backup is "nightly" or "weekly", that has a tag Team, whose tag "cost center" is "08 15", ' +
        'whose description matches /^Created by /, that was made of vol-0123456789abcdef0 or vol-01234567 ' +
        'and that is in eu-west-1, eu-north-1 or eu-west-3 is copied to eu-central-1, us-east-1 and us-west-2, ' +
        'unless its tag Copy is "no", it has a tag Scratch, it belongs to this account or account 111122223333 and its description matches /temp/.',
    );
  });

  it('of other accounts are among them, if a rule wants neither owners nor tags', () => {
    expect(selecting({})).toBe(
      "Every snapshot (own, or shared by another account) is copied to eu-central-1. Tags of other accounts' snapshots cannot be seen, so their copies get none.",
    );
    expect(selecting({ owners: ['self', '111122223333'] })).toMatch(
      /^Every snapshot of this account or account 111122223333 is copied/,
    );
  });

  it('of other accounts alone lead to copies without their tags, and nothing else is said of these', () => {
    const destinations = [{ region: 'eu-central-1', tags: { add: { Tier: 'dr' } } }];
    const { copies } = explainedRule({ select: { owners: ['111122223333'] }, destinations });
    expect(copies).toContain('In eu-central-1, a copy has no tags of the snapshot, but Tier set to "dr".');
    const mixed = explainedRule({ select: { owners: ['self', '111122223333'] }, destinations });
    expect(mixed.copies).toContain('a copy has all tags of the snapshot, and Tier');
  });

  it('of other accounts have tags that nobody sees', () => {
    const unseen = "Tags of other accounts' snapshots cannot be seen, so";
    const none = { name: 'a', destinations: [{ region: 'eu-central-1', tags: { copy: 'none' } }] };
    expect(selecting({ except: { tags: { Copy: ['no'] } } })).toContain(
      `${unseen} none of those is excepted and their copies get none.`,
    );
    expect(explainedRule({ ...none, select: { except: { tags: { Copy: ['no'] } } } }).selects).toContain(
      `${unseen} none of those is excepted.`,
    );
    expect(explainedRule({ ...none, select: { except: { description: 'x' } } }).selects).not.toContain(unseen);
    expect(selecting({ owners: ['self'] })).not.toContain(unseen);
    expect(selecting({ tags: { Backup: true } })).not.toContain(unseen);
    expect(selecting({ tags: { Backup: true }, owners: ['self', '111122223333'] })).toBe(
      `Every snapshot of this account that has a tag Backup is copied to eu-central-1. ${unseen} none of account 111122223333 is selected; that the rule names them lets the service use their keys.`,
    );
    expect(selecting({ tags: { Backup: true }, owners: ['111122223333'] })).toBe(
      `Every snapshot of account 111122223333 that has a tag Backup is copied to eu-central-1. ${unseen} nothing is selected, unless the service runs in such an account.`,
    );
  });

  it('a deployed rule selects is said of its own account and Region', () => {
    expect(selecting({ tags: { Backup: true }, owners: ['444455556666'] }, DUBLIN)).toBe(
      'Every snapshot of this account that has a tag Backup is copied to eu-central-1.',
    );
    expect(selecting({ tags: { Backup: true }, owners: ['111122223333'] }, DUBLIN)).toMatch(
      /so nothing is selected\.$/,
    );
    expect(selecting({ owners: ['self'], regions: ['eu-west-3'] }, DUBLIN)).toMatch(
      /\. The service runs in eu-west-1, so it never sees such a snapshot\.$/,
    );
    expect(selecting({ owners: ['self'], regions: ['eu-west-1'] }, DUBLIN)).not.toContain('never sees');
  });

  it('of accounts with the companion are selected by their tags, too', () => {
    const across = (rule: object, accounts = ['111122223333']) => {
      const destinations = [{ region: 'eu-central-1' }];
      const { rules, inCommon } = explained({
        sourceAccounts: { accounts },
        rules: [{ name: 'a', destinations, ...rule }],
      });
      return { selects: rules[0]?.selects.join(' '), copies: rules[0]?.copies.flat().join(' '), inCommon };
    };
    const tags = { Backup: true };
    expect(across({ select: { tags }, reencrypt: true }).selects).toBe(
      'Every snapshot of this account or source account 111122223333 that has a tag Backup is copied to eu-central-1. What is under aws/ebs in a source account is first copied there under a key that can be shared.',
    );
    const many = ['111122223333', '222233334444', '333344445555', '555566667777'];
    expect(across({ select: { tags } }, many).selects).toMatch(/^Every snapshot of this account or one of 4 source/);
    expect(across({ select: { tags, owners: ['self', '222233334444'] } }, many).selects).toBe(
      'Every snapshot of this account or source account 222233334444 that has a tag Backup is copied to eu-central-1.',
    );
    expect(across({ select: { tags, owners: ['111122223333', '999988887777'] } }).selects).toBe(
      'Every snapshot of account 111122223333 or account 999988887777 that has a tag Backup is copied to eu-central-1. Tags of snapshots of accounts without the companion cannot be seen, so none of account 999988887777 is selected; that the rule names them lets the service use their keys.',
    );
    expect(across({ select: { owners: ['111122223333'] } }).copies).toContain('a copy has all tags of the snapshot');
    expect(across({ reencrypt: true }).inCommon.slice(1, 4)).toEqual([
      'Account 111122223333 has the companion: snapshots there are seen with their tags, shared with this account while they are copied, and marked with where their copies are.',
      'Events of snapshots elsewhere are heard from it alone. The role there is taken with the name of the install as external id.',
      'What is under aws/ebs there cannot be shared, and a copy of it fails, unless its rule has it copied there under another key first.',
    ]);
    expect(across({}, ['111122223333', '222233334444']).inCommon.slice(1, 4)).toEqual([
      expect.stringMatching(/^Accounts 111122223333 and 222233334444 have the companion: /),
      expect.stringContaining('heard from them alone.'),
      'What is under aws/ebs there cannot be shared, and a copy of it fails.',
    ]);
  });

  it('of an organisation may be told of by all its accounts, and only those with the companion are believed', () => {
    const accounts = ['111122223333'];
    const file = (sourceAccounts: object) => ({
      sourceAccounts,
      rules: [{ name: 'a', destinations: [{ region: 'eu-central-1' }] }],
    });
    const said = (sourceAccounts: object) => explained(file(sourceAccounts)).inCommon[2];
    expect(said({ accounts, organization: 'o-a1b2c3d4e5', externalId: 'our-copier' })).toBe(
      'Every account of the organisation o-a1b2c3d4e5 may send events, and what others than it tell is refused. The role there is taken with "our-copier" as external id.',
    );
    const two = [...accounts, '222233334444'];
    expect(said({ accounts: two, organization: 'o-a1b2c3d4e5' })).toContain('what others than these tell is refused');
  });

  it('a rehearsal would copy', () => {
    expect(explainedRule({ select: { owners: ['self'] }, dryRun: true }).selects).toBe(
      'Every snapshot of this account would be copied to eu-central-1. But the rule only rehearses: EC2 is asked whether it would allow each copy, and none is made.',
    );
  });
});

describe('how a copy is made', () => {
  it('as usual takes few words', () => {
    expect(copying({})).toBe(
      'In us-west-2, a copy has all tags of the snapshot. It is encrypted, under the default EBS key of us-west-2, if the snapshot is or if the account encrypts by default there; else it is plain.',
    );
  });

  it('with every option is told in full', () => {
    const options = {
      encryption: { kmsKey: 'alias/dr-copies' },
      description: 'copy of "{snapshotId}"',
      tags: { copy: ['Name', 'cost center'], add: { Tier: 'dr', Größe: '3 µm' } },
      slots: 18,
      deadline: '3d',
      completionDuration: '4h',
    };
    expect(copying(options)).toBe(
      'In us-west-2, a copy has the tags Name and "cost center" of the snapshot, and Tier set to "dr" and Größe set to "3 µm". ' +
        'It is always encrypted, under the key alias/dr-copies of us-west-2. ' +
        'It is described as "copy of \\"{snapshotId}\\"". ' +
        'It starts while fewer than 18 copies are pending in us-west-2, which leaves 2 of the 20 that EC2 runs at a time to others. ' +
        'EC2 promises to finish it within 4 hours, and charges extra for that. ' +
        'If it is not complete 3 days after its start, it is given up and somebody is told.',
    );
  });

  it.each([
    [{ tags: { copy: 'none' } }, 'a copy has no tags of the snapshot.'],
    [{ tags: { copy: 'none', add: { Tier: '' } } }, 'a copy has no tags of the snapshot, but Tier set to "".'],
    [{ tags: { copy: ['Name'] } }, 'a copy has the tag Name of the snapshot.'],
    [{ encryption: 'account-default' }, 'It is always encrypted, under the default EBS key of us-west-2.'],
    [
      { encryption: { kmsKey: 'arn:aws:kms:us-west-2:111122223333:alias/dr' } },
      'It is always encrypted, under the key arn:aws:kms:us-west-2:111122223333:alias/dr.',
    ],
    [{ slots: 40 }, 'fewer than 40 copies are pending in us-west-2, more than the 20 that EC2 runs unless AWS Support'],
    [{ deadline: '2d' }, 'else it is plain.'],
    [{ deadline: '1h' }, 'If it is not complete 1 hour after its start,'],
    [{ deadline: '90m' }, 'If it is not complete 90 minutes after its start,'],
    [{ localZone: 'us-west-2-lax-1a' }, 'In the Local Zone us-west-2-lax-1a, a copy has'],
    [{ localZone: 'us-west-2-lax-1a' }, 'if the snapshot is or if the account or the zone encrypts by default there;'],
    [
      { outpost: 'arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0' },
      'On the Outpost op-0123456789abcdef0 of us-west-2, a copy has all tags of the snapshot. It is always encrypted, as all is on Outposts, under the default EBS key of us-west-2.',
    ],
  ])('with %j', (options, words) => {
    expect(copying(options)).toContain(words);
  });
});

describe('what holds for all rules', () => {
  const rule = (name: string, region: string, more: object = {}) => ({ name, destinations: [{ region }], ...more });

  it('names the destinations that several rules have, in the order in which these are asked', () => {
    const rules = [
      rule('nightly', 'eu-central-1'),
      rule('weekly', 'us-east-1'),
      rule('all', 'eu-central-1'),
      { ...rule('try', 'eu-central-1'), dryRun: true },
    ];
    const several =
      'A snapshot that several rules select gets one copy at a destination: of the first of these rules in the file.';
    expect(explained({ rules }).inCommon).toContain(
      `${several} To eu-central-1 copy nightly, all and try. A rule that rehearses never keeps a copy from another.`,
    );
    expect(explained({ rules: rules.slice(0, 2) }).inCommon).toContain(several);
    expect(explained({ rules: rules.slice(0, 1) }).inCommon.join()).not.toContain('several rules');
  });

  it('tells what is never copied, and from where', () => {
    const usual = explained({ rules: [rule('a', 'eu-central-1')] }).inCommon.join('\n');
    expect(usual).toContain('Only snapshots in the Region where the service runs are looked at.');
    expect(usual).toContain('not complete or ended in error, that are archived, in the recycle bin or on an Outpost');
    expect(usual).toContain('(tag snapshot-copier:managed)');
    expect(usual).not.toContain('Outposts and Local Zones take');
    const zone = { name: 'a', destinations: [{ region: 'us-west-2', localZone: 'us-west-2-lax-1a' }] };
    const deployed = explained({ rules: [zone] }, DUBLIN).inCommon.join('\n');
    expect(deployed).toContain('Only snapshots in eu-west-1, where the service runs, are looked at.');
    expect(deployed).toContain('Outposts and Local Zones take snapshots of their own Region only.');
  });

  it('tells the defaults, and how many tags are the service’s own', () => {
    const usual = explained({ rules: [rule('a', 'eu-central-1')] }).inCommon;
    expect(usual).toContain(
      'Where nothing else is said, a copy is described as "[copy of {snapshotId} from {sourceRegion}] {description}", starts while fewer than 20 copies are pending in its Region, and is given up, and somebody told, if it is not complete 48 hours after its start.',
    );
    expect(usual.at(-1)).toContain('Every copy also gets 8 tags of this service');
  });
});

describe('every field', () => {
  const criteria = {
    tags: { Backup: ['nightly'] },
    owners: ['self'],
    description: 'a',
    volumes: ['vol-01234567'],
    regions: ['eu-west-1'],
  };
  const FULL = {
    sourceAccounts: { accounts: ['111122223333'], organization: 'o-a1b2c3d4e5', externalId: 'our-copier' },
    rules: [
      {
        name: 'full',
        dryRun: false,
        select: { ...criteria, except: criteria },
        destinations: [
          {
            region: 'eu-central-1',
            encryption: { kmsKey: 'alias/dr-copies' },
            description: 'copy',
            tags: { copy: ['Name'], add: { Tier: 'dr' } },
            slots: 18,
            deadline: '24h',
            completionDuration: '4h',
          },
          { region: 'eu-west-1' },
        ],
      },
      { name: 'other', destinations: [{ region: 'eu-central-1' }] },
    ],
  };

  const criterionChanges = (at: string): readonly (readonly [field: string, path: string, value: unknown])[] => [
    [`${at}.tags.*[]`, 'tags.Backup.0', 'weekly'],
    [`${at}.owners[]`, 'owners.0', '111122223333'],
    [`${at}.description`, 'description', 'b'],
    [`${at}.volumes[]`, 'volumes.0', 'vol-76543210'],
    [`${at}.regions[]`, 'regions.0', 'eu-west-3'],
  ];
  const destination = 'rules[].destinations[]';
  const at = 'rules.0.destinations';
  /** For each field without fields of its own: another value. */
  const CHANGES: readonly (readonly [field: string, path: string, value: unknown])[] = [
    ['sourceAccounts.accounts[]', 'sourceAccounts.accounts.0', '222233334444'],
    ['sourceAccounts.organization', 'sourceAccounts.organization', 'o-b1b2c3d4e5'],
    ['sourceAccounts.externalId', 'sourceAccounts.externalId', 'another'],
    ['rules[].reencrypt', 'rules.0.reencrypt', true],
    ['rules[].name', 'rules.0.name', 'changed'],
    ['rules[].dryRun', 'rules.0.dryRun', true],
    ...criterionChanges('rules[].select').map(
      ([field, path, value]) => [field, `rules.0.select.${path}`, value] as const,
    ),
    ...criterionChanges('rules[].select.except').map(
      ([field, path, value]) => [field, `rules.0.select.except.${path}`, value] as const,
    ),
    [`${destination}.region`, `${at}.0.region`, 'eu-central-2'],
    [
      `${destination}.outpost`,
      `${at}.1.outpost`,
      'arn:aws:outposts:eu-west-1:111122223333:outpost/op-0123456789abcdef0',
    ],
    [`${destination}.localZone`, `${at}.1.localZone`, 'eu-west-1-xyz-1a'],
    [`${destination}.encryption.kmsKey`, `${at}.0.encryption.kmsKey`, 'alias/other'],
    [`${destination}.description`, `${at}.0.description`, 'changed'],
    [`${destination}.tags.copy[]`, `${at}.0.tags.copy.0`, 'Team'],
    [`${destination}.tags.add.*`, `${at}.0.tags.add.Tier`, 'changed'],
    [`${destination}.slots`, `${at}.0.slots`, 17],
    [`${destination}.deadline`, `${at}.0.deadline`, '25h'],
    [`${destination}.completionDuration`, `${at}.0.completionDuration`, '5h'],
  ];

  it('has a case below', () => {
    const places = [...FIELDS.keys()];
    const leaves = places.filter(
      (place) =>
        place !== '' && !places.some((other) => /^[.[]/.test(other.replace(place, '')) && other.startsWith(place)),
    );
    expect(CHANGES.map(([field]) => field).toSorted()).toEqual(leaves.toSorted());
  });

  it.each(CHANGES)('%s is in the sentences', (_, path, value) => {
    expect(explained(planted(FULL, path, value))).not.toEqual(explained(FULL));
  });
});
