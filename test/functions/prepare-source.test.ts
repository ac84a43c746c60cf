import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import { CopySlotsTakenError, RequestRefusedError } from '../../core/errors.ts';
import type { PreparedSource } from '../../core/prepare-source.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { prepareSource } from '../../functions/prepare-source.ts';
import { copy, copyTags, HOME, request } from '../support/examples.ts';
import { install } from './ports.ts';
import { FakeSourceAccount, OWNER, source } from './source-account.ts';

const SOURCE = source();
const ID = SOURCE.snapshotId;
const EXECUTION = `${ID}-eu-central-1-1`;
const CLAIM = `snapshot-copier:share:ebs-snapshot-copier-test-for-${HOME}/eu-central-1`;
const ANNOUNCEMENT = `snapshot-copier:intermediate-by:ebs-snapshot-copier-test-for-${HOME}`;
const AWS_KEY = `arn:aws:kms:eu-west-1:${OWNER}:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab`;

/** PrepareSource in a world that it is called in again and again. */
function world(owner: FakeSourceAccount, { reencrypt = false, dryRun = false, visibleAfterMs = 0 } = {}) {
  let now = Date.parse('2026-03-02T04:30:00Z');
  let sharedAt: number | undefined;
  let prepared: PreparedSource | undefined;
  const keys = new Map([[AWS_KEY, 'AWS' as const]]);
  let keyTrouble: Error | undefined;
  const copies: Snapshot[] = [];
  const run = prepareSource(
    {
      snapshots: {
        find: async (_region, snapshotId): Promise<Snapshot | undefined> => {
          if (owner.shares.get(snapshotId)?.has(HOME) !== true) {
            sharedAt = undefined;
            return undefined;
          }
          sharedAt ??= now;
          return now - sharedAt >= visibleAfterMs ? owner.snapshots.get(snapshotId) : undefined;
        },
        copiesOf: async () => copies,
      },
      sourceAccounts: () => owner,
      sourceKeys: () => ({
        describe: async (_region, name) => {
          if (keyTrouble !== undefined) throw keyTrouble;
          const manager = keys.get(name);
          return manager && { keyId: 'k', arn: name, account: OWNER, manager, state: 'Enabled', spec: '', usage: '' };
        },
      }),
      now: () => new Date(now),
    },
    install,
  );
  return {
    step: async (name = EXECUTION, region = 'eu-central-1'): Promise<PreparedSource> => {
      const of = request({ source: { ownerId: OWNER, companion: { reencrypt } }, destination: { region } });
      const arn = `arn:aws:states:eu-west-1:${HOME}:execution:copier:${name}`;
      const execution = { arn, name, startTime: '2026-03-02T04:30:00Z', stateMachineArn: 'arn:aws:states:copier' };
      prepared = await run({ execution, data: { ...of, dryRun, ...(prepared !== undefined && { prepared }) } });
      return prepared;
    },
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
    refuseKeys: (error: Error) => {
      keyTrouble = error;
    },
    /** What is at the destination. */
    copies,
  };
}

