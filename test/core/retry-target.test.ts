import { describe, expect, it } from 'vitest';
import { parseRetryTarget } from '../../core/retry-target.ts';

const MACHINE = 'arn:aws:states:eu-west-1:444455556666:stateMachine:ebs-snapshot-copier-prod';
const EXECUTIONS = 'arn:aws:states:eu-west-1:444455556666:execution';
const NAME = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';

describe('what is to be started again', () => {
  it.each([
    ['snap-0a1b2c3d4e5f60718', { kind: 'snapshot', snapshotId: 'snap-0a1b2c3d4e5f60718' }],
    ['snap-0a1b2c3d', { kind: 'snapshot', snapshotId: 'snap-0a1b2c3d' }],
    [NAME, { kind: 'execution', name: NAME }],
    ['by.hand=2', { kind: 'execution', name: 'by.hand=2' }],
    [`${EXECUTIONS}:ebs-snapshot-copier-prod:${NAME}`, { kind: 'execution', name: NAME }],
  ])('can be named %s', (text, target) => {
    expect(parseRetryTarget(text, MACHINE)).toEqual(target);
  });

  it.each([
    ['two words', /neither the id of a snapshot nor the name or ARN of an execution.*for example snap-/],
    ['x'.repeat(81), /neither/],
    ['', /neither/],
    [`${EXECUTIONS}:another-machine:${NAME}`, /of another state machine than arn:.*:ebs-snapshot-copier-prod\.$/],
    [`${EXECUTIONS.replace('eu-west-1', 'us-east-1')}:ebs-snapshot-copier-prod:${NAME}`, /another state machine/],
    [MACHINE, /is no ARN of an execution/],
    ['arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718', /is no ARN of an execution/],
  ])('cannot be named %s', (text, why) => {
    expect(parseRetryTarget(text, MACHINE)).toEqual({ kind: 'none', why: expect.stringMatching(why) });
  });
});
