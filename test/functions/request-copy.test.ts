import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { ServiceTroubleError, ThrottledError, UnreadableInputError } from '../../core/errors.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { requestCopy } from '../../functions/request-copy.ts';
import { copy, copyTags, destination, INSTALL, request } from '../support/examples.ts';
import { find, ports as portsAtRest, put } from './ports.ts';

const RULES: readonly CopyRule[] = [{ name: 'nightly', select: {}, destinations: [destination()], dryRun: false }];
const NAME = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';

/** The ports, and what EC2 has at the destination; `looks` counts how often it was asked. */
function ports(...copies: readonly Snapshot[]) {
  const known = { ...portsAtRest(), looks: 0 };
  const snapshots: Pick<SnapshotApi, 'copiesOf'> = {
    copiesOf: async () => {
      known.looks += 1;
      return copies;
    },
  };
  return Object.assign(known, { snapshots });
}

const ask = (known: ReturnType<typeof ports>, asked: unknown = request()) =>
  requestCopy(known, RULES, { installName: INSTALL })(asked);

const COPY_ID = copy().snapshotId;
const complete = (over: Partial<Snapshot> = {}) =>
  copy({ tags: copyTags({ 'snapshot-copier:state': 'copied' }), ...over });

describe('a copy that somebody asks for', () => {
  it('waits for its slot, and admission looks', async () => {
    const known = ports();
    expect(await ask(known)).toEqual({ accepted: true, status: 'waiting', reason: 'asked for by hand' });
    expect(await find(known.ledger)).toMatchObject({ status: 'waiting', attempt: 0, request: request() });
    expect(known.woken).toEqual(['eu-central-1']);
  });

  it.each(['failed', 'skipped'] as const)(
    'and that %s before waits again, with the request as it is given now',
    async (status) => {
      const known = ports();
      await put(known.ledger, { status, reason: 'no key', attempt: 1, execution: NAME, expiresAt: 1_900_000_000 });
      const changed = request({ destination: { deadlineSeconds: 3600 } });
      expect(await ask(known, changed)).toEqual({
        accepted: true,
        status: 'waiting',
        reason: `asked for again by hand after it ${status}: no key`,
      });
      const found = await find(known.ledger);
      expect(found).toMatchObject({ attempt: 1, waitingSince: '2026-03-02T04:30:00.000Z', request: changed });
      expect(found).not.toHaveProperty('expiresAt');
    },
  );

  it('and that is copied stays copied, and the answer names the copy', async () => {
    const known = ports(complete());
    await put(known.ledger, { status: 'copied', reason: `copied as ${COPY_ID}`, attempt: 1, copyId: COPY_ID });
    expect(await ask(known)).toEqual({
      accepted: false,
      status: 'copied',
      reason: `copied as ${COPY_ID}`,
      copyId: COPY_ID,
    });
    expect(await find(known.ledger)).toMatchObject({ status: 'copied', changedAt: '2026-03-02T04:13:00.000Z' });
  });

  it('and whose copy is gone from EC2 waits again, and the answer says why', async () => {
    const known = ports();
    const before = { attempt: 3, execution: NAME, copyId: COPY_ID, expiresAt: 1_900_000_000 };
    await put(known.ledger, { status: 'copied', reason: `copied as ${COPY_ID}`, ...before });
    expect(await ask(known)).toEqual({
      accepted: true,
      status: 'waiting',
      reason: `asked for again by hand, as its copy ${COPY_ID} is gone from EC2`,
    });
    const found = await find(known.ledger);
    expect(found).toMatchObject({ status: 'waiting', attempt: 3, waitingSince: '2026-03-02T04:30:00.000Z' });
    expect(found).not.toHaveProperty('copyId');
    expect(found).not.toHaveProperty('expiresAt');
    expect(known.woken).toEqual(['eu-central-1']);
    expect(await ask(known)).toMatchObject({ accepted: false, status: 'waiting' });
  });

  it('and whose copy another call has asked for anew meanwhile is not asked for twice', async () => {
    const known = ports();
    await put(known.ledger, { status: 'copied', attempt: 1, copyId: COPY_ID });
    known.snapshots.copiesOf = async () => {
      await put(known.ledger, {
        status: 'copied',
        attempt: 2,
        copyId: 'snap-0d0d',
        changedAt: '2026-03-02T04:30:00.000Z',
      });
      return [];
    };
    expect(await ask(known)).toMatchObject({ accepted: false, status: 'copied', copyId: 'snap-0d0d' });
  });

  it('and that is not copied costs no look at EC2', async () => {
    const known = ports();
    await ask(known);
    await ask(known);
    expect(known.looks).toBe(0);
  });

  it('waits even if admission cannot be woken now', async () => {
    const known = ports();
    known.admission.wake = () => Promise.reject(new ThrottledError('Step Functions throttles'));
    expect(await ask(known)).toMatchObject({ accepted: true, status: 'waiting' });
  });

  it.each(['waiting', 'running'] as const)('and that is %s already stays so, and admission looks', async (status) => {
    const known = ports();
    await put(known.ledger, { status, execution: NAME });
    expect(await ask(known)).toMatchObject({ accepted: false, status });
    expect(known.woken).toEqual(['eu-central-1']);
  });
});

