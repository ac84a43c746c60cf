import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import type { ExecutionRecord } from '../../aws/executions.ts';
import { LedgerBusyError, ServiceTroubleError } from '../../core/errors.ts';
import { onCopyEnded } from '../../functions/on-copy-ended.ts';
import { request } from '../support/examples.ts';
import { watchMetrics } from '../support/metrics-written.ts';
import { find, install, ports, put, record } from './ports.ts';

const metrics = watchMetrics();

const NAME = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';
const RUNNING = { status: 'running', attempt: 1, execution: NAME } as const;

const copied = record(NAME, 'SUCCEEDED', {
  output: JSON.stringify({ copy: { action: 'tag', copyId: 'snap-0c0c0c0c0c0c0c0c0', reason: 'the copy is complete' } }),
});
const told = record(NAME, 'FAILED', { error: 'CopyFailed', cause: 'EBS copy failed: key not accessible' });
const timedOut = record(NAME, 'TIMED_OUT', { stopDate: Date.parse('2026-03-02T04:29:59Z') });

/** The event of the end of an execution, with 90 days for what the ledger keeps. */
const hear = (known: ReturnType<typeof ports>, detail: ExecutionRecord) => onCopyEnded(known, install, 90)({ detail });

describe('the end of an execution', () => {
  it('is written into the ledger, to be kept for 90 days, and lets the next requests start', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    await hear(known, copied);
    expect(await find(known.ledger)).toMatchObject({
      status: 'copied',
      copyId: 'snap-0c0c0c0c0c0c0c0c0',
      changedAt: '2026-03-02T04:30:00.000Z',
      expiresAt: Date.parse('2026-05-31T04:30:00Z') / 1000,
    });
    expect(known).toMatchObject({ woken: ['eu-central-1'], alerts: [] });
  });

  it('is no news while it runs', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    await hear(known, record(NAME, 'RUNNING'));
    expect(await find(known.ledger)).toMatchObject(RUNNING);
    expect(known.woken).toEqual([]);
  });

  it('that was a dry run leaves the ledger alone', async () => {
    const known = ports();
    const input = JSON.stringify({ ...request(), dryRun: true });
    const output = JSON.stringify({ copy: { action: 'reportDryRun', reason: 'EC2 would allow it' } });
    await hear(known, record('snap-0a1b2c3d4e5f60718-eu-central-1-0', 'SUCCEEDED', { input, output }));
    await hear(known, record('snap-0a1b2c3d4e5f60718-eu-central-1-0', 'FAILED', { input, error: 'CopyFailed' }));
    expect(await find(known.ledger)).toBeUndefined();
  });

  it('that sent the request back to the queue changes nothing there', async () => {
    const known = ports();
    const waits = { status: 'waiting', attempt: 1, execution: NAME } as const;
    await put(known.ledger, waits);
    await hear(known, record(NAME, 'SUCCEEDED', { output: JSON.stringify({ returned: {} }) }));
    expect(await find(known.ledger)).toMatchObject({ ...waits, changedAt: '2026-03-02T04:13:00.000Z' });
    expect(known.woken).toEqual(['eu-central-1']);
  });

  it('that sent the request back to the queue frees one that the ledger has as running', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    await hear(known, record(NAME, 'SUCCEEDED', { output: JSON.stringify({ returned: {} }) }));
    expect(await find(known.ledger)).toMatchObject({ status: 'waiting', attempt: 1 });
  });
});

describe('a failure', () => {
  it('of which the state machine has told is not told again', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    await hear(known, told);
    expect(await find(known.ledger)).toMatchObject({ status: 'failed', reason: 'EBS copy failed: key not accessible' });
    expect(known.alerts).toEqual([]);
  });

  it('of which nobody has heard is told, once, however often the event comes', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    await hear(known, timedOut);
    await hear(known, timedOut);
    expect(await find(known.ledger)).toMatchObject({ status: 'failed', reason: 'the execution ended TIMED_OUT' });
    expect(metrics()).toEqual([{ name: 'CopiesFailed', value: 1, destination: 'eu-central-1' }]);
    expect(known.alerts).toHaveLength(1);
    expect(known.alerts[0]?.attributes).toMatchObject({
      sourceSnapshot: 'snap-0a1b2c3d4e5f60718',
      destinationRegion: 'eu-central-1',
    });
  });

  it('is noted for admission first: EC2 may still be making the copy, which has its slot and its volume', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    const change = () => Promise.reject(new ServiceTroubleError('no ledger'));
    await expect(hear({ ...known, ledger: { ...known.ledger, change } }, told)).rejects.toThrow('no ledger');
    await hear(known, told);
    expect((await known.ledger.admission('eu-central-1')).state.failed).toEqual([
      { region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-0a1b2c3d4e5f60718', attempt: 1 },
    ]);
  });

  it('stays open if it cannot be noted because others are always quicker', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    const busy = { ...known, ledger: { ...known.ledger, changeAdmission: async () => false } };
    await expect(hear(busy, told)).rejects.toThrow(LedgerBusyError);
    expect(await find(known.ledger)).toMatchObject(RUNNING);
  });

  it('of an execution that the ledger does not know is told all the same', async () => {
    const known = ports();
    await hear(known, timedOut);
    expect(known.alerts).toHaveLength(1);
  });

  it('that could not be told stays open, so that the next delivery of the event tells', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    const noTopic = { ...known, topic: { tell: () => Promise.reject(new ServiceTroubleError('no topic')) } };
    await expect(hear(noTopic, timedOut)).rejects.toThrow('no topic');
    expect(await find(known.ledger)).toMatchObject(RUNNING);
    await hear(known, timedOut);
    expect(known.alerts).toHaveLength(1);
  });
});
