import { DeleteSnapshotCommand, ModifySnapshotAttributeCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { LedgerView } from './ledger-view.ts';
import { FRANKFURT, newWorld, PARTNER, SOURCE_REGION, VIRGINIA, type World } from './world.ts';

const CALLER = { account: '000000000000', region: VIRGINIA };

function disableKey(world: World): void {
  const key = world.sandbox.keys.find(CALLER, 'alias/dr-copies');
  if (key === undefined) throw new Error('The world has no key.');
  world.sandbox.keys.disable(key);
}

/** What is left at the destination that somebody could take for a copy. */
function leftovers(world: World, source: string, region: string): readonly string[] {
  return world
    .copies(source, region)
    .filter(({ tags }) => tags['snapshot-copier:state'] !== 'failed')
    .map(({ snapshotId, state }) => `${snapshotId} ${state}`);
}

describe('a copy that EC2 accepts and then fails', () => {
  it('for a key that is disabled: one alert names the key and its state, the execution is red, nothing is left', async () => {
    const world = await newWorld();
    disableKey(world);
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');

    const alerts = await world.alerts();
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.attributes).toEqual({
      rule: 'nightly',
      sourceSnapshot: source,
      destinationRegion: VIRGINIA,
      reason: 'KeyNotAccessible',
    });
    expect(alerts[0]?.subject).toMatch(/^[\x20-\x7e]{1,99}$/);
    for (const text of ['Given key ID is not accessible', 'alias/dr-copies', 'is in state Disabled', 'requestCopy']) {
      expect(alerts[0]?.body).toContain(text);
    }
    expect(world.execution(`${source}-${VIRGINIA}-1`)).toMatchObject({ status: 'FAILED', error: 'CopyFailed' });
    expect(await new LedgerView(world).request(source, VIRGINIA)).toMatchObject({
      status: 'failed',
      reason: alerts[0]?.subject,
    });
    expect(leftovers(world, source, VIRGINIA)).toEqual([]);
    // The other destination is none the worse for it.
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed' }]);
    const failed = world.sandbox.metrics().filter(({ name }) => name === 'CopiesFailed');
    expect(failed).toMatchObject([{ value: 1, dimensions: { destination: VIRGINIA } }]);
  });

  it('for a key that EC2 refuses at once: the same', async () => {
    const world = await newWorld({ ec2: { unusableKey: 'refused' } });
    disableKey(world);
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');
    expect(await world.reasons()).toEqual(['KeyNotAccessible']);
    expect(world.execution(`${source}-${VIRGINIA}-1`).status).toBe('FAILED');
    expect(world.calls('CopySnapshot')).toBe(2);
  });

  it('for any other reason: EC2’s own words are in the alert', async () => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({ kind: 'copy-error', destinationRegion: FRANKFURT, stateMessage: 'Cosmic rays' });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'CopyFailed' }, body: expect.stringContaining('Cosmic rays') },
    ]);
    expect(leftovers(world, source, FRANKFURT)).toEqual([]);
  });
});

describe('a copy whose source was deleted while it waited for a slot', () => {
  it('is skipped, and nobody is alerted: the ledger and the log say why', async () => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({
      kind: 'error',
      action: 'CopySnapshot',
      code: 'ResourceLimitExceeded',
      destinationRegion: FRANKFURT,
    });
    // One destination: a copy to another would be under way, and fail.
    const source = await world.snapshot({ Backup: 'three-at-once' });
    expect(await new LedgerView(world).request(source, FRANKFURT)).toMatchObject({ status: 'waiting', attempt: 1 });
    await world.ec2(SOURCE_REGION).send(new DeleteSnapshotCommand({ SnapshotId: source }));
    await world.pass('2 h');

    expect(await new LedgerView(world).request(source, FRANKFURT)).toMatchObject({
      status: 'skipped',
      attempt: 2,
      reason: 'source gone: it was deleted before its copy began',
    });
    expect(world.log('startCopy')).toContain(`Skipped ${source} for ${FRANKFURT}: source gone`);
    const { status, startDate, stopDate = 0 } = world.execution(`${source}-${FRANKFURT}-2`);
    expect(status).toBe('SUCCEEDED');
    // EC2 may have left out what is there, so it was asked for five minutes, and not much longer.
    expect(stopDate - startDate).toBeGreaterThanOrEqual(300_000);
    expect(stopDate - startDate).toBeLessThanOrEqual(370_000);
    expect(world.copies(source, FRANKFURT)).toEqual([]);
    expect(world.executions().map((each) => each.status)).not.toContain('FAILED');
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('and that was shared by another account is told: its owner may share it again', async () => {
    const world = await newWorld();
    const busy = { kind: 'error', action: 'CopySnapshot', code: 'ResourceLimitExceeded', status: 400 };
    world.sandbox.ec2.faults.add(busy);
    const source = await world.snapshot({}, { account: PARTNER, description: 'Created by DLM' });
    const share = (OperationType: 'add' | 'remove') =>
      world.ec2(SOURCE_REGION, PARTNER).send(
        new ModifySnapshotAttributeCommand({
          SnapshotId: source,
          Attribute: 'createVolumePermission',
          OperationType,
          UserIds: [world.sandbox.home.account],
        }),
      );
    await share('add');
    await world.pass('1 min');
    expect(await new LedgerView(world).statuses()).toEqual({ waiting: 1 });
    await share('remove');
    await world.pass('2 h');
    expect(await world.reasons()).toEqual(['SourceGone']);
    expect(await new LedgerView(world).statuses()).toEqual({ failed: 1 });
  });
});

describe('a copy that somebody deletes while it is made', () => {
  it('is told within minutes of its end, and not waited for', async () => {
    const world = await newWorld({ copyTakes: '1 h' });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('10 min');
    const [copy] = world.copies(source, FRANKFURT);
    await world.ec2(FRANKFURT).send(new DeleteSnapshotCommand({ SnapshotId: copy?.snapshotId }));
    // EC2 deletes it when it is complete.
    await world.pass('80 min');
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'CopyDisappeared', sourceSnapshot: source, destinationRegion: FRANKFURT } },
    ]);
    expect(world.copies(source, VIRGINIA)).toMatchObject([{ state: 'completed' }]);
  });
});

