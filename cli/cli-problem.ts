import { EXIT, type ExitCode } from './exit-codes.ts';

/** Expected trouble: its message is for people, and is all that they get to see. */
export class CliProblem extends Error {
  override readonly name = 'CliProblem';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.problem) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The command was called in a way that makes no sense. */
export function wrongUsage(message: string): CliProblem {
  return new CliProblem(message, EXIT.usage);
}
