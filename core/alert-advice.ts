import { HEALTH, type Step } from './alert-layout.ts';
import { COPIER_TAG } from './copier-tags.ts';
import type { CopyRequest } from './copy-request.ts';
import { destinationId } from './destination.ts';
import { printDuration } from './duration.ts';
import { classify, refusalOf } from './ec2-error-codes.ts';
import type { ExecutionIdentity, FailedExecution } from './execution.ts';
import type { ExecutionFailureReason, Failure } from './failure.ts';
import type { Install } from './install.ts';
import type { EvidenceOnKeys } from './key-evidence.ts';
import { kmsAdvice } from './kms-advice.ts';
import { ledgerAdvice, notPutBack } from './ledger-advice.ts';
import { LIMITS } from './rules/limits.ts';
import { shellWord } from './shell-word.ts';
import { accountRefused, intermediateFailed, noTagLeft, notShareable } from './source-advice.ts';

/** What a failure means, for somebody who did not write this service, and what to do about it. */
export interface Advice {
  readonly meaning: string;
  readonly steps: readonly Step[];
  /** The request itself may have to change: a start with another input is shown too. */
  readonly requestMayChange: boolean;
}

type Case = {
  readonly failed: FailedExecution;
  readonly failure: Failure;
  readonly install: Install;
  readonly evidence?: EvidenceOnKeys | undefined;
};

/** Each reason in the two or three words of a subject, and as the end of the first sentence of an alert. */
export const IN_SHORT = {
  KeyNotAccessible: { subject: 'key not accessible', sentence: 'EC2 could not use a KMS key' },
  SourceGone: { subject: 'source gone', sentence: 'EC2 did not find the source any more' },
  DeadlinePassed: { subject: 'deadline passed', sentence: 'its deadline passed' },
  NotAllowed: { subject: 'not allowed', sentence: 'EC2 does not allow it' },
  QuotaReached: { subject: 'quota reached', sentence: 'a quota is used up' },
  RequestRefused: { subject: 'request refused', sentence: 'EC2 refuses the request as wrong' },
  CopyDisappeared: { subject: 'copy disappeared', sentence: 'somebody deleted the copy' },
  SourceNotShareable: { subject: 'source not shareable', sentence: 'it cannot be shared by the account that owns it' },
  SourceAccountRefused: {
    subject: 'source account refused',
    sentence: 'the companion in the account of its owner cannot be used',
  },
  IntermediateFailed: {
    subject: 'intermediate copy failed',
    sentence: 'its copy under a shareable key, in its own account, failed',
  },
  CopyFailed: { subject: 'EC2 gave up', sentence: 'EC2 began the copy and gave up' },
  Ec2Trouble: { subject: 'EC2 in trouble', sentence: 'EC2 was in trouble however often it was tried' },
  LedgerTrouble: { subject: 'ledger in trouble', sentence: 'the ledger of requests could not be used' },
  LambdaTrouble: { subject: 'Lambda in trouble', sentence: 'Lambda was in trouble however often it was tried' },
  TimedOut: { subject: 'timed out', sentence: 'its execution ran into the time limit' },
  Aborted: { subject: 'stopped by hand', sentence: 'somebody stopped its execution' },
  AlertNotSent: { subject: 'first alert not sent', sentence: 'the alert that says why could not be sent' },
  InternalError: { subject: 'internal error', sentence: 'the service that copies has an error' },
} as const satisfies Record<ExecutionFailureReason, { readonly subject: string; readonly sentence: string }>;

/**
 * What a failure means and what to do about it.
 *
 * @param evidence what a look at the keys found, if there was one
 */
export function adviceOn(
  failed: FailedExecution,
  failure: Failure,
  install: Install,
  evidence?: EvidenceOnKeys,
): Advice {
  const advice = adviceOnReason({ failed, failure, install, evidence });
  return failed.refused === undefined ? advice : { ...advice, meaning: `${notPutBack(failed)} ${advice.meaning}` };
}

