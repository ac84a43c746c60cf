import type { Step } from './alert-layout.ts';
import { updateCompanion } from './companion-advice.ts';
import type { FailedExecution } from './execution.ts';
import type { Failure } from './failure.ts';
import type { Install } from './install.ts';
import { keyStatements, rolesOf } from './key-statements.ts';
import { partitionOf } from './region.ts';
import { shellWord } from './shell-word.ts';
import { actingName, companionRoleArn, shareableKeyAlias } from './source-account.ts';

type SourceAdvice = { readonly meaning: string; readonly steps: readonly Step[] };

/** A source under `aws/ebs`: https://docs.aws.amazon.com/ebs/latest/userguide/share-kms-key.html */
export function notShareable({ request }: FailedExecution, install: Install): SourceAdvice {
  const { source, destination, rule } = request;
  const { snapshotId, region, ownerId } = source;
  return {
    meaning: `${snapshotId} is encrypted under aws/ebs, the key that AWS manages for account ${ownerId}. That key serves its own account alone and its policy cannot be changed, so what is under it cannot be shared. Nothing was tried.`,
    steps: [
      updateCompanion(
        { account: ownerId, region },
        'The service can copy such snapshots under a key that can be shared, in their own account, and copy that on. Turn it on in the companion:',
        { Reencrypt: 'on' },
      ),
      {
        say: `Then in copy-rules.yml, and deploy ${install.name}. Started again with the first command below, this snapshot is copied so too.`,
        paste: ['rules:', `  - name: ${rule}`, '    reencrypt: true'].join('\n'),
      },
      {
        say: `Or copy it by hand under a customer managed key of that account (here called alias/shareable), as an administrator of account ${ownerId}, and share the copy. The event of the share reaches the service; a rule that selects by owner and description, not by tags, copies it:`,
        run: [
          `copy="$(aws ec2 copy-snapshot --region ${region} --source-region ${region} --source-snapshot-id ${snapshotId}`,
          `--encrypted --kms-key-id alias/shareable --description ${shellWord(`copy of ${snapshotId} to be shared`)} --query SnapshotId --output text)"`,
          `&& aws ec2 wait snapshot-completed --region ${region} --snapshot-ids "$copy"`,
          `&& aws ec2 modify-snapshot-attribute --region ${region} --snapshot-id "$copy"`,
          `--attribute createVolumePermission --operation-type add --user-ids ${install.account}`,
        ],
      },
      {
        say: 'That key has to let the service use it, by these statements in its policy:',
        paste: keyStatements(install, [region, destination.region]),
      },
      {
        say: 'What is encrypted under a customer managed key from the beginning needs none of this: set one as the default EBS key of that account. It is for new volumes; those that exist keep their key.',
      },
    ],
  };
}

/** The companion's role cannot be assumed, answers as somebody else, or may not do what it should. */
export function accountRefused(
  { request, execution }: FailedExecution,
  failure: Failure,
  install: Install,
): SourceAdvice {
  const { ownerId, region, companion } = request.source;
  const roleArn = companionRoleArn(install, ownerId);
  const reencrypts = companion?.reencrypt === true;
  const answersWrongly = /answers as /.test(failure.what);
  return {
    meaning: `In account ${ownerId} the service acts by the role ${roleArn}, which companions/source-account.yml makes there. ${
      answersWrongly
        ? `What answered to that name is not of account ${ownerId}. It was not used, and nothing was copied.`
        : 'That role is not there, does not trust this install, wants to hear another external id, or may not do what it should: the words above say which.'
    }`,
    steps: [
      {
        say: `See whether the role is there, as an administrator of account ${ownerId}. It has to trust arn:${partitionOf(region)}:iam::${install.account}:root for roles like ${rolesOf(install)}, and want as sts:ExternalId what copy-rules.yml has as sourceAccounts.externalId, or ${install.name} if it has none:`,
        run: [
          `aws iam get-role --role-name ${shellWord(actingName(install))}`,
          '--query Role.[Arn,AssumeRolePolicyDocument] --output json',
        ],
      },
      updateCompanion(
        { account: ownerId, region },
        `If it is not, or is older than the service${reencrypts ? `, or has not Reencrypt=on, which rule ${request.rule} needs` : ''}, deploy the companion. A stack that is not there yet wants the parameter Regions too.`,
        { TargetAccount: install.account, EventBus: install.name, ...(reencrypts && { Reencrypt: 'on' }) },
      ),
      {
        say: `If it is as it should be, an SCP of the organisation may forbid the call. CloudTrail of account ${ownerId} has what was refused within a quarter of an hour; as an administrator there:`,
        run: [
          `aws cloudtrail lookup-events --region ${region} --start-time ${shellWord(execution.startTime)}`,
          '--lookup-attributes AttributeKey=Username,AttributeValue=snapshot-copier',
          `--query "Events[?contains(CloudTrailEvent, 'errorCode')].CloudTrailEvent" --output text`,
        ],
      },
    ],
  };
}

/** A snapshot of a source account takes no tag any more, and so no claim on its share. */
export function noTagLeft({ request }: FailedExecution): SourceAdvice {
  const { snapshotId, region, ownerId } = request.source;
  return {
    meaning: `${snapshotId} of account ${ownerId} has as many tags as EC2 lets a snapshot have, 50. The service writes one on it before it shares it, for each destination, and one with the id of each copy. Nothing was copied.`,
    steps: [
      {
        say: `Remove tags from it that nobody needs, as an administrator of account ${ownerId}: two for each destination and one more have to be free. These are there:`,
        run: [
          `aws ec2 describe-tags --region ${region} --filters Name=resource-id,Values=${snapshotId}`,
          "--query 'Tags[].Key' --output text",
        ],
      },
      { say: 'Then start it again. What tags the next snapshots of that account should leave as much room.' },
    ],
  };
}

/** The copy under the companion's key, in the source account. With a code EC2 refused the call, for that key. */
export function intermediateFailed(
  { request }: FailedExecution,
  { code }: Pick<Failure, 'code'>,
  install: Install,
): SourceAdvice {
  const { snapshotId, region, ownerId } = request.source;
  const alias = shareableKeyAlias(install);
  const end =
    code === undefined
      ? 'EC2 accepted that copy and ended it in state error. What is left of it was removed.'
      : 'EC2 refused that at once because of the key, so that no copy was made there. The key of the destination was not asked for yet.';
  return {
    meaning: `${snapshotId} is under aws/ebs, which cannot be shared. So it was first to be copied in its own account, ${ownerId}, under the companion's key ${alias}; ${end}`,
    steps: [
      {
        say: `If EC2 speaks of a key: see, as an administrator of account ${ownerId}, that KeyState is Enabled.`,
        run: [
          `aws kms describe-key --region ${region} --key-id ${shellWord(alias)}`,
          "--query 'KeyMetadata.[Arn,KeyState,KeySpec]' --output text",
        ],
      },
      updateCompanion(
        { account: ownerId, region },
        'If the key is not there, or its policy or the role was changed, update the companion.',
        { Reencrypt: 'on' },
      ),
      {
        say: 'Otherwise start it again: often that is enough. If it fails again, ask AWS Support with the words above.',
      },
    ],
  };
}
