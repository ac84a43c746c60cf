import { describe, expect, it } from 'vitest';
import type { Companion } from '../../sandbox/companions.ts';
import type { SnapshotRecord } from '../../sandbox/ec2/snapshot-record.ts';
import {
  admissionTotals,
  copiesInto,
  copyOfAnotherTool,
  LedgerView,
  mostAtOnce,
  secondsToNextStart,
} from './ledger-view.ts';
import { FRANKFURT, newWorld, type World } from './world.ts';

const MINUTE = 60_000;

function sourceOf({ copy }: SnapshotRecord): string {
  return copy?.sourceSnapshotId ?? '';
}

/** CopySnapshot calls for a source: when, in milliseconds, and what became of them. */
function attempts(world: World, source: string): readonly { readonly at: number; readonly errorCode?: string }[] {
  return world.sandbox.ec2.calls.filter(
    ({ action, params }) => action === 'CopySnapshot' && params['SourceSnapshotId'] === source,
  );
}

/** What somebody hears of who only wants to hear when something is wrong. */
async function complaints(world: World): Promise<readonly string[]> {
  const failed = world.sandbox.metrics().filter(({ name }) => name === 'CopiesFailed');
  return [
    ...(await world.alerts()).map(({ body }) => body),
    ...(await world.stuckEvents()).map(({ body }) => body),
    ...failed.map(({ name, value }) => `${name} ${value}`),
    ...world
      .executions()
      .filter(({ status }) => status !== 'SUCCEEDED')
      .map(({ name, status }) => `${name} ${status}`),
  ];
}

describe('thirty snapshots for three slots', () => {
  it('are copied three at a time, oldest first, and none that waits costs an execution or a look of its own', async () => {
    const world = await newWorld({ slots: 3, copyTakes: '2 min' });
    const ledger = new LedgerView(world);
    // The youngest is asked for first.
    world.sandbox.bus.faults.add({ kind: 'reorder-events', event: 'createSnapshot', times: 30, seconds: 300 });
    const sources: string[] = [];
    for (let i = 0; i < 30; i += 1) {
      sources.push(await world.startSnapshot({ Backup: 'three-at-once' }));
      await world.pass('1 s');
    }
    await world.pass('30 s');
    expect(await ledger.statuses()).toEqual({ running: 3, waiting: 27 });
    expect(world.executions()).toHaveLength(3);

    await world.pass('25 min');
    expect(await ledger.statuses()).toEqual({ copied: 30 });
    const copies = copiesInto(world);
    expect(copies.map(({ state }) => state)).toEqual(Array(30).fill('completed'));
    expect(mostAtOnce(copies)).toBe(3);
    // Three found the Region empty, and the queue was in order from then on.
    expect(copies.map((copy) => sources.indexOf(sourceOf(copy)))).toEqual([29, 28, 27, ...Array(27).keys()]);
    expect(world.calls('CopySnapshot')).toBe(30);
    expect(await complaints(world)).toEqual([]);

    // One execution for each copy, begun when its turn had come: the last one has no more states than the first.
    const executions = world.executions();
    expect(executions).toHaveLength(30);
    expect(new Set(executions.map(({ transitions }) => transitions)).size).toBe(1);
    const started = executions.map(({ startDate: startedAt, stopDate: endedAt }) => ({ startedAt, endedAt }));
    expect(mostAtOnce(started)).toBe(3);
    // Admission counts what is pending, for all who wait together.
    const counts = world.sandbox.ec2.calls.filter(({ params }) => params['Filter.1.Name'] === 'status');
    expect(counts.length).toBeGreaterThan(10);
    expect(counts.length).toBeLessThanOrEqual(45);
    expect(admissionTotals(world).ended).toEqual({
      SUCCEEDED: expect.any(Number),
      FAILED: 0,
      TIMED_OUT: 0,
      ABORTED: 0,
    });
  });
});

