import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import type { CopyRule } from '../../core/rules.ts';
import { sweep } from '../../functions/sweep.ts';
import { destination, request } from '../support/examples.ts';
import { watchMetrics } from '../support/metrics-written.ts';
import { find, install, ports, put, record } from './ports.ts';

const metrics = watchMetrics();

const RULES: readonly CopyRule[] = [
  { name: 'nightly', select: {}, destinations: [destination(), destination({ region: 'us-east-1' })], dryRun: false },
];
const NAME = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';
const RUNNING = { status: 'running', attempt: 1, execution: NAME } as const;
const TIMED_OUT = record(NAME, 'TIMED_OUT');

const sweepOnce = (known: ReturnType<typeof ports>) => sweep(known, RULES, install, 90)();
const other = request({ source: { snapshotId: 'snap-0b' } });

describe('the sweep', () => {
  it('settles an execution that ended unheard, and tells of it, once', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    known.executions.records.set(NAME, TIMED_OUT);
    await sweepOnce(known);
    await sweepOnce(known);
    expect(await find(known.ledger)).toMatchObject({ status: 'failed', reason: 'the execution ended TIMED_OUT' });
    expect(known.alerts).toHaveLength(1);
  });

  it('lets a request wait again that was returned to the queue unheard', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    known.executions.records.set(NAME, record(NAME, 'SUCCEEDED', { output: JSON.stringify({ returned: {} }) }));
    await sweepOnce(known);
    expect(await find(known.ledger)).toMatchObject({ status: 'waiting', attempt: 1 });
    expect(known.woken).toEqual(['eu-central-1']);
  });

  it('leaves an end of a minute ago to its event: two at once would tell twice', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    known.executions.records.set(NAME, record(NAME, 'TIMED_OUT', { stopDate: Date.parse('2026-03-02T04:29:00Z') }));
    await sweepOnce(known);
    expect(await find(known.ledger)).toMatchObject(RUNNING);
    expect(known.alerts).toEqual([]);
  });

  it('starts an execution that Step Functions does not know, under the same name', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    await sweepOnce(known);
    expect(known.executions.started).toEqual([{ name: NAME, request: request() }]);
    expect(await find(known.ledger)).toMatchObject(RUNNING);
  });

  it('starts none for a request that ended while it looked', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    const executions = {
      start: known.executions.start.bind(known.executions),
      find: async () => {
        await put(known.ledger, { status: 'copied', attempt: 1, execution: NAME });
        return undefined;
      },
    };
    await sweep({ ...known, executions }, RULES, install, 90)();
    expect(known.executions.started).toEqual([]);
  });

  it('leaves alone what runs, and what changed within two minutes', async () => {
    const known = ports();
    await put(known.ledger, RUNNING);
    await put(known.ledger, {
      ...RUNNING,
      request: other,
      execution: 'snap-0b-eu-central-1-1',
      changedAt: '2026-03-02T04:28:00.001Z',
    });
    known.executions.records.set(NAME, record(NAME, 'RUNNING'));
    await sweepOnce(known);
    expect(known.executions.started).toEqual([]);
    expect(await find(known.ledger)).toMatchObject(RUNNING);
  });

  it('goes on to the other requests and Regions after trouble with one, and then says so', async () => {
    const known = ports();
    await put(known.ledger, { ...RUNNING, request: other, execution: 'snap-0b-eu-central-1-1' });
    known.executions.troubled.add('snap-0b-eu-central-1-1');
    await put(known.ledger, RUNNING);
    known.executions.records.set(NAME, TIMED_OUT);
    await put(known.ledger, { request: request({ destination: { region: 'us-east-1' } }) });
    await expect(sweepOnce(known)).rejects.toThrow('DescribeExecution of snap-0b-eu-central-1-1');
    expect(await find(known.ledger)).toMatchObject({ status: 'failed' });
    expect(known.woken).toEqual(['us-east-1']);
  });
});

describe('the queues', () => {
  it('are looked at again where requests wait, and measured', async () => {
    const known = ports();
    await put(known.ledger);
    await put(known.ledger, { request: other, waitingSince: '2026-03-02T04:25:00.000Z' });
    await sweepOnce(known);
    expect(metrics()).toEqual([
      { name: 'RequestsWaiting', value: 2, destination: 'eu-central-1' },
      { name: 'OldestWaitingAge', value: 1080, destination: 'eu-central-1' },
    ]);
    expect(known.woken).toEqual(['eu-central-1']);
  });

  it('cost nothing when nothing waits', async () => {
    const known = ports();
    await put(known.ledger, { status: 'copied', attempt: 1, execution: NAME });
    await sweepOnce(known);
    expect(metrics()).toEqual([]);
    expect(known.woken).toEqual([]);
  });

  it('are measured to their ends', async () => {
    const known = ports();
    for (let index = 0; index < 1001; index++) {
      await put(known.ledger, { request: request({ source: { snapshotId: `snap-${index}` } }) });
    }
    await sweepOnce(known);
    expect(metrics()).toMatchObject([{ name: 'RequestsWaiting', value: 1001 }, {}]);
  });
});
