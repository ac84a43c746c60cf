import { adviceOn, findCopies, IN_SHORT } from './alert-advice.ts';
import { command, facts, prose, type Step, section, steps } from './alert-layout.ts';
import { startAgain, startAgainChanged } from './alert-restart.ts';
import { subjectOf } from './alert-subject.ts';
import { executionLink, snapshotLink } from './console-links.ts';
import { deadlineOf } from './deadline.ts';
import { destinationId } from './destination.ts';
import type { FailedExecution } from './execution.ts';
import { type Failure, type FailureReason, failureOf } from './failure.ts';
import type { Install } from './install.ts';
import type { EvidenceOnKeys } from './key-evidence.ts';
import { redact } from './redact.ts';
import { shellWord } from './shell-word.ts';

/** A message for the dead-letter topic. */
export interface Alert {
  /** Printable ASCII, fewer than 100 characters. */
  readonly subject: string;
  readonly message: string;
  /** Message attributes for filter policies. None is empty, as SNS wants it; `-` stands for what does not exist. */
  readonly attributes: {
    readonly rule: string;
    readonly sourceSnapshot: string;
    readonly destinationRegion: string;
    /** Of type `FailureReason`. */
    readonly reason: string;
  };
}

/**
 * The alert for a copy that failed, for somebody who knows nothing of this service and has just been woken up. The
 * same failure gives the same text. Never throws, whatever it is given.
 *
 * @param endedAt when the execution ended, ISO 8601, where that is known.
 * @param evidence what a look at the keys of `keysInQuestion` found, if there was one.
 */
export function writeAlert(
  failed: FailedExecution,
  install: Install,
  endedAt?: string,
  evidence?: EvidenceOnKeys,
): Alert {
  const failure = failureOf(failed);
  const { request, execution } = failed;
  const { source, destination, rule } = request;
  const where = destinationId(destination);
  const advice = adviceOn(failed, failure, install, evidence);
  const made = failed.removal?.outcome === 'keptComplete';
  const happened = made ? 'EBS copy made but not tagged' : 'EBS copy failed';
  const inShort = IN_SHORT[failure.reason];

  const message = [
    prose(
      made
        ? `Snapshot ${source.snapshotId} of ${source.region} is copied to ${where}, but the copy is not tagged: ${inShort.sentence}.`
        : `Snapshot ${source.snapshotId} of ${source.region} was not copied to ${where}${failed.endedAs === undefined ? '' : ', as far as is known'}: ${inShort.sentence}.`,
      100,
    ),
    section('The copy', factsOf(failed, failure, install, endedAt)),
    section(saidBy[failure.saidBy], words(failure)),
    section('What it means', prose(advice.meaning)),
    section('What to do', steps(advice.steps)),
    section('What is left of the copy', ...leftOver(failed, failure)),
    section(
      'Start it again',
      prose(
        `${made ? 'It finds the complete copy and tags it.' : 'When the cause is removed. It never copies twice: a copy that is there is found by its tags.'} ${request.dryRun ? 'If the answer is ExecutionAlreadyExists, somebody was faster.' : 'The answer says whether it waits for its turn now (accepted), or somebody was faster.'}`,
      ),
      startAgain(execution, request, install),
      advice.requestMayChange && !made && !request.dryRun ? startAgainChanged(execution, install) : '',
    ),
    section(
      'Links',
      facts([
        ['Execution', executionLink(install.region, execution.arn)],
        ['Copy', failure.copyId && snapshotLink(destination.region, failure.copyId)],
        ['Source', snapshotLink(source.region, source.snapshotId)],
      ]),
    ),
  ].join('\n\n');

  return {
    subject: subjectOf(
      `${happened}: ${source.snapshotId} to ${where}: ${inShort.subject}`,
      `${happened}: ${source.snapshotId} to ${destination.region}: ${inShort.subject}`,
    ),
    message: printable(message),
    attributes: attributes(rule, source.snapshotId, destination.region, failure.reason),
  };
}

/** An event told of a snapshot that EC2 does not show, so that no rule could be asked about it. */
export interface UnseenSnapshot {
  readonly snapshotId: string;
  readonly region: string;
  /** ISO 8601. */
  readonly eventTime: string;
  readonly kind: 'created' | 'shared';
  /** 12 digits, where the event tells. */
  readonly owner?: string;
  /** The function that takes the events, for starting again. */
  readonly functionName: string;
}

/** The alert for a snapshot that stayed invisible after an event told of it. Rule and destination are not known. */
export function writeSourceNotVisibleAlert(unseen: UnseenSnapshot, install: Install): Alert {
  const { snapshotId, region, eventTime, kind, owner } = unseen;
  const message = [
    prose(`Snapshot ${snapshotId} was ${kind} in ${region}, and then EC2 did not show it: it was not copied.`, 100),
    section(
      'The snapshot',
      facts([
        ['Snapshot', `${snapshotId} in ${region}`],
        ['Event', `${kind} at ${eventTime}`],
        ['Owner', owner ?? (kind === 'created' ? install.account : undefined)],
        ['Install', installLine(install)],
        ['Reason', 'SourceNotVisible'],
      ]),
    ),
    section(
      'What it means',
      prose(
        `EBS sent the event, but EC2 did not show the snapshot to account ${install.account} for several minutes. ${
          kind === 'shared'
            ? 'Its owner took the share back or deleted it right away, or EC2 is late.'
            : 'It was deleted or moved to the recycle bin right away, or EC2 is late.'
        } No rule could be asked, so it is not known whether it should have been copied at all.`,
      ),
    ),
    section('What to do', steps(whatToDoAboutUnseen(unseen, install))),
    section('Links', facts([['Snapshot', snapshotLink(region, snapshotId)]])),
  ].join('\n\n');
  const subject = `EBS snapshot not copied: ${snapshotId} in ${region}: not visible`;
  return {
    subject: subjectOf(subject, subject),
    message: printable(message),
    attributes: attributes('', snapshotId, '', 'SourceNotVisible'),
  };
}

