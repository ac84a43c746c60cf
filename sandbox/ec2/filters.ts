import * as z from 'zod';
import { Ec2Error, invalidValue } from './ec2-error.ts';
import { listOf, text } from './query.ts';

/** One filter of a Describe call. */
export interface Filter {
  readonly Name: string;
  readonly Value: readonly string[];
}

export const filters: z.ZodType<Filter[]> = listOf(z.strictObject({ Name: text, Value: listOf(text) }));

/** The values that an item has under a filter's name; undefined = there is no such filter. */
export type FilterValues<T> = (name: string, item: T) => readonly string[] | undefined;

const MAX_VALUES = 200;

/**
 * The first items, at most `limit`, that match every filter; of the values of one filter any may match. `*` stands for any text, `?` for any
 * character, a backslash takes that meaning away; capitals matter.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
 *
 * `known` says which names exist, for an unknown one is an error even if there is nothing to filter.
 */
export function applyFilters<T>(
  list: readonly T[],
  wanted: readonly Filter[],
  known: (name: string) => boolean,
  valuesOf: FilterValues<T>,
  limit: number = Number.POSITIVE_INFINITY,
): readonly T[] {
  const unknown = wanted.find((filter) => !known(filter.Name));
  if (unknown !== undefined) throw invalidValue(`The filter '${unknown.Name}' is invalid`);
  if (wanted.reduce((sum, filter) => sum + filter.Value.length, 0) > MAX_VALUES) {
    throw new Ec2Error(
      'FilterLimitExceeded',
      `The maximum number of filter values specified on a single call is ${MAX_VALUES}`,
    );
  }
  const tests = wanted.map(({ Name, Value }) => ({ Name, matches: matcher(Value) }));
  const found: T[] = [];
  for (const item of list) {
    if (found.length >= limit) break;
    if (tests.every(({ Name, matches }) => (valuesOf(Name, item) ?? []).some(matches))) found.push(item);
  }
  return found;
}

/** Whether a name is one of the list, or `tag:<key>` where tags can be filtered. */
export function knownFilter(names: ReadonlySet<string>, { tags }: { tags: boolean }): (name: string) => boolean {
  return (name) => names.has(name) || (tags && (name === 'tag-key' || /^tag:./.test(name)));
}

/** What `tag:<key>` and `tag-key` compare with; undefined for any other filter. */
export function tagFilterValues(name: string, tags: ReadonlyMap<string, string>): readonly string[] | undefined {
  if (name === 'tag-key') return [...tags.keys()];
  if (!name.startsWith('tag:')) return undefined;
  const value = tags.get(name.slice('tag:'.length));
  return value === undefined ? [] : [value];
}

function matcher(patterns: readonly string[]): (value: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !/[*?\\]/.test(pattern)));
  const wild = patterns.filter((pattern) => /[*?\\]/.test(pattern)).map(toRegExp);
  return (value) => exact.has(value) || wild.some((pattern) => pattern.test(value));
}

function toRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\\[\s\S]|[\s\S]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    return (part.length > 1 ? part.slice(1) : part).replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 's');
}
