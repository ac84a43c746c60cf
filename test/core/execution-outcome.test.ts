import { describe, expect, it } from 'vitest';
import { UnreadableInputError } from '../../core/errors.ts';
import { type ExecutionEnd, outcomeOf } from '../../core/execution-outcome.ts';
import { request } from '../support/examples.ts';

const ARN = 'arn:aws:states:eu-west-1:444455556666:execution:copier:snap-0a1b2c3d4e5f60718-eu-central-1-1';
const of = (end: ExecutionEnd) => outcomeOf(end, ARN);
const green = (added: object) => of({ status: 'SUCCEEDED', output: JSON.stringify({ ...request(), ...added }) });

describe('an execution that ended green', () => {
  it('copied', () => {
    const copy = { action: 'tag', reason: 'the copy is complete', copyId: 'snap-0c0c0c0c0c0c0c0c0' };
    expect(green({ copy, result: { marked: true } })).toEqual({
      kind: 'copied',
      copyId: 'snap-0c0c0c0c0c0c0c0c0',
      reason: 'copied as snap-0c0c0c0c0c0c0c0c0',
    });
  });

  it('had nothing left to copy', () => {
    const copy = { action: 'skip', reason: 'the source is gone' };
    expect(green({ copy })).toEqual({ kind: 'skipped', reason: 'the source is gone' });
    const prepared = { action: 'skip', reason: 'gone in its own account' };
    expect(green({ prepared })).toEqual({ kind: 'skipped', reason: 'gone in its own account' });
    expect(green({ prepared: { ...prepared, action: 'ready' }, copy })).toMatchObject({ reason: 'the source is gone' });
  });

  it('was a dry run', () => {
    expect(green({ copy: { action: 'reportDryRun', reason: 'EC2 would allow it' } })).toEqual({ kind: 'rehearsed' });
  });

  it('put its request back into the queue, whatever was known of the copy before', () => {
    expect(green({ error: { Error: 'CopySlotsTakenError', Cause: '{}' }, returned: { waits: true } })).toEqual({
      kind: 'returned',
    });
    expect(green({ copy: { action: 'skip', reason: 'x' }, returned: null })).toEqual({ kind: 'returned' });
  });
});

describe('an execution that did not end green failed', () => {
  it('for the reason of its alert', () => {
    const cause = 'Copy of snap-0a to eu-central-1 failed: KeyNotAccessible';
    expect(of({ status: 'FAILED', error: 'CopyFailed', cause })).toEqual({ kind: 'failed', reason: cause });
    expect(of({ status: 'FAILED', error: 'CopyFailed' })).toEqual({ kind: 'failed', reason: 'see the alert' });
  });

  it.each<[ExecutionEnd, string]>([
    [{ status: 'TIMED_OUT' }, 'the execution ended TIMED_OUT'],
    [{ status: 'ABORTED', error: 'Maintenance' }, 'the execution ended ABORTED: Maintenance'],
    [{ status: 'ABORTED', error: 'Maintenance', cause: 'by Ann' }, 'the execution ended ABORTED: Maintenance: by Ann'],
    [
      { status: 'FAILED', error: 'SNS.InternalErrorException', cause: 'try later' },
      'the execution ended FAILED: SNS.InternalErrorException: try later',
    ],
    [
      {
        status: 'FAILED',
        error: 'RequestRefusedError',
        cause: JSON.stringify({ errorType: 'RequestRefusedError', errorMessage: 'EC2 refuses', trace: [] }),
      },
      'the execution ended FAILED: RequestRefusedError: EC2 refuses',
    ],
  ])('for what Step Functions says of it (%#)', (end, reason) => {
    expect(of(end)).toEqual({ kind: 'failed', reason });
  });
});

describe('an output that is none of the state machine is an error that names the execution', () => {
  it.each<[string, string | undefined, RegExp]>([
    ['none at all', undefined, /cannot be read/],
    ['a text', '"done"', /cannot be read/],
    ['a copy without a reason', '{"copy":{"action":"tag"}}', /copy\.reason/],
    ['no copy', '{"rule":"nightly"}', /names no copy\. Found: \{"rule":"nightly"\}/],
    ['a copy without its id', '{"copy":{"action":"tag","reason":"complete"}}', /names no copy/],
    ['no JSON', `{${'x'.repeat(500)}`, /is not JSON\. Found: \{x{199}$/],
  ])('%s', (_, output, says) => {
    const read = () => of({ status: 'SUCCEEDED', ...(output !== undefined && { output }) });
    expect(read).toThrow(UnreadableInputError);
    expect(read).toThrow(ARN);
    expect(read).toThrow(says);
  });
});
