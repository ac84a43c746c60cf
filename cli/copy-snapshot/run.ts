import { readProfiles } from '../../aws/shared-config.ts';
import { parseArguments } from '../aws-cli/arguments.ts';
import { printed } from '../aws-cli/output.ts';
import { localFiles } from '../aws-cli/param-files.ts';
import { applySettings, regionIn, settingsOf } from '../aws-cli/settings.ts';
import { inputSkeleton, outputSkeleton } from '../aws-cli/skeleton.ts';
import { unpackParameters } from '../aws-cli/unpack.ts';
import { validInput } from '../aws-cli/validation.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { copyDirectly } from './direct.ts';
import { copyDurably } from './durable.ts';
import { printAnswer } from './print-answer.ts';

/**
 * `copy-snapshot` with these arguments.
 *
 * @throws CliProblem with the text and exit code of the AWS command line, where that has one
 */
export async function copySnapshot(
  args: readonly string[],
  terminal: Terminal,
  showHelp: () => void,
): Promise<ExitCode> {
  const commandLine = parseArguments(args);
  if (commandLine.help) {
    showHelp();
    return EXIT.fine;
  }
  const { globals, own, skeleton } = commandLine;
  const parameters = unpackParameters(commandLine, localFiles());
  if (skeleton === 'input') {
    terminal.print(printed(inputSkeleton(), 'json') ?? '');
    return EXIT.fine;
  }
  const settings = settingsOf(commandLine, process.env, await readProfiles());
  const region = regionIn(settings);
  const input = validInput(parameters);
  for (const remark of settings.remarks) terminal.tell(remark);
  const print = (answer: unknown): void => printAnswer(terminal, answer, settings.output, globals.query);
  if (skeleton === 'output') {
    print(outputSkeleton());
    return EXIT.fine;
  }
  applySettings(settings, globals);
  const call = { input, region, globals, own, terminal, print };
  // A dry run asks EC2 whether the caller may copy: the service has nothing to say about that.
  return own.direct || input.DryRun === true ? copyDirectly(call) : copyDurably(call);
}
