import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../core/audit/evidence.ts';
import { type JudgedPair, judgePairs, selectedPairs } from '../../../core/audit/pairs.ts';
import type { LedgerRequest } from '../../../core/ledger-request.ts';
import type { Snapshot } from '../../../core/snapshot.ts';
import { destination, HOME } from '../../support/examples.ts';
import { copyOf, evidence, hoursAgo, pendingCopyOf, requestFor, rule, source } from './evidence-examples.ts';

const OLD = source(1, 30);
const YOUNG = source(2, 5);

function judge(over: Partial<Evidence>): readonly JudgedPair[] {
  const known = evidence(over);
  return judgePairs(selectedPairs(known), known);
}

/** Of one snapshot, in a ledger with one request at most. */
function verdictOn(of: Snapshot, copies: readonly Snapshot[], request?: LedgerRequest, over: Partial<Evidence> = {}) {
  const ledger = { requests: request === undefined ? [] : [request], unreadable: new Set<string>() };
  const [found] = judge({ sources: [of], copies, ledger, ...over });
  return found === undefined ? undefined : { verdict: found.verdict, reason: found.reason };
}

describe('a selected snapshot at a destination', () => {
  it('is protected by one complete copy with our tags, whatever the ledger says', () => {
    const failed = requestFor(OLD, { status: 'failed', reason: 'key not accessible' });
    const found = { verdict: 'protected', reason: 'snap-0c000000000000001 is a good copy of it' };
    expect(verdictOn(OLD, [copyOf(OLD)])).toEqual(found);
    expect(verdictOn(OLD, [copyOf(OLD), copyOf(OLD, { snapshotId: 'snap-e', state: 'error' })], failed)).toEqual(found);
    expect(verdictOn(OLD, [copyOf(OLD, { tags: { 'snapshot-copier:state': 'copying' } })])?.verdict).toBe('protected');
  });

  it.each([
    ['of another install', copyOf(OLD, { tags: { 'snapshot-copier:managed': 'other' } })],
    ['of another snapshot', copyOf(YOUNG)],
    ['that was given up', copyOf(OLD, { tags: { 'snapshot-copier:state': 'failed' } })],
    ['in another Region', copyOf(OLD, { region: 'us-east-1' })],
    ['in a Local Zone of the Region', copyOf(OLD, { localZone: 'eu-central-1-ham-1a' })],
    ['on an Outpost of the Region', copyOf(OLD, { outpostArn: 'arn:aws:outposts:x:1:outpost/op-1' })],
    ['in the recycle bin', copyOf(OLD, { state: 'recoverable' })],
    ['in error', copyOf(OLD, { state: 'error' })],
  ])('is not protected by a copy %s', (_, copy) => {
    expect(['missing', 'failed']).toContain(verdictOn(OLD, [copy], undefined)?.verdict);
  });

  it('has one copy too many if two are good, and says which, oldest first', () => {
    const second = copyOf(OLD, { snapshotId: 'snap-0b', startTime: hoursAgo(1) });
    const twin = copyOf(OLD, { snapshotId: 'snap-0d' });
    expect(verdictOn(OLD, [second, twin, copyOf(OLD)])).toEqual({
      verdict: 'duplicate',
      reason: 'snap-0c000000000000001 and snap-0d and snap-0b are all good copies of it',
    });
  });

  it('is under way until the RPO has passed, and late from then on', () => {
    const rpo = (rpoSeconds: number) => verdictOn(YOUNG, [pendingCopyOf(YOUNG)], undefined, { rpoSeconds });
    expect(rpo(5 * 3600)).toEqual({ verdict: 'under-way', reason: 'its copy snap-0c000000000000002 is at 40 %' });
    expect(rpo(5 * 3600 - 1)).toEqual({ verdict: 'late', reason: 'its copy snap-0c000000000000002 is at 40 %' });
  });

  it('is under way while it waits, runs, or EC2 copies it after it had failed', () => {
    expect(verdictOn(YOUNG, [], requestFor(YOUNG))).toEqual({
      verdict: 'under-way',
      reason: 'it waits for a copy slot since 2026-03-10 07:00Z: tag Backup is nightly',
    });
    expect(verdictOn(OLD, [], requestFor(OLD, { status: 'running', execution: 'snap-1-eu-central-1-2' }))).toEqual({
      verdict: 'late',
      reason: 'execution snap-1-eu-central-1-2 works on it since 2026-03-09 06:00Z',
    });
    expect(verdictOn(YOUNG, [pendingCopyOf(YOUNG)], requestFor(YOUNG, { status: 'failed' }))?.verdict).toBe(
      'under-way',
    );
  });

  it('is not under way because of a pending copy that was given up', () => {
    const givenUp = pendingCopyOf(YOUNG, { tags: { 'snapshot-copier:state': 'failed' } });
    const failed = requestFor(YOUNG, { status: 'failed', reason: 'deadline passed' });
    expect(verdictOn(YOUNG, [givenUp], failed)).toEqual({ verdict: 'failed', reason: 'deadline passed' });
    expect(verdictOn(YOUNG, [givenUp])).toEqual({
      verdict: 'missing',
      reason: 'nobody asked for it; its copy snap-0c000000000000002 was given up and is being removed',
    });
  });

  it('failed if EC2 says so and the ledger knows nothing of it', () => {
    const said = copyOf(OLD, { state: 'error', stateMessage: 'Given key ID is not accessible' });
    expect(verdictOn(OLD, [said])).toEqual({
      verdict: 'failed',
      reason: 'its copy snap-0c000000000000001 ended in error: Given key ID is not accessible',
    });
    expect(verdictOn(OLD, [copyOf(OLD, { state: 'error' })])?.reason).toContain('EC2 gave no reason');
    expect(verdictOn(OLD, [said], requestFor(OLD))?.verdict).toBe('late');
  });

  it('is missing if nobody works on it, with the reason', () => {
    const copied = requestFor(OLD, { status: 'copied', copyId: 'snap-0lost' });
    const { copyId: _, ...unnamed } = copied;
    const deleted = 'and EC2 shows no such copy any more: somebody deleted it';
    expect(verdictOn(OLD, [])).toEqual({ verdict: 'missing', reason: 'nobody asked for it' });
    expect(verdictOn(OLD, [], copied)?.reason).toBe(`it was copied as snap-0lost, ${deleted}`);
    expect(verdictOn(OLD, [], unnamed)?.reason).toBe(`it was copied, ${deleted}`);
    expect(verdictOn(OLD, [], copied, { untagged: new Set(['snap-0lost']) })?.reason).toBe(
      'it was copied as snap-0lost, which has lost the tags that say so',
    );
    expect(verdictOn(OLD, [], requestFor(OLD, { status: 'skipped', reason: 'source gone' }))).toEqual({
      verdict: 'missing',
      reason: 'the ledger has it as skipped: source gone',
    });
    expect(verdictOn(OLD, [copyOf(OLD, { state: 'recovering' })])?.reason).toBe(
      'nobody asked for it; its copy snap-0c000000000000001 is in the recycle bin',
    );
  });

  it('is missing if its request in the ledger cannot be read, however young it is', () => {
    const young = source(3, 0.2);
    const unreadable = new Set([`eu-central-1#${young.snapshotId}`]);
    expect(verdictOn(young, [], undefined, { ledger: { requests: [], unreadable } })).toEqual({
      verdict: 'missing',
      reason: 'its request in the ledger cannot be read, so nothing serves it',
    });
  });

  it('is not missing for a quarter of an hour: its event may be on the way', () => {
    const completedAt = (minutes: number) => source(3, 3, { completionTime: hoursAgo(minutes / 60) });
    expect(verdictOn(completedAt(14.9), [])).toEqual({
      verdict: 'under-way',
      reason: 'it is complete since 2026-03-10 11:45Z, and its event may be on the way',
    });
    expect(verdictOn(completedAt(15), [])?.verdict).toBe('missing');
    const { completionTime: _, ...untold } = source(3, 0.2);
    expect(verdictOn(untold, [])?.verdict).toBe('under-way');
  });

  it('is never said to be missing where the ledger could not be read', () => {
    const reason = 'the ledger could not be read, so it is not known whether anybody works on it';
    expect(verdictOn(YOUNG, [], undefined, { ledger: undefined })).toEqual({ verdict: 'under-way', reason });
    expect(verdictOn(OLD, [], undefined, { ledger: undefined })).toEqual({ verdict: 'late', reason });
  });

  it('names the snapshot that is there and no good', () => {
    const other = (copy: Snapshot, request?: LedgerRequest) =>
      judge({
        sources: [OLD],
        copies: [copy],
        ledger: { requests: request === undefined ? [] : [request], unreadable: new Set() },
      })[0]?.otherCopyId;
    expect(other(copyOf(OLD, { state: 'error' }))).toBe('snap-0c000000000000001');
    expect(other(copyOf(OLD, { state: 'error' }), requestFor(OLD, { status: 'failed' }))).toBe(
      'snap-0c000000000000001',
    );
    expect(other(copyOf(OLD))).toBeUndefined();
  });
});

