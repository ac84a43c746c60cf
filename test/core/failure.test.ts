import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { dynamoDbLedger } from '../../aws/dynamodb-ledger.ts';
import { readRequest } from '../../aws/ledger-items.ts';
import { callStepFunctions } from '../../aws/step-functions.ts';
import { readCaughtError } from '../../core/caught-error.ts';
import { inOurWords } from '../../core/ec2-errors.ts';
import { CopierError } from '../../core/errors.ts';
import { type ExecutionFailureReason, FAILURE_REASONS, failureOf } from '../../core/failure.ts';
import { requestKey } from '../../core/ledger-request.ts';
import { requested } from '../../core/request-transitions.ts';
import { EXAMPLES, ec2Error, failed, givenUp, LEDGER, ledgerAnswer, REQUEST, thrown } from './alert-examples.ts';

/** A table in which others have always just changed what is to be written. */
vi.mock('../../aws/dynamodb-table.ts', () => ({
  dynamoDbTable: () => ({ get: () => Promise.resolve(undefined), put: () => Promise.resolve(false) }),
}));

describe('the reason of a failure', () => {
  it.each(Object.entries(EXAMPLES))('%s has an execution that fails so', (reason, execution) => {
    expect(failureOf(execution).reason).toBe(reason);
  });

  it('is one of these words, which filter policies rely on', () => {
    expect(FAILURE_REASONS).toEqual([
      'KeyNotAccessible',
      'SourceGone',
      'DeadlinePassed',
      'NotAllowed',
      'QuotaReached',
      'RequestRefused',
      'CopyDisappeared',
      'SourceNotShareable',
      'SourceAccountRefused',
      'IntermediateFailed',
      'CopyFailed',
      'Ec2Trouble',
      'LedgerTrouble',
      'LambdaTrouble',
      'TimedOut',
      'Aborted',
      'AlertNotSent',
      'SourceNotVisible',
      'InternalError',
    ]);
  });

  it.each<[string, ExecutionFailureReason]>([
    ['Given key ID is not accessible', 'KeyNotAccessible'],
    ['The KMS grant was revoked', 'KeyNotAccessible'],
    ['Source snapshot is not found', 'SourceGone'],
    ['Source snapshot ID is not valid', 'SourceGone'],
    ['monkey business', 'CopyFailed'],
    ['', 'CopyFailed'],
  ])('of a copy that EC2 ended with "%s" is %s', (message, reason) => {
    const failure = failureOf(failed({ copy: givenUp({ name: 'CopyEndedInError', message }) }));
    expect(failure).toEqual({
      reason,
      what: message || 'EC2 gave no reason',
      saidBy: 'EC2',
      copyId: 'snap-0f9e8d7c6b5a40312',
    });
  });

  it.each<[string, string, ExecutionFailureReason]>([
    ['InvalidParameterValue', 'The specified keyId alias/dr-copies is invalid', 'KeyNotAccessible'],
    ['CustomerKeyHasBeenRevoked', 'no', 'KeyNotAccessible'],
    ['OptInRequired', 'no', 'NotAllowed'],
    ['TagLimitExceeded', 'no', 'QuotaReached'],
    ['BrandNewError', 'no', 'RequestRefused'],
    ['RequestLimitExceeded', 'no', 'Ec2Trouble'],
    ['ConcurrentTagAccess', 'no', 'Ec2Trouble'],
    ['InvalidSnapshot.NotFound', 'no', 'SourceGone'],
  ])("of EC2's %s: %s to CopySnapshot is %s", (code, words, reason) => {
    expect(failureOf(failed({ error: ec2Error(code, words) }))).toEqual({
      reason,
      what: words,
      saidBy: 'EC2',
      code: code,
      call: 'CopySnapshot',
      callRegion: 'eu-central-1',
    });
  });

  it.each<[code: string, words: string, status: number | 'no answer']>([
    ['ThrottlingException', 'Throughput exceeds the current capacity of your table.', 400],
    ['ProvisionedThroughputExceededException', 'no', 400],
    ['InternalServerError', 'no', 500],
    ['AccessDeniedException', 'User: x is not authorized to perform: dynamodb:PutItem', 400],
    ['ValidationException', 'One or more parameter values were invalid', 400],
    ['TimeoutError', 'no answer in 8000 ms', 'no answer'],
    ['InvalidKMSKey.Disabled', 'The KMS key of the table', 400],
  ])("of DynamoDB's %s is not EC2's trouble but the ledger's", (code, words, status) => {
    expect(failureOf(failed({ error: ledgerAnswer(code, words, status) }))).toEqual({
      reason: 'LedgerTrouble',
      what: words,
      saidBy: 'AWS',
      code,
      ledger: { service: 'DynamoDB', table: LEDGER },
    });
  });

  it('of Step Functions, which starts what the ledger admits, is the same', async () => {
    const said = callStepFunctions('StartExecution of a', () =>
      Promise.reject(
        Object.assign(new Error('no'), { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } }),
      ),
    );
    const ours = await said.catch((error: unknown) => z.instanceof(CopierError).parse(error));
    expect(failureOf(failed({ error: thrown(ours.name, ours.message) }))).toEqual({
      reason: 'LedgerTrouble',
      what: 'no',
      saidBy: 'AWS',
      code: 'AccessDeniedException',
      ledger: { service: 'Step Functions' },
    });
  });

  it('of a ledger that others change all the time, or in which an item is broken, is the same in our own words', async () => {
    const busy = 'Admission for eu-central-1: others decided at the same time, 5 times in a row.';
    expect(failureOf(failed({ error: thrown('LedgerBusyError', busy) }))).toEqual({
      reason: 'LedgerTrouble',
      what: busy,
      saidBy: 'copier',
    });
    for (const error of [await changedByOthers(), brokenItem()]) {
      expect(failureOf(failed({ error: thrown(error.name, error.message) }))).toEqual({
        reason: 'LedgerTrouble',
        what: error.message,
        saidBy: 'copier',
      });
    }
  });

  it('of a request that EC2 had no slot for is that it could not be put back, in the words that say why', () => {
    const refused = ec2Error('ResourceLimitExceeded', 'Too many snapshot copies in progress.');
    expect(failureOf(failed({ refused, error: ledgerAnswer('InternalServerError', 'no', 500) }))).toMatchObject({
      reason: 'LedgerTrouble',
      code: 'InternalServerError',
    });
    const error = { Error: 'Lambda.TooManyRequestsException', Cause: 'Rate Exceeded.' };
    expect(failureOf(failed({ refused, error })).reason).toBe('LambdaTrouble');
    expect(failureOf(failed({ error: refused }))).toMatchObject({
      reason: 'LedgerTrouble',
      what: 'Too many snapshot copies in progress.',
      saidBy: 'EC2',
    });
  });

  it('is that the copy disappeared if EC2 does not find the snapshot that is the copy', () => {
    const about = { call: 'CreateTags', snapshotId: 'snap-0f9e8d7c6b5a40312' } as const;
    expect(failureOf(failed({ error: ec2Error('InvalidSnapshot.NotFound', 'no', 400, about) })).reason).toBe(
      'CopyDisappeared',
    );
  });

  it.each<[string, string, ExecutionFailureReason, string]>([
    ['States.Timeout', '', 'LambdaTrouble', 'States.Timeout'],
    [
      'Sandbox.Timedout',
      'Task timed out after 30.00 seconds',
      'LambdaTrouble',
      'Sandbox.Timedout: Task timed out after 30.00 seconds',
    ],
    ['Lambda.Unknown', 'x', 'LambdaTrouble', 'Lambda.Unknown: x'],
    ['Runtime.ExitError', 'x', 'LambdaTrouble', 'Runtime.ExitError: x'],
    ['Runtime.ImportModuleError', 'x', 'InternalError', 'Runtime.ImportModuleError: x'],
    ['States.Permissions', 'x', 'InternalError', 'States.Permissions: x'],
    ['UnreadableInputError', 'x', 'InternalError', 'UnreadableInputError: x'],
    ['', '', 'InternalError', ''],
    ['DeadlinePassedError', 'It could not begin.', 'DeadlinePassed', 'It could not begin.'],
    ['RequestRefusedError', 'No EC2 in it.', 'RequestRefused', 'No EC2 in it.'],
  ])('of the error %s "%s" is %s', (name, message, reason, what) => {
    expect(failureOf(failed({ error: { Error: name, Cause: message } }))).toMatchObject({ reason, what });
    expect(failureOf(failed({ error: thrown(name, message) }))).toMatchObject({ reason, what });
  });

  it('is what the copy says, even if the execution was stopped later', () => {
    const copy = givenUp({ name: 'DeadlinePassed', message: 'late' });
    expect(failureOf(failed({ copy, endedAs: 'ABORTED', error: thrown('TypeError', 'x') })).reason).toBe(
      'DeadlinePassed',
    );
  });

  it('is the error, not what an earlier look at the copy said', () => {
    const { failure: _, ...pending } = givenUp({ name: 'DeadlinePassed', message: 'late' });
    expect(failureOf(failed({ copy: pending, error: thrown('TypeError', 'x') })).reason).toBe('InternalError');
  });

  it.each<[string, ExecutionFailureReason]>([
    ['States.Timeout', 'AlertNotSent'],
    ['TypeError', 'AlertNotSent'],
    ['States.Runtime', 'InternalError'],
    ['States.DataLimitExceeded', 'InternalError'],
  ])('of an execution that told nobody and ended with %s is %s', (name, reason) => {
    const error = { Error: name, Cause: 'x' };
    expect(failureOf(failed({ endedAs: 'FAILED', error }))).toMatchObject({ reason, what: `${name}: x` });
  });

  it('of an execution that was stopped without a word still says something', () => {
    expect(failureOf(failed({ endedAs: 'ABORTED' })).what).toBe('whoever stopped the execution gave no cause');
    expect(failureOf(failed({ endedAs: 'FAILED' })).what).toBe('nothing says why it failed');
    const silent = ec2Error('Blocked', '');
    expect(failureOf(failed({ error: silent })).what).toBe('no further words');
    expect(failureOf(failed({ error: ledgerAnswer('InternalServerError', '', 500) })).what).toBe('no further words');
  });

  it('knows the copy from what was removed, if it was never reported', () => {
    const removal = { outcome: 'removed', copyId: 'snap-0d0d0d0d', detail: 'x' } as const;
    expect(failureOf(failed({ removal })).copyId).toBe('snap-0d0d0d0d');
  });

  it('does not put words into the mouth of EC2 that it never said', () => {
    const about = { call: 'CopySnapshot', snapshotId: 'snap-0a1b2c3d4e5f60718', region: 'eu-central-1' } as const;
    const ours = inOurWords(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), about);
    expect(failureOf(failed({ error: thrown(ours.name, ours.message) }))).toEqual({
      reason: 'Ec2Trouble',
      what: 'socket hang up',
      saidBy: 'AWS',
      code: 'ECONNRESET',
      call: 'CopySnapshot',
      callRegion: 'eu-central-1',
    });
  });

  it('holds no secret that a cause may hold', () => {
    const cause = 'see https://ec2.eu-west-1.amazonaws.com/?X-Amz-Security-Token=abc';
    expect(failureOf(failed({ error: { Error: 'Odd', Cause: cause } })).what).toBe('Odd: see (URL left out)');
  });

  it('is found in anything that Step Functions may write', () => {
    const text = fc.oneof(fc.string(), fc.json());
    const ends = fc.constantFrom(undefined, 'FAILED', 'TIMED_OUT', 'ABORTED');
    fc.assert(
      fc.property(text, text, ends, (name, cause, endedAs) => {
        const failure = failureOf(
          failed({ error: { Error: name, Cause: cause }, ...(endedAs !== undefined && { endedAs }) }),
        );
        expect(FAILURE_REASONS).toContain(failure.reason);
      }),
    );
  });
});

