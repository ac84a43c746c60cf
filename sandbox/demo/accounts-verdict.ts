import { ANNOUNCEMENT, claimsFor } from '../../core/source-account.ts';
import { type ForeignRow, isSharedWithHome } from './accounts-table.ts';
import type { Refusals } from './forgeries.ts';
import type { OwnedSnapshot } from './source-observer.ts';

/** What the rows do not show, looked up when all is over. */
export interface ForeignEvidence {
  /** By EC2's own record: how often each snapshot was shared, and how often that was taken back. */
  readonly shares: ReadonlyMap<string, ShareCount>;
  /** Of two snapshots under `aws/ebs` of one volume: their intermediate copies. */
  readonly pair: readonly [older: IntermediateTwice, newer: IntermediateTwice];
  /** Whether EC2 said of the newer one's copy at home that it moved only what had changed. */
  readonly isNewerIncremental: boolean;
  readonly refusals: Refusals;
  /** How often EC2 was asked for a copy of what the forged events were about. */
  readonly copiesOfDecoy: number;
  /** Events that no function could process. */
  readonly stuck: number;
}

export interface ShareCount {
  readonly made: number;
  readonly takenBack: number;
}

/** The intermediate copies of a source, at two times. */
export interface IntermediateTwice {
  readonly whenCopied: readonly OwnedSnapshot[];
  /** When nobody can need that of the older one any more. */
  readonly hoursLater: readonly OwnedSnapshot[];
}

const NO_SHARES: ShareCount = { made: 0, takenBack: 0 };

/** Is everything over in the other accounts, too: shares that the service made, and what it notes on snapshots? */
export function isReleased(rows: readonly ForeignRow[]): boolean {
  return rows.every((row) => notesIn(row).length === 0 && (row.expected.share === 'theirs' || !isSharedWithHome(row)));
}

/** Everything about the other accounts that is not as it had to be; empty = the promise was kept. */
export function problemsOfAccounts(rows: readonly ForeignRow[], evidence: ForeignEvidence): readonly string[] {
  const { pair, refusals, copiesOfDecoy, stuck } = evidence;
  const refused = refusals.ofFunction.length;
  return [
    ...rows.flatMap((row) =>
      problemsOfShare(row, evidence.shares).map(
        (problem) => `${row.expected.snapshotId} of ${row.expected.owner} (${row.expected.what}): ${problem}`,
      ),
    ),
    ...problemsOfPair(pair),
    ...(evidence.isNewerIncremental ? [] : ['of the second snapshot under aws/ebs everything was copied again']),
    ...(refusals.ofBus === 'AccessDeniedException'
      ? []
      : [`the bus took the event of a stranger (${refusals.ofBus ?? 'no error'})`]),
    ...(refused === 2 ? [] : [`2 forged events reached the function, it refused ${refused}`]),
    ...(copiesOfDecoy === 0 ? [] : [`a forged event had EC2 asked for ${copiesOfDecoy} copies`]),
    ...(stuck === 0 ? [] : [`${stuck} events could not be processed`]),
  ];
}

/** What was measured, in lines that fit a narrow terminal. */
export function summaryOfAccounts(rows: readonly ForeignRow[], evidence: ForeignEvidence): readonly string[] {
  const sources = new Set(rows.map(({ expected }) => expected.snapshotId));
  const owners = new Set(rows.map(({ expected }) => expected.owner));
  const kept = new Set(
    rows.filter(({ expected }) => expected.share === 'theirs').map((row) => row.expected.snapshotId),
  );
  const [older, newer] = evidence.pair;
  const shared = [...evidence.shares].filter(([id, { made }]) => made > 0 && !kept.has(id)).length;
  const made = older.whenCopied.length + newer.whenCopied.length;
  const left = older.hoursLater.length + newer.hoursLater.length;
  return [
    `${sources.size} snapshots of ${owners.size} accounts: ${shared} shares made and taken back, ${kept.size} of owners kept;`,
    `  ${made} re-encrypted there first, ${left} of which is kept for the next of its volume;`,
    '  of the second one only what had changed was copied here;',
    `  3 forged events: 1 refused by the bus, ${evidence.refusals.ofFunction.length} by the service, and nothing copied.`,
  ];
}

function problemsOfShare(row: ForeignRow, shares: ReadonlyMap<string, ShareCount>): readonly string[] {
  const { expected } = row;
  const { made, takenBack } = shares.get(expected.snapshotId) ?? NO_SHARES;
  const isShared = isSharedWithHome(row);
  const never = made === 0 ? [] : ['it was shared'];
  const notes = notesIn(row);
  const left = notes.length === 0 ? [] : [`left behind on it: ${notes.join(', ')}`];
  switch (expected.share) {
    case 'ours':
      return [
        ...left,
        ...(made > 0 ? [] : ['it was never shared']),
        ...(isShared || takenBack === 0 ? ['its share was not taken back'] : []),
      ];
    case 'theirs':
      return [
        ...left,
        ...(made === 1 ? [] : [`its owner shared it once, and it was shared ${made} times`]),
        ...(isShared && takenBack === 0 ? [] : ['the share of its owner was taken back']),
      ];
    case 'intermediate':
      return [...left, ...never, ...(isShared ? ['the share of its intermediate copy was not taken back'] : [])];
    case 'none':
      return [...left, ...never];
  }
}

function problemsOfPair(pair: ForeignEvidence['pair']): readonly string[] {
  const [older, newer] = pair;
  const made = [older, newer].map(({ whenCopied }) => whenCopied.length);
  return [
    ...(made.every((count) => count === 1)
      ? []
      : [`expected one intermediate copy for each, found ${made.join(' and ')}`]),
    ...(older.hoursLater.length === 0 ? [] : ['the older intermediate copy, which nobody needs, was left behind']),
    ...(newer.hoursLater.length === 1 ? [] : ['the newer intermediate copy, which the next one needs, is gone']),
  ];
}

/** What the service writes on a source, or on its intermediate copy, for as long as it needs it. */
function notesIn({ there: { source, intermediates }, home }: ForeignRow): readonly string[] {
  return [...(source === undefined ? [] : [source]), ...intermediates].flatMap(({ snapshotId, tags: written }) => {
    const tags = Object.fromEntries(written);
    return [
      ...claimsFor(home, { snapshotId, tags }),
      ...Object.keys(tags).filter((key) => key.startsWith(ANNOUNCEMENT)),
    ];
  });
}