describe('a source that can be shared', () => {
  it('is claimed, then shared, and can be copied', async () => {
    const owner = new FakeSourceAccount(SOURCE);
    expect(await world(owner).step()).toMatchObject({ action: 'ready', copyFrom: ID });
    expect(owner.done).toEqual([`tag ${CLAIM} of ${ID}`, `share of ${ID}`]);
    expect(owner.snapshots.get(ID)?.tags[CLAIM]).toBe(EXECUTION);
  });

  it('is waited for as long as the share has no effect', async () => {
    const owner = new FakeSourceAccount(SOURCE);
    const { step, pass } = world(owner, { visibleAfterMs: 90_000 });
    const looks: string[] = [];
    for (;;) {
      const { action, waitSeconds } = await step();
      looks.push(action);
      if (action !== 'wait') break;
      pass(waitSeconds);
    }
    expect(looks).toEqual(['wait', 'wait', 'wait', 'wait', 'wait', 'wait', 'ready']);
    expect(owner.done.filter((each) => each.startsWith('share'))).toHaveLength(1);
  });

  it('is told of if it stays hidden for a quarter of an hour', async () => {
    const { step, pass } = world(new FakeSourceAccount(SOURCE), { visibleAfterMs: Number.POSITIVE_INFINITY });
    await step();
    pass(14 * 60);
    expect(await step()).toMatchObject({ action: 'wait' });
    pass(60);
    await expect(step()).rejects.toMatchObject({ name: 'SourceHiddenError' });
  });

  it('is shared again if somebody took the share back, and waited for anew', async () => {
    const owner = new FakeSourceAccount(SOURCE);
    const { step, pass } = world(owner, { visibleAfterMs: Number.POSITIVE_INFINITY });
    await step();
    pass(14 * 60);
    owner.shares.clear();
    await step();
    pass(60);
    expect(await step()).toMatchObject({ action: 'wait' });
    expect(owner.done.filter((each) => each.startsWith('share'))).toHaveLength(2);
  });

  it('is left as it is if its owner shares it already', async () => {
    const owner = new FakeSourceAccount(SOURCE);
    owner.shares.set(ID, new Set([HOME]));
    expect(await world(owner).step()).toMatchObject({ action: 'ready' });
    expect(owner.done).toEqual([]);
  });

  it('is claimed by each destination', async () => {
    const owner = new FakeSourceAccount(SOURCE);
    await world(owner).step();
    await world(owner).step(`${ID}-us-east-1-1`, 'us-east-1');
    expect(Object.keys(owner.snapshots.get(ID)?.tags ?? {})).toEqual(
      expect.arrayContaining([CLAIM, CLAIM.replace('eu-central-1', 'us-east-1')]),
    );
  });
});

describe('the share of a source that another execution needs too', () => {
  const OTHER = { [CLAIM.replace('eu-central-1', 'us-east-1')]: `${ID}-us-east-1-1` };
  const shared = (tags: Readonly<Record<string, string>>) => {
    const owner = new FakeSourceAccount(source({ tags }));
    owner.shares.set(ID, new Set([HOME]));
    return owner;
  };

  it('is claimed even if the other one makes it right after the look at the source', async () => {
    const owner = new FakeSourceAccount(SOURCE);
    const find = owner.find.bind(owner);
    owner.find = async (...args) => {
      const found = await find(...args);
      owner.find = find;
      await owner.tag('eu-west-1', ID, OTHER);
      await owner.share('eu-west-1', ID);
      return found;
    };
    expect(await world(owner).step()).toMatchObject({ action: 'ready' });
    expect(owner.snapshots.get(ID)?.tags).toMatchObject({ ...OTHER, [CLAIM]: EXECUTION });
  });

  it.each([
    ['before the other claim goes', []],
    ['with the other claim', Object.keys(OTHER)],
  ])('is made again if it is taken back right after it was seen, %s', async (_when, gone) => {
    const owner = shared({ ...OTHER, ...(gone.length === 0 && { [CLAIM]: `${ID}-eu-central-1-0` }) });
    const sharedWith = owner.sharedWith.bind(owner);
    owner.sharedWith = async (...args) => {
      const answer = await sharedWith(...args);
      owner.sharedWith = sharedWith;
      await owner.takeBack('eu-west-1', ID);
      if (gone.length > 0) await owner.untag('eu-west-1', ID, OTHER);
      return answer;
    };
    await world(owner).step();
    expect(owner.snapshots.get(ID)?.tags[CLAIM]).toBe(EXECUTION);
    expect(owner.shares.get(ID)).toContain(HOME);
  });

  it('is not touched by one that has claimed it', async () => {
    const owner = shared({ ...OTHER, [CLAIM]: EXECUTION });
    await world(owner).step();
    expect(owner.done).toEqual([]);
  });
});

it('a share that is made after its execution was stopped, and its claim removed, is claimed for the sweep to find', async () => {
  const owner = new FakeSourceAccount(SOURCE);
  owner.afterwards.set(`tag ${CLAIM}`, () => {
    owner.snapshots.set(ID, SOURCE);
  });
  await world(owner).step();
  expect(owner.shares.get(ID)).toContain(HOME);
  expect(owner.snapshots.get(ID)?.tags[CLAIM]).toBe(EXECUTION);
});

