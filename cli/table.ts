import { stripVTControlCharacters, styleText } from 'node:util';
import Table from 'cli-table3';

export type Alignment = 'left' | 'right';

const NARROWEST_LAST_COLUMN = 24;
const GAP = 2;

/**
 * A table as text: columns, two spaces apart, without lines.
 *
 * @param width of the terminal: the last column is wrapped to fit; undefined = nowhere to fit, a row is a line
 */
export function drawTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly (Alignment | undefined)[],
  width: number | undefined,
): string {
  const widest = head.map((title, column) =>
    rows.reduce((most, row) => Math.max(most, lengthOf(row[column] ?? '')), Math.max(1, title.length)),
  );
  const before = widest.slice(0, -1).reduce((sum, each) => sum + each + GAP, 0);
  const last = widest.at(-1) ?? 0;
  const fitting = width === undefined ? last : Math.min(last, Math.max(NARROWEST_LAST_COLUMN, width - before));
  /** A column that is not the last holds its own gap, on the side that is free. */
  const withGaps = (row: readonly string[]): string[] =>
    row.map((cell, column) => (column < head.length - 1 && align[column] === 'right' ? `${cell}  ` : cell));
  const table = new Table({
    head: withGaps(head).map((title) => (width === undefined ? title : styleText('bold', title))),
    colAligns: head.map((_, column) => align[column] ?? 'left'),
    colWidths: widest.map((each, column) => (column === widest.length - 1 ? fitting : each + GAP)),
    wordWrap: true,
    wrapOnWordBoundary: true,
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) table.push(withGaps(row));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Of the longest line, as it is seen: without the codes of colours. */
function lengthOf(cell: string): number {
  return Math.max(...cell.split('\n').map((line) => stripVTControlCharacters(line).length));
}

const NO_LINES = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
    .map((name) => [name, '']),
);
