import { describe, expect, it } from 'vitest';
import type { LedgerRequest } from '../../../core/ledger-request.ts';
import { type FailedExecutionEntry, failuresOf, keyOfExecution } from '../../../core/status/failures.ts';
import { request } from '../../support/examples.ts';

const SNAPSHOT = 'snap-0a1b2c3d4e5f60718';
const FIRST = `${SNAPSHOT}-eu-central-1-1`;
const SECOND = `${SNAPSHOT}-eu-central-1-2`;
const REASON = 'EBS copy failed: key not accessible';

const entry = (over: Partial<FailedExecutionEntry> = {}): FailedExecutionEntry => ({
  name: FIRST,
  status: 'FAILED',
  endedAt: '2026-03-02T05:00:00.000Z',
  ...over,
});

const known = (over: Partial<LedgerRequest> = {}): LedgerRequest => ({
  request: request(),
  status: 'failed',
  reason: REASON,
  attempt: 1,
  execution: FIRST,
  requestedAt: '2026-03-02T04:10:00.000Z',
  waitingSince: '2026-03-02T04:10:00.000Z',
  changedAt: '2026-03-02T05:00:01.000Z',
  ...over,
});

const NONE = { waiting: 0, running: 0, copied: 0, skipped: 0 };

describe('a copy that failed', () => {
  it('is shown with what the ledger says of it', () => {
    expect(failuresOf([entry()], [known()])).toEqual({
      open: [
        {
          execution: FIRST,
          endedAs: 'FAILED',
          endedAt: '2026-03-02T05:00:00.000Z',
          snapshotId: SNAPSHOT,
          destination: 'eu-central-1',
          rule: 'nightly',
          isDryRun: false,
          reason: REASON,
        },
      ],
      since: NONE,
    });
  });

  it('is shown once, as it ended last, however often it was tried', () => {
    const entries = [
      entry({ endedAt: '2026-03-02T04:00:00.000Z' }),
      entry({ name: SECOND, status: 'ABORTED', endedAt: '2026-03-02T06:00:00.000Z' }),
    ];
    const { open } = failuresOf(entries, [known({ execution: SECOND, attempt: 2 })]);
    expect(open).toMatchObject([{ execution: SECOND, endedAs: 'ABORTED' }]);
  });

  it('is shown after others that ended later', () => {
    const other = 'snap-0b000000000000000-eu-central-1-1';
    const entries = [entry(), entry({ name: other, endedAt: '2026-03-02T06:00:00.000Z' })];
    expect(failuresOf(entries, []).open.map(({ execution }) => execution)).toEqual([other, FIRST]);
    expect(failuresOf(entries.toReversed(), []).open.map(({ execution }) => execution)).toEqual([other, FIRST]);
  });

  it.each(['waiting', 'copied', 'skipped'] as const)('and is %s since is only counted', (status) => {
    expect(failuresOf([entry()], [known({ status })])).toEqual({ open: [], since: { ...NONE, [status]: 1 } });
  });

  it('and runs again, in another execution, is only counted', () => {
    const running = known({ status: 'running', execution: SECOND, attempt: 2 });
    expect(failuresOf([entry()], [running])).toEqual({ open: [], since: { ...NONE, running: 1 } });
  });

  it('is shown also while the ledger has not heard of its end', () => {
    const running = known({ status: 'running', reason: 'a slot is free' });
    expect(failuresOf([entry({ status: 'TIMED_OUT' })], [running]).open).toMatchObject([
      { reason: 'the execution ended TIMED_OUT; its alert says why', rule: 'nightly' },
    ]);
  });

  it('is shown by its name alone if the ledger has forgotten it', () => {
    expect(failuresOf([entry()], []).open).toMatchObject([
      {
        snapshotId: SNAPSHOT,
        destination: 'eu-central-1',
        rule: null,
        reason: 'the execution ended FAILED; its alert says why',
      },
    ]);
  });

  it('is shown as a dry run if it was one, which is in no ledger', () => {
    const asked = { ...request(), dryRun: true };
    const rehearsal = entry({ name: `${SNAPSHOT}-eu-central-1-0`, asked, cause: 'EC2 refuses' });
    expect(failuresOf([rehearsal], [known({ status: 'copied' })]).open).toMatchObject([
      { isDryRun: true, snapshotId: SNAPSHOT, destination: 'eu-central-1', rule: 'nightly', reason: 'EC2 refuses' },
    ]);
  });

  it('is that of its input if somebody gave its execution a name', () => {
    const byHand = entry({ name: 'by-hand', asked: request() });
    expect(failuresOf([byHand], [known({ execution: 'by-hand' })]).open).toMatchObject([{ reason: REASON }]);
  });

  it('is shown by the name of its execution if nothing else is known', () => {
    expect(failuresOf([entry({ name: 'by-hand' })], []).open).toMatchObject([
      { execution: 'by-hand', snapshotId: null, destination: null, rule: null },
    ]);
  });
});

describe('the request of an execution', () => {
  it('is told by its name', () => {
    expect(keyOfExecution(entry())).toEqual({
      region: 'eu-central-1',
      destination: 'eu-central-1',
      snapshotId: SNAPSHOT,
    });
    expect(keyOfExecution(entry({ name: `${SNAPSHOT}-us-west-2-lax-1a-3` }))).toMatchObject({
      region: 'us-west-2',
      destination: 'us-west-2-lax-1a',
    });
  });

  it('is told by its input, if that is known', () => {
    expect(keyOfExecution(entry({ name: 'by-hand', asked: request() }))).toMatchObject({ snapshotId: SNAPSHOT });
  });

  it('is not to be told of a name that somebody gave, nor is there one of a dry run', () => {
    expect(keyOfExecution(entry({ name: 'by-hand' }))).toBeUndefined();
    expect(keyOfExecution(entry({ asked: { ...request(), dryRun: true } }))).toBeUndefined();
  });
});
