import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { RulesError } from '../../core/errors.ts';
import { didYouMean } from '../../core/rules/did-you-mean.ts';
import { FIELDS } from '../../core/rules/fields.ts';
import { checkRules, parseRules, parseRulesFile } from '../../core/rules.ts';

const frankfurt = { region: 'eu-central-1' };

/** A document with one rule that has one destination. */
const withDestination = (destination: object) => ({ rules: [{ name: 'nightly', destinations: [destination] }] });
const withSelect = (select: object) => ({ rules: [{ name: 'nightly', select, destinations: [frankfurt] }] });

const problemsOf = (document: unknown) => checkRules(document).problems;
/** `path: problem` of each. */
const inShort = (document: unknown) => problemsOf(document).map(({ path, problem }) => `${path}: ${problem}`);

const destinationOf = (destination: object) => checkRules(withDestination(destination)).rules[0]?.destinations[0];

describe('a right file', () => {
  it('needs no more than a name and a Region', () => {
    expect(parseRules({ rules: [{ name: 'nightly', destinations: [{ region: 'eu-central-1' }] }] })).toEqual([
      {
        name: 'nightly',
        select: {},
        dryRun: false,
        destinations: [
          {
            region: 'eu-central-1',
            encryption: { kind: 'as-source' },
            description: '[copy of {snapshotId} from {sourceRegion}] {description}',
            tags: { copy: 'all', add: {} },
            slots: 20,
            deadlineSeconds: 172_800,
          },
        ],
      },
    ]);
  });

  it('keeps everything that it says', () => {
    const select = {
      tags: { Backup: ['nightly', 'weekly'], Team: true },
      owners: ['self', '111122223333'],
      description: '^Created by .*',
      volumes: ['vol-0123456789abcdef0', 'vol-01234567'],
      regions: ['us-west-2'],
      except: { tags: { Copy: ['no'] } },
    };
    const document = {
      rules: [
        {
          name: 'to-the-factory',
          select,
          dryRun: true,
          destinations: [
            {
              region: 'us-west-2',
              outpost: 'arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0',
              encryption: { kmsKey: 'alias/dr-copies' },
              description: 'copy of {snapshotId}',
              tags: { copy: ['Name'], add: { Tier: 'dr' } },
              slots: 18,
              deadline: '3d',
            },
            {
              region: 'us-west-2',
              localZone: 'us-west-2-lax-1a',
              encryption: 'account-default',
              tags: { copy: 'none' },
            },
            { region: 'us-west-2', completionDuration: '4h', deadline: '5h' },
          ],
        },
      ],
    };
    const [rule] = parseRules(document);
    expect(rule).toMatchObject({ name: 'to-the-factory', select, dryRun: true });
    expect(rule?.destinations).toEqual([
      {
        region: 'us-west-2',
        outpost: 'arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0',
        encryption: { kind: 'key', kmsKey: 'alias/dr-copies' },
        description: 'copy of {snapshotId}',
        tags: { copy: ['Name'], add: { Tier: 'dr' } },
        slots: 18,
        deadlineSeconds: 259_200,
      },
      expect.objectContaining({
        localZone: 'us-west-2-lax-1a',
        encryption: { kind: 'account-default' },
        tags: { copy: 'none', add: {} },
      }),
      expect.objectContaining({ completionDurationMinutes: 240, deadlineSeconds: 18_000 }),
    ]);
  });

  it.each([
    '1234abcd-12ab-34cd-56ef-1234567890ab',
    'mrk-1234abcd12ab34cd56ef1234567890ab',
    'alias/dr-copies',
    'alias/aws/ebs',
    'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab',
    'arn:aws:kms:eu-central-1:111122223333:alias/dr-copies',
  ])('takes the key %s', (kmsKey) => {
    expect(destinationOf({ ...frankfurt, encryption: { kmsKey } })?.encryption).toEqual({ kind: 'key', kmsKey });
  });

  it.each(['us-gov-west-1', 'cn-northwest-1', 'ap-southeast-5', 'eusc-de-east-1', 'us-iso-east-1', 'mx-central-1'])(
    'takes the Region %s',
    (region) => {
      expect(problemsOf(withDestination({ region }))).toEqual([]);
    },
  );

  it('takes the examples that its own problems give', () => {
    for (const [place, { example }] of FIELDS) {
      expect([place, problemsOf(documentWith(place, parse(example)))]).toEqual([place, []]);
    }
  });
});

