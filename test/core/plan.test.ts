import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_OWN_PRICES } from '../../core/copy-cost.ts';
import { type Destination, destinationId } from '../../core/destination.ts';
import type { LedgerRequest, RequestStatus } from '../../core/ledger-request.ts';
import { type Circumstances, makePlan, type PlanRow, requestsToRead } from '../../core/plan.ts';
import { pricedWays, totalOf, totalsByDestination } from '../../core/plan-totals.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { copy, copyTags, destination, HOME, INSTALL, request, snapshot } from '../support/examples.ts';
import { running, waiting } from './admission-examples.ts';

const GIB = 2 ** 30;

function rule(over: Partial<CopyRule> = {}): CopyRule {
  return {
    name: 'nightly',
    select: { tags: { Backup: ['nightly'] } },
    destinations: [destination()],
    dryRun: false,
    ...over,
  };
}

function circumstances(over: Partial<Circumstances> = {}): Circumstances {
  return {
    install: { account: HOME, name: INSTALL },
    rules: [rule()],
    requests: [],
    waiting: [],
    copies: [],
    keys: new Map([['eu-central-1', { encryptsByDefault: false }]]),
    awsKeys: new Set(),
    assumptions: { changeRate: 0.1, prices: NO_OWN_PRICES },
    ...over,
  };
}

/** The request of the usual snapshot for the usual destination, as the ledger has it. */
function ledger(status: RequestStatus, over: Partial<LedgerRequest> = {}): LedgerRequest {
  const time = '2026-03-02T05:00:00.000Z';
  return {
    request: request(),
    status,
    reason: `the reason of ${status}`,
    attempt: 1,
    requestedAt: time,
    waitingSince: time,
    changedAt: time,
    ...over,
  };
}

/** The only row of the usual snapshot. */
function rowOf(over: Partial<Circumstances>, source: Partial<Snapshot> = {}): PlanRow {
  const rows = makePlan([snapshot(source)], circumstances(over));
  expect(rows).toHaveLength(1);
  const [row] = rows;
  if (row === undefined) throw new Error('there is none');
  return row;
}

const WANTED = "tag Backup is 'nightly', as rule nightly wants";

