import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import { NO_ADMISSION_YET } from '../../core/admission-state.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { LedgerBusyError, UnreadableInputError } from '../../core/errors.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { admitCopies, type Looked } from '../../functions/admit-copies.ts';
import { copy, destination, INSTALL, request } from '../support/examples.ts';
import { find, ports, put, record } from './ports.ts';

/** Admission for eu-central-1, where rules have so many slots. */
function admission(slots: number) {
  const known = ports();
  const rules: readonly CopyRule[] = [
    { name: 'nightly', select: {}, destinations: [destination({ slots })], dryRun: false },
  ];
  let pending: readonly Snapshot[] = [];
  let counts = 0;
  const snapshots = {
    pending: async () => {
      counts += 1;
      return pending;
    },
  };
  return {
    ...known,
    snapshots,
    /** How often EC2 was asked what is pending. */
    counts: () => counts,
    setPending: (copies: readonly Snapshot[]) => {
      pending = copies;
    },
    /** Names of executions, in the order of their starts. */
    started: () => known.executions.started.map(({ name }) => name),
    asked: (snapshotId: string, over: Partial<CopyRequest['source']> = {}): CopyRequest =>
      request({
        source: { snapshotId, volumeId: snapshotId.replace('snap', 'vol'), ...over },
        destination: { slots },
      }),
    look: (
      wake: unknown = { region: 'eu-central-1' },
      execution = EXECUTION,
      over: Partial<typeof known> = {},
    ): Promise<Looked> =>
      admitCopies({ ...known, snapshots, ...over }, rules, { installName: INSTALL })({ execution, wake }),
  };
}

const EXECUTION = { id: 'arn:one', startTime: '2026-03-02T04:29:58.000Z' };
const ANOTHER = { id: 'arn:two', startTime: '2026-03-02T04:29:59.000Z' };
const BUSY = copy({ snapshotId: 'snap-0f0f0f0f', state: 'pending', tags: {} });

