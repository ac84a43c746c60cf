import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import { RequestRefusedError, SourceAccountRefusedError, ThrottledError } from '../../core/errors.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { announcementTag, SOURCE_TAG } from '../../core/source-account.ts';
import { releaseSource } from '../../functions/release-source.ts';
import { HOME, INSTALL, request } from '../support/examples.ts';
import { install, ports } from './ports.ts';
import { FakeSourceAccount, OWNER, source } from './source-account.ts';

const ID = 'snap-0a1b2c3d4e5f60718';
const FRANKFURT = `${ID}-eu-central-1-1`;
const VIRGINIA = `${ID}-us-east-1-1`;
const claim = (region: string, acting = `${INSTALL}-for-${HOME}`) => `snapshot-copier:share:${acting}/${region}`;
const CLAIMS = { [claim('eu-central-1')]: FRANKFURT, [claim('us-east-1')]: VIRGINIA };
/** What says that one of several is over. */
const OVER = `snapshot-copier:share:${INSTALL}-for-${HOME}/over`;
const NOW = '2026-03-02T04:30:00.000Z';

function shared(...snapshots: readonly Snapshot[]): FakeSourceAccount {
  const owner = new FakeSourceAccount(...snapshots);
  for (const { snapshotId } of snapshots) owner.shares.set(snapshotId, new Set([HOME, '999988887777']));
  return owner;
}

