/** A part of a list, and the token for what comes after it. */
export interface OffsetPage<T> {
  readonly items: readonly T[];
  /** Empty at the end of the list. */
  readonly rest: { readonly NextToken?: string };
}

/** The next so many items of a list that does not change. Undefined if the token is none. */
export function offsetPage<T>(list: readonly T[], token: string | undefined, size: number): OffsetPage<T> | undefined {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) return undefined;
  const end = start + size;
  const rest = end < list.length ? { NextToken: Buffer.from(String(end)).toString('base64url') } : {};
  return { items: list.slice(start, end), rest };
}
