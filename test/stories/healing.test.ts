import { DeleteSnapshotCommand, ModifySnapshotAttributeCommand } from '@aws-sdk/client-ec2';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import { placeOf } from '../../aws/ledger-items.ts';
import { requestKey } from '../../core/ledger-request.ts';
import { copiesInto, copyOfAnotherTool, LedgerView, mostAtOnce, requestCopy } from './ledger-view.ts';
import { FRANKFURT, newWorld, PARTNER, SOURCE_REGION, type World } from './world.ts';

const STATUS_CHANGE = 'Step Functions Execution Status Change';

function healed(world: World): readonly (readonly [string | undefined, number])[] {
  const metrics = world.sandbox.metrics().filter(({ name }) => name === 'EventsHealed');
  return metrics.map(({ dimensions, value }) => [dimensions['destination'], value]);
}

async function stop(world: World, executionName: string): Promise<void> {
  const { endpoint, home } = world.sandbox;
  const credentials = { accessKeyId: home.account, secretAccessKey: 'secret' };
  const { arn } = world.execution(executionName);
  await new SFNClient({ endpoint, region: home.region, credentials }).send(
    new StopExecutionCommand({ executionArn: arn, cause: 'wrong button' }),
  );
}

describe('the end of an execution that nobody hears of', () => {
  it('is found by the sweep: the ledger has it within minutes, and who was not told is told once', async () => {
    const world = await newWorld({ schedules: 'on', copyTakes: '4 min' });
    const ledger = new LedgerView(world);
    world.sandbox.bus.faults.add({ kind: 'lose-event', detailType: STATUS_CHANGE, share: 1 });
    const stopped = await world.startSnapshot({ Backup: 'three-at-once' });
    const sources = [stopped];
    for (let i = 0; i < 4; i += 1) sources.push(await world.startSnapshot({ Backup: 'three-at-once' }));
    await world.pass('1 min');
    await stop(world, `${stopped}-${FRANKFURT}-1`);
    await world.pass('30 min');

    expect(await ledger.statuses()).toEqual({ failed: 1, copied: 4 });
    expect(await ledger.request(stopped)).toMatchObject({ status: 'failed', attempt: 1 });
    expect(await world.alerts()).toMatchObject([{ attributes: { reason: 'Aborted', sourceSnapshot: stopped } }]);
    expect(mostAtOnce(copiesInto(world))).toBeLessThanOrEqual(3);
    for (const source of sources) expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    // By five minutes of the sweep, and two in which the event may still come.
    const late = (await ledger.requests()).map(({ execution = '', changedAt }) => {
      return (Date.parse(changedAt) - (world.execution(execution).stopDate ?? 0)) / 60_000;
    });
    for (const minutes of late) expect(minutes).toBeLessThanOrEqual(7);
    expect(await world.stuckEvents()).toEqual([]);
  });
});

describe('a request that is said to run, and has no execution', () => {
  it('gets the one that it is said to have, by the sweep', async () => {
    const world = await newWorld({ schedules: 'on' });
    const ledger = new LedgerView(world);
    const theirs = await world.snapshot({});
    for (let i = 0; i < 3; i += 1) await copyOfAnotherTool(world, theirs);
    const source = await world.snapshot({ Backup: 'three-at-once' });
    const waits = await ledger.request(source);
    const execution = `${source}-${FRANKFURT}-1`;
    const key = requestKey(waits.request.source, waits.request.destination);
    const place = placeOf(key, { ...waits, status: 'running' }) ?? '';
    await ledger.edit(source, {
      status: { S: 'running' },
      attempt: { N: '1' },
      execution: { S: execution },
      place: { S: place },
    });
    await world.pass('30 min');
    expect(world.log('sweep')).toContain(`Started ${execution} again`);
    expect(world.executions().map(({ name, status }) => [name, status])).toEqual([[execution, 'SUCCEEDED']]);
    expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    expect(await ledger.request(source)).toMatchObject({ status: 'copied', execution });
  });
});

