import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { describe, expect, it } from 'vitest';
import type { Interruption } from '../../sandbox/lambda/lambda-service.ts';
import {
  copiesInto,
  copyOfAnotherTool,
  LedgerView,
  mostAtOnce,
  requestCopy,
  secondsToNextStart,
} from './ledger-view.ts';
import { FRANKFURT, newWorld, type World } from './world.ts';

function crash(world: World, functionName: string, afterCall: string, nth = 1): void {
  const kill: Interruption = { functionName, moment: { afterCall, nth }, as: 'crash' };
  world.sandbox.lambda.interruptNext(kill);
}

function invocations(world: World, functionName: string): number {
  return world.sandbox.lambda.invocationCounts().get(`ebs-snapshot-copier-test-${functionName}`) ?? 0;
}

/** Seconds from the moment that a source is complete to the begin of its copy. */
function secondsToCopy(world: World, source: string): number {
  const [copy] = world.copies(source, FRANKFURT);
  return ((copy?.startedAt ?? Number.NaN) - (world.record(source).endedAt ?? 0)) / 1000;
}

/** Whatever happened: one copy, which the ledger knows, by one execution, and nobody was told anything. */
async function expectOneCopy(world: World, source: string): Promise<void> {
  const copies = world.copies(source, FRANKFURT);
  expect(copies).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
  expect(await new LedgerView(world).request(source)).toMatchObject({
    status: 'copied',
    copyId: copies[0]?.snapshotId,
  });
  expect(world.executions().filter(({ name }) => name.startsWith(source))).toMatchObject([{ status: 'SUCCEEDED' }]);
  expect(await world.alerts()).toEqual([]);
  expect(await world.stuckEvents()).toEqual([]);
}

