/**
 * The source accounts that an install has to look into. Accounts that copy to each other may have one rules file, which
 * then lists the install's own account too: that needs no companion.
 *
 * @param home the account of the install
 */
export function otherAccounts(listed: readonly string[], home: string): readonly string[] {
  return listed.filter((account) => account !== home);
}
