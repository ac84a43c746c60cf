import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../../core/duration.ts';
import { wrongUsage } from '../cli-problem.ts';
import type { Cli } from '../deployed.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { examples, type InstallOptions, installCommand, runs } from '../install-options.ts';
import { sinceOption } from '../plan/estimate-options.ts';
import { StatusLooks } from '../status/look.ts';
import { isTroubled, printStatus } from '../status/print.ts';
import { statusAsJson } from '../status/status-json.ts';
import { watchStatus } from '../status/watch.ts';

interface StatusOptions extends InstallOptions {
  readonly watch?: boolean;
  /** Seconds. */
  readonly interval?: number;
  /** Seconds. */
  readonly since?: number;
  readonly all?: boolean;
}

const USUAL_SINCE_SECONDS = 86_400;
const USUAL_INTERVAL_SECONDS = 5;

export function statusCommand(): Command {
  return installCommand('status')
    .description(
      'What runs, with its progress; what waits, at which place in the queue, why, and for how long still; what failed and was not started again. Nothing is changed.',
    )
    .option('--watch', 'look again and again, until Ctrl-C')
    .addOption(
      new Option('--interval <time>', 'how often to look (default: 5s); with --watch').argParser(intervalSeconds),
    )
    .addOption(sinceOption('failures of this time (default: 24h)'))
    .option('--all', 'every row, also where many would be left out')
    .addHelpText(
      'after',
      examples([
        ['snapshot-copier status', 'how is it going?'],
        ['snapshot-copier status --watch', 'the same as a live table'],
        ['snapshot-copier status --watch | tee copies.log', 'a line for each change'],
        ['snapshot-copier status --since 7d', 'what failed in the last week and was not started again?'],
        [`snapshot-copier status --json | jq '.destinations[] | {destination, waiting, emptyAt}'`, 'for machines'],
      ]),
    )
    .action(runs<StatusOptions>(status));
}

async function status(cli: Cli, options: StatusOptions): Promise<ExitCode> {
  const { terminal } = cli;
  if (options.interval !== undefined && options.watch !== true) throw wrongUsage('--interval goes with --watch.');
  const deployed = await cli.deployed();
  const looks = new StatusLooks(deployed, options.since ?? USUAL_SINCE_SECONDS);
  if (options.watch === true) {
    const { interval = USUAL_INTERVAL_SECONDS, json = false } = options;
    return watchStatus({ looks, install: deployed.install, terminal, intervalMs: interval * 1000, json });
  }
  const progress = terminal.progress();
  progress.show('Looking at the queue and at the copies …');
  const seen = await looks.look().finally(() => progress.done());
  if (options.json === true) terminal.json(statusAsJson(seen, deployed.install));
  else printStatus(terminal, seen, deployed.install, { all: options.all === true });
  return isTroubled(seen) ? EXIT.problem : EXIT.fine;
}

function intervalSeconds(text: string): number {
  const [, digits] = /^(\d{1,5})s?$/.exec(text) ?? [];
  const seconds = digits === undefined ? parseDuration(text) : Number(digits);
  if (seconds !== undefined && seconds >= 1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError('It takes a time from 1s to 24h, for example 5s or 2m.');
}
