import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../core/audit/evidence.ts';
import type { AuditedVolume } from '../../../core/audit/volumes.ts';
import { audit, toLookUp } from '../../../core/audit.ts';
import type { CopyRule } from '../../../core/rules.ts';
import { destination, HOME } from '../../support/examples.ts';
import { copyOf, evidence, hoursAgo, NOW, pendingCopyOf, rule, source, VOLUME } from './evidence-examples.ts';

const EXISTS = new Map([[VOLUME, { exists: true }]]);
const DELETED = new Map([[VOLUME, { exists: false }]]);
const UNKNOWN = new Map<string, never>();

function volumes(over: Partial<Evidence>): readonly AuditedVolume[] {
  return audit(evidence(over)).volumes;
}

function rpoOf(over: Partial<Evidence>) {
  return volumes(over)[0]?.destinations[0]?.rpo;
}

describe('the RPO of a volume at a destination', () => {
  const day = source(1, 24);

  it('is kept up to the second, by the age of the data and not of the copy', () => {
    const copies = [copyOf(day, { startTime: hoursAgo(1), completionTime: hoursAgo(0.5) })];
    expect(rpoOf({ sources: [day], copies })).toBe('kept');
    expect(rpoOf({ sources: [day], copies, now: new Date(NOW.getTime() + 1) })).toBe('broken');
  });

  it('goes by the newest good copy: younger ones that are pending, in error or given up do not count', () => {
    const [first, second, third] = [source(2, 9), source(3, 6), source(4, 3)];
    const copies = [
      copyOf(day),
      pendingCopyOf(first),
      copyOf(second, { state: 'error' }),
      copyOf(third, { tags: { 'snapshot-copier:state': 'failed' } }),
    ];
    const [found] = volumes({ sources: [day, first, second, third], copies })[0]?.destinations ?? [];
    expect(found?.newestCopy).toEqual({
      copyId: 'snap-0c000000000000001',
      snapshotId: day.snapshotId,
      dataTime: Date.parse(hoursAgo(24)),
    });
  });

  it('counts a copy whose source is gone, and one from before the time that is audited', () => {
    const gone = source(9, 2);
    expect(rpoOf({ sources: [source(1, 40)], copies: [copyOf(gone)] })).toBe('kept');
    const old = { since: new Date(hoursAgo(10)), sources: [source(2, 5)] };
    expect(rpoOf({ ...old, copies: [copyOf(source(3, 20))] })).toBe('kept');
  });

  it.each([
    ['of another install', copyOf(source(9, 2), { tags: { 'snapshot-copier:managed': 'other' } })],
    ['of a rule that is not there any more', copyOf(source(9, 2), { tags: { 'snapshot-copier:rule': 'former' } })],
    ['without the time of its data', copyOf(source(9, 2), { tags: { 'snapshot-copier:source-start-time': 'noon' } })],
    ['at a place that its rule has no more', copyOf(source(9, 2), { region: 'us-east-1' })],
    ['that is pending', pendingCopyOf(source(9, 2))],
  ])('does not count an older copy %s', (_, copy) => {
    expect(rpoOf({ sources: [source(1, 40)], copies: [copy] })).toBe('broken');
  });

  it('does not count an older copy under a wrong key', () => {
    const rules = [rule({ destinations: [destination({ encryption: { kind: 'account-default' } })] })];
    expect(rpoOf({ rules, sources: [source(1, 40)], copies: [copyOf(source(9, 2))] })).toBe('broken');
    const copies = [copyOf(source(9, 2), { encrypted: true })];
    expect(rpoOf({ rules, sources: [source(1, 40)], copies })).toBe('kept');
  });

  it('does not count a plain copy of an encrypted source', () => {
    const secret = source(1, 30, { encrypted: true });
    const copies = [copyOf(secret, { encrypted: false })];
    expect(rpoOf({ sources: [secret], copies })).toBe('broken');
    expect(volumes({ sources: [secret], copies })[0]?.destinations[0]?.newestCopy).toBeUndefined();
  });

  it('starts with the first snapshot where there is no copy yet', () => {
    expect(rpoOf({ sources: [source(1, 24), source(2, 3)] })).toBe('starting');
    expect(rpoOf({ sources: [source(1, 24.1), source(2, 3)] })).toBe('broken');
  });

  it('ends with the volume', () => {
    const found = volumes({ sources: [source(1, 40)], copies: [copyOf(source(1, 40))], volumes: DELETED });
    expect(found).toMatchObject([
      { state: 'deleted', status: 'protected', hasStopped: false, destinations: [{ rpo: 'ended' }] },
    ]);
  });

  it('is not known of copies of copies, whose volume nobody knows', () => {
    const shared = source(1, 40, { volumeId: 'vol-ffffffff' });
    const found = volumes({ sources: [shared], copies: [copyOf(shared)] });
    expect(found).toMatchObject([
      {
        volumeId: 'vol-ffffffff',
        state: 'unknown',
        status: 'protected',
        hasStopped: false,
        destinations: [{ rpo: 'unknown' }],
      },
    ]);
  });
});

