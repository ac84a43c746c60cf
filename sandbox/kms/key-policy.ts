import * as z from 'zod';
import { ACCOUNT_ID_PATTERN } from '../accounts.ts';
import type { KmsKey } from './key.ts';

const oneOrMore = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());

const policySchema = z.object({
  Statement: z.union([z.unknown().array(), z.unknown()]).transform((value) => [value].flat()),
});

const statementSchema = z.object({
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.object({ AWS: oneOrMore })]),
});

/** The policy of a key that its own account and the given ones may use through EC2. */
export function policyFor(account: string, usableBy: readonly string[]): string {
  const others = usableBy.filter((other) => other !== account);
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Sid: 'Owner', Effect: 'Allow', Principal: { AWS: root(account) }, Action: 'kms:*', Resource: '*' },
      ...(others.length === 0
        ? []
        : [
            {
              Sid: 'OtherAccounts',
              Effect: 'Allow',
              Principal: { AWS: others.map(root) },
              // What copying an encrypted snapshot needs:
              // https://docs.aws.amazon.com/ebs/latest/userguide/share-kms-key.html
              Action: [
                'kms:DescribeKey',
                'kms:CreateGrant',
                'kms:GenerateDataKey',
                'kms:GenerateDataKeyWithoutPlaintext',
                'kms:ReEncrypt*',
                'kms:Decrypt',
              ],
              Resource: '*',
            },
          ]),
    ],
  });
}

/** Whether the text is a policy document at all. */
export function isPolicy(text: string): boolean {
  return statementsOf(text) !== undefined;
}

/**
 * Whether an account may use a key. Coarse: an account may if an Allow statement of the key policy, or a grant, names it
 * or one of its principals; actions, conditions and Deny are not looked at. This function is the place for more.
 * The policy of an AWS managed key names its own account and cannot be changed:
 * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
 */
export function mayUse(key: KmsKey, account: string): boolean {
  if (key.account === account) return true;
  if (key.grants.some(({ granteePrincipal }) => accountOfPrincipal(granteePrincipal) === account)) return true;
  return (statementsOf(key.policy) ?? []).some((unread) => {
    const statement = statementSchema.safeParse(unread);
    if (!statement.success || statement.data.Effect !== 'Allow') return false;
    const principal = statement.data.Principal;
    return principal === '*' || principal.AWS.some((name) => name === '*' || accountOfPrincipal(name) === account);
  });
}

function root(account: string): string {
  return `arn:aws:iam::${account}:root`;
}

function accountOfPrincipal(principal: string): string | undefined {
  return ACCOUNT_ID_PATTERN.test(principal) ? principal : principal.split(':')[4];
}

function statementsOf(text: string): readonly unknown[] | undefined {
  try {
    const policy = policySchema.safeParse(JSON.parse(text));
    return policy.success ? policy.data.Statement : undefined;
  } catch {
    return undefined;
  }
}
