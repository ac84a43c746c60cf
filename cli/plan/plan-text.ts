import { stripVTControlCharacters } from 'node:util';
import { prose } from '../../core/alert-layout.ts';
import { PRICES_AS_OF } from '../../core/copy-cost.ts';
import { destinationId } from '../../core/destination.ts';
import type { Assumptions, PlanAction, PlanRow } from '../../core/plan.ts';
import type { Intermediate } from '../../core/plan-intermediates.ts';
import {
  type IntermediateTotal,
  type PlanTotal,
  pricedWays,
  totalOf,
  totalsByDestination,
  type WorkTotal,
} from '../../core/plan-totals.ts';
import type { Terminal } from '../terminal.ts';
import { count } from '../words.ts';

/** Where the rules stand: `copy-rules.yml:12`, by the name of a rule. */
export type RuleLine = (name: string) => string | undefined;

/** In the order in which people ask. */
const ORDER: readonly PlanAction[] = [
  'copy',
  'unshareable',
  'running',
  'waiting',
  'failed',
  'exists',
  'dry-run',
  'skipped',
];

/** On a terminal so many lines are shown at most, or so many of each action if there are more. */
const ALL_LINES = 30;
const LINES_OF_ACTION = 8;

/**
 * The rows by action, oldest first. Unless all are asked for, what is skipped for the same reason is one line, and a
 * terminal has no more lines than somebody can look at.
 */
export function printRows(
  terminal: Terminal,
  rows: readonly PlanRow[],
  lineOf: RuleLine,
  { all }: { readonly all: boolean },
): void {
  const byAction = Map.groupBy(rows, ({ action }) => action);
  const lines = ORDER.map((action) => {
    const those = byAction.get(action) ?? [];
    return {
      action,
      lines: action === 'skipped' && !all ? skippedLines(those, lineOf) : those.map((row) => line(row, lineOf)),
    };
  });
  const total = lines.reduce((sum, each) => sum + each.lines.length, 0);
  const limit = all || !terminal.isLive || total <= ALL_LINES ? Number.POSITIVE_INFINITY : LINES_OF_ACTION;
  printLines(
    terminal,
    lines.flatMap((each) => each.lines.slice(0, limit)),
  );
  const left = lines.flatMap((each) => {
    const more = each.lines.length - limit;
    return more > 0 ? [`${whole(more)} × ${each.action}`] : [];
  });
  if (left.length > 0) terminal.print(`… and more: ${left.join(', ')}. --all shows them, --json has everything.`);
}

const HEAD = ['WHAT', 'SNAPSHOT', 'TO', 'GIB', 'HOW'];
const ALIGNMENT = [undefined, undefined, undefined, 'right'] as const;
/** Reasons are sentences; in a narrower column nobody can read them. */
const NARROWEST_WHY = 40;
const HANGING = '    ';

/** Where the terminal has no room for the reasons in a column, each stands below its row. */
function printLines(terminal: Terminal, lines: readonly Line[]): void {
  const withoutWhy = lines.map((cells) => cells.slice(0, HEAD.length));
  const [head = '', ...drawn] = terminal.drawTable(HEAD, withoutWhy, ALIGNMENT).split('\n');
  if (!terminal.isLive || widest(drawn) + NARROWEST_WHY <= terminal.width) {
    terminal.table([...HEAD, 'WHY'], lines, ALIGNMENT);
    return;
  }
  const below = (why: string) => prose(why, terminal.width - HANGING.length).replaceAll(/^/gm, HANGING);
  const told = drawn.map((row, index) => `${row}\n${below(lines[index]?.at(-1) ?? '')}`);
  terminal.print([head, ...told].join('\n'));
}

function widest(lines: readonly string[]): number {
  return Math.max(...lines.map((each) => each.length));
}

type Line = readonly string[];

function line(row: PlanRow, lineOf: RuleLine): Line {
  const { action, source, destination, work } = row;
  const how = work === undefined ? '' : work.moves === 'all' ? 'full' : 'incremental';
  const gib = work === undefined ? '' : size(work.gib);
  return [action, source.snapshotId, destinationId(destination), gib, how, whyOf(row, lineOf)];
}

