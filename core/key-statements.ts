import type { Install } from './install.ts';
import { partitionOf } from './region.ts';

/**
 * What the caller of CopySnapshot needs of the source's key and of the copy's, beside CreateGrant and DescribeKey:
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 * Its `kms:ReEncrypt*` stands for two.
 */
const USE = [
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
];

/** The same with DescribeKey. CreateGrant is apart, for it alone knows GrantIsForAWSResource. */
export const USE_OF_A_KEY: readonly string[] = ['kms:DescribeKey', ...USE];

/** All that EC2 documents for the caller of CopySnapshot, on either key. */
export const ACTIONS_ON_KEYS: readonly string[] = [...USE_OF_A_KEY, 'kms:CreateGrant'];

/**
 * The statements that a key policy needs so that EC2 can copy with the key, in the name of the install. The account is the
 * principal, and a condition names the path of the install's roles: a role by its name would be another principal once its
 * stack was removed and deployed again, and cannot be named before it is there at all
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).
 * DescribeKey stands alone, for everybody in the account whose own policy allows it, so that people can look at the key;
 * CreateGrant because it has a condition of its own.
 * https://docs.aws.amazon.com/ebs/latest/userguide/share-kms-key.html
 *
 * @param regions of the source and of the copies
 * @param missing only the statements that allow one of these; default: all
 * @returns JSON objects with commas between them, for the list `Statement`
 */
export function keyStatements(
  install: Pick<Install, 'name' | 'account' | 'region'>,
  regions: readonly string[],
  missing: readonly string[] = ACTIONS_ON_KEYS,
): string {
  const root = `arn:${partitionOf(install.region)}:iam::${install.account}:root`;
  const ofInstall = { ArnLike: { 'aws:PrincipalArn': rolesOf(install) } };
  const head = { Resource: '*', Principal: { AWS: root } };
  return [
    { sid: 'SnapshotCopierLook', actions: ['kms:DescribeKey'] },
    {
      sid: 'SnapshotCopierUse',
      actions: USE,
      condition: { ...ofInstall, StringEquals: { 'kms:ViaService': ec2Services(regions) } },
    },
    {
      sid: 'SnapshotCopierGrants',
      actions: ['kms:CreateGrant'],
      condition: { ...ofInstall, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    },
  ]
    .filter(({ actions }) => actions.some((action) => missing.includes(action)))
    .map((each) => allow(head, each))
    .join(',\n');
}

/**
 * The other half, in the policy of the role that copies: as the rules derive it for a key.
 *
 * @param key its ARN
 */
export function roleStatements(key: string, regions: readonly string[]): string {
  const through = { StringEquals: { 'kms:ViaService': ec2Services(regions) } };
  const head = { Resource: key };
  return [
    allow(head, { sid: 'UseKey', actions: ['kms:DescribeKey', ...USE], condition: through }),
    allow(head, {
      sid: 'GrantKey',
      actions: ['kms:CreateGrant'],
      condition: { ...through, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
    }),
  ].join(',\n');
}

interface Allowed {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly condition?: Readonly<Record<string, object>>;
}

function parts(condition: Readonly<Record<string, object>>): string {
  return Object.entries(condition)
    .map(([operator, test]) => `  ${JSON.stringify(operator)}: ${JSON.stringify(test)}`)
    .join(',\n  ');
}

/** In lines that mail programs do not break. */
function allow(
  { Resource, Principal }: { readonly Resource: string; readonly Principal?: { readonly AWS: string } },
  { sid, actions, condition }: Allowed,
): string {
  const inner = [
    `"Sid": ${JSON.stringify(sid)}, "Effect": "Allow", "Resource": ${JSON.stringify(Resource)},`,
    ...(Principal === undefined ? [] : [`"Principal": { "AWS": ${JSON.stringify(Principal.AWS)} },`]),
    `"Action": ${JSON.stringify(actions)}${condition === undefined ? '' : ','}`,
    ...(condition === undefined ? [] : ['"Condition": {', `${parts(condition)} }`]),
  ];
  return `{ ${inner.join('\n  ')} }`;
}

/** The roles of all functions of an install, as ArnLike takes them: serverless.yml puts them in a path of its own. */
export function rolesOf({ name, account, region }: Pick<Install, 'name' | 'account' | 'region'>): string {
  return `arn:${partitionOf(region)}:iam::${account}:role/snapshot-copier/${name}/*`;
}

/**
 * What the condition key kms:ViaService may be of a request that EC2 makes for a copy. AWS does not say which of the two
 * Regions KMS sees for the source's key, nor which suffix in China: all are listed.
 */
export function ec2Services(regions: readonly string[]): readonly string[] {
  return [...new Set(regions)].flatMap((region) => {
    const service = `ec2.${region}.amazonaws.com`;
    return partitionOf(region) === 'aws-cn' ? [service, `${service}.cn`] : [service];
  });
}