/** As EC2's answer is told. */
function refused(call: string, code: string): RequestRefusedError {
  return new RequestRefusedError(`EC2 refuses it. ${call} of ${ID} in eu-west-1: EC2 says ${code}: no`);
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
  const listed = async () => ({ accounts: Object.keys(accounts) });
  const run = releaseSource({ sourceAccounts: of, executions, now, listed }, install);
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
  ])('the share stays while %s', async (_why, tags: Readonly<Record<string, string>>) => {
    const owner = shared(source({ tags }));
    const { run } = service({ [OWNER]: owner });
    await run(end(FRANKFURT));
    expect(owner.done).toEqual([`tag ${OVER} of ${ID}`, `untag ${claim('eu-central-1')} of ${ID}`]);
    const { [claim('eu-central-1')]: _, ...others } = tags;
    expect(owner.snapshots.get(ID)?.tags).toEqual({ ...others, [OVER]: FRANKFURT });
    // The event may come again.
    await run(end(FRANKFURT));
    expect(owner.shares.get(ID)?.has(HOME)).toBe(true);
  });

  it('the last one that needs the share takes it back, and removes what the others had noted', async () => {
    const owner = shared(source({ tags: { ...CLAIMS, [claim('over', `other-for-${HOME}`)]: `${ID}-eu-west-1-1` } }));
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
    const owner = shared(source({ tags: { [OVER]: FRANKFURT } }));
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.done).toEqual([`takeBack of ${ID}`, `untag ${OVER} of ${ID}`]);
  });

  it('a source that is deleted meanwhile is nobody’s any more', async () => {
    const owner = shared(source({ tags: CLAIMS }));
    owner.afterwards.set(`untag ${claim('eu-central-1')}`, () => owner.snapshots.delete(ID));
    await service({ [OWNER]: owner }).run(end(FRANKFURT));
    expect(owner.done).toEqual([`tag ${OVER} of ${ID}`, `untag ${claim('eu-central-1')} of ${ID}`]);
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

  it('a share that was claimed in between, and could not be given back at once, is when the event comes again', async () => {
    const owner = shared(source({ tags: { [claim('eu-central-1')]: FRANKFURT } }));
    owner.afterwards.set('takeBack', () => owner.snapshots.set(ID, source({ tags: CLAIMS })));
    const share = owner.share.bind(owner);
    owner.share = async () => {
      owner.share = share;
      throw new ThrottledError('too often');
    };
    const { run } = service({ [OWNER]: owner });
    await expect(run(end(FRANKFURT))).rejects.toThrow('too often');
    expect(owner.shares.get(ID)?.has(HOME)).toBe(false);
    await run(end(FRANKFURT));
    expect(owner.shares.get(ID)?.has(HOME)).toBe(true);
    await run(end(VIRGINIA));
    expect(owner.shares.get(ID)?.has(HOME)).toBe(false);
    expect(owner.snapshots.get(ID)?.tags).toEqual({});
  });

  it('the claim of the next execution of the same copy stays, however late the end of the first is noted', async () => {
    const next = { ...CLAIMS, [claim('eu-central-1')]: `${ID}-eu-central-1-2` };
    const owner = shared(source({ tags: CLAIMS }));
    const tag = owner.tag.bind(owner);
    // Between the look at the tags and the note.
    owner.tag = async (region, snapshotId, tags) => {
      owner.snapshots.set(ID, source({ tags: next }));
      await tag(region, snapshotId, tags);
    };
    const { run } = service({ [OWNER]: owner });
    await run(end(FRANKFURT));
    await run(end(VIRGINIA));
    expect(owner.snapshots.get(ID)?.tags).toMatchObject({ [claim('eu-central-1')]: `${ID}-eu-central-1-2` });
    expect(owner.shares.get(ID)?.has(HOME)).toBe(true);
  });

  it('a snapshot with as many tags as it can have is left to the clock, if others need its share', async () => {
    const owner = shared(source({ tags: CLAIMS }));
    owner.tag = async () => {
      throw refused('CreateTags', 'TagLimitExceeded');
    };
    const { run } = service({ [OWNER]: owner });
    await run(end(FRANKFURT));
    await run(end(VIRGINIA));
    expect(owner.done).toEqual([]);
    await run({ look: 'everywhere' });
    expect(owner.shares.get(ID)?.has(HOME)).toBe(false);
    expect(owner.snapshots.get(ID)?.tags).toEqual({});
  });

  it('what it may not note is told', async () => {
    const owner = shared(source({ tags: CLAIMS }));
    owner.tag = async () => {
      throw refused('CreateTags', 'UnauthorizedOperation');
    };
    await expect(service({ [OWNER]: owner }).run(end(FRANKFURT))).rejects.toThrow('UnauthorizedOperation');
  });

  it('nobody waits any more for the intermediate copy that it had announced', async () => {
    const tags = { [announcementTag(install)]: `${FRANKFURT} ${NOW}` };
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
    ['of which an AMI is registered', 'InvalidSnapshot.InUse'],
    ['that is locked', 'OperationNotPermitted'],
  ])('one %s stays, though nobody needs it, and keeps no other', async (_how, code) => {
    const old = (snapshotId: string, day: string) =>
      intermediate(snapshotId, 'snap-before', `2026-02-${day}T00:00:00.000Z`);
    const owner = new FakeSourceAccount(
      old('snap-kept', '26'),
      old('snap-old', '27'),
      intermediate('snap-new', ID, '2026-03-02T00:00:00.000Z'),
    );
    const { run } = service({ [OWNER]: owner });
    const remove = owner.remove.bind(owner);
    owner.remove = async (region, snapshotId) => {
      if (snapshotId === 'snap-kept') throw refused('DeleteSnapshot', code);
      await remove(region, snapshotId);
    };
    await run({ look: 'everywhere' });
    expect(owner.done).toEqual(['remove of snap-old']);
    await run(end(FRANKFURT, { reencrypt: true }));
  });

  it('that may not be removed are told of, after everything had its turn', async () => {
    const old = (snapshotId: string, day: string) =>
      intermediate(snapshotId, 'snap-before', `2026-02-${day}T00:00:00.000Z`);
    const owner = new FakeSourceAccount(
      old('snap-old', '26'),
      old('snap-older', '25'),
      intermediate('snap-new', ID, '2026-03-02T00:00:00.000Z'),
    );
    const tried: string[] = [];
    owner.remove = async (_region, snapshotId) => {
      tried.push(snapshotId);
      throw new SourceAccountRefusedError(`DeleteSnapshot of ${snapshotId} is not allowed`);
    };
    const { run } = service({ [OWNER]: owner });
    await expect(run({ look: 'everywhere' })).rejects.toThrow('snap-old is not allowed');
    expect(tried).toEqual(['snap-old', 'snap-older']);
  });

  it('stay if somebody claims one, or it goes, while others are removed', async () => {
    const old = (snapshotId: string, day: string, over: Partial<Snapshot> = {}) =>
      intermediate(snapshotId, 'snap-before', `2026-02-${day}T00:00:00.000Z`, over);
    const owner = new FakeSourceAccount(
      old('snap-1', '25'),
      old('snap-2', '26'),
      old('snap-3', '27'),
      intermediate('snap-new', ID, '2026-03-02T00:00:00.000Z'),
    );
    owner.afterwards.set('remove', () => {
      owner.snapshots.set('snap-2', old('snap-2', '26', { tags: { [claim('us-east-1')]: 'snap-before-us-east-1-1' } }));
      owner.snapshots.delete('snap-3');
    });
    await service({ [OWNER]: owner }).run({ look: 'everywhere' });
    expect(owner.done).toEqual(['remove of snap-1']);
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
    for (const owner of [over, others]) {
      expect(owner.done).toEqual([`tag ${OVER} of ${ID}`, `untag ${claim('eu-central-1')} of ${ID}`]);
    }
  });

  it('a share that the next execution has claimed since everything was listed stays as it is', async () => {
    const next = { [claim('eu-central-1')]: `${ID}-eu-central-1-2` };
    const owner = shared(source({ tags: next }));
    owner.claimed = async () => [source({ tags: { [claim('eu-central-1')]: FRANKFURT } })];
    const { run } = service({ [OWNER]: owner });
    await run({ look: 'everywhere' });
    expect(owner.done).toEqual([]);
    owner.snapshots.delete(ID);
    await run({ look: 'everywhere' });
    expect(owner.done).toEqual([]);
  });

  it('a share of which nothing has changed is not even looked at', async () => {
    const owner = shared(source({ tags: { [claim('us-east-1')]: VIRGINIA } }));
    const { run, executions } = service({ [OWNER]: owner });
    await executions.start(VIRGINIA, request());
    owner.find = async () => expect.unreachable('there is nothing to look at');
    await run({ look: 'everywhere' });
    expect(owner.done).toEqual([]);
  });

  it('a share that its owner made of a snapshot onto which another tool copied the claim is left alone', async () => {
    const owner = shared(source({ snapshotId: 'snap-0fff', tags: { [claim('eu-central-1')]: FRANKFURT } }));
    await service({ [OWNER]: owner }).run({ look: 'everywhere' });
    expect(owner.done).toEqual([]);
  });

  it.each([['over'], ['no name: *'], ['x'.repeat(81)]])(
    'a claim of what cannot be an execution is over: %s',
    async (execution) => {
      const owner = shared(source({ tags: { [claim('eu-central-1')]: execution } }));
      const { run, executions } = service({ [OWNER]: owner });
      executions.find = async (name) => {
        if (name !== 'over') throw new Error(`Step Functions knows no name like ${name}`);
        return undefined;
      };
      await run({ look: 'everywhere' });
      expect(owner.snapshots.get(ID)?.tags).toEqual({});
      expect(owner.shares.get(ID)?.has(HOME)).toBe(false);
    },
  );

  it('a snapshot that cannot be changed keeps no other, and is told of', async () => {
    const claimed = (snapshotId: string) =>
      source({ snapshotId, tags: { [claim('eu-central-1')]: `${snapshotId}-eu-central-1-1` } });
    const owner = shared(claimed('snap-0aaa'), claimed('snap-0bbb'));
    const takeBack = owner.takeBack.bind(owner);
    owner.takeBack = async (region, snapshotId) => {
      if (snapshotId === 'snap-0aaa') throw new SourceAccountRefusedError('an SCP forbids it');
      await takeBack(region, snapshotId);
    };
    await expect(service({ [OWNER]: owner }).run({ look: 'everywhere' })).rejects.toThrow('an SCP forbids it');
    expect(owner.shares.get('snap-0bbb')?.has(HOME)).toBe(false);
  });

  it('begins with another account each hour, and looks at some at a time', async () => {
    const accounts = Array.from({ length: 12 }, (_, index) => `1111222233${index + 10}`);
    const { executions, now, setTime } = ports();
    let begun: string[] = [];
    let looking = 0;
    let most = 0;
    const sourceAccounts = (account: string) => {
      const owner = new FakeSourceAccount();
      owner.claimed = async () => {
        begun.push(account);
        looking += 1;
        most = Math.max(most, looking);
        await Promise.resolve();
        looking -= 1;
        return [];
      };
      return owner;
    };
    const run = releaseSource({ sourceAccounts, executions, now, listed: async () => ({ accounts }) }, install);
    await run({ look: 'everywhere' });
    expect(begun.toSorted()).toEqual(accounts);
    expect(most).toBe(5);
    const [first = ''] = begun;
    begun = [];
    setTime('2026-03-02T05:30:00Z');
    await run({ look: 'everywhere' });
    expect(begun.toSorted()).toEqual(accounts);
    expect(accounts.indexOf(begun[0] ?? '')).toBe((accounts.indexOf(first) + 1) % 12);
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
