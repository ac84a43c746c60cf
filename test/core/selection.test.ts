import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { destinationId } from '../../core/destination.ts';
import { parseRules } from '../../core/rules.ts';
import { selectDestinations } from '../../core/selection.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { rightDocument } from './rules-documents.ts';

const home = { account: '444455556666' };

const snapshot: Snapshot = {
  snapshotId: 'snap-0a1b2c3d4e5f60718',
  region: 'eu-west-1',
  ownerId: home.account,
  volumeId: 'vol-0123456789abcdef0',
  state: 'completed',
  progressPercent: 100,
  startTime: '2026-03-02T04:09:51.204Z',
  sizeGiB: 8,
  encrypted: false,
  storageTier: 'standard',
  description: 'Created by the nightly job',
  tags: { Backup: 'nightly', Name: 'db' },
};
const shared: Snapshot = { ...snapshot, ownerId: '111122223333', tags: {} };

/** Rules named a, b, … of one destination each. */
const rulesOf = (...rules: object[]) =>
  parseRules({
    rules: rules.map((rule, index) => ({
      name: 'abc'[index],
      destinations: [{ region: 'eu-central-1' }],
      ...rule,
    })),
  });
const select = (what: object) => rulesOf({ select: what });

/** `rule>destination: action, reason` of each decision. */
const decisions = (source: Snapshot, rules: ReturnType<typeof rulesOf>) =>
  selectDestinations(source, rules, home).map(
    ({ action, rule, destination, reason }) => `${rule.name}>${destinationId(destination)}: ${action}, ${reason}`,
  );
const decision = (source: Snapshot, what: object) => decisions(source, select(what))[0];

describe('criteria', () => {
  it('that are not given select every snapshot', () => {
    expect(decision(snapshot, {})).toBe('a>eu-central-1: copy, rule a wants every snapshot');
    expect(decision(shared, {})).toBe('a>eu-central-1: copy, rule a wants every snapshot');
  });

  it('ask for tags by value or by key', () => {
    expect(decision(snapshot, { tags: { Backup: ['weekly', 'nightly'] } })).toBe(
      "a>eu-central-1: copy, tag Backup is 'nightly', as rule a wants",
    );
    expect(decision(snapshot, { tags: { Backup: true } })).toContain(': copy, ');
    expect(decision({ ...snapshot, tags: { Backup: '' } }, { tags: { Backup: true } })).toContain(': copy, ');
    expect(decision(snapshot, { tags: { Backup: ['weekly', 'monthly'] } })).toBe(
      "a>eu-central-1: skip, tag Backup is 'nightly', rule a wants 'weekly' or 'monthly'",
    );
    expect(decision(snapshot, { tags: { Tier: ['gold'] } })).toBe(
      "a>eu-central-1: skip, tag Tier is not there, rule a wants 'gold'",
    );
    expect(decision(snapshot, { tags: { Tier: true } })).toBe(
      'a>eu-central-1: skip, tag Tier is not there, rule a wants it',
    );
  });

  it('compare tags letter by letter, and take nothing for a tag that is none', () => {
    expect(decision(snapshot, { tags: { backup: ['nightly'] } })).toContain(': skip, ');
    expect(decision(snapshot, { tags: { Backup: ['Nightly'] } })).toContain(': skip, ');
    expect(decision({ ...snapshot, tags: {} }, { tags: { constructor: true } })).toContain(': skip, ');
  });

  it('all have to match', () => {
    const all = {
      owners: ['self'],
      regions: ['eu-west-1'],
      volumes: ['vol-0123456789abcdef0'],
      description: '^Created by',
      tags: { Backup: ['nightly'], Name: true },
    };
    expect(decision(snapshot, all)).toBe(
      "a>eu-central-1: copy, owner is 444455556666 (self) and Region is eu-west-1 and volume is vol-0123456789abcdef0 and description is 'Created by the nightly job' and tag Backup is 'nightly' and tag Name is 'db', as rule a wants",
    );
    expect(decision(snapshot, { ...all, owners: ['111122223333'] })).toBe(
      'a>eu-central-1: skip, owner is 444455556666 (self), rule a wants 111122223333',
    );
    expect(decision(snapshot, { ...all, regions: ['us-east-1', 'us-west-2'] })).toBe(
      'a>eu-central-1: skip, Region is eu-west-1, rule a wants us-east-1 or us-west-2',
    );
    expect(decision(snapshot, { ...all, volumes: ['vol-01234567'] })).toBe(
      'a>eu-central-1: skip, volume is vol-0123456789abcdef0, rule a wants vol-01234567',
    );
    expect(decision(snapshot, { ...all, description: 'weekly' })).toBe(
      "a>eu-central-1: skip, description is 'Created by the nightly job', rule a wants /weekly/",
    );
    expect(decision(snapshot, { ...all, tags: { Backup: ['nightly'], Name: ['web'] } })).toContain(': skip, ');
  });

  it('take self and the own account id for the same', () => {
    expect(decision(snapshot, { owners: ['444455556666'] })).toContain(': copy, ');
    expect(decision(shared, { owners: ['self'] })).toBe(
      'a>eu-central-1: skip, owner is 111122223333, rule a wants self',
    );
    expect(decision(shared, { owners: ['self', '111122223333'] })).toContain(': copy, owner is 111122223333, ');
  });

  it('never find tags on a snapshot of another account, not even those that this account put there', () => {
    const tagged = { ...shared, tags: { Backup: 'nightly' } };
    expect(decision(tagged, { tags: { Backup: true } })).toBe(
      "a>eu-central-1: skip, it belongs to 111122223333, and tags of another account's snapshot cannot be seen, rule a wants tag Backup; select such snapshots by owners or description, or have the companion in that account",
    );
    expect(decision({ ...tagged, viewedByOwner: true }, { tags: { Backup: true } })).toContain(': copy, ');
  });
});