describe('another tool that copies into the same Region', () => {
  it('has its slots: ours start when it has ended, within a heartbeat, and never above what the rule allows', async () => {
    let theirs = '';
    const copyTakesSeconds = ({ sourceSnapshotId }: { sourceSnapshotId: string }) =>
      sourceSnapshotId === theirs ? 6 * 60 : 10 * 60;
    const world = await newWorld({ slots: 6, ec2: { copyTakesSeconds } });
    theirs = await world.snapshot({});
    const begin = world.sandbox.clock.now();
    const minutes = (at: number) => (at - begin) / MINUTE;
    await copyOfAnotherTool(world, theirs);
    await copyOfAnotherTool(world, theirs);
    for (let i = 0; i < 6; i += 1) await world.startSnapshot({ Backup: 'four-with-zone' });
    await world.pass('8 min');
    // Now all four slots of the rule are ours, and the tool takes two more of the six that EC2 has.
    await copyOfAnotherTool(world, theirs);
    await copyOfAnotherTool(world, theirs);
    await world.pass('30 min');

    const copies = copiesInto(world);
    const ours = copies.filter((copy) => sourceOf(copy) !== theirs);
    const pendingAt = (at: number) => copies.filter((copy) => copy.startedAt <= at && at < (copy.endedAt ?? 0)).length;
    expect(ours.map(({ state }) => state)).toEqual(Array(6).fill('completed'));
    // Two beside the tool's first two; two when those have ended, at 6 min; two when the second two have, at 14 min,
    // and not at 10 min, when the first two of ours made room.
    const [a, b, c, d, e, f] = ours.map(({ startedAt }) => startedAt);
    for (const at of [a, b]) expect(minutes(at ?? 0)).toBeLessThan(0.5);
    for (const at of [c, d]) expect(minutes(at ?? 0)).toSatisfy((min: number) => min >= 6 && min <= 6 + 40 / 60);
    for (const at of [e, f]) expect(minutes(at ?? 0)).toSatisfy((min: number) => min >= 14 && min <= 14 + 40 / 60);
    for (const { startedAt } of ours) expect(pendingAt(startedAt)).toBeLessThanOrEqual(4);
    expect(world.sandbox.ec2.callCount('CopySnapshot', FRANKFURT, 'ResourceLimitExceeded')).toBe(0);
    expect(await complaints(world)).toEqual([]);
  });

  it('and takes slots between two counts: who was refused waits at the old place until a copy has ended', async () => {
    const world = await newWorld({ slots: 4, copyTakes: '10 min' });
    const ledger = new LedgerView(world);
    const theirs = await world.snapshot({});
    const first = await world.startSnapshot({ Backup: 'four-with-zone' });
    await world.pass('25 s');
    for (let i = 0; i < 3; i += 1) await copyOfAnotherTool(world, theirs);
    const refused = await world.startSnapshot({ Backup: 'four-with-zone' });
    await world.pass('1 s');
    const later: string[] = [];
    for (let i = 0; i < 4; i += 1) later.push(await world.startSnapshot({ Backup: 'four-with-zone' }));
    await world.pass('5 min');
    expect(attempts(world, refused)).toMatchObject([{ errorCode: 'ResourceLimitExceeded' }]);
    expect(world.execution(`${refused}-${FRANKFURT}-1`).status).toBe('SUCCEEDED');
    expect(await ledger.request(refused)).toMatchObject({ status: 'waiting', attempt: 1 });
    expect(await ledger.statuses()).toEqual({ running: 1, waiting: 5 });

    await world.pass('30 min');
    const copies = copiesInto(world);
    const ended = copies.filter((copy) => [first, theirs].includes(sourceOf(copy))).map(({ endedAt }) => endedAt ?? 0);
    const next = copies.filter((copy) => [refused, ...later].includes(sourceOf(copy)));
    expect(next.map(sourceOf)[0]).toBe(refused);
    // All four slots are in use again: what is believed of EC2 is what the count found, not what was known before it.
    const secondsAfter = next.slice(0, 4).map(({ startedAt }) => (startedAt - Math.max(...ended)) / 1000);
    for (const seconds of secondsAfter) expect(seconds).toBeLessThanOrEqual(40);
    for (const source of [refused, ...later]) expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    expect(mostAtOnce(copies)).toBe(4);
    expect(world.sandbox.ec2.callCount('CopySnapshot', FRANKFURT, 'ResourceLimitExceeded')).toBe(1);
    expect(await complaints(world)).toEqual([]);
  });
});

