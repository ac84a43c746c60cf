import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import { ThrottledError } from '../../core/errors.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { SOURCE_TAG } from '../../core/source-account.ts';
import { releaseSource } from '../../functions/release-source.ts';
import { HOME, INSTALL, request } from '../support/examples.ts';
import { install, ports } from './ports.ts';
import { FakeSourceAccount, OWNER, source } from './source-account.ts';

const ID = 'snap-0a1b2c3d4e5f60718';
const FRANKFURT = `${ID}-eu-central-1-1`;
const VIRGINIA = `${ID}-us-east-1-1`;
const claim = (region: string, acting = `${INSTALL}-for-${HOME}`) => `snapshot-copier:share:${acting}/${region}`;
const CLAIMS = { [claim('eu-central-1')]: FRANKFURT, [claim('us-east-1')]: VIRGINIA };
const NOW = '2026-03-02T04:30:00.000Z';

function shared(...snapshots: readonly Snapshot[]): FakeSourceAccount {
  const owner = new FakeSourceAccount(...snapshots);
  for (const { snapshotId } of snapshots) owner.shares.set(snapshotId, new Set([HOME, '999988887777']));
  return owner;
}

/** How an execution ended, as Step Functions tells it. */
function end(name: string, { status = 'FAILED', reencrypt = false, companion = true } = {}) {
  const of = request({ source: { ownerId: OWNER, ...(companion && { companion: { reencrypt } }) } });
  return {
    detail: {
      executionArn: `arn:aws:states:eu-west-1:${HOME}:execution:copier:${name}`,
      stateMachineArn: 'arn:aws:states:copier',
      name,
      status,
      startDate: 0,
      error: 'CopyFailed',
      input: JSON.stringify(of),
    },
  };
}

function service(accounts: Readonly<Record<string, FakeSourceAccount>>) {
  const { executions, now } = ports();
  const of = (account: string): FakeSourceAccount => accounts[account] ?? new FakeSourceAccount();
  const run = releaseSource({ sourceAccounts: of, executions, now }, { accounts: Object.keys(accounts) }, install);
  return { run, executions };
}

