import { describe, expect, it } from 'vitest';
import type { LedgerRequest } from '../../core/ledger-request.ts';
import {
  copyBegun,
  isSettledBy,
  nameTaken,
  requested,
  requestedAgain,
  requestedAnew,
  returned,
  settled,
  started,
  type Transition,
} from '../../core/request-transitions.ts';
import { request } from '../support/examples.ts';

const ASKED = new Date('2026-03-02T04:10:00.000Z');
const NOW = new Date('2026-03-02T05:00:00.000Z');
const BEGUN = new Date('2026-03-02T04:59:58.000Z');
const FIRST = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';
const SECOND = 'snap-0a1b2c3d4e5f60718-eu-central-1-2';
const BY_HAND = 'my-test';
const COPY = 'snap-0c0c0c0c0c0c0c0c0';

/** What has become of a request after all that. */
function history(...steps: readonly Transition[]): LedgerRequest | undefined {
  return steps.reduce<LedgerRequest | undefined>((current, step) => step(current) ?? current, undefined);
}

const ask = requested(request(), 'rule nightly selects it', ASKED);
const start = (attempt: number, execution: string) => started(attempt, execution, 'a slot is free', ASKED);
const begin = (execution: string, copyId = COPY) => copyBegun(execution, copyId, BEGUN, NOW);
const goBack = (execution: string) => returned(request(), execution, NOW);
const fail = (execution: string) => settled(execution, { kind: 'failed', reason: 'no key' }, NOW, 90);
const skip = (execution: string) => settled(execution, { kind: 'skipped', reason: 'source gone' }, NOW, 90);
const succeed = (execution: string, copyId = COPY) =>
  settled(execution, { kind: 'copied', copyId, reason: `copied as ${copyId}` }, NOW, 90);
const askAgain = requestedAgain(request({ destination: { slots: 5 } }), NOW);

const waiting = history(ask);
const running = history(ask, start(1, FIRST));
const copied = history(ask, start(1, FIRST), succeed(FIRST));
const failed = history(ask, start(1, FIRST), fail(FIRST));
const skipped = history(ask, start(1, FIRST), skip(FIRST));

describe('a snapshot that a rule selects', () => {
  it('waits from then on', () => {
    expect(waiting).toEqual({
      request: request(),
      status: 'waiting',
      reason: 'rule nightly selects it',
      attempt: 0,
      requestedAt: '2026-03-02T04:10:00.000Z',
      waitingSince: '2026-03-02T04:10:00.000Z',
      changedAt: '2026-03-02T04:10:00.000Z',
    });
  });

  it.each([
    ['waits', waiting],
    ['runs', running],
    ['is copied', copied],
    ['failed', failed],
    ['was skipped', skipped],
  ])('changes nothing when its event is repeated while it %s', (_, current) => {
    expect(requested(request(), 'again', NOW)(current)).toBeUndefined();
  });
});

describe('a copy that is asked for by hand', () => {
  it('waits, if nobody asked before', () => {
    expect(askAgain(undefined)).toMatchObject({ status: 'waiting', attempt: 0, reason: 'asked for by hand' });
  });

  it('waits again after it failed, with what is asked for now, and its executions go on counting', () => {
    expect(askAgain(failed)).toEqual({
      request: request({ destination: { slots: 5 } }),
      status: 'waiting',
      reason: 'asked for again by hand after it failed: no key',
      attempt: 1,
      execution: FIRST,
      requestedAt: '2026-03-02T04:10:00.000Z',
      waitingSince: '2026-03-02T05:00:00.000Z',
      changedAt: '2026-03-02T05:00:00.000Z',
    });
  });

  it('waits again after it was skipped, also if it never had an execution', () => {
    expect(askAgain(skipped)).toMatchObject({ status: 'waiting', reason: expect.stringContaining('source gone') });
    const neverBegun: LedgerRequest | undefined = waiting && { ...waiting, status: 'skipped' };
    expect(askAgain(neverBegun)).toMatchObject({ status: 'waiting', attempt: 0 });
    expect(askAgain(neverBegun)).not.toHaveProperty('execution');
  });

  it.each([
    ['waits', waiting],
    ['runs', running],
    ['is copied', copied],
  ])('stays as it is while it %s', (_, current) => {
    expect(askAgain(current)).toBeUndefined();
  });
});

