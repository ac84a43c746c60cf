import type { CopyProgress } from './copy-progress.ts';
import type { CopyRequest } from './copy-request.ts';
import type { FailedExecution } from './execution.ts';
import type { Install } from './install.ts';
import { partitionOf } from './region.ts';
import { shellWord } from './shell-word.ts';
import { shareableKeyAlias } from './source-account.ts';

/** A key that a copy needs. */
export interface KeyOfCopy {
  readonly of: 'source' | 'copy';
  /** What it is and how it comes into this copy. */
  readonly introduction: string;
  /** How people call it. */
  readonly label: string;
  /** The key as a word of bash, as DescribeKey takes it: id, alias, ARN or alias ARN. */
  readonly word: string;
  /** The same for DescribeKey itself; absent for a key that EC2 would have to be asked for first. */
  readonly name?: string;
  /** Key policies are found by key id or key ARN: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html */
  readonly isAlias: boolean;
  /** `alias/…`, where the rule names it by one: then the role may use only keys that have it. */
  readonly alias?: string;
  /** What `describe-key` has to say of it. */
  readonly expectation: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
  /** Regions of the EC2 that uses it. */
  readonly usedFrom: readonly string[];
  /** The companion made it, with its policy. */
  readonly isOfCompanion: boolean;
}

/** EBS takes symmetric keys only: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html */
const USABLE = 'KeyState must be Enabled and KeySpec SYMMETRIC_DEFAULT.';

/** The key that the copy is, or would have been, encrypted under. */
export function keyOfCopy(
  { rule, source, destination }: CopyRequest,
  copy: CopyProgress | undefined,
  install: Install,
): KeyOfCopy {
  const { encryption, region } = destination;
  const common = {
    of: 'copy',
    account: install.account,
    region,
    usedFrom: [region],
    isOfCompanion: false,
    ...(copy?.kmsKeyId !== undefined && { name: copy.kmsKeyId }),
  } as const;
  if (encryption.kind === 'key') {
    const { kmsKey } = encryption;
    const alias = /alias\/.+$/.exec(kmsKey)?.[0];
    return {
      name: kmsKey,
      ...common,
      introduction: `The key of the copy, which rule ${rule} names`,
      label: kmsKey,
      word: shellWord(kmsKey),
      isAlias: alias !== undefined,
      ...(alias !== undefined && { alias }),
      expectation: `It must be a key of ${region}. ${USABLE}`,
      ...placeOf(kmsKey),
    };
  }
  const asked =
    encryption.kind === 'account-default' || source.encrypted
      ? `rule ${rule} names no key`
      : 'the source is plain, so only encryption by default in that Region can have asked for a key';
  return {
    ...common,
    introduction: `The key of the copy is the default EBS key, because ${asked}`,
    label: copy?.kmsKeyId ?? `the default EBS key of ${region}`,
    word: `"$(aws ec2 get-ebs-default-kms-key-id --region ${region} --query KmsKeyId --output text)"`,
    isAlias: true,
    expectation: `If KeyManager is AWS, it is aws/ebs: its policy serves everybody in the account and cannot be changed. ${USABLE}`,
  };
}

/** The key of what was copied from; undefined if that is plain. */
export function keyOfSource(
  { request: { source, destination }, prepared }: FailedExecution,
  install: Install,
): KeyOfCopy | undefined {
  if (!source.encrypted) return undefined;
  const { snapshotId, region, ownerId, kmsKeyId } = source;
  const usedFrom = [...new Set([region, destination.region])];
  if (prepared?.copyFrom !== undefined && prepared.copyFrom !== snapshotId) {
    const alias = shareableKeyAlias(install);
    const arn = `arn:${partitionOf(region)}:kms:${region}:${ownerId}:${alias}`;
    return {
      of: 'source',
      name: arn,
      introduction: `The key of ${prepared.copyFrom}, the intermediate copy that the companion's role made of ${snapshotId}`,
      label: arn,
      word: shellWord(arn),
      isAlias: true,
      expectation: USABLE,
      account: ownerId,
      region,
      usedFrom,
      isOfCompanion: true,
    };
  }
  return {
    of: 'source',
    ...(kmsKeyId !== undefined && { name: kmsKeyId }),
    introduction: `The key of the source ${snapshotId}`,
    label: kmsKeyId ?? `the key of ${snapshotId}`,
    word:
      kmsKeyId === undefined
        ? `"$(aws ec2 describe-snapshots --region ${region} --snapshot-ids ${snapshotId} --query 'Snapshots[0].KmsKeyId' --output text)"`
        : shellWord(kmsKeyId),
    isAlias: false,
    expectation: USABLE,
    account: ownerId,
    region,
    ...placeOf(kmsKeyId ?? ''),
    usedFrom,
    isOfCompanion: false,
  };
}

/** Account and Region of an ARN; undefined for an id or alias, which say neither. */
function placeOf(key: string): Pick<KeyOfCopy, 'account' | 'region'> | undefined {
  const [, region, account] = /^arn:[^:]+:kms:([^:]+):([^:]+):/.exec(key) ?? [];
  return region === undefined || account === undefined ? undefined : { account, region };
}