function adviceOnReason(found: Case): Advice {
  const { failed, failure, install, evidence } = found;
  switch (failure.reason) {
    case 'KeyNotAccessible':
      return { ...kmsAdvice(failed, failure, install, evidence), requestMayChange: true };
    case 'SourceGone':
      return sourceGone(found);
    case 'DeadlinePassed':
      return deadlinePassed(found);
    case 'NotAllowed':
      return notAllowed(found);
    case 'QuotaReached':
      return quotaReached(found);
    case 'RequestRefused':
      return requestRefused(found);
    case 'CopyDisappeared':
      return copyDisappeared(found);
    case 'SourceNotShareable':
      return { ...notShareable(failed, install), requestMayChange: true };
    case 'SourceAccountRefused':
      return { ...accountRefused(failed, failure, install), requestMayChange: false };
    case 'IntermediateFailed':
      return { ...intermediateFailed(failed, failure, install), requestMayChange: false };
    case 'CopyFailed':
      return copyFailed(found);
    case 'Ec2Trouble':
      return ec2Trouble(found);
    case 'LedgerTrouble':
      return { ...ledgerAdvice(failed, failure, install), requestMayChange: false };
    case 'LambdaTrouble':
      return lambdaTrouble(found);
    case 'TimedOut':
      return timedOut();
    case 'Aborted':
      return aborted(found);
    case 'AlertNotSent':
      return alertNotSent(found);
    case 'InternalError':
      return internalError(found);
  }
}

/** Finds what an execution may have left behind, by its tags. */
export function findCopies({ source, destination }: CopyRequest): readonly string[] {
  return [
    `aws ec2 describe-snapshots --region ${destination.region} --owner-ids self`,
    `--filters Name=tag:${COPIER_TAG.sourceSnapshot},Values=${source.snapshotId}`,
    "--query 'Snapshots[].[SnapshotId,State,Progress,StartTime]' --output text",
  ];
}

function sourceGone({ failed: { request }, install }: Case): Advice {
  const { snapshotId, region, ownerId, companion } = request.source;
  const own = ownerId === install.account;
  const look: Step = {
    say: `See${companion === undefined ? '' : `, as an administrator of account ${ownerId},`} whether it is there and in state completed:`,
    run: [
      `aws ec2 describe-snapshots --region ${region} --snapshot-ids ${snapshotId}`,
      "--query 'Snapshots[].[SnapshotId,State,OwnerId,StorageTier]' --output text",
    ],
  };
  const find: Step = own
    ? {
        say: 'If it is not, look into the recycle bin:',
        run: [`aws ec2 list-snapshots-in-recycle-bin --region ${region} --snapshot-ids ${snapshotId}`],
      }
    : companion === undefined
      ? {
          say: `If it is not, account ${ownerId} has to share it again (and its key, if it is encrypted):`,
          run: [
            `aws ec2 modify-snapshot-attribute --region ${region} --snapshot-id ${snapshotId}`,
            `--attribute createVolumePermission --operation-type add --user-ids ${install.account}`,
          ],
        }
      : {
          say: `If it is, somebody took back the share that the service had made: find out who in account ${ownerId}. Started again, the service shares it anew.`,
        };
  return {
    meaning: `When EC2 came to read ${snapshotId} in ${region}, it was not there: it was deleted${
      own ? ' or moved to the recycle bin' : ` or account ${ownerId} took back its share`
    } after this copy was asked for, or it was not complete.`,
    steps: [
      look,
      find,
      {
        say: 'When it is there again, start the copy again as shown below: no event asks for it a second time.',
      },
      {
        say: 'If it is deleted for good, there is nothing left to copy. The next snapshot of the volume is copied anew.',
      },
    ],
    requestMayChange: false,
  };
}