describe('admission', () => {
  it('starts the oldest source first, not the one that was asked for first', async () => {
    const world = admission(1);
    await put(world.ledger, { request: world.asked('snap-02', { startTime: '2026-03-02T03:00:01.000Z' }) });
    await put(world.ledger, { request: world.asked('snap-01', { startTime: '2026-03-02T03:00:00.000Z' }) });
    await world.look();
    expect(world.started()).toEqual(['snap-01-eu-central-1-1']);
    expect(await find(world.ledger, world.asked('snap-01'))).toMatchObject({
      status: 'running',
      attempt: 1,
      execution: 'snap-01-eu-central-1-1',
      reason: 'it is the oldest that may start, as slot 1 of 1',
    });
  });

  it('leaves out names of executions from before the ledger knew of the request', async () => {
    const world = admission(1);
    await put(world.ledger, { request: world.asked('snap-01') });
    const longAgo = { stopDate: Date.parse('2026-02-01T04:00:00Z') };
    for (const name of ['snap-01-eu-central-1-1', 'snap-01-eu-central-1-2']) {
      world.executions.records.set(name, record(name, 'FAILED', longAgo));
    }
    await world.look();
    expect(world.started()).toEqual(['snap-01-eu-central-1-3']);
    expect(await find(world.ledger, world.asked('snap-01'))).toMatchObject({
      status: 'running',
      attempt: 3,
      execution: 'snap-01-eu-central-1-3',
    });
  });

  it.each([
    ['runs', {}],
    ['has ended since', { stopDate: Date.parse('2026-03-02T04:29:59.500Z') }],
  ])('takes an execution of the same name that %s for the one that it wanted to start', async (_what, over) => {
    const world = admission(1);
    await put(world.ledger, { request: world.asked('snap-01') });
    const name = 'snap-01-eu-central-1-1';
    world.executions.records.set(name, record(name, 'stopDate' in over ? 'SUCCEEDED' : 'RUNNING', over));
    await world.look();
    expect(world.started()).toEqual([]);
    expect(await find(world.ledger, world.asked('snap-01'))).toMatchObject({ status: 'running', execution: name });
  });

  it('starts a request that was sent back under the next name', async () => {
    const world = admission(1);
    await put(world.ledger, { request: world.asked('snap-01'), attempt: 1, execution: 'snap-01-eu-central-1-1' });
    await world.look();
    expect(world.started()).toEqual(['snap-01-eu-central-1-2']);
  });

  it('finds the volume that may start behind many requests of one that may not', async () => {
    const world = admission(2);
    for (let index = 100; index < 220; index++) {
      await put(world.ledger, { request: world.asked(`snap-0${index}`, { volumeId: 'vol-0db1' }) });
    }
    const last = world.asked('snap-0fff', { startTime: '2026-03-02T05:00:00.000Z' });
    await put(world.ledger, { request: last });
    await world.look();
    expect(world.started()).toEqual(['snap-0100-eu-central-1-1', 'snap-0fff-eu-central-1-1']);
  });

  it('lets nothing start while other tools have all slots, and looks at EC2 no more than once in 40 seconds', async () => {
    const world = admission(1);
    world.setPending([BUSY]);
    await put(world.ledger, { request: world.asked('snap-01') });
    await world.look();
    world.setPending([]);
    world.setTime('2026-03-02T04:30:39.999Z');
    await world.look();
    expect([world.counts(), world.started()]).toEqual([1, []]);
    world.setTime('2026-03-02T04:30:40.000Z');
    await world.look();
    expect([world.counts(), world.started()]).toEqual([2, ['snap-01-eu-central-1-1']]);
  });

  it('starts nothing by an old count', async () => {
    const world = admission(1);
    await put(world.ledger, { request: world.asked('snap-01') });
    const count = { at: '2026-03-02T04:29:20.000Z', others: 0, volumes: [] };
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [], count });
    world.setPending([BUSY]);
    await world.look();
    expect([world.counts(), world.started()]).toEqual([1, []]);
  });

  it('counts anew once a request has failed: its copy may go on, and have its slot and its volume', async () => {
    const world = admission(3);
    const volumeId = 'vol-0123456789abcdef0';
    await put(world.ledger, { request: world.asked('snap-02', { volumeId }) });
    const failed = [{ region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-01', attempt: 1 }];
    const count = { at: '2026-03-02T04:29:59.000Z', others: 0, volumes: [] };
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [], failed, count });
    world.setPending([copy({ state: 'pending' })]);
    await world.look();
    expect([world.counts(), world.started()]).toEqual([1, []]);
    expect((await world.ledger.admission('eu-central-1')).state).not.toHaveProperty('failed');
  });

  it('remembers a failed request until it runs no more', async () => {
    const world = admission(1);
    const asked = world.asked('snap-01');
    await put(world.ledger, { request: asked, status: 'running', attempt: 1, execution: 'snap-01-eu-central-1-1' });
    await put(world.ledger, { request: world.asked('snap-02') });
    const failed = [{ region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-01', attempt: 1 }];
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [], failed });
    await world.look();
    expect((await world.ledger.admission('eu-central-1')).state.failed).toEqual(failed);
  });

  it('asks EC2 nothing while requests wait for a copy of their own volume', async () => {
    const world = admission(2);
    const volumeId = 'vol-0db1';
    await put(world.ledger, {
      request: world.asked('snap-01', { volumeId }),
      status: 'running',
      attempt: 1,
      execution: 'snap-01-eu-central-1-1',
    });
    await put(world.ledger, { request: world.asked('snap-02', { volumeId }) });
    const count = { at: '2026-03-02T04:28:30.001Z', others: 0, volumes: [] };
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [], count });
    expect(await world.look()).toMatchObject({ action: 'beat' });
    expect(world.counts()).toBe(0);
  });

  it('asks EC2 nothing when nothing waits', async () => {
    const world = admission(1);
    expect(await world.look()).toEqual({ action: 'end', waitSeconds: 0, reason: 'nothing waits' });
    expect(world.counts()).toBe(0);
    expect(await world.ledger.admission('eu-central-1')).toEqual({ state: NO_ADMISSION_YET, revision: 0 });
  });

  it('gives the slot of a copy away as soon as EC2 tells of its end', async () => {
    const world = admission(1);
    const first = world.asked('snap-01', { volumeId: 'vol-0db1' });
    const next = world.asked('snap-02', { volumeId: 'vol-0db1', startTime: '2026-03-02T05:00:00.000Z' });
    await put(world.ledger, {
      request: first,
      status: 'running',
      attempt: 1,
      execution: 'snap-01-eu-central-1-1',
      copyId: 'snap-0c0c0c0c',
      copyBegunAt: '2026-03-02T04:29:00.000Z',
    });
    await put(world.ledger, { request: next });
    await world.look();
    expect(world.started()).toEqual([]);
    await world.look({
      'detail-type': 'EBS Snapshot Notification',
      region: 'eu-central-1',
      detail: { event: 'copySnapshot', snapshot_id: 'arn:aws:ec2::eu-central-1:snapshot/snap-0c0c0c0c' },
    });
    expect(world.started()).toEqual(['snap-02-eu-central-1-1']);
    expect((await world.ledger.admission('eu-central-1')).state.ended).toMatchObject([{ snapshotId: 'snap-01' }]);
  });

  it('remembers that a copy has ended until its execution has ended too', async () => {
    const world = admission(1);
    await put(world.ledger, {
      request: world.asked('snap-01'),
      status: 'running',
      attempt: 1,
      execution: 'snap-01-eu-central-1-1',
    });
    const ended = [{ region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-01', attempt: 1 }];
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [], ended });
    await put(world.ledger, { request: world.asked('snap-02') });
    await world.look();
    expect(world.started()).toEqual(['snap-02-eu-central-1-1']);
    await put(world.ledger, { request: world.asked('snap-01'), status: 'copied', attempt: 1 });
    await world.look();
    expect((await world.ledger.admission('eu-central-1')).state.ended).toEqual([]);
  });

  it('gives the slot of a copy away that EC2 shows as pending no more, though no event told of its end', async () => {
    const world = admission(1);
    await put(world.ledger, {
      request: world.asked('snap-01'),
      status: 'running',
      attempt: 1,
      execution: 'snap-01-eu-central-1-1',
      copyId: 'snap-0c0c0c0c',
      copyBegunAt: '2026-03-02T04:25:00.000Z',
    });
    await put(world.ledger, { request: world.asked('snap-02') });
    await world.look();
    expect(world.started()).toEqual(['snap-02-eu-central-1-1']);
  });

  it('cannot read a wake without a Region', async () => {
    await expect(admission(1).look({})).rejects.toThrow(UnreadableInputError);
  });
});