describe('a function that dies between two writes', () => {
  it.each([
    // Lambda gives the event again after a minute.
    ['onSnapshotEvent', 'PutItem', 'in the ledger, and admission not woken', 62],
    // Step Functions runs the state again after a second.
    ['admitCopies', 'PutItem', 'decided, and its execution not started', 3],
    ['admitCopies', 'StartExecution', 'started, and the ledger not told', 3],
    // Step Functions runs the state again after five minutes, when EC2 surely shows the copy.
    ['startCopy', 'CopySnapshot', 'begun at EC2, and the ledger not told', 3],
    ['startCopy', 'PutItem', 'begun, the ledger told, and the execution not', 3],
    // Lambda gives the event again, to no effect on the copy.
    ['onCopyEnded', 'PutItem', 'settled in the ledger, and admission not woken', 3],
  ])('%s, after %s: the copy is %s; it begins once, within %s s', async (functionName, afterCall, _, seconds) => {
    const world = await newWorld({ schedules: 'on' });
    crash(world, functionName, afterCall);
    const source = await world.startSnapshot({ Backup: 'three-at-once' });
    await world.pass('30 min');
    expect(invocations(world, functionName)).toBeGreaterThanOrEqual(2);
    expect(secondsToCopy(world, source)).toBeLessThanOrEqual(seconds);
    expect(world.calls('CopySnapshot')).toBe(1);
    await expectOneCopy(world, source);
  });

  it.each([
    ['onSnapshotEvent', 'each of the three times that Lambda gives it the event', 3],
    ['admitCopies', 'each of the nine times that Step Functions runs the state', 9],
  ])('%s, %s: the sweep has it go on, within five minutes', async (functionName, _, times) => {
    const world = await newWorld({ schedules: 'on' });
    crash(world, functionName, 'PutItem');
    for (let i = 1; i < times; i += 1) {
      world.sandbox.lambda.interruptNext({ functionName, moment: 'start', as: 'crash' });
    }
    const source = await world.startSnapshot({ Backup: 'three-at-once' });
    await world.pass('30 min');
    expect(secondsToCopy(world, source)).toBeGreaterThan(62);
    expect(secondsToCopy(world, source)).toBeLessThanOrEqual(300);
    expect(world.calls('CopySnapshot')).toBe(1);
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1 });
    expect(await world.alerts()).toEqual([]);
  });

  it('onCopyEnded, after the alert and before the ledger knows: it is told twice rather than never', async () => {
    const world = await newWorld({ schedules: 'on', copyTakes: '1 h' });
    const ledger = new LedgerView(world);
    const source = await world.snapshot({ Backup: 'three-at-once' });
    crash(world, 'onCopyEnded', 'Publish');
    const { endpoint, home } = world.sandbox;
    const credentials = { accessKeyId: home.account, secretAccessKey: 'secret' };
    const { arn } = world.execution(`${source}-${FRANKFURT}-1`);
    await new SFNClient({ endpoint, region: home.region, credentials }).send(
      new StopExecutionCommand({ executionArn: arn }),
    );
    await world.pass('30 s');
    expect(await ledger.request(source)).toMatchObject({ status: 'running' });
    await world.pass('40 s');
    expect(await ledger.request(source)).toMatchObject({ status: 'failed' });
    await world.pass('1 h');
    expect(await world.reasons()).toEqual(['Aborted', 'Aborted']);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('onCopyEnded in a full Region, before it wakes admission: the next copy begins by the heartbeat', async () => {
    const world = await newWorld({ schedules: 'on', slots: 3, copyTakes: '4 min' });
    const sources: string[] = [];
    for (let i = 0; i < 6; i += 1) sources.push(await world.startSnapshot({ Backup: 'three-at-once' }));
    for (let i = 0; i < 3; i += 1) crash(world, 'onCopyEnded', 'PutItem');
    await world.pass('20 min');
    for (const seconds of secondsToNextStart(copiesInto(world))) expect(seconds).toBeLessThanOrEqual(40);
    for (const source of sources) await expectOneCopy(world, source);
    expect(mostAtOnce(copiesInto(world))).toBe(3);
  });

  it('returnToQueue, with the request waiting again and the refusal not noted: one copy', async () => {
    const world = await newWorld({ schedules: 'on', copyTakes: '4 min' });
    const ledger = new LedgerView(world);
    const refusal = { kind: 'error', action: 'CopySnapshot', code: 'ResourceLimitExceeded', status: 400 };
    world.sandbox.ec2.faults.add(refusal);
    crash(world, 'returnToQueue', 'PutItem');
    const source = await world.snapshot({ Backup: 'three-at-once' });
    await world.pass('30 min');
    expect(invocations(world, 'returnToQueue')).toBe(2);
    expect((await ledger.admission()).refusal).toBeDefined();
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    expect(await ledger.request(source)).toMatchObject({ status: 'copied', attempt: 2 });
    expect(world.calls('CopySnapshot')).toBe(2);
    expect(world.executions().map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await world.alerts()).toEqual([]);
  });

  it('requestCopy, before it wakes admission: who asks again has the copy begin at once', async () => {
    const world = await newWorld({ schedules: 'on' });
    world.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Cosmic rays' });
    const source = await world.snapshot({ Backup: 'three-at-once' });
    await world.pass('30 min');
    const { input } = world.execution(`${source}-${FRANKFURT}-1`);
    crash(world, 'requestCopy', 'PutItem');
    await expect(requestCopy(world, input)).rejects.toThrow();
    expect(await requestCopy(world, input)).toMatchObject({ accepted: false, status: 'waiting' });
    await world.pass('1 s');
    expect(world.execution(`${source}-${FRANKFURT}-2`).status).toBe('RUNNING');
    await world.pass('30 min');
    expect(await new LedgerView(world).request(source)).toMatchObject({ status: 'copied', attempt: 2 });
    expect(world.executions()).toHaveLength(2);
  });

  it('healLostEvents, before it wakes admission: the sweep does within five minutes', async () => {
    const world = await newWorld({ schedules: 'on' });
    world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot' });
    const source = await world.snapshot({ Backup: 'three-at-once' });
    crash(world, 'healLostEvents', 'PutItem');
    await world.pass('64.1 min');
    expect(invocations(world, 'healLostEvents')).toBe(2);
    expect(world.copies(source)).toMatchObject([{ state: 'pending' }]);
    await world.pass('30 min');
    await expectOneCopy(world, source);
  });

  it('the heartbeat, for good: the sweep begins a new one', async () => {
    const world = await newWorld({ schedules: 'on', slots: 3, copyTakes: '12 min' });
    const theirs = await world.snapshot({});
    for (let i = 0; i < 3; i += 1) await copyOfAnotherTool(world, theirs);
    const source = await world.snapshot({ Backup: 'three-at-once' });
    for (let i = 0; i < 9; i += 1) {
      world.sandbox.lambda.interruptNext({ functionName: 'admitCopies', moment: 'start', as: 'crash' });
    }
    await world.pass('2.9 min');
    const beats = invocations(world, 'admitCopies');
    expect(world.sandbox.stepFunctions.expressExecutions().filter(({ status }) => status === 'RUNNING')).toEqual([]);
    await world.pass('5 min');
    expect(invocations(world, 'admitCopies')).toBeGreaterThan(beats + 3);
    await world.pass('30 min');
    const [copy] = copiesInto(world);
    expect((world.copies(source)[0]?.startedAt ?? 0) - (copy?.endedAt ?? 0)).toBeLessThanOrEqual(40_000);
    await expectOneCopy(world, source);
  });
});