function whatToDoAboutUnseen(unseen: UnseenSnapshot, install: Install): readonly Step[] {
  const { snapshotId, region, kind, functionName } = unseen;
  return [
    {
      say: 'See whether it is there now:',
      run: [
        `aws ec2 describe-snapshots --region ${region} --snapshot-ids ${snapshotId}`,
        "--query 'Snapshots[].[SnapshotId,State,OwnerId,StorageTier,Description]' --output text",
      ],
    },
    kind === 'shared'
      ? { say: `If it is not, and should be, its owner has to share it with account ${install.account}.` }
      : {
          say: 'If it is not, look into the recycle bin:',
          run: [`aws ec2 list-snapshots-in-recycle-bin --region ${region} --snapshot-ids ${snapshotId}`],
        },
    {
      say: 'If it is there, give the event to the service again:',
      run: [
        `printf %s ${shellWord(JSON.stringify(eventFor(unseen, install)))} > event.json &&`,
        `aws lambda invoke --region ${install.region} --function-name ${shellWord(functionName)}`,
        '--invocation-type Event --payload fileb://event.json /dev/null',
      ],
    },
  ];
}

/** As EBS sends it: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html */
function eventFor({ snapshotId, region, eventTime, kind, owner }: UnseenSnapshot, install: Install): object {
  const snapshotArn = `arn:aws:ec2::${region}:snapshot/${snapshotId}`;
  return {
    source: 'aws.ec2',
    'detail-type': 'EBS Snapshot Notification',
    // Without it, it is an event of the account of the install.
    ...(kind === 'created' && owner !== undefined && owner !== install.account && { account: owner }),
    region,
    time: eventTime,
    resources: [snapshotArn],
    detail: {
      event: kind === 'shared' ? 'shareSnapshot' : 'createSnapshot',
      result: 'succeeded',
      snapshot_id: snapshotArn,
      ...(kind === 'shared' && owner !== undefined && { source: owner }),
    },
  };
}

function factsOf(failed: FailedExecution, failure: Failure, install: Install, endedAt: string | undefined): string {
  const { request, execution, copy } = failed;
  const { source, destination } = request;
  const deadline = deadlineOf(execution, request);
  return facts([
    [
      'Source',
      `${source.snapshotId} in ${source.region}, ${source.sizeGiB} GiB, ${source.encrypted ? 'encrypted' : 'plain'}`,
    ],
    ['Source key', source.kmsKeyId],
    ['Volume', source.volumeId || 'unknown'],
    ['Data taken', source.startTime],
    ['Owner', source.ownerId],
    ['Rule', `${request.rule}${request.dryRun ? ' (dry run)' : ''}`],
    ['Destination', destinationId(destination)],
    [
      'Copy',
      failure.copyId && `${failure.copyId}${copy === undefined ? '' : `, last seen at ${copy.progressPercent} %`}`,
    ],
    ['Started', execution.startTime],
    ['Deadline', Number.isNaN(deadline.getTime()) ? undefined : deadline.toISOString()],
    ['Ended', endedAt && `${endedAt}${duration(execution.startTime, endedAt)}`],
    ['Install', installLine(install)],
    ['Reason', failure.code === undefined ? failure.reason : `${failure.reason} (${failure.code})`],
  ]);
}

function installLine({ name, account, region }: Install): string {
  return `${name} in account ${account}, ${region}`;
}

function duration(from: string, to: string): string {
  const minutes = Math.round((Date.parse(to) - Date.parse(from)) / 60_000);
  return Number.isNaN(minutes) ? '' : ` after ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const saidBy = {
  EC2: "EC2's own words",
  AWS: 'The error',
  copier: 'What happened',
} as const satisfies Record<Failure['saidBy'], string>;

function words({ what, code }: Failure): string {
  const text = code === undefined ? what : `${code}: ${what}`;
  return text.length > LONGEST_WORDS ? `${text.slice(0, LONGEST_WORDS)} ...` : text;
}

/** An error of somebody else's may hold a page of stack; the execution has all of it. */
const LONGEST_WORDS = 2000;

function leftOver({ removal, request }: FailedExecution, { copyId }: Failure): readonly string[] {
  const { region } = request.destination;
  if (removal === undefined) {
    return [prose('Nothing was removed. To see whether there is a copy:'), command(findCopies(request))];
  }
  const detail = prose(redact(removal.detail));
  if (removal.outcome !== 'couldNotRemove') return [detail];
  return copyId === undefined
    ? [detail, prose('To see whether there is a copy:'), command(findCopies(request))]
    : [detail, prose('To remove it:'), `aws ec2 delete-snapshot --region ${region} --snapshot-id ${copyId}`];
}

function attributes(rule: string, sourceSnapshot: string, destinationRegion: string, reason: FailureReason) {
  return {
    rule: rule || '-',
    sourceSnapshot: sourceSnapshot || '-',
    destinationRegion: destinationRegion || '-',
    reason,
  };
}

/** What SNS and mail programs take: no control characters but line breaks, no halves of characters. */
function printable(text: string): string {
  return text.replaceAll(/[^\P{C}\n]/gu, '?');
}
