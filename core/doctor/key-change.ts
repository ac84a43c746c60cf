import type { ChangeableKey } from '../key-steps.ts';
import { parseKmsKey } from '../rules/kms-key.ts';
import { shellWord } from '../shell-word.ts';
import type { KeyInUse, KeyMetadata } from './key.ts';
import type { Site } from './site.ts';

/**
 * A key as the steps that change its policy take it.
 *
 * @param found what KMS says of it, if it does: an alias may lead to another key when somebody pastes a command
 */
export function changeable(
  { name, region, usedFrom }: KeyInUse,
  { account: home }: Pick<Site, 'account'>,
  found?: KeyMetadata,
): ChangeableKey {
  return {
    account: found?.account ?? parseKmsKey(name)?.arn?.account ?? home,
    region,
    word: shellWord(found?.arn ?? name),
    isAlias: found === undefined && name.includes('alias/'),
    isOfCompanion: false,
    usedFrom,
  };
}
