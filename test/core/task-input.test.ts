import { describe, expect, it } from 'vitest';
import { UnreadableInputError } from '../../core/errors.ts';
import { parseTaskInput } from '../../core/task-input.ts';
import { request } from '../support/examples.ts';

const execution = {
  arn: 'arn:aws:states:eu-west-1:444455556666:execution:copier:e',
  name: 'e',
  startTime: '2026-03-02T04:31:27.000Z',
  stateMachineArn: 'arn:aws:states:eu-west-1:444455556666:stateMachine:copier',
};
const copy = {
  copyId: 'snap-1',
  progressPercent: 10,
  adopted: false,
  action: 'wait',
  waitSeconds: 30,
  reason: 'the copy is pending (10 %)',
} as const;

describe('the input of a Task state', () => {
  it('is the execution and its input', () => {
    expect(parseTaskInput({ execution, data: request() })).toEqual({ execution, request: request() });
  });

  it('has what earlier states added; what only Step Functions reads is left out', () => {
    const error = { Error: 'RequestRefusedError', Cause: '{}' };
    const refused = { Error: 'CopySlotsTakenError', Cause: '{}' };
    const removal = { outcome: 'removed', copyId: 'snap-1', detail: 'gone' } as const;
    const prepared = {
      action: 'ready',
      waitSeconds: 0,
      reason: 'shared',
      copyFrom: 'snap-2',
      sharedSince: 'now',
      missingSince: 'then',
      begun: { copyId: 'snap-2', at: 'then' },
    } as const;
    const added = { prepared, copy, error, refused, removal };
    expect(parseTaskInput({ execution, data: { ...request(), ...added, told: { MessageId: '1' } } })).toEqual({
      execution,
      request: request(),
      prepared,
      copy,
      error,
      refused,
      removal,
    });
  });

  it('says what stayed behind when RemoveFailedCopy itself failed', () => {
    const removalError = { Error: 'ServiceTroubleError', Cause: 'EC2 is down' };
    const { removal } = parseTaskInput({ execution, data: { ...request(), copy, removalError } });
    expect(removal).toEqual({
      outcome: 'couldNotRemove',
      copyId: 'snap-1',
      detail: 'What the copy left behind could not be removed: ServiceTroubleError: EC2 is down',
    });
    expect(parseTaskInput({ execution, data: { ...request(), removalError } }).removal).not.toHaveProperty('copyId');
  });

  it('keeps every field of a request', () => {
    const full = request({
      source: { kmsKeyId: 'arn:aws:kms:eu-west-1:444455556666:key/1' },
      destination: {
        outpost: 'arn:aws:outposts:eu-central-1:444455556666:outpost/op-1',
        localZone: 'eu-central-1-ham-1a',
        encryption: { kind: 'key', kmsKey: 'alias/dr' },
        tags: { copy: ['A'], add: { B: '1' } },
        completionDurationMinutes: 45,
      },
    });
    expect(parseTaskInput({ execution, data: full }).request).toEqual(full);
  });

  it('is an error with every problem and its path when a hand-started execution got it wrong', () => {
    const { rule: _rule, ...noRule } = request();
    expect(() => parseTaskInput({ execution, data: { ...noRule, dryRun: 'no' } })).toThrow(UnreadableInputError);
    expect(() => parseTaskInput({ execution, data: { ...noRule, dryRun: 'no' } })).toThrow(
      /data\.rule[\s\S]*data\.dryRun/,
    );
  });
});
