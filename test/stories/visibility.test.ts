import { describe, expect, it } from 'vitest';
import { destinationRegions } from '../../core/rule-destinations.ts';
import { readRulesFile } from '../../packaging/rules-file.ts';
import { admissionTotals, copyOfAnotherTool, LedgerView } from './ledger-view.ts';
import { FRANKFURT, newWorld, type World } from './world.ts';

const ZONE = 'eu-central-1-ham-1a';

/** What was published of the queues, with the minute since the sandbox began. */
function queueMetrics(world: World): readonly (readonly [number, string, string | undefined, number])[] {
  const begin = Date.parse('2026-01-05T09:00:00Z');
  return world.sandbox
    .metrics()
    .filter(({ name }) => name === 'RequestsWaiting' || name === 'OldestWaitingAge')
    .map(({ time, name, dimensions, value }) => [
      (Date.parse(time) - begin) / 60_000,
      name,
      dimensions['destination'],
      value,
    ]);
}

/** Everything that the service has called so far. */
function callsOf({ sandbox }: World) {
  return {
    functions: Object.fromEntries(sandbox.lambda.invocationCounts()),
    dynamodb: Object.fromEntries(sandbox.dynamodb.callCounts()),
    states: Object.fromEntries(sandbox.states.callCounts()),
    ec2: sandbox.ec2.calls.length,
  };
}

describe('requests that wait', () => {
  it('are counted every five minutes, with the age of the oldest, by destination, and not when nothing waits', async () => {
    const world = await newWorld({ schedules: 'on', home: { region: FRANKFURT }, slots: 4, copyTakes: '12 min' });
    const ledger = new LedgerView(world);
    const theirs = await world.snapshot({});
    for (let i = 0; i < 4; i += 1) await copyOfAnotherTool(world, theirs);
    for (let i = 0; i < 3; i += 1) await world.startSnapshot({ Backup: 'four-with-zone' });
    await world.pass('2 min');
    // One of them cannot go to the Local Zone yet.
    expect(await ledger.statuses()).toEqual({ waiting: 6 });
    await world.pass('40 min');

    // Asked for 80.5 s after the beginning, when the snapshots were complete.
    expect(queueMetrics(world).filter(([minute]) => minute <= 10)).toEqual([
      [5, 'RequestsWaiting', FRANKFURT, 3],
      [5, 'OldestWaitingAge', FRANKFURT, 220],
      [5, 'RequestsWaiting', ZONE, 3],
      [5, 'OldestWaitingAge', ZONE, 220],
      [10, 'RequestsWaiting', FRANKFURT, 3],
      [10, 'OldestWaitingAge', FRANKFURT, 520],
      [10, 'RequestsWaiting', ZONE, 3],
      [10, 'OldestWaitingAge', ZONE, 520],
    ]);
    // At 13 min four began, at 25 min the last two: nothing waits from then on.
    expect(
      queueMetrics(world)
        .filter(([, name]) => name === 'RequestsWaiting')
        .slice(4),
    ).toEqual([
      [15, 'RequestsWaiting', expect.any(String), 2],
      [20, 'RequestsWaiting', expect.any(String), 2],
      [25, 'RequestsWaiting', expect.any(String), 2],
    ]);
    expect(await ledger.statuses()).toEqual({ copied: 6 });
  });
});

describe('the idle service', () => {
  it('has no heartbeat, and its sweeps cost two small reads for each destination Region', async () => {
    const world = await newWorld({ schedules: 'on', slots: 3, copyTakes: '4 min' });
    const ledger = new LedgerView(world);
    for (let i = 0; i < 5; i += 1) await world.startSnapshot({ Backup: 'three-at-once' });
    await world.pass('2 min');
    expect(admissionTotals(world).running).toBe(1);
    expect((await ledger.admission()).heartbeat).toBeDefined();
    await world.pass('10 min');
    expect(await ledger.statuses()).toEqual({ copied: 5 });
    expect(admissionTotals(world).running).toBe(0);
    expect((await ledger.admission()).heartbeat).toBeUndefined();

    const { started } = admissionTotals(world);
    const before = callsOf(world);
    await world.pass('1 h');
    const after = callsOf(world);
    expect(admissionTotals(world).started).toBe(started);
    const regions = destinationRegions(readRulesFile('test/support/copy-rules.yml')).length;
    const name = 'ebs-snapshot-copier-test';
    const healing = after.functions[`${name}-healLostEvents`] ?? 0;
    expect(after).toEqual({
      functions: {
        ...before.functions,
        [`${name}-sweep`]: (before.functions[`${name}-sweep`] ?? 0) + 12,
        [`${name}-healLostEvents`]: 1,
      },
      // The look-back reads the request of each of the five snapshots of the day.
      dynamodb: {
        ...before.dynamodb,
        Query: (before.dynamodb['Query'] ?? 0) + 12 * 2 * regions,
        GetItem: (before.dynamodb['GetItem'] ?? 0) + 5,
      },
      states: before.states,
      ec2: before.ec2 + 2 * healing,
    });
    expect(queueMetrics(world)).toEqual([]);
  });
});
