import { CliProblem } from '../cli-problem.ts';
import { EXIT } from '../exit-codes.ts';

/** Version 1 of the AWS command line ends so, whatever it was that it could not do. */
export const AWS_CLI_FAILED = 255;

const USAGE = `usage: snapshot-copier copy-snapshot [options]
To see help text, you can run:

  snapshot-copier copy-snapshot --help
`;

/** The arguments cannot be read: said and answered as the AWS command line does, exit code 2. */
export function wrongArguments(message: string): CliProblem {
  return new CliProblem(`${USAGE}\nsnapshot-copier: error: ${message}`, EXIT.usage);
}

/** Arguments that no option takes. */
export function unknownOptions(options: readonly string[]): CliProblem {
  return new CliProblem(`${USAGE}\nUnknown options: ${options.join(', ')}`, AWS_CLI_FAILED);
}

/** What else can go wrong: the AWS command line leaves an empty line before it. */
export function failed(message: string): CliProblem {
  return new CliProblem(`\n${message}`, AWS_CLI_FAILED);
}

/** A value of an option that cannot be read. `option` is as the AWS command line writes it there. */
export function unreadableOption(option: string, problem: string): CliProblem {
  return failed(`Error parsing parameter '${option}': ${problem}`);
}

/** An error that EC2 answered. */
export function refusedByEc2(code: string, message: string): CliProblem {
  return failed(`An error occurred (${code}) when calling the CopySnapshot operation: ${message}`);
}
