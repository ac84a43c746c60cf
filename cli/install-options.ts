import { Command, Option } from 'commander';
import { isRegion } from '../core/region.ts';
import { wrongUsage } from './cli-problem.ts';
import type { Cli } from './deployed.ts';
import { findDeployed } from './deployed.ts';
import type { ExitCode } from './exit-codes.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { useProfile } from './use-profile.ts';

/** What every command takes that speaks with an install. */
export interface InstallOptions {
  readonly stack?: string;
  readonly profile?: string;
  readonly region?: string;
  readonly json?: boolean;
}

/** A command with the options that all have. */
export function installCommand(name: string): Command {
  return new Command(name)
    .addOption(new Option('--stack <name>', 'CloudFormation stack of the install').env('SNAPSHOT_COPIER_STACK'))
    .option('--region <region>', 'Region of the install, where the source snapshots are; else as in the AWS CLI')
    .option('--profile <name>', 'profile of your AWS credentials, as in the AWS CLI')
    .option('--json', 'for machines: JSON on stdout');
}

/** The action of a command: its work, with AWS as the options say, and the exit code that it answers. */
export function runs<Options extends InstallOptions>(
  work: (cli: Cli, options: Options, args: readonly string[]) => Promise<ExitCode>,
): (this: Command) => Promise<void> {
  return async function action() {
    const options = this.opts<Options>();
    useAws(options);
    const { stack } = options;
    let found: ReturnType<typeof findDeployed> | undefined;
    const terminal = processTerminal();
    const cli: Cli = {
      terminal,
      deployed: () => {
        found ??= whileShown(terminal, 'looking for the install', findDeployed(stack));
        return found;
      },
    };
    process.exitCode = await work(cli, options, this.args);
  };
}

async function whileShown<T>(terminal: Terminal, what: string, work: Promise<T>): Promise<T> {
  const progress = terminal.progress();
  progress.show(`${what} …`);
  try {
    return await work;
  } finally {
    progress.done();
  }
}

/**
 * Has every client of the process use this profile and Region. A Region of the environment wins over that of a profile,
 * as in the AWS command line, which reads AWS_DEFAULT_REGION too; the SDK does not: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html
 *
 * @throws CliProblem (wrong usage) if that is no Region
 */
function useAws({ profile, region }: { readonly profile?: string; readonly region?: string }): void {
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  useProfile(profile);
  if (region !== undefined && !isRegion(region)) {
    throw wrongUsage(`--region ${region} is no Region. One is, for example, eu-west-1.`);
  }
  const chosen = region ?? AWS_REGION ?? AWS_DEFAULT_REGION;
  if (chosen !== undefined && chosen !== '') process.env['AWS_REGION'] = chosen;
}

/** Examples for the end of a command's help. */
export function examples(lines: readonly (readonly [command: string, what: string])[]): string {
  return ['', 'Examples:', ...lines.map(([command, what]) => `  # ${what}\n  ${command}`)].join('\n');
}
