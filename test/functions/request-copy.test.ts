import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import type { CopyRequest } from '../../core/copy-request.ts';
import { UnreadableInputError } from '../../core/errors.ts';
import type { CopyRule } from '../../core/rules.ts';
import { requestCopy } from '../../functions/request-copy.ts';
import { destination, request } from '../support/examples.ts';
import { find, ports, put } from './ports.ts';

const RULES: readonly CopyRule[] = [{ name: 'nightly', select: {}, destinations: [destination()], dryRun: false }];
const NAME = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';

const ask = (known: ReturnType<typeof ports>, asked: unknown = request()) => requestCopy(known, RULES)(asked);

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
    const known = ports();
    await put(known.ledger, { status: 'copied', reason: 'copied as snap-0c0c', attempt: 1, copyId: 'snap-0c0c' });
    expect(await ask(known)).toEqual({
      accepted: false,
      status: 'copied',
      reason: 'copied as snap-0c0c',
      copyId: 'snap-0c0c',
    });
    expect(await find(known.ledger)).toMatchObject({ status: 'copied', changedAt: '2026-03-02T04:13:00.000Z' });
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
