import { type OutputFormat, printed } from '../aws-cli/output.ts';
import { applyQuery } from '../aws-cli/query.ts';
import type { Terminal } from '../terminal.ts';

/** Prints an answer as the AWS command line does: all of it, or what a query finds in it. */
export function printAnswer(
  terminal: Terminal,
  answer: unknown,
  output: OutputFormat,
  query: string | undefined,
): void {
  const text = printed(query === undefined ? answer : applyQuery(query, answer), output);
  if (text !== undefined) terminal.print(text);
}
