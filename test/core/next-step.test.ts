import { describe, expect, it } from 'vitest';
import { decideNextStep, progressOf } from '../../core/next-step.ts';
import { copy } from '../support/examples.ts';

const begun = new Date('2026-03-02T12:00:00Z');
const noon = new Date('2026-03-02T12:00:00Z');
const later = (seconds: number) => new Date(noon.getTime() + seconds * 1000);
const midnight = new Date('2026-03-03T00:00:00Z');

describe('the next step of a copy', () => {
  it('waits for a pending copy', () => {
    const step = decideNextStep(copy({ state: 'pending', progressPercent: 40 }), begun, later(1000), midnight);
    expect(step).toEqual({ action: 'wait', waitSeconds: 150, reason: 'the copy is pending (40 %)' });
  });

  it('tags a complete copy, even after the deadline', () => {
    expect(decideNextStep(copy(), begun, later(86_400), midnight).action).toBe('tag');
  });

  it('gives up on the deadline itself, not one poll later', () => {
    const pending = copy({ state: 'pending', progressPercent: 99 });
    expect(decideNextStep(pending, begun, midnight, midnight)).toMatchObject({
      action: 'giveUp',
      failure: {
        name: 'DeadlinePassed',
        message: 'the copy was still pending (99 %) at its deadline, 2026-03-03T00:00:00.000Z',
      },
    });
    expect(decideNextStep(pending, begun, new Date(midnight.getTime() - 1), midnight).action).toBe('wait');
  });

  it('takes state error for an end, with the words of EC2', () => {
    const stateMessage = 'Given key ID is not accessible';
    expect(decideNextStep(copy({ state: 'error', stateMessage }), begun, noon, midnight)).toMatchObject({
      action: 'giveUp',
      failure: { name: 'CopyEndedInError', message: 'Given key ID is not accessible' },
    });
    expect(decideNextStep(copy({ state: 'error' }), begun, noon, midnight).reason).toBe('EC2 gave no reason');
  });

  it.each(['recoverable', 'recovering'] as const)('gives up a copy that is %s: it is in the recycle bin', (state) => {
    const step = decideNextStep(copy({ state }), begun, noon, midnight);
    expect(step).toMatchObject({ action: 'giveUp', failure: { name: 'CopyDisappeared' } });
  });

  it('waits for a new copy that EC2 does not show yet, for five minutes', () => {
    expect(decideNextStep(undefined, begun, later(299), midnight)).toMatchObject({ action: 'wait', waitSeconds: 44 });
    expect(decideNextStep(undefined, begun, later(300), midnight)).toMatchObject({
      action: 'giveUp',
      failure: { name: 'CopyDisappeared' },
    });
  });
});

describe('the report of a look', () => {
  it('has what later states need', () => {
    const seen = copy({ state: 'error', progressPercent: 12, kmsKeyId: 'arn:aws:kms:eu-central-1:444455556666:key/k' });
    expect(progressOf(seen, begun, decideNextStep(seen, begun, noon, midnight))).toEqual({
      copyId: 'snap-0c0c0c0c0c0c0c0c0',
      state: 'error',
      kmsKeyId: 'arn:aws:kms:eu-central-1:444455556666:key/k',
      progressPercent: 12,
      copyStartTime: '2026-03-02T12:00:00.000Z',
      adopted: false,
      action: 'giveUp',
      waitSeconds: 0,
      reason: 'EC2 gave no reason',
      failure: { name: 'CopyEndedInError', message: 'EC2 gave no reason' },
    });
  });

  it('has no copy when EC2 shows none', () => {
    const report = progressOf(undefined, begun, decideNextStep(undefined, begun, noon, midnight));
    expect(report).toMatchObject({ progressPercent: 0, action: 'wait', waitSeconds: 30 });
    expect(report).not.toHaveProperty('copyId');
    expect(report).not.toHaveProperty('failure');
  });
});
