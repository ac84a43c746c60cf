import { describe, expect, it } from 'vitest';
import { UnreadableInputError } from '../../core/errors.ts';
import { readExecutionEvent } from '../../core/execution-event.ts';
import { request } from '../support/examples.ts';

function ended(over: object): object {
  return {
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    detail: {
      executionArn: 'arn:aws:states:eu-west-1:444455556666:execution:copier:snap-0a-eu-central-1-1',
      stateMachineArn: 'arn:aws:states:eu-west-1:444455556666:stateMachine:copier',
      name: 'snap-0a-eu-central-1-1',
      status: 'TIMED_OUT',
      startDate: 1772425887000,
      stopDate: 1772512287000,
      input: JSON.stringify(request()),
      output: null,
      error: null,
      cause: null,
      ...over,
    },
  };
}

describe('an execution that ended without telling anybody', () => {
  it.each(['TIMED_OUT', 'ABORTED'])('is told when it is %s', (status) => {
    expect(readExecutionEvent(ended({ status }))).toEqual({
      kind: 'untold',
      endedAt: '2026-03-03T04:31:27.000Z',
      failed: {
        execution: {
          arn: 'arn:aws:states:eu-west-1:444455556666:execution:copier:snap-0a-eu-central-1-1',
          name: 'snap-0a-eu-central-1-1',
          startTime: '2026-03-02T04:31:27.000Z',
          stateMachineArn: 'arn:aws:states:eu-west-1:444455556666:stateMachine:copier',
        },
        request: request(),
        endedAs: status,
      },
    });
  });

  it('is told when it failed before the topic was told, with its error', () => {
    const event = ended({ status: 'FAILED', error: 'SNS.InternalErrorException', cause: 'try later' });
    expect(readExecutionEvent(event)).toMatchObject({
      kind: 'untold',
      failed: { endedAs: 'FAILED', error: { Error: 'SNS.InternalErrorException', Cause: 'try later' } },
    });
    expect(readExecutionEvent(ended({ status: 'FAILED', error: 'X' }))).toMatchObject({
      failed: { error: { Error: 'X', Cause: '' } },
    });
    expect(readExecutionEvent(ended({ status: 'FAILED' }))).toMatchObject({ kind: 'untold' });
    expect(readExecutionEvent(ended({ stopDate: null }))).not.toHaveProperty('endedAt');
  });
});

describe('an execution is not told again', () => {
  it('that failed and told the topic itself', () => {
    expect(readExecutionEvent(ended({ status: 'FAILED', error: 'CopyFailed' })).kind).toBe('ignored');
  });

  it.each(['RUNNING', 'SUCCEEDED', 'PENDING_REDRIVE'])('that is %s', (status) => {
    expect(readExecutionEvent(ended({ status }))).toMatchObject({
      kind: 'ignored',
      reason: expect.stringContaining(status),
    });
  });
});

describe('what cannot be read is an error, so that it ends in the stuck-events queue', () => {
  it.each([
    ['no event', { hello: 1 }],
    ['no input', ended({ input: undefined })],
    ['no JSON', ended({ input: '{' })],
    ['no copy request', ended({ input: '{}' })],
  ])('%s', (_what, event) => {
    expect(() => readExecutionEvent(event)).toThrow(UnreadableInputError);
  });
});
