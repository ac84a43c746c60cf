import type { CopyRule, SourceAccounts } from './rules.ts';
import { sourceOwners } from './source-owners.ts';

/** With more accounts than these, an ARN for each takes too much of the 10,240 characters that IAM allows a role. */
export const MOST_LISTED_ACCOUNTS = 30;

/**
 * Whose keys the role that copies may read sources with, by its own policy. Which key a snapshot has nobody knows before.
 * It belongs to the owner as a rule, and else to an account that the rules can name for this purpose. Whether a key of
 * another account can be used is for its own policy to say in any case:
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
 *
 * @returns `self` stands for the account of the install
 */
export function sourceKeyAccounts(
  rules: readonly CopyRule[],
  sourceAccounts: Pick<SourceAccounts, 'accounts'>,
): 'any' | readonly string[] {
  const { own, shared, named, withCompanion } = sourceOwners(rules, sourceAccounts.accounts);
  const accounts = [...new Set([...(own === 'always' ? ['self'] : []), ...named, ...withCompanion])];
  return shared === 'any' || accounts.length > MOST_LISTED_ACCOUNTS ? 'any' : accounts;
}

/** Whether that policy has the keys of this account. */
export function mayReadKeysOf(account: string, home: string, accounts: 'any' | readonly string[]): boolean {
  return accounts === 'any' || accounts.includes(account) || (account === home && accounts.includes('self'));
}
