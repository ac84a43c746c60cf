import type { Destination } from './destination.ts';
import { partitionOf } from './region.ts';
import { parseKmsKey } from './rules/kms-key.ts';

/** What EC2 and KMS say of a destination Region. What could not be asked is undefined. */
export interface RegionKeys {
  readonly encryptsByDefault?: boolean;
  /** The key that EBS takes if none is named: its ARN, id or alias. */
  readonly defaultKey?: string;
  /** Ids of keys by alias, for example `alias/dr-copies`. */
  readonly aliases?: ReadonlyMap<string, string>;
}

/** The key that a copy will have: an ARN, or none if it stays plain; or nobody knows. */
export type CopyKey = { readonly known: true; readonly arn?: string } | { readonly known: false };

const UNKNOWN: CopyKey = { known: false };

/**
 * The key of a copy. Encryption by default wins, and what was encrypted stays encrypted, but never under the source's key:
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html
 *
 * @param account the account of the copy
 */
export function keyOfCopy(
  source: { readonly encrypted: boolean },
  { region, encryption }: Pick<Destination, 'region' | 'encryption'>,
  keys: RegionKeys,
  account: string,
): CopyKey {
  const { encryptsByDefault, defaultKey } = keys;
  const resolved = (name: string | undefined) => (name === undefined ? UNKNOWN : resolve(name, region, keys, account));
  if (encryption.kind === 'key') return resolved(encryption.kmsKey);
  if (encryption.kind === 'account-default' || source.encrypted || encryptsByDefault === true) {
    return resolved(defaultKey);
  }
  return encryptsByDefault === false ? { known: true } : UNKNOWN;
}

/** What is not known is taken to be the same: keys seldom change. */
export function isSameKey(a: CopyKey, b: CopyKey): boolean {
  return !a.known || !b.known || a.arn === b.arn;
}

/** Snapshots show the ARN of a key, whatever it was called when they were made. */
function resolve(name: string, region: string, { aliases }: RegionKeys, account: string): CopyKey {
  const key = parseKmsKey(name);
  if (key === undefined) return UNKNOWN;
  const owner = key.arn?.account ?? account;
  // The aliases of another account cannot be listed.
  const id = key.kind === 'id' ? key.name : owner === account ? aliases?.get(key.name) : undefined;
  return id === undefined
    ? UNKNOWN
    : { known: true, arn: `arn:${partitionOf(region)}:kms:${region}:${owner}:key/${id}` };
}
