import type { Command } from 'commander';
import { printDuration } from '../../core/duration.ts';
import { otherAccounts } from '../../core/other-accounts.ts';
import { makePlan, type PlanRow } from '../../core/plan.ts';
import { totalOf } from '../../core/plan-totals.ts';
import { wrongUsage } from '../cli-problem.ts';
import type { Cli } from '../deployed.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { examples, type InstallOptions, installCommand, runs } from '../install-options.ts';
import { addEstimateOptions, assumptionsOf, type EstimateOptions, sinceOption } from '../plan/estimate-options.ts';
import { gather, type Which } from '../plan/gather.ts';
import { assumptionsAsJson, rowsAsJson, totalsAsJson } from '../plan/plan-json.ts';
import { printRows, printTotals, unshareableInWords } from '../plan/plan-text.ts';
import { ruleLines } from '../plan/rule-lines.ts';
import { tellTroubles } from '../plan/tell-troubles.ts';
import { readRulesFile } from '../read-rules-file.ts';
import type { Terminal } from '../terminal.ts';
import { count } from '../words.ts';

interface PlanOptions extends InstallOptions, EstimateOptions {
  readonly since?: number;
  readonly rules?: string;
  readonly all?: boolean;
}

const USUAL_SINCE_SECONDS = 7 * 86_400;
const SNAPSHOT_ID = /^snap-[0-9a-f]{8,17}$/;

export function planCommand(): Command {
  const command = installCommand('plan')
    .description(
      'What the rules would do with snapshots, why, and for how much: for each snapshot and destination whether it would be copied, waits, runs, is there or is skipped. Nothing is changed.',
    )
    .argument('[snapshot-id...]', 'these snapshots, in the Region of the install; else --since')
    .addOption(sinceOption('snapshots that became complete since then (default: 7d)'))
    .option('--rules <file>', 'these rules instead of those that are deployed')
    .option('--all', 'every row, also where many would be left out');
  return addEstimateOptions(command)
    .addHelpText(
      'after',
      examples([
        ['snapshot-copier plan', 'the last seven days'],
        ['snapshot-copier plan snap-0a1b2c3d4e5f60718', 'why is this one copied, or not?'],
        ['snapshot-copier plan --since 30d --rules copy-rules.yml', 'what if these rules were deployed?'],
        ['snapshot-copier plan --change-rate 5% --storage-price eu-south-1=0.053', 'with numbers of your own'],
        [`snapshot-copier plan --json | jq '.rows[] | select(.action == "copy")'`, 'for machines'],
      ]),
    )
    .action(runs<PlanOptions>(plan));
}

async function plan(cli: Cli, options: PlanOptions, args: readonly string[]): Promise<ExitCode> {
  const { terminal } = cli;
  const which = whichOf(options, args);
  const own = options.rules === undefined ? undefined : readRulesFile(options.rules);
  const deployed = await cli.deployed();
  const { install } = deployed;
  const rules = own ?? deployed.rules;
  const gathered = await gather({ deployed, rules, which, assumptions: assumptionsOf(options) }, terminal.progress());
  const { sources, notVisible, unseen, circumstances, unreadable, troubles } = gathered;
  const { assumptions } = circumstances;
  const rows = makePlan(sources, circumstances);
  const lineOf = ruleLines(rules);

  tellTroubles(terminal, gathered);
  if (options.json === true) {
    terminal.json({
      install: { name: install.name, account: install.account, region: install.region },
      rules: { from: own === undefined ? 'deployed' : 'file', file: rules.file },
      sinceSeconds: 'sinceSeconds' in which ? which.sinceSeconds : null,
      rows: rowsAsJson(rows, lineOf),
      totals: totalsAsJson(rows),
      assumptions: assumptionsAsJson(rows, assumptions),
      notVisible,
      unseenAccounts: unseen,
      unreadable,
      troubles,
    });
  } else if (rows.length > 0) {
    const whose = own === undefined ? `the deployed rules (${rules.file})` : rules.file;
    terminal.print(
      `What ${whose} would do with ${count(sources.length, 'snapshot')}${inTime(which)} in ${install.region}:\n`,
    );
    printRows(terminal, rows, lineOf, { all: options.all === true || 'ids' in which });
    terminal.print('');
    printTotals(terminal, rows, assumptions);
    printWhatNext(terminal, rows, own !== undefined);
  } else if (notVisible.length === 0) {
    terminal.print(`No snapshot${inTime(which)} in ${install.region}.`);
  }
  if (notVisible.length > 0) {
    const accounts = otherAccounts(rules.sourceAccounts.accounts, install.account);
    const seeing = accounts.filter((account) => !unseen.some((each) => each.account === account));
    const nor = seeing.length === 0 ? '' : `, nor has source account ${seeing.join(' or ')} one`;
    terminal.tell(
      `Account ${install.account} sees no ${notVisible.join(', ')} in ${install.region}${nor}: deleted, in another Region, or of another account that does not share it with this one.`,
    );
  }
  return notVisible.length === 0 && unseen.length === 0 ? EXIT.fine : EXIT.problem;
}

/** Who does what is still to be done. */
function printWhatNext(terminal: Terminal, rows: readonly PlanRow[], isWhatIf: boolean): void {
  const { copy, failed, unshareable } = totalOf(rows).rows;
  if (copy > 0) {
    const first = isWhatIf ? 'deploy these rules, then ' : '';
    const those = count(copy, 'copy has', 'copies have');
    terminal.print(`\n${those} not been asked for: ${first}\`snapshot-copier backfill\`.`);
  }
  if (failed > 0) terminal.print(`\n${count(failed, 'copy', 'copies')} failed: \`snapshot-copier retry\`.`);
  if (unshareable > 0) terminal.print(`\n${unshareableInWords(rows)}`);
}

/** @throws CliProblem (wrong usage) */
function whichOf({ since }: PlanOptions, args: readonly string[]): Which {
  const wrong = args.find((id) => !SNAPSHOT_ID.test(id));
  if (wrong !== undefined) {
    throw wrongUsage(`${wrong} is no snapshot id. It takes ids such as snap-0a1b2c3d4e5f60718.`);
  }
  if (args.length === 0) return { sinceSeconds: since ?? USUAL_SINCE_SECONDS };
  if (since === undefined) return { ids: args };
  throw wrongUsage(`There are snapshot ids and --since ${printDuration(since)}: give one of them.`);
}

function inTime(which: Which): string {
  return 'ids' in which ? '' : ` of the last ${printDuration(which.sinceSeconds)}`;
}
