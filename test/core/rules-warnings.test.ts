import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RuleWarning, rulesWarnings } from '../../core/rules/warnings.ts';
import { isAtLeastAsWide } from '../../core/rules/wider.ts';
import { type CopyRule, parseRules, parseRulesFile } from '../../core/rules.ts';
import { selectDestinations } from '../../core/selection.ts';
import { destination, HOME, snapshot } from '../support/examples.ts';

const FRANKFURT = [{ region: 'eu-central-1' }];

function warnings(...rules: readonly object[]): readonly string[] {
  const named = rules.map((rule, index) => ({ name: `r${index}`, destinations: FRANKFURT, ...rule }));
  return rulesWarnings(parseRules({ rules: named }), { accounts: [] }).map(inShort);
}

/** The same where this account has the companion. */
function withCompanion(account: string, ...rules: readonly object[]): readonly string[] {
  const named = rules.map((rule, index) => ({ name: `r${index}`, destinations: FRANKFURT, ...rule }));
  const file = parseRulesFile({ sourceAccounts: { accounts: [account] }, rules: named });
  return rulesWarnings(file.rules, file.sourceAccounts).map(inShort);
}

function inShort({ path, warning }: RuleWarning): string {
  return `${path} ${warning}`;
}

const tagged = { tags: { Backup: ['nightly'] } };

it('usual rules give no warning', () => {
  const weekly = { select: { tags: { Backup: ['weekly'] }, except: { tags: { Copy: ['no'] } } } };
  expect(warnings({ select: tagged }, weekly, { select: { owners: ['111122223333'] } })).toEqual([]);
});

