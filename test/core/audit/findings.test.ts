import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../core/audit/evidence.ts';
import { audit } from '../../../core/audit.ts';
import { destination } from '../../support/examples.ts';
import { copyOf, evidence, hoursAgo, pendingCopyOf, requestFor, rule, source, VOLUME } from './evidence-examples.ts';

function findings(over: Partial<Evidence>) {
  return audit(evidence(over)).findings;
}

/** Each as `severity kind destination: cause`. */
function inShort(over: Partial<Evidence>): readonly string[] {
  return findings(over).map(
    ({ severity, kind, destination: at = '-', cause = '' }) => `${severity} ${kind} ${at}: ${cause}`,
  );
}

const GOOD = source(8, 5);

describe('what an audit finds', () => {
  it('is nothing if everything is as it should be', () => {
    expect(findings({ sources: [GOOD], copies: [copyOf(GOOD)] })).toEqual([]);
    expect(findings({ sources: [GOOD], copies: [pendingCopyOf(GOOD)] })).toEqual([]);
  });

  it('stands together if it has the same cause, which names no snapshot, the most frequent first', () => {
    const sources = [source(1, 50), source(2, 49), source(3, 48), GOOD];
    const failed = sources.slice(0, 3).map((each, index) =>
      requestFor(each, {
        status: 'failed',
        reason:
          index === 0
            ? 'EBS copy failed: deadline passed'
            : `EBS copy failed: ${each.snapshotId} to eu-central-1: key not accessible`,
      }),
    );
    const ledger = { requests: failed, unreadable: new Set<string>() };
    const [first, second] = findings({ sources, copies: [copyOf(GOOD)], ledger });
    expect(first).toEqual({
      severity: 'problem',
      kind: 'failed',
      destination: 'eu-central-1',
      cause: 'EBS copy failed: snap-… to eu-central-1: key not accessible',
      items: [source(2, 49), source(3, 48)].map((each) => ({
        volumeId: VOLUME,
        volumeName: 'db-1',
        snapshotId: each.snapshotId,
        copyIds: [],
        dataTime: Date.parse(each.startTime),
        reason: `EBS copy failed: ${each.snapshotId} to eu-central-1: key not accessible`,
        wasAsked: true,
      })),
    });
    expect(second).toMatchObject({ cause: 'EBS copy failed: deadline passed' });
  });

  it('comes in an order: what is in danger, then what costs money or is not known', () => {
    const [failed, missing, late, twice] = [source(1, 50), source(2, 49), source(3, 48), source(4, 47)];
    const found = inShort({
      sources: [failed, missing, late, twice, GOOD],
      copies: [
        copyOf(GOOD, { state: 'error' }),
        copyOf(failed, { state: 'error', stateMessage: 'no' }),
        pendingCopyOf(late),
        copyOf(twice),
        copyOf(twice, { snapshotId: 'snap-0e' }),
        copyOf(source(6, 40)),
      ],
    });
    expect(found).toEqual([
      'problem failed eu-central-1: its copy snap-… ended in error: no',
      'problem failed eu-central-1: its copy snap-… ended in error: EC2 gave no reason',
      'problem missing eu-central-1: nobody asked for it',
      'problem late eu-central-1: ',
      'problem behind eu-central-1: ',
      'notice duplicate eu-central-1: ',
      'notice full-copies eu-central-1: it began while snap-…, an older copy of the volume there, was not complete',
      'notice source-gone eu-central-1: ',
    ]);
  });

  it('tells of a volume that is behind what became of its newest snapshot', () => {
    const behind = (over: Partial<Evidence>) =>
      findings(over)
        .filter(({ kind }) => kind === 'behind')
        .flatMap(({ items }) => items);
    const sources = [source(1, 30), GOOD];
    const reasonAfter = (over: Partial<Evidence>) => behind({ sources, ...over })[0]?.reason;
    const copied = copyOf(source(1, 30));
    const newest = `its newest snapshot, ${GOOD.snapshotId},`;
    expect(behind({ sources, copies: [copied] })).toEqual([
      {
        volumeId: VOLUME,
        volumeName: 'db-1',
        copyIds: [copied.snapshotId],
        dataTime: Date.parse(hoursAgo(30)),
        reason: `${newest} is missing`,
      },
    ]);
    expect(behind({ sources })[0]).toEqual({
      volumeId: VOLUME,
      volumeName: 'db-1',
      copyIds: [],
      reason: `${newest} is missing`,
    });
    expect(reasonAfter({ copies: [copied, pendingCopyOf(GOOD)] })).toBe(`${newest} is under way`);
    expect(reasonAfter({ copies: [copied, copyOf(GOOD, { state: 'error' })] })).toBe(`${newest} failed`);
    expect(reasonAfter({ copies: [copied, pendingCopyOf(GOOD)], rpoSeconds: 3600 })).toBe(`${newest} is late`);
    const secret = [rule({ destinations: [destination({ encryption: { kind: 'account-default' } })] })];
    expect(reasonAfter({ copies: [copyOf(GOOD)], rules: secret })).toBe(`${newest} is not encrypted as the rule says`);
  });

  it('says where a rule wants no newer snapshot than the one that is there', () => {
    const weekly = rule({
      name: 'weekly',
      select: { tags: { Weekly: true } },
      destinations: [destination({ region: 'us-east-1' })],
    });
    const sunday = source(1, 90, { tags: { Backup: 'nightly', Weekly: '' } });
    const copies = [copyOf(sunday), copyOf(GOOD), copyOf(sunday, { snapshotId: 'snap-0e', region: 'us-east-1' })];
    expect(findings({ sources: [sunday, GOOD], copies, rules: [rule(), weekly] })).toMatchObject([
      {
        kind: 'behind',
        destination: 'us-east-1',
        items: [
          { copyIds: ['snap-0e'], reason: `no rule wants a newer snapshot of it there than ${sunday.snapshotId}` },
        ],
      },
    ]);
    const older = copyOf(source(2, 1000), { region: 'us-east-1', tags: { 'snapshot-copier:rule': 'weekly' } });
    const newer = copyOf(source(3, 900));
    expect(findings({ copies: [older, newer], rules: [rule(), weekly] })).toMatchObject([
      { kind: 'behind', destination: 'us-east-1', items: [{ reason: 'no rule wants a newer snapshot of it there' }] },
      { kind: 'snapshots-stopped' },
    ]);
  });

  it('says of a volume that stopped what is in doubt', () => {
    const last = source(1, 60);
    const stopped = (over: Partial<Evidence>) =>
      findings({ sources: [last], copies: [copyOf(last)], ...over }).find(({ kind }) => kind === 'snapshots-stopped')
        ?.items;
    const item = {
      volumeId: VOLUME,
      volumeName: 'db-1',
      snapshotId: last.snapshotId,
      copyIds: [],
      dataTime: Date.parse(hoursAgo(60)),
    };
    expect(stopped({})).toEqual([item]);
    expect(stopped({ sources: [last, source(2, 5, { tags: {} })], volumes: new Map() })?.[0]?.reason).toBe(
      'it has 1 newer that no rule selects; it may be deleted, which cannot be seen',
    );
  });

  it('keeps apart copies that no rule wants for another reason, and names those that cannot be traced', () => {
    const [none, weekly] = [source(1, 9, { tags: {} }), source(2, 6, { tags: { Backup: 'weekly' } })];
    const { tags: _, ...bare } = copyOf(source(3, 9));
    const untraceable = { ...bare, tags: { 'snapshot-copier:managed': 'ebs-snapshot-copier-test' } };
    expect(inShort({ sources: [none, weekly], copies: [copyOf(none), copyOf(weekly), untraceable] })).toEqual([
      "notice not-selected eu-central-1: tag Backup is not there, rule nightly wants 'nightly'",
      "notice not-selected eu-central-1: tag Backup is 'weekly', rule nightly wants 'nightly'",
      'notice untraceable eu-central-1: ',
    ]);
  });
});