describe('an EC2 that refuses although nothing shows why', () => {
  it('is asked again when a copy has ended, and before younger ones: nothing is lost and nobody is alerted', async () => {
    const world = await newWorld();
    const ledger = new LedgerView(world);
    const sources: string[] = [];
    for (const minutes of [4, 7, 20, 4, 4]) {
      const source = await world.startSnapshot({ Backup: 'three-at-once' });
      world.sandbox.ec2.faults.add({ kind: 'slow-copy', seconds: minutes * 60, sourceSnapshotId: source });
      sources.push(source);
      await world.pass('1 s');
    }
    const [first = '', second = '', , refused = '', younger = ''] = sources;
    const refusal = { kind: 'error', action: 'CopySnapshot', code: 'ResourceLimitExceeded', status: 400 };
    world.sandbox.ec2.faults.add({ ...refusal, sourceSnapshotId: refused });
    await world.pass('6 min');
    const endOf = (source: string) => world.copies(source, FRANKFURT)[0]?.endedAt ?? Number.NaN;
    expect(attempts(world, refused)).toMatchObject([{ errorCode: 'ResourceLimitExceeded' }]);
    expect(attempts(world, refused)[0]?.at).toBeGreaterThanOrEqual(endOf(first));
    const waits = await ledger.request(refused);
    expect(waits).toMatchObject({ status: 'waiting', attempt: 1, reason: expect.stringContaining('as many copies') });
    expect(waits.waitingSince).toBe(waits.requestedAt);
    expect(world.execution(`${refused}-${FRANKFURT}-1`)).toMatchObject({ status: 'SUCCEEDED' });

    await world.pass('30 min');
    const [, again, ...more] = attempts(world, refused);
    expect(more).toEqual([]);
    const secondsAfter = ((again?.at ?? 0) - endOf(second)) / 1000;
    expect(secondsAfter).toBeGreaterThanOrEqual(0);
    expect(secondsAfter).toBeLessThanOrEqual(40);
    expect(attempts(world, younger)[0]?.at).toBeGreaterThan(again?.at ?? 0);
    for (const source of sources) expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    expect(await ledger.statuses()).toEqual({ copied: 5 });
    expect(await complaints(world)).toEqual([]);
  });
});

describe('several snapshots of one volume at once', () => {
  it('are copied one after the other, oldest first, each incremental to the one before; other volumes pass', async () => {
    const world = await newWorld({ slots: 4, copyTakes: '3 min' });
    const theirs = await world.snapshot({});
    for (let i = 0; i < 4; i += 1) await copyOfAnotherTool(world, theirs);
    // The Region is full, so all wait; the youngest is asked for first.
    world.sandbox.bus.faults.add({ kind: 'reorder-events', event: 'createSnapshot', times: 6, seconds: 300 });
    const volumeId = await world.volume(100);
    const line: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      line.push(await world.startSnapshot({ Backup: 'four-with-zone' }, { volumeId }));
      await world.pass('1 s');
    }
    const others = [
      await world.startSnapshot({ Backup: 'four-with-zone' }),
      await world.startSnapshot({ Backup: 'four-with-zone' }),
    ];
    await world.pass('30 min');
    const copies = copiesInto(world);
    const ofLine = copies.filter((copy) => line.includes(sourceOf(copy)));
    expect(ofLine.map(sourceOf)).toEqual(line);
    expect(mostAtOnce(ofLine)).toBe(1);
    expect(ofLine.map(({ copy }) => copy?.basedOn)).toEqual([
      undefined,
      ...ofLine.slice(0, 3).map(({ snapshotId }) => snapshotId),
    ]);
    expect(ofLine.map(({ copy }) => copy?.incremental)).toEqual([false, true, true, true]);
    // Younger than all of the line, and yet begun with its first one.
    const passed = copies.filter((copy) => others.includes(sourceOf(copy)));
    expect(passed.map(({ startedAt }) => startedAt)).toEqual(Array(2).fill(ofLine[0]?.startedAt));
    expect(await complaints(world)).toEqual([]);
  });
});

