import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../core/audit/evidence.ts';
import { audit, countsOf } from '../../core/audit.ts';
import { COPIER_TAG } from '../../core/copier-tags.ts';
import { destinationId } from '../../core/destination.ts';
import type { LedgerRequest } from '../../core/ledger-request.ts';
import { destination, INSTALL } from '../support/examples.ts';
import { copyOf, evidence, NOW, pendingCopyOf, requestFor, rule, source } from './audit/evidence-examples.ts';

describe('an audit', () => {
  it('proves nothing wrong where nothing is selected', () => {
    const { isProtected, pairs, volumes, destinations } = audit(evidence());
    expect({ isProtected, pairs, volumes }).toEqual({ isProtected: true, pairs: [], volumes: [] });
    expect(destinations).toEqual([
      {
        destination: 'eu-central-1',
        snapshots: 0,
        verdicts: countsOf([]),
        volumes: 0,
        volumesBehind: 0,
        orphans: 0,
        fullCopies: 0,
        otherInstalls: {},
      },
    ]);
  });

  it('fails for a volume with a gap as for one behind its RPO, and not for what is too much', () => {
    const [old, young] = [source(1, 30), source(2, 5)];
    const good = { sources: [old, young], copies: [copyOf(old), copyOf(young)] };
    const isProtected = (over: Partial<Evidence>) => audit(evidence({ ...good, ...over })).isProtected;
    expect(isProtected({})).toBe(true);
    expect(isProtected({ copies: [copyOf(old), copyOf(young), copyOf(young, { snapshotId: 'snap-0e' })] })).toBe(true);
    expect(isProtected({ copies: [...good.copies, copyOf(source(3, 9))] })).toBe(true);
    expect(isProtected({ copies: [copyOf(young)] })).toBe(false);
    expect(isProtected({ rpoSeconds: 3600 })).toBe(false);
    expect(isProtected({ copies: [copyOf(old), pendingCopyOf(young)], rpoSeconds: 40 * 3600 })).toBe(true);
    expect(isProtected({ copies: [copyOf(old), pendingCopyOf(young)], rpoSeconds: 20 * 3600 })).toBe(false);
  });

  it('proves nothing of a source account that could not be looked into, and says so first', () => {
    const [own, failed] = [source(1, 5), source(2, 5, { volumeId: 'vol-0b' })];
    const theirs = source(3, 5, { ownerId: '111122223333', volumeId: 'vol-0c' });
    const copies = [copyOf(own), copyOf(theirs)];
    const unseen = [{ account: '111122223333', region: 'eu-west-1', why: 'no such role' }];
    const found = audit(evidence({ sources: [own, failed], copies, companions: ['111122223333'], unseen }));
    expect(found.findings.map(({ severity, kind }) => `${severity} ${kind}`)).toEqual([
      'problem unseen-account',
      'problem missing',
    ]);
    expect(found.findings[0]?.items).toEqual([{ account: '111122223333', copyIds: [], reason: 'no such role' }]);
    expect(found.volumes.map(({ volumeId }) => volumeId).toSorted()).toEqual(['vol-0123456789abcdef0', 'vol-0b']);

    const good = { sources: [own], copies, companions: ['111122223333'] };
    expect(audit(evidence({ ...good, unseen })).isProtected).toBe(false);
    expect(audit(evidence({ ...good, unseen })).unseenAccounts).toEqual([
      { account: '111122223333', why: 'no such role' },
    ]);
    // That it is not seen elsewhere matters to nobody here.
    const elsewhere = [{ account: '111122223333', region: 'us-west-2', why: 'no such role' }];
    expect(audit(evidence({ sources: [own], copies: [copyOf(own)], unseen: elsewhere })).isProtected).toBe(true);
  });

  it('counts by destination: verdicts, the volume furthest behind, and copies of others', () => {
    const [a, b, c] = [
      source(1, 20, { volumeId: 'vol-0a' }),
      source(2, 10, { volumeId: 'vol-0b' }),
      source(3, 90, { volumeId: 'vol-0c' }),
    ];
    const two = [rule({ destinations: [destination(), destination({ region: 'us-east-1' })] })];
    const { destinations } = audit(
      evidence({
        rules: two,
        sources: [a, b, c],
        copies: [
          copyOf(a),
          copyOf(b),
          copyOf(c),
          copyOf(a, { snapshotId: 'snap-0e', region: 'us-east-1' }),
          copyOf(a, { snapshotId: 'snap-0f', tags: { [COPIER_TAG.managed]: 'other' } }),
          copyOf(b, { snapshotId: 'snap-1f', tags: { [COPIER_TAG.managed]: 'other' } }),
          { ...copyOf(b), snapshotId: 'snap-3f', tags: {} },
          copyOf(b, { snapshotId: 'snap-2f', tags: { [COPIER_TAG.managed]: 'another' } }),
        ],
        volumes: new Map([['vol-0c', { exists: false }]]),
      }),
    );
    expect(destinations).toMatchObject([
      {
        destination: 'eu-central-1',
        snapshots: 3,
        volumes: 3,
        volumesBehind: 0,
        verdicts: { protected: 3 },
        oldest: { volumeId: 'vol-0a', dataTime: Date.parse(a.startTime) },
        otherInstalls: { another: 1, other: 2 },
      },
      {
        destination: 'us-east-1',
        verdicts: { protected: 1, missing: 2 },
        volumesBehind: 0,
        oldest: { volumeId: 'vol-0a' },
        otherInstalls: {},
      },
    ]);
    const behind = audit(evidence({ sources: [source(1, 30), source(2, 5)], copies: [copyOf(source(1, 30))] }));
    expect(behind.destinations).toMatchObject([
      { volumes: 1, volumesBehind: 1, oldest: { dataTime: NOW.getTime() - 30 * 3_600_000 } },
    ]);
    expect(Object.keys(destinations[0]?.otherInstalls ?? {})).toEqual(['another', 'other']);
  });
});