describe('a copy that was made and is gone', () => {
  const made = history(ask, start(1, FIRST), begin(FIRST), succeed(FIRST));
  if (made === undefined) throw new Error('no request');
  const anew = requestedAnew(request({ destination: { slots: 5 } }), made, 'its copy is gone from EC2', NOW);

  it('waits again, with what is asked for now, and its executions go on counting', () => {
    expect(anew(made)).toEqual({
      request: request({ destination: { slots: 5 } }),
      status: 'waiting',
      reason: 'asked for again by hand, as its copy is gone from EC2',
      attempt: 1,
      execution: FIRST,
      requestedAt: '2026-03-02T04:10:00.000Z',
      waitingSince: '2026-03-02T05:00:00.000Z',
      changedAt: '2026-03-02T05:00:00.000Z',
    });
    expect(history(() => made, anew, start(2, SECOND))).toMatchObject({ status: 'running', attempt: 2 });
  });

  it.each([
    ['there is no request any more', undefined],
    ['another call was faster', history(() => made, anew)],
    ['it was made anew in between', { ...made, copyId: 'snap-0d' }],
    ['it changed in between', { ...made, changedAt: '2026-03-02T05:00:01.000Z' }],
  ])('stays as it is if %s', (_, current) => {
    expect(anew(current)).toBeUndefined();
  });
});

describe('a start', () => {
  it('makes a waiting request run', () => {
    expect(started(1, FIRST, 'a slot is free', NOW)(waiting)).toEqual({
      request: request(),
      status: 'running',
      reason: 'a slot is free',
      attempt: 1,
      execution: FIRST,
      requestedAt: '2026-03-02T04:10:00.000Z',
      waitingSince: '2026-03-02T04:10:00.000Z',
      changedAt: '2026-03-02T05:00:00.000Z',
    });
  });

  it('is written once, however often it is completed', () => {
    expect(start(1, FIRST)(running)).toBeUndefined();
  });

  it('that was decided before the request came back to the queue does not make it run', () => {
    expect(start(1, FIRST)(history(ask, start(1, FIRST), goBack(FIRST)))).toBeUndefined();
  });

  it('that is written late does not hide that its execution is over', () => {
    for (const end of [succeed(FIRST), fail(FIRST), skip(FIRST)]) {
      expect(start(1, FIRST)(history(ask, end))).toBeUndefined();
    }
  });

  it('of no request is none', () => {
    expect(start(1, FIRST)(undefined)).toBeUndefined();
  });
});

describe('a copy that began', () => {
  it('is written to the request that runs', () => {
    expect(begin(FIRST)(running)).toEqual({
      ...running,
      copyId: COPY,
      copyBegunAt: '2026-03-02T04:59:58.000Z',
      changedAt: '2026-03-02T05:00:00.000Z',
    });
  });

  it('is written once', () => {
    expect(begin(FIRST)(history(ask, start(1, FIRST), begin(FIRST)))).toBeUndefined();
  });

  it('replaces the one before it: an execution may find another', () => {
    const another = begin(FIRST, 'snap-0d')(history(ask, start(1, FIRST), begin(FIRST)));
    expect(another).toMatchObject({ status: 'running', copyId: 'snap-0d' });
  });

  it.each([
    ['whose start is not written down yet', waiting, FIRST, 1],
    ['that was started by hand after the copy failed', failed, SECOND, 2],
    ['that was started by hand while another one runs', running, SECOND, 2],
  ])('makes the request run, by an execution %s', (_, current, execution, attempt) => {
    const now = begin(execution)(current);
    expect(now).toMatchObject({ status: 'running', execution, attempt, copyId: COPY });
    expect(now?.reason).toBe('its execution tells that the copy has begun');
    expect(now).not.toHaveProperty('expiresAt');
  });

  it.each([
    ['there is no request', undefined, FIRST],
    ['the copy is made', copied, SECOND],
    ['the execution is over', failed, FIRST],
    ['the request has come back to the queue', history(ask, start(1, FIRST), goBack(FIRST)), FIRST],
    ['a later execution runs', history(ask, start(1, FIRST), goBack(FIRST), start(2, SECOND)), FIRST],
    ['the execution was named by hand', running, BY_HAND],
  ])('changes nothing if %s', (_, current, execution) => {
    expect(begin(execution)(current)).toBeUndefined();
  });
});