/** A right document with a value at a place of the table of fields. */
function documentWith(place: string, value: unknown): unknown {
  const [, parent, last = ''] = /^(?:(.*)\.)?([^.]*)$/.exec(place) ?? [];
  if (place === '') return value;
  if (place === 'rules[].reencrypt') {
    const rule = { name: 'nightly', destinations: [frankfurt], reencrypt: value };
    return { sourceAccounts: { accounts: ['111122223333'] }, rules: [rule] };
  }
  if (place === 'sourceAccounts') return { sourceAccounts: value, rules: [{ name: 'a', destinations: [frankfurt] }] };
  if (parent === 'sourceAccounts' && !last.endsWith('[]')) {
    return documentWith('sourceAccounts', { accounts: ['111122223333'], [last]: value });
  }
  if (place === 'rules') return { rules: value };
  if (place === 'rules[]') return { rules: [value] };
  if (place.endsWith('[]')) return documentWith(place.slice(0, -2), [value]);
  if (parent === 'rules[]') return { rules: [{ name: 'nightly', destinations: [frankfurt], [last]: value }] };
  if (parent === 'rules[].destinations[]') {
    const region = last === 'localZone' ? 'us-west-2' : 'eu-central-1';
    return withDestination({ region, [last]: value });
  }
  return documentWith(parent ?? '', { [last.replace('*', 'Key')]: value });
}

describe('a wrong file', () => {
  it('is refused with every problem at once, each with its path, what was found, and an example', () => {
    const document = {
      rules: [
        { name: 'a b', destinations: [{ region: 'eu-central-1', slots: 0 }] },
        { name: 'nightly', select: { owners: [12345678901] } },
      ],
    };
    expect(() => parseRules(document)).toThrow(RulesError);
    expect(() => parseRules(document)).toThrow(`The copy rules are wrong. 4 problems:

  rules[0].name
    problem  must be 1 to 64 letters, digits, _ or -
    found    "a b"
    example  nightly-to-frankfurt

  rules[0].destinations[0].slots
    problem  must be from 1 to 1000
    found    0
    example  18

  rules[1].select.owners[0]
    problem  must be self, or 12 digits in quotes
    found    12345678901
    example  "012345678901"

  rules[1].destinations
    problem  is missing; it must be a list of destinations
    found    nothing
    example  [{ region: eu-central-1 }]`);
  });

  it('is still wrong if it is empty', () => {
    expect(inShort(null)).toEqual([': must be a mapping with the key rules']);
    expect(inShort({ rules: [] })).toEqual(['rules: is empty; without a rule nothing is ever copied']);
    expect(() => parseRules(null)).toThrow('1 problem:\n\n  the whole file\n');
  });

  it('shows problems of two fields even if other fields are wrong by themselves', () => {
    const document = withDestination({ region: 'eu-central-1', slots: 'many', encryption: { kmsKey: usKey } });
    expect(problemsOf(document).map(({ path }) => path)).toEqual([
      'rules[0].destinations[0].slots',
      'rules[0].destinations[0].encryption.kmsKey',
    ]);
  });

  it('names the key that was meant, or those that there are', () => {
    expect(inShort(withDestination({ ...frankfurt, deadLine: '1d', colour: 'blue' }))).toEqual([
      'rules[0].destinations[0].deadLine: is no known key; did you mean deadline?',
      'rules[0].destinations[0].colour: is no known key; known here: region, outpost, localZone, encryption, description, tags, slots, deadline, completionDuration',
    ]);
    expect(inShort({ ...withDestination(frankfurt), version: 1 })).toEqual([
      'version: is no known key; known here: sourceAccounts, rules',
    ]);
    expect(problemsOf(withDestination({ ...frankfurt, encryption: { kmsKeyId: 'x' } }))).toEqual([
      expect.objectContaining({ path: 'rules[0].destinations[0].encryption.kmsKey', found: 'nothing' }),
      expect.objectContaining({
        path: 'rules[0].destinations[0].encryption.kmsKeyId',
        found: '"kmsKeyId"',
        example: 'kmsKey: alias/dr-copies',
      }),
    ]);
  });

  it('names the closest word if several are close, and none if none is', () => {
    expect(didYouMean('bots', ['cats', 'boats', 'bats'])).toBe('boats');
    expect(didYouMean('batz', ['cats', 'boats', 'bats'])).toBe('bats');
    expect(didYouMean('', ['cats'])).toBeUndefined();
    expect(didYouMean('REGION', ['description', 'region'])).toBe('region');
    expect(didYouMean('destination', ['description', 'destinations'])).toBe('destinations');
  });

  it('shows what was found in a few words, and nothing that looks like a credential', () => {
    const found = (slots: unknown) => problemsOf(withDestination({ ...frankfurt, slots }))[0]?.found;
    expect([null, true, [], [1, 2], {}, { a: 1 }, { a: 1, b: 2 }, 'x'.repeat(100)].map(found)).toEqual([
      'nothing (null)',
      'true',
      '[]',
      'a list of 2',
      '{}',
      'a mapping with 1 key',
      'a mapping with 2 keys',
      '"(hidden)"',
    ]);
    expect(found('text '.repeat(20))).toBe(`"${'text '.repeat(12)}…"`);
    expect(found('AKIAIOSFODNN7EXAMPLE')).toBe('"(hidden)"');
    expect(found('key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY')).toBe('"key (hidden)"');
  });

  it('has its texts in quotes where YAML would read a number', () => {
    expect(problemsOf(withSelect({ tags: { Backup: [1, true] } })).map(({ example }) => example)).toEqual([
      '"1"',
      '"true"',
    ]);
    expect(problemsOf(withDestination({ ...frankfurt, tags: { add: { 'cost center': 815 } } }))).toEqual([
      expect.objectContaining({
        path: 'rules[0].destinations[0].tags.add["cost center"]',
        found: '815',
        example: '"815"',
      }),
    ]);
  });

  it('has no keys that vanish: JavaScript would lose this one, and the rule would select everything', () => {
    const document: unknown = JSON.parse('{"rules":[{"name":"a","select":{"tags":{"__proto__":true}}}]}');
    expect(inShort(document)).toEqual(['rules[0].select.tags.__proto__: is a key that cannot be used']);
    expect(inShort(JSON.parse('{"colours":{"__proto__":1}}'))).toEqual([
      'colours.__proto__: is a key that cannot be used',
    ]);
  });
});

