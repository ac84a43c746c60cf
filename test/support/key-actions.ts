/**
 * All that EC2 documents for the caller of CopySnapshot, on the source's key and on the copy's; its `kms:ReEncrypt*` stands
 * for two: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 */
export const KEY_ACTIONS = [
  'kms:DescribeKey',
  'kms:CreateGrant',
  'kms:Decrypt',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
];
