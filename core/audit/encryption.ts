import type { Destination } from '../destination.ts';
import { keyOfCopy } from '../plan-keys.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Evidence } from './evidence.ts';

/**
 * In which way a complete copy is not encrypted as its rule says, for example `is plain, …`. Undefined if it is, or if
 * nobody can tell: the rule has an alias that could not be resolved. Which key was the account's default when the copy
 * was made is not known either, so where the rule says no more than that, any key is right.
 *
 * @param source undefined if it is not known any more
 */
export function encryptionProblem(
  copy: Snapshot,
  destination: Destination,
  source: Pick<Snapshot, 'encrypted'> | undefined,
  { keys, install }: Pick<Evidence, 'keys' | 'install'>,
): string | undefined {
  const { region, encryption } = destination;
  if (encryption.kind === 'as-source') {
    return source?.encrypted === true && !copy.encrypted ? 'is plain, although its source is encrypted' : undefined;
  }
  if (encryption.kind === 'account-default') {
    return copy.encrypted ? undefined : `is plain, and the rule wants the default EBS key of ${region}`;
  }
  const { kmsKey } = encryption;
  if (!copy.encrypted) return `is plain, and the rule wants the key ${kmsKey}`;
  const wanted = keyOfCopy(copy, destination, keys.get(region) ?? {}, install.account);
  if (!wanted.known || copy.kmsKeyId === undefined || copy.kmsKeyId === wanted.arn) return undefined;
  return `is under ${copy.kmsKeyId}, and the rule wants ${kmsKey}`;
}