describe('a source that EC2 does not show', () => {
  it('once is looked for again', async () => {
    const owner = new FakeSourceAccount(SOURCE);
    const find = owner.find.bind(owner);
    for (const when of ['at the first look', 'right before it is shared']) {
      let left = when === 'at the first look' ? 0 : 1;
      owner.find = async (...args) => (left-- === 0 ? undefined : find(...args));
      const { step } = world(owner);
      expect([when, await step()]).toMatchObject([when, { action: 'wait', waitSeconds: 15 }]);
      expect([when, await step()]).toMatchObject([when, { action: 'ready' }]);
    }
  });

  it('again and again is gone', async () => {
    const { step, pass } = world(new FakeSourceAccount());
    const looks: string[] = [];
    for (;;) {
      const { action, waitSeconds } = await step();
      looks.push(action);
      if (action !== 'wait') break;
      pass(waitSeconds);
    }
    expect(looks).toEqual(['wait', 'wait', 'wait', 'wait', 'skip']);
  });

  it('or shows as pending is looked at again, by a dry run too', async () => {
    const owner = new FakeSourceAccount(source({ state: 'pending' }));
    for (const dryRun of [false, true]) {
      expect(await world(owner, { dryRun }).step()).toMatchObject({ action: 'wait' });
    }
    expect(owner.done).toEqual([]);
  });
});

it('a source of another account than its request says is refused', async () => {
  const owner = new FakeSourceAccount(source({ ownerId: '999988887777' }));
  await expect(world(owner).step()).rejects.toMatchObject({
    name: 'UnreadableInputError',
    message: `${ID} belongs to account 999988887777, not to ${OWNER} as $.source.ownerId says.`,
  });
});

describe('a copy that an earlier attempt made', () => {
  const made = copy({ tags: copyTags() });

  it('needs no source, nor a companion, if it is complete', async () => {
    const owner = new FakeSourceAccount();
    owner.isGone = true;
    const { step, copies } = world(owner);
    copies.push(made);
    expect(await step()).toEqual({
      action: 'ready',
      waitSeconds: 0,
      reason: `its copy ${made.snapshotId} at eu-central-1 is there`,
    });
  });

  it('needs the share while it is pending, and is adopted even so if the source is gone', async () => {
    const pending = { ...made, state: 'pending' } as const;
    const owner = new FakeSourceAccount(SOURCE);
    const there = world(owner);
    there.copies.push(pending);
    expect(await there.step()).toMatchObject({ action: 'ready', copyFrom: ID });
    const gone = world(new FakeSourceAccount(source({ state: 'recoverable' })));
    gone.copies.push(pending);
    expect(await gone.step()).toMatchObject({ action: 'ready', reason: expect.stringContaining('is there') });
  });

  it('counts only if it is of this install', async () => {
    const owner = new FakeSourceAccount(source({ state: 'recoverable' }));
    const { step, copies } = world(owner);
    copies.push(copy({ tags: copyTags({ 'snapshot-copier:managed': 'another' }) }));
    expect(await step()).toMatchObject({ action: 'skip' });
  });
});

it.each([
  ['in the recycle bin', [source({ state: 'recoverable' })]],
  ['that ended in error', [source({ state: 'error' })]],
  ['that was archived', [source({ storageTier: 'archive' })]],
])('a source %s is nothing to copy', async (_what, snapshots) => {
  const owner = new FakeSourceAccount(...snapshots);
  const { action, reason } = await world(owner).step();
  expect({ action, done: owner.done }).toEqual({ action: 'skip', done: [] });
  expect(reason).toMatch(/^source gone: /);
});