function skippedLines(rows: readonly PlanRow[], lineOf: RuleLine): readonly Line[] {
  const groups = Map.groupBy(
    rows.map((row) => line(row, lineOf)),
    ([, , to, , , why]) => `${to} ${why}`,
  );
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group;
    if (first === undefined || others.length === 0) return group;
    return [first.map((cell, column) => (column === 1 ? count(group.length, 'snapshot') : cell))];
  });
}

/** What it comes to, and what that rests on. */
export function printTotals(terminal: Terminal, rows: readonly PlanRow[], assumptions: Assumptions): void {
  const totals = totalsByDestination(rows);
  const together = totalOf(rows);
  const withUnshareable = together.rows.unshareable > 0;
  const head = [...TOTALS, ...(withUnshareable ? ['UNSHAREABLE'] : [])];
  const lines = [...totals].map(([id, total]) => totalLine(id, total, withUnshareable));
  if (totals.size > 1) lines.push(totalLine('together', together, withUnshareable));
  const right = [undefined, ...Array<'right'>(head.length - 1).fill('right')];
  const all = terminal.drawTable(head, lines, right);
  if (!terminal.isLive || widest(stripVTControlCharacters(all).split('\n')) <= terminal.width) {
    terminal.print(all);
  } else {
    // What it comes to, and below that what is there already.
    const part = (columns: (cells: readonly string[]) => readonly string[]) =>
      terminal.drawTable(columns(head), lines.map(columns), right);
    terminal.print(part((cells) => cells.slice(0, COST_COLUMNS)));
    terminal.print(`\n${part(([to = '', ...cells]) => [to, ...cells.slice(COST_COLUMNS - 1)])}`);
  }
  for (const [what, { intermediates }] of [
    ['to be copied', together.toCopy],
    ['under way', together.underWay],
  ] as const) {
    if (intermediates.copies === 0) continue;
    terminal.print(`\nMade first, for what is ${what}: ${intermediatesInWords(intermediates)}.`);
  }
  if (rows.some(({ work }) => work !== undefined)) {
    terminal.print('');
    const width = Math.min(terminal.width, WIDEST_TEXT);
    terminal.print(
      assumptionsInWords(rows, assumptions)
        .map((line) => hanging(line, width))
        .join('\n'),
    );
  }
}

/** What is made on the way in source accounts. */
export function intermediatesInWords({ accounts, copies, gib, storagePerMonth, unpriced }: IntermediateTotal): string {
  const price = money(storagePerMonth, unpriced, { copies });
  return `${count(copies, 'full copy', 'full copies')} under a shareable key in account ${accounts.join(' and ')}, ${size(gib)} GiB, ${price} a month there while ${copies === 1 ? 'it is' : 'they are'} kept`;
}

/** Copies that would fail, and what helps. */
export function unshareableInWords(rows: readonly PlanRow[]): string {
  const those = rows.filter(({ action }) => action === 'unshareable');
  const accounts = [...new Set(those.map(({ source }) => source.ownerId))].toSorted().join(' and ');
  const rules = [...new Set(those.flatMap((row) => row.rules.map(({ name }) => name)))].join(' and ');
  const what = count(those.length, 'copy cannot be made', 'copies cannot be made');
  return `${what}, as account ${accounts} cannot share what is under aws/ebs: \`reencrypt: true\` in rule ${rules}, and Reencrypt=on for the companion there, have it copied under another key first.`;
}

const TOTALS = ['TO', 'COPY', 'FULL', 'GIB', 'ONCE', 'A MONTH', 'UNDER WAY', 'FAILED', 'EXIST', 'SKIPPED'];
const COST_COLUMNS = 6;