describe('a copy that is not encrypted as its rule says', () => {
  const KEY = 'arn:aws:kms:eu-central-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const OTHER = 'arn:aws:kms:eu-central-1:444455556666:key/99999999-12ab-34cd-56ef-1234567890ab';
  const rules = (kmsKey: string) => [rule({ destinations: [destination({ encryption: { kind: 'key', kmsKey } })] })];
  const under = (kmsKeyId: string) => [copyOf(OLD, { encrypted: true, kmsKeyId })];
  const aliases = new Map([
    ['eu-central-1', { aliases: new Map([['alias/dr', '1234abcd-12ab-34cd-56ef-1234567890ab']]) }],
  ]);

  it('is complete and still does not protect', () => {
    expect(verdictOn(OLD, [copyOf(OLD)], undefined, { rules: rules(KEY) })).toEqual({
      verdict: 'wrong-encryption',
      reason: `its copy snap-0c000000000000001 is plain, and the rule wants the key ${KEY}`,
    });
    expect(verdictOn(OLD, under(OTHER), undefined, { rules: rules(KEY) })).toEqual({
      verdict: 'wrong-encryption',
      reason: `its copy snap-0c000000000000001 is under ${OTHER}, and the rule wants ${KEY}`,
    });
    expect(verdictOn(OLD, under(KEY), undefined, { rules: rules(KEY) })?.verdict).toBe('protected');
  });

  it('gives way to one that is right', () => {
    const right = copyOf(OLD, { snapshotId: 'snap-0right', encrypted: true, kmsKeyId: KEY });
    expect(verdictOn(OLD, [...under(OTHER), right], undefined, { rules: rules(KEY) })?.verdict).toBe('protected');
  });

  it('is known by an alias too, if KMS resolves it, and else given the benefit of the doubt', () => {
    const byAlias = { rules: rules('alias/dr') };
    expect(verdictOn(OLD, under(KEY), undefined, { ...byAlias, keys: aliases })?.verdict).toBe('protected');
    expect(verdictOn(OLD, under(OTHER), undefined, { ...byAlias, keys: aliases })?.verdict).toBe('wrong-encryption');
    expect(verdictOn(OLD, under(OTHER), undefined, byAlias)?.verdict).toBe('protected');
    const noKeyShown = [copyOf(OLD, { encrypted: true })];
    expect(verdictOn(OLD, noKeyShown, undefined, { ...byAlias, keys: aliases })?.verdict).toBe('protected');
  });

  it('is plain where the account’s default key is wanted, or although its source is encrypted', () => {
    const byDefault = { rules: [rule({ destinations: [destination({ encryption: { kind: 'account-default' } })] })] };
    expect(verdictOn(OLD, [copyOf(OLD)], undefined, byDefault)?.reason).toContain(
      'the default EBS key of eu-central-1',
    );
    expect(verdictOn(OLD, under(OTHER), undefined, byDefault)?.verdict).toBe('protected');
    const secret = source(1, 30, { encrypted: true });
    expect(verdictOn(secret, [copyOf(secret, { encrypted: false })])?.reason).toContain('although its source is');
    expect(verdictOn(secret, [copyOf(secret)])?.verdict).toBe('protected');
  });
});