describe('a snapshot that a rule wants at a destination', () => {
  it('would be copied if nobody has asked for it, with what that takes', () => {
    const row = rowOf({});
    expect(row).toMatchObject({ action: 'copy', reason: WANTED, rules: [{ name: 'nightly', says: WANTED }] });
    expect(row.work).toMatchObject({
      request: {
        rule: 'nightly',
        source: { snapshotId: 'snap-0a1b2c3d4e5f60718' },
        destination: { region: 'eu-central-1' },
      },
      moves: 'all',
      reason: 'no copy of its volume is there',
      gib: 100,
      cost: { transfer: 2, surcharge: 0, storagePerMonth: 5.4 },
    });
  });

  it('takes what EC2 says of its data, and of that the changed part after an older copy', () => {
    expect(rowOf({}, { fullSizeBytes: 40 * GIB }).work).toMatchObject({ gib: 40 });
    const older = copy({ tags: copyTags({ 'snapshot-copier:source-snapshot': 'snap-older' }) });
    const after = rowOf({ copies: [older] }, { fullSizeBytes: 40 * GIB });
    expect(after.work).toMatchObject({ moves: 'changed', gib: 4, cost: { transfer: 0.08 } });
  });

  it('takes everything if the destination encrypts by default and did not before', () => {
    const older = copy({ tags: copyTags({ 'snapshot-copier:source-snapshot': 'snap-older' }) });
    const id = '1234abcd-12ab-34cd-56ef-1234567890ab';
    const keys = new Map([['eu-central-1', { encryptsByDefault: true, defaultKey: id }]]);
    expect(rowOf({ copies: [older], keys }).work?.moves).toBe('all');
    expect(rowOf({ copies: [older], keys: new Map() }).work?.moves).toBe('changed');
  });

  it('has its copy: nothing to do, whatever the ledger says', () => {
    for (const requests of [[], [ledger('waiting')], [ledger('running')], [ledger('failed')], [ledger('copied')]]) {
      const row = rowOf({ copies: [copy()], requests });
      expect(row).toMatchObject({ action: 'exists', copyId: 'snap-0c0c0c0c0c0c0c0c0' });
      expect(row.reason).toBe('snap-0c0c0c0c0c0c0c0c0 is its copy');
      expect(row.work).toBeUndefined();
    }
  });

  it('waits at its place in the queue of the Region', () => {
    const queue = [waiting('snap-0b'), waiting('snap-0a1b2c3d4e5f60718'), waiting('snap-0c', { region: 'us-east-1' })];
    const row = rowOf({ requests: [ledger('waiting')], waiting: queue });
    expect(row).toMatchObject({
      action: 'waiting',
      reason: 'number 2 of 2 for eu-central-1',
      rules: [{ name: 'nightly', says: 'the reason of waiting' }],
      work: { moves: 'all' },
    });
    expect(rowOf({ requests: [ledger('waiting')] }).reason).toBe('waits for eu-central-1');
  });

  it('runs, as far as EC2 has come', () => {
    const pending = copy({ state: 'pending', progressPercent: 42 });
    const requests = [ledger('running', { copyBegunAt: '2026-03-02T04:13:02.511Z' })];
    expect(rowOf({ requests, copies: [pending] })).toMatchObject({
      action: 'running',
      reason: 'snap-0c0c0c0c0c0c0c0c0 is at 42 %',
      copyId: 'snap-0c0c0c0c0c0c0c0c0',
      work: { moves: 'all', gib: 100 },
    });
    expect(rowOf({ requests: [ledger('running', { copyId: 'snap-x' })] })).toMatchObject({
      action: 'running',
      reason: 'its execution runs',
      copyId: 'snap-x',
    });
    expect(rowOf({ copies: [pending] })).toMatchObject({
      action: 'running',
      reason: 'snap-0c0c0c0c0c0c0c0c0 is at 42 %',
      work: { moves: 'all' },
    });
  });

  it('failed: that is for retry', () => {
    const row = rowOf({ requests: [ledger('failed')] });
    expect(row).toMatchObject({ action: 'failed', reason: 'the reason of failed' });
    expect(row.work).toBeUndefined();
    expect(rowOf({ requests: [ledger('failed')], copies: [copy({ state: 'pending' })] }).action).toBe('failed');
  });

  it('would be copied again if its copy is gone, or it was skipped though it is there', () => {
    const gone = rowOf({ requests: [ledger('copied', { copyId: 'snap-gone' })] });
    expect(gone).toMatchObject({
      action: 'copy',
      reason: 'its copy snap-gone is gone from EC2',
      copyId: 'snap-gone',
      work: { moves: 'all', reason: 'the newest there, the copy of snap-0a1b2c3d4e5f60718, is deleted' },
    });
    const given = copy({ snapshotId: 'snap-bad', state: 'error' });
    expect(rowOf({ requests: [ledger('copied', { copyId: 'snap-bad' })], copies: [given] }).reason).toBe(
      'its copy snap-bad is in state error',
    );
    expect(rowOf({ requests: [ledger('skipped')] })).toMatchObject({
      action: 'copy',
      reason: 'it was skipped before: the reason of skipped',
    });
  });

  it('is only rehearsed by a dry run, and another rule copies it all the same', () => {
    const rehearsal = rule({ name: 'rehearsal', dryRun: true, select: {} });
    const row = rowOf({ rules: [rehearsal] });
    expect(row).toMatchObject({ action: 'dry-run', reason: 'rule rehearsal wants every snapshot' });
    expect(row.work).toBeUndefined();
    expect(rowOf({ rules: [rehearsal, rule()] })).toMatchObject({ action: 'copy', rules: [{ name: 'nightly' }] });
  });
});

