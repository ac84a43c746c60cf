import '../support/function-modules.ts';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { DryRun, SourceAccountLook } from '../../aws/source-account-look.ts';
import type { Grant } from '../../core/doctor/key-use.ts';
import {
  RequestRefusedError,
  SourceAccountRefusedError,
  ThrottledError,
  UnreadableInputError,
} from '../../core/errors.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { type SourceLook, sourceAnswers } from '../../core/source-look.ts';
import { lookAtSources } from '../../functions/look-at-sources.ts';
import { HOME, INSTALL, snapshot } from '../support/examples.ts';

const PARTNER = '111122223333';
const REGION = 'eu-west-1';
const INSTALLED = { name: INSTALL, account: HOME, region: REGION };
const CLAIM = `snapshot-copier:share:${INSTALL}-for-${HOME}/eu-central-1`;
const KEY = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const METADATA = {
  keyId: '1234abcd-12ab-34cd-56ef-1234567890ab',
  arn: KEY,
  account: PARTNER,
  manager: 'AWS',
  state: 'Enabled',
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
} as const;

const CUSTOMER_KEY = 'arn:aws:kms:eu-west-1:111122223333:key/2345bcde-23bc-45de-67f0-234567890abc';
const CUSTOMER = { ...METADATA, arn: CUSTOMER_KEY, manager: 'CUSTOMER' } as const;
const ROLE = `arn:aws:iam::${HOME}:role/snapshot-copier/${INSTALL}/startCopy`;

const theirs = (number: number, over: Partial<Snapshot> = {}): Snapshot =>
  snapshot({ snapshotId: `snap-${String(number).padStart(17, '0')}`, ownerId: PARTNER, viewedByOwner: true, ...over });

/** An account whose snapshots EC2 tells in pages of three. */
class FakeAccount implements SourceAccountLook {
  readonly snapshots: Snapshot[] = [];
  /** What a call is refused with, by its name; of dry runs what EC2 says. */
  readonly refusals = new Map<string, Error>();
  readonly dryRuns = new Map<string, DryRun>();
  /** What dry runs were given. */
  readonly tried: unknown[] = [];
  pages = 0;

  async page(_region: string, days: readonly string[], token: string | undefined) {
    this.#refuse('page');
    this.pages += 1;
    const all = this.snapshots.filter(({ startTime }) => days.includes(startTime.slice(0, 10)));
    const from = Number(token ?? 0);
    const rest = from + 3 < all.length;
    return { snapshots: all.slice(from, from + 3), ...(rest && { next: String(from + 3) }) };
  }

  async named(_region: string, ids: readonly string[]) {
    return this.snapshots.filter(({ snapshotId }) => ids.includes(snapshotId));
  }

  /** What it has of `CUSTOMER_KEY`. */
  readonly grants: Grant[] = [];
  readonly keys = {
    describe: async (_region: string, name: string) => {
      this.#refuse(name);
      return [METADATA, CUSTOMER].find(({ arn }) => arn === name);
    },
    policy: async (_region: string, keyId: string) => {
      this.#refuse(`policy of ${keyId}`);
      return '{"Statement":[]}';
    },
    grants: async (_region: string, _keyId: string, roleArn: string) =>
      this.grants.filter(({ grantee }) => grantee === roleArn),
  };

  async claimed() {
    return this.snapshots.filter(({ tags }) =>
      Object.keys(tags).some((key) => key.startsWith('snapshot-copier:share:')),
    );
  }

  async intermediates() {
    return this.snapshots.filter(({ tags }) => tags['snapshot-copier:intermediate-of'] !== undefined);
  }

  dryRun(_region: string, snapshotId: string) {
    const say = (what: string) => async (given?: unknown) => {
      this.tried.push({ what, snapshotId, ...(given !== undefined && { given }) });
      return this.dryRuns.get(what) ?? { allowed: true as const };
    };
    const [readShares, share, takeBack] = [say('readShares'), say('share'), say('takeBack')];
    const [mark, unmark, copy, remove] = [say('mark'), say('unmark'), say('copy'), say('remove')];
    return { readShares, share, takeBack, mark, unmark, copy, remove };
  }

  #refuse(what: string): void {
    const refusal = this.refusals.get(what);
    if (refusal !== undefined) throw refusal;
  }
}

function asked(account: FakeAccount, input: unknown, now: () => Date = () => new Date('2026-03-02T12:00:00Z')) {
  const the = () => account;
  return lookAtSources({ looks: the, accounts: the, now }, { accounts: [PARTNER] }, INSTALLED)(input);
}

const where = { account: PARTNER, region: REGION };
const DAY: SourceLook = { ask: 'begunOn', ...where, days: ['2026-03-02'] };

