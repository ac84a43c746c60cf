import { describe, expect, it } from 'vitest';
import { transfers } from '../../../core/audit/full-copies.ts';
import { audit } from '../../../core/audit.ts';
import { COPIER_TAG } from '../../../core/copier-tags.ts';
import type { Snapshot } from '../../../core/snapshot.ts';
import { copyOf, evidence, hoursAgo, source } from './evidence-examples.ts';

/** A copy that was made between these times, so many hours ago. */
function made(id: number, begun: number, ended: number | undefined, over: Partial<Snapshot> = {}): Snapshot {
  const { completionTime: _, ...copy } = copyOf(source(id, begun + 1), { startTime: hoursAgo(begun) });
  const state = ended === undefined ? 'pending' : 'completed';
  return { ...copy, state, ...(ended !== undefined && { completionTime: hoursAgo(ended) }), ...over };
}

/** By the last digits of the copies' ids. */
function kinds(...copies: readonly Snapshot[]): Readonly<Record<string, string>> {
  const found = transfers(evidence({ copies }));
  return Object.fromEntries([...found].map(([id, { kind }]) => [id.slice(-2), kind]));
}

function reason(id: string, ...copies: readonly Snapshot[]): string | undefined {
  return audit(evidence({ copies }))
    .findings.filter(({ kind }) => kind === 'full-copies')
    .flatMap(({ items }) => items)
    .find(({ copyIds }) => copyIds[0]?.endsWith(id))?.reason;
}