describe('events that come twice or in any order', () => {
  it('all of them twice: one copy each, and one alert for the one that fails', async () => {
    const world = await newWorld({
      schedules: 'on',
      copyTakes: '4 min',
      companions: [
        {
          template: 'companions/destination-region.yml',
          region: FRANKFURT,
          parameters: { HomeRegion: SOURCE_REGION },
        },
      ],
    });
    const ledger = new LedgerView(world);
    world.sandbox.bus.faults.add({ kind: 'duplicate-event', seconds: 20, share: 1 });
    const sources: string[] = [];
    for (let i = 0; i < 6; i += 1) {
      sources.push(await world.startSnapshot({ Backup: 'three-at-once' }));
      await world.pass('1 s');
    }
    const [failing = '', slow = '', ...good] = sources;
    world.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Cosmic rays', sourceSnapshotId: failing });
    world.sandbox.ec2.faults.add({ kind: 'slow-copy', seconds: 3600, sourceSnapshotId: slow });
    await world.pass('30 min');
    expect(await ledger.statuses()).toEqual({ copied: 4, failed: 1, running: 1 });
    await stop(world, `${slow}-${FRANKFURT}-1`);
    await world.pass('5 min');
    expect(await ledger.statuses()).toEqual({ copied: 4, failed: 2 });
    expect(await world.reasons()).toEqual(['CopyFailed', 'Aborted']);
    expect(world.executions()).toHaveLength(6);
    expect(world.calls('CopySnapshot')).toBe(6);
    for (const source of good) expect(world.copies(source)).toHaveLength(1);
    expect(mostAtOnce(copiesInto(world))).toBe(3);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('all kinds in the wrong order: one copy each, and three at a time', async () => {
    const world = await newWorld({ schedules: 'on', slots: 3, copyTakes: '4 min' });
    const ledger = new LedgerView(world);
    for (let i = 0; i < 10; i += 1) world.sandbox.bus.faults.add({ kind: 'reorder-events', times: 4, seconds: 120 });
    const sources: string[] = [];
    for (let i = 0; i < 6; i += 1) sources.push(await world.startSnapshot({ Backup: 'three-at-once' }));
    await world.pass('40 min');
    expect(world.sandbox.bus.faults.list().length).toBeLessThan(8);
    expect(await ledger.statuses()).toEqual({ copied: 6 });
    for (const source of sources) expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    expect(world.executions()).toHaveLength(6);
    expect(mostAtOnce(copiesInto(world))).toBe(3);
    expect(await world.alerts()).toEqual([]);
  });
});

describe('a snapshot of which no event told', () => {
  it('is found within the hour, copied once and counted once', async () => {
    const world = await newWorld({ schedules: 'on' });
    const ledger = new LedgerView(world);
    await world.pass('10 min');
    world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot' });
    const lost = await world.snapshot({ Backup: 'three-at-once' });
    const heard = await world.snapshot({ Backup: 'three-at-once' });
    await world.snapshot({ Backup: 'three-at-once-not' });
    await world.pass('46 min');
    expect(world.copies(lost)).toEqual([]);
    await world.pass('14 min');
    expect(world.copies(lost)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await ledger.request(lost)).toMatchObject({ status: 'copied' });
    expect(world.log('healLostEvents')).toContain('nobody had asked for it, and tag Backup is');
    await world.pass('5 h');
    expect(world.copies(lost)).toHaveLength(1);
    expect(world.copies(heard)).toHaveLength(1);
    expect(healed(world)).toEqual([[FRANKFURT, 1]]);
    expect(await ledger.statuses()).toEqual({ copied: 2 });
    expect(await world.alerts()).toEqual([]);
  });

  it('complete, for it was shared with us before: likewise', async () => {
    const world = await newWorld({ schedules: 'on', ec2: { snapshotTakesSeconds: () => 600 } });
    const source = await world.startSnapshot({}, { account: PARTNER, description: 'Created by DLM' });
    await world.ec2(SOURCE_REGION, PARTNER).send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: source,
        Attribute: 'createVolumePermission',
        OperationType: 'add',
        UserIds: [world.sandbox.home.account],
      }),
    );
    await world.pass('50 min');
    expect(world.log('onSnapshotEvent')).toContain('it is not complete yet (pending)');
    expect(world.copies(source)).toEqual([]);
    await world.pass('30 min');
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    expect(healed(world)).toEqual([[FRANKFURT, 1]]);
    expect(await world.alerts()).toEqual([]);
  });
});

