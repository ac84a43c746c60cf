import type { CopyRule, Criteria } from '../rules.ts';

type Selection = CopyRule['select'];

/**
 * Whether the first selects every snapshot that the second selects, for certain: false may also mean that it cannot
 * be told from the two alone.
 *
 * @param companions the accounts that have the companion
 */
export function isAtLeastAsWide(wide: Selection, narrow: Selection, companions: readonly string[]): boolean {
  if (!includes(wide, narrow, companions)) return false;
  return wide.except === undefined || (narrow.except !== undefined && includes(narrow.except, wide.except, companions));
}

/** Whether the exception leaves out every snapshot that the rest selects, for certain. */
export function exceptsEverything({ except, ...criteria }: Selection, companions: readonly string[]): boolean {
  return except !== undefined && includes(except, criteria, companions);
}

/** Whether all that matches `narrow` matches `wide`. */
function includes(wide: Criteria, narrow: Criteria, companions: readonly string[]): boolean {
  // Tags are seen on snapshots of the own account, and of those with the companion.
  const seen = companions.filter((account) => narrow.owners?.includes(account) ?? true);
  const owners = narrow.tags === undefined ? narrow.owners : ['self', ...seen];
  return (
    (allowsAll(wide.owners, owners) || allowsAll(wide.owners, narrow.owners)) &&
    allowsAll(wide.volumes, narrow.volumes) &&
    allowsAll(wide.regions, narrow.regions) &&
    (wide.description === undefined || wide.description === narrow.description) &&
    Object.entries(wide.tags ?? {}).every(([key, values]) => {
      const wanted = Object.entries(narrow.tags ?? {}).find(([other]) => other === key)?.[1];
      if (wanted === undefined) return false;
      return values === true || (wanted !== true && allowsAll(values, wanted));
    })
  );
}

function allowsAll(allowed: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean {
  return allowed === undefined || (wanted?.every((value) => allowed.includes(value)) ?? false);
}
