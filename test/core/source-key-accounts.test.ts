import { expect, it } from 'vitest';
import { parseRules } from '../../core/rules.ts';
import { mayReadKeysOf, sourceKeyAccounts } from '../../core/source-key-accounts.ts';

const HOME = '444455556666';
const destinations = [{ region: 'eu-central-1' }];
const rules = (...selects: readonly object[]) =>
  parseRules({ rules: selects.map((select, index) => ({ name: `rule-${index}`, select, destinations })) });

it('keys of sources are of the own account, of accounts that rules name, and of those with the companion', () => {
  const accounts = sourceKeyAccounts(rules({ owners: ['self', '111122223333'] }, { tags: { Backup: ['yes'] } }), {
    accounts: ['222233334444'],
  });
  const may = [HOME, '111122223333', '222233334444', '333344445555'].map((each) => mayReadKeysOf(each, HOME, accounts));
  expect(may).toEqual([true, true, true, false]);
});

it('they are of any account, if a rule takes what anybody shares, or if there are too many to list', () => {
  expect(sourceKeyAccounts(rules({ description: '^nightly' }), { accounts: [] })).toBe('any');
  const accounts = Array.from({ length: 31 }, (_, index) => String(100_000_000_000 + index));
  expect(sourceKeyAccounts(rules({ owners: accounts }), { accounts: [] })).toBe('any');
  expect(mayReadKeysOf('333344445555', HOME, 'any')).toBe(true);
});

it('the own account has to be named like any other, if no rule takes its snapshots', () => {
  const accounts = sourceKeyAccounts(rules({ owners: ['111122223333'] }), { accounts: [] });
  expect(mayReadKeysOf(HOME, HOME, accounts)).toBe(false);
});