/** Snapshots of two volumes, and for each at each destination copies and a request as they come. */
const scene = fc
  .array(
    fc.record({
      ageHours: fc.integer({ min: 0, max: 900 }),
      volume: fc.constantFrom('vol-0a', 'vol-0b', 'vol-ffffffff'),
      backup: fc.constantFrom('nightly', 'never'),
      state: fc.constantFrom('completed' as const, 'pending' as const, 'error' as const),
      isArchived: fc.boolean(),
      copies: fc.array(
        fc.record({
          region: fc.constantFrom('eu-central-1', 'us-east-1'),
          state: fc.constantFrom('completed' as const, 'pending' as const, 'error' as const, 'recoverable' as const),
          install: fc.constantFrom(INSTALL, 'other'),
          mark: fc.constantFrom('copying', 'copied', 'failed'),
          encrypted: fc.boolean(),
        }),
        { maxLength: 3 },
      ),
      request: fc.option(fc.constantFrom<LedgerRequest['status']>('waiting', 'running', 'copied', 'failed', 'skipped')),
    }),
    { maxLength: 12 },
  )
  .chain((snapshots) =>
    fc.record({
      snapshots: fc.constant(snapshots),
      isLedgerKnown: fc.boolean(),
      rpoSeconds: fc.integer({ min: 60, max: 100 * 3600 }),
      wantsKey: fc.boolean(),
    }),
  )
  .map(({ snapshots, isLedgerKnown, rpoSeconds, wantsKey }) => {
    const made = snapshots.map(({ ageHours, volume, backup, state, isArchived, copies, request }, index) => {
      const of = source(index, ageHours, {
        volumeId: volume,
        state,
        storageTier: isArchived ? 'archive' : 'standard',
        tags: { Backup: backup },
      });
      return {
        of,
        copies: copies.map((copy, number) =>
          copyOf(of, {
            snapshotId: `snap-0c${index}-${number}`,
            region: copy.region,
            state: copy.state,
            encrypted: copy.encrypted,
            tags: { [COPIER_TAG.managed]: copy.install, [COPIER_TAG.state]: copy.mark },
          }),
        ),
        request: request === null ? [] : [requestFor(of, { status: request })],
      };
    });
    const encryption = wantsKey ? ({ kind: 'account-default' } as const) : ({ kind: 'as-source' } as const);
    return evidence({
      rules: [rule({ destinations: [destination({ encryption }), destination({ region: 'us-east-1' })] })],
      sources: made.map(({ of }) => of),
      copies: made.flatMap(({ copies }) => copies),
      ledger: isLedgerKnown
        ? { requests: made.flatMap(({ request }) => request), unreadable: new Set<string>() }
        : undefined,
      rpoSeconds,
    });
  });

describe('an audit, whatever there is', () => {
  it('has exactly one verdict for each selected snapshot at each destination', () => {
    fc.assert(
      fc.property(scene, (known) => {
        const wanted = known.sources
          .filter(
            ({ state, tags, startTime }) =>
              state === 'completed' && tags['Backup'] === 'nightly' && Date.parse(startTime) >= known.since.getTime(),
          )
          .flatMap(({ snapshotId }) => [`${snapshotId} eu-central-1`, `${snapshotId} us-east-1`]);
        const { pairs, destinations, volumes } = audit(known);
        expect(pairs.map((pair) => `${pair.source.snapshotId} ${destinationId(pair.destination)}`)).toEqual(wanted);
        expect(destinations.reduce((sum, { snapshots }) => sum + snapshots, 0)).toBe(pairs.length);
        expect(volumes.flatMap((volume) => volume.destinations.flatMap((each) => each.pairs))).toHaveLength(
          pairs.length,
        );
      }),
    );
  });

  it('never says protected without exactly one complete copy of this install that was not given up', () => {
    fc.assert(
      fc.property(scene, (known) => {
        for (const { source: of, destination: to, verdict } of audit(known).pairs) {
          const complete = known.copies.filter(
            ({ tags, state, region, encrypted }) =>
              tags[COPIER_TAG.sourceSnapshot] === of.snapshotId &&
              tags[COPIER_TAG.managed] === INSTALL &&
              tags[COPIER_TAG.state] !== 'failed' &&
              state === 'completed' &&
              region === to.region &&
              (to.encryption.kind === 'as-source' || encrypted),
          );
          expect(verdict === 'protected').toBe(complete.length === 1);
          expect(verdict === 'duplicate').toBe(complete.length > 1);
        }
      }),
    );
  });

  it('is protected only if no problem is found, and finds a problem otherwise', () => {
    fc.assert(
      fc.property(scene, (known) => {
        const { isProtected, findings, volumes } = audit(known);
        const problems = findings.filter(({ severity }) => severity === 'problem');
        expect(problems.length === 0).toBe(isProtected);
        expect(volumes.every(({ status }) => status === 'protected')).toBe(isProtected);
      }),
    );
  });
});
