import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';

/** What EBS does in a Region for whoever asks for nothing else. */
export interface EbsDefaults {
  readonly encryptsByDefault: boolean;
  /** The default key: id, ARN or alias. */
  readonly key: string;
}

/**
 * What becomes of copies for which rules name no key.
 * https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
 *
 * @param rules those that leave plain snapshots as they are (`as-source`)
 */
export function checkEncryptionByDefault(
  region: string,
  rules: readonly string[],
  defaults: Fact<EbsDefaults>,
): readonly Finding[] {
  const of = { check: 'encryption-by-default', about: `encryption by default in ${region}`, rules };
  if (!isKnown(defaults)) {
    return [couldNotCheck(defaults, { ...of, why: 'It decides whether, and under which key, copies are encrypted.' })];
  }
  if (rules.length === 0) return [];
  const found = defaults.value.encryptsByDefault
    ? 'on, so copies of plain snapshots are encrypted too'
    : 'off, so copies of plain snapshots stay plain';
  return [fine({ ...of, found })];
}
