import {
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  EnableEbsEncryptionByDefaultCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { LedgerView } from './ledger-view.ts';
import { FRANKFURT, newWorld, SOURCE_REGION, VIRGINIA } from './world.ts';

describe('a snapshot that a rule selects', () => {
  it('ends at every destination as one good copy with its tags, and nobody is alerted', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'nightly', Name: 'db-1' }, { description: 'nightly of db-1' });
    await world.pass('20 min');

    const [copy, ...more] = world.copies(source, FRANKFURT);
    expect(more).toEqual([]);
    expect(copy).toMatchObject({
      state: 'completed',
      description: expect.stringContaining('nightly of db-1'),
      tags: {
        Name: 'db-1',
        Backup: 'nightly',
        'snapshot-copier:managed': 'ebs-snapshot-copier-test',
        'snapshot-copier:source-snapshot': source,
        'snapshot-copier:source-volume': world.record(source).volumeId,
        'snapshot-copier:source-region': SOURCE_REGION,
        'snapshot-copier:source-account': '000000000000',
        // The age of the data, not of the copy.
        'snapshot-copier:source-start-time': '2026-01-05T09:00:00.000Z',
        'snapshot-copier:rule': 'nightly',
        'snapshot-copier:state': 'copied',
      },
    });
    expect(world.copies(source, VIRGINIA)).toMatchObject([{ state: 'completed' }]);
    expect(world.record(source).tags).toMatchObject({
      [`snapshot-copier:copied-to:${FRANKFURT}`]: copy?.snapshotId,
      [`snapshot-copier:copied-to:${VIRGINIA}`]: world.copies(source, VIRGINIA)[0]?.snapshotId,
    });
    expect(world.executions().map(({ name, status }) => [name, status])).toEqual([
      [`${source}-${FRANKFURT}-1`, 'SUCCEEDED'],
      [`${source}-${VIRGINIA}-1`, 'SUCCEEDED'],
    ]);
    expect(await new LedgerView(world).request(source, FRANKFURT)).toMatchObject({
      status: 'copied',
      copyId: copy?.snapshotId,
      attempt: 1,
    });
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 2 });
    expect(await world.alerts()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('is not called copied when EC2 has accepted the copy, but when it is complete', async () => {
    const world = await newWorld({ copyTakes: '2 h' });
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('1 h');
    expect(world.copies(source, FRANKFURT)).toMatchObject([
      { state: 'pending', tags: { 'snapshot-copier:state': 'copying' } },
    ]);
    expect(world.execution(`${source}-${FRANKFURT}-1`).status).toBe('RUNNING');
    expect(await new LedgerView(world).statuses()).toEqual({ running: 2 });
    await world.pass('2 h');
    expect(await new LedgerView(world).statuses()).toEqual({ copied: 2 });
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ tags: { 'snapshot-copier:state': 'copied' } }]);
    expect(world.execution(`${source}-${FRANKFURT}-1`).status).toBe('SUCCEEDED');
  });

  it('is encrypted under the key that the rule names, elsewhere and in place', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'nightly' });
    const inPlace = await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('20 min');
    const keyIn = (region: string) =>
      world.sandbox.keys.find({ account: '000000000000', region }, 'alias/dr-copies')?.arn;
    expect(world.copies(source, VIRGINIA)).toMatchObject([{ state: 'completed', kmsKeyArn: keyIn(VIRGINIA) }]);
    expect(world.copies(source, FRANKFURT)).toMatchObject([{ state: 'completed', kmsKeyArn: undefined }]);
    expect(world.copies(inPlace)).toMatchObject([
      { region: SOURCE_REGION, state: 'completed', kmsKeyArn: keyIn(SOURCE_REGION) },
    ]);
  });

  it('is encrypted all the same where the destination encrypts by default', async () => {
    const world = await newWorld();
    await world.ec2(FRANKFURT).send(new EnableEbsEncryptionByDefaultCommand({}));
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('20 min');
    expect(world.copies(source, FRANKFURT)).toMatchObject([
      { state: 'completed', kmsKeyArn: expect.stringContaining(`arn:aws:kms:${FRANKFURT}:`) },
    ]);
  });

  it('reaches an Outpost, as a destination of its own', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'outpost' });
    await world.pass('20 min');
    const outpostArn = 'arn:aws:outposts:eu-west-1:000000000000:outpost/op-0123456789abcdef0';
    expect(world.copies(source)).toMatchObject([{ state: 'completed', region: SOURCE_REGION, outpostArn }]);
    expect(world.execution(`${source}-${SOURCE_REGION}-op-0123456789abcdef0-1`).status).toBe('SUCCEEDED');
  });

  it('reaches a Local Zone of its Region, and is skipped in another Region, which EC2 could not copy from', async () => {
    const world = await newWorld({ home: { region: FRANKFURT } });
    const source = await world.snapshot({ Backup: 'local-zone' });
    await world.pass('20 min');
    expect(world.copies(source)).toMatchObject([
      { state: 'completed', region: FRANKFURT, localZone: 'eu-central-1-ham-1a' },
    ]);
    expect(world.execution(`${source}-eu-central-1-ham-1a-1`).status).toBe('SUCCEEDED');
  });

  it('is made as the rule says in every respect', async () => {
    const world = await newWorld();
    const tags = { Backup: 'every-option', Name: 'db-1', Team: 'blue', Other: 'left behind' };
    const source = await world.snapshot(tags, { description: 'something' });
    await world.pass('20 min');
    expect(world.copies(source)).toMatchObject([
      {
        state: 'completed',
        region: 'eu-north-1',
        description: `copy of ${source} from ${SOURCE_REGION}`,
        kmsKeyArn: world.sandbox.keys.ebsManagedKey({ account: '000000000000', region: 'eu-north-1' }).arn,
        tags: { Name: 'db-1', Team: 'blue', Tier: 'dr' },
        copy: { completionDurationMinutes: 120 },
      },
    ]);
    expect(world.copies(source)[0]?.tags).not.toHaveProperty('Other');
  });

  it('may have a description that is cut, but never through a character', async () => {
    const world = await newWorld();
    const before = `[copy of snap-0123456789abcdef0 from ${SOURCE_REGION}] `.length;
    const description = `${'x'.repeat(254 - before)}🙂`;
    const source = await world.snapshot({ Backup: 're-encrypt' }, { description });
    await world.pass('20 min');
    expect(world.copies(source)).toMatchObject([{ state: 'completed', description: expect.stringMatching(/x$/) }]);
  });

  it('has no tags of the source but those that EC2 takes; what was left out is logged', async () => {
    const world = await newWorld();
    const volumeId = await world.volume();
    const tags = Object.fromEntries(Array.from({ length: 47 }, (_, i) => [`k${String(i).padStart(2, '0')}`, 'v']));
    const source = await world.startSnapshot({ Backup: 'nightly', ...tags }, { volumeId });
    world.sandbox.ec2.putServiceTags(source, { 'aws:backup:source-resource': volumeId });
    await world.pass('20 min');
    const [copy] = world.copies(source, FRANKFURT);
    expect(Object.keys(copy?.tags ?? {})).toHaveLength(50);
    expect(copy?.tags).not.toHaveProperty('aws:backup:source-resource');
    expect(world.log('startCopy')).toContain('aws:backup:source-resource: aws: tags cannot be written');
    expect(world.log('startCopy')).toContain('k46: EC2 takes 50 tags at most');
  });

  it('is complete even if its source is gone by then, and nothing is tried again for that', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 're-encrypt' });
    const isComplete = () => world.copies(source).some(({ state }) => state === 'completed');
    await world.sandbox.advanceUntil(isComplete, 3_600_000);
    await world.ec2(SOURCE_REGION).send(new DeleteSnapshotCommand({ SnapshotId: source }));
    await world.pass('20 min');
    const { status, output } = world.execution(`${source}-${SOURCE_REGION}-1`);
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output ?? '')).toMatchObject({
      result: { sourceNotMarked: expect.stringContaining('InvalidSnapshot.NotFound') },
    });
    expect(await world.alerts()).toEqual([]);
  });

  it('is complete even if its source has no room for the mark', async () => {
    const world = await newWorld();
    const tags = Object.fromEntries(Array.from({ length: 49 }, (_, i) => [`k${i}`, 'v']));
    const source = await world.snapshot({ Backup: 're-encrypt', ...tags });
    await world.pass('20 min');
    expect(world.execution(`${source}-${SOURCE_REGION}-1`).status).toBe('SUCCEEDED');
    expect(world.log('tagCopy')).toContain('TagLimitExceeded');
    expect(await world.alerts()).toEqual([]);
  });

  it('moves whole volumes only once: later copies are incremental, and metrics say so', async () => {
    const world = await newWorld();
    const volumeId = await world.volume(100);
    const first = await world.snapshot({ Backup: 'nightly' }, { volumeId });
    await world.pass('1 h');
    const second = await world.snapshot({ Backup: 'nightly' }, { volumeId });
    await world.pass('1 h');
    expect(world.copies(first, FRANKFURT)[0]?.copy?.incremental).toBe(false);
    expect(world.copies(second, FRANKFURT)[0]?.copy?.incremental).toBe(true);
    const full = world.sandbox
      .metrics()
      .filter(({ name, dimensions }) => name === 'FullCopies' && dimensions['destination'] === FRANKFURT);
    expect(full.map(({ value }) => value)).toEqual([1, 0]);
  });

  it('is measured: started, completed and seconds, by destination', async () => {
    const world = await newWorld({ copyTakes: '10 min' });
    await world.snapshot({ Backup: 're-encrypt' });
    await world.pass('20 min');
    const metrics = world.sandbox.metrics().map(({ name, value, dimensions }) => [name, value, dimensions]);
    const dimensions = { service: 'ebs-snapshot-copier-test', destination: SOURCE_REGION };
    expect(metrics).toEqual([
      ['CopiesStarted', 1, dimensions],
      ['CopiesCompleted', 1, dimensions],
      ['CopySeconds', expect.any(Number), dimensions],
      ['FullCopies', 1, dimensions],
    ]);
    const seconds = Number(metrics[2]?.[1]);
    expect(seconds).toBeGreaterThanOrEqual(600);
    expect(seconds).toBeLessThanOrEqual(690);
  });

  it('is looked for among our own snapshots only: everybody’s public ones would be listed as well', async () => {
    const world = await newWorld();
    await world.snapshot({ Backup: 're-encrypt' });
    const lookUps = world.sandbox.ec2.calls.filter(
      ({ action, params }) => action === 'DescribeSnapshots' && 'Filter.1.Name' in params,
    );
    expect(lookUps.map(({ params }) => [params['Filter.1.Name'], params['Owner.1']])).toEqual([
      ['status', 'self'], // what takes slots
      ['tag:snapshot-copier:source-volume', 'self'],
    ]);
  });

  it('is found by its tags through the API, as operators do', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'nightly' });
    await world.pass('20 min');
    const { Snapshots = [] } = await world.ec2(FRANKFURT).send(
      new DescribeSnapshotsCommand({
        OwnerIds: ['self'],
        Filters: [{ Name: 'tag:snapshot-copier:source-snapshot', Values: [source] }],
      }),
    );
    expect(Snapshots.map(({ SnapshotId }) => SnapshotId)).toEqual(
      world.copies(source, FRANKFURT).map((c) => c.snapshotId),
    );
  });
});

