import type { Command } from 'commander';
import { destinationId } from '../../core/destination.ts';
import { printDuration } from '../../core/duration.ts';
import { makePlan, type PlanRow } from '../../core/plan.ts';
import { backfillRequests, type Narrowing, narrowed } from '../../core/plan-backfill.ts';
import { totalOf } from '../../core/plan-totals.ts';
import { destinations } from '../../core/rule-destinations.ts';
import type { CopyRule } from '../../core/rules.ts';
import { wrongUsage } from '../cli-problem.ts';
import type { Cli } from '../deployed.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { examples, type InstallOptions, installCommand, runs } from '../install-options.ts';
import { type Asked, askForCopies, tellAsked } from '../plan/ask-for-copies.ts';
import { addEstimateOptions, assumptionsOf, type EstimateOptions, sinceOption } from '../plan/estimate-options.ts';
import { gather } from '../plan/gather.ts';
import { assumptionsAsJson, rowsAsJson, totalsAsJson } from '../plan/plan-json.ts';
import { intermediatesInWords, money, printRows, printTotals, size, unshareableInWords } from '../plan/plan-text.ts';
import { ruleLines } from '../plan/rule-lines.ts';
import { tellTroubles } from '../plan/tell-troubles.ts';
import type { Terminal } from '../terminal.ts';
import { count } from '../words.ts';

interface BackfillOptions extends InstallOptions, EstimateOptions {
  readonly since: number;
  readonly rule?: readonly string[];
  readonly destination?: readonly string[];
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly all?: boolean;
}

export function backfillCommand(): Command {
  const command = installCommand('backfill')
    .description(
      'Asks for copies of what was there before the service, or whose copies are gone: whatever the deployed rules want and nobody has asked for. Oldest first, through the same queue as all others, after you said yes. Called again after an interruption it goes on where it was.',
    )
    .addOption(sinceOption('snapshots that became complete since then').makeOptionMandatory())
    .option('--rule <name...>', 'only what these rules decide')
    .option('--destination <name...>', 'only to these destinations or Regions')
    .option('--dry-run', 'show the copies and what they come to, and ask for nothing')
    .option('--yes', 'do not ask before it begins')
    .option('--all', 'with --dry-run: every copy, also where many would be left out');
  return addEstimateOptions(command)
    .addHelpText(
      'after',
      examples([
        ['snapshot-copier backfill --since 30d --dry-run', 'what is missing, and what would it cost?'],
        ['snapshot-copier backfill --since 30d', 'ask for it'],
        ['snapshot-copier backfill --since 90d --rule nightly --destination eu-central-1 --yes', 'a part, in a script'],
      ]),
    )
    .action(runs<BackfillOptions>((cli, options) => backfill(cli, options)));
}