describe('at the end of an execution', () => {
  it('the share that the service made is taken back, and then the claim on it', async () => {
    const owner = shared(source({ tags: { [claim('eu-central-1')]: FRANKFURT, Name: 'db-1' } }));
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.done).toEqual([`takeBack of ${ID}`, `untag ${claim('eu-central-1')} of ${ID}`]);
    expect([...(owner.shares.get(ID) ?? [])]).toEqual(['999988887777']);
    expect(owner.snapshots.get(ID)?.tags).toEqual({ Name: 'db-1' });
  });

  it.each([
    ['another destination needs it', { ...CLAIMS }],
    [
      'another install of this account needs it',
      { [claim('eu-central-1')]: FRANKFURT, [claim('eu-central-1', `other-for-${HOME}`)]: 'e' },
    ],
  ])('the share stays while %s', async (_why, tags) => {
    const owner = shared(source({ tags }));
    const { run } = service({ [OWNER]: owner });
    await run(end(FRANKFURT));
    expect(owner.done).toEqual([`tag ${claim('eu-central-1')} of ${ID}`]);
    expect(owner.snapshots.get(ID)?.tags).toEqual({ ...tags, [claim('eu-central-1')]: 'over' });
    // The event may come again.
    await run(end(FRANKFURT));
    expect(owner.shares.get(ID)?.has(HOME)).toBe(true);
  });

  it('the last one that needs the share takes it back, and removes what the others had noted', async () => {
    const owner = shared(source({ tags: { ...CLAIMS, [claim('eu-west-1', `other-for-${HOME}`)]: 'over' } }));
    const { run } = service({ [OWNER]: owner });
    await run(end(FRANKFURT));
    await run(end(VIRGINIA));
    expect(owner.shares.get(ID)?.has(HOME)).toBe(false);
    expect(owner.snapshots.get(ID)?.tags).toEqual({});
  });

  it('of two that end at the same moment, and both still see the claim of the other, one takes the share back', async () => {
    const owner = shared(source({ tags: CLAIMS }));
    const { run } = service({ [OWNER]: owner });
    await Promise.all([run(end(FRANKFURT)), run(end(VIRGINIA))]);
    expect(owner.shares.get(ID)?.has(HOME)).toBe(false);
    expect(owner.snapshots.get(ID)?.tags).toEqual({});
  });

  it('an event that comes twice at the same moment ends the share once, and for good', async () => {
    const owner = shared(source({ tags: { [claim('eu-central-1')]: FRANKFURT } }));
    const { run } = service({ [OWNER]: owner });
    // The other is done when this one has taken the share back.
    owner.afterwards.set('takeBack', () => owner.snapshots.set(ID, source()));
    await run(end(FRANKFURT));
    expect(owner.shares.get(ID)?.has(HOME)).toBe(false);
  });

  it('whoever died after noting that it is over has it done when its event comes again', async () => {
    const owner = shared(source({ tags: { [claim('eu-central-1')]: 'over' } }));
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.done).toEqual([`takeBack of ${ID}`, `untag ${claim('eu-central-1')} of ${ID}`]);
  });

  it('a source that is deleted meanwhile is nobody’s any more', async () => {
    const owner = shared(source({ tags: CLAIMS }));
    owner.afterwards.set(`tag ${claim('eu-central-1')}`, () => owner.snapshots.delete(ID));
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.done).toEqual([`tag ${claim('eu-central-1')} of ${ID}`]);
  });

  it('the share of an install in another account is nothing to wait for', async () => {
    const owner = shared(
      source({
        tags: { [claim('eu-central-1')]: FRANKFURT, [claim('eu-central-1', `${INSTALL}-for-555566667777`)]: 'e' },
      }),
    );
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.done[0]).toBe(`takeBack of ${ID}`);
  });

  it.each([
    ['a share that somebody else made', {}],
    ['a claim of a later execution of the same request', { [claim('eu-central-1')]: `${ID}-eu-central-1-2` }],
  ])('%s is left alone', async (_what, tags) => {
    const owner = shared(source({ tags }));
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.done).toEqual([]);
  });

  it('a share that was claimed in between is given back', async () => {
    const owner = shared(source({ tags: { [claim('eu-central-1')]: FRANKFURT } }));
    owner.afterwards.set('takeBack', () => owner.snapshots.set(ID, source({ tags: CLAIMS })));
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.shares.get(ID)?.has(HOME)).toBe(true);
    expect(owner.snapshots.get(ID)?.tags).toEqual({ [claim('us-east-1')]: VIRGINIA });
  });

  it('a share that the next execution of the same copy claimed in between keeps that claim', async () => {
    const next = { [claim('eu-central-1')]: `${ID}-eu-central-1-2` };
    const owner = shared(source({ tags: { [claim('eu-central-1')]: FRANKFURT } }));
    owner.afterwards.set('takeBack', () => owner.snapshots.set(ID, source({ tags: next })));
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.shares.get(ID)?.has(HOME)).toBe(true);
    expect(owner.snapshots.get(ID)?.tags).toEqual(next);
  });

  it('nobody waits any more for the intermediate copy that it had announced', async () => {
    const tags = { [SOURCE_TAG.intermediateBy]: `${FRANKFURT} ${NOW}` };
    const owner = new FakeSourceAccount(source({ tags }));
    const { run } = service({ [OWNER]: owner });
    await run(end(VIRGINIA));
    expect(owner.done).toEqual([]);
    await run(end(FRANKFURT));
    expect(owner.snapshots.get(ID)?.tags).toEqual({});
  });

  it.each([
    ['a source that is gone', end(FRANKFURT)],
    ['a source of an account without the companion', end(FRANKFURT, { companion: false })],
    ['an execution that has begun', end(FRANKFURT, { status: 'RUNNING' })],
  ])('there is nothing to do for %s', async (_what, event) => {
    const owner = new FakeSourceAccount();
    await service({ [OWNER]: owner }).run(event);
    expect(owner.done).toEqual([]);
  });
});

