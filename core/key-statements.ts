import { partitionOf } from './region.ts';

/**
 * The statements that a key policy needs so that EC2 can copy with the key, in the name of the role. DescribeKey stands
 * alone because the condition ViaService would forbid it to whoever looks at the key directly; CreateGrant because it
 * has a condition of its own.
 * https://docs.aws.amazon.com/ebs/latest/userguide/share-kms-key.html
 *
 * @param regions of the source and of the copies
 * @returns JSON objects with commas between them, for the list `Statement`
 */
export function keyStatements(roleArn: string, regions: readonly string[]): string {
  const allow = (sid: string, actions: readonly string[], condition?: object) => {
    const inner = [
      `"Sid": ${JSON.stringify(sid)}, "Effect": "Allow", "Resource": "*",`,
      `"Principal": { "AWS": ${JSON.stringify(roleArn)} },`,
      `"Action": ${JSON.stringify(actions)}${condition === undefined ? '' : ','}`,
      ...(condition === undefined ? [] : [`"Condition": ${JSON.stringify(condition)}`]),
    ];
    return `{ ${inner.join('\n  ')} }`;
  };
  return [
    allow('SnapshotCopierLook', ['kms:DescribeKey']),
    allow(
      'SnapshotCopierUse',
      ['kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext'],
      { StringEquals: { 'kms:ViaService': ec2Services(regions) } },
    ),
    allow('SnapshotCopierGrants', ['kms:CreateGrant'], { Bool: { 'kms:GrantIsForAWSResource': 'true' } }),
  ].join(',\n');
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