describe('the snapshots that are audited', () => {
  const selected = (over: Partial<Evidence>) =>
    selectedPairs(evidence(over)).map((pair) => `${pair.source.snapshotId.slice(-1)} ${pair.destination.region}`);

  it('are those of the time and the Region that a rule selects, once for each destination', () => {
    const two = [destination(), destination({ region: 'us-east-1' })];
    const sources = [
      source(1, 720),
      source(2, 720.001),
      source(3, 5, { tags: {} }),
      source(4, 5, { region: 'us-east-1' }),
      source(5, 5, { state: 'pending' }),
      copyOf(source(6, 5), { region: 'eu-west-1' }),
    ];
    const rules = [rule({ destinations: two }), rule({ name: 'again', select: { owners: [HOME] } })];
    expect(selected({ sources, rules })).toEqual(['1 eu-central-1', '1 us-east-1', '3 eu-central-1']);
  });

  it('leave out rehearsals, and keep what was archived since', () => {
    expect(selected({ sources: [OLD], rules: [rule({ dryRun: true })] })).toEqual([]);
    const archived = source(1, 30, { storageTier: 'archive' });
    expect(selected({ sources: [archived] })).toEqual(['1 eu-central-1']);
    expect(verdictOn(archived, [])?.reason).toBe(
      'nobody asked for it; it is archived now, and EC2 copies only from the standard tier',
    );
  });
});