describe('intermediate copies', () => {
  const intermediate = (snapshotId: string, of: string, takenAt: string, over: Partial<Snapshot> = {}): Snapshot =>
    source({
      snapshotId,
      volumeId: 'vol-ffffffff',
      startTime: takenAt,
      completionTime: takenAt,
      ...over,
      tags: {
        [SOURCE_TAG.intermediateFor]: `${INSTALL}-for-${HOME}`,
        [SOURCE_TAG.intermediateOf]: of,
        [SOURCE_TAG.intermediateVolume]: 'vol-0123456789abcdef0',
        'snapshot-copier:source-start-time': takenAt,
        ...over.tags,
      },
    });

  it('are released, and removed when a newer one of the volume is complete', async () => {
    const owner = shared(
      source(),
      intermediate('snap-old', 'snap-before', '2026-03-01T00:00:00.000Z'),
      intermediate('snap-new', ID, '2026-03-02T00:00:00.000Z', { tags: { [claim('eu-central-1')]: FRANKFURT } }),
    );
    await service({ [OWNER]: owner }).run(end(FRANKFURT, { reencrypt: true }));
    expect(owner.done).toEqual([
      'takeBack of snap-new',
      `untag ${claim('eu-central-1')} of snap-new`,
      'remove of snap-old',
    ]);
  });

  it.each([
    ['that another execution claims', { tags: { [claim('us-east-1')]: 'e' } }],
    ['that is pending', { state: 'pending' as const }],
    [
      'that was complete two hours ago at most, for nobody may have claimed it yet',
      { completionTime: '2026-03-02T02:30:00.000Z' },
    ],
    [
      'that is the newest, if it is no older than 35 days',
      {
        startTime: '2026-03-03T00:00:00.000Z',
        tags: { 'snapshot-copier:source-start-time': '2026-03-03T00:00:00.000Z' },
      },
    ],
  ])('stay: one %s', async (_which, over) => {
    const owner = new FakeSourceAccount(
      source(),
      intermediate('snap-this', 'snap-before', '2026-03-01T00:00:00.000Z', over),
      intermediate('snap-newest', 'snap-after', '2026-03-02T23:00:00.000Z', { completionTime: NOW }),
    );
    await service({ [OWNER]: owner }).run(end(FRANKFURT, { reencrypt: true }));
    expect([...owner.snapshots.keys()]).toContain('snap-this');
  });

  it.each([
    ['that ended in error', { state: 'error' as const }],
    ['of a volume of which no other came for 35 days', { completionTime: '2026-01-26T04:29:59.000Z' }],
  ])('go: one %s', async (_which, over) => {
    const owner = new FakeSourceAccount(intermediate('snap-this', ID, '2026-01-26T00:00:00.000Z', over));
    await service({ [OWNER]: owner }).run({ look: 'everywhere' });
    expect(owner.done).toEqual(['remove of snap-this']);
  });
});

describe('by the clock', () => {
  it('the shares of executions that are over are taken back, in every account', async () => {
    const over = shared(source({ tags: CLAIMS }));
    const others = shared(source({ tags: CLAIMS }));
    const { run, executions } = service({ [OWNER]: over, '222233334444': others });
    await executions.start(VIRGINIA, request());
    await run({ look: 'everywhere' });
    for (const owner of [over, others]) expect(owner.done).toEqual([`tag ${claim('eu-central-1')} of ${ID}`]);
  });

  it('an account whose companion is gone does not keep the others waiting, nor fill the queue of stuck events', async () => {
    const gone = new FakeSourceAccount();
    gone.isGone = true;
    const other = shared(source({ tags: { [claim('eu-central-1')]: FRANKFURT } }));
    const { run } = service({ [OWNER]: gone, '222233334444': other });
    await run({ look: 'everywhere' });
    expect(other.done[0]).toBe(`takeBack of ${ID}`);
    gone.claimed = async () => {
      throw new ThrottledError('too often');
    };
    await expect(run({ look: 'everywhere' })).rejects.toThrow('too often');
  });
});
