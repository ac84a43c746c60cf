import { type PolicyDocument, parsePolicy } from '../iam/policy-document.ts';
import type { KmsKey } from './key.ts';

/**
 * What EC2 documents for the caller who has a snapshot copied, on the source's key and on the copy's, without `kms:`.
 * `ReEncrypt*` stands for two.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 * https://docs.aws.amazon.com/ebs/latest/userguide/share-kms-key.html
 */
export const EC2_OPERATIONS = [
  'DescribeKey',
  'CreateGrant',
  'Decrypt',
  'ReEncryptFrom',
  'ReEncryptTo',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
] as const;

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
              Action: EC2_OPERATIONS.map((operation) => `kms:${operation}`),
              Resource: '*',
            },
          ]),
    ],
  });
}

/**
 * The policy of the AWS managed key `aws/ebs`: everybody in its account may use it, but only through EC2 of its Region, and
 * see what it is. https://docs.aws.amazon.com/kms/latest/developerguide/services-ebs.html
 */
export function ebsManagedPolicy({ account, region }: { readonly account: string; readonly region: string }): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Id: 'auto-ebs-2',
    Statement: [
      {
        Sid: 'Allow access through EBS for all principals in the account that are authorized to use EBS',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: [
          'kms:Encrypt',
          'kms:Decrypt',
          'kms:ReEncrypt*',
          'kms:GenerateDataKey*',
          'kms:CreateGrant',
          'kms:DescribeKey',
        ],
        Resource: '*',
        Condition: { StringEquals: { 'kms:ViaService': ec2In(region), 'kms:CallerAccount': account } },
      },
      {
        Sid: 'Allow direct access to key metadata to the account',
        Effect: 'Allow',
        Principal: { AWS: root(account) },
        Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
        Resource: '*',
      },
    ],
  });
}

/** The value of kms:ViaService for what EC2 of a Region asks: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
export function ec2In(region: string): string {
  return `ec2.${region}.amazonaws.com`;
}

/** @throws PolicyError if the text is no policy that is understood here */
export function readKeyPolicy(text: string, { arn }: Pick<KmsKey, 'arn'>): PolicyDocument {
  return parsePolicy('key', parseJson(text), `policy of ${arn}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function root(account: string): string {
  return `arn:aws:iam::${account}:root`;
}
