import { checkAwsAlias, isAwsAlias } from './aws-key.ts';
import { isKnown } from './fact.ts';
import type { Finding } from './finding.ts';
import { isForEbs, type KeyFacts, type KeyInUse, type KeyMetadata } from './key.ts';
import { checkKeyAccess } from './key-access.ts';
import { checkKeyState, missingKey, undescribedKey } from './key-state.ts';
import type { Site } from './site.ts';

/** Whether a key can be used for copies, by all that KMS tells of it. */
export function checkKey(key: KeyInUse, facts: KeyFacts, site: Site): readonly Finding[] {
  if (isAwsAlias(key.name)) return [checkAwsAlias(key)];
  if (!isKnown(facts.metadata)) return [undescribedKey(key, facts.metadata, facts, site)];
  const metadata = facts.metadata.value;
  if (metadata === undefined) return [missingKey(key, facts.elsewhere)];
  const state = checkKeyState(key, metadata, site);
  return hasPolicyThatMatters(metadata) ? [state, ...checkKeyAccess(key, metadata, facts, site)] : [state];
}

/** A key that must be replaced needs none, and those of AWS's own keys cannot be changed. */
export function hasPolicyThatMatters(metadata: KeyMetadata): boolean {
  return metadata.manager === 'CUSTOMER' && isForEbs(metadata);
}
