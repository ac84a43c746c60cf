import { describe, expect, it } from 'vitest';
import type { Interruption } from '../../../sandbox/lambda/lambda-service.ts';
import { LedgerView } from '../ledger-view.ts';
import { FRANKFURT, SOURCE_REGION, VIRGINIA } from '../world.ts';
import { type Accounts, HOME, INSTALL, newAccounts, ORDERS } from './world.ts';

const STATUS_CHANGE = 'Step Functions Execution Status Change';

describe('the share that the service made', () => {
  it('ends with the last copy that needs it, not with the first', async () => {
    const world = await newAccounts();
    world.sandbox.ec2.faults.add({ kind: 'slow-copy', seconds: 3600, destinationRegion: VIRGINIA });
    const source = await world.snapshot({ Backup: 'nightly' }, { account: ORDERS });
    await world.pass('20 min');
    expect(world.copiesOf(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    expect(world.copiesOf(source, VIRGINIA)).toMatchObject([{ state: 'pending' }]);
    const claim = `snapshot-copier:share:${INSTALL}-for-${HOME}/`;
    expect(world.held()).toEqual([
      `${source} has the tag ${claim}${VIRGINIA}=${source}-${VIRGINIA}-1`,
      `${source} has the tag ${claim}over=${source}-${FRANKFURT}-1`,
      `${source} is shared with ${HOME}`,
    ]);
    await world.pass('1 h');
    expect(world.copiesOf(source, VIRGINIA)).toMatchObject([{ state: 'completed' }]);
    expect(world.held()).toEqual([]);
  });

  it('ends with a copy that fails, and with one that succeeds later', async () => {
    const world = await newAccounts();
    const gaveUp = { kind: 'copy-error', stateMessage: 'Cosmic rays', destinationRegion: FRANKFURT };
    world.sandbox.ec2.faults.add(gaveUp);
    const source = await world.snapshot({ Backup: 'nightly' }, { account: ORDERS });
    await world.pass('30 min');
    expect(await world.reasons()).toEqual(['CopyFailed']);
    expect(world.copiesOf(source)).toMatchObject([{ region: VIRGINIA, state: 'completed' }]);
    expect(world.held()).toEqual([]);
    await world.startAgain(`${source}-${FRANKFURT}-1`);
    await world.pass('5 min');
    expect(world.sharedWith(source)).toEqual([HOME]);
    await world.pass('20 min');
    expect(world.copiesOf(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    expect(world.held()).toEqual([]);
  });

  it('ends with an execution that ends as ABORTED or TIMED_OUT', async () => {
    const world = await newAccounts({ copyTakes: '1 h' });
    for (const status of ['ABORTED', 'TIMED_OUT']) {
      const source = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
      await world.pass('1 min');
      expect(world.sharedWith(source)).toEqual([HOME]);
      // To run into the time limit takes 17 days; the event of that differs in this word.
      world.sandbox.bus.faults.add({ kind: 'lose-event', detailType: STATUS_CHANGE });
      await world.stop(`${source}-${SOURCE_REGION}-1`);
      const ended = world.sandbox.bus.events().findLast((event) => event['detail-type'] === STATUS_CHANGE);
      await world.event({ ...ended, detail: { ...ended?.detail, status } });
      await world.pass('1 min');
      expect(world.held(), status).toEqual([]);
    }
    expect((await world.reasons()).toSorted()).toEqual(['Aborted', 'TimedOut']);
  });

  it('ends within the hour if no event tells of the end of the execution', async () => {
    const world = await newAccounts({ schedules: 'on' });
    world.sandbox.bus.faults.add({ kind: 'lose-event', detailType: STATUS_CHANGE, share: 1 });
    const source = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    await world.pass('30 min');
    expect(world.execution(`${source}-${SOURCE_REGION}-1`).status).toBe('SUCCEEDED');
    expect(world.sharedWith(source)).toEqual([HOME]);
    await world.pass('45 min');
    expect(world.held()).toEqual([]);
    expect(world.log('releaseSource')).toContain(`Took back the share of ${source} in account ${ORDERS}`);
  });

  it('is not ended by the clock while a copy needs it', async () => {
    const world = await newAccounts({ schedules: 'on', copyTakes: '70 min' });
    const source = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    await world.pass('65 min');
    expect(world.sharedWith(source)).toEqual([HOME]);
    await world.pass('30 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }]);
    expect(world.held()).toEqual([]);
  });
});

/** When a function dies: after its call of an API action (for the nth time), or otherwise. */
type Death = Interruption['moment'];

const afterCall = (action: string, nth = 1): Death => ({ afterCall: action, nth });

/** Has a copy made while a function dies once, and looks at what is left. */
async function copyWithDeath(world: Accounts, death: Interruption): Promise<void> {
  const before = invocations(world, death.functionName);
  world.sandbox.lambda.interruptNext(death);
  const source = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
  await world.passUntil(() => world.copiesOf(source).some(({ tags }) => tags['snapshot-copier:state'] === 'copied'));
  await world.passUntil(() => world.held().length === 0);
  await world.pass('5 min');
  const when = JSON.stringify(death);
  // It did die, and was run again.
  expect(invocations(world, death.functionName) - before, when).toBe(2);
  expect(world.copiesOf(source), when).toMatchObject([{ state: 'completed' }]);
  expect(world.record(source).tags, when).toEqual({
    Backup: 'in-place',
    [`snapshot-copier:copied-to:${SOURCE_REGION}`]: world.copiesOf(source)[0]?.snapshotId,
  });
}

function invocations(world: Accounts, functionName: string): number {
  return world.sandbox.lambda.invocationCounts().get(`${INSTALL}-${functionName}`) ?? 0;
}

describe('a function that dies in the middle', () => {
  it('leaves one copy and nothing else, whenever it was', async () => {
    const world = await newAccounts({ copyTakes: '2 min' });
    // Whoever has been alive for a while need not assume the role again, so that is the first.
    const deaths: Readonly<Record<string, readonly Death[]>> = {
      prepareSource: [
        afterCall('AssumeRole'),
        'start',
        afterCall('DescribeSnapshots'),
        afterCall('DescribeSnapshotAttribute'),
        afterCall('CreateTags'),
        afterCall('ModifySnapshotAttribute'),
        'answer',
      ],
      tagCopy: [afterCall('AssumeRole'), 'start', afterCall('CreateTags'), afterCall('CreateTags', 2), 'answer'],
      releaseSource: [
        afterCall('AssumeRole'),
        'start',
        afterCall('DescribeSnapshots'),
        afterCall('ModifySnapshotAttribute'),
        afterCall('DescribeSnapshots', 2),
        afterCall('DeleteTags'),
        'answer',
      ],
    };
    for (const [functionName, ofIt] of Object.entries(deaths)) {
      // The session of those who are alive is over then.
      await world.pass('20 min');
      for (const moment of ofIt) await copyWithDeath(world, { functionName, moment, as: 'crash' });
    }
    expect(world.calls('CopySnapshot')).toBe(19);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 19 });
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('releaseSource, however often it is tried: the event is kept, and the clock has it done', async () => {
    const world = await newAccounts({ schedules: 'on', copyTakes: '2 min' });
    for (let i = 0; i < 3; i += 1) {
      const moment = afterCall('DescribeSnapshots');
      world.sandbox.lambda.interruptNext({ functionName: 'releaseSource', moment, as: 'crash' });
    }
    const source = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    await world.pass('20 min');
    expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }]);
    expect(world.sharedWith(source)).toEqual([HOME]);
    expect(await world.stuckEvents()).toMatchObject([
      { body: expect.stringContaining(`${source}-${SOURCE_REGION}-1`) },
    ]);
    await world.pass('1 h');
    expect(world.held()).toEqual([]);
  });
});