describe('a start that was decided and not completed', () => {
  it('is completed by the next look, before that decides anything', async () => {
    const world = admission(1);
    await put(world.ledger, { request: world.asked('snap-02', { startTime: '2026-03-02T03:00:00.000Z' }) });
    await put(world.ledger, { request: world.asked('snap-01') });
    const attempt = { region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-01', attempt: 1 };
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [attempt], ended: [] });
    await world.look();
    expect(world.started()).toEqual(['snap-01-eu-central-1-1']);
    expect(await find(world.ledger, world.asked('snap-01'))).toMatchObject({ status: 'running' });
    expect((await world.ledger.admission('eu-central-1')).state.starting).toEqual([]);
  });

  it('is not started twice if only the ledger had not heard of it', async () => {
    const world = admission(2);
    const asked = world.asked('snap-01');
    await put(world.ledger, { request: asked });
    await world.executions.start('snap-01-eu-central-1-1', asked);
    await world.look();
    expect(world.started()).toEqual(['snap-01-eu-central-1-1']);
    expect(await find(world.ledger, asked)).toMatchObject({ status: 'running', attempt: 1 });
  });

  it('keeps no other start waiting, and is completed when the trouble is over', async () => {
    const world = admission(3);
    for (const id of ['snap-01', 'snap-02', 'snap-03']) await put(world.ledger, { request: world.asked(id) });
    world.executions.troubled.add('snap-02-eu-central-1-1');
    await expect(world.look()).rejects.toThrow('StartExecution of snap-02-eu-central-1-1');
    expect(world.started()).toEqual(['snap-01-eu-central-1-1', 'snap-03-eu-central-1-1']);
    world.executions.troubled.clear();
    await world.look();
    expect(world.started()).toContain('snap-02-eu-central-1-1');
  });

  it('is forgotten if the request is at an end by now', async () => {
    const world = admission(1);
    const asked = world.asked('snap-01');
    await put(world.ledger, { request: asked, status: 'copied', attempt: 1 });
    const attempt = { region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-01', attempt: 1 };
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [attempt], ended: [] });
    await world.look();
    expect(world.started()).toEqual([]);
    expect(await find(world.ledger, asked)).toMatchObject({ status: 'copied' });
  });
});

