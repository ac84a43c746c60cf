import { describe, expect, it } from 'vitest';
import {
  type ForeignEvidence,
  isReleased,
  problemsOfAccounts,
  summaryOfAccounts,
} from '../../../sandbox/demo/accounts-verdict.ts';
import { foreignRow, HOME, owned } from './foreign-rows.ts';

const claim = `snapshot-copier:share:copier-dev-for-${HOME}/eu-central-1`;
const done = { status: 'SUCCEEDED', copied: 100 } as const;
const older = owned('snap-11');
const newer = owned('snap-12');

const web = foreignRow({ ...done, snapshotId: 'snap-01', what: 'web' });
const stock = foreignRow({
  ...done,
  share: 'theirs',
  snapshotId: 'snap-02',
  what: 'stock',
  source: { sharedWith: [HOME] },
});
const ledger = foreignRow({
  ...done,
  share: 'intermediate',
  snapshotId: 'snap-03',
  what: 'ledger',
  intermediates: [newer],
});
const mail = foreignRow({ status: 'FAILED', share: 'none', snapshotId: 'snap-04', what: 'mail' });
const GOOD = [web, stock, ledger, mail];

const EVIDENCE: ForeignEvidence = {
  shares: new Map([
    ['snap-01', { made: 1, takenBack: 1 }],
    ['snap-02', { made: 1, takenBack: 0 }],
    ['snap-12', { made: 1, takenBack: 1 }],
  ]),
  pair: [
    { whenCopied: [older], hoursLater: [] },
    { whenCopied: [newer], hoursLater: [newer] },
  ],
  isNewerIncremental: true,
  refusals: { ofBus: 'AccessDeniedException', ofFunction: ['one', 'two'] },
  copiesOfDecoy: 0,
  stuck: 0,
};

function withShares(...changed: readonly (readonly [string, { made: number; takenBack: number }])[]): ForeignEvidence {
  return { ...EVIDENCE, shares: new Map([...EVIDENCE.shares, ...changed]) };
}

describe('the verdict about other accounts', () => {
  it('finds nothing wrong where all is as it must be', () => {
    expect(problemsOfAccounts(GOOD, EVIDENCE)).toEqual([]);
  });

  it.each<[string, ForeignEvidence, readonly string[]]>([
    [
      'a share of the service that was never made',
      withShares(['snap-01', { made: 0, takenBack: 0 }]),
      [
        'snap-01 of 111122223333 (web): it was never shared',
        'snap-01 of 111122223333 (web): its share was not taken back',
      ],
    ],
    [
      'a share of an owner that the service took back and made again',
      withShares(['snap-02', { made: 2, takenBack: 1 }]),
      [
        'snap-02 of 111122223333 (stock): its owner shared it once, and it was shared 2 times',
        'snap-02 of 111122223333 (stock): the share of its owner was taken back',
      ],
    ],
    [
      'a source that was shared beside its intermediate copy',
      withShares(['snap-03', { made: 1, takenBack: 1 }]),
      ['snap-03 of 111122223333 (ledger): it was shared'],
    ],
    [
      'a source that was shared where nothing was to be',
      withShares(['snap-04', { made: 1, takenBack: 1 }]),
      ['snap-04 of 111122223333 (mail): it was shared'],
    ],
  ])('sees %s', (_, evidence, problems) => {
    expect(problemsOfAccounts(GOOD, evidence)).toEqual(problems);
  });

  it('sees what was left behind on a snapshot', () => {
    const left = foreignRow({
      ...done,
      snapshotId: 'snap-01',
      source: { sharedWith: [HOME], tags: new Map([[claim, 'x']]) },
    });
    expect(problemsOfAccounts([left], EVIDENCE)).toEqual([
      `snap-01 of 111122223333 (web): left behind on it: ${claim}`,
      'snap-01 of 111122223333 (web): its share was not taken back',
    ]);
    const shared = foreignRow({
      ...done,
      share: 'intermediate',
      snapshotId: 'snap-03',
      source: { tags: new Map([['snapshot-copier:intermediate-by:copier-for-444455556666', 'x']]) },
      intermediates: [owned('snap-12', { sharedWith: [HOME] })],
    });
    expect(problemsOfAccounts([shared], EVIDENCE)).toEqual([
      'snap-03 of 111122223333 (web): left behind on it: snapshot-copier:intermediate-by:copier-for-444455556666',
      'snap-03 of 111122223333 (web): the share of its intermediate copy was not taken back',
    ]);
  });

  it.each<[string, Partial<ForeignEvidence>, readonly string[]]>([
    [
      'two intermediate copies of one source',
      {
        pair: [
          { whenCopied: [older, owned('snap-13')], hoursLater: [] },
          { whenCopied: [newer], hoursLater: [newer] },
        ],
      },
      ['expected one intermediate copy for each, found 2 and 1'],
    ],
    [
      'an intermediate copy too many and one too few in the end',
      {
        pair: [
          { whenCopied: [older], hoursLater: [older] },
          { whenCopied: [newer], hoursLater: [] },
        ],
      },
      [
        'the older intermediate copy, which nobody needs, was left behind',
        'the newer intermediate copy, which the next one needs, is gone',
      ],
    ],
    [
      'a full copy',
      { isNewerIncremental: false },
      ['of the second snapshot under aws/ebs everything was copied again'],
    ],
    [
      'forged events that were believed',
      { refusals: { ofBus: undefined, ofFunction: ['one'] }, copiesOfDecoy: 1 },
      [
        'the bus took the event of a stranger (no error)',
        '2 forged events reached the function, it refused 1',
        'a forged event had EC2 asked for 1 copies',
      ],
    ],
    ['events that are stuck', { stuck: 3 }, ['3 events could not be processed']],
  ])('sees %s', (_, change, problems) => {
    expect(problemsOfAccounts(GOOD, { ...EVIDENCE, ...change })).toEqual(problems);
  });

  it('waits until shares and claims are gone, but not for those of owners', () => {
    expect(isReleased(GOOD)).toBe(true);
    expect(isReleased([foreignRow({ ...done, source: { sharedWith: [HOME] } })])).toBe(false);
    expect(isReleased([foreignRow({ ...done, source: { tags: new Map([[claim, 'x']]) } })])).toBe(false);
  });

  it('says what was measured', () => {
    expect(summaryOfAccounts(GOOD, EVIDENCE)).toEqual([
      '4 snapshots of 1 accounts: 2 shares made and taken back, 1 of owners kept;',
      '  2 re-encrypted there first, 1 of which is kept for the next of its volume;',
      '  of the second one only what had changed was copied here;',
      '  3 forged events: 1 refused by the bus, 2 by the service, and nothing copied.',
    ]);
  });
});