describe('a source under aws/ebs', () => {
  const encrypted = source({ encrypted: true, kmsKeyId: AWS_KEY });

  it('is told of before anything is tried, if nobody said to copy it under another key', async () => {
    const owner = new FakeSourceAccount(encrypted);
    await expect(world(owner).step()).rejects.toMatchObject({
      name: 'SourceNotShareableError',
      message: expect.stringContaining(AWS_KEY),
    });
    expect(owner.done).toEqual([]);
  });

  it('is copied there under a key that can be shared, by one execution, and that copy is shared', async () => {
    const owner = new FakeSourceAccount(encrypted);
    const [one, two] = [world(owner, { reencrypt: true }), world(owner, { reencrypt: true })];
    const other = `${ID}-us-east-1-1`;
    const both = async () => [await one.step(), await two.step(other, 'us-east-1')];
    const wait = (seconds: number) => {
      one.pass(seconds);
      two.pass(seconds);
    };
    for (let look = 0; look < 3; look++) {
      expect((await both()).map(({ action }) => action)).toEqual(['wait', 'wait']);
      wait(60);
    }
    const copies = owner.done.filter((each) => each.startsWith('copy'));
    expect(copies).toEqual([`copy under alias/snapshot-copier-ebs-snapshot-copier-test-for-${HOME} of ${ID}`]);

    const [intermediate] = await owner.intermediates('eu-west-1');
    expect(intermediate?.description).toBe(`snapshot-copier intermediate of ${ID} for ebs-snapshot-copier-test`);
    owner.snapshots.set('snap-copy1', { ...encrypted, ...intermediate, state: 'completed', progressPercent: 100 });
    expect(await both()).toMatchObject([
      { action: 'ready', copyFrom: 'snap-copy1' },
      { action: 'ready', copyFrom: 'snap-copy1' },
    ]);
    expect([...owner.shares.keys()]).toEqual(['snap-copy1']);
  });

  it('of two that want to make the copy at the same moment, the last to write makes it', async () => {
    const owner = new FakeSourceAccount(encrypted);
    const [one, two] = [world(owner, { reencrypt: true }), world(owner, { reencrypt: true })];
    // Both have seen that nobody makes it before either says so.
    const other = `${ID}-us-east-1-1`;
    owner.afterwards.set(`tag ${ANNOUNCEMENT}`, () => {
      owner.snapshots.set(ID, {
        ...encrypted,
        tags: { [ANNOUNCEMENT]: `${other} 2026-03-02T04:30:01Z` },
      });
    });
    await one.step();
    for (const each of [one, two]) each.pass(61);
    await one.step();
    await two.step(other, 'us-east-1');
    expect(owner.done.filter((each) => each.startsWith('copy'))).toHaveLength(1);
    expect(owner.done.at(-1)).toMatch(/^copy/);
  });

  it('is copied by another execution if the one that said so died', async () => {
    const owner = new FakeSourceAccount({
      ...encrypted,
      tags: { [ANNOUNCEMENT]: `${ID}-us-east-1-1 2026-03-02T04:00:01Z` },
    });
    const { step, pass } = world(owner, { reencrypt: true });
    expect(await step()).toMatchObject({ action: 'wait', reason: `${ID}-us-east-1-1 makes its intermediate copy` });
    pass(60);
    await step();
    pass(60);
    await step();
    expect(owner.done.at(-1)).toMatch(/^copy/);
  });

  it('is copied by each install, whatever another one announces, even by an execution of the same name', async () => {
    for (const another of ['ebs-snapshot-copier-prod-for-444455556666', 'ebs-snapshot-copier-test-for-999988887777']) {
      const tags = { [`snapshot-copier:intermediate-by:${another}`]: `${EXECUTION} 2026-03-02T04:29:59Z` };
      const owner = new FakeSourceAccount({ ...encrypted, tags });
      const { step, pass } = world(owner, { reencrypt: true });
      await step();
      expect(owner.done).toEqual([`tag ${ANNOUNCEMENT} of ${ID}`]);
      expect(owner.snapshots.get(ID)?.tags).toMatchObject(tags);
      pass(60);
      await step();
      expect(owner.done.at(-1)).toMatch(/^copy/);
    }
  });

  it('is not copied again while EC2 may not show that copy yet, for five minutes', async () => {
    const owner = new FakeSourceAccount(encrypted);
    owner.intermediates = async () => [];
    const { step, pass } = world(owner, { reencrypt: true });
    const copies = () => owner.done.filter((each) => each.startsWith('copy'));
    await step();
    pass(60);
    await step();
    expect(copies()).toHaveLength(1);
    for (const seconds of [30, 200, 69]) {
      pass(seconds);
      expect(await step()).toMatchObject({ reason: 'EC2 does not show its intermediate copy snap-copy1 yet' });
    }
    pass(1);
    await step();
    // Somebody has deleted it.
    expect(copies()).toHaveLength(2);
  });

  it('waits if EC2 has no slot in the source account', async () => {
    const owner = new FakeSourceAccount(encrypted);
    const { step, pass } = world(owner, { reencrypt: true });
    await step();
    pass(60);
    owner.refuseCopy = new CopySlotsTakenError('busy');
    expect(await step()).toMatchObject({ action: 'wait', waitSeconds: 300 });
    owner.refuseCopy = new RequestRefusedError('no');
    await expect(step()).rejects.toThrow('no');
  });

  it('is told of as such if EC2 refuses that copy for its key, and as any refusal for anything else', async () => {
    const owner = new FakeSourceAccount(encrypted);
    const { step, pass } = world(owner, { reencrypt: true });
    await step();
    pass(60);
    const refuse = (said: string) => {
      owner.refuseCopy = new RequestRefusedError(`CopySnapshot of ${ID} in eu-west-1: EC2 says ${said}`);
    };
    refuse('InvalidParameterValue: The specified keyId is disabled');
    await expect(step()).rejects.toMatchObject({
      name: 'IntermediateFailedError',
      message: `EC2 refused the copy of ${ID} under a shareable key in account ${OWNER}, and made none. CopySnapshot of ${ID} in eu-west-1: EC2 says InvalidParameterValue: The specified keyId is disabled`,
    });
    refuse('SnapshotLimitExceeded: too many');
    await expect(step()).rejects.toMatchObject({ name: 'RequestRefusedError' });
  });

  it('is told of if the copy under the other key ends in error, and that copy is removed', async () => {
    const failed = source({
      snapshotId: 'snap-0bad',
      state: 'error',
      stateMessage: 'Given key ID is not accessible',
      tags: {
        'snapshot-copier:intermediate-for': `ebs-snapshot-copier-test-for-${HOME}`,
        'snapshot-copier:intermediate-of': ID,
        'snapshot-copier:intermediate-volume': SOURCE.volumeId,
      },
    });
    const owner = new FakeSourceAccount(encrypted, failed);
    await expect(world(owner, { reencrypt: true }).step()).rejects.toMatchObject({
      name: 'IntermediateFailedError',
      message: expect.stringContaining('Given key ID is not accessible'),
    });
    expect(owner.done).toEqual(['remove of snap-0bad']);
  });
});

