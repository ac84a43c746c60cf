import { describe, expect, it } from 'vitest';
import { copiesInto, LedgerView, mostAtOnce } from './ledger-view.ts';
import { FRANKFURT, newWorld, SOURCE_REGION, VIRGINIA } from './world.ts';

describe('a destination Region that is full', () => {
  it('delays copies and loses none: no alert, no failed execution, never more than its slots', async () => {
    // Two, where the rule believes in twenty: what EC2 refuses goes back into the queue.
    const world = await newWorld({ slots: 2, copyTakes: '1 h' });
    const sources: string[] = [];
    for (let i = 0; i < 6; i += 1) sources.push(await world.startSnapshot({ Backup: 're-encrypt' }));
    await world.pass('10 h');
    const copies = copiesInto(world, SOURCE_REGION);
    expect(mostAtOnce(copies)).toBe(2);
    for (const source of sources) expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 6 });
    expect(world.executions().map(({ status }) => status)).toEqual(Array(world.executions().length).fill('SUCCEEDED'));
    // What EC2 has beside the slots that are known to be taken is tried out every five minutes, no matter how many wait.
    const refused = world.sandbox.ec2.calls.filter(({ errorCode }) => errorCode === 'ResourceLimitExceeded');
    const gaps = refused.slice(1).map(({ at }, index) => (at - (refused[index]?.at ?? at)) / 1000);
    expect(gaps.length).toBeGreaterThan(10);
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(299);
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('is no failure of those that get no slot: past their deadline they still wait, and metrics say for how long', async () => {
    const world = await newWorld({ schedules: 'on', slots: 0 });
    // Their deadline is four hours.
    const source = await world.snapshot({ Backup: 'every-option' }, { description: 'something' });
    await world.pass('5 h');
    expect(await new LedgerView(world).request(source, 'eu-north-1')).toMatchObject({ status: 'waiting' });
    expect(world.copies(source)).toEqual([]);
    expect(await world.alerts()).toEqual([]);
    expect(world.executions().map(({ status }) => status)).not.toContain('FAILED');
    const ages = world.sandbox.metrics().filter(({ name }) => name === 'OldestWaitingAge');
    expect(ages.at(-1)).toMatchObject({ dimensions: { destination: 'eu-north-1' }, value: expect.any(Number) });
    // At four hours an alarm goes off.
    expect(ages.at(-1)?.value).toBeGreaterThan(4.9 * 3600);
    expect(ages.at(-1)?.value).toBeLessThanOrEqual(5 * 3600);
  });
});

describe('a ledger that is in trouble', () => {
  it.each([
    ['throttles', { code: 'ThrottlingException', status: 400 }],
    ['has internal errors', { code: 'InternalServerError', status: 500 }],
  ])('and %s at every kind of call delays the copy, and makes one', async (_what, error) => {
    const world = await newWorld({ schedules: 'on' });
    for (const action of ['GetItem', 'PutItem', 'Query']) {
      // The SDK itself tries three times.
      world.sandbox.dynamodb.faults.add({ kind: 'error', action, ...error, times: 4 });
    }
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('3 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1 });
    expect(world.sandbox.dynamodb.faults.list()).toEqual([]);
    expect(await world.alerts()).toEqual([]);
  });

  it('and refuses what EC2 had no slot for: one alert says both, and when it is over the copy is started again', async () => {
    const world = await newWorld({ schedules: 'on' });
    // The second attempt is five minutes after the first.
    const lost = { kind: 'error', action: 'CopySnapshot', code: 'InternalError', status: 500 };
    const full = { kind: 'error', action: 'CopySnapshot', code: 'ResourceLimitExceeded', status: 400 };
    world.sandbox.ec2.faults.add(lost);
    world.sandbox.ec2.faults.add(full);
    const source = await world.snapshot({ Backup: 're-encrypt' });
    const forbidden = { kind: 'error', action: 'PutItem', code: 'AccessDeniedException', status: 400, times: 1000 };
    world.sandbox.dynamodb.faults.add(forbidden);
    await world.pass('20 min');
    const name = `${source}-${SOURCE_REGION}-1`;
    expect(world.execution(name)).toMatchObject({ status: 'FAILED', error: 'CopyFailed' });
    const [alert, ...more] = await world.alerts();
    expect(more).toEqual([]);
    expect(alert?.attributes).toMatchObject({ reason: 'LedgerTrouble', sourceSnapshot: source });
    const body = alert?.body.replaceAll(/\s+/g, ' ');
    expect(body).toContain('EC2 had no free copy slot in eu-west-1, which is no failure');
    expect(body).toContain('It could not be put back into the queue.');
    expect(body).toContain('THE ERROR AccessDeniedException');
    expect(body).toContain(`--table-name ${world.sandbox.physicalIds.get('LedgerTable')}`);

    world.sandbox.dynamodb.faults.clear();
    await world.pass('10 min');
    expect(await new LedgerView(world).statuses()).toEqual({ failed: 1 });
    await world.startAgain(name);
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 1 });
    expect(await world.alerts()).toHaveLength(1);
  });
});

