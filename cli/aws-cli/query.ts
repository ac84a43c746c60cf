import { search } from '@aws-lambda-powertools/jmespath';
import { failed } from './aws-cli-problem.ts';

/** Whether the expression can be read shows when it is used; with these names it could not. */
const UNREADABLE = ['LexerError', 'ParseError', 'IncompleteExpressionError', 'EmptyExpressionError'];

/** @throws CliProblem if that is no JMESPath expression: https://jmespath.org */
export function checkQuery(expression: string): void {
  try {
    search(withQuotedLiterals(expression), {});
  } catch (error) {
    if (!(error instanceof Error) || !UNREADABLE.includes(error.name)) return;
    throw failed(`Bad value for --query ${expression}: ${error.message}`);
  }
}

/** @throws CliProblem if a function of the expression cannot work with what it finds */
export function applyQuery(expression: string, answer: unknown): unknown {
  try {
    return search(withQuotedLiterals(expression), JSON.parse(JSON.stringify(answer))) ?? null;
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error));
  }
}

/** Raw strings and quoted names, which may hold a backtick, and the literals between backticks. */
const QUOTED = /'(?:\\'|[^'])*'|"(?:\\.|[^"])*"|`((?:\\`|[^`])*)`/gs;

/**
 * The AWS command line still takes a literal without its quotes, as in Tags[?Key==`Name`], and half of the examples in
 * the world have it so; the library takes JSON only.
 */
function withQuotedLiterals(expression: string): string {
  return expression.replaceAll(QUOTED, (found, literal: string | undefined) => {
    if (literal === undefined) return found;
    const text = literal.replaceAll('\\`', '`');
    return isJson(text) || !isJson(`"${text.trimStart()}"`) ? found : `\`"${literal.trimStart()}"\``;
  });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
