import { destinationId } from '../core/destination.ts';
import type { CopyRule } from '../core/rules.ts';
import type { Home } from './home.ts';
import type { KeyStore } from './kms/key-store.ts';

/** What became of the keys that rules name. */
export interface KeysOfRules {
  /** One line for each key that was made. */
  readonly made: readonly string[];
  /** One line for each key that cannot be made, because KMS itself chooses key ids. */
  readonly missing: readonly string[];
}

/** Makes the KMS keys that the rules name by alias, each in the Region of its destination. */
export function makeKeysOfRules(rules: readonly CopyRule[], keys: KeyStore, home: Home): KeysOfRules {
  const made = new Set<string>();
  const missing = new Set<string>();
  for (const destination of rules.flatMap((rule) => rule.destinations)) {
    if (destination.encryption.kind !== 'key') continue;
    const { kmsKey } = destination.encryption;
    const { region } = destination;
    const [, , , , account = home.account] = kmsKey.split(':');
    const alias = /alias\/.+$/.exec(kmsKey)?.[0];
    if (alias === undefined) {
      missing.add(`${kmsKey} (${destinationId(destination)}): name it by an alias to have it here`);
      continue;
    }
    if (keys.find({ account: home.account, region }, kmsKey) !== undefined) continue;
    const key = keys.create({ account, region, description: 'named by the rules', usableBy: [home.account] });
    keys.createAlias(alias, key);
    made.add(`${alias} in ${region}${account === home.account ? '' : ` of account ${account}`}`);
  }
  return { made: [...made], missing: [...missing] };
}
