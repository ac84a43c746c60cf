import '../support/function-modules.ts';
import { afterEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../aws/ledger.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { CopySlotsTakenError, NotYetVisibleError, ServiceTroubleError, SourceHiddenError } from '../../core/errors.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { metrics } from '../../functions/shell.ts';
import { startCopy } from '../../functions/start-copy.ts';
import { copy, HOME, INSTALL, request, snapshot } from '../support/examples.ts';
import { find, ports, put } from './ports.ts';

/** Nobody publishes them here. */
afterEach(() => {
  metrics.clearDimensions();
});

const NAME = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';
const RUNNING = { status: 'running', attempt: 1, execution: NAME } as const;

/** The state StartCopy of an execution that began at 04:29, and what EC2 has. */
function state(
  over: {
    readonly source?: Snapshot | undefined;
    readonly copies?: readonly Snapshot[];
    readonly request?: object;
  } = {},
) {
  const known = ports();
  const { source, copies = [] } = { source: snapshot(), ...over };
  const made: string[] = [];
  const refuse = () => Promise.reject(new Error('nobody asks for it here'));
  const snapshots: SnapshotApi = {
    find: async () => source,
    copiesOf: async () => copies,
    copy: async (region) => {
      made.push(region);
      return 'snap-0c0c0c0c';
    },
    pending: refuse,
    begunOn: refuse,
    managedCopies: refuse,
    probeCopy: refuse,
    tag: refuse,
    remove: refuse,
  };
  const input = {
    execution: {
      arn: `arn:${NAME}`,
      name: NAME,
      startTime: '2026-03-02T04:29:00.000Z',
      stateMachineArn: 'arn:machine',
    },
    data: over.request ?? request(),
  };
  return {
    ...known,
    /** Regions that a copy was asked for of. */
    made,
    run: (ports: { readonly ledger?: Pick<Ledger, 'change'>; readonly snapshots?: Partial<SnapshotApi> } = {}) =>
      startCopy(
        { ...known, ...ports, snapshots: { ...snapshots, ...ports.snapshots } },
        { installName: INSTALL, accountId: HOME },
      )(input),
  };
}

describe('the ledger', () => {
  it('hears of the copy and of its time from EC2, so that admission can tell when it has ended', async () => {
    const world = state();
    await put(world.ledger, RUNNING);
    expect(await world.run()).toMatchObject({ action: 'wait', copyId: 'snap-0c0c0c0c' });
    expect(await find(world.ledger)).toMatchObject({
      ...RUNNING,
      copyId: 'snap-0c0c0c0c',
      copyBegunAt: '2026-03-02T04:30:00.000Z',
    });
  });

  it('hears of an adopted copy, with the time at which that began', async () => {
    const world = state({ copies: [copy({ state: 'pending' })] });
    await put(world.ledger, RUNNING);
    expect(await world.run()).toMatchObject({ adopted: true, copyId: 'snap-0c0c0c0c0c0c0c0c0' });
    expect(await find(world.ledger)).toMatchObject({ copyBegunAt: '2026-03-02T04:13:02.511Z' });
    expect(world.made).toEqual([]);
  });

  it('in trouble just after EC2 accepted the copy is no reason for a second copy', async () => {
    const world = state();
    const ledger = { change: () => Promise.reject(new ServiceTroubleError('no ledger')) };
    expect(await world.run({ ledger })).toMatchObject({ action: 'wait', copyId: 'snap-0c0c0c0c' });
  });

  it('hears nothing of a copy that EC2 refuses', async () => {
    const world = state();
    await put(world.ledger, RUNNING);
    const taken = { copy: () => Promise.reject(new CopySlotsTakenError('all taken')) };
    await expect(world.run({ snapshots: taken })).rejects.toThrow(CopySlotsTakenError);
    expect(await find(world.ledger)).not.toHaveProperty('copyId');
  });
});

describe('a source that was deleted while it waited', () => {
  it('is looked for again, for a minute', async () => {
    const world = state({ source: undefined });
    world.setTime('2026-03-02T04:29:59.999Z');
    await expect(world.run()).rejects.toThrow(NotYetVisibleError);
  });

  it('is skipped after that, and nothing is copied', async () => {
    const world = state({ source: undefined });
    expect(await world.run()).toMatchObject({
      action: 'skip',
      reason: 'source gone: it was deleted before its copy began',
    });
    expect(world.made).toEqual([]);
  });
});

describe('a source of another account that EC2 does not show', () => {
  const foreign = (companion?: CopyRequest['source']['companion']) => {
    const { source, ...rest } = request();
    return { ...rest, source: { ...source, ownerId: '111122223333', ...(companion && { companion }) } };
  };

  it('was deleted or is shared no more: somebody has to know, and EC2 is asked for no copy', async () => {
    const world = state({ source: undefined, request: foreign() });
    await expect(world.run()).rejects.toThrow(SourceHiddenError);
    expect(world.made).toEqual([]);
  });

  it('is looked for where it is copied from: for its intermediate copy, where there is one', async () => {
    const asked: string[] = [];
    const find = async (_region: string, snapshotId: string) => {
      asked.push(snapshotId);
      return undefined;
    };
    const prepared = { action: 'ready', waitSeconds: 0, reason: 'it is shared', copyFrom: 'snap-0eeeeeeeeeeeeeeee' };
    const world = state({ request: { ...foreign({ reencrypt: true }), prepared } });
    await expect(world.run({ snapshots: { find } })).rejects.toThrow('EC2 does not show snap-0eeeeeeeeeeeeeeee');
    expect(asked).toEqual(['snap-0eeeeeeeeeeeeeeee']);
  });

  it('is not shared for a rehearsal, which asks EC2 all the same', async () => {
    const prepared = { action: 'ready', waitSeconds: 0, reason: 'a dry run leaves the source as it is' };
    const rehearsal = { ...foreign({ reencrypt: false }), dryRun: true, prepared };
    const world = state({ source: undefined, request: rehearsal });
    const probeCopy = async () => undefined;
    expect(await world.run({ snapshots: { probeCopy } })).toMatchObject({ action: 'reportDryRun' });
  });
});
