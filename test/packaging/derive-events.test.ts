import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRules } from '../../core/rules.ts';
import { selectDestinations } from '../../core/selection.ts';
import { snapshotEventPatterns } from '../../packaging/derive-events.ts';
import { compilePattern } from '../../sandbox/events/pattern.ts';
import { rightDocument, snapshotsFor } from '../core/rules-documents.ts';

const patternsFor = (...selects: object[]) =>
  snapshotEventPatterns(
    parseRules({
      rules: selects.map((select, index) => ({ name: `r${index}`, select, destinations: [{ region: 'us-east-1' }] })),
    }),
  );

const notification = { source: ['aws.ec2'], 'detail-type': ['EBS Snapshot Notification'] };
const volumeSet = { source: ['aws.ec2'], 'detail-type': ['EBS Multi-Volume Snapshots Completion Status'] };
const created = { event: ['createSnapshot'], result: ['succeeded'] };
const setCreated = { event: ['createSnapshots'], result: ['succeeded'] };
const shared = { event: ['shareSnapshot'], result: ['succeeded'] };
const ofOwnSnapshots = [
  { ...notification, detail: created },
  { ...volumeSet, detail: setCreated },
];

describe('the event patterns', () => {
  it('of a rule for everything take every snapshot that succeeded', () => {
    expect(patternsFor({})).toEqual([...ofOwnSnapshots, { ...notification, detail: shared }]);
  });

  it('leave shares out if no rule can take them', () => {
    expect(patternsFor({ owners: ['self'] })).toEqual(ofOwnSnapshots);
    expect(patternsFor({ tags: { Backup: true } })).toEqual(ofOwnSnapshots);
    expect(patternsFor({ tags: { Backup: true }, owners: ['self', '111122223333'] })).toEqual(ofOwnSnapshots);
  });

  it('take shares of the listed accounts only, however the event writes them', () => {
    expect(patternsFor({ owners: ['self', '111122223333'] }, { owners: ['012345678901'], description: 'x' })).toEqual([
      ...ofOwnSnapshots,
      {
        ...notification,
        detail: { ...shared, source: ['012345678901', '12345678901', 12345678901, '111122223333', 111122223333] },
      },
    ]);
    expect(patternsFor({ owners: ['111122223333'] }, {}).at(-1)).toEqual({ ...notification, detail: shared });
  });

  it('take own snapshots only in a listed account, if no rule says self: one of the list may be the own account', () => {
    const account = ['111122223333', '444455556666'];
    expect(patternsFor({ owners: ['444455556666'] }, { owners: ['111122223333'], tags: { Backup: true } })).toEqual([
      { ...notification, account, detail: created },
      { ...volumeSet, account, detail: setCreated },
      { ...notification, detail: { ...shared, source: ['444455556666', 444455556666] } },
    ]);
  });

  it('are never narrower than the rules, and no event matches two of them', () => {
    fc.assert(
      fc.property(
        rightDocument.chain((document) => snapshotsFor(document).map((found) => ({ document, ...found }))),
        ({ document, snapshot, home }) => {
          const rules = parseRules(document);
          const wanted = selectDestinations(snapshot, rules, home).some(({ action }) => action === 'copy');
          const patterns = snapshotEventPatterns(rules);
          for (const event of eventsAbout(snapshot.ownerId, home.account)) {
            const hits = patterns.filter((pattern) => compilePattern(pattern)(event)).length;
            expect(hits).toBeLessThanOrEqual(1);
            if (wanted) expect(hits).toBe(1);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

/** The parts of the events by which the account can hear of a complete snapshot that a pattern can see. */
function eventsAbout(owner: string, account: string): readonly Readonly<Record<string, unknown>>[] {
  if (owner === account) {
    return [
      {
        source: 'aws.ec2',
        'detail-type': 'EBS Snapshot Notification',
        account,
        detail: { event: 'createSnapshot', result: 'succeeded', source: 'arn:aws:ec2::eu-west-1:volume/vol-1' },
      },
      {
        source: 'aws.ec2',
        'detail-type': 'EBS Multi-Volume Snapshots Completion Status',
        account,
        detail: { event: 'createSnapshots', result: 'succeeded' },
      },
    ];
  }
  return [owner, Number(owner), String(Number(owner))].map((source) => ({
    source: 'aws.ec2',
    'detail-type': 'EBS Snapshot Notification',
    account,
    detail: { event: 'shareSnapshot', result: 'succeeded', source },
  }));
}