describe('a request that EC2 had no slot for', () => {
  it('waits again since when it waited, and without a failure', () => {
    expect(goBack(FIRST)(running)).toEqual({
      request: request(),
      status: 'waiting',
      reason: 'EC2 refused it, as it runs as many copies into the Region as it allows',
      attempt: 1,
      execution: FIRST,
      requestedAt: '2026-03-02T04:10:00.000Z',
      waitingSince: '2026-03-02T04:10:00.000Z',
      changedAt: '2026-03-02T05:00:00.000Z',
    });
  });

  it('starts next time under the next name', () => {
    const back = history(ask, start(1, FIRST), goBack(FIRST));
    expect(start(2, SECOND)(back)).toMatchObject({ status: 'running', attempt: 2, execution: SECOND });
  });

  it.each([
    ['is not written down as started yet', waiting, FIRST, 1],
    ['was started by hand after it failed', failed, SECOND, 2],
    ['was started by hand after it failed, under a name of its own', failed, BY_HAND, 1],
  ])('waits again also if it %s', (_, current, execution, attempt) => {
    const back = goBack(execution)(current);
    expect(back).toMatchObject({ status: 'waiting', attempt, execution });
    expect(back).not.toHaveProperty('expiresAt');
  });

  it('is written down if the ledger knows nothing of it: its execution was started by hand', () => {
    expect(goBack(SECOND)(undefined)).toMatchObject({
      status: 'waiting',
      attempt: 2,
      execution: SECOND,
      waitingSince: '2026-03-02T05:00:00.000Z',
    });
    expect(goBack(BY_HAND)(undefined)).toMatchObject({ status: 'waiting', attempt: 0, execution: BY_HAND });
  });

  it.each([
    ['has come back already', history(ask, start(1, FIRST), goBack(FIRST)), FIRST],
    ['runs in a later execution', history(ask, start(1, FIRST), goBack(FIRST), start(2, SECOND)), FIRST],
    ['is copied', copied, SECOND],
    ['waits anyhow, for an execution that was named by hand', waiting, BY_HAND],
  ])('stays as it is if it %s', (_, current, execution) => {
    expect(goBack(execution)(current)).toBeUndefined();
  });
});