describe('a snapshot that no rule wants at a destination', () => {
  it('is skipped, with what each rule with that destination says', () => {
    const weekly = rule({ name: 'weekly', select: { tags: { Backup: ['weekly'] } } });
    expect(rowOf({ rules: [rule(), weekly] }, { tags: {} })).toMatchObject({
      action: 'skipped',
      reason:
        "tag Backup is not there, rule nightly wants 'nightly'; tag Backup is not there, rule weekly wants 'weekly'",
      rules: [{ name: 'nightly' }, { name: 'weekly' }],
    });
  });

  it('is skipped for a reason of its own that is said once', () => {
    const reason = 'it is not complete yet (pending)';
    expect(rowOf({ rules: [rule(), rule({ name: 'other' })] }, { state: 'pending' })).toMatchObject({
      action: 'skipped',
      reason,
      rules: [
        { name: 'nightly', says: reason },
        { name: 'other', says: reason },
      ],
    });
  });

  it('waits and runs all the same if it was asked for before, also for a destination that no rule has any more', () => {
    expect(rowOf({ requests: [ledger('waiting')] }, { tags: {} })).toMatchObject({ action: 'waiting' });
    const elsewhere = request({ destination: { region: 'us-east-1' } });
    const rows = makePlan(
      [snapshot()],
      circumstances({
        requests: [
          ledger('running', { request: elsewhere }),
          ledger('failed', { request: request({ destination: { region: 'us-east-2' } }) }),
        ],
      }),
    );
    expect(rows.map(({ destination: to, action }) => `${to.region} ${action}`)).toEqual([
      'eu-central-1 copy',
      'us-east-1 running',
    ]);
    expect(rows[1]).toMatchObject({ rules: [], reason: 'its execution runs, as rule nightly asked for before' });
  });
});

describe('the copies of one volume', () => {
  it('follow those that wait and run for older snapshots, though these are not in the plan', () => {
    const older = { snapshotId: 'snap-older', startTime: '2026-03-01T00:00:00.000Z' };
    for (const status of ['waiting', 'running'] as const) {
      expect(rowOf({ requests: [ledger(status, { request: request({ source: older }) })] }).work).toMatchObject({
        moves: 'changed',
        reason: 'after the copy of snap-older',
      });
    }
    const begun = ledger('running', { request: request({ source: older }), copyBegunAt: '2026-03-02T04:13:02.511Z' });
    expect(rowOf({ requests: [begun] }).work?.moves).toBe('changed');
    expect(rowOf({ requests: [ledger('failed', { request: request({ source: older }) })] }).work?.moves).toBe('all');
  });

  it('are in the plan from the oldest to the newest', () => {
    const rows = makePlan(
      [
        snapshot({ snapshotId: 'snap-c', startTime: '2026-03-02T03:00:00.000Z' }),
        snapshot({ snapshotId: 'snap-b', startTime: '2026-03-02T02:00:00.000Z' }),
        snapshot({ snapshotId: 'snap-a', startTime: '2026-03-02T02:00:00.000Z' }),
      ],
      circumstances(),
    );
    expect(rows.map(({ source, work }) => `${source.snapshotId}: ${work?.reason}`)).toEqual([
      'snap-a: no copy of its volume is there',
      'snap-b: after the copy of snap-a',
      'snap-c: after the copy of snap-b',
    ]);
  });
});

it('asks the ledger for what the rules want, and for what waits and runs for these snapshots and volumes', () => {
  const source = snapshot();
  const skipped = snapshot({ snapshotId: 'snap-0f', volumeId: 'vol-0f', tags: {} });
  const queue = [
    waiting('snap-0a1b2c3d4e5f60718', { volumeId: source.volumeId }),
    waiting('snap-0f', { destination: 'us-east-1', region: 'us-east-1', volumeId: 'vol-0f' }),
    running('snap-older', { volumeId: source.volumeId }),
    waiting('snap-other', { volumeId: 'vol-other' }),
  ];
  const keys = requestsToRead([source, skipped], circumstances(), queue);
  expect(keys.map(({ destination: to, snapshotId }) => `${snapshotId} to ${to}`)).toEqual([
    'snap-0a1b2c3d4e5f60718 to eu-central-1',
    'snap-0f to us-east-1',
    'snap-older to eu-central-1',
  ]);
});

