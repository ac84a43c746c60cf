import * as z from 'zod';
import { pythonText } from './python-words.ts';

export type OutputFormat = 'json' | 'text';

/** A value that came out of JSON or of a query. */
const value = z.json();
type Value = z.infer<typeof value>;

/**
 * An answer as the AWS command line prints it, without the newline at the end; undefined if it prints nothing.
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-output-format.html
 */
export function printed(answer: unknown, format: OutputFormat): string | undefined {
  const found = value.parse(answer);
  if (format === 'text') {
    const lines = textLines(found, undefined, undefined);
    return lines.length === 0 ? undefined : lines.join('\n');
  }
  if (isStructure(found) && Object.keys(found).length === 0) return undefined;
  return JSON.stringify(found, undefined, 4);
}

/**
 * Texts with tabs between them: scalars of a structure in one line, in the order of their keys, and what is nested in
 * lines of its own, which begin with its name in capitals.
 *
 * @param columns keys of a list of structures, so that each of them has the same columns
 */
function textLines(item: Value, name: string | undefined, columns: readonly string[] | undefined): readonly string[] {
  if (Array.isArray(item)) return linesOfList(item, name);
  if (!isStructure(item)) return [pythonText(item)];
  const keys = Object.keys(item).toSorted(byCodePoint);
  const shown = columns ?? keys.filter((key) => isScalar(item[key]));
  const cells = shown.map((key) => (Object.hasOwn(item, key) ? pythonText(item[key] ?? null) : ''));
  const own = cells.length === 0 ? [] : [[...(name === undefined ? [] : [name.toUpperCase()]), ...cells].join('\t')];
  const nested = keys
    .filter((key) => !shown.includes(key))
    .flatMap((key) => textLines(item[key] ?? null, key, undefined));
  return [...own, ...nested];
}

function linesOfList(items: readonly Value[], name: string | undefined): readonly string[] {
  if (items.some(isStructure)) {
    const structures = items.filter(isStructure);
    const columns = [
      ...new Set(structures.flatMap((each) => Object.keys(each).filter((key) => isScalar(each[key])))),
    ].toSorted(byCodePoint);
    return items.flatMap((each) => textLines(each, name, columns));
  }
  const scalars = items.filter(isScalar).map((each) => pythonText(each));
  const own =
    scalars.length === 0
      ? []
      : name === undefined
        ? [scalars.join('\t')]
        : scalars.map((each) => `${name.toUpperCase()}\t${each}`);
  return [...own, ...items.filter((each) => !isScalar(each)).flatMap((each) => textLines(each, name, undefined))];
}

function isStructure(item: Value): item is { [key: string]: Value } {
  return typeof item === 'object' && item !== null && !Array.isArray(item);
}

function isScalar(item: Value | undefined): boolean {
  return typeof item !== 'object' || item === null;
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : 1;
}
