import { describe, expect, it } from 'vitest';
import { decideNextStep, progressOf } from '../../core/next-step.ts';
import { copy, copyTags } from '../support/examples.ts';

const noon = new Date('2026-03-02T12:00:00Z');
const midnight = new Date('2026-03-03T00:00:00Z');
const later = (seconds: number) => new Date(noon.getTime() + seconds * 1000);
/** A copy that began at noon and has until midnight. */
const times = { begun: noon, deadline: midnight };

describe('the next step of a copy', () => {
  it('waits for a pending copy', () => {
    const step = decideNextStep(copy({ state: 'pending', progressPercent: 40 }), later(1000), times);
    expect(step).toEqual({ action: 'wait', waitSeconds: 150, reason: 'the copy is pending (40 %)' });
  });

  it('tags a complete copy, even after the deadline', () => {
    expect(decideNextStep(copy(), later(86_400), times).action).toBe('tag');
  });

  it('gives up on the deadline itself, not one poll later', () => {
    const pending = copy({ state: 'pending', progressPercent: 99 });
    expect(decideNextStep(pending, midnight, times)).toMatchObject({
      action: 'giveUp',
      failure: {
        name: 'DeadlinePassed',
        message: 'the copy was still pending (99 %) at its deadline, 2026-03-03T00:00:00.000Z',
      },
    });
    expect(decideNextStep(pending, new Date(midnight.getTime() - 1), times).action).toBe('wait');
  });

  it('takes state error for an end, with the words of EC2', () => {
    const stateMessage = 'Given key ID is not accessible';
    expect(decideNextStep(copy({ state: 'error', stateMessage }), noon, times)).toMatchObject({
      action: 'giveUp',
      failure: { name: 'CopyEndedInError', message: 'Given key ID is not accessible' },
    });
    expect(decideNextStep(copy({ state: 'error' }), noon, times).reason).toBe('EC2 gave no reason');
  });

  it.each(['recoverable', 'recovering'] as const)('gives up a copy that is %s: it is in the recycle bin', (state) => {
    const step = decideNextStep(copy({ state }), noon, times);
    expect(step).toMatchObject({ action: 'giveUp', failure: { name: 'CopyDisappeared' } });
  });

  it.each(['pending', 'completed'] as const)(
    'gives up a %s copy that another execution gave up: EC2 will delete it',
    (state) => {
      const givenUp = copy({ state, tags: copyTags({ 'snapshot-copier:state': 'failed' }) });
      expect(decideNextStep(givenUp, noon, times)).toMatchObject({ failure: { name: 'CopyDisappeared' } });
    },
  );

  it('takes a copy for deleted when EC2 has not shown it for five minutes, look by look', () => {
    const wait = { action: 'wait', waitSeconds: 60, reason: 'EC2 does not show the copy now' };
    expect(decideNextStep(undefined, later(7200), times)).toEqual(wait);
    expect(decideNextStep(undefined, later(7499), { ...times, missingSince: later(7200) })).toEqual(wait);
    expect(decideNextStep(undefined, later(7500), { ...times, missingSince: later(7200) })).toMatchObject({
      action: 'giveUp',
      failure: { name: 'CopyDisappeared' },
    });
  });
});

describe('the report of a look', () => {
  it('has what later states need', () => {
    const seen = copy({ state: 'error', progressPercent: 12, kmsKeyId: 'arn:aws:kms:eu-central-1:444455556666:key/k' });
    expect(progressOf('snap-0c0c0c0c0c0c0c0c0', seen, noon, times)).toEqual({
      copyId: 'snap-0c0c0c0c0c0c0c0c0',
      state: 'error',
      kmsKeyId: 'arn:aws:kms:eu-central-1:444455556666:key/k',
      progressPercent: 12,
      copyStartTime: '2026-03-02T12:00:00.000Z',
      action: 'giveUp',
      waitSeconds: 0,
      reason: 'EC2 gave no reason',
      failure: { name: 'CopyEndedInError', message: 'EC2 gave no reason' },
    });
  });

  it('remembers since when EC2 shows no copy, and forgets it when the copy is back', () => {
    const first = progressOf('snap-1', undefined, later(60), times);
    expect(first).toMatchObject({ copyId: 'snap-1', action: 'wait', missingSince: '2026-03-02T12:01:00.000Z' });
    expect(first).not.toHaveProperty('failure');
    const second = progressOf('snap-1', undefined, later(120), { ...times, missingSince: later(60) });
    expect(second.missingSince).toBe('2026-03-02T12:01:00.000Z');
    const back = progressOf('snap-1', copy({ state: 'pending' }), later(180), { ...times, missingSince: later(60) });
    expect(back).not.toHaveProperty('missingSince');
  });
});
