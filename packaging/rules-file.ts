import { readFileSync } from 'node:fs';
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { printProblems, type RuleProblem } from '../core/rules/problems.ts';
import { type CopyRule, checkRules } from '../core/rules.ts';
import { plainError } from './plain-error.ts';

/**
 * The rules in a YAML file.
 *
 * @throws Error whose message, for people to read as it is, lists every problem with its place in the file.
 */
export function readRulesFile(file: string): readonly CopyRule[] {
  return read(file).rules;
}

/**
 * The checked contents of a rules file as they stand there, for a package whose function checks them again.
 *
 * @throws Error as `readRulesFile`.
 */
export function readRulesDocument(file: string): unknown {
  return read(file).document;
}

function read(file: string): { readonly rules: readonly CopyRule[]; readonly document: unknown } {
  const lines = new LineCounter();
  // Merge keys (`<<`) make anchors useful. A warning, such as an unknown tag, is a problem here.
  const yaml = parseDocument(readText(file), { lineCounter: lines, merge: true });
  const unreadable = [...yaml.errors, ...yaml.warnings].map(({ message }) => message.trimEnd());
  if (unreadable.length > 0) throw plainError(`${file} is not right YAML.\n\n${unreadable.join('\n\n')}`);

  const document = toPlainValues(file, yaml);
  const { rules, problems } = checkRules(document);
  if (problems.length === 0) return { rules, document };

  const offset = ({ segments }: RuleProblem) => offsetOf(yaml, segments);
  const inOrder = problems.toSorted((a, b) => offset(a) - offset(b));
  const place = (problem: RuleProblem) => ` (line ${lines.linePos(offset(problem)).line})`;
  throw plainError(`${file} is wrong. ${printProblems(inOrder, place)}`);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw plainError(`Cannot read the rules file ${file} (${why}). docs/rules.md says how to write one.`);
  }
}

/** Aliases are resolved here, and only here do those fail that lead nowhere, into themselves or too far. */
function toPlainValues(file: string, yaml: Document): unknown {
  try {
    const document: unknown = yaml.toJS();
    JSON.stringify(document);
    return document;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw plainError(`${file} is not right YAML.\n\nAn alias (*name) cannot be resolved: ${why}`);
  }
}

/** Where the key or item at a path begins, or the innermost thing around it that the file has. */
function offsetOf(yaml: Document, segments: readonly (string | number)[]): number {
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
