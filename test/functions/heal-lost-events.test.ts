import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import { COPIER_TAG } from '../../core/copier-tags.ts';
import { ServiceTroubleError } from '../../core/errors.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { healLostEvents } from '../../functions/heal-lost-events.ts';
import { destination, HOME, INSTALL, request, snapshot } from '../support/examples.ts';
import { watchMetrics } from '../support/metrics-written.ts';
import { find, ports, put } from './ports.ts';
import { FakeSourceAccount, OWNER } from './source-account.ts';

const metrics = watchMetrics();

const OTHER_ACCOUNT = '111122223333';
const RULE: CopyRule = {
  name: 'nightly',
  select: { tags: { Backup: ['nightly'] } },
  destinations: [destination(), destination({ region: 'us-east-1' })],
  dryRun: false,
};
/** A snapshot of which no event was heard, in time for the clock of `ports`. */
const LOST = snapshot({ startTime: '2026-03-02T04:09:51.204Z', completionTime: '2026-03-02T04:15:00.000Z' });
const SHARED = snapshot({ ...LOST, snapshotId: 'snap-05a5a5a5', ownerId: OTHER_ACCOUNT, tags: {} });

/** EC2 with these snapshots, and what it was asked for. */
function listing(own: readonly Snapshot[], shared: readonly Snapshot[] = []) {
  const asked: string[] = [];
  return {
    asked,
    begunOn: async (region: string, days: readonly string[], whose: 'own' | 'shared') => {
      asked.push(`${whose} of ${days.join(' and ')} in ${region}`);
      // Those that it may use are also its own.
      return whose === 'own' ? own : [...own, ...shared];
    },
  };
}

async function heal(
  known: ReturnType<typeof ports>,
  snapshots: ReturnType<typeof listing>,
  {
    rules = [RULE],
    lookbackHours = 24,
    owners = {},
  }: {
    rules?: readonly CopyRule[];
    lookbackHours?: number;
    /** Source accounts. */
    owners?: Readonly<Record<string, FakeSourceAccount>>;
  } = {},
): Promise<void> {
  const sourceSnapshots = (account: string) => owners[account] ?? new FakeSourceAccount();
  await healLostEvents(
    { ...known, snapshots, sourceSnapshots },
    rules,
    { accounts: Object.keys(owners) },
    { account: HOME },
    { region: 'eu-west-1', lookbackHours },
  )();
}

describe('a snapshot that a rule selects and no event told of', () => {
  it('is requested for each destination, counted, and admission looks', async () => {
    const known = ports();
    await heal(known, listing([LOST]));
    expect(await find(known.ledger)).toMatchObject({
      status: 'waiting',
      reason: "nobody had asked for it, and tag Backup is 'nightly', as rule nightly wants",
    });
    expect(metrics()).toEqual([
      { name: 'EventsHealed', value: 1, destination: 'eu-central-1' },
      { name: 'EventsHealed', value: 1, destination: 'us-east-1' },
    ]);
    expect(known.woken).toEqual(['eu-central-1', 'us-east-1']);
  });

  it('is requested where it is missing, if one destination was written and the other was not', async () => {
    const known = ports();
    await put(known.ledger);
    await heal(known, listing([LOST]));
    expect(metrics()).toMatchObject([{ destination: 'us-east-1' }]);
    expect(known.woken).toEqual(['us-east-1']);
  });

  it('is requested once, although EC2 lists it among the shared ones too', async () => {
    const known = ports();
    const rules = [{ ...RULE, select: {}, destinations: [destination()] }];
    await heal(known, listing([LOST], [SHARED]), { rules });
    expect(metrics()).toHaveLength(2);
    const { requests } = await known.ledger.waiting('eu-central-1', { limit: 10 });
    expect(requests.map(({ snapshotId }) => snapshotId)).toEqual(['snap-05a5a5a5', 'snap-0a1b2c3d4e5f60718']);
  });
});

