import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { describe, expect, it } from 'vitest';
import type { NewEvent } from '../../../sandbox/events/event-bus.ts';
import { SOURCE_REGION } from '../world.ts';
import { type Accounts, HOME, INSTALL, newAccounts, ORDERS, PARTNER, PAYROLL } from './world.ts';

const BUS = `arn:aws:events:${SOURCE_REGION}:${HOME}:event-bus/${INSTALL}`;
const ROLE = `arn:aws:iam::${ORDERS}:role/snapshot-copier/${INSTALL}-for-${HOME}`;

/** An event of EBS about a snapshot, as it would come from an account. */
function told(snapshotId: string, account: string, detail: Readonly<Record<string, unknown>> = {}): NewEvent {
  const arn = `arn:aws:ec2::${SOURCE_REGION}:snapshot/${snapshotId}`;
  return {
    account,
    'detail-type': 'EBS Snapshot Notification',
    source: 'aws.ec2',
    resources: [arn],
    detail: { event: 'createSnapshot', result: 'succeeded', cause: '', snapshot_id: arn, ...detail },
  };
}

/** Puts an event on the bus of the service, as it is: AWS itself lets nobody say that he is `aws.ec2`. */
function forge(world: Accounts, event: NewEvent): void {
  world.sandbox.bus.put(world.sandbox.bus.fill(event), BUS);
}

/** A complete snapshot that a rule would select, of which no event told. */
async function untold(world: Accounts, account: string): Promise<string> {
  world.sandbox.bus.faults.add({ kind: 'lose-event', event: 'createSnapshot' });
  return world.snapshot({ Backup: 'nightly' }, { account });
}

function sessions(world: Accounts): number {
  return world.sandbox.api('sts').callCounts().get('AssumeRole') ?? 0;
}

describe('an event on the bus of source accounts', () => {
  it('from an account of the organisation that is not listed is refused before anything is looked up', async () => {
    const world = await newAccounts();
    world.deployCompanion({ account: PARTNER });
    const source = await world.snapshot({ Backup: 'nightly' }, { account: PARTNER });
    await world.pass('10 min');
    expect(world.log('onSnapshotEvent')).toContain(
      `Refused: an event of account ${PARTNER}: sourceAccounts of the rules do not list that account`,
    );
    expect(world.counted('EventsRefused')).toBe(1);
    expect(sessions(world)).toBe(0);
    expect(world.copies(source)).toEqual([]);
    expect(world.executions()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('from a listed account about a snapshot of another is refused, though that account may see it', async () => {
    const world = await newAccounts();
    const source = await untold(world, PAYROLL);
    await world.share(source, 'add', ORDERS);
    const ours = await untold(world, HOME);
    await world.share(ours, 'add', ORDERS);
    for (const snapshotId of [source, ours]) forge(world, told(snapshotId, ORDERS));
    await world.pass('10 min');
    for (const snapshotId of [source, ours]) {
      expect(world.log('onSnapshotEvent')).toContain(
        `Refused: an event of account ${ORDERS} about ${snapshotId}, which is not a snapshot of that account`,
      );
      expect(world.copies(snapshotId)).toEqual([]);
    }
    expect(world.counted('EventsRefused')).toBe(2);
    expect(world.executions()).toEqual([]);
    expect(world.sharedWith(source)).toEqual([ORDERS]);
  });

  it('from a listed account about a snapshot that it cannot see copies nothing, and somebody is told', async () => {
    const world = await newAccounts();
    const source = await untold(world, PAYROLL);
    forge(world, told(source, ORDERS));
    await world.pass('10 min');
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'SourceNotVisible', sourceSnapshot: source }, body: expect.stringContaining(ORDERS) },
    ]);
    expect(world.executions()).toEqual([]);
  });

  it.each([
    ['a share', { event: 'shareSnapshot', source: PAYROLL }, 'it tells of a snapshot that somebody shared'],
    ['a copy', { event: 'copySnapshot' }, 'nobody asks for EBS Snapshot Notification'],
    ['a failure', { result: 'failed', cause: 'Cosmic rays' }, 'createSnapshot failed: Cosmic rays'],
    ['no snapshot', { snapshot_id: 'arn:aws:ec2::eu-west-1:volume/vol-1' }, 'no snapshot id'],
  ])('that tells of %s is refused', async (_what, detail, reason) => {
    const world = await newAccounts();
    const source = await untold(world, ORDERS);
    forge(world, { ...told(source, ORDERS, detail), ...('snapshot_id' in detail && { resources: [] }) });
    await world.pass('10 min');
    expect(world.log('onSnapshotEvent')).toContain(`Refused: an event of account ${ORDERS}: `);
    expect(world.log('onSnapshotEvent')).toContain(reason);
    expect(world.counted('EventsRefused')).toBe(1);
    expect(world.executions()).toEqual([]);
    expect(await world.stuckEvents()).toEqual([]);
  });

  it('that somebody there made up is refused: AWS itself gives it another source', async () => {
    const world = await newAccounts();
    const source = await untold(world, ORDERS);
    const { detail, resources = [] } = told(source, ORDERS);
    const events = new EventBridgeClient({
      endpoint: world.sandbox.endpoint,
      region: SOURCE_REGION,
      credentials: { accessKeyId: ORDERS, secretAccessKey: 'secret' },
    });
    const entry = { DetailType: 'EBS Snapshot Notification', EventBusName: BUS, Resources: [...resources] };
    const Detail = JSON.stringify(detail);
    const Entries = ['aws.ec2', 'my.own'].map((Source) => ({ ...entry, Source, Detail }));
    const answer = await events.send(new PutEventsCommand({ Entries }));
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual(['NotAuthorizedForSourceException', undefined]);
    await world.pass('10 min');
    expect(world.log('onSnapshotEvent')).toContain('it is from my.own, not from aws.ec2');
    expect(world.counted('EventsRefused')).toBe(1);
    expect(world.executions()).toEqual([]);
  });
});