describe('an answer that got lost after the copy had begun', () => {
  it('makes no second copy: the next attempt adopts the first', async () => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({ kind: 'lost-answer', action: 'CopySnapshot', times: 2 });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    expect(world.copies(source, VIRGINIA)).toMatchObject([{ state: 'completed' }]);
    expect(world.calls('CopySnapshot')).toBe(2);
    expect(world.log('startCopy')).toContain('Adopted');
  });

  it('nor if EC2 lists the new copy only minutes later', async () => {
    const world = await newWorld({ ec2: { visibleAfterSeconds: 150 } });
    world.sandbox.ec2.faults.add({ kind: 'lost-answer', action: 'CopySnapshot', times: 2 });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');
    expect(world.copies(source, FRANKFURT)).toHaveLength(1);
    expect(world.copies(source, VIRGINIA)).toHaveLength(1);
    expect(world.calls('CopySnapshot')).toBe(2);
  });
});

describe('an EC2 that never answers', () => {
  it('costs a call its time-out and not the function its life: one copy', async () => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({ kind: 'hang', action: 'CopySnapshot' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    expect(world.log('startCopy')).toContain('TimeoutError');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
  });
});

describe('an EC2 whose listings come in short and empty pages', () => {
  it('still shows the copy that is there already', async () => {
    const world = await newWorld({ ec2: { largestPage: 1 } });
    const volumeId = await world.volume();
    for (let i = 0; i < 3; i += 1) {
      await world.snapshot({ Backup: 're-encrypt' }, { volumeId });
      await world.pass('20 min');
    }
    world.sandbox.ec2.faults.add({ kind: 'lost-answer', action: 'CopySnapshot' });
    const source = await world.snapshot({ Backup: 're-encrypt' }, { volumeId });
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(world.log('startCopy')).toContain('Adopted');
  });
});

describe('an answer that got lost, and then no look-up is allowed', () => {
  it('leaves no copy behind that nobody knows of: one alert, and the copy is found by its tags and removed', async () => {
    const world = await newWorld({ copyTakes: '1 h' });
    world.sandbox.ec2.faults.add({ kind: 'lost-answer', action: 'CopySnapshot' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    const refused = { kind: 'error', action: 'DescribeSnapshots', code: 'UnauthorizedOperation', status: 403 };
    world.sandbox.ec2.faults.add(refused);
    await world.pass('30 min');
    expect(await world.reasons()).toEqual(['NotAllowed']);
    expect(world.copies(source)).toMatchObject([
      { deletionRequested: true, tags: { 'snapshot-copier:state': 'failed' } },
    ]);
    await world.pass('1 h');
    expect(world.copies(source)).toEqual([]);
  });
});

describe('a function that dies', () => {
  it.each(['crash', 'timeout'] as const)('by %s right after EC2 began the copy makes no second one', async (as) => {
    const world = await newWorld();
    world.sandbox.lambda.interruptNext({ functionName: 'startCopy', moment: { afterCall: 'CopySnapshot' }, as });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    expect(world.calls('CopySnapshot')).toBe(1);
    expect(world.log('startCopy')).toContain('Adopted');
    expect(world.execution(`${source}-${SOURCE_REGION}-1`).status).toBe('SUCCEEDED');
  });

  it.each(['onSnapshotEvent', 'checkCopy', 'tagCopy'])('%s is run again', async (functionName) => {
    const world = await newWorld();
    world.sandbox.lambda.interruptNext({ functionName, moment: 'answer', as: 'crash' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(world.executions().map(({ status }) => status)).toEqual(['SUCCEEDED']);
    expect(await world.alerts()).toEqual([]);
  });

  it.each(['removeFailedCopy', 'explainFailure'])(
    '%s, on the failure path: still exactly one alert',
    async (functionName) => {
      const world = await newWorld();
      world.sandbox.lambda.interruptNext({ functionName, moment: 'answer', as: 'crash' });
      world.sandbox.ec2.faults.add({ kind: 'copy-error', stateMessage: 'Cosmic rays' });
      await world.snapshot({ Backup: 're-encrypt' });
      await world.pass('1 h');
      expect(await world.reasons()).toEqual(['CopyFailed']);
    },
  );
});

describe('an EC2 that is in trouble', () => {
  it.each([
    ['throttles', { code: 'RequestLimitExceeded', status: 503 }],
    ['has internal errors', { code: 'InternalError', status: 500 }],
    ['is not available', { code: 'Unavailable', status: 503 }],
  ])('and %s at every kind of call delays the copy, and makes one', async (_what, error) => {
    const world = await newWorld();
    for (const action of ['CopySnapshot', 'DescribeSnapshots', 'CreateTags']) {
      world.sandbox.ec2.faults.add({ kind: 'error', action, ...error, times: 4 });
    }
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('3 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });
});

describe('an EC2 that is in trouble while a copy runs', () => {
  it('for half a day delays the look and not the copy: one good copy, no alert', async () => {
    const world = await newWorld({ copyTakes: '10 h' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    const trouble = { kind: 'error', action: 'DescribeSnapshots', code: 'Unavailable', status: 503, times: 100_000 };
    world.sandbox.ec2.faults.add(trouble);
    await world.pass('12 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copying' } }]);
    world.sandbox.ec2.faults.clear();
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await world.alerts()).toEqual([]);
  });

  it('and still at the deadline: somebody is told then', async () => {
    const world = await newWorld({ copyTakes: '10 h' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    const trouble = { kind: 'error', action: 'DescribeSnapshots', code: 'Unavailable', status: 503, times: 100_000 };
    world.sandbox.ec2.faults.add(trouble);
    await world.pass('46 h');
    expect(await world.alerts()).toEqual([]);
    // RemoveFailedCopy, too, is patient for hours.
    await world.pass('20 h');
    expect(await world.alerts()).toMatchObject([
      {
        attributes: { reason: 'DeadlinePassed', sourceSnapshot: source },
        body: expect.stringContaining('Unavailable'),
      },
    ]);
  });

  it('and says once that a healthy copy is not there: it is looked for again', async () => {
    const world = await newWorld({ copyTakes: '1 h' });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('20 min');
    const glitch = { kind: 'error', action: 'DescribeSnapshots', code: 'InvalidSnapshot.NotFound', status: 400 };
    world.sandbox.ec2.faults.add(glitch);
    await world.pass('2 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await world.alerts()).toEqual([]);
  });

  it('when its source is to be marked: the mark comes later, and the copy is good all the same', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'nightly' });
    const busy = {
      kind: 'error',
      action: 'CreateTags',
      code: 'ConcurrentTagAccess',
      status: 400,
      region: SOURCE_REGION,
    };
    world.sandbox.ec2.faults.add(busy);
    await world.pass('1 h');
    expect(Object.keys(world.record(source).tags).toSorted()).toEqual([
      'Backup',
      `snapshot-copier:copied-to:${FRANKFURT}`,
      `snapshot-copier:copied-to:${VIRGINIA}`,
    ]);
    world.sandbox.ec2.faults.add({ ...busy, times: 1000 });
    const other = await world.snapshot({ Backup: 'nightly' });
    await world.pass('3 h');
    expect(world.copies(other).map(({ tags }) => tags['snapshot-copier:state'])).toEqual(['copied', 'copied']);
    expect(new Set(world.executions().map(({ status }) => status))).toEqual(new Set(['SUCCEEDED']));
    expect(await world.alerts()).toEqual([]);
  });
});

describe('an EC2 that shows new snapshots late', () => {
  it('is not taken for one where the copy was deleted', async () => {
    const world = await newWorld({ ec2: { visibleAfterSeconds: 120 } });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed' }]);
    expect(await world.alerts()).toEqual([]);
  });
});