const NO_INTERMEDIATES = { accounts: [], copies: 0, gib: 0, storagePerMonth: 0, unpriced: 0 };

describe('the totals of a plan', () => {
  it('are counted for each destination, with what is to be copied and what is under way', () => {
    const telAviv = destination({ region: 'il-central-1' });
    const rows = makePlan(
      [
        snapshot({ snapshotId: 'snap-1', startTime: '2026-03-02T01:00:00.000Z' }),
        snapshot({ snapshotId: 'snap-2', startTime: '2026-03-02T02:00:00.000Z' }),
        snapshot({ snapshotId: 'snap-3', startTime: '2026-03-02T03:00:00.000Z', tags: {} }),
      ],
      circumstances({
        rules: [rule({ destinations: [destination({ completionDurationMinutes: 15 }), telAviv] })],
        requests: [
          ledger('waiting', {
            request: request({ source: { snapshotId: 'snap-1', startTime: '2026-03-02T01:00:00.000Z' } }),
          }),
        ],
      }),
    );
    const totals = totalsByDestination(rows);
    expect([...totals.keys()]).toEqual(['eu-central-1', 'il-central-1']);
    expect(totals.get('eu-central-1')).toEqual({
      rows: { copy: 1, unshareable: 0, running: 0, waiting: 1, failed: 0, exists: 0, 'dry-run': 0, skipped: 1 },
      toCopy: {
        copies: 1,
        full: 0,
        gib: 10,
        cost: { transfer: 0.2, surcharge: 0.2, storagePerMonth: 0.54 },
        unpriced: { transfer: 0, storage: 0 },
        intermediates: NO_INTERMEDIATES,
      },
      underWay: {
        copies: 1,
        full: 1,
        gib: 100,
        cost: { transfer: 2, surcharge: 0, storagePerMonth: 5.4 },
        unpriced: { transfer: 0, storage: 0 },
        intermediates: NO_INTERMEDIATES,
      },
    });
    expect(totals.get('il-central-1')).toMatchObject({
      rows: { copy: 2, skipped: 1 },
      toCopy: {
        copies: 2,
        full: 1,
        gib: 110,
        cost: { transfer: 2.2, surcharge: 0, storagePerMonth: 0 },
        unpriced: { transfer: 0, storage: 2 },
      },
    });
    expect(pricedWays(rows)).toEqual([
      { from: 'eu-west-1', to: 'eu-central-1', prices: { transfer: 0.02, surcharge: 0, storage: 0.054 } },
      {
        from: 'eu-west-1',
        to: 'il-central-1',
        prices: { transfer: 0.02, surcharge: 0, storage: undefined },
      },
      { from: 'eu-west-1', to: 'eu-central-1', prices: { transfer: 0.02, surcharge: 0.02, storage: 0.054 } },
    ]);
  });
});

it('a copy that costs nobody knows what counts as such, and adds nothing', () => {
  const rows = makePlan(
    [snapshot({ region: 'il-central-1' })],
    circumstances({ rules: [rule({ destinations: [destination({ region: 'mx-central-1' })] })] }),
  );
  expect(totalOf(rows).toCopy).toMatchObject({
    cost: { transfer: 0, storagePerMonth: 0 },
    unpriced: { transfer: 1, storage: 1 },
  });
});

it('a copy whose tags were taken away is nobody’s copy', () => {
  const untold = copy({ tags: { 'snapshot-copier:managed': INSTALL } });
  expect(rowOf({ copies: [untold] }).action).toBe('copy');
});

