/** Never empty. */
export type Group<T> = readonly [T, ...T[]];

/** As Map.groupBy, with groups that are known to have a first member. */
export function groupsOf<T>(members: readonly T[], keyOf: (member: T) => string): ReadonlyMap<string, Group<T>> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const member of members) {
    const key = keyOf(member);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return groups;
}