async function backfill(cli: Cli, options: BackfillOptions): Promise<ExitCode> {
  const { terminal } = cli;
  const deployed = await cli.deployed();
  const { rules, install } = deployed;
  const only = { rules: options.rule ?? [], destinations: options.destination ?? [] };
  checkNames(only, rules.rules);
  const assumptions = assumptionsOf(options);
  const task = { deployed, rules, which: { sinceSeconds: options.since }, assumptions };
  const gathered = await gather(task, terminal.progress());
  const rows = narrowed(makePlan(gathered.sources, gathered.circumstances), only).filter(
    ({ action }) => action !== 'skipped',
  );
  const copies = rows.filter(({ action }) => action === 'copy');
  // What is not seen may lack copies, too.
  const fine = gathered.unseen.length === 0 ? EXIT.fine : EXIT.problem;
  const lineOf = ruleLines(rules);
  tellTroubles(terminal, gathered);

  const report = (asked: Asked): void => {
    terminal.json({
      install: { name: install.name, account: install.account, region: install.region },
      sinceSeconds: options.since,
      dryRun: options.dryRun === true,
      copies: rowsAsJson(copies, lineOf),
      totals: totalsAsJson(rows),
      assumptions: assumptionsAsJson(rows, assumptions),
      asked,
      unseenAccounts: gathered.unseen,
      unreadable: gathered.unreadable,
      troubles: gathered.troubles,
    });
  };
  if (options.json !== true) {
    const what = `${count(gathered.sources.length, 'snapshot')} of the last ${printDuration(options.since)}`;
    const missing = copies.length === 0 ? 'No copy is' : count(copies.length, 'copy is', 'copies are');
    terminal.print(`${missing} missing of ${what} in ${install.region}.${rows.length > 0 ? '\n' : ''}`);
    if (options.dryRun === true && copies.length > 0) {
      printRows(terminal, copies, lineOf, { all: options.all === true });
      terminal.print('');
    }
    if (rows.length > 0) printTotals(terminal, rows, assumptions);
    printNotes(terminal, rows);
  }
  if (options.dryRun === true || copies.length === 0) {
    if (options.json === true) report({ accepted: 0, known: 0, refused: [], left: copies.length });
    return fine;
  }

  if (options.yes !== true && options.json === true) {
    throw wrongUsage(`${question(rows)} --json does not ask: give --yes, or --dry-run to only look.`);
  }
  if (options.yes !== true && !(await terminal.confirm(question(rows)))) {
    terminal.tell('Nothing was asked for.');
    return fine;
  }
  const asked = await askForCopies(terminal, deployed.requestCopyFunction, backfillRequests(rows));
  if (options.json === true) report(asked);
  else tellAsked(terminal, asked);
  return asked.refused.length === 0 && asked.left === 0 ? fine : EXIT.problem;
}

/** @throws CliProblem (wrong usage) */
function checkNames({ rules, destinations: places }: Narrowing, deployed: readonly CopyRule[]): void {
  const names = deployed.map(({ name }) => name);
  const everywhere = destinations(deployed);
  const ids = [...new Set(everywhere.flatMap((each) => [destinationId(each), each.region]))];
  const check = (option: string, given: readonly string[], known: readonly string[]): void => {
    const wrong = given.filter((name) => !known.includes(name));
    if (wrong.length === 0) return;
    throw wrongUsage(`${option} ${wrong.join(' ')} is not in the deployed rules, which have: ${known.join(', ')}.`);
  };
  check('--rule', rules, names);
  check('--destination', places, ids);
}

function question(rows: readonly PlanRow[]): string {
  const { toCopy } = totalOf(rows);
  const { transfer, surcharge, storagePerMonth } = toCopy.cost;
  const once = money(transfer + surcharge, toCopy.unpriced.transfer, toCopy);
  const monthly = money(storagePerMonth, toCopy.unpriced.storage, toCopy);
  const price = `about ${size(toCopy.gib)} GiB, ${once} once and ${monthly} a month`;
  const { intermediates } = toCopy;
  const first = intermediates.copies === 0 ? '' : `; first ${intermediatesInWords(intermediates)}`;
  return `Ask for ${count(toCopy.copies, 'copy', 'copies')} (${price}${first})?`;
}

/** What is missing and is not asked for here. */
function printNotes(terminal: Terminal, rows: readonly PlanRow[]): void {
  const counts = totalOf(rows).rows;
  if (counts.failed > 0) {
    const those = count(counts.failed, 'copy that failed is', 'copies that failed are');
    terminal.print(`\n${those} left to \`snapshot-copier retry\`.`);
  }
  if (counts['dry-run'] > 0) {
    const those = count(counts['dry-run'], 'copy is', 'copies are');
    const names = new Set(rows.flatMap((row) => (row.action === 'dry-run' ? row.rules.map(({ name }) => name) : [])));
    terminal.print(`\n${those} not asked for, because of dryRun: true in ${[...names].join(', ')}.`);
  }
  if (counts.unshareable > 0) terminal.print(`\n${unshareableInWords(rows)}`);
}
