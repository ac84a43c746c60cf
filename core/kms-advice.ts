import type { Step } from './alert-layout.ts';
import type { CopyProgress } from './copy-progress.ts';
import type { CopyRequest } from './copy-request.ts';
import type { FailedExecution } from './execution.ts';
import type { Failure } from './failure.ts';
import type { Install } from './install.ts';
import { keyStatements } from './key-statements.ts';
import { shellWord } from './shell-word.ts';

/** A key that the copy needs. */
interface Key {
  /** What it is, where it is and how it comes into this copy. */
  readonly introduction: string;
  /** How people call it. */
  readonly label: string;
  /** The key as a word of bash, as DescribeKey takes it: id, alias, ARN or alias ARN. */
  readonly word: string;
  /** Key policies are found by key id or key ARN: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html */
  readonly isAlias: boolean;
  /** What `describe-key` has to say of it. */
  readonly expectation: string;
  /** 12 digits. */
  readonly account: string;
  readonly region: string;
}

/** Which keys a copy needs, and what each has to allow: EC2 says neither when a key is not accessible. */
export function kmsAdvice(
  { request, copy, execution }: FailedExecution,
  failure: Failure,
  install: Install,
): { readonly meaning: string; readonly steps: readonly Step[] } {
  const destination = destinationKey(request, copy, install);
  // A call that is refused at once is about the destination's key; a copy that ends in error, about either of them:
  // https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
  const keys =
    request.source.encrypted && failure.code === undefined ? [destination, sourceKey(request)] : [destination];
  return {
    meaning: `EC2 uses KMS keys in the name of the role ${install.roleArn}, and could not use ${
      keys.length === 1 ? 'the one below' : 'one of the two below; it does not say which'
    }. A key has to be there, to be enabled, and to allow this by its key policy.`,
    steps: [
      ...keys.map(lookAt),
      {
        say: `A key that is enabled needs the statements below in its key policy: ${keys.map(nameAndPlace).join('; and ')}.${
          keys.some(({ account }) => account !== install.account)
            ? ` For a key of another account than ${install.account} the role needs the same actions in its own policy too; it is deployed with them.`
            : ''
        } Put a comma behind the last of the list "Statement", and then:`,
        paste: keyStatements(install.roleArn, [request.source.region, request.destination.region]),
      },
      ...keys.map(editPolicyOf),
      whoWasRefused(request, execution.startTime, install),
    ],
  };
}

function destinationKey(
  { rule, source, destination }: CopyRequest,
  copy: CopyProgress | undefined,
  install: Install,
): Key {
  const { encryption, region } = destination;
  const home = { account: install.account, region };
  if (encryption.kind === 'key') {
    const { kmsKey } = encryption;
    return {
      introduction: `The key that rule ${rule} names for ${region}`,
      label: kmsKey,
      word: shellWord(kmsKey),
      isAlias: kmsKey.includes('alias/'),
      expectation: `It must be a key of ${region}. ${USABLE}`,
      ...(placeOf(kmsKey) ?? home),
    };
  }
  const asked =
    encryption.kind === 'account-default' || source.encrypted
      ? `rule ${rule} names no key`
      : 'the source is plain, so only encryption by default in that Region can have asked for a key';
  return {
    introduction: `The default EBS key of ${region}, because ${asked}`,
    label: copy?.kmsKeyId ?? `the default EBS key of ${region}`,
    word: `"$(aws ec2 get-ebs-default-kms-key-id --region ${region} --query KmsKeyId --output text)"`,
    isAlias: true,
    expectation: `If KeyManager is AWS, it is aws/ebs: its policy serves everybody in the account and cannot be changed. ${USABLE}`,
    ...home,
  };
}

function sourceKey({ source }: CopyRequest): Key {
  const { snapshotId, region, ownerId, kmsKeyId } = source;
  return {
    introduction: `The key of the source ${snapshotId}`,
    label: kmsKeyId ?? `the key of ${snapshotId}`,
    word:
      kmsKeyId === undefined
        ? `"$(aws ec2 describe-snapshots --region ${region} --snapshot-ids ${snapshotId} --query 'Snapshots[0].KmsKeyId' --output text)"`
        : shellWord(kmsKeyId),
    isAlias: false,
    expectation: `${USABLE} If KeyManager is AWS, it is aws/ebs, which serves its own account alone: such a snapshot cannot be shared, and no statement helps. Its owner, account ${ownerId}, has to copy it under a customer managed key, share that copy and let this role use that key.`,
    ...(placeOf(kmsKeyId ?? '') ?? { account: ownerId, region }),
  };
}

/** EBS takes symmetric keys only: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html */
const USABLE = 'KeyState must be Enabled and KeySpec SYMMETRIC_DEFAULT.';

/** Account and Region of an ARN; undefined for an id or alias, which say neither. */
function placeOf(key: string): Pick<Key, 'account' | 'region'> | undefined {
  const [, region, account] = /^arn:[^:]+:kms:([^:]+):([^:]+):/.exec(key) ?? [];
  return region === undefined || account === undefined ? undefined : { account, region };
}

function nameAndPlace({ label, account, region }: Key): string {
  return `${label} in account ${account}, ${region}`;
}

function lookAt(key: Key): Step {
  return {
    say: `${key.introduction}: ${nameAndPlace(key)}. ${key.expectation}`,
    run: [
      `aws kms describe-key --region ${key.region}`,
      `--key-id ${key.word}`,
      "--query 'KeyMetadata.[Arn,KeyManager,KeyState,KeySpec]' --output text",
    ],
  };
}

function editPolicyOf(key: Key): Step {
  const keyId = key.isAlias
    ? `"$(aws kms describe-key --region ${key.region} --key-id ${key.word} --query KeyMetadata.KeyId --output text)"`
    : key.word;
  return {
    say: `To edit the policy of ${key.label}, as an administrator of account ${key.account}:`,
    run: [
      `aws kms get-key-policy --region ${key.region} --policy-name default --query Policy --output text`,
      `--key-id ${keyId} > key-policy.json`,
      `&& "\${EDITOR:-vi}" key-policy.json`,
      `&& aws kms put-key-policy --region ${key.region} --policy-name default --policy file://key-policy.json`,
      `--key-id ${keyId}`,
    ],
  };
}

/** KMS writes refusals to CloudTrail of the caller's account, with the key and the reason that EC2 leaves out. */
function whoWasRefused({ source, destination }: CopyRequest, since: string, install: Install): Step {
  const regions = [...new Set([destination.region, source.region])];
  return {
    say: `CloudTrail of account ${install.account} knows what KMS refused, and why, within a quarter of an hour:`,
    run: [
      `for region in ${regions.join(' ')}; do aws cloudtrail lookup-events --region "$region" --start-time ${shellWord(since)}`,
      '--lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com',
      `--query "Events[?contains(CloudTrailEvent, 'AccessDenied')].CloudTrailEvent" --output text; done`,
    ],
  };
}
