import { prose } from '../../core/alert-layout.ts';
import type { Install } from '../../core/install.ts';
import type { Terminal } from '../terminal.ts';
import { count, inMinutes } from '../words.ts';
import type { Seen } from './look.ts';
import { basisOf, type Section, sectionsOf } from './sections.ts';

/** So many rows of a table at most where somebody looks, if not all are asked for. */
const ROWS = 20;

/** The whole status, once. */
export function printStatus(
  terminal: Terminal,
  seen: Seen,
  install: Install,
  { all }: { readonly all: boolean },
): void {
  for (const warning of warningsOf(seen)) terminal.tell(warning);
  terminal.print(`${titleOf(install)}, ${inMinutes(seen.status.at)}\n`);
  for (const section of sectionsOf(seen, { width: terminal.width, isTight: terminal.isLive })) {
    if (section.title !== '') terminal.print(`\n${section.title}:`);
    printSection(terminal, section, all ? Number.POSITIVE_INFINITY : ROWS);
  }
  for (const line of closingOf(seen)) terminal.print(`\n${terminal.isLive ? prose(line, terminal.width) : line}`);
}

/** What cannot be read or looked at. */
export function warningsOf({ gaps, unreadable }: Seen): readonly string[] {
  return [
    ...gaps.map((gap) => `${gap}`),
    ...unreadable.map(
      ({ region, item, problem }) => `The ledger has an item for ${region} that is left out, ${item}: ${problem}`,
    ),
  ];
}

/** Whether somebody has to look at something. */
export function isTroubled({ failures, gaps, unreadable }: Seen): boolean {
  return failures.open.length + gaps.length + unreadable.length > 0;
}

function titleOf({ name, account, region }: Install): string {
  return `${name} in account ${account}, ${region}`;
}

/** What is to be said in the end: what nobody has to do anything about. */
export function closingOf(seen: Seen): readonly string[] {
  const { status, failures } = seen;
  const isIdle = status.running.length + status.waiting.length === 0;
  const again = Object.entries(failures.since)
    .filter(([, number]) => number > 0)
    .map(([what, number]) => `${number} ${WORDS[what] ?? what}`);
  return [
    ...(isIdle ? ['Nothing runs, and nothing waits.'] : []),
    ...(again.length > 0 ? [`Of others that failed in this time: ${again.join(', ')}.`] : []),
    ...basisOf(seen),
  ];
}

const WORDS: Readonly<Record<string, string>> = {
  waiting: 'wait again',
  running: 'run again',
  copied: 'are copied by now',
  skipped: 'have no source any more',
};

function printSection(terminal: Terminal, { head, rows, align, below }: Section, most: number): void {
  const shown = rows.slice(0, most);
  terminal.table(head, shown, align);
  const more = rows.length - shown.length;
  if (more > 0) terminal.print(`… and ${count(more, 'more', 'more')} (--all shows them)`);
  for (const line of below) terminal.print(line);
}
