import type { CopyRule } from './rules.ts';

/** Whose snapshots the rules can select, as far as it can be known without knowing the account of the install. */
export interface SourceOwners {
  /** Those of the install's own account: `always`, or only if it is one of the listed accounts. */
  readonly own: 'always' | readonly string[];
  /** Those that other accounts share with it by themselves: of `any` account, or of the listed ones; none if the list is empty. */
  readonly shared: 'any' | readonly string[];
  /** The accounts with the companion that a rule can select snapshots of, by tags as well. */
  readonly withCompanion: readonly string[];
  /** Every account that a rule names, whether or not it can select snapshots of it. */
  readonly named: readonly string[];
}

/**
 * Never narrower than `selectDestinations`. Exceptions are not looked at: they only make a rule narrower.
 *
 * @param companions the accounts that have the companion, for `withCompanion`
 */
export function sourceOwners(rules: readonly CopyRule[], companions: readonly string[] = []): SourceOwners {
  const wishes = rules.map(({ select: { owners, tags } }) => ({
    accounts: owners?.filter((owner) => owner !== 'self'),
    takesSelf: owners === undefined || owners.includes('self'),
    // Tags of another account's snapshot cannot be seen, so a rule that asks for tags never selects one.
    takesShared: tags === undefined,
  }));
  const sharing = wishes.filter(({ takesShared }) => takesShared);
  return {
    own: wishes.some(({ takesSelf }) => takesSelf) ? 'always' : distinct(wishes),
    shared: sharing.some(({ accounts }) => accounts === undefined) ? 'any' : distinct(sharing),
    withCompanion: [...new Set(companions)]
      .filter((account) => wishes.some(({ accounts }) => accounts === undefined || accounts.includes(account)))
      .toSorted(),
    named: distinct(wishes),
  };
}

function distinct(wishes: readonly { readonly accounts: readonly string[] | undefined }[]): readonly string[] {
  return [...new Set(wishes.flatMap(({ accounts }) => accounts ?? []))].toSorted();
}
