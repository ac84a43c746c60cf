import { type ReadError, readCaughtError } from './caught-error.ts';
import type { CopyFailure } from './copy-progress.ts';
import type { CopyRequest } from './copy-request.ts';
import { refusalOf } from './ec2-error-codes.ts';
import { type Ec2Answer, type Ec2Call, readEc2Answer } from './ec2-errors.ts';
import type { FailedExecution } from './execution.ts';
import { isOfLedger, type LedgerAnswer, readLedgerAnswer } from './ledger-answer.ts';
import { redact } from './redact.ts';

/** Why there is no good copy, in words for filter policies. Names are never reused for something else. */
export const FAILURE_REASONS = [
  /** A KMS key cannot be used: the source's or the destination's. */
  'KeyNotAccessible',
  /** EC2 does not find the source any more: deleted, in the recycle bin, or no longer shared. */
  'SourceGone',
  /** The deadline of the destination passed. */
  'DeadlinePassed',
  /** EC2 refuses for lack of permission. */
  'NotAllowed',
  /** A quota that does not clear by waiting. */
  'QuotaReached',
  /** EC2 refuses the call as wrong. */
  'RequestRefused',
  /** Somebody deleted the copy, or moved it to the recycle bin. */
  'CopyDisappeared',
  /** The source is under `aws/ebs`, which cannot be shared. */
  'SourceNotShareable',
  /** The companion in the source account cannot be used. */
  'SourceAccountRefused',
  /** The copy under a shareable key, in the source account, ended in state `error`, or was refused for that key. */
  'IntermediateFailed',
  /** EC2 ended the copy in state `error`, for another cause than a key or the source. */
  'CopyFailed',
  /** EC2 was in trouble for as long as the state machine tries. */
  'Ec2Trouble',
  /** The ledger could not be used: for as long as the state machine tries, or because something is wrong with its table. */
  'LedgerTrouble',
  /** Lambda was in trouble for as long as the state machine tries. */
  'LambdaTrouble',
  /** The execution ran into the time limit of the state machine. */
  'TimedOut',
  /** Somebody stopped the execution. */
  'Aborted',
  /** The copy failed, and the alert with the reason could not be sent. */
  'AlertNotSent',
  /** An event told of a snapshot that EC2 does not show. There was no execution. */
  'SourceNotVisible',
  /** A mistake in this service, or something that it does not know. */
  'InternalError',
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];

/** An execution has a snapshot that was visible when it began. */
export type ExecutionFailureReason = Exclude<FailureReason, 'SourceNotVisible'>;

export interface Failure {
  readonly reason: ExecutionFailureReason;
  /** The service's own words where there are any, else ours. */
  readonly what: string;
  /** Whose words `what` is; `AWS` stands for all services but EC2, for the SDK, and for whoever stopped the execution. */
  readonly saidBy: 'EC2' | 'copier' | 'AWS';
  /** The code of the call that failed, or of what happened on the way to the service; absent if no call failed. */
  readonly code?: string;
  /** The call, if it was one of EC2. */
  readonly call?: Ec2Call;
  /** The Region that was called, if it was EC2. */
  readonly callRegion?: string;
  /** The service that was called for the ledger, and its table, if it was one of these. */
  readonly ledger?: Pick<LedgerAnswer, 'service' | 'table'>;
  readonly copyId?: string;
}

/** Why this execution ended without a good copy. Never throws, whatever it is given. */
export function failureOf(failed: FailedExecution): Failure {
  const copyId = failed.copy?.copyId ?? failed.removal?.copyId;
  const failure = causeOf(failed);
  return { ...failure, what: redact(failure.what), ...(copyId !== undefined && { copyId }) };
}

function causeOf({ copy, endedAs, error, request }: FailedExecution): Failure {
  if (copy?.failure !== undefined) return failureOfCopy(copy.failure);
  const said = error === undefined ? undefined : readCaughtError(error);
  if (endedAs === 'TIMED_OUT') {
    return { reason: 'TimedOut', what: 'Step Functions ended the execution at its time limit', saidBy: 'copier' };
  }
  if (endedAs === 'ABORTED') {
    const given = said === undefined ? '' : nameAndMessage(said);
    return { reason: 'Aborted', what: given || 'whoever stopped the execution gave no cause', saidBy: 'AWS' };
  }
  if (said === undefined) return { reason: 'InternalError', what: 'nothing says why it failed', saidBy: 'copier' };
  if (endedAs === 'FAILED' && !UNCATCHABLE.has(said.name)) {
    return { reason: 'AlertNotSent', what: nameAndMessage(said), saidBy: 'AWS' };
  }
  return failureOfError(said, request);
}