describe('an execution that is over', () => {
  const begun = history(ask, start(1, FIRST), begin(FIRST));

  it('leaves a copy', () => {
    expect(succeed(FIRST, 'snap-0d')(begun)).toEqual({
      ...begun,
      status: 'copied',
      reason: 'copied as snap-0d',
      copyId: 'snap-0d',
      changedAt: '2026-03-02T05:00:00.000Z',
      // 2026-05-31T05:00:00Z
      expiresAt: 1_780_203_600,
    });
  });

  it('leaves a failure, and what is known of the copy', () => {
    expect(fail(FIRST)(begun)).toEqual({
      ...begun,
      status: 'failed',
      reason: 'no key',
      changedAt: '2026-03-02T05:00:00.000Z',
      expiresAt: 1_780_203_600,
    });
  });

  it('leaves nothing to do', () => {
    expect(skip(FIRST)(running)).toMatchObject({ status: 'skipped', reason: 'source gone', expiresAt: 1_780_203_600 });
  });

  it('keeps the request for as many days as are asked for', () => {
    const kept = settled(FIRST, { kind: 'failed', reason: 'no key' }, new Date('2026-03-02T05:00:00.999Z'), 1);
    expect(kept(running)?.expiresAt).toBe(Date.parse('2026-03-03T05:00:00Z') / 1000);
  });

  it('counts also if its start was never written down, or if it was started by hand', () => {
    expect(fail(FIRST)(waiting)).toMatchObject({ status: 'failed', attempt: 1, execution: FIRST });
    expect(fail(SECOND)(failed)).toMatchObject({ status: 'failed', attempt: 2, execution: SECOND });
    expect(skip(SECOND)(failed)).toMatchObject({ status: 'skipped', attempt: 2, execution: SECOND });
  });

  it('does not end a request again', () => {
    for (const end of [fail(FIRST), skip(FIRST), succeed(FIRST)]) expect(end(copied)).toBeUndefined();
    for (const current of [failed, skipped]) {
      expect(fail(FIRST)(current)).toBeUndefined();
      expect(skip(FIRST)(current)).toBeUndefined();
    }
  });

  it.each([
    ['waits again', history(ask, start(1, FIRST), fail(FIRST), askAgain)],
    ['has come back to the queue', history(ask, start(1, FIRST), goBack(FIRST))],
    ['runs again', history(ask, start(1, FIRST), fail(FIRST), askAgain, start(2, SECOND))],
  ])('does not bring down a request that %s meanwhile', (_, current) => {
    expect(fail(FIRST)(current)).toBeUndefined();
    expect(skip(FIRST)(current)).toBeUndefined();
  });

  it('brings no request back that is gone', () => {
    for (const end of [fail(FIRST), skip(FIRST), succeed(FIRST)]) expect(end(undefined)).toBeUndefined();
  });

  it.each([
    ['failed', failed],
    ['waits again', history(ask, start(1, FIRST), fail(FIRST), askAgain)],
    ['runs again', history(ask, start(1, FIRST), fail(FIRST), askAgain, start(2, SECOND))],
  ])('with a good copy ends the request, even if it %s', (_, current) => {
    expect(succeed(FIRST)(current)).toMatchObject({
      status: 'copied',
      copyId: COPY,
      execution: FIRST,
      attempt: current?.attempt,
    });
  });

  it('and was named by hand ends the request with a good copy, but not with a failure', () => {
    expect(succeed(BY_HAND)(running)).toMatchObject({ status: 'copied', execution: BY_HAND, attempt: 1 });
    expect(fail(BY_HAND)(running)).toBeUndefined();
  });
});

describe('a number whose name is taken', () => {
  it('is left out by a request that waits for just that number', () => {
    const waiting = history(ask);
    expect(nameTaken(1, NOW)(waiting)).toEqual({ ...waiting, attempt: 1, changedAt: NOW.toISOString() });
    expect(nameTaken(2, NOW)(waiting)).toBeUndefined();
    expect(nameTaken(1, NOW)(running)).toBeUndefined();
    expect(nameTaken(1, NOW)(undefined)).toBeUndefined();
  });
});

describe('whether the ledger has the end of an execution', () => {
  it.each([
    ['copied', FIRST, copied, true],
    ['failed', FIRST, failed, true],
    ['skipped', FIRST, skipped, true],
    ['running', FIRST, running, false],
    ['waiting again', FIRST, history(ask, start(1, FIRST), goBack(FIRST)), true],
    ['running in a later one', FIRST, history(ask, start(1, FIRST), goBack(FIRST), start(2, SECOND)), true],
    ['failed in an earlier one', SECOND, failed, false],
    ['failed, while another was started under a name of its own', 'by-hand', failed, false],
    ['gone', FIRST, undefined, false],
  ])('of a request that is %s', (_, execution, current, known) => {
    expect(isSettledBy(execution, current)).toBe(known);
  });
});
