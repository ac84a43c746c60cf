import type { Iam } from '../iam/iam.ts';
import { parsePolicy } from '../iam/policy-document.ts';
import type { Context, PolicyDocument, Principal, Verdict } from '../iam/types.ts';
import { covers, namesIn } from './grants.ts';
import type { KmsKey } from './key.ts';

/** One request to KMS that is about a key. */
export interface KeyRequest {
  /** Without `kms:`, for example `Decrypt`. */
  readonly operation: string;
  /** The service that asks in the caller's name, for example `ec2.eu-west-1.amazonaws.com`; none = the caller itself. */
  readonly via?: string;
  /** Of a cryptographic operation; of CreateGrant: what the new grant is constrained to. */
  readonly encryptionContext?: Readonly<Record<string, string>>;
  /** The name that the request gives the key, if it is an alias. */
  readonly alias?: string;
}

/** A key and all that is called by it. */
interface NamedKey {
  readonly key: KmsKey;
  /** `alias/…` */
  readonly aliases: readonly string[];
}

const CRYPTOGRAPHIC = new Set([
  'Decrypt',
  'ReEncryptFrom',
  'ReEncryptTo',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
]);

/**
 * Whether somebody may do something with a key. The key policy decides, with the caller's own policies where it leaves that
 * to the account and always across accounts; a grant allows by itself; a Deny wins over all.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 */
export function mayUse(iam: Iam, principal: Principal, { key, aliases }: NamedKey, request: KeyRequest): Verdict {
  const call = {
    action: `kms:${request.operation}`,
    resource: key.arn,
    context: contextOf(principal, key, aliases, request),
  };
  const side = (policy: PolicyDocument) => ({ account: key.account, policy, kind: 'key' }) as const;
  const verdict = iam.authorize(principal, call, side(key.policyDocument));
  if (verdict.allowed || /explicit deny/.test(verdict.why)) return verdict;
  const grants = key.grants.filter((grant) => covers(grant, request));
  if (grants.some((grant) => namesIn(grant, principal) === 'caller')) return { allowed: true, why: '' };
  if (!grants.some((grant) => namesIn(grant, principal) === 'account')) return verdict;
  return iam.authorize(principal, call, side(letIn(principal.account)));
}

/** A grant to an account leaves it to the account's own policies, as a key policy does that names the account. */
function letIn(account: string): PolicyDocument {
  const Principal = { AWS: `arn:aws:iam::${account}:root` };
  const document = { Statement: [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }] };
  return parsePolicy('key', document, 'grant');
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
function contextOf(
  principal: Principal,
  key: KmsKey,
  aliases: readonly string[],
  { operation, via, encryptionContext, alias }: KeyRequest,
): Context {
  const context = Object.entries(encryptionContext ?? {});
  return {
    'kms:CallerAccount': principal.account,
    'kms:KeySpec': key.keySpec,
    'kms:KeyUsage': key.keyUsage,
    'kms:KeyOrigin': 'AWS_KMS',
    'kms:MultiRegion': 'false',
    ...(aliases.length > 0 && { 'kms:ResourceAliases': aliases }),
    ...(via !== undefined && { 'kms:ViaService': via }),
    ...(alias !== undefined && { 'kms:RequestAlias': alias }),
    ...Object.fromEntries(context.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
    ...(context.length > 0 && { 'kms:EncryptionContextKeys': context.map(([name]) => name) }),
    ...(CRYPTOGRAPHIC.has(operation) && { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' }),
    ...(operation === 'CreateGrant' && {
      'kms:GrantIsForAWSResource': String(via !== undefined),
      ...(context.length > 0 && { 'kms:GrantConstraintType': 'EncryptionContextSubset' }),
    }),
  };
}
