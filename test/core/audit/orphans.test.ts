import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../core/audit/evidence.ts';
import { audit } from '../../../core/audit.ts';
import { destination, HOME } from '../../support/examples.ts';
import { copyOf, evidence, pendingCopyOf, rule, source } from './evidence-examples.ts';

function orphans(over: Partial<Evidence>) {
  return audit(evidence(over)).orphans.map(({ kind, reason, copyId }) => ({ kind, reason, copyId }));
}

const SOURCE = source(1, 30);

describe('an orphaned copy', () => {
  it('has no source any more, complete or still in the making', () => {
    const gone = {
      kind: 'source-gone',
      reason: `its source ${SOURCE.snapshotId} is not in eu-west-1 any more`,
      copyId: 'snap-0c000000000000001',
    };
    expect(orphans({ copies: [copyOf(SOURCE)] })).toEqual([gone]);
    expect(orphans({ copies: [pendingCopyOf(SOURCE)] })).toEqual([gone]);
    expect(orphans({ copies: [copyOf(source(1, 720))] })).toEqual([gone]);
    expect(orphans({ sources: [SOURCE], copies: [copyOf(SOURCE)] })).toEqual([]);
  });

  it('may be of a snapshot that is not shared any more', () => {
    const shared = source(1, 30, { ownerId: '111122223333' });
    expect(orphans({ copies: [copyOf(shared)] })[0]?.reason).toBe(
      `its source ${SOURCE.snapshotId} is not in eu-west-1 any more, or account 111122223333 does not share it any more`,
    );
  });

  it('is at a place where no rule wants it', () => {
    const reason = (over: Partial<Evidence>, copy = copyOf(SOURCE)) =>
      orphans({ sources: [SOURCE], copies: [copy], ...over })[0]?.reason;
    expect(reason({ rules: [rule({ select: { tags: { Backup: ['weekly'] } } })] })).toBe(
      "tag Backup is 'nightly', rule nightly wants 'weekly'",
    );
    expect(reason({}, copyOf(SOURCE, { region: 'us-east-1' }))).toBe('no rule copies to us-east-1');
    expect(reason({}, copyOf(SOURCE, { localZone: 'eu-central-1-ham-1a' }))).toBe(
      'no rule copies to eu-central-1-ham-1a',
    );
    expect(reason({}, copyOf(SOURCE, { outpostArn: 'arn:aws:outposts:x:1:outpost/op-1' }))).toBe(
      'no rule copies to eu-central-1-op-1',
    );
    expect(
      reason({ rules: [rule({ dryRun: true }), rule({ name: 'other', select: { owners: ['999999999999'] } })] }),
    ).toBe(`rule nightly only rehearses (dryRun); owner is ${HOME} (self), rule other wants 999999999999`);
  });

  it('is none if somebody asked for it by hand', () => {
    const copy = copyOf(SOURCE, { region: 'us-east-1' });
    const byHand = { ...copy, tags: { ...copy.tags, 'snapshot-copier:rule': 'by hand' } };
    expect(orphans({ sources: [SOURCE], copies: [byHand] })).toEqual([]);
  });

  it('is not orphaned because its source was archived since', () => {
    const archived = source(1, 30, { storageTier: 'archive' });
    expect(orphans({ sources: [archived], copies: [copyOf(archived)] })).toEqual([]);
    const unwanted = { ...archived, tags: {} };
    expect(orphans({ sources: [unwanted], copies: [copyOf(unwanted)] })[0]?.reason).toContain(
      'tag Backup is not there',
    );
  });

  it('is of a source elsewhere, which this install does not serve', () => {
    const elsewhere = source(1, 30, { region: 'us-west-2' });
    const listed = { copies: [copyOf(elsewhere)], sourceRegions: ['eu-west-1', 'us-west-2'] };
    expect(orphans({ ...listed, sources: [elsewhere] })[0]?.reason).toBe(
      `its source ${SOURCE.snapshotId} is in us-west-2, and ebs-snapshot-copier-test serves eu-west-1`,
    );
    expect(orphans(listed)[0]?.kind).toBe('source-gone');
    expect(orphans({ ...listed, sourceRegions: ['eu-west-1'] })).toEqual([]);
  });

  it('of an account that could not be looked into may have its source there, and is none', () => {
    const theirs = source(1, 30, { ownerId: '111122223333' });
    const companions = ['111122223333'];
    const unseen = (region: string) => ({ account: '111122223333', region, why: 'no such role' });
    const known = { copies: [copyOf(theirs)], companions };
    expect(orphans({ ...known, unseen: [unseen('eu-west-1')] })).toEqual([]);
    expect(orphans({ ...known, unseen: [unseen('us-west-2')] })[0]?.reason).toBe(
      `its source ${SOURCE.snapshotId} is not in eu-west-1 any more`,
    );
    expect(orphans({ ...known, companions: [] })[0]?.reason).toContain('or account 111122223333 does not share it');
  });

  it.each(['snapshot-copier:source-snapshot', 'snapshot-copier:source-start-time'])(
    'cannot be traced without the tag %s, however old it is',
    (tag) => {
      const { tags, ...copy } = copyOf(source(1, 9999));
      const { [tag]: _, ...rest } = tags;
      const reason = `it lacks the tag ${tag}, or what it says makes no sense`;
      expect(orphans({ copies: [{ ...copy, tags: rest }] })).toEqual([
        { kind: 'untraceable', reason, copyId: copy.snapshotId },
      ]);
    },
  );

  it('counts as one of this Region and account if it does not say where its source is', () => {
    const { tags, ...copy } = copyOf(SOURCE);
    const { 'snapshot-copier:source-region': _, 'snapshot-copier:source-account': __, ...rest } = tags;
    expect(orphans({ copies: [{ ...copy, tags: rest }] })[0]?.reason).toBe(
      `its source ${SOURCE.snapshotId} is not in eu-west-1 any more`,
    );
    const { 'snapshot-copier:source-volume': ___, ...less } = rest;
    expect(audit(evidence({ copies: [{ ...copy, tags: less }] })).orphans[0]?.volumeId).toBeUndefined();
  });

  it.each([
    ['belongs to another install', copyOf(SOURCE, { tags: { 'snapshot-copier:managed': 'other' } })],
    ['was given up and is being removed', copyOf(SOURCE, { tags: { 'snapshot-copier:state': 'failed' } })],
    ['holds no data', copyOf(SOURCE, { state: 'error' })],
    ['holds data from before the time that is audited', copyOf(source(1, 721))],
  ])('is none if it %s', (_, copy) => {
    expect(orphans({ copies: [copy] })).toEqual([]);
  });

  it('is counted at its place, also where no rule copies to', () => {
    const copies = [copyOf(SOURCE, { region: 'us-east-1' }), copyOf(source(2, 5))];
    const { destinations, orphans: found } = audit(
      evidence({
        copies,
        rules: [rule(), rule({ name: 'x', dryRun: true, destinations: [destination({ region: 'eu-north-1' })] })],
      }),
    );
    expect(destinations.map((each) => [each.destination, each.orphans])).toEqual([
      ['eu-central-1', 1],
      ['us-east-1', 1],
    ]);
    expect(found.map((each) => each.destination)).toEqual(['eu-central-1', 'us-east-1']);
  });
});
