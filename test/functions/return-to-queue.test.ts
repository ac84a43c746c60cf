import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import { LedgerBusyError } from '../../core/errors.ts';
import { returnToQueue } from '../../functions/return-to-queue.ts';
import { request } from '../support/examples.ts';
import { find, ports, put } from './ports.ts';

const NAME = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';
const RUNNING = { status: 'running', attempt: 1, execution: NAME } as const;

/** As the state machine calls it. */
const input = {
  execution: { arn: `arn:${NAME}`, name: NAME, startTime: '2026-03-02T04:29:00.000Z', stateMachineArn: 'arn:machine' },
  data: { ...request(), refused: { Error: 'CopySlotsTakenError', Cause: '{}' } },
};

/** A Region in which this many other requests run, and other tools make one copy. */
async function region(others: number) {
  const known = ports();
  for (let index = 0; index < others; index++) {
    const snapshotId = `snap-0${index}`;
    const execution = `${snapshotId}-eu-central-1-1`;
    await put(known.ledger, { ...RUNNING, execution, request: request({ source: { snapshotId } }) });
  }
  await put(known.ledger, RUNNING);
  const count = { at: '2026-03-02T04:29:50.000Z', others: 1, volumes: [] };
  await known.ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [], count });
  return known;
}

describe('a request that EC2 had no slot for', () => {
  it('waits again at its old place, and its next execution has the next name', async () => {
    const { ledger, now } = await region(0);
    await returnToQueue(ledger, now)(input);
    expect(await find(ledger)).toMatchObject({
      status: 'waiting',
      attempt: 1,
      waitingSince: '2026-03-02T04:12:00.000Z',
      reason: 'EC2 refused it, as it runs as many copies into the Region as it allows',
    });
    expect((await ledger.waiting('eu-central-1', { limit: 10 })).requests).toMatchObject([
      { snapshotId: 'snap-0a1b2c3d4e5f60718', sourceStartTime: '2026-03-02T04:09:51.204Z' },
    ]);
  });

  it('leaves admission to believe in as many slots as all the others take', async () => {
    const { ledger, now } = await region(3);
    await returnToQueue(ledger, now)(input);
    expect((await ledger.admission('eu-central-1')).state).toMatchObject({
      refusal: { at: '2026-03-02T04:30:00.000Z', taken: 4 },
      count: { others: 1 },
    });
  });

  it('is returned once, however often that is tried', async () => {
    const { ledger, now } = await region(3);
    await returnToQueue(ledger, now)(input);
    await returnToQueue(ledger, now)(input);
    expect(await find(ledger)).toMatchObject({ status: 'waiting', attempt: 1 });
    expect((await ledger.admission('eu-central-1')).state.refusal).toMatchObject({ taken: 4 });
  });

  it('runs on in the ledger until the refusal is noted: admission must not start it again at once', async () => {
    const { ledger, now } = await region(0);
    const busy = { ...ledger, changeAdmission: async () => false };
    await expect(returnToQueue(busy, now)(input)).rejects.toThrow(LedgerBusyError);
    expect(await find(ledger)).toMatchObject(RUNNING);
  });
});