describe('any plan', () => {
  const places: readonly Destination[] = [
    destination(),
    destination({ region: 'us-east-1' }),
    destination({ localZone: 'eu-central-1-ham-1a' }),
  ];
  const statuses = ['waiting', 'running', 'copied', 'failed', 'skipped', 'none'] as const;
  const someSources = fc.uniqueArray(
    fc.record({
      number: fc.integer({ min: 0, max: 30 }),
      volume: fc.integer({ min: 0, max: 3 }),
      isWanted: fc.boolean(),
      sizeGiB: fc.integer({ min: 1, max: 1000 }),
      status: fc.constantFrom(...statuses),
    }),
    { selector: ({ number }) => number, maxLength: 12 },
  );
  const someRules = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('one', 'two', 'three'),
      places: fc.subarray([...places], { minLength: 1 }),
      takesAll: fc.boolean(),
      dryRun: fc.boolean(),
    }),
    { selector: ({ name }) => name, minLength: 1 },
  );

  const somePlan = fc.tuple(someSources, someRules).map(([wishes, rulesOf]) => {
    const sources = wishes.map(({ number, volume, isWanted, sizeGiB }) =>
      snapshot({
        snapshotId: `snap-${number}`,
        volumeId: `vol-${volume}`,
        // Some are begun in the same moment.
        startTime: new Date(Date.UTC(2026, 2, 2, Math.floor(number / 2))).toISOString(),
        sizeGiB,
        tags: isWanted ? { Backup: 'nightly' } : {},
      }),
    );
    const rules = rulesOf.map(({ name, places: destinations, takesAll, dryRun }) =>
      rule({ name, destinations, dryRun, ...(takesAll && { select: {} }) }),
    );
    const requests = wishes.flatMap(({ status }, index) => {
      const source = sources[index];
      if (status === 'none' || source === undefined) return [];
      const { snapshotId, volumeId, startTime } = source;
      return [ledger(status, { request: request({ source: { snapshotId, volumeId, startTime } }) })];
    });
    return { sources, rules, rows: makePlan(sources, circumstances({ rules, requests })) };
  });

  it('has each snapshot once for each destination', () => {
    fc.assert(
      fc.property(somePlan, ({ sources, rules, rows }) => {
        const pairs = rows.map(({ source, destination: to }) => `${source.snapshotId} ${destinationId(to)}`);
        expect(new Set(pairs).size).toBe(pairs.length);
        const wanted = new Set(rules.flatMap(({ destinations }) => destinations.map(destinationId)));
        for (const { snapshotId } of sources) {
          for (const to of wanted) expect(pairs).toContain(`${snapshotId} ${to}`);
        }
      }),
    );
  });

  it('moves everything for the first copy of a volume at a destination, and only changes for all that follow', () => {
    fc.assert(
      fc.property(somePlan, ({ rows }) => {
        const work = rows.flatMap((row) => (row.work === undefined ? [] : [{ ...row, moves: row.work.moves }]));
        const lines = Map.groupBy(work, ({ source, destination: to }) => `${source.volumeId} ${destinationId(to)}`);
        for (const line of lines.values()) {
          expect(line.filter(({ moves }) => moves === 'all')).toHaveLength(1);
          const isOrderly = line.every(({ action }) => action !== 'running');
          if (isOrderly) expect(line[0]?.moves).toBe('all');
        }
      }),
    );
  });

  it('adds up: the totals of the destinations are the total of all, and that of the rows', () => {
    fc.assert(
      fc.property(somePlan, ({ rows }) => {
        const all = totalOf(rows);
        const each = [...totalsByDestination(rows).values()];
        const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
        expect(sum(Object.values(all.rows))).toBe(rows.length);
        expect(sum(each.map(({ toCopy }) => toCopy.copies))).toBe(all.toCopy.copies);
        expect(sum(each.map(({ toCopy, underWay }) => toCopy.gib + underWay.gib))).toBeCloseTo(
          sum(rows.map(({ work }) => work?.gib ?? 0)),
        );
        expect(all.toCopy.full + all.underWay.full).toBe(rows.filter(({ work }) => work?.moves === 'all').length);
        for (const { work, source } of rows) expect(work?.gib ?? 0).toBeLessThanOrEqual(source.sizeGiB);
      }),
    );
  });
});