describe('what a source account has', () => {
  it('is told page after page, as far as one answer goes', async () => {
    const account = new FakeAccount();
    const elsewhen = theirs(9, { startTime: '2026-03-01T23:59:59.000Z' });
    account.snapshots.push(...[1, 2, 3, 4, 5, 6, 7].map((number) => theirs(number)), elsewhen);
    const answer = await asked(account, DAY);
    expect(answer).toEqual({ snapshots: account.snapshots.slice(0, 7) });
    expect(sourceAnswers.begunOn.parse(answer)).toEqual(answer);
    expect(account.pages).toBe(3);
  });

  it('that does not fit into one answer goes on in the middle of a page', async () => {
    const account = new FakeAccount();
    const long = { Note: 'x'.repeat(1_200_000) };
    account.snapshots.push(...[1, 2, 3, 4, 5, 6].map((number) => theirs(number, { tags: long })));
    const first = sourceAnswers.begunOn.parse(await asked(account, DAY));
    expect(JSON.stringify(first).length).toBeLessThan(6_000_000);
    expect(first.snapshots.map(({ snapshotId }) => snapshotId.at(-1))).toEqual(['1', '2', '3', '4']);
    expect(first.next).toEqual({ token: '3', skip: 1 });
    const rest = sourceAnswers.begunOn.parse(await asked(account, { ...DAY, from: first.next }));
    expect(rest.snapshots.map(({ snapshotId }) => snapshotId.at(-1))).toEqual(['5', '6']);
    expect(rest).not.toHaveProperty('next');
  });

  it('is left to another call when time runs out, for Lambda ends this one', async () => {
    const account = new FakeAccount();
    account.snapshots.push(...[1, 2, 3, 4, 5, 6, 7].map((number) => theirs(number)));
    let at = Date.parse('2026-03-02T12:00:00Z');
    const slow = () => {
      at += 15_000;
      return new Date(at);
    };
    const first = sourceAnswers.begunOn.parse(await asked(account, DAY, slow));
    expect(first.snapshots).toHaveLength(6);
    expect(first.next).toEqual({ token: '6', skip: 0 });
  });

  it('can be asked for by id, and what it does not have is left out', async () => {
    const account = new FakeAccount();
    account.snapshots.push(theirs(1));
    const ids = ['snap-00000000000000001', 'snap-00000000000000002'];
    expect(await asked(account, { ask: 'snapshots', ...where, ids })).toEqual({ snapshots: [theirs(1)] });
  });

  it('includes its keys, of which one that nobody may see hides no other', async () => {
    const account = new FakeAccount();
    account.refusals.set('secret', new RequestRefusedError('KMS says AccessDeniedException'));
    const answer = await asked(account, { ask: 'keys', ...where, names: [KEY, 'gone', 'secret'] });
    expect(answer).toEqual({
      keys: [
        { name: KEY, key: METADATA },
        { name: 'gone', missing: true },
        { name: 'secret', unknown: 'KMS says AccessDeniedException' },
      ],
    });
    expect(sourceAnswers.keys.parse(answer)).toEqual(answer);
    account.refusals.set('slow', new ThrottledError('KMS throttles'));
    await expect(asked(account, { ask: 'keys', ...where, names: ['slow'] })).rejects.toThrow('KMS throttles');
  });
});

describe('a key of a source account', () => {
  const look = { ask: 'keys', ...where, names: [KEY, CUSTOMER_KEY], usedBy: ROLE };

  it('is told with its policy and with the grants of the role in question', async () => {
    const account = new FakeAccount();
    const grant = { grantee: ROLE, operations: ['Decrypt'], isConstrained: false };
    account.grants.push(grant, { ...grant, grantee: `${ROLE}-2` });
    const answer = await asked(account, look);
    expect(answer).toEqual({
      keys: [
        { name: KEY, key: METADATA },
        {
          name: CUSTOMER_KEY,
          key: CUSTOMER,
          policy: { value: '{"Statement":[]}' },
          grants: { value: [grant] },
        },
      ],
    });
    expect(sourceAnswers.keys.parse(answer)).toEqual(answer);
  });

  it('whose policy cannot be read is told without it, and why', async () => {
    const account = new FakeAccount();
    account.refusals.set(`policy of ${CUSTOMER_KEY}`, new RequestRefusedError('KMS says AccessDeniedException'));
    const { keys } = sourceAnswers.keys.parse(await asked(account, look));
    expect(keys[1]).toMatchObject({
      key: CUSTOMER,
      policy: { unknown: 'KMS says AccessDeniedException' },
      grants: { value: [] },
    });
  });
});