describe('a dry run', () => {
  it('changes nothing in the source account', async () => {
    const owner = new FakeSourceAccount(SOURCE);
    expect(await world(owner, { dryRun: true }).step()).toMatchObject({ action: 'ready' });
    expect(owner.done).toEqual([]);
  });

  it('tells of what cannot be shared', async () => {
    const owner = new FakeSourceAccount(source({ encrypted: true, kmsKeyId: AWS_KEY }));
    await expect(world(owner, { dryRun: true }).step()).rejects.toMatchObject({ name: 'SourceNotShareableError' });
  });
});

it('gives up on the deadline, with the reason of the last wait', async () => {
  const { step, pass } = world(new FakeSourceAccount(SOURCE), { visibleAfterMs: Number.POSITIVE_INFINITY });
  await step();
  pass(48 * 3600);
  await expect(step()).rejects.toMatchObject({
    name: 'DeadlinePassedError',
    message: expect.stringContaining('has no effect yet'),
  });
});

describe('a key', () => {
  const under = (kmsKeyId: string) => world(new FakeSourceAccount(source({ encrypted: true, kmsKeyId })));

  it('that the companion may not look at is not AWS’s own, which it always may, and so can be shared', async () => {
    const { step, refuseKeys } = under(AWS_KEY);
    refuseKeys(new RequestRefusedError('DescribeKey: KMS says AccessDeniedException'));
    expect(await step()).toMatchObject({ action: 'ready' });
    refuseKeys(new TypeError('a mistake'));
    await expect(step()).rejects.toThrow('a mistake');
  });

  it('of yet another account is not asked about', async () => {
    const { step, refuseKeys } = under(AWS_KEY.replace(OWNER, '999988887777'));
    refuseKeys(new TypeError('asked'));
    expect(await step()).toMatchObject({ action: 'ready' });
  });

  it('that is gone is told of by EC2, in its turn', async () => {
    expect(await under(AWS_KEY.replace('aaaaaaaa', 'bbbbbbbb')).step()).toMatchObject({ action: 'ready' });
  });
});

it('takes no source of an account without the companion', async () => {
  const run = prepareSource(
    {
      snapshots: { find: async () => undefined, copiesOf: async () => [] },
      sourceAccounts: () => new FakeSourceAccount(),
      sourceKeys: () => ({ describe: async () => undefined }),
      now: () => new Date(),
    },
    install,
  );
  const execution = { arn: 'a', name: 'n', startTime: '2026-03-02T04:30:00Z', stateMachineArn: 's' };
  await expect(run({ execution, data: request() })).rejects.toMatchObject({ name: 'UnreadableInputError' });
});