describe('after a refusal', () => {
  const at = '2026-03-02T04:29:00.000Z';

  it('no look makes more of the slots than were taken then', async () => {
    const world = admission(3);
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [], refusal: { at, taken: 1 } });
    await put(world.ledger, { request: world.asked('snap-01') });
    await put(world.ledger, { request: world.asked('snap-02') });
    await world.look();
    await world.look();
    expect(world.started()).toEqual(['snap-01-eu-central-1-1']);
  });

  it('a count that finds more copies under way shows that there are more slots', async () => {
    const world = admission(3);
    await world.ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [], refusal: { at, taken: 0 } });
    await put(world.ledger, { request: world.asked('snap-01') });
    world.setPending([BUSY, copy({ snapshotId: 'snap-0f1f1f1f', state: 'pending', tags: {} })]);
    await world.look();
    expect(world.started()).toEqual([]);
    expect((await world.ledger.admission('eu-central-1')).state.refusal).toEqual({ at, taken: 2 });
  });
});

describe('several looks at once', () => {
  it('look again when another one was quicker, and give up after five times', async () => {
    const world = admission(1);
    await put(world.ledger, { request: world.asked('snap-01') });
    let decisions = 0;
    const changeAdmission = async () => {
      decisions += 1;
      return false;
    };
    const ledger = { ...world.ledger, changeAdmission };
    await expect(world.look(undefined, EXECUTION, { ledger })).rejects.toThrow(LedgerBusyError);
    expect(decisions).toBe(5);
    expect(world.started()).toEqual([]);
  });
});

describe('the heartbeat', () => {
  it('is one execution of those that look while requests wait', async () => {
    const world = admission(1);
    world.setPending([BUSY]);
    await put(world.ledger, { request: world.asked('snap-01') });
    expect(await world.look()).toEqual({ action: 'beat', waitSeconds: 30, reason: 'requests wait' });
    expect(await world.look(undefined, ANOTHER)).toMatchObject({ action: 'end', waitSeconds: 0 });
    world.setTime('2026-03-02T04:30:30.000Z');
    expect(await world.look()).toMatchObject({ action: 'beat', waitSeconds: 10 });
  });

  it('hands over to a new execution before its own has to end', async () => {
    const world = admission(1);
    world.setPending([BUSY]);
    await put(world.ledger, { request: world.asked('snap-01') });
    await world.look();
    world.setTime('2026-03-02T04:32:58.000Z');
    expect(await world.look()).toMatchObject({ action: 'end' });
    expect(world.woken).toEqual(['eu-central-1']);
    expect(await world.look(undefined, ANOTHER)).toMatchObject({ action: 'beat' });
  });

  it('ends with the queue, and leaves nothing behind', async () => {
    const world = admission(1);
    world.setPending([BUSY]);
    await put(world.ledger, { request: world.asked('snap-01') });
    await world.look();
    world.setPending([]);
    world.setTime('2026-03-02T04:30:40.000Z');
    expect(await world.look()).toMatchObject({ action: 'end' });
    expect(world.woken).toEqual([]);
    expect((await world.ledger.admission('eu-central-1')).state).not.toHaveProperty('heartbeat');
  });
});