describe('by EC2’s rule a copy', () => {
  it('is full as the first of its volume at the place, and incremental after one that was complete', () => {
    expect(kinds(made(1, 10, 9), made(2, 9, 8), made(3, 5, 4))).toEqual({
      '01': 'first',
      '02': 'incremental',
      '03': 'incremental',
    });
    expect(kinds(made(2, 5, 4), made(1, 10, 9))).toEqual({ '01': 'first', '02': 'incremental' });
  });

  it('is full if it began before any other was complete', () => {
    const copies = [made(1, 10, 7), made(2, 9, 8), made(3, 7.5, 7)];
    expect(kinds(...copies)).toEqual({ '01': 'first', '02': 'full', '03': 'incremental' });
    expect(reason('02', ...copies)).toBe(
      'it began while snap-0c000000000000001, an older copy of the volume there, was not complete',
    );
    expect(kinds(made(1, 10, undefined), made(2, 9, 8))).toEqual({ '02': 'full' });
  });

  it('is full after the newest complete one was archived, though an older one is there', () => {
    const archived = made(2, 8, 7, { storageTier: 'archive' });
    expect(kinds(made(1, 10, 9), archived, made(3, 5, 4))).toEqual({
      '01': 'first',
      '02': 'incremental',
      '03': 'full',
    });
    expect(reason('03', made(1, 10, 9), archived, made(3, 5, 4))).toContain('is archived');
    expect(kinds(made(1, 10, 9, { storageTier: 'archive' }), made(2, 8, 7), made(3, 5, 4))['03']).toBe('incremental');
    // It was begun first and complete last: the one that was begun last is the newest.
    expect(kinds(made(1, 10, 6, { storageTier: 'archive' }), made(2, 9, 7), made(3, 5, 4))['03']).toBe('incremental');
  });

  it('is full if any complete copy there is under another key', () => {
    const key = { encrypted: true, kmsKeyId: 'key-1' };
    const copies = [made(1, 10, 9), made(2, 8, 7, key), made(3, 6, 5, key)];
    expect(kinds(...copies)).toEqual({ '01': 'first', '02': 'full', '03': 'full' });
    expect(reason('02', ...copies)).toBe(
      'it is under key-1, and snap-0c000000000000001, an older copy of the volume there, is under no key',
    );
    expect(reason('02', made(1, 10, 9, key), made(2, 8, 7))).toContain('it is under no key, and');
    expect(kinds(made(1, 10, 9, key), made(2, 8, 7, key))).toEqual({ '01': 'first', '02': 'incremental' });
  });

  it('is measured against the copies of other installs too, and those that were given up', () => {
    const other = made(1, 10, 9, { tags: { ...made(1, 10, 9).tags, [COPIER_TAG.managed]: 'other' } });
    const givenUp = made(2, 8, 7, { tags: { ...made(2, 8, 7).tags, [COPIER_TAG.state]: 'failed' } });
    expect(kinds(other, made(3, 5, 4))).toEqual({ '03': 'incremental' });
    expect(kinds(givenUp, made(3, 5, 4))).toEqual({ '03': 'incremental' });
  });

  it('has nothing to do with those of other volumes and places, and those in error', () => {
    const elsewhere = made(1, 10, 9, { region: 'us-east-1' });
    const ofOther = made(2, 10, 9, { tags: { ...made(2, 10, 9).tags, [COPIER_TAG.sourceVolume]: 'vol-0other' } });
    const failed = made(3, 10, 9, { state: 'error' });
    expect(kinds(elsewhere, ofOther, failed, made(4, 5, 4))).toEqual({ '01': 'first', '02': 'first', '04': 'first' });
  });

  it('that EC2 does not date the end of counts as complete at once', () => {
    const { completionTime: _, ...undated } = made(1, 10, 9);
    expect(kinds(undated, made(2, 9.9, 9), made(3, 5, 5), made(4, 5, 5))).toEqual({
      '01': 'first',
      '02': 'incremental',
      '03': 'incremental',
      '04': 'incremental',
    });
  });

  it('is no basis for itself, however quick it was', () => {
    expect(kinds(made(1, 10, 5), made(2, 9, 9))).toEqual({ '01': 'first', '02': 'full' });
  });

  it('is no surprise at home, and not judged without a volume', () => {
    const home = made(1, 10, 9, { region: 'eu-west-1', tags: made(1, 10, 9).tags });
    const again = { ...made(2, 8, 7, { kmsKeyId: 'key-1' }), region: 'eu-west-1' };
    expect(kinds(home, again)).toEqual({});
    const zone = { localZone: 'eu-west-1-x' };
    expect(kinds({ ...home, ...zone }, { ...again, ...zone })).toEqual({ '01': 'first', '02': 'full' });
    const outpost = { outpostArn: 'arn:outpost/op-1' };
    expect(kinds({ ...home, ...outpost }, { ...again, ...outpost })).toEqual({ '01': 'first', '02': 'full' });
    const ofCopy = made(3, 5, 4, { tags: { ...made(3, 5, 4).tags, [COPIER_TAG.sourceVolume]: 'vol-ffffffff' } });
    expect(kinds(ofCopy, { ...made(4, 5, 4), tags: { [COPIER_TAG.managed]: 'ebs-snapshot-copier-test' } })).toEqual({});
  });

  it('of a shared snapshot stays in the Region and is measured like any other', () => {
    const shared = (id: number, begun: number, key: string) => {
      const copy = made(id, begun, begun - 1, { kmsKeyId: key, region: 'eu-west-1' });
      return { ...copy, tags: { ...copy.tags, [COPIER_TAG.sourceAccount]: '111122223333' } };
    };
    expect(kinds(shared(1, 10, 'key-1'), shared(2, 8, 'key-2'))).toEqual({ '01': 'first', '02': 'full' });
  });
});

describe('the full copies of an audit', () => {
  const full = [made(1, 10, 7), made(2, 9, 8)];

  it('are those of the time that is audited, with volume, source and size', () => {
    expect(audit(evidence({ copies: full })).findings.find(({ kind }) => kind === 'full-copies')).toMatchObject({
      severity: 'notice',
      destination: 'eu-central-1',
      cause: 'it began while snap-…, an older copy of the volume there, was not complete',
      items: [{ copyIds: ['snap-0c000000000000002'], sizeGiB: 100, snapshotId: source(2, 10).snapshotId }],
    });
    const later = { copies: full, since: new Date(hoursAgo(9)) };
    expect(audit(evidence(later)).destinations[0]?.fullCopies).toBe(0);
    expect(audit(evidence({ copies: full })).destinations[0]?.fullCopies).toBe(1);
  });

  it('are named only if their tags say of what', () => {
    const [first, second] = full;
    const without = (tag: string) => {
      const { [tag]: _, ...tags } = second?.tags ?? {};
      return audit(evidence({ copies: full.map((copy) => (copy === first ? copy : { ...copy, tags })) }))
        .destinations[0];
    };
    expect(without(COPIER_TAG.sourceSnapshot)?.fullCopies).toBe(0);
    expect(without(COPIER_TAG.sourceStartTime)?.fullCopies).toBe(0);
  });
});