describe('a ledger in trouble', () => {
  it('for some minutes, with answers lost before and after: nothing is lost and nothing is done twice', async () => {
    const world = await newWorld({ schedules: 'on', slots: 3, copyTakes: '4 min' });
    const { faults } = world.sandbox.dynamodb;
    faults.add({ kind: 'lost-answer', action: 'PutItem', share: 0.2 });
    const sources: string[] = [];
    for (let i = 0; i < 6; i += 1) sources.push(await world.startSnapshot({ Backup: 'three-at-once' }));
    await world.pass('1 min');
    faults.add({ kind: 'error', code: 'InternalServerError', share: 1 });
    await world.pass('2.5 min');
    faults.clear();
    faults.add({ kind: 'error', code: 'ThrottlingException', share: 0.1, times: 4 });
    faults.add({ kind: 'lost-answer', action: 'PutItem', share: 0.2 });
    await world.pass('5 min');
    faults.clear();
    await world.pass('1 h');
    expect(world.calls('CopySnapshot')).toBe(6);
    for (const source of sources) await expectOneCopy(world, source);
    expect(mostAtOnce(copiesInto(world))).toBe(3);
  });

  it('when a copy has just begun that EC2 does not list yet: no second one is begun', async () => {
    const world = await newWorld({ schedules: 'on', ec2: { visibleAfterSeconds: 120 } });
    const throttled = { kind: 'error', action: 'CopySnapshot', code: 'RequestLimitExceeded', status: 503, times: 3 };
    world.sandbox.ec2.faults.add(throttled);
    const source = await world.startSnapshot({ Backup: 'three-at-once' });
    await world.sandbox.advanceUntil(() => world.calls('CopySnapshot') > 0, 300_000);
    world.sandbox.dynamodb.faults.add({ kind: 'error', action: 'PutItem', code: 'InternalServerError', share: 1 });
    await world.pass('1 min');
    expect(world.log('startCopy')).toContain('The ledger does not know of ');
    expect(world.copies(source)).toHaveLength(1);
    world.sandbox.dynamodb.faults.clear();
    await world.pass('30 min');
    await expectOneCopy(world, source);
  });
});

describe('Step Functions', () => {
  it('loses the answers of StartExecution: one execution each', async () => {
    const world = await newWorld({ schedules: 'on' });
    world.sandbox.states.faults.add({ kind: 'lost-answer', action: 'StartExecution', share: 0.5 });
    const sources: string[] = [];
    for (let i = 0; i < 3; i += 1) sources.push(await world.startSnapshot({ Backup: 'three-at-once' }));
    await world.pass('30 min');
    expect(world.sandbox.states.calls.filter(({ outcome }) => outcome === 'answer-lost').length).toBeGreaterThan(2);
    for (const source of sources) await expectOneCopy(world, source);
    expect(world.calls('CopySnapshot')).toBe(3);
  });
});
