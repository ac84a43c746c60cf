import type { Fact } from '../core/doctor/fact.ts';
import { CopierError } from '../core/errors.ts';
import type { KeySeen } from '../core/key-evidence.ts';
import type { KeyOfCopy } from '../core/keys-of-copy.ts';
import type { KeyApi } from './kms-keys.ts';

/** Who looks at a key. */
export interface KeyObserver {
  readonly keys: KeyApi;
  readonly as: KeySeen['as'];
  /** It belongs to the account of the key, and so can read the policy and the grants. */
  readonly isOwner: boolean;
}

/**
 * Looks at a key of a copy. What KMS refuses, or does not answer, is part of what is seen.
 *
 * @param roleArn whose grants are of interest
 */
export async function lookAtKey(key: KeyOfCopy, { keys, as, isOwner }: KeyObserver, roleArn: string): Promise<KeySeen> {
  const { name, region } = key;
  if (name === undefined) return { as, metadata: { unknown: 'EC2 did not say which key it is' } };
  const metadata = await fact(() => keys.describe(region, name));
  // The two others do not take an alias.
  const id = name.includes('alias/') ? 'value' in metadata && metadata.value?.arn : name;
  if (!isOwner || id === false || id === undefined) return { as, metadata };
  const [policy, grants] = await Promise.all([
    fact(() => keys.policy(region, id)),
    fact(() => keys.grants(region, id, roleArn)),
  ]);
  return { as, metadata, policy, grants };
}

/** What was answered, or in which words there was no answer. Only mistakes of ours are thrown. */
export async function fact<T>(ask: () => Promise<T>): Promise<Fact<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (error instanceof CopierError) return { unknown: error.message };
    throw error;
  }
}
