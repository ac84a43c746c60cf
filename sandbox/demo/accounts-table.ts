import { styleText } from 'node:util';
import Table from 'cli-table3';
import { progressBar } from '../../cli/progress-bar.ts';
import type { ForeignCopy } from './accounts-scenario.ts';
import type { Row } from './observer.ts';
import type { Line } from './screen.ts';
import type { OwnedSnapshot, SourceView } from './source-observer.ts';
import { COLOURS, elapsed, shortened, stateOf } from './table.ts';

/** One expected copy: what can be seen of it at home, and of its source where that is. */
export interface ForeignRow extends Row {
  readonly expected: ForeignCopy;
  readonly there: SourceView;
  /** Of the account that the service is in. */
  readonly home: string;
}

/** The longest texts of columns that change: a column that grew would make the table jump. */
const LONGEST = { happening: 24, result: 22, shortResult: 18 } as const;

/**
 * The live table: whose snapshot, under which key, where to, and how far it is.
 *
 * @param columns how wide the terminal is: a narrow one gets shorter ids, then fewer columns.
 */
export function drawAccounts(rows: readonly ForeignRow[], now: Date, columns: number): string {
  const [isWidest, isWide, isNarrow] = [columns >= 143, columns >= 133, columns < 104];
  const id = isWide ? (text: string) => text : shortened;
  const shown: readonly (readonly [head: string, cell: (row: ForeignRow) => string])[] = [
    ...(isWide ? [['Snapshot', ({ expected }: ForeignRow) => expected.snapshotId] as const] : []),
    ['What', ({ expected }) => expected.what],
    ['Owner', ({ expected: { owner } }) => (isNarrow ? `…${owner.slice(-4)}` : owner)],
    ['Key', ({ expected }) => keyOf(expected)],
    ['Destination', ({ expected }) => expected.destination],
    [
      'What happens',
      (row) => styleText(COLOURS[stateOf(row)], (isNarrow ? inBrief(row) : happening(row)).padEnd(LONGEST.happening)),
    ],
    ...(isWidest ? [['Elapsed', (row: ForeignRow) => elapsed(row, now)] as const] : []),
    ...(isNarrow
      ? []
      : [
          [
            'Result',
            (row: ForeignRow) => resultOf(row, id).padEnd(isWide ? LONGEST.result : LONGEST.shortResult),
          ] as const,
        ]),
  ];
  const table = new Table({
    head: shown.map(([head]) => head),
    style: { head: ['bold'], border: ['gray'], compact: true },
  });
  for (const row of rows) table.push(shown.map(([, cell]) => cell(row)));
  return table.toString();
}

/** The same for a log, which progress alone is not worth a line. */
export function describeForeignRow(row: ForeignRow): Line {
  const { snapshotId, what, owner, destination } = row.expected;
  const doing = happening(row).replace(/ [█░]* *\d+ %$/, '');
  const line =
    `${owner} ${snapshotId} -> ${destination.padEnd(12)} ${what.padEnd(11)} ${doing} ${resultOf(row)}`.trimEnd();
  return { line, news: line };
}

/** How far it is, in a few words: what happens where the source is, then the copy. */
export function happening(row: ForeignRow): string {
  const { share } = row.expected;
  switch (stateOf(row)) {
    case 'waiting':
      return row.there.source?.state === 'completed' ? 'waits' : 'is being taken';
    case 'running':
      if (isSharedWithHome(row)) return share === 'theirs' ? 'shared by its owner' : 'shared';
      return share === 'intermediate' ? reencrypting(row.there.intermediates) : 'seen';
    case 'copying':
      return `copying ${progressBar(Math.max(0, ...row.copies.map(({ progressPercent }) => progressPercent)))}`;
    case 'copied':
      return `copied${endOfShare(row)}`;
    case 'failed':
      return `failed${endOfShare(row)}`;
  }
}

/** The same where there is no room for a result: of what failed, why. */
function inBrief(row: ForeignRow): string {
  return stateOf(row) === 'failed' && row.alerts.length > 0 ? `told: ${resultOf(row)}` : happening(row);
}

function endOfShare(row: ForeignRow): string {
  const isShared = isSharedWithHome(row);
  switch (row.expected.share) {
    case 'none':
      return ', never shared';
    case 'theirs':
      return isShared ? ', their share kept' : '';
    case 'ours':
    case 'intermediate':
      return isShared ? '' : ', share taken back';
  }
}

function reencrypting(intermediates: readonly OwnedSnapshot[]): string {
  const pending = intermediates.find(({ state }) => state === 'pending');
  if (pending !== undefined) return `re-encrypted there ${progressBar(pending.progressPercent, 0)}`;
  return intermediates.length === 0 ? 'seen' : 're-encrypted there';
}

/** Whether the service can read the source, or its intermediate copy. */
export function isSharedWithHome({ there: { source, intermediates }, home }: ForeignRow): boolean {
  return [source, ...intermediates].some((each) => each?.sharedWith.includes(home));
}

function resultOf(row: ForeignRow, id = (text: string) => text): string {
  const { copies, alerts } = row;
  return stateOf(row) === 'copied'
    ? copies.map(({ copyId }) => id(copyId)).join(' ')
    : alerts.map(({ reason }) => reason).join(' ');
}

function keyOf({ sourceKey }: ForeignCopy): string {
  return sourceKey?.replace('alias/', '') ?? 'none';
}