function deadlinePassed({ failed: { request, copy } }: Case): Advice {
  const { region, deadlineSeconds, localZone, outpost } = request.destination;
  const longest = LIMITS.deadlineSeconds.most;
  const raise: Step = {
    say: `Give it longer: raise the deadline in copy-rules.yml, to ${printDuration(longest)} at most, and deploy. That holds for copies that are asked for afterwards; for this one too, with the first command below.`,
    paste: [
      'rules:',
      `  - name: ${request.rule}`,
      '    destinations:',
      `      - region: ${region}`,
      ...(localZone === undefined ? [] : [`        localZone: ${localZone}`]),
      ...(outpost === undefined ? [] : [`        outpost: ${outpost}`]),
      `        deadline: ${printDuration(Math.min(longest, deadlineSeconds * 2))}`,
    ].join('\n'),
  };
  const counted = `The deadline, ${printDuration(deadlineSeconds)}, counts from the start of the execution, not from the event.`;
  if (copy?.copyId === undefined) {
    return {
      meaning: `The copy never began. ${counted} All that time EC2 could not be reached, or answered with errors.`,
      steps: [HEALTH, { say: 'Start it again when that is over.' }, raise],
      requestMayChange: true,
    };
  }
  return {
    meaning: `The copy began at ${copy.copyStartTime ?? 'an unknown time'} and was at ${copy.progressPercent} % at the deadline. ${counted} EC2 promises no speed for a standard copy, and the first copy of a volume moves all of its data.`,
    steps: [
      raise,
      {
        say: 'If it has to be done by a certain time, ask for a time-based copy (completionDuration of the destination, costs extra): https://docs.aws.amazon.com/ebs/latest/userguide/time-based-copies.html',
      },
    ],
    requestMayChange: true,
  };
}

function notAllowed({ failed: { request, execution }, failure, install }: Case): Advice {
  const { code = '', call = 'CopySnapshot', callRegion = request.destination.region, what } = failure;
  const advice: Step = { say: refusalOf(code, what).whatToDo };
  if (REGION_NOT_ENABLED.has(code)) {
    return {
      meaning: `EC2 in ${callRegion} does not accept this account or its credentials.`,
      steps: [
        advice,
        {
          say: 'OptInStatus of the Region must be opted-in or opt-in-not-required:',
          run: [
            `aws ec2 describe-regions --region ${install.region} --all-regions --region-names ${callRegion}`,
            "--query 'Regions[].[RegionName,OptInStatus]' --output text",
          ],
        },
        {
          say: 'If it is not-opted-in, enable the Region, which takes minutes to hours:',
          run: [`aws account enable-region --region ${install.region} --region-name ${callRegion}`],
        },
      ],
      requestMayChange: false,
    };
  }
  if (!IAM_REFUSED.has(code)) {
    return { meaning: 'EC2 does not allow it, which is no matter of IAM.', steps: [advice], requestMayChange: true };
  }
  const action = /not authorized to perform: ([\w:]+)/.exec(what)?.[1] ?? `ec2:${call}`;
  const role = call === 'CopySnapshot' ? install.roleArn : `of the function that calls ${call}`;
  const regions = [...new Set([request.source.region, request.destination.region])].join(' and ');
  return {
    meaning: `IAM does not allow ${action} in ${callRegion} to the role ${role}. As it is deployed, the role allows it; so it was changed, or its permissions boundary or a service control policy (SCP) of the organisation forbids it.`,
    steps: [
      {
        say: 'CloudTrail has the refusal within a quarter of an hour, and IAM decodes it. The answer shows the statement that denies, or that none allows:',
        run: [
          'aws sts decode-authorization-message --query DecodedMessage --output text --encoded-message',
          `"$(aws cloudtrail lookup-events --region ${callRegion} --start-time ${shellWord(execution.startTime)}`,
          `  --lookup-attributes AttributeKey=EventName,AttributeValue=${call}`,
          "  --query 'Events[].CloudTrailEvent' --output text",
          "  | grep -o 'failure message: [A-Za-z0-9_-]*' | head -n 1 | cut -d ' ' -f 3)\"",
        ],
      },
      {
        say: `If an SCP denies Regions, it has to allow ${regions}: CopySnapshot is called in ${request.destination.region} and reads in ${request.source.region}.`,
      },
      {
        say: `If the role was changed, deploy ${install.name} again: that restores it. A copy needs ec2:CopySnapshot on the source and on snapshot/* of ${request.destination.region}, and ec2:CreateTags for the tags of the copy.`,
      },
    ],
    requestMayChange: false,
  };
}