function totalLine(id: string, { rows, toCopy, underWay }: PlanTotal, withUnshareable: boolean): readonly string[] {
  return [
    id,
    whole(toCopy.copies),
    whole(toCopy.full),
    size(toCopy.gib),
    money(toCopy.cost.transfer + toCopy.cost.surcharge, toCopy.unpriced.transfer, toCopy),
    money(toCopy.cost.storagePerMonth, toCopy.unpriced.storage, toCopy),
    underWay.copies === 0 ? '0' : `${whole(underWay.copies)} (${size(underWay.gib)} GiB)`,
    whole(rows.failed),
    whole(rows.exists),
    whole(rows.skipped + rows['dry-run']),
    // Seldom, and then worth a column.
    ...(withUnshareable ? [whole(rows.unshareable)] : []),
  ];
}

function assumptionsInWords(rows: readonly PlanRow[], { changeRate }: Assumptions): readonly string[] {
  const rate = `${Number((100 * changeRate).toFixed(2))} %`;
  const ways = pricedWays(rows);
  const unknown = ways.some(({ prices }) => prices.transfer === undefined || prices.storage === undefined);
  const sizeUnknown = rows.filter(
    ({ work, source }) => work !== undefined && source.fullSizeBytes === undefined,
  ).length;
  return [
    'Assumptions, not a quotation:',
    `  GIB: a full copy moves every block that holds data, an incremental one the ${rate} that differ from the snapshot before (--change-rate).`,
    ...(sizeUnknown === 0
      ? []
      : [`  Of ${count(sizeUnknown, 'snapshot')} EC2 tells no size of the data: its volume’s size counts.`]),
    `  ONCE and A MONTH: US dollars, list prices as found in ${PRICES_AS_OF}, per GiB:`,
    ...ways.map(({ from, to, prices }) => {
      const parts = [
        `transfer ${dollars(prices.transfer)}`,
        ...(prices.surcharge === 0 ? [] : [`time-based surcharge ${dollars(prices.surcharge)}`]),
        `storage ${dollars(prices.storage)} a month`,
      ];
      return `    ${from} to ${to}: ${parts.join(', ')}`;
    }),
    ...(unknown ? ['  ? is a price that is not known here: give yours with --transfer-price or --storage-price.'] : []),
  ];
}

const WIDEST_TEXT = 92;

/** What follows of a line that is too long is as far to the right as its beginning. */
function hanging(line: string, width: number): string {
  const start = /^ */.exec(line)?.[0] ?? '';
  return prose(line.trimStart(), width - start.length).replaceAll(/^/gm, start);
}

function whyOf({ action, reason, rules, work }: PlanRow, lineOf: RuleLine): string {
  const place = (name: string) => {
    const line = lineOf(name);
    return line === undefined ? `rule ${name}` : line;
  };
  if (action === 'skipped') {
    const bySaying = Map.groupBy(rules, ({ says }) => says);
    return [...bySaying]
      .map(([says, those]) => `${says} (${those.map(({ name }) => place(name)).join(', ')})`)
      .join('; ');
  }
  const where = rules.length === 0 ? '' : ` (${rules.map(({ name }) => place(name)).join(', ')})`;
  const first = work?.intermediate === undefined ? '' : `; ${firstInWords(work.intermediate)}`;
  return `${reason}${where}${work === undefined ? '' : `; ${work.reason}`}${first}`;
}

function firstInWords({ is, account, gib }: Intermediate): string {
  const what = `under a shareable key in account ${account}`;
  if (is === 'toMake') return `first copied in full ${what}, ${size(gib)} GiB`;
  return is === 'shared' ? `first copied ${what}, once for all destinations` : `from its copy ${what}`;
}

function whole(number: number): string {
  return new Intl.NumberFormat('en').format(number);
}

/** Small ones with a decimal. What moves is never shown as nothing. */
export function size(gib: number): string {
  if (gib > 0 && gib < 0.05) return '<0.1';
  const digits = gib < 10 && gib > 0 ? 1 : 0;
  return new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(gib);
}

export function money(sum: number, unpriced: number, { copies }: Pick<WorkTotal, 'copies'>): string {
  if (unpriced > 0 && unpriced === copies) return '?';
  const digits = sum < 1000 ? 2 : 0;
  const number = new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `$${number.format(sum)}${unpriced > 0 ? ' + ?' : ''}`;
}

function dollars(price: number | undefined): string {
  return price === undefined ? '?' : `$${price}`;
}
