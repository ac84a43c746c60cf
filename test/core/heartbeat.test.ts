import { describe, expect, it } from 'vitest';
import type { Heartbeat } from '../../core/admission-state.ts';
import { decideAfterLook } from '../../core/heartbeat.ts';

const NOW = new Date('2026-03-02T04:10:00Z');
const me = { id: 'arn:mine', startTime: '2026-03-02T04:09:58.000Z' };
const mine: Heartbeat = { execution: 'arn:mine', until: '2026-03-02T04:10:45.000Z' };
const others: Heartbeat = { execution: 'arn:other', until: '2026-03-02T04:10:00.001Z' };

describe('while requests wait', () => {
  it('the first execution that looks goes on beating, and says until when it is to be believed', () => {
    expect(decideAfterLook(true, undefined, me, 60, NOW)).toEqual({
      action: 'beat',
      reason: 'requests wait',
      waitSeconds: 30,
      heartbeat: { execution: 'arn:mine', until: '2026-03-02T04:11:30.000Z' },
    });
  });

  it('every other one ends', () => {
    expect(decideAfterLook(true, others, me, 60, NOW)).toMatchObject({ action: 'end', heartbeat: others });
  });

  it('the one that beats goes on', () => {
    expect(decideAfterLook(true, mine, me, 60, NOW)).toMatchObject({ action: 'beat' });
  });

  it('one that has said nothing for three beats is taken for dead, and replaced', () => {
    const dead = { ...others, until: NOW.toISOString() };
    expect(decideAfterLook(true, dead, me, 60, NOW)).toMatchObject({
      action: 'beat',
      heartbeat: { execution: 'arn:mine', until: '2026-03-02T04:11:30.000Z' },
    });
  });

  it('one that was taken for dead and comes back ends: there is one heartbeat', () => {
    const alive = { execution: 'arn:successor', until: '2026-03-02T04:11:00.000Z' };
    expect(decideAfterLook(true, alive, { ...me, startTime: '2026-03-02T04:06:00.000Z' }, 0, NOW).action).toBe('end');
  });

  it('it hands over after three minutes, for an Express execution ends after five', () => {
    const old = (startTime: string) => decideAfterLook(true, mine, { id: 'arn:mine', startTime }, 60, NOW).action;
    expect(old('2026-03-02T04:07:00.001Z')).toBe('beat');
    expect(old('2026-03-02T04:07:00.000Z')).toBe('handOver');
  });

  it.each([
    [60, 30],
    [30, 30],
    [17.2, 18],
    [5.1, 6],
    [1, 5],
    [0, 30],
  ])('when a count is due in %d seconds, the next look is in %d', (due, waitSeconds) => {
    expect(decideAfterLook(true, mine, me, due, NOW)).toMatchObject({ waitSeconds });
  });
});

describe('when nothing waits', () => {
  it('the heartbeat ends, and nothing is left of it', () => {
    expect(decideAfterLook(false, mine, me, 60, NOW)).toEqual({
      action: 'end',
      reason: 'nothing waits',
      relies: false,
    });
    expect(decideAfterLook(false, undefined, me, 60, NOW)).toEqual({
      action: 'end',
      reason: 'nothing waits',
      relies: false,
    });
  });

  it('another execution leaves it alone: it will find that out itself', () => {
    expect(decideAfterLook(false, others, me, 60, NOW)).toEqual({
      action: 'end',
      reason: 'nothing waits',
      relies: false,
      heartbeat: others,
    });
  });
});