describe('except', () => {
  it('leaves out what matches in full', () => {
    const except = { tags: { Backup: ['nightly'] }, description: 'nightly' };
    expect(decision(snapshot, { except })).toBe(
      "a>eu-central-1: skip, description is 'Created by the nightly job' and tag Backup is 'nightly', which rule a excepts",
    );
    expect(decision({ ...snapshot, description: '' }, { except })).toContain(': copy, ');
    expect(decision({ ...snapshot, tags: {} }, { except })).toContain(': copy, ');
  });

  it('by tags leaves out nothing of other accounts', () => {
    expect(decision(shared, { except: { tags: { Copy: ['no'] } } })).toContain(': copy, ');
    expect(decision(shared, { except: { owners: ['111122223333'] } })).toContain(': skip, ');
  });
});

describe('a snapshot that nothing can be copied from', () => {
  const unfit: readonly (readonly [string, Partial<Snapshot>, string])[] = [
    ['still pending', { state: 'pending' }, 'it is not complete yet (pending)'],
    ['in error', { state: 'error', stateMessage: 'Volume is gone' }, 'it ended in error: Volume is gone'],
    ['in error without a word', { state: 'error' }, 'it ended in error: EC2 gave no reason'],
    ['in the recycle bin', { state: 'recoverable' }, 'it is in the recycle bin (recoverable)'],
    ['on its way out of the bin', { state: 'recovering' }, 'it is in the recycle bin (recovering)'],
    ['archived', { storageTier: 'archive' }, 'it is archived, and EC2 copies only from the standard tier'],
    [
      'on an Outpost',
      { outpostArn: 'arn:aws:outposts:eu-west-1:444455556666:outpost/op-0123456789abcdef0' },
      'it is on the Outpost arn:aws:outposts:eu-west-1:444455556666:outpost/op-0123456789abcdef0, and EC2 copies nothing from there',
    ],
    [
      'a copy of ours, or of another install',
      { tags: { 'snapshot-copier:managed': 'another-install' } },
      'it is a copy itself, made by another-install (tag snapshot-copier:managed)',
    ],
    [
      'an intermediate copy, whose tags nobody but its owner sees',
      { description: 'snapshot-copier intermediate of snap-1 for another-install' },
      "it is made on the way to a copy ('snapshot-copier intermediate of snap-1 for another-install')",
    ],
  ];

  it.each(unfit)('because it is %s is skipped by every rule, which says so', (_, facts, reason) => {
    expect(decisions({ ...snapshot, ...facts }, rulesOf({}, { select: { owners: ['999999999999'] } }))).toEqual([
      `a>eu-central-1: skip, ${reason}`,
      `b>eu-central-1: skip, ${reason}`,
    ]);
  });
});