describe('what could never be started does not come into the queue', () => {
  const asked = request();
  it.each<[string, unknown, RegExp]>([
    ['no request', { hello: 1 }, /Cannot read the execution input/],
    [
      'a Region that no rule has',
      request({ destination: { region: 'us-east-1' } }),
      /us-east-1.*no rule.*The rules have eu-central-1/,
    ],
    ['a dry run', { ...asked, dryRun: true } satisfies CopyRequest, /dryRun is true/],
    ['no slots', request({ destination: { slots: 0 } }), /destination.slots is 0/],
    ['half a slot', request({ destination: { slots: 2.5 } }), /destination.slots is 2.5/],
    [
      'a snapshot id that Step Functions cannot take',
      request({ source: { snapshotId: 'snap 0a' } }),
      /cannot name an execution/,
    ],
    [
      'a snapshot id that is none',
      request({ source: { snapshotId: 'my-snapshot' } }),
      /make my-snapshot-eu-central-1-1/,
    ],
  ])('%s', async (_what, input, words) => {
    const known = ports();
    await expect(ask(known, input)).rejects.toThrow(words);
    await expect(ask(known, input)).rejects.toThrow(UnreadableInputError);
    expect((await known.ledger.waiting('eu-central-1', { limit: 10 })).requests).toEqual([]);
    expect(known.woken).toEqual([]);
  });
});

describe('several requests in one call', () => {
  const numbered = (count: number, region = 'eu-central-1') =>
    Array.from({ length: count }, (_, index) =>
      request({ source: { snapshotId: `snap-${String(index).padStart(17, '0')}` }, destination: { region } }),
    );
  const BOTH: readonly CopyRule[] = [
    {
      name: 'nightly',
      select: {},
      destinations: [destination(), destination({ region: 'us-east-1' })],
      dryRun: false,
    },
  ];

  it('are answered in their order, and those that are wrong do not stop the others', async () => {
    const known = ports();
    const [first, second] = numbered(2);
    const answers = await requestCopy(known, RULES, { installName: INSTALL })({
      requests: [{ hello: 1 }, first, { ...request(), dryRun: true }, second, first],
    });
    expect(answers).toEqual({
      answers: [
        { refused: expect.stringContaining('Cannot read the execution input') },
        { accepted: true, status: 'waiting', reason: 'asked for by hand' },
        { refused: expect.stringContaining('dryRun is true') },
        { accepted: true, status: 'waiting', reason: 'asked for by hand' },
        { accepted: false, status: 'waiting', reason: 'asked for by hand' },
      ],
    });
    expect((await known.ledger.waiting('eu-central-1', { limit: 10 })).requests).toHaveLength(2);
  });

  it('wake each Region once', async () => {
    const known = ports();
    const requests = [...numbered(30), ...numbered(30, 'us-east-1')];
    await requestCopy(known, BOTH, { installName: INSTALL })({ requests });
    expect(known.woken.toSorted()).toEqual(['eu-central-1', 'us-east-1']);
  });

  it('wake nobody if all are wrong, or there are none', async () => {
    const known = ports();
    expect(await ask(known, { requests: [] })).toEqual({ answers: [] });
    await ask(known, { requests: ['nothing'] });
    expect(known.woken).toEqual([]);
  });

  it('may meet trouble, one of them and not the others', async () => {
    const known = ports();
    const [first, second] = numbered(2);
    await put(known.ledger, {
      ...(first !== undefined && { request: first }),
      status: 'copied',
      attempt: 1,
      copyId: COPY_ID,
    });
    known.snapshots.copiesOf = () => Promise.reject(new ServiceTroubleError('EC2 is in trouble'));
    expect(await ask(known, { requests: [first, second] })).toEqual({
      answers: [{ refused: 'EC2 is in trouble' }, { accepted: true, status: 'waiting', reason: 'asked for by hand' }],
    });
  });

  it('fail together on a mistake in the code', async () => {
    const known = ports();
    known.ledger.change = () => Promise.reject(new TypeError('undefined is not a function'));
    await expect(ask(known, { requests: numbered(2) })).rejects.toThrow(TypeError);
  });

  it('are 100 at most, and of more none is taken', async () => {
    const known = ports();
    await expect(ask(known, { requests: numbered(101) })).rejects.toThrow(
      'There are 101 requests, and one call takes 100',
    );
    expect((await known.ledger.waiting('eu-central-1', { limit: 10 })).requests).toEqual([]);
    expect(await ask(known, { requests: numbered(100) })).toMatchObject({
      answers: Array.from({ length: 100 }, () => ({ accepted: true })),
    });
  });

  it('are not all begun if AWS is slow: the answer comes before Lambda would end the call', async () => {
    const known = ports();
    const requests = numbered(30);
    const slow = { ...known.ledger };
    let changes = 0;
    slow.change = async (key, transition) => {
      changes += 1;
      if (changes === 20) known.setTime('2026-03-02T04:30:13Z');
      return known.ledger.change(key, transition);
    };
    const answers = await requestCopy({ ...known, ledger: slow }, RULES, { installName: INSTALL })({ requests });
    expect(answers).toMatchObject({
      answers: [
        ...Array.from({ length: 20 }, () => ({ accepted: true })),
        ...Array.from({ length: 10 }, () => ({ refused: expect.stringContaining('ask for it again') })),
      ],
    });
    expect(changes).toBe(20);
  });
});