const usKey = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

describe('select', () => {
  it('is either left out or says something', () => {
    expect(problemsOf(withSelect({}))).toEqual([]);
    expect(inShort(withSelect({ tags: {}, owners: [], except: {} }))).toEqual([
      'rules[0].select.tags: is empty; leave the key out or name a tag',
      'rules[0].select.owners: is empty; leave the key out or name at least one',
      'rules[0].select.except: is empty, and would except every snapshot; leave the key out',
    ]);
  });

  it('takes tags of AWS, which can be asked for but not written', () => {
    expect(problemsOf(withSelect({ tags: { 'aws:backup:source-resource': true } }))).toEqual([]);
    expect(inShort(withSelect({ tags: { '': true, ['x'.repeat(129)]: true } }))).toEqual([
      'rules[0].select.tags[""]: is empty',
      `rules[0].select.tags.${'x'.repeat(129)}: has 129 characters; EC2 takes 128 at most`,
    ]);
  });

  it('has a description that compiles with the u flag', () => {
    expect(inShort(withSelect({ description: '(' }))[0]).toBe(
      'rules[0].select.description: is no regular expression (SyntaxError: Invalid regular expression: /(/u: Unterminated group)',
    );
    expect(inShort(withSelect({ description: '\\-' }))[0]).toContain('is no regular expression');
    expect(inShort(withSelect({ description: '' }))[0]).toContain('would match every description');
  });

  it('tells an Availability Zone from a Region', () => {
    expect(inShort(withSelect({ regions: ['eu-west-1b', 'eu-west'] }))).toEqual([
      'rules[0].select.regions[0]: is an Availability Zone, not a Region',
      'rules[0].select.regions[1]: is not the id of a Region',
    ]);
  });
});

