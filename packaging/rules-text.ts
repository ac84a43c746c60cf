import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { printProblems, type RuleProblem } from '../core/rules/problems.ts';
import { type CopyRule, checkRules, type SourceAccounts } from '../core/rules.ts';
import { plainError } from './plain-error.ts';

/** The text of a rules file, read and found right. */
export interface RulesText {
  /** What the file is called, as it was given. */
  readonly file: string;
  /** To the letter, comments included. */
  readonly text: string;
  readonly rules: readonly CopyRule[];
  readonly sourceAccounts: SourceAccounts;
  /** What the text says, before defaults are filled in; it can be written as JSON. */
  readonly document: unknown;
  /**
   * The line, counted from 1, of the key or item at a path such as `['rules', 0, 'name']`, or of the innermost thing
   * around it that the text has.
   */
  readonly lineOf: (segments: Segments) => number;
}

type Segments = readonly (string | number)[];

/** What is wrong with a text that should be a rules file. */
export interface WrongText {
  /** Every one, in the order of the text. */
  readonly problems: readonly TextProblem[];
  /** The same for people to read as it is. */
  readonly report: string;
}

/** One of them. */
export interface TextProblem
  extends Pick<RuleProblem, 'path' | 'problem'>,
    Partial<Pick<RuleProblem, 'found' | 'example'>> {
  /** Counted from 1. */
  readonly line: number;
}

/**
 * Reads and checks the rules in a text of YAML.
 *
 * @param file what to call it in messages
 * @throws Error whose message, for people to read as it is, lists every problem with its line.
 */
export function readRulesText(file: string, text: string): RulesText {
  const { right, wrong } = checkRulesText(file, text);
  if (right === undefined) throw plainError(wrong.report);
  return right;
}

/** As `readRulesText`, for whom a wrong text is an answer too. */
export function checkRulesText(
  file: string,
  text: string,
): { readonly right: RulesText; readonly wrong?: never } | { readonly right?: never; readonly wrong: WrongText } {
  const lines = new LineCounter();
  // Merge keys (`<<`) make anchors useful. A warning, such as an unknown tag, is a problem here.
  const yaml = parseDocument(text, { lineCounter: lines, merge: true });
  const faults = [...yaml.errors, ...yaml.warnings];
  if (faults.length > 0) {
    const problems = faults.map(({ message, pos }) => ({
      path: '',
      line: lines.linePos(pos[0]).line,
      problem: message.replace(/ at line \d+, column \d+:?[\s\S]*$/, ''),
    }));
    return notYaml(
      file,
      problems,
      faults.map(({ message }) => message.trimEnd()),
    );
  }

  const { document, unresolved } = toPlainValues(yaml);
  if (unresolved !== undefined) return notYaml(file, [{ path: '', line: 1, problem: unresolved }], [unresolved]);

  const { rules, sourceAccounts, problems } = checkRules(document);
  const lineOf = (segments: Segments) => lines.linePos(offsetOf(yaml, segments)).line;
  if (problems.length === 0) return { right: { file, text, rules, sourceAccounts, document, lineOf } };

  const offset = ({ segments }: RuleProblem) => offsetOf(yaml, segments);
  const inOrder = problems.toSorted((a, b) => offset(a) - offset(b));
  return {
    wrong: {
      problems: inOrder.map(({ segments, ...problem }) => ({ ...problem, line: lineOf(segments) })),
      report: `${file} is wrong. ${printProblems(inOrder, ({ segments }) => ` (line ${lineOf(segments)})`)}`,
    },
  };
}

function notYaml(
  file: string,
  problems: readonly TextProblem[],
  messages: readonly string[],
): { readonly wrong: WrongText } {
  return { wrong: { problems, report: `${file} is not right YAML.\n\n${messages.join('\n\n')}` } };
}

/** Aliases are resolved here, and only here do those fail that lead nowhere, into themselves or too far. */
function toPlainValues(yaml: Document): { readonly document?: unknown; readonly unresolved?: string } {
  try {
    const document: unknown = yaml.toJS();
    JSON.stringify(document);
    return { document };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { unresolved: `An alias (*name) cannot be resolved: ${why}` };
  }
}

/** Where the key or item at a path begins, or the innermost thing around it that the file has. */
function offsetOf(yaml: Document, segments: Segments): number {
  let offset = 0;
  let node: unknown = yaml.contents;
  for (const segment of segments) {
    if (isAlias(node)) node = node.resolve(yaml);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === segment);
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node) && typeof segment === 'number') {
      node = node.items[segment];
      offset = startOf(node) ?? offset;
    } else break;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
