import type { Command } from 'commander';
import { requestCopies } from '../../aws/request-copy-function.ts';
import { CopierError } from '../../core/errors.ts';
import type { RefusedRequest, RequestAnswer } from '../../core/request-answer.ts';
import { type RetryRequest, retryRequest } from '../../core/retry-request.ts';
import { CliProblem, wrongUsage } from '../cli-problem.ts';
import type { Cli, Deployed } from '../deployed.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { examples, type InstallOptions, installCommand, runs } from '../install-options.ts';
import { sinceOption } from '../plan/estimate-options.ts';
import { type FoundRequest, findFailed, findRequests, type Wanted } from '../retry/find-requests.ts';
import { amountOf, printFailed, printRetried, type Retried, retriedAsJson } from '../retry/report.ts';
import type { Terminal } from '../terminal.ts';

interface RetryOptions extends InstallOptions {
  readonly allFailed?: boolean;
  readonly destination?: string;
  readonly rule?: string;
  /** Seconds. */
  readonly since?: number;
  readonly asBefore?: boolean;
  readonly yes?: boolean;
}

/** A request, and how it is asked for again. */
interface Retry {
  readonly found: FoundRequest;
  readonly asked: RetryRequest;
}

export function retryCommand(): Command {
  return installCommand('retry')
    .description(
      'Starts copies again that failed, were skipped, or were made and are gone from EC2. A copy that is there is adopted, and nothing is copied twice: what waits or runs is left alone.',
    )
    .argument('[snapshot-id|execution...]', 'ids of source snapshots; names or ARNs of executions')
    .option('--all-failed', 'all that failed and was not started again; shows them and asks first')
    .option('--destination <id>', 'only to this one: a Region, a Local Zone, or Region and Outpost id')
    .option('--rule <name>', 'only those of this rule')
    .addOption(sinceOption('with --all-failed: only what failed since then'))
    .option('--as-before', 'with the settings of the last attempt, not with those that the rule has now')
    .option('--yes', 'with --all-failed: do not ask')
    .addHelpText(
      'after',
      examples([
        ['snapshot-copier retry snap-0a1b2c3d4e5f60718', 'at each destination where there is no copy'],
        ['snapshot-copier retry snap-0a1b2c3d4e5f60718-eu-central-1-1', 'what an alert names'],
        ['snapshot-copier retry --all-failed --since 24h', 'after last night'],
        ['snapshot-copier retry --all-failed --rule nightly --yes --json', 'from a script'],
      ]),
    )
    .action(runs<RetryOptions>(retry));
}

async function retry(cli: Cli, options: RetryOptions, args: readonly string[]): Promise<ExitCode> {
  const { terminal } = cli;
  checkUsage(options, args);
  const deployed = await cli.deployed();
  const { rules, now } = deployed;
  const { found, isComplete } = await find(deployed, options, args, terminal);
  const retries = found.map((each): Retry => {
    const { request } = each;
    return { found: each, asked: options.asBefore ? { request, changes: [] } : retryRequest(request, rules.rules) };
  });
  if (options.allFailed === true && retries.length > 0 && options.yes !== true) {
    printFailed(terminal, retries, now());
    if (!(await terminal.confirm(`Start these ${amountOf(found)} again?`))) {
      terminal.tell('Nothing was started.');
      return EXIT.fine;
    }
  }
  const answers = await ask(deployed, retries, terminal);
  const retried = retries.map((each, index): Retried => ({ ...each, answer: answers[index] ?? NO_ANSWER }));
  if (options.json === true) terminal.json({ requests: retried.map(retriedAsJson) });
  else if (retried.length === 0)
    terminal.print(
      `Nothing to start again: no such request ${options.allFailed === true ? 'has failed' : 'is known'}.`,
    );
  else printRetried(terminal, retried);
  return isComplete && !retried.some(({ answer }) => 'refused' in answer) ? EXIT.fine : EXIT.problem;
}

const NO_ANSWER: RefusedRequest = { refused: 'no answer came' };

/** @throws CliProblem (wrong usage) */
function checkUsage({ allFailed, since, yes, json }: RetryOptions, args: readonly string[]): void {
  if (allFailed === true && args.length > 0) throw wrongUsage(`There are ids and --all-failed: give one of them.`);
  if (allFailed === true && json === true && yes !== true) throw wrongUsage('--json does not ask: give --yes.');
  if (allFailed === true) return;
  if (args.length === 0)
    throw wrongUsage('Say what to start again: ids of snapshots, names of executions, or --all-failed.');
  if (since !== undefined) throw wrongUsage('--since goes with --all-failed.');
  if (yes === true) throw wrongUsage('--yes goes with --all-failed: nothing else asks.');
}

async function find(
  deployed: Deployed,
  { allFailed, destination, rule, since }: RetryOptions,
  args: readonly string[],
  terminal: Terminal,
): Promise<{ readonly found: readonly FoundRequest[]; readonly isComplete: boolean }> {
  const wanted: Wanted = { ...(destination !== undefined && { destination }), ...(rule !== undefined && { rule }) };
  if (allFailed !== true) return { found: await findRequests(deployed, args, wanted), isComplete: true };
  const progress = terminal.progress();
  const changedSince = since === undefined ? undefined : new Date(deployed.now().getTime() - since * 1000);
  const { requests, unreadable } = await findFailed(
    deployed,
    { ...wanted, ...(changedSince !== undefined && { changedSince }) },
    (region) => progress.show(`Looking for what failed in ${region} …`),
  ).finally(() => progress.done());
  for (const problem of unreadable) terminal.tell(`Left out: ${problem}`);
  return { found: requests, isComplete: unreadable.length === 0 };
}

async function ask(
  { requestCopyFunction }: Deployed,
  retries: readonly Retry[],
  terminal: Terminal,
): Promise<readonly (RequestAnswer | RefusedRequest)[]> {
  const progress = terminal.progress();
  let answered = 0;
  try {
    progress.show('Asking …');
    return await requestCopies(
      requestCopyFunction,
      retries.map(({ asked }) => asked.request),
      (number) => {
        answered = number;
        progress.show(`Asked for ${number} of ${retries.length} …`);
      },
    );
  } catch (error) {
    if (!(error instanceof CopierError) || answered === 0) throw error;
    throw new CliProblem(
      `${error.message}\n${answered} of ${retries.length} were answered before that. Asking again is harmless.`,
    );
  } finally {
    progress.done();
  }
}