describe('a dry run', () => {
  it('does everything but copy, and says what EC2 would do', async () => {
    const world = await newWorld();
    const source = await world.snapshot({ Backup: 'dry-run' });
    const { status, output } = world.execution(`${source}-${FRANKFURT}-0`);
    expect(status).toBe('SUCCEEDED');
    expect(output).toContain(`EC2 would allow the copy of ${source} to ${FRANKFURT}`);
    expect(world.copies(source)).toEqual([]);
    expect(world.record(source).tags).toEqual({ Backup: 'dry-run' });
    await world.pass('1 h');
    expect(await new LedgerView(world).requests()).toEqual([]);
  });

  it('waits for no slot, and takes no place in the queue, where EC2 has none', async () => {
    const world = await newWorld();
    const full = { kind: 'error', action: 'CopySnapshot', code: 'ResourceLimitExceeded', status: 400, times: 100 };
    world.sandbox.ec2.faults.add(full);
    const source = await world.snapshot({ Backup: 'dry-run' });
    await world.pass('1 h');
    expect(await new LedgerView(world).requests()).toEqual([]);
    expect(world.executions()).toMatchObject([{ name: `${source}-${FRANKFURT}-0`, status: 'SUCCEEDED' }]);
    expect(await world.alerts()).toEqual([]);
  });
});