describe('destinations', () => {
  const at = 'rules[0].destinations[0]';

  it('take only keys of their own Region and partition', () => {
    expect(problemsOf(withDestination({ ...frankfurt, encryption: { kmsKey: usKey } }))).toEqual([
      expect.objectContaining({
        path: `${at}.encryption.kmsKey`,
        problem:
          "is a key of us-east-1; EC2 takes only keys of the destination's Region, whose ARNs begin with arn:aws:kms:eu-central-1:",
        example: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      }),
    ]);
    const alias = 'arn:aws:kms:cn-north-1:111122223333:alias/dr';
    expect(problemsOf(withDestination({ region: 'cn-north-1', encryption: { kmsKey: alias } }))[0]?.example).toBe(
      'arn:aws-cn:kms:cn-north-1:111122223333:alias/dr',
    );
  });

  it('say how they encrypt in one of three ways', () => {
    const problem = `${at}.encryption: must be as-source, account-default, or a mapping with kmsKey`;
    for (const encryption of ['alias/dr-copies', 'none', true]) {
      expect(inShort(withDestination({ ...frankfurt, encryption }))).toEqual([problem]);
    }
  });

  it.each([
    'dr-copies',
    'alias/',
    'key/1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws:kms:eu-central-1:111122223333:key/alias/dr-copies',
    'arn:aws:kms:eu-central-1:111122223333:1234abcd-12ab-34cd-56ef-1234567890ab',
    'arn:aws:kms:eu-central-1:1111:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  ])('take no key such as %s', (kmsKey) => {
    expect(inShort(withDestination({ ...frankfurt, encryption: { kmsKey } }))).toEqual([
      `${at}.encryption.kmsKey: is neither a key id, alias/name, a key ARN nor an alias ARN`,
    ]);
  });

  it('are an Outpost, a Local Zone or neither, in their own Region', () => {
    const outpost = 'arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0';
    const localZone = 'us-west-2-lax-1a';
    expect(inShort(withDestination({ region: 'us-west-2', outpost, localZone }))).toEqual([
      `${at}.localZone: stands beside outpost; a copy goes to one of them`,
    ]);
    expect(problemsOf(withDestination({ region: 'us-east-1', outpost }))).toEqual([
      expect.objectContaining({
        path: `${at}.outpost`,
        problem: "is not an Outpost of the destination's Region, us-east-1",
        example: 'arn:aws:outposts:us-east-1:111122223333:outpost/op-0123456789abcdef0',
      }),
    ]);
    const chinese = outpost.replace('us-west-2', 'cn-north-1');
    expect(problemsOf(withDestination({ region: 'cn-north-1', outpost: chinese }))[0]?.example).toBe(
      'arn:aws-cn:outposts:cn-north-1:111122223333:outpost/op-0123456789abcdef0',
    );
    expect(problemsOf(withDestination({ region: 'us-east-1', localZone }))).toEqual([
      expect.objectContaining({ path: `${at}.localZone`, example: 'us-east-1-lax-1a' }),
    ]);
  });

  it('outside of a Region make no time-based copies', () => {
    const outpost = 'arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0';
    for (const place of [{ outpost }, { localZone: 'us-west-2-lax-1a' }]) {
      const name = Object.keys(place)[0];
      expect(inShort(withDestination({ region: 'us-west-2', ...place, completionDuration: '4h' }))).toEqual([
        `${at}.completionDuration: stands beside ${name}, and EC2 makes no time-based copies there; leave it out`,
      ]);
    }
  });

  it('outside of a Region must be within reach of the Regions that the rule selects', () => {
    const rule = (regions: string[], place: object) => ({
      rules: [{ name: 'a', select: { regions }, destinations: [{ region: 'us-west-2', ...place }] }],
    });
    const localZone = 'us-west-2-lax-1a';
    expect(inShort(rule(['eu-west-1'], { localZone }))).toEqual([
      `${at}.localZone: takes snapshots of its own Region only, us-west-2, which select.regions leaves out`,
    ]);
    expect(problemsOf(rule(['eu-west-1', 'us-west-2'], { localZone }))).toEqual([]);
    expect(problemsOf(rule(['eu-west-1'], {}))).toEqual([]);
    const outpost = 'arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0';
    expect(problemsOf(rule(['eu-west-1'], { outpost }))[0]?.path).toBe(`${at}.outpost`);
  });

  it('are different places within a rule, but may be the same in two rules', () => {
    const localZone = { region: 'us-west-2', localZone: 'us-west-2-lax-1a' };
    const rule = (name: string, ...destinations: object[]) => ({ name, destinations });
    const places = [{ region: 'us-west-2' }, localZone, frankfurt];
    expect(problemsOf({ rules: [rule('a', ...places), rule('b', ...places)] })).toEqual([]);
    expect(inShort({ rules: [rule('a', ...places, { ...localZone, slots: 3 })] })).toEqual([
      'rules[0].destinations[3]: is us-west-2-lax-1a, as destinations[1] is; a destination gets one copy',
    ]);
  });

  it('of one file are in one partition', () => {
    const document = {
      rules: [
        { name: 'a', select: { regions: ['us-gov-west-1'] }, destinations: [{ region: 'us-gov-east-1' }] },
        { name: 'b', destinations: [frankfurt] },
      ],
    };
    expect(inShort(document)).toEqual([
      'rules[1].destinations[0].region: is in partition aws, but us-gov-west-1 is in aws-us-gov, and no copy leaves its partition',
    ]);
  });

  it('have a deadline beyond the promised time, given or not', () => {
    const both = (completionDuration: string, deadline?: string) =>
      inShort(withDestination({ ...frankfurt, completionDuration, ...(deadline !== undefined && { deadline }) }));
    expect(both('4h', '4h')).toEqual([`${at}.deadline: must be longer than completionDuration, which is 4h`]);
    expect(both('4h', '241m')).toEqual([]);
    expect(both('48h')).toEqual([`${at}.completionDuration: needs a longer deadline beside it; without one it is 2d`]);
    expect(both('2865m')).toEqual([]);
    expect(both('48h', '3d')).toEqual([]);
  });

  it('hold durations to their limits', () => {
    const of = (field: string, value: string) =>
      inShort(withDestination({ ...frankfurt, deadline: '14d', [field]: value }));
    expect(['15m', '14d', '336h'].flatMap((value) => of('deadline', value))).toEqual([]);
    expect(['15m', '48h', '2d', '2880m'].flatMap((value) => of('completionDuration', value))).toEqual([]);
    expect([...of('deadline', '14m'), ...of('deadline', '337h'), ...of('deadline', 'soon')]).toEqual([
      `${at}.deadline: is shorter than 15m, the shortest deadline`,
      `${at}.deadline: is longer than 14d, the longest deadline`,
      `${at}.deadline: is not a duration: a whole number and m, h or d`,
    ]);
    expect(['1m', '49h', '50m'].flatMap((value) => of('completionDuration', value))).toEqual([
      `${at}.completionDuration: is shorter than 15m, the shortest that EC2 takes`,
      `${at}.completionDuration: is longer than 48h, the longest that EC2 takes`,
      `${at}.completionDuration: is no multiple of 15m, and EC2 takes no other`,
    ]);
  });

  it("leave room for the service's own eight tags among EC2's 50", () => {
    const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);
    const tags = (copy: string[], add: string[]) =>
      inShort(
        withDestination({
          ...frankfurt,
          tags: { add: Object.fromEntries(add.map((key) => [key, 'x'])), ...(copy.length > 0 && { copy }) },
        }),
      );
    expect(tags([], keys(42))).toEqual([]);
    expect(tags([], keys(43))).toEqual([
      `${at}.tags.add: makes 43 tags, and with the 8 of this service EC2's 50 are exceeded`,
    ]);
    expect(tags(keys(42), keys(42))).toEqual([]); // the same keys twice are one tag each
    expect(tags(keys(42), ['one more'])).toEqual([
      `${at}.tags.copy: makes 43 tags, and with the 8 of this service EC2's 50 are exceeded`,
    ]);
  });

  it('write no tags that only AWS or the service itself may write', () => {
    const tags = { copy: ['aws:createdBy', 'Name'], add: { 'Aws:x': 'y', 'snapshot-copier:rule': 'mine', '': 'z' } };
    expect(inShort(withDestination({ ...frankfurt, tags }))).toEqual([
      `${at}.tags.copy[0]: begins with aws:, and only AWS can write such tags`,
      `${at}.tags.add["Aws:x"]: begins with aws:, and only AWS can write such tags`,
      `${at}.tags.add["snapshot-copier:rule"]: begins with snapshot-copier:, the prefix of this service's own tags`,
      `${at}.tags.add[""]: is empty`,
    ]);
    const tooLong = { ...frankfurt, tags: { add: { ['k'.repeat(128)]: 'v', Tier: 'v'.repeat(256) } } };
    expect(inShort(withDestination(tooLong))).toEqual([
      `${at}.tags.add.${'k'.repeat(128)}: has 128 characters; EC2 takes 127 at most`,
      `${at}.tags.add.Tier: has 256 characters; EC2 takes 255 at most`,
    ]);
    const longest = { ...frankfurt, tags: { add: { ['k'.repeat(127)]: 'v'.repeat(255) } } };
    expect(problemsOf(withDestination(longest))).toEqual([]);
  });

  it('have descriptions of known placeholders', () => {
    const description = (text: string) => inShort(withDestination({ ...frankfurt, description: text }))[0];
    expect(
      description(
        '{snapshotId}{sourceRegion}{sourceAccount}{volumeId}{rule}{destination}{startTime}{description}' +
          'x'.repeat(255),
      ),
    ).toBeUndefined();
    expect(description('of {snapshot}')).toContain(
      'has the unknown placeholder {snapshot}; did you mean {snapshotId}?',
    );
    expect(description('{}')).toContain('has the unknown placeholder {}; known are {snapshotId}, {sourceRegion},');
    expect(description('{snapshotId')).toContain('has a brace without its partner');
    expect(description('x'.repeat(256))).toContain('has 256 characters beside its placeholders; EC2 takes 255 in all');
  });

  it('have names that are their own', () => {
    const document = { rules: ['a', 'b', 'a'].map((name) => ({ name, destinations: [frankfurt] })) };
    expect(problemsOf(document)).toEqual([
      expect.objectContaining({ path: 'rules[2].name', problem: 'is the name of rules[0] already', example: 'a-3' }),
    ]);
  });
});