describe('a rule that never copies anything to a destination', () => {
  it('because one before it selects all of it for the same place, is warned of', () => {
    expect(warnings({ select: { tags: { Backup: true } } }, { select: tagged })).toEqual([
      'rules[1].destinations[0] nothing is copied there by this rule: rule r0 selects all of it for eu-central-1, and comes first',
    ]);
  });

  it('is not the first of the two, nor one with another destination', () => {
    expect(warnings({ select: tagged }, { select: { tags: { Backup: true } } })).toEqual([]);
    expect(warnings({ select: {} }, { select: tagged, destinations: [{ region: 'us-east-1' }] })).toEqual([]);
  });

  it('may be kept from it by a rehearsal only if it is one itself', () => {
    expect(warnings({ select: {}, dryRun: true }, { select: tagged })).toEqual([]);
    expect(warnings({ select: tagged, dryRun: true }, { select: {} })).toEqual([
      'rules[0].destinations[0] nothing is rehearsed there by this rule: rule r1 selects all of it for eu-central-1, and comes first',
    ]);
    expect(warnings({ select: {}, dryRun: true }, { select: tagged, dryRun: true })).toEqual([
      'rules every rule has dryRun, so nothing is ever copied',
      'rules[1].destinations[0] nothing is rehearsed there by this rule: rule r0 selects all of it for eu-central-1, and comes first',
    ]);
  });

  it.each([
    [{}, { owners: ['self'] }],
    [{ owners: ['self'] }, tagged],
    [{ owners: ['111122223333', 'self'] }, { owners: ['self'] }],
    [{ owners: ['111122223333'] }, { ...tagged, owners: ['111122223333'] }],
    [{ description: 'a' }, { description: 'a', volumes: ['vol-01234567'] }],
    [{ regions: ['eu-west-1', 'eu-west-3'] }, { regions: ['eu-west-3'] }],
    [{ tags: { Backup: ['nightly', 'weekly'] } }, { tags: { Backup: ['weekly'], Team: true } }],
    [{ except: tagged }, { except: { tags: { Backup: true } } }],
  ])('is found: %j before %j', (wide, narrow) => {
    expect(warnings({ select: wide }, { select: narrow }).join()).toContain(
      'rules[1].destinations[0] nothing is copied',
    );
  });

  it.each([
    [{ owners: ['self'] }, {}],
    [{ owners: ['self'] }, { owners: ['self', '111122223333'] }],
    [tagged, { owners: ['self'] }],
    [tagged, { tags: { Backup: true } }],
    [tagged, { tags: { Backup: ['nightly', 'weekly'] } }],
    [{ description: 'a' }, { description: 'ab' }],
    [{ volumes: ['vol-01234567'] }, {}],
    [{ except: tagged }, {}],
    [{ except: { tags: { Backup: true } } }, { except: tagged }],
  ])('is not assumed: %j before %j', (first, second) => {
    expect(warnings({ select: first }, { select: second }).join()).not.toContain('nothing is copied');
  });

  it('is told of only if every snapshot proves it', () => {
    const some = (...values: readonly string[]) =>
      fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 });
    const criteria = {
      tags: fc.dictionary(fc.constantFrom('A', 'B'), fc.oneof(fc.constant(true as const), some('x', 'y')), {
        minKeys: 1,
      }),
      owners: some('self', HOME, '111122223333', '222233334444'),
      description: fc.constantFrom('a', '^a'),
      volumes: some('vol-01234567', 'vol-76543210'),
    };
    const except = fc.record(criteria, { requiredKeys: [] }).filter((each) => Object.keys(each).length > 0);
    const select = fc.record({ ...criteria, except }, { requiredKeys: [] });
    const anySnapshot = fc
      .record({
        ownerId: fc.constantFrom(HOME, '111122223333', '222233334444'),
        description: fc.constantFrom('a', 'ba'),
        volumeId: fc.constantFrom('vol-01234567', 'vol-76543210'),
        tags: fc.dictionary(fc.constantFrom('A', 'B'), fc.constantFrom('x', 'y'), { maxKeys: 2 }),
      })
      .map((over) => snapshot({ ...over, ...(over.ownerId === '222233334444' && { viewedByOwner: true as const }) }));
    const wants = (of: CopyRule['select'], seen: ReturnType<typeof snapshot>) =>
      selectDestinations(seen, [{ name: 'r', select: of, destinations: [destination()], dryRun: false }], {
        account: HOME,
      })[0]?.action === 'copy';
    // Two that have nothing in common are rarely told of.
    const pair = fc
      .tuple(select, select, fc.boolean())
      .map(([one, other, related]) => [one, related ? { ...one, ...other } : other] as const);
    let proven = 0;
    fc.assert(
      fc.property(pair, fc.array(anySnapshot, { minLength: 30, maxLength: 30 }), ([wide, narrow], seen) => {
        const wanted = isAtLeastAsWide(wide, narrow, ['222233334444'])
          ? seen.filter((each) => wants(narrow, each))
          : [];
        proven += wanted.length;
        for (const each of wanted) expect(wants(wide, each)).toBe(true);
      }),
      { numRuns: 6000 },
    );
    expect(proven).toBeGreaterThan(50);
  });
});

describe('a selection', () => {
  it('whose exception leaves out all of it is warned of', () => {
    expect(warnings({ select: { ...tagged, except: { tags: { Backup: true } } } })).toEqual([
      'rules[0].select.except leaves out all that the rule selects, so it never copies anything',
    ]);
    expect(warnings({ select: { tags: { Backup: true }, except: tagged } })).toEqual([]);
  });

  it('that wants tags of other accounts is warned of, for nobody sees them', () => {
    const unseen = "tags of other accounts' snapshots cannot be seen without the companion (sourceAccounts)";
    expect(warnings({ select: { ...tagged, owners: ['111122223333', '222233334444'] } })).toEqual([
      `rules[0].select.owners ${unseen}, and the rule wants tags: it selects nothing, unless the service runs in 111122223333 or 222233334444`,
    ]);
    expect(warnings({ select: { ...tagged, owners: ['self', '111122223333'] } })).toEqual([
      `rules[0].select.owners ${unseen}, and the rule wants tags: of 111122223333 it selects nothing, and only may use their keys`,
    ]);
    expect(warnings({ select: { ...tagged, owners: ['self'] } })).toEqual([]);
  });

  it('that excepts by tags what other accounts share is warned of', () => {
    const unseen =
      "rules[0].select.except.tags tags of other accounts' snapshots cannot be seen without the companion (sourceAccounts): those that are shared with this account are never excepted";
    expect(warnings({ select: { except: tagged } })).toEqual([`${unseen}; with owners: [self] it takes none of them`]);
    expect(warnings({ select: { owners: ['111122223333'], except: tagged } })).toEqual([unseen]);
    expect(warnings({ select: { owners: ['self'], except: tagged } })).toEqual([]);
    expect(warnings({ select: { tags: { Backup: true }, except: tagged } })).toEqual([]);
  });
});

