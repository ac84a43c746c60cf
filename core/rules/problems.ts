import { didYouMean } from './did-you-mean.ts';
import { fieldAt, knownKeys } from './fields.ts';

/** One thing that is wrong with `copy-rules.yml`. */
export interface RuleProblem {
  /** For people, for example `rules[0].destinations[1].encryption.kmsKey`; empty for the whole document. */
  readonly path: string;
  /** The same for code. */
  readonly segments: readonly (string | number)[];
  /** What stands there: short, texts in quotes, nothing that looks like a credential. */
  readonly found: string;
  readonly problem: string;
  /** A right value, written as in YAML. */
  readonly example: string;
}

type Segments = readonly (string | number)[];

/** A problem with the value at a path; the example is that of the field, unless a better one is known. */
export function problemAt(document: unknown, segments: Segments, problem: string, example?: string): RuleProblem {
  const value = valueAt(document, segments);
  const { field } = fieldAt(segments);
  const isScalar = typeof value === 'number' || typeof value === 'boolean';
  return {
    path: printPath(segments),
    segments,
    found: printFound(value),
    problem,
    example: example ?? (isScalar ? field.quoted?.(value) : undefined) ?? field.example,
  };
}

/** A problem with the kind of value at a path: it is missing, or of the wrong type. */
export function wrongKind(document: unknown, segments: Segments): RuleProblem {
  const { expected } = fieldAt(segments).field;
  const value = valueAt(document, segments);
  return problemAt(
    document,
    segments,
    value === undefined ? `is missing; it must be ${expected}` : `must be ${expected}`,
  );
}

/** A problem with a key that no field has. Its value is not shown: nobody knows what it is. */
export function unknownKey(segments: Segments, key: string): RuleProblem {
  const known = knownKeys(fieldAt(segments).place);
  const meant = didYouMean(key, known);
  if (meant === undefined) return wrongKey(segments, key, `is no known key; known here: ${known.join(', ')}`);
  const example = `${meant}: ${fieldAt([...segments, meant]).field.example}`;
  return wrongKey(segments, key, `is no known key; did you mean ${meant}?`, example);
}

/** A problem with a key itself, not with its value; the example is that of the whole mapping. */
export function wrongKey(
  segments: Segments,
  key: string,
  problem: string,
  example: string = fieldAt(segments).field.example,
): RuleProblem {
  const path = [...segments, key];
  return { path: printPath(path), segments: path, found: printFound(key), problem, example };
}

/**
 * All problems as a block of text, each with its path, what was found and what would be right.
 *
 * @param place what to write behind the path, if the caller knows where in a file it is
 */
export function printProblems(
  problems: readonly RuleProblem[],
  place: (problem: RuleProblem) => string = () => '',
): string {
  const blocks = problems.map((wrong) =>
    [
      `  ${wrong.path === '' ? 'the whole file' : wrong.path}${place(wrong)}`,
      `    problem  ${wrong.problem}`,
      `    found    ${wrong.found}`,
      `    example  ${wrong.example}`,
    ].join('\n'),
  );
  return [problems.length === 1 ? '1 problem:' : `${problems.length} problems:`, ...blocks].join('\n\n');
}

/** The value at a path, or undefined if there is none. */
function valueAt(document: unknown, segments: Segments): unknown {
  return segments.reduce<unknown>(
    (value, segment) => Object.getOwnPropertyDescriptor(Object(value), segment)?.value,
    document,
  );
}

/** For people, for example `rules[0].select.tags`; empty for the whole document. */
export function printPath(segments: Segments): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(segment)) return `${path}[${JSON.stringify(segment)}]`;
    return path === '' ? segment : `${path}.${segment}`;
  }, '');
}

const LONGEST_FOUND = 60;
/** AWS access key ids, and runs as long as a secret access key. */
const CREDENTIAL = /\b(?:AKIA|ASIA)[A-Z0-9]{12,}|[A-Za-z0-9/+]{40,}/g;

function printFound(value: unknown): string {
  if (typeof value === 'string') {
    const shown = value.replaceAll(CREDENTIAL, '(hidden)');
    return JSON.stringify(shown.length > LONGEST_FOUND ? `${shown.slice(0, LONGEST_FOUND)}…` : shown);
  }
  if (value === undefined) return 'nothing';
  if (value === null) return 'nothing (null)';
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `a list of ${value.length}`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const keys = Object.keys(value).length;
  return keys === 0 ? '{}' : `a mapping with ${keys === 1 ? '1 key' : `${keys} keys`}`;
}