describe('directions that EC2 does not allow', () => {
  const west = { ...snapshot, region: 'us-west-2' };
  const outpost = 'arn:aws:outposts:us-west-2:111122223333:outpost/op-0123456789abcdef0';
  const to = (...destinations: object[]) => rulesOf({ destinations });
  const everywhere = to(
    { region: 'us-west-2' },
    { region: 'us-west-2', outpost },
    { region: 'us-west-2', localZone: 'us-west-2-lax-1a' },
    { region: 'us-west-2', localZone: 'us-west-2-las-1a' },
    { region: 'eu-central-1' },
  );
  const actions = (source: Snapshot) => selectDestinations(source, everywhere, home).map(({ action }) => action);

  it('are skipped from a Region: into Outposts and Local Zones of another one', () => {
    expect(actions(west)).toEqual(['copy', 'copy', 'copy', 'copy', 'copy']);
    expect(actions(snapshot)).toEqual(['copy', 'skip', 'skip', 'skip', 'copy']);
    expect(decisions(snapshot, everywhere).slice(1, 3)).toEqual([
      'a>us-west-2-op-0123456789abcdef0: skip, it is in eu-west-1, and EC2 copies to an Outpost of us-west-2 from us-west-2 only',
      'a>us-west-2-lax-1a: skip, it is in eu-west-1, and EC2 copies to a Local Zone of us-west-2 from us-west-2 only',
    ]);
  });

  it('are skipped from a Local Zone: to anywhere but its zone group and the Region around it', () => {
    const inZone = { ...west, localZone: 'us-west-2-lax-1b' };
    expect(actions(inZone)).toEqual(['copy', 'skip', 'copy', 'skip', 'skip']);
    expect(decisions(inZone, everywhere)[4]).toBe(
      'a>eu-central-1: skip, it is in the Local Zone us-west-2-lax-1b, from where EC2 copies to us-west-2-lax-1 and us-west-2 only',
    );
  });

  it('leave the destination to a later rule that can go there', () => {
    const rules = rulesOf({ select: { tags: { Tier: true } } }, {});
    expect(decisions(snapshot, rules)[1]).toBe('b>eu-central-1: copy, rule b wants every snapshot');
  });
});

describe('several rules', () => {
  it('make one copy at a destination; the first in the file wins', () => {
    const both = [{ region: 'eu-central-1' }, { region: 'us-east-1' }];
    expect(decisions(snapshot, rulesOf({}, { destinations: both }, { destinations: both }))).toEqual([
      'a>eu-central-1: copy, rule a wants every snapshot',
      'b>eu-central-1: skip, rule a copies it to eu-central-1 already, so rule b does not',
      'b>us-east-1: copy, rule b wants every snapshot',
      'c>eu-central-1: skip, rule a copies it to eu-central-1 already, so rule c does not',
      'c>us-east-1: skip, rule b copies it to us-east-1 already, so rule c does not',
    ]);
  });

  it('are each judged for themselves', () => {
    const rules = rulesOf({ select: { tags: { Backup: ['weekly'] } } }, { select: { owners: ['self'] } });
    expect(decisions(snapshot, rules)).toEqual([
      "a>eu-central-1: skip, tag Backup is 'nightly', rule a wants 'weekly'",
      'b>eu-central-1: copy, owner is 444455556666 (self), as rule b wants',
    ]);
  });

  it('of which one only rehearses copy all the same', () => {
    const rules = rulesOf({ dryRun: true }, {}, { dryRun: true });
    expect(decisions(snapshot, rules)).toEqual([
      'a>eu-central-1: skip, rule b copies it to eu-central-1 already, so rule a does not',
      'b>eu-central-1: copy, rule b wants every snapshot',
      'c>eu-central-1: skip, rule b copies it to eu-central-1 already, so rule c does not',
    ]);
    expect(decisions(snapshot, rulesOf({ dryRun: true }))[0]).toContain(': copy, ');
  });
});

it('answers for each destination of each rule, in order, and copies at most once to each', () => {
  const anySnapshot = fc.record({
    ownerId: fc.constantFrom(home.account, '111122223333'),
    region: fc.constantFrom('eu-central-1', 'us-west-2'),
    tags: fc.constantFrom({}, { constructor: '' }, { 'a.b': 'x' }),
  });
  fc.assert(
    fc.property(rightDocument, anySnapshot, (document, facts) => {
      const rules = parseRules(document);
      const answers = selectDestinations({ ...snapshot, ...facts }, rules, home);
      expect(answers.map(({ rule, destination }) => [rule.name, destination])).toEqual(
        rules.flatMap(({ name, destinations }) => destinations.map((destination) => [name, destination])),
      );
      const copied = answers
        .filter(({ action }) => action === 'copy')
        .map((answer) => destinationId(answer.destination));
      expect(copied).toEqual([...new Set(copied)]);
    }),
  );
});