describe('a source that is deleted while its request waits', () => {
  it('ends as skipped, told once in the log and to nobody, and its slot and volume are free for the next', async () => {
    // The jitter of this seed is short: looks for the sources would be over too soon, were there only 15.
    const world = await newWorld({ schedules: 'on', slots: 3, seed: 3 });
    const ledger = new LedgerView(world);
    const theirs = await world.snapshot({});
    for (let i = 0; i < 3; i += 1) await copyOfAnotherTool(world, theirs);
    const volumeId = await world.volume();
    const gone = [
      await world.startSnapshot({ Backup: 'three-at-once' }, { volumeId }),
      await world.startSnapshot({ Backup: 'three-at-once' }),
      await world.startSnapshot({ Backup: 'three-at-once' }),
    ];
    await world.pass('1 s');
    const next = await world.startSnapshot({ Backup: 'three-at-once' }, { volumeId });
    await world.pass('1 min');
    for (const SnapshotId of gone) await world.ec2(SOURCE_REGION).send(new DeleteSnapshotCommand({ SnapshotId }));
    await world.pass('1 h');

    const lines = world.log('startCopy').split('\n');
    for (const source of gone) {
      expect(await ledger.request(source)).toMatchObject({
        status: 'skipped',
        reason: expect.stringMatching(/^source gone/),
      });
      expect(world.execution(`${source}-${FRANKFURT}-1`).status).toBe('SUCCEEDED');
      expect(lines.filter((line) => line.includes(`Skipped ${source} for ${FRANKFURT}: source gone`))).toHaveLength(1);
      expect(world.copies(source)).toEqual([]);
    }
    // EC2 may hide a snapshot for five minutes, so it takes that long to believe that it is gone.
    const [copy] = world.copies(next);
    expect(copy).toMatchObject({ state: 'completed' });
    expect(((copy?.startedAt ?? 0) - (copiesInto(world)[0]?.endedAt ?? 0)) / 60_000).toBeLessThan(7);
    expect(await ledger.statuses()).toEqual({ skipped: 3, copied: 1 });
    expect(await world.alerts()).toEqual([]);
    expect(world.sandbox.metrics().filter(({ name }) => name === 'CopiesFailed')).toEqual([]);
  });
});

describe('a failed copy that is started again as its alert says', () => {
  it('waits for its turn in a full Region, and is copied; asking again changes nothing', async () => {
    const world = await newWorld({ schedules: 'on', slots: 3, copyTakes: '30 min' });
    const ledger = new LedgerView(world);
    world.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Cosmic rays' });
    const source = await world.snapshot({ Backup: 'three-at-once' });
    await world.pass('30 min');
    expect(await ledger.request(source)).toMatchObject({ status: 'failed', attempt: 1 });
    expect(await world.reasons()).toEqual(['CopyFailed']);
    const [event] = world.sandbox.bus.events().filter(({ detail }) => String(detail['snapshot_id']).endsWith(source));
    await world.event({ ...event });
    await world.pass('1 min');
    expect(await ledger.request(source)).toMatchObject({ status: 'failed', attempt: 1 });

    const theirs = await world.snapshot({});
    for (let i = 0; i < 3; i += 1) await copyOfAnotherTool(world, theirs);
    const { input } = world.execution(`${source}-${FRANKFURT}-1`);
    expect(await requestCopy(world, input)).toMatchObject({ accepted: true, status: 'waiting' });
    await world.pass('20 min');
    expect(world.executions()).toHaveLength(1);
    expect(await requestCopy(world, input)).toMatchObject({ accepted: false, status: 'waiting' });
    await world.pass('11 min');
    expect(await requestCopy(world, input)).toMatchObject({ accepted: false, status: 'running' });
    await world.pass('1 h');
    const [copy, ...more] = world.copies(source).filter(({ state }) => state === 'completed');
    expect(more).toEqual([]);
    expect(await ledger.request(source)).toMatchObject({ status: 'copied', attempt: 2, copyId: copy?.snapshotId });
    expect(await requestCopy(world, input)).toMatchObject({
      accepted: false,
      status: 'copied',
      copyId: copy?.snapshotId,
    });
    await world.pass('1 h');
    expect(world.executions()).toHaveLength(2);
    expect(await world.reasons()).toEqual(['CopyFailed']);
  });

  it('adopts a copy that is there already', async () => {
    const world = await newWorld({ schedules: 'on' });
    const ledger = new LedgerView(world);
    const forbidden = { kind: 'error', action: 'CreateTags', code: 'UnauthorizedOperation', status: 403 };
    world.sandbox.ec2.faults.add(forbidden);
    const source = await world.snapshot({ Backup: 'three-at-once' });
    await world.pass('30 min');
    expect(await world.reasons()).toEqual(['NotAllowed']);
    const { input } = world.execution(`${source}-${FRANKFURT}-1`);
    expect(await requestCopy(world, input)).toMatchObject({ accepted: true });
    await world.pass('30 min');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(world.calls('CopySnapshot')).toBe(1);
    expect(await ledger.request(source)).toMatchObject({ status: 'copied', attempt: 2 });
    expect(await world.alerts()).toHaveLength(1);
  });
});