/**
 * Every state but the two that tell people has a Catch, so an execution that fails untold failed in those two, or by
 * an error that no Catch sees: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
const UNCATCHABLE = new Set(['States.Runtime', 'States.DataLimitExceeded']);

function failureOfCopy({ name, message }: CopyFailure): Failure {
  switch (name) {
    case 'CopyEndedInError':
      return { reason: reasonOfStateMessage(message), what: message || 'EC2 gave no reason', saidBy: 'EC2' };
    case 'CopyDisappeared':
    case 'DeadlinePassed':
      return { reason: name, what: message, saidBy: 'copier' };
  }
}

/**
 * EC2 documents only "Given key ID is not accessible"; the others were seen by users.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html
 */
function reasonOfStateMessage(message: string): ExecutionFailureReason {
  if (/\bkey\b|\bkms\b/i.test(message)) return 'KeyNotAccessible';
  if (/source snapshot/i.test(message)) return 'SourceGone';
  return 'CopyFailed';
}

/** Names of core/errors.ts and of AWS to reasons. What is neither here nor Lambda's is a mistake of ours. */
const reasonByName = new Map<string, ExecutionFailureReason>(
  Object.entries({
    // It goes back to the queue; so it comes here only if that could not be written down.
    CopySlotsTakenError: 'LedgerTrouble',
    ThrottledError: 'Ec2Trouble',
    ServiceTroubleError: 'Ec2Trouble',
    CopyOutcomeUnknownError: 'Ec2Trouble',
    NotYetVisibleError: 'Ec2Trouble',
    SourceNotShareableError: 'SourceNotShareable',
    SourceAccountRefusedError: 'SourceAccountRefused',
    SourceHiddenError: 'SourceGone',
    IntermediateFailedError: 'IntermediateFailed',
    RequestRefusedError: 'RequestRefused',
    DeadlinePassedError: 'DeadlinePassed',
    'States.Timeout': 'LambdaTrouble',
    'Sandbox.Timedout': 'LambdaTrouble',
    'Runtime.ExitError': 'LambdaTrouble',
  }),
);

function failureOfError(said: ReadError, request: CopyRequest): Failure {
  const reason = reasonByName.get(said.name) ?? (said.name.startsWith('Lambda.') ? 'LambdaTrouble' : 'InternalError');
  const answer = readEc2Answer(said.message);
  if (answer === undefined) {
    const ofLedger = failureOfLedger(said);
    if (ofLedger !== undefined) return ofLedger;
    if (reason === 'LambdaTrouble') return { reason, what: nameAndMessage(said), saidBy: 'AWS' };
    return { reason, what: reason === 'InternalError' ? nameAndMessage(said) : said.message, saidBy: 'copier' };
  }
  return {
    reason: reasonOfAnswer(said.name, answer, request) ?? reason,
    what: answer.words || 'no further words',
    saidBy: answer.fromEc2 ? 'EC2' : 'AWS',
    code: answer.code,
    call: answer.call,
    callRegion: answer.region,
  };
}

/** Undefined if the error is not of the ledger. */
function failureOfLedger({ name, message }: ReadError): Failure | undefined {
  const reason = 'LedgerTrouble';
  const answer = readLedgerAnswer(message);
  if (answer === undefined) return isOfLedger(name, message) ? { reason, what: message, saidBy: 'copier' } : undefined;
  const { code, words, ...ledger } = answer;
  return { reason, what: words || 'no further words', saidBy: 'AWS', code, ledger };
}

/** What EC2's code tells beyond the class of the error; undefined if nothing. */
function reasonOfAnswer(name: string, { code, words, snapshotId }: Ec2Answer, request: CopyRequest) {
  if (name === 'RequestRefusedError') return reasonOfRefusal[refusalOf(code, words).kind];
  if (code !== 'InvalidSnapshot.NotFound') return undefined;
  return snapshotId === request.source.snapshotId ? 'SourceGone' : 'CopyDisappeared';
}

const reasonOfRefusal = {
  permission: 'NotAllowed',
  quota: 'QuotaReached',
  key: 'KeyNotAccessible',
  request: 'RequestRefused',
} as const satisfies Record<ReturnType<typeof refusalOf>['kind'], ExecutionFailureReason>;

/** States.Timeout and stopped executions have no message. */
function nameAndMessage({ name, message }: ReadError): string {
  return [name, message].filter((part) => part !== '').join(': ');
}
