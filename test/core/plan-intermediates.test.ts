import { describe, expect, it } from 'vitest';
import { NO_OWN_PRICES } from '../../core/copy-cost.ts';
import { type Circumstances, makePlan } from '../../core/plan.ts';
import { keysToAsk } from '../../core/plan-intermediates.ts';
import { totalOf } from '../../core/plan-totals.ts';
import type { CopyRule } from '../../core/rules.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { copy, copyTags, destination, HOME, INSTALL, request, snapshot } from '../support/examples.ts';

const PARTNER = '111122223333';
const AWS_KEY = `arn:aws:kms:eu-west-1:${PARTNER}:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab`;
const OWN_KEY = `arn:aws:kms:eu-west-1:${PARTNER}:key/cccccccc-12ab-34cd-56ef-1234567890ab`;
const ID = 'snap-0a1b2c3d4e5f60718';

/** Of an account with the companion, under aws/ebs there. */
function theirs(over: Partial<Snapshot> = {}): Snapshot {
  return snapshot({ ownerId: PARTNER, viewedByOwner: true, encrypted: true, kmsKeyId: AWS_KEY, ...over });
}

function rule(over: Partial<CopyRule> = {}): CopyRule {
  return {
    name: 'nightly',
    select: { tags: { Backup: ['nightly'] } },
    destinations: [destination(), destination({ region: 'us-east-1' })],
    dryRun: false,
    ...over,
  };
}

function rows(sources: readonly Snapshot[], over: Partial<Circumstances> = {}) {
  return makePlan(sources, {
    install: { account: HOME, name: INSTALL },
    rules: [rule({ reencrypt: true })],
    requests: [],
    waiting: [],
    copies: [],
    keys: new Map(),
    awsKeys: new Set([AWS_KEY]),
    assumptions: { changeRate: 0.1, prices: NO_OWN_PRICES },
    ...over,
  });
}

const intermediates = (...args: Parameters<typeof rows>) => rows(...args).map(({ work }) => work?.intermediate);