/** What the ledger throws when others change the same request each time. */
async function changedByOthers(): Promise<Error> {
  const ledger = dynamoDbLedger(LEDGER, { pause: () => Promise.resolve() });
  const change = ledger.change(
    requestKey(REQUEST.source, REQUEST.destination),
    requested(REQUEST, 'x', new Date('2026-03-02T04:13:01Z')),
  );
  return change.then(
    () => new Error('it was changed'),
    (error: unknown) => z.instanceof(Error).parse(error),
  );
}

/** What the ledger throws when somebody edited an item. */
function brokenItem(): Error {
  try {
    readRequest({ region: { S: 'eu-central-1' }, item: { S: 'x' } });
    return new Error('it was read');
  } catch (error) {
    return z.instanceof(Error).parse(error);
  }
}

describe('a caught error', () => {
  it.each([
    ['{"errorType":"A","errorMessage":"said","trace":[]}', 'said'],
    ['{"errorType":"A","errorMessage":5}', '{"errorType":"A","errorMessage":5}'],
    ['{"errorType":"A","errorMess', '{"errorType":"A","errorMess'],
    ['plain', 'plain'],
    ['null', 'null'],
  ])('with the cause %s says "%s"', (Cause, message) => {
    expect(readCaughtError({ Error: 'A', Cause })).toEqual({ name: 'A', message });
  });
});