const REGION_NOT_ENABLED = new Set(['OptInRequired', 'AuthFailure']);
const IAM_REFUSED = new Set(['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException']);

function quotaReached({ failed, failure }: Case): Advice {
  const { request } = failed;
  const { code = '', call, callRegion = request.destination.region, what } = failure;
  // What the service writes on copies was there from the beginning.
  if (code === 'TagLimitExceeded' && call === 'CreateTags' && request.source.companion !== undefined) {
    return { ...noTagLeft(failed), requestMayChange: false };
  }
  const tooManySnapshots = code === 'SnapshotLimitExceeded';
  const advice: Step = { say: refusalOf(code, what).whatToDo };
  return {
    meaning: `A quota of ${callRegion} is used up, and waiting does not free it.`,
    steps: tooManySnapshots
      ? [
          advice,
          {
            say: 'See the quota:',
            run: [
              `aws service-quotas get-service-quota --region ${callRegion} --service-code ebs --quota-code L-309BACF6`,
              "--query 'Quota.[QuotaName,Value,Adjustable]' --output text",
            ],
          },
          {
            say: 'Count what is there:',
            run: [
              `aws ec2 describe-snapshots --region ${callRegion} --owner-ids self`,
              "--query 'Snapshots[].SnapshotId' --output text | wc -w",
            ],
          },
        ]
      : [advice],
    requestMayChange: !tooManySnapshots,
  };
}

function requestRefused({ failed: { request }, failure, install }: Case): Advice {
  const { code, what } = failure;
  const where = `destination ${destinationId(request.destination)} of rule ${request.rule} in copy-rules.yml`;
  return {
    meaning: 'The request is wrong as it is, and would be refused each time.',
    steps: [
      ...(code === undefined ? [] : [{ say: refusalOf(code, what).whatToDo }]),
      {
        say: `Compare the words above with ${where}: region, outpost, localZone, encryption, tags, completionDuration.`,
      },
      {
        say: `Correct it and deploy ${install.name}. Started again with the first command below, this snapshot gets the corrected settings too.`,
      },
    ],
    requestMayChange: true,
  };
}

function copyDisappeared({ failed: { request }, failure }: Case): Advice {
  const { region } = request.destination;
  const copyId = failure.copyId ?? 'the copy';
  const lookUp: readonly Step[] =
    failure.copyId === undefined
      ? []
      : [
          {
            say: 'Find out who deleted it:',
            run: [
              `aws cloudtrail lookup-events --region ${region}`,
              `--lookup-attributes AttributeKey=ResourceName,AttributeValue=${failure.copyId}`,
              "--query 'Events[].[EventTime,EventName,Username]' --output text",
            ],
          },
          {
            say: 'If it is in the recycle bin, it can be restored, but a half-made copy is of no use:',
            run: [`aws ec2 list-snapshots-in-recycle-bin --region ${region} --snapshot-ids ${failure.copyId}`],
          },
        ];
  return {
    meaning: `Somebody or something other than this service deleted ${copyId} in ${region} before it was tagged as copied: a clean-up script, a lifecycle policy or a person.`,
    steps: [
      ...lookUp,
      {
        say: `Keep it from happening again: what cleans up must leave snapshots with the tag ${COPIER_TAG.managed} alone.`,
      },
    ],
    requestMayChange: false,
  };
}

