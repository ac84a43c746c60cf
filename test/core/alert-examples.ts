import { ledgerError } from '../../aws/dynamodb-errors.ts';
import type { CopyFailure, CopyProgress } from '../../core/copy-progress.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { type AboutCall, inOurWords } from '../../core/ec2-errors.ts';
import type { CaughtError, FailedExecution } from '../../core/execution.ts';
import type { ExecutionFailureReason } from '../../core/failure.ts';
import type { Install } from '../../core/install.ts';

export const INSTALL: Install = {
  name: 'ebs-snapshot-copier-prod',
  account: '444455556666',
  region: 'eu-west-1',
  roleArn:
    'arn:aws:iam::444455556666:role/snapshot-copier/ebs-snapshot-copier-prod/ebs-snapshot-copier-prod-StartCopyRole',
};

/** An encrypted snapshot that account 111122223333 shared, for a key of the account that makes the copy. */
export const REQUEST: CopyRequest = {
  rule: 'nightly-to-frankfurt',
  dryRun: false,
  source: {
    snapshotId: 'snap-0a1b2c3d4e5f60718',
    region: 'eu-west-1',
    ownerId: '111122223333',
    volumeId: 'vol-0123456789abcdef0',
    startTime: '2026-03-02T04:09:51.204Z',
    sizeGiB: 100,
    encrypted: true,
    kmsKeyId: 'arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666',
    description: 'nightly of db-1',
    tags: {},
  },
  destination: {
    region: 'eu-central-1',
    encryption: { kind: 'key', kmsKey: 'alias/dr-copies' },
    description: '{description}',
    tags: { copy: 'all', add: {} },
    slots: 18,
    deadlineSeconds: 48 * 3600,
  },
};

const EXECUTION = {
  arn: 'arn:aws:states:eu-west-1:444455556666:execution:ebs-snapshot-copier-prod:snap-0a1b2c3d4e5f60718-eu-central-1-1',
  name: 'snap-0a1b2c3d4e5f60718-eu-central-1-1',
  startTime: '2026-03-02T04:13:01.020Z',
  stateMachineArn: 'arn:aws:states:eu-west-1:444455556666:stateMachine:ebs-snapshot-copier-prod',
};

/** An execution that failed, with what is said of it. */
export function failed(over: Partial<FailedExecution> = {}): FailedExecution {
  return { execution: EXECUTION, request: REQUEST, ...over };
}

/** `REQUEST` with other facts. */
export function request(over: {
  source?: Partial<CopyRequest['source']>;
  destination?: Partial<CopyRequest['destination']>;
}): CopyRequest {
  return {
    ...REQUEST,
    source: { ...REQUEST.source, ...over.source },
    destination: { ...REQUEST.destination, ...over.destination },
  };
}

/** A copy that was given up. */
export function givenUp(failure: CopyFailure, progressPercent = 0): CopyProgress {
  return {
    copyId: 'snap-0f9e8d7c6b5a40312',
    state: failure.name === 'CopyEndedInError' ? 'error' : 'pending',
    progressPercent,
    copyStartTime: '2026-03-02T04:13:02.511Z',
    adopted: false,
    action: 'giveUp',
    waitSeconds: 0,
    reason: failure.message,
    failure,
  };
}

/** What a Catch catches when a function throws. */
export function thrown(name: string, message: string): CaughtError {
  return { Error: name, Cause: JSON.stringify({ errorType: name, errorMessage: message, trace: [] }) };
}

/** What a Catch catches when EC2 answers a call with an error. */
export function ec2Error(code: string, words: string, status = 400, about: Partial<AboutCall> = {}): CaughtError {
  const error = Object.assign(new Error(words), { name: code, $metadata: { httpStatusCode: status } });
  const ours = inOurWords(error, {
    call: 'CopySnapshot',
    snapshotId: REQUEST.source.snapshotId,
    region: REQUEST.destination.region,
    ...about,
  });
  return thrown(ours.name, ours.message);
}