describe('source accounts', () => {
  const rule = { name: 'nightly', destinations: [frankfurt] };

  it('are those that have the companion; none if the file says nothing', () => {
    const sourceAccounts = { accounts: ['111122223333'], organization: 'o-a1b2c3d4e5', externalId: 'ours-7f' };
    expect(parseRulesFile({ sourceAccounts, rules: [rule] }).sourceAccounts).toEqual(sourceAccounts);
    expect(parseRulesFile({ rules: [rule] }).sourceAccounts).toEqual({ accounts: [] });
  });

  it('are needed by a rule that copies under another key there', () => {
    const reencrypt = { ...rule, reencrypt: true };
    expect(inShort({ rules: [rule, { ...reencrypt, name: 'b' }] })).toEqual([
      'rules[1].reencrypt: needs sourceAccounts, beside rules: only accounts with the companion can copy under a shareable key first',
    ]);
    expect(problemsOf({ rules: [reencrypt] })[0]?.example).toBe('sourceAccounts: { accounts: ["111122223333"] }');
    const [right] = parseRules({ sourceAccounts: { accounts: ['111122223333'] }, rules: [reencrypt] });
    expect(right?.reencrypt).toBe(true);
    expect(inShort({ rules: [{ ...rule, reencrypt: false }] })).toEqual([]);
  });

  it('are checked field by field', () => {
    const sourceAccounts = { accounts: [12345678901, '1111'], organization: 'r-abcd', externalId: 'a b', extra: 1 };
    expect(inShort({ sourceAccounts, rules: [rule] })).toEqual([
      'sourceAccounts.accounts[0]: must be 12 digits in quotes',
      'sourceAccounts.accounts[1]: is no account id of 12 digits',
      'sourceAccounts.organization: is not the id of an organisation',
      'sourceAccounts.externalId: is no external id: 2 to 1224 letters, digits and + = , . @ : / - _',
      'sourceAccounts.extra: is no known key; known here: accounts, organization, externalId',
    ]);
    expect(inShort({ sourceAccounts: { accounts: [] }, rules: [rule] })).toEqual([
      'sourceAccounts.accounts: is empty; name at least one, or leave sourceAccounts out',
    ]);
    const accounts = ['111122223333', '222233334444', '111122223333'];
    expect(inShort({ sourceAccounts: { accounts }, rules: [rule] })).toEqual([
      'sourceAccounts.accounts: has 111122223333 twice',
    ]);
  });
});