describe('an account with the companion', () => {
  const PARTNER = '111122223333';

  it('is selected by tags as this one is', () => {
    expect(withCompanion(PARTNER, { select: { ...tagged, owners: ['self', PARTNER] } })).toEqual([]);
    expect(withCompanion(PARTNER, { select: { owners: ['self', PARTNER], except: tagged } })).toEqual([]);
    expect(withCompanion(PARTNER, { select: { ...tagged, owners: [PARTNER, '222233334444'] } })).toEqual([
      "rules[0].select.owners tags of other accounts' snapshots cannot be seen without the companion (sourceAccounts), and the rule wants tags: of 222233334444 it selects nothing, and only may use their keys",
    ]);
  });

  it('has the companion in vain if no rule selects its snapshots', () => {
    expect(withCompanion(PARTNER, { select: { owners: ['self'] } })).toEqual([
      'sourceAccounts.accounts[0] is 111122223333, of which no rule selects snapshots',
    ]);
    expect(withCompanion(PARTNER, { select: tagged })).toEqual([]);
  });

  it('is what reencrypt is for', () => {
    const [first, second, third] = [{ ...tagged, owners: ['self'] }, { owners: [PARTNER] }, { tags: { Team: true } }];
    const rules = [first, second, third].map((select) => ({ select, reencrypt: true }));
    expect(withCompanion(PARTNER, ...rules)).toEqual([
      'rules[0].reencrypt concerns snapshots of sourceAccounts alone, and the rule selects none of these',
    ]);
  });

  it('has snapshots that a rule before takes only if that takes them too', () => {
    const own = { select: { owners: ['self'] } };
    expect(withCompanion(PARTNER, own, { select: tagged })).toEqual([]);
    expect(withCompanion(PARTNER, { select: { owners: ['self', PARTNER] } }, { select: tagged })).toHaveLength(1);
  });
});

describe('slots', () => {
  it('that differ in a Region are warned of, for the copies with fewer wait for the others', () => {
    const few = { select: tagged, destinations: [{ region: 'us-west-2', slots: 3 }] };
    const many = {
      destinations: [
        { region: 'us-west-2', localZone: 'us-west-2-lax-1a' },
        { region: 'eu-central-1', slots: 3 },
      ],
    };
    const wait = (who: string) =>
      `for the same Region: while 3 or more copies are pending in us-west-2, ${who} wait, even behind younger ones`;
    expect(warnings(few, many)).toEqual([
      `rules[1].destinations[0].slots is 20, and 3 in rule r0 ${wait('those of rule r0')}`,
    ]);
    expect(warnings(many, few)).toEqual([
      `rules[1].destinations[0].slots is 3, and 20 in rule r0 ${wait('copies of this destination')}`,
    ]);
  });
});

describe("AWS's own key", () => {
  it.each(['alias/aws/ebs', 'arn:aws:kms:eu-central-1:111122223333:alias/aws/ebs'])('%s is warned of', (kmsKey) => {
    expect(warnings({ select: tagged, destinations: [{ region: 'eu-central-1', encryption: { kmsKey } }] })).toEqual([
      'rules[0].destinations[0].encryption.kmsKey is the key of AWS: copies under it can never be shared with, or used by, another account',
    ]);
  });

  it('is no other', () => {
    const encryption = { kmsKey: 'alias/dr-copies' };
    expect(warnings({ select: tagged, destinations: [{ region: 'eu-central-1', encryption }] })).toEqual([]);
  });
});
