import type { AuditedDestination } from '../../core/audit.ts';
import type { Terminal } from '../terminal.ts';
import { duration, inMinutes } from '../words.ts';
import { tableOf, wordsOf } from './finding-words.ts';
import { headline, number, type Report, rpoOf, subline, windowOf } from './report.ts';

/** More of one finding are left to `--json` and `--csv`. */
const MOST_ITEMS = 10;

/** The verdict, how many of what at each destination, and what to do. */
export function printAudit(terminal: Terminal, report: Report): void {
  const { audit, evidence, rules } = report;
  const { install, now } = evidence;
  terminal.print(`${headline(report)}. ${subline(report)}`);
  terminal.print(
    `${install.name}, account ${install.account}, ${install.region}, at ${inMinutes(now)}; RPO ${rpoOf(evidence)}; snapshots of the last ${windowOf(evidence)}; rules: ${rules.file}${rules.areDeployed ? ', as deployed' : ''}`,
  );
  if (audit.destinations.length > 0) {
    terminal.print('');
    terminal.table(
      ['DESTINATION', ...COLUMNS, 'FURTHEST BEHIND'],
      audit.destinations.map((destination) => destinationRow(destination, now)),
      [undefined, ...COLUMNS.map(() => 'right' as const)],
    );
    for (const line of otherInstalls(audit.destinations)) terminal.print(line);
  }
  for (const finding of audit.findings) {
    const words = wordsOf(finding, report);
    terminal.print(`\n${finding.severity === 'problem' ? 'PROBLEM' : 'NOTICE'}: ${words.title}`);
    if (finding.cause !== undefined) terminal.print(`  ${printable(finding.cause)}`);
    const [head = [], ...rows] = tableOf(finding, words, MOST_ITEMS, now);
    const table = terminal.drawTable(
      head.map(() => ''),
      rows.map((row) => row.map(printable)),
    );
    for (const line of table.split('\n').slice(1)) terminal.print(`    ${line}`);
    const more = finding.items.length - MOST_ITEMS;
    if (more > 0) terminal.print(`    … and ${number(more)} more: --json has all`);
    terminal.print(`  ${words.advice}`);
    for (const command of words.commands) terminal.print(`    ${command}`);
  }
}

const COLUMNS = [
  'SNAPSHOTS',
  'PROTECTED',
  'UNDER WAY',
  'LATE',
  'MISSING',
  'FAILED',
  'WRONG KEY',
  'DUPLICATE',
  'ORPHANED',
  'FULL',
];

function destinationRow(found: AuditedDestination, now: Date): readonly string[] {
  const { destination, snapshots, verdicts, orphans, fullCopies, oldest, volumesBehind } = found;
  const {
    protected: good,
    'under-way': underWay,
    late,
    missing,
    failed,
    'wrong-encryption': wrong,
    duplicate,
  } = verdicts;
  const counts = [snapshots, good, underWay, late, missing, failed, wrong, duplicate, orphans, fullCopies];
  const age = oldest === undefined ? 'none' : `${duration(now.getTime() - oldest.dataTime)}, ${oldest.volumeId}`;
  return [
    destination,
    ...counts.map(number),
    `${age}${volumesBehind > 0 ? `; ${number(volumesBehind)} behind the RPO` : ''}`,
  ];
}

/** One line for each destination that has copies of others. */
export function otherInstalls(destinations: readonly AuditedDestination[]): readonly string[] {
  return destinations.flatMap(({ destination, otherInstalls: others }) => {
    const found = Object.entries(others).map(([name, copies]) => `${printable(name)} (${number(copies)})`);
    return found.length === 0
      ? []
      : [`Not of this install, and not looked at: copies at ${destination} of ${found.join(', ')}.`];
  });
}

/** What users wrote must not steer the terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, '·');
}
