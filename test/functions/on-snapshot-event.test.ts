import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { onSnapshotEvent } from '../../functions/on-snapshot-event.ts';
import { destination, HOME, snapshot } from '../support/examples.ts';
import { watchMetrics } from '../support/metrics-written.ts';
import { find, install, ports } from './ports.ts';
import { FakeSourceAccount, OWNER, source } from './source-account.ts';

const metrics = watchMetrics();

const ID = 'snap-0a1b2c3d4e5f60718';
const RULES: readonly CopyRule[] = [
  { name: 'nightly', select: { tags: { Backup: ['nightly'] } }, destinations: [destination()], dryRun: false },
];

/** An event of a source account, as its companion forwards it. */
function event(over: Readonly<Record<string, unknown>> = {}, detail: Readonly<Record<string, unknown>> = {}) {
  return {
    source: 'aws.ec2',
    'detail-type': 'EBS Snapshot Notification',
    account: OWNER,
    region: 'eu-west-1',
    time: '2026-03-02T04:30:00Z',
    detail: {
      event: 'createSnapshot',
      result: 'succeeded',
      snapshot_id: `arn:aws:ec2::eu-west-1:snapshot/${ID}`,
      ...detail,
    },
    ...over,
  };
}

function service(owner: FakeSourceAccount, home: readonly Snapshot[] = []) {
  const known = ports();
  const asked: string[] = [];
  const run = onSnapshotEvent(
    {
      ...known,
      functionName: 'on-snapshot-event',
      snapshots: { find: async (_region, snapshotId) => home.find((each) => each.snapshotId === snapshotId) },
      sourceSnapshots: (account) => {
        asked.push(account);
        return owner;
      },
    },
    RULES,
    { accounts: [OWNER] },
    install,
  );
  return { ...known, run, asked };
}

const REFUSED = [{ name: 'EventsRefused', value: 1 }];

describe('an event of a source account', () => {
  it('leads to a request by tags, which remembers that its owner has the companion', async () => {
    const { run, ledger, woken } = service(new FakeSourceAccount(source()));
    await run(event());
    expect(await find(ledger)).toMatchObject({
      status: 'waiting',
      request: { source: { ownerId: OWNER, tags: { Backup: 'nightly' }, companion: { reencrypt: false } } },
    });
    expect(woken).toEqual(['eu-central-1']);
  });

  it('is kept if the companion cannot be used, and counted', async () => {
    const owner = new FakeSourceAccount(source());
    owner.isGone = true;
    await expect(service(owner).run(event())).rejects.toMatchObject({ name: 'SourceAccountRefusedError' });
    expect(metrics()).toMatchObject(REFUSED);
  });

  it('of a snapshot that stays invisible tells of the account and how to give the event again', async () => {
    const { run, alerts, setTime } = service(new FakeSourceAccount());
    setTime('2026-03-02T04:33:00Z');
    await run(event());
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.message).toContain(OWNER);
    expect(alerts[0]?.message).toContain(`"account":"${OWNER}"`);
  });

  it('that comes again, as a share which the service made, changes nothing', async () => {
    const { run, ledger } = service(new FakeSourceAccount(source()), [snapshot({ ownerId: OWNER, tags: {} })]);
    await run(event());
    const before = await find(ledger);
    await run(event({ account: HOME }, { event: 'shareSnapshot', source: OWNER }));
    expect(await find(ledger)).toEqual(before);
  });

  it('that shares a snapshot with us by hand is looked at from there as well, for its tags', async () => {
    const { run, ledger, asked } = service(new FakeSourceAccount(source()), [snapshot({ ownerId: OWNER, tags: {} })]);
    await run(event({ account: HOME }, { event: 'shareSnapshot', source: OWNER }));
    expect(asked).toEqual([OWNER]);
    expect(await find(ledger)).toMatchObject({ request: { source: { companion: { reencrypt: false } } } });
  });
});

describe('refused, counted and forgotten is an event', () => {
  it.each([
    ['of an account that the rules do not list', event({ account: '999988887777' })],
    ['of another kind', event({}, { event: 'copySnapshot' })],
    ['of a snapshot that could not be made', event({}, { result: 'failed' })],
    ['of another Region, that somebody forwarded', event({ region: 'eu-central-1' })],
    ['of a share with the source account', event({}, { event: 'shareSnapshot', source: '999988887777' })],
    ['of another service', event({ source: 'my.app' })],
    ['without a snapshot', event({}, { snapshot_id: '' })],
    ['that is none', { account: OWNER }],
  ])('%s', async (_what, forged) => {
    const { run, ledger, asked, alerts } = service(new FakeSourceAccount(source()));
    await run(forged);
    expect(metrics()).toMatchObject(REFUSED);
    expect({ request: await find(ledger), asked, alerts }).toEqual({ request: undefined, asked: [], alerts: [] });
  });

  it('about a snapshot of somebody else', async () => {
    const { run, ledger } = service(new FakeSourceAccount(snapshot({ ownerId: '999988887777' })));
    await run(event());
    expect(metrics()).toMatchObject(REFUSED);
    expect(await find(ledger)).toBeUndefined();
  });
});

it('an event of this account is read as ever, and an unreadable one is kept', async () => {
  const { run, ledger, asked } = service(new FakeSourceAccount(), [snapshot()]);
  await run(event({ account: HOME }));
  expect(await find(ledger)).toMatchObject({ status: 'waiting' });
  expect((await find(ledger))?.request.source.companion).toBeUndefined();
  expect(asked).toEqual([]);
  await expect(run(event({ account: HOME, source: 'my.app' }))).rejects.toMatchObject({ name: 'UnreadableInputError' });
  expect(metrics()).toEqual([]);
});