describe('a snapshot under aws/ebs of a source account', () => {
  it('is first copied in full under a shareable key, once for all destinations, which the source account pays', () => {
    const [first, second] = rows([theirs()]);
    expect(first).toMatchObject({ action: 'copy', work: { request: { source: { companion: { reencrypt: true } } } } });
    expect(first?.work?.intermediate).toEqual({ account: PARTNER, is: 'toMake', gib: 100, storagePerMonth: 5 });
    expect(second?.work?.intermediate).toEqual({ account: PARTNER, is: 'shared', gib: 0, storagePerMonth: 0 });
    const { toCopy } = totalOf(rows([theirs(), theirs({ snapshotId: 'snap-2' })]));
    expect(toCopy.intermediates).toEqual({
      accounts: [PARTNER],
      copies: 2,
      gib: 200,
      storagePerMonth: 10,
      unpriced: 0,
    });
    // What the destinations cost stays what it was.
    expect(toCopy.cost.storagePerMonth).toBeCloseTo(2 * 5.4 * 0.55 + 2 * 5 * 0.55);
  });

  it('needs no second one: neither if it is there, nor if a copy of it runs', () => {
    const tags = {
      'snapshot-copier:intermediate-of': ID,
      'snapshot-copier:intermediate-for': `${INSTALL}-for-${HOME}`,
      'snapshot-copier:managed': INSTALL,
    };
    const there = theirs({ snapshotId: 'snap-1nt', volumeId: 'vol-ffffffff', tags });
    const exists = { account: PARTNER, is: 'exists', gib: 0, storagePerMonth: 0 };
    const ofSource = (...args: Parameters<typeof rows>) => intermediates(...args).filter((each) => each !== undefined);
    expect(ofSource([theirs(), there])).toEqual([exists, exists]);
    expect(ofSource([theirs(), { ...there, state: 'error' }])[0]).toMatchObject({ is: 'toMake' });
    const unnamed = { 'snapshot-copier:intermediate-for': `${INSTALL}-for-${HOME}` };
    expect(ofSource([theirs(), { ...there, tags: unnamed }])[0]).toMatchObject({ is: 'toMake' });
    const others = { ...tags, 'snapshot-copier:intermediate-for': `${INSTALL}-for-999999999999` };
    expect(ofSource([theirs(), { ...there, tags: others }])[0]).toMatchObject({ is: 'toMake' });
    const pending = copy({ state: 'pending', tags: copyTags() });
    expect(ofSource([theirs()], { copies: [pending] })[0]).toEqual(exists);
  });

  it('has a price that is not known where that of the Region is not', () => {
    const { toCopy } = totalOf(rows([theirs({ region: 'eu-south-2' })]));
    expect(toCopy.intermediates).toMatchObject({ copies: 1, storagePerMonth: 0, unpriced: 1 });
  });

  it('cannot be shared without reencrypt, so its copies would fail: they are no work, and not asked for', () => {
    const plain = { rules: [rule()] };
    const [row] = rows([theirs()], plain);
    expect(row).toMatchObject({
      action: 'unshareable',
      reason: `it is under aws/ebs of account ${PARTNER}, which cannot share it, and rule nightly has no reencrypt`,
    });
    expect(row?.work).toBeUndefined();
    const { rows: counts, toCopy } = totalOf(rows([theirs()], plain));
    expect({ counts: counts.unshareable, copies: toCopy.copies }).toEqual({ counts: 2, copies: 0 });
    expect(rows([theirs()], { rules: [rule({ dryRun: true })] })[0]?.action).toBe('dry-run');
    const pending = { ...plain, copies: [copy({ state: 'pending', tags: copyTags() })] };
    expect(rows([theirs()], pending)[0]?.action).toBe('running');
  });

  it('has failed in vain without reencrypt, and may be started again with it', () => {
    const failed = (reencrypt?: true) => ({
      rules: [rule({ destinations: [destination()], ...(reencrypt !== undefined && { reencrypt }) })],
      requests: [
        {
          request: request({ source: { ownerId: PARTNER, companion: { reencrypt: false } } }),
          status: 'failed' as const,
          reason: 'source not shareable',
          attempt: 1,
          requestedAt: '2026-03-02T05:00:00.000Z',
          waitingSince: '2026-03-02T05:00:00.000Z',
          changedAt: '2026-03-02T05:00:00.000Z',
        },
      ],
    });
    expect(rows([theirs()], failed()).map(({ action }) => action)).toEqual(['unshareable']);
    expect(rows([theirs()], failed(true)).map(({ action }) => action)).toEqual(['failed']);
  });

  it.each<[string, Snapshot]>([
    ['under a key of its own', theirs({ kmsKeyId: OWN_KEY })],
    ['that is plain', snapshot({ ownerId: PARTNER, viewedByOwner: true })],
    ['of this account', snapshot({ encrypted: true, kmsKeyId: AWS_KEY })],
  ])('is not meant where it is %s', (_, source) => {
    expect(rows([source], { rules: [rule()] }).map(({ action }) => action)).toEqual(['copy', 'copy']);
    expect(intermediates([source])).toEqual([undefined, undefined]);
  });

  it('is copied as its request says while it waits', () => {
    const waiting = (reencrypt: boolean) => ({
      rules: [rule({ reencrypt: true, destinations: [destination()] })],
      requests: [
        {
          request: request({ source: { ownerId: PARTNER, companion: { reencrypt } } }),
          status: 'waiting' as const,
          reason: 'selected',
          attempt: 0,
          requestedAt: '2026-03-02T05:00:00.000Z',
          waitingSince: '2026-03-02T05:00:00.000Z',
          changedAt: '2026-03-02T05:00:00.000Z',
        },
      ],
    });
    expect(intermediates([theirs()], waiting(true))).toMatchObject([{ is: 'toMake' }]);
    expect(intermediates([theirs()], waiting(false))).toEqual([undefined]);
    expect(totalOf(rows([theirs()], waiting(true))).underWay.intermediates.copies).toBe(1);
  });
});

it('keys are asked about where their snapshots are selected, once, and in the account that has them', () => {
  const foreign = 'arn:aws:kms:eu-west-1:222233334444:key/cccccccc-12ab-34cd-56ef-1234567890ab';
  const other = theirs({ ownerId: '333344445555', kmsKeyId: AWS_KEY.replace(PARTNER, '333344445555') });
  const { viewedByOwner: _, ...shared } = theirs({ kmsKeyId: OWN_KEY.replace('c', 'd') });
  const sources = [
    theirs(),
    theirs({ snapshotId: 'snap-2' }),
    theirs({ snapshotId: 'snap-3', kmsKeyId: OWN_KEY }),
    theirs({ snapshotId: 'snap-4', kmsKeyId: OWN_KEY.replace('c', 'e'), tags: {} }),
    theirs({ snapshotId: 'snap-5', kmsKeyId: foreign }),
    theirs({ snapshotId: 'snap-6', kmsKeyId: 'unreadable' }),
    snapshot({ ownerId: PARTNER, viewedByOwner: true }),
    other,
    shared,
  ];
  expect(keysToAsk(sources, { rules: [rule()], install: { account: HOME, name: INSTALL } })).toEqual(
    new Map([
      [PARTNER, [AWS_KEY, OWN_KEY]],
      ['333344445555', [AWS_KEY.replace(PARTNER, '333344445555')]],
    ]),
  );
});