describe('nothing is requested', () => {
  it.each(['waiting', 'running', 'copied', 'failed', 'skipped'] as const)('that is %s already', async (status) => {
    const known = ports();
    for (const region of ['eu-central-1', 'us-east-1']) {
      await put(known.ledger, { status, execution: 'e', attempt: 1, request: request({ destination: { region } }) });
    }
    await heal(known, listing([LOST]));
    expect(await find(known.ledger)).toMatchObject({ status, reason: 'for the test' });
    expect(known.woken).toEqual([]);
    expect(metrics()).toEqual([]);
  });

  it.each([
    ['that completed a minute ago: it is left to its event', { completionTime: '2026-03-02T04:29:00.000Z' }],
    ['that completed before the time that is looked back', { completionTime: '2026-03-01T04:29:59.000Z' }],
    ['that no rule selects', { tags: {} }],
    ['that is a copy itself', { tags: { Backup: 'nightly', [COPIER_TAG.managed]: INSTALL } }],
  ])('%s', async (_what, over) => {
    const known = ports();
    await heal(known, listing([{ ...LOST, ...over }]));
    expect(await find(known.ledger)).toBeUndefined();
    expect(known.woken).toEqual([]);
  });

  it('by a rule that rehearses', async () => {
    const known = ports();
    await heal(known, listing([LOST]), { rules: [{ ...RULE, dryRun: true }] });
    expect(await find(known.ledger)).toBeUndefined();
  });
});

describe('EC2 is asked', () => {
  it('for the days on which snapshots that completed in the last hours can have begun', async () => {
    const snapshots = listing([]);
    await heal(ports(), snapshots);
    expect(snapshots.asked).toEqual([
      'own of 2026-02-26 and 2026-02-27 and 2026-02-28 and 2026-03-01 and 2026-03-02 in eu-west-1',
    ]);
  });

  it.each([
    ['of any account', {}, true],
    ['of one account', { owners: ['self', OTHER_ACCOUNT] }, true],
    ['of this account alone', { owners: ['self'] }, false],
    ['by tags, which cannot be seen on a shared one', { tags: { Backup: true as const } }, false],
  ])('for shared snapshots only if a rule can select them: %s', async (_what, select, isAsked) => {
    const snapshots = listing([]);
    await heal(ports(), snapshots, { rules: [{ ...RULE, select }] });
    expect(snapshots.asked.some((call) => call.startsWith('shared'))).toBe(isAsked);
  });

  it('for nothing if nobody wants that', async () => {
    const snapshots = listing([LOST]);
    await heal(ports(), snapshots, { lookbackHours: 0 });
    expect(snapshots.asked).toEqual([]);
  });
});

it('trouble with one snapshot keeps neither the others nor admission waiting, and is said in the end', async () => {
  const known = ports();
  const first = { ...LOST, snapshotId: 'snap-0bad0bad' };
  const change: typeof known.ledger.change = async (key, transition) => {
    const isBad = key.snapshotId === first.snapshotId && key.region === 'us-east-1';
    if (isBad) throw new ServiceTroubleError('no ledger for snap-0bad0bad');
    return known.ledger.change(key, transition);
  };
  const troubled = { ...known, ledger: { ...known.ledger, change } };
  await expect(heal(troubled, listing([first, LOST]))).rejects.toThrow('no ledger for snap-0bad0bad');
  expect(await find(known.ledger)).toMatchObject({ status: 'waiting' });
  expect(known.woken).toEqual(['eu-central-1', 'us-east-1']);
});

describe('a snapshot of a source account', () => {
  const there = { ...LOST, ownerId: OWNER, viewedByOwner: true } as const;

  it('is requested by its tags, as its owner sees them, even if it is shared with us for now', async () => {
    const known = ports();
    const rules = [
      { ...RULE, destinations: [destination()] },
      { ...RULE, name: 'any', select: { owners: [OWNER] } },
    ];
    const seenByUs = { ...LOST, ownerId: OWNER, tags: {} };
    await heal(known, listing([], [seenByUs]), { rules, owners: { [OWNER]: new FakeSourceAccount(there) } });
    expect(await find(known.ledger)).toMatchObject({
      request: { rule: 'nightly', source: { companion: { reencrypt: false } } },
    });
  });

  it('is not looked for where no rule can select it', async () => {
    const known = ports();
    const rules = [{ ...RULE, select: { owners: ['self'] } }];
    await heal(known, listing([]), { rules, owners: { [OWNER]: new FakeSourceAccount(there) } });
    expect(await find(known.ledger)).toBeUndefined();
  });

  it('of an account that cannot be looked into does not keep the others waiting, and is told of', async () => {
    const known = ports();
    const gone = new FakeSourceAccount();
    gone.isGone = true;
    const owners = { '222233334444': gone, [OWNER]: new FakeSourceAccount(there) };
    await expect(heal(known, listing([]), { owners })).rejects.toThrow('the companion is gone');
    expect(await find(known.ledger)).toMatchObject({ status: 'waiting' });
  });
});