describe('a slot that becomes free', () => {
  const forwarding: Companion = {
    template: 'companions/destination-region.yml',
    region: FRANKFURT,
    parameters: { HomeRegion: 'eu-west-1' },
  };

  it.each([
    ['at once where the destination Region forwards its events', [forwarding], undefined, 2],
    ['within a heartbeat by the service alone', [], undefined, 40],
    ['within a heartbeat if that event is lost', [forwarding], 'copySnapshot', 40],
  ])('is taken %s', async (_, companions, event, seconds) => {
    const world = await newWorld({ slots: 3, copyTakes: '7.25 min', companions });
    if (event !== undefined) world.sandbox.bus.faults.add({ kind: 'lose-event', event, share: 1 });
    for (let i = 0; i < 6; i += 1) await world.startSnapshot({ Backup: 'three-at-once' });
    await world.pass('20 min');
    const copies = copiesInto(world);
    expect(copies.map(({ state }) => state)).toEqual(Array(6).fill('completed'));
    expect(mostAtOnce(copies)).toBe(3);
    const delays = secondsToNextStart(copies);
    expect(delays).toHaveLength(3);
    for (const delay of delays) expect(delay).toBeLessThanOrEqual(seconds);
    expect(await complaints(world)).toEqual([]);
  });
});

describe('two destinations in one Region', () => {
  it('share its slots: EC2 counts copies to a Local Zone as copies into its Region', async () => {
    const world = await newWorld({ home: { region: FRANKFURT }, slots: 4, copyTakes: '4 min' });
    const ledger = new LedgerView(world);
    for (let i = 0; i < 4; i += 1) await world.startSnapshot({ Backup: 'four-with-zone' });
    await world.pass('1 min');
    expect(await ledger.statuses()).toEqual({ running: 4, waiting: 4 });
    await world.pass('20 min');
    const copies = copiesInto(world);
    expect(copies.filter(({ localZone }) => localZone === 'eu-central-1-ham-1a')).toHaveLength(4);
    expect(copies.map(({ state }) => state)).toEqual(Array(8).fill('completed'));
    expect(mostAtOnce(copies)).toBe(4);
    expect(world.calls('CopySnapshot')).toBe(8);
    expect(await complaints(world)).toEqual([]);
  });
});

describe('a request that was accepted under other rules', () => {
  it('keeps what it was accepted with, even if its event is heard again', async () => {
    const world = await newWorld({ slots: 3, copyTakes: '4 min' });
    const ledger = new LedgerView(world);
    const theirs = await world.snapshot({});
    for (let i = 0; i < 3; i += 1) await copyOfAnotherTool(world, theirs);
    const source = await world.snapshot({ Backup: 'three-at-once' });
    const { request } = await ledger.request(source);
    const destination = {
      ...request.destination,
      description: 'as it was',
      tags: { copy: 'none', add: { Old: 'yes' } },
    };
    await ledger.edit(source, { request: { S: JSON.stringify({ ...request, rule: 'former-rule', destination }) } });
    const [event] = world.sandbox.bus.events().filter(({ detail }) => String(detail['snapshot_id']).endsWith(source));
    await world.event({ ...event });
    await world.pass('20 min');
    expect(world.log('onSnapshotEvent')).toContain(`Already waiting: ${source}`);
    expect(world.copies(source)).toMatchObject([
      {
        state: 'completed',
        description: 'as it was',
        tags: { Old: 'yes', 'snapshot-copier:rule': 'former-rule', 'snapshot-copier:state': 'copied' },
      },
    ]);
    expect(world.copies(source)[0]?.tags).not.toHaveProperty('Backup');
    expect(await ledger.request(source)).toMatchObject({ status: 'copied', request: { rule: 'former-rule' } });
  });
});
