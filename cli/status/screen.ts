import { styleText } from 'node:util';
import { prose } from '../../core/alert-layout.ts';
import { drawTable } from '../table.ts';
import type { Section } from './sections.ts';

/** What stands above and below the sections. */
export interface Frame {
  readonly title: string;
  /** Warnings, which must be seen. */
  readonly notes: readonly string[];
  readonly foot: readonly string[];
}

/** A section keeps at least so many of its rows, as long as there is room at all. */
const ROWS_AT_LEAST = 3;
/** A long text below takes so many lines at most. */
const FOOT_LINES = 2;
const NOTE_LINES = 3;

/**
 * As much as fits into a terminal: lines are cut at its width, and of long tables the first rows are shown, and how many
 * more there are.
 *
 * @param height of the terminal; one line of it is the cursor's
 */
export function drawScreen(sections: readonly Section[], frame: Frame, width: number, height: number): string {
  const notes = frame.notes.flatMap((note) => wrapped(note, width, NOTE_LINES));
  const foot = frame.foot.flatMap((line) => wrapped(line, width, FOOT_LINES));
  const rows = rowsThatFit(sections, height - 2 - notes.length - foot.length);
  const lines = [
    styleText('bold', cut(frame.title, width)),
    ...notes.map((note) => styleText('yellow', note)),
    ...sections.flatMap((section, index) => drawSection(section, rows[index] ?? 0, width)),
    ...foot.map((line) => styleText('gray', line)),
  ];
  return lines.slice(0, height - 1).join('\n');
}

function wrapped(text: string, width: number, most: number): readonly string[] {
  const lines = prose(text, width).split('\n');
  const kept = lines.slice(0, most - 1);
  const rest = lines.slice(most - 1).join(' ');
  return [...kept, ...(rest === '' ? [] : [rest])].map((line) => cut(line, width));
}

/** Above its rows a section has an empty line, if it is not the first, and its head. */
function linesAround({ below }: Section, index: number): number {
  return (index === 0 ? 0 : 1) + 1 + below.length;
}

/**
 * How many rows of each section fit: a few of each, in turns, and then the rest from the first section whose rows are
 * many. The line that counts those left out takes the place of a row.
 */
function rowsThatFit(sections: readonly Section[], lines: number): readonly number[] {
  let left = lines - sections.reduce((sum, section, index) => sum + linesAround(section, index), 0);
  const given = sections.map(() => 0);
  const give = (index: number, most: number): void => {
    const has = given[index] ?? 0;
    const more = Math.max(0, Math.min(most, sections[index]?.rows.length ?? 0, has + left) - has);
    given[index] = has + more;
    left -= more;
  };
  for (let rows = 1; rows <= ROWS_AT_LEAST; rows++) for (const index of sections.keys()) give(index, rows);
  for (const index of sections.keys()) give(index, Number.POSITIVE_INFINITY);
  return given;
}

const COLOUR = { plain: undefined, running: 'cyan', waiting: 'gray', failed: 'red' } as const;

function drawSection({ head, rows, align, tone, below }: Section, lines: number, width: number): readonly string[] {
  const shown = lines >= rows.length ? rows : rows.slice(0, Math.max(0, lines - 1));
  const more = rows.length - shown.length;
  const [heading = '', ...body] = drawTable(
    head,
    shown.length === 0 ? rows.slice(0, 1) : shown,
    align,
    undefined,
  ).split('\n');
  const colour = COLOUR[tone];
  const painted = (line: string) => (colour === undefined ? line : styleText(colour, line));
  return [
    ...(tone === 'plain' ? [] : ['']),
    styleText('bold', cut(heading, width)),
    ...body.slice(0, shown.length).map((line) => painted(cut(line, width))),
    ...(more > 0 && lines > 0 ? [painted(cut(`… and ${new Intl.NumberFormat('en').format(more)} more`, width))] : []),
    ...below.map((line) => cut(line, width)),
  ];
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