function copyFailed({ failed: { request }, failure }: Case): Advice {
  return {
    meaning:
      'EC2 accepted the copy and then ended it in state error. Neither a key nor the source is named as the cause.',
    steps: [
      { say: 'Start it again: often that is enough.' },
      {
        say: `If it fails again, ask AWS Support about ${failure.copyId ?? 'the copy'} in ${request.destination.region}, with EC2's words above.`,
      },
    ],
    requestMayChange: false,
  };
}

function ec2Trouble({ failure }: Case): Advice {
  const { call = 'the calls', callRegion = 'that Region', code = '' } = failure;
  return {
    meaning: `EC2 answered with errors to ${call}, or not at all, each time that it was tried. Nothing is known to be wrong with the snapshot or the rule.`,
    steps: [
      {
        say:
          classify(code) === 'throttled'
            ? `The calls were not wrong but too many: find out what else calls EC2 so often in ${callRegion}.`
            : HEALTH.say,
      },
      { say: 'Start it again when that is over.' },
    ],
    requestMayChange: false,
  };
}

function lambdaTrouble({ install }: Case): Advice {
  return {
    meaning: `Lambda did not get a function of ${install.name} to its end, however often it was tried: no free concurrency, a time-out, or trouble of Lambda itself.`,
    steps: [
      {
        say: 'See how much concurrency the account has there, and what else uses it:',
        run: [`aws lambda get-account-settings --region ${install.region} --query AccountLimit`],
      },
      HEALTH,
      { say: 'Start it again when that is over.' },
    ],
    requestMayChange: false,
  };
}

function timedOut(): Advice {
  return {
    meaning:
      'The execution ran into the time limit of the state machine, which lies beyond every deadline. That should not happen: one of its steps hung.',
    steps: [
      { say: 'See below whether there is a copy. One that is pending goes on by itself.' },
      { say: 'Start it again: it adopts a copy that is pending or complete, and tags it.' },
    ],
    requestMayChange: false,
  };
}

function aborted({ failed: { execution }, install }: Case): Advice {
  return {
    meaning: 'Somebody stopped the execution. If the copy had begun, it goes on: EC2 knows nothing of executions.',
    steps: [
      {
        say: 'Find out who stopped it:',
        run: [
          `aws cloudtrail lookup-events --region ${install.region} --start-time ${shellWord(execution.startTime)}`,
          '--lookup-attributes AttributeKey=EventName,AttributeValue=StopExecution',
          "--query 'Events[].[EventTime,Username,CloudTrailEvent]' --output text",
        ],
      },
      { say: 'See below whether there is a copy, and delete it if it is not wanted.' },
      { say: 'If it is wanted, start it again: it adopts a copy that is pending or complete, and tags it.' },
    ],
    requestMayChange: false,
  };
}

function alertNotSent({ failed: { execution }, install }: Case): Advice {
  return {
    meaning:
      'The copy failed, and then the alert that says why could not be written or sent. This one takes its place, but does not know the reason.',
    steps: [
      {
        say: 'The reason is in the history of the execution:',
        run: lastSteps(execution, install),
      },
      {
        say: 'Then see why the topic did not take the alert: that it exists, that the role of the state machine may publish to it, and that both may use its KMS key, if it has one.',
      },
    ],
    requestMayChange: false,
  };
}

function internalError({ failed: { execution }, install }: Case): Advice {
  return {
    meaning: 'This is a mistake in the service itself, or something that it does not know. It is not tried again.',
    steps: [
      {
        say: 'See the step that failed and what it was given:',
        run: lastSteps(execution, install),
      },
      { say: `If functions or roles of ${install.name} were changed by hand, deploy it again.` },
      { say: 'Otherwise report it, with this text and the version that is deployed.' },
    ],
    requestMayChange: false,
  };
}

function lastSteps({ arn }: ExecutionIdentity, { region }: Install): readonly string[] {
  return [
    `aws stepfunctions get-execution-history --region ${region}`,
    `--execution-arn ${shellWord(arn)}`,
    "--reverse-order --max-items 20 --query 'events[].[id,type,*.error,*.cause]' --output json",
  ];
}
