import type * as z from 'zod/mini';
import { problemAt, type RuleProblem, unknownKey, wrongKey, wrongKind } from './problems.ts';
import { type RulesFile, rulesFile } from './schema.ts';

type Segments = readonly (string | number)[];

/** Every problem that a single field shows by itself; the file, if there is none. */
export function checkShape(document: unknown): {
  readonly file?: RulesFile;
  readonly problems: readonly RuleProblem[];
} {
  // zod leaves keys of this name out without a word, and a tag that is left out of `select` selects more.
  const unusable = mappingsWith('__proto__', document);
  if (unusable.length > 0) {
    return { problems: unusable.map((path) => wrongKey(path, '__proto__', 'is a key that cannot be used')) };
  }
  const parsed = rulesFile.safeParse(document);
  if (parsed.success) return { file: parsed.data, problems: [] };
  return { problems: parsed.error.issues.flatMap((issue) => toProblems(document, [], issue)) };
}

/** @param parent the path to the value that the issue's own path starts from. */
function toProblems(document: unknown, parent: Segments, issue: z.core.$ZodIssue): readonly RuleProblem[] {
  const path = [...parent, ...issue.path.filter((segment) => typeof segment !== 'symbol')];
  if (issue.code === 'custom') return [problemAt(document, path, issue.message)];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => wrongKey(path.slice(0, -1), String(path.at(-1)), message));
  }
  if (issue.code === 'invalid_union') {
    // The kind that was meant is the one that fails inside the value, not because of what the value is.
    const meant = issue.errors.find((issues) => !issues.some(isWrongKind));
    if (meant !== undefined) return meant.flatMap((inner) => toProblems(document, path, inner));
  }
  return [wrongKind(document, path)];
}

function isWrongKind({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

function mappingsWith(key: string, value: unknown, at: Segments = []): readonly Segments[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  return entries.flatMap(([name, inner]) => {
    return name === key ? [at] : mappingsWith(key, inner, [...at, name]);
  });
}