describe('a volume', () => {
  it('has gaps if a snapshot lacks its copy although the RPO is kept', () => {
    const [old, young] = [source(1, 60), source(2, 5)];
    expect(volumes({ sources: [old, young], copies: [copyOf(young)] })).toMatchObject([{ status: 'gaps' }]);
    const twice = [copyOf(old), copyOf(old, { snapshotId: 'snap-2' }), copyOf(young)];
    expect(volumes({ sources: [old, young], copies: twice })).toMatchObject([{ status: 'protected' }]);
  });

  it('is deleted and still has gaps if a snapshot of it was never copied', () => {
    expect(volumes({ sources: [source(1, 60)], volumes: DELETED })).toMatchObject([{ status: 'gaps' }]);
  });

  it('has stopped if it exists and its newest snapshot is older than the RPO, although all are copied', () => {
    const last = source(1, 25);
    const found = volumes({ sources: [source(2, 50), last], copies: [copyOf(source(2, 50)), copyOf(last)] });
    expect(found).toMatchObject([
      { hasStopped: true, status: 'unprotected', newestSnapshot: { snapshotId: last.snapshotId }, newerUnselected: 0 },
    ]);
    expect(volumes({ sources: [last], copies: [copyOf(last)], volumes: UNKNOWN })).toMatchObject([
      { state: 'unknown', hasStopped: true },
    ]);
  });

  it('tells how many newer snapshots of it no rule selects', () => {
    const unselected = [source(2, 5, { tags: {} }), source(3, 4, { tags: {} }), source(4, 50, { tags: {} })];
    expect(volumes({ sources: [source(1, 25), ...unselected] })).toMatchObject([{ newerUnselected: 2 }]);
  });

  it('is called as its tag says, or else as that of its newest snapshot', () => {
    const sources = [source(1, 10, { tags: { Backup: 'nightly', Name: 'of the snapshot' } })];
    const nameIn = (over: Partial<Evidence>) => volumes({ sources, ...over })[0]?.name;
    expect(nameIn({ volumes: new Map([[VOLUME, { exists: true, name: 'of the volume' }]]) })).toBe('of the volume');
    expect(nameIn({ volumes: EXISTS })).toBe('of the snapshot');
    expect(nameIn({ sources: [source(1, 10, { tags: { Backup: 'nightly' } })], volumes: EXISTS })).toBeUndefined();
    expect(
      nameIn({ sources: [source(1, 10, { tags: { Backup: 'nightly', Name: '' } })], volumes: EXISTS }),
    ).toBeUndefined();
  });

  it('without any snapshot for longer than is audited has stopped, if it exists', () => {
    const copies = [copyOf(source(1, 1000)), copyOf(source(2, 900)), copyOf(source(3, 950))];
    expect(volumes({ copies })).toMatchObject([
      {
        volumeId: VOLUME,
        name: 'db-1',
        hasStopped: true,
        status: 'unprotected',
        newestSnapshot: { snapshotId: source(2, 900).snapshotId },
        destinations: [{ destination: 'eu-central-1', rpo: 'broken', pairs: [] }],
      },
    ]);
    expect(volumes({ copies, volumes: DELETED })).toEqual([]);
  });

  it.each([
    ['of other volumes', { volumes: ['vol-0other'] }, []],
    ['of it', { volumes: [VOLUME] }, [VOLUME]],
    ['of other owners', { owners: ['111122223333'] }, []],
    ['of this account', { owners: ['self'] }, [VOLUME]],
    ['of this account, by its id', { owners: [HOME] }, [VOLUME]],
    ['of other Regions', { regions: ['us-east-1'] }, []],
  ])('has stopped only if its rule still takes snapshots: %s', (_, select, stopped) => {
    const copies = [copyOf(source(1, 1000))];
    expect(volumes({ copies, rules: [rule({ select })] }).map(({ volumeId }) => volumeId)).toEqual(stopped);
  });

  it('has stopped by no rule if its copy does not say where it is from', () => {
    const { tags, ...copy } = copyOf(source(1, 1000));
    const { 'snapshot-copier:source-account': _, 'snapshot-copier:source-region': __, ...rest } = tags;
    const found = (select: CopyRule['select']) =>
      volumes({ copies: [{ ...copy, tags: rest }], rules: [rule({ select })] });
    expect(found({})).toHaveLength(1);
    expect(found({ owners: ['self'] })).toEqual([]);
    expect(found({ regions: ['eu-west-1'] })).toEqual([]);
  });

  it('has not stopped if it has other snapshots now: no rule selects it any more', () => {
    const copies = [copyOf(source(1, 1000))];
    expect(volumes({ copies, sources: [source(2, 5, { tags: {} })] })).toEqual([]);
  });

  it('of which nobody can tell whether it exists is a notice, unless its copies are young', () => {
    const old = { copies: [copyOf(source(1, 1000, { ownerId: '111122223333' }))], volumes: UNKNOWN };
    expect(volumes(old)).toEqual([]);
    expect(audit(evidence(old)).findings).toMatchObject([
      { severity: 'notice', kind: 'unseen-volumes', items: [{ volumeId: VOLUME }] },
    ]);
    expect(volumes({ copies: [copyOf(source(1, 20))], volumes: UNKNOWN })).toMatchObject([
      { state: 'unknown', status: 'protected', hasStopped: false },
    ]);
    const ofCopies = copyOf(source(1, 1000, { volumeId: 'vol-ffffffff' }));
    expect(audit(evidence({ copies: [ofCopies], volumes: UNKNOWN })).findings).toEqual([]);
  });

  it('comes the sooner the worse it is, and else by name or id', () => {
    const ids = ['vol-0d', 'vol-0c', 'vol-0b', 'vol-0a'];
    const sources = ids.map((volumeId, index) =>
      source(index, index === 3 ? 48 : 5, { volumeId, tags: { Backup: 'nightly' } }),
    );
    const gap = source(9, 60, { volumeId: 'vol-0b', tags: { Backup: 'nightly' } });
    const copies = sources.slice(0, 3).map((each) => copyOf(each));
    const named = new Map(ids.map((id) => [id, { exists: true, ...(id === 'vol-0d' && { name: 'db' }) }]));
    const found = volumes({ sources: [...sources, gap], copies, volumes: named });
    expect(found.map(({ volumeId }) => volumeId)).toEqual(['vol-0a', 'vol-0b', 'vol-0d', 'vol-0c']);
    const unseen = audit(
      evidence({
        copies: [copyOf(source(1, 1000, { volumeId: 'vol-0b' })), copyOf(source(2, 1000, { volumeId: 'vol-0a' }))],
        volumes: UNKNOWN,
      }),
    );
    expect(unseen.findings[0]?.items.map(({ volumeId }) => volumeId)).toEqual(['vol-0a', 'vol-0b']);
  });
});

describe('what has to be looked up', () => {
  it('are the requests of what has no good copy, and the own volumes of snapshots and older copies', () => {
    const theirs = source(2, 5, { ownerId: '111122223333', volumeId: 'vol-0theirs' });
    const older = copyOf(source(3, 1000, { volumeId: 'vol-0old' }));
    const {
      volumes: _,
      ledger: __,
      untagged: ___,
      ...known
    } = evidence({
      sources: [source(1, 5), source(4, 6), theirs, source(5, 5, { volumeId: 'vol-ffffffff' })],
      copies: [copyOf(source(4, 6)), older],
      rules: [rule({ select: {} })],
    });
    expect(toLookUp(known)).toEqual({
      requests: [source(1, 5), theirs, source(5, 5)].map(({ snapshotId }) => ({
        region: 'eu-central-1',
        destination: 'eu-central-1',
        snapshotId,
      })),
      volumeIds: [VOLUME, 'vol-0old'],
    });
  });
});
