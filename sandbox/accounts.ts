import type { Principal } from './iam/types.ts';

/** An AWS account's id: 12 digits, kept as text because it may begin with zeros. */
export const ACCOUNT_ID_PATTERN: RegExp = /^\d{12}$/;

/** Who calls, and which Region's endpoint. */
export interface Caller {
  readonly account: string;
  readonly region: string;
  /** Absent: the administrator of the account. */
  readonly principal?: Principal;
}

/** One text for an account and Region, to look things up by. */
export function scopeOf({ account, region }: Caller): string {
  return `${account}/${region}`;
}