describe('a check of a source account', () => {
  const check = (account: FakeAccount, reencrypt = false) => asked(account, { ask: 'check', ...where, reencrypt });
  const outcomes = (answer: unknown) =>
    sourceAnswers.check.parse(answer).trials.map(({ permission, outcome }) => `${permission}: ${outcome}`);

  it('tries what copies need with a snapshot that could be shared, in dry runs alone', async () => {
    const account = new FakeAccount();
    const encrypted = theirs(1, { encrypted: true, kmsKeyId: KEY });
    account.snapshots.push(encrypted, theirs(2, { state: 'pending' }), theirs(4));
    account.dryRuns.set('share', { refused: 'UnauthorizedOperation: no' });
    account.dryRuns.set('unmark', { unclear: 'TimeoutError: slow' });
    const answer = sourceAnswers.check.parse(await check(account));
    expect(answer.example).toBe('snap-00000000000000004');
    expect(answer.trials).toEqual([
      { permission: 'readShares', outcome: 'allowed', words: '' },
      { permission: 'share', outcome: 'refused', words: 'UnauthorizedOperation: no' },
      { permission: 'takeBack', outcome: 'allowed', words: '' },
      { permission: 'mark', outcome: 'allowed', words: '' },
      { permission: 'unmark', outcome: 'untried', words: 'no clear answer: TimeoutError: slow' },
    ]);
    expect(answer).not.toHaveProperty('shareableKey');
    const given = z.array(z.object({ what: z.string(), snapshotId: z.string() })).parse(account.tried);
    expect(new Set(given.map(({ snapshotId }) => snapshotId))).toEqual(new Set(['snap-00000000000000004']));
  });

  it('tries to copy under the shareable key, and to remove such copies, if rules re-encrypt', async () => {
    const account = new FakeAccount();
    account.snapshots.push(theirs(1));
    expect(outcomes(await check(account, true)).slice(5)).toEqual([
      'copyUnderKey: allowed',
      'removeIntermediate: untried',
    ]);
    const intermediate = theirs(2, { tags: { 'snapshot-copier:intermediate-of': 'snap-00000000000000001' } });
    account.snapshots.push(intermediate);
    const answer = sourceAnswers.check.parse(await check(account, true));
    expect(answer.trials.at(-1)).toEqual({ permission: 'removeIntermediate', outcome: 'allowed', words: '' });
    expect(answer.intermediates).toEqual([intermediate]);
    expect(answer.shareableKey).toEqual({ name: `alias/snapshot-copier-${INSTALL}-for-${HOME}`, missing: true });
    expect(account.tried).toContainEqual({ what: 'remove', snapshotId: intermediate.snapshotId });
    expect(account.tried).toContainEqual(
      expect.objectContaining({ what: 'copy', given: expect.objectContaining({ encrypted: true }) }),
    );
  });

  it('has nothing to try in an account without snapshots', async () => {
    const answer = sourceAnswers.check.parse(await check(new FakeAccount()));
    expect(answer).not.toHaveProperty('example');
    expect(new Set(answer.trials.map(({ outcome }) => outcome))).toEqual(new Set(['untried']));
  });

  it('tells which executions claim what', async () => {
    const account = new FakeAccount();
    const others = `snapshot-copier:share:another-for-${HOME}/eu-central-1`;
    account.snapshots.push(
      theirs(1, { tags: { Name: 'db', [CLAIM]: 'snap-00000000000000001-eu-central-1-1', [others]: 'snap-1-x-1' } }),
    );
    const { claimed } = sourceAnswers.check.parse(await check(account));
    expect(claimed).toEqual([
      {
        snapshotId: 'snap-00000000000000001',
        claims: [{ tag: CLAIM, execution: 'snap-00000000000000001-eu-central-1-1' }],
      },
    ]);
  });
});

describe('a look that is not to be had', () => {
  it('is refused for an account that the rules do not list, and nobody looks there', async () => {
    const account = new FakeAccount();
    expect(await asked(account, { ...DAY, account: '222233334444' })).toEqual({
      refused:
        'Account 222233334444 is not among the sourceAccounts of the rules that are deployed, which have: 111122223333. Nobody looks into it.',
    });
    expect(account.pages).toBe(0);
  });

  it('is an answer where the companion refuses, and an error where AWS is in trouble', async () => {
    const account = new FakeAccount();
    account.refusals.set('page', new SourceAccountRefusedError('AssumeRole: AccessDenied'));
    expect(await asked(account, DAY)).toEqual({ refused: 'AssumeRole: AccessDenied' });
    account.refusals.set('page', new RequestRefusedError('EC2 says UnauthorizedOperation'));
    expect(await asked(account, DAY)).toEqual({ refused: 'EC2 says UnauthorizedOperation' });
    account.refusals.set('page', new ThrottledError('EC2 throttles'));
    await expect(asked(account, DAY)).rejects.toThrow(ThrottledError);
  });

  it.each([
    [{ ask: 'everything' }, 'ask'],
    [{ ...DAY, account: '1' }, 'is no account id of 12 digits'],
    [{ ...DAY, region: 'Frankfurt' }, 'is no Region, for example eu-west-1'],
    [{ ...DAY, days: [] }, 'is empty'],
    [{ ...DAY, days: ['today'] }, 'is no day, for example 2026-01-05'],
    [{ ask: 'snapshots', ...where, ids: ['vol-1'] }, 'is no snapshot id'],
    [{ ask: 'keys', ...where, names: Array.from({ length: 51 }, () => KEY) }, 'has more than 50'],
  ])('says what is wrong with %j', async (input, said) => {
    const look = asked(new FakeAccount(), input);
    await expect(look).rejects.toThrow(UnreadableInputError);
    await expect(look).rejects.toThrow(said);
  });
});