/** What a Catch catches when DynamoDB answers a call for the ledger with an error, or not at all. */
export function ledgerAnswer(code: string, words: string, status: number | 'no answer' = 400): CaughtError {
  const $metadata = status === 'no answer' ? {} : { httpStatusCode: status };
  const error = Object.assign(new Error(words), { name: code, $metadata });
  const what = `${REQUEST.source.snapshotId} to ${REQUEST.destination.region}`;
  const ours = ledgerError(error, { call: 'PutItem', table: LEDGER, what });
  return thrown(ours.name, ours.message);
}

export const LEDGER = 'ebs-snapshot-copier-prod-LedgerTable-1ABCDEFGHIJKL';

/** The same request, for an owner that has the companion. */
export const withCompanion: CopyRequest = request({ source: { companion: { reencrypt: false } } });

/** An execution for each reason. A new reason does not compile without one. */
export const EXAMPLES: Readonly<Record<ExecutionFailureReason, FailedExecution>> = {
  KeyNotAccessible: failed({
    copy: givenUp({ name: 'CopyEndedInError', message: 'Given key ID is not accessible' }),
    removal: {
      outcome: 'removed',
      copyId: 'snap-0f9e8d7c6b5a40312',
      detail: 'Copy snap-0f9e8d7c6b5a40312 ended in state error and was deleted.',
    },
  }),
  SourceGone: failed({ copy: givenUp({ name: 'CopyEndedInError', message: 'Source snapshot is not found' }) }),
  DeadlinePassed: failed({
    copy: givenUp({ name: 'DeadlinePassed', message: 'the copy was still pending (63 %) at its deadline' }, 63),
  }),
  NotAllowed: failed({
    error: ec2Error('UnauthorizedOperation', 'You are not authorized to perform this operation.', 403),
  }),
  QuotaReached: failed({ error: ec2Error('SnapshotLimitExceeded', 'You have reached the limit.') }),
  RequestRefused: failed({ error: ec2Error('InvalidParameterValue', 'Invalid value for CompletionDurationMinutes.') }),
  CopyDisappeared: failed({
    copy: givenUp({ name: 'CopyDisappeared', message: 'EC2 does not show the copy any more: somebody deleted it' }),
  }),
  SourceNotShareable: failed({
    request: withCompanion,
    error: thrown(
      'SourceNotShareableError',
      'snap-0a1b2c3d4e5f60718 of account 111122223333 cannot be shared: it is under aws/ebs, the key that AWS manages, which serves its own account alone.',
    ),
  }),
  SourceAccountRefused: failed({
    request: withCompanion,
    error: thrown(
      'SourceAccountRefusedError',
      'The role of the companion in account 111122223333 cannot be assumed: deploy or update companions/source-account.yml there. AssumeRole of arn:aws:iam::111122223333:role/snapshot-copier/ebs-snapshot-copier-prod-for-444455556666: STS says AccessDenied: not authorized',
    ),
  }),
  IntermediateFailed: failed({
    request: withCompanion,
    error: thrown(
      'IntermediateFailedError',
      'The copy of snap-0a1b2c3d4e5f60718 under a shareable key in account 111122223333, snap-0e1f2a3b4c5d60718, ended in error and was removed: Given key ID is not accessible',
    ),
  }),
  CopyFailed: failed({ copy: givenUp({ name: 'CopyEndedInError', message: 'Internal trouble' }) }),
  Ec2Trouble: failed({ error: ec2Error('Unavailable', 'The server is overloaded.', 503) }),
  LedgerTrouble: failed({
    error: ledgerAnswer('ResourceNotFoundException', 'Requested resource not found'),
  }),
  LambdaTrouble: failed({ error: { Error: 'Lambda.TooManyRequestsException', Cause: 'Rate Exceeded.' } }),
  TimedOut: failed({ endedAs: 'TIMED_OUT' }),
  Aborted: failed({ endedAs: 'ABORTED', error: { Error: 'Maintenance', Cause: 'not tonight' } }),
  AlertNotSent: failed({
    endedAs: 'FAILED',
    error: { Error: 'SNS.NotFoundException', Cause: 'Topic does not exist (Service: AmazonSNS; Status Code: 404)' },
  }),
  InternalError: failed({ error: thrown('TypeError', 'tags is not iterable') }),
};
