import { styleText } from 'node:util';
import Table from 'cli-table3';
import { progressBar } from '../../cli/progress-bar.ts';
import { minutesAndSeconds } from './clock-face.ts';
import type { Row } from './observer.ts';

/**
 * The live table: each snapshot, its destination, state, progress, elapsed, result.
 *
 * @param columns how wide the terminal is: a narrow one gets shorter ids, and in the end no bars.
 */
export function drawTable(rows: readonly Row[], now: Date, columns: number): string {
  const [isWide, isNarrow] = [columns >= 126, columns < 104];
  const id = isWide ? (text: string) => text : shortened;
  const shown: readonly (readonly [head: string, cell: (row: Row) => string])[] = [
    ...(isNarrow ? [] : [['Snapshot', (row: Row) => id(row.expected.snapshotId)] as const]),
    ['What', ({ expected }) => expected.what],
    ['Destination', ({ expected }) => expected.destination],
    ['State', (row) => colour(stateOf(row))],
    ['Progress', (row) => progress(row, isNarrow ? 0 : undefined)],
    ['Elapsed', (row) => elapsed(row, now)],
    ['Result', (row) => (isNarrow && row.alerts.length > 0 ? 'alert' : resultOf(row, id))],
  ];
  const table = new Table({
    head: shown.map(([head]) => head),
    style: { head: ['bold'], border: ['gray'], compact: true },
  });
  for (const row of rows) table.push(shown.map(([, cell]) => cell(row)));
  return table.toString();
}

/** `snap-0bb84c953e039592a` as `snap-…9592a`. */
export function shortened(id: string): string {
  return id.replace(/^(snap-).*(.{5})$/, '$1…$2');
}

/** The same for a log: one line, the same for as long as nothing but time has changed. */
export function describeRow(row: Row): string {
  const { snapshotId, what, destination } = row.expected;
  return `${snapshotId} -> ${destination.padEnd(12)} ${stateOf(row).padEnd(9)} ${resultOf(row) || what}`;
}

type RowState = 'waiting' | 'running' | 'copying' | 'copied' | 'failed';

export const COLOURS = { waiting: 'gray', running: 'cyan', copying: 'cyan', copied: 'green', failed: 'red' } as const;

export function stateOf({ status, copies }: Row): RowState {
  switch (status) {
    case undefined:
      return 'waiting';
    case 'SUCCEEDED':
      return 'copied';
    case 'RUNNING':
      return copies.length === 0 ? 'running' : 'copying';
    default:
      return 'failed';
  }
}

function resultOf(row: Row, id = (text: string) => text): string {
  switch (stateOf(row)) {
    case 'copied':
      return row.copies.map(({ copyId }) => id(copyId)).join(' ');
    case 'failed':
      return row.alerts.map(({ reason }) => reason).join(' ');
    default:
      return '';
  }
}

function progress(row: Row, cells: number | undefined): string {
  const state = stateOf(row);
  if (state === 'failed' || state === 'waiting') return '';
  const percent = state === 'copied' ? 100 : Math.max(0, ...row.copies.map(({ progressPercent }) => progressPercent));
  return progressBar(percent, cells);
}

/** Time of the sandbox, which runs faster than ours. */
export function elapsed({ started, stopped }: Row, now: Date): string {
  if (started === undefined) return '';
  return minutesAndSeconds(started, stopped ?? now);
}

function colour(state: RowState): string {
  return styleText(COLOURS[state], state);
}
