import { describe, expect, it } from 'vitest';
import { UnreadableInputError } from '../../core/errors.ts';
import { readExecution, readExecutionEvent } from '../../core/execution-event.ts';
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

const execution = {
  arn: 'arn:aws:states:eu-west-1:444455556666:execution:copier:snap-0a-eu-central-1-1',
  name: 'snap-0a-eu-central-1-1',
  startTime: '2026-03-02T04:31:27.000Z',
  stateMachineArn: 'arn:aws:states:eu-west-1:444455556666:stateMachine:copier',
};

describe('an execution that ended without telling anybody', () => {
  it.each(['TIMED_OUT', 'ABORTED'])('is told when it is %s, and has failed', (status) => {
    expect(readExecutionEvent(ended({ status }))).toEqual({
      kind: 'ended',
      name: 'snap-0a-eu-central-1-1',
      request: request(),
      outcome: { kind: 'failed', reason: `the execution ended ${status}` },
      untold: {
        endedAt: '2026-03-03T04:31:27.000Z',
        failed: { execution, request: request(), endedAs: status },
      },
    });
  });

  it('is told with the cause alone that somebody gave for stopping it', () => {
    expect(readExecutionEvent(ended({ status: 'ABORTED', cause: 'maintenance' }))).toMatchObject({
      outcome: { kind: 'failed', reason: 'the execution ended ABORTED: maintenance' },
      untold: { failed: { endedAs: 'ABORTED', error: { Error: '', Cause: 'maintenance' } } },
    });
  });

  it('is told when it failed before the topic was told, with its error', () => {
    const event = ended({ status: 'FAILED', error: 'SNS.InternalErrorException', cause: 'try later' });
    expect(readExecutionEvent(event)).toMatchObject({
      outcome: { kind: 'failed', reason: 'the execution ended FAILED: SNS.InternalErrorException: try later' },
      untold: { failed: { endedAs: 'FAILED', error: { Error: 'SNS.InternalErrorException', Cause: 'try later' } } },
    });
    expect(readExecutionEvent(ended({ status: 'FAILED', error: 'X' }))).toMatchObject({
      untold: { failed: { error: { Error: 'X', Cause: '' } } },
    });
    expect(readExecutionEvent(ended({ status: 'FAILED' }))).toHaveProperty('untold');
    const unended = readExecutionEvent(ended({ stopDate: null }));
    expect(unended).toHaveProperty('untold');
    expect(unended).not.toHaveProperty('untold.endedAt');
  });
});

describe('an execution is not told again, but what became of its request is', () => {
  it('that failed and told the topic itself: the subject of the alert says why', () => {
    const subject = 'EBS copy failed: snap-0a to eu-central-1: key not accessible';
    expect(readExecutionEvent(ended({ status: 'FAILED', error: 'CopyFailed', cause: subject }))).toEqual({
      kind: 'ended',
      name: 'snap-0a-eu-central-1-1',
      request: request(),
      outcome: { kind: 'failed', reason: subject },
    });
  });

  it('that SUCCEEDED: its output says how', () => {
    const output = JSON.stringify({ ...request(), copy: { action: 'tag', reason: 'complete', copyId: 'snap-0c' } });
    expect(readExecutionEvent(ended({ status: 'SUCCEEDED', output }))).toEqual({
      kind: 'ended',
      name: 'snap-0a-eu-central-1-1',
      request: request(),
      outcome: { kind: 'copied', copyId: 'snap-0c', reason: 'copied as snap-0c' },
    });
  });
});

describe('an execution that has not ended', () => {
  it.each(['RUNNING', 'PENDING_REDRIVE'])('because it is %s is nothing to do anything about', (status) => {
    expect(readExecutionEvent(ended({ status }))).toEqual({
      kind: 'ignored',
      reason: `snap-0a-eu-central-1-1 is ${status}`,
    });
  });
});

describe('an execution as DescribeExecution shows it', () => {
  it('is read like its event, whatever status it has', () => {
    const detail = {
      executionArn: execution.arn,
      stateMachineArn: execution.stateMachineArn,
      name: execution.name,
      startDate: 1772425887000,
      input: JSON.stringify(request()),
    };
    expect(readExecution({ ...detail, status: 'RUNNING' }).kind).toBe('ignored');
    expect(readExecution({ ...detail, status: 'ABORTED', stopDate: 1772512287000 })).toEqual(
      readExecutionEvent(ended({ status: 'ABORTED' })),
    );
  });
});

describe('what cannot be read is an error, so that it ends in the stuck-events queue', () => {
  it.each([
    ['no event', { hello: 1 }],
    ['no input', ended({ input: undefined })],
    ['no JSON', ended({ input: '{' })],
    ['no copy request', ended({ input: '{}' })],
    ['a success without a word of a copy', ended({ status: 'SUCCEEDED', output: null })],
    ['a success of something else', ended({ status: 'SUCCEEDED', output: '{"copy":5}' })],
  ])('%s', (_what, event) => {
    expect(() => readExecutionEvent(event)).toThrow(UnreadableInputError);
  });
});