describe('the role in a source account', () => {
  it('is for the functions of the install, by their external id: for nobody else at home or elsewhere', async () => {
    const world = await newAccounts();
    for (const accessKeyId of [HOME, PAYROLL, PARTNER]) {
      const { endpoint } = world.sandbox;
      const credentials = { accessKeyId, secretAccessKey: 'secret' };
      const sts = new STSClient({ endpoint, region: SOURCE_REGION, credentials });
      const wanted = { RoleArn: ROLE, RoleSessionName: 'somebody', ExternalId: INSTALL };
      await expect(sts.send(new AssumeRoleCommand(wanted))).rejects.toMatchObject({ name: 'AccessDenied' });
    }
  });

  it('that wants another external id: the event is kept, and the service did nothing', async () => {
    const world = await newAccounts({ companion: { ExternalId: 'of-somebody-else' } });
    const source = await world.snapshot({ Backup: 'nightly' }, { account: ORDERS });
    await world.pass('10 min');
    expect(await world.stuckEvents()).toMatchObject([{ body: expect.stringContaining(source) }]);
    expect(world.log('onSnapshotEvent')).toContain(`The role of the companion in account ${ORDERS} cannot be assumed`);
    expect(world.counted('EventsRefused')).toBe(3);
    expect(world.executions()).toEqual([]);
  });

  it('that answers as another account is not used, whatever it would allow', async () => {
    const world = await newAccounts();
    const theirs = world.sandbox.iam.role(ROLE);
    if (theirs === undefined) throw new Error('There is no role.');
    world.sandbox.iam.removeRole(ROLE);
    world.sandbox.iam.addRole({ ...theirs, account: PARTNER });
    const source = await world.snapshot({ Backup: 'nightly' }, { account: ORDERS });
    await world.pass('10 min');
    expect(world.log('onSnapshotEvent')).toContain(`answers as arn:aws:sts::${PARTNER}:assumed-role`);
    expect(world.counted('EventsRefused')).toBe(3);
    expect(await world.stuckEvents()).toMatchObject([{ body: expect.stringContaining(source) }]);
    expect(world.callsIn(PARTNER, 'DescribeSnapshots')).toEqual([]);
    expect(world.executions()).toEqual([]);
  });
});

describe('a companion that is removed', () => {
  it('stops what needs it with one alert each, and nothing is lost: when it is back, everything is copied', async () => {
    const world = await newAccounts({ companion: 'none', slots: 1, copyTakes: '10 min', schedules: 'on' });
    const companion = world.deployCompanion({ account: ORDERS });
    // One is being copied, one waits for its turn.
    const running = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    const waiting = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    await world.pass('2 min');
    world.sandbox.removeCompanion(companion);
    const unheard = await world.snapshot({ Backup: 'in-place' }, { account: ORDERS });
    forge(world, told(unheard, ORDERS));
    await world.pass('58 min');

    // The copy itself needed nothing any more, and cannot be marked at its source.
    expect(world.copiesOf(running)).toMatchObject([
      { state: 'completed', tags: { 'snapshot-copier:state': 'copied' } },
    ]);
    expect(await world.alerts()).toMatchObject([
      { attributes: { reason: 'SourceAccountRefused', sourceSnapshot: waiting } },
    ]);
    const kept = (await world.stuckEvents()).map(({ body }) => body).join('\n');
    expect(kept).toContain(unheard);
    // That of the end of the copy: the share could not be taken back.
    expect(kept).toContain(running);
    expect(world.copiesOf(unheard)).toEqual([]);

    world.deployCompanion({ account: ORDERS });
    await world.startAgain(world.executions().findLast(({ name }) => name.startsWith(waiting))?.name ?? '');
    await world.pass('95 min');
    for (const source of [running, waiting, unheard]) {
      expect(world.copiesOf(source)).toMatchObject([{ state: 'completed' }]);
    }
    expect(world.held()).toEqual([]);
    expect(await world.alerts()).toHaveLength(1);
  });
});
