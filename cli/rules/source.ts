import { text as textOf } from 'node:stream/consumers';
import type { Place } from '../../core/rules-explained.ts';
import { wrongUsage } from '../cli-problem.ts';
import type { Cli } from '../deployed.ts';
import type { InstallOptions } from '../install-options.ts';
import { readTextFile } from '../read-rules-file.ts';

export interface RulesOptions extends InstallOptions {
  readonly deployed?: boolean;
}

/** A text that should be a rules file, and where it is from. */
export interface RulesSource {
  /** Stands before line numbers. */
  readonly file: string;
  readonly text: string;
  /** What it is, for people. */
  readonly title: string;
  /** Where the service runs that it belongs to, if that is known. */
  readonly place?: Place;
}

const USUAL_FILE = 'copy-rules.yml';

/**
 * The text that the options and arguments of a command name.
 *
 * @throws CliProblem (wrong usage) if there is none
 */
export async function rulesSource(
  cli: Cli,
  { deployed }: RulesOptions,
  [file]: readonly string[],
): Promise<RulesSource> {
  if (deployed === true) {
    if (file !== undefined) throw wrongUsage(`Either ${file} or --deployed, not both.`);
    const { stack, rules, install } = await cli.deployed();
    const title = `${rules.file}, as deployed in ${install.region} by the stack ${stack},`;
    return { file: rules.file, text: rules.text, title, place: install };
  }
  if (file === '-') {
    return { file: 'standard input', text: await textOf(process.stdin), title: 'standard input' };
  }
  const named = file ?? USUAL_FILE;
  const help =
    file === undefined ? 'Name the rules file, or add --deployed for the rules that are deployed.' : undefined;
  return { file: named, text: readTextFile(named, help), title: named };
}