describe('a deadline', () => {
  it('ends a copy that is too slow with an alert, on the minute, and the half-made copy is not left to be adopted', async () => {
    const world = await newWorld({ copyTakes: '3 d' });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('47 h');
    expect(await world.alerts()).toEqual([]);
    await world.pass('62 min');
    const told = await world.alerts();
    expect(told.map(({ attributes }) => attributes['reason'])).toEqual(['DeadlinePassed', 'DeadlinePassed']);
    const began = world.execution(`${source}-${FRANKFURT}-1`).startDate;
    const late = Date.parse(told[0]?.time ?? '') - began - 48 * 3_600_000;
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(60_000);
    expect(world.copies(source, FRANKFURT)).toMatchObject([
      { state: 'pending', deletionRequested: true, tags: { 'snapshot-copier:state': 'failed' } },
    ]);
    await world.pass('3 d');
    expect(world.copies(source, FRANKFURT)).toEqual([]);
  });
});

describe('a copy that was given up and cannot be deleted before it is complete', () => {
  it('is not passed off as good: it goes, and starting again makes one copy', async () => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({ kind: 'slow-copy', seconds: 48.3 * 3600 });
    const source = await world.snapshot({ Backup: 're-encrypt' });
    const trouble = { kind: 'error', action: 'DeleteSnapshot', code: 'InternalError', status: 500, times: 15 };
    world.sandbox.ec2.faults.add(trouble);
    await world.pass('52 h');
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'DeadlinePassed' }, subject: expect.stringContaining('EBS copy failed') },
    ]);
    expect(world.copies(source)).toEqual([]);

    await world.startAgain(`${source}-${SOURCE_REGION}-1`);
    await world.pass('1 h');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(await world.alerts()).toHaveLength(1);
  });
});

describe('what EC2 refuses for good', () => {
  it.each([
    ['UnauthorizedOperation', 403, 'NotAllowed'],
    ['SnapshotLimitExceeded', 400, 'QuotaReached'],
    ['InvalidParameterValue', 400, 'RequestRefused'],
  ])('%s is told at once, with one call', async (code, status, reason) => {
    const world = await newWorld();
    world.sandbox.ec2.faults.add({ kind: 'error', action: 'CopySnapshot', destinationRegion: FRANKFURT, code, status });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('20 min');
    expect(await world.alerts()).toMatchObject([{ attributes: { reason }, body: expect.stringContaining(code) }]);
    expect(world.copies(source, FRANKFURT)).toEqual([]);
    expect(world.calls('CopySnapshot')).toBe(2);
    // Expected trouble is no stack trace.
    expect(world.log('startCopy')).not.toMatch(/\bat \S+ \(/);
  });
});

describe('a failed copy that cannot be removed', () => {
  it('is told all the same, and the alert says what stayed behind', async () => {
    const world = await newWorld();
    disableKey(world);
    world.sandbox.ec2.faults.add({
      kind: 'error',
      action: 'DeleteSnapshot',
      code: 'UnauthorizedOperation',
      status: 403,
      times: 50,
    });
    await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'KeyNotAccessible' }, body: expect.stringContaining('could not be removed') },
    ]);
  });
});
