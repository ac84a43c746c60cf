import type { Principal } from '../iam/types.ts';
import type { GrantConstraints, KmsGrant } from './key.ts';
import type { KeyRequest } from './key-access.ts';

/** Operations without an encryption context: a constraint says nothing to them (https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html). */
const WITHOUT_CONTEXT = new Set(['DescribeKey', 'RetireGrant']);

/** Whether the grant is about this operation, in this encryption context, whoever asks. */
export function covers(grant: KmsGrant, { operation, encryptionContext = {} }: KeyRequest): boolean {
  return (
    grant.operations.includes(operation) &&
    (WITHOUT_CONTEXT.has(operation) || isMet(grant.constraints ?? {}, encryptionContext))
  );
}

/**
 * Whom the grant names: the caller (its role, or this session of it), the caller's whole account, or somebody else.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html, GranteePrincipal
 */
export function namesIn(
  { granteePrincipal }: KmsGrant,
  { account, arn, roleArn }: Principal,
): 'caller' | 'account' | 'other' {
  if (granteePrincipal === arn || granteePrincipal === roleArn) return 'caller';
  return granteePrincipal === account || granteePrincipal === `arn:aws:iam::${account}:root` ? 'account' : 'other';
}

function isMet(
  { EncryptionContextSubset: subset, EncryptionContextEquals: equals }: GrantConstraints,
  context: Readonly<Record<string, string>>,
): boolean {
  const has = (wanted: Readonly<Record<string, string>>) =>
    Object.entries(wanted).every(([name, value]) => context[name] === value);
  if (subset !== undefined && !has(subset)) return false;
  return equals === undefined || (has(equals) && Object.keys(context).length === Object.keys(equals).length);
}
