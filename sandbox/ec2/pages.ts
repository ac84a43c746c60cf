import type * as z from 'zod';
import { invalidValue } from './ec2-error.ts';
import { integer, text } from './query.ts';

interface PageInput {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

/** The two parameters of every call that answers in pages. */
export const pageParameters: {
  MaxResults: z.ZodOptional<typeof integer>;
  NextToken: z.ZodOptional<typeof text>;
} = { MaxResults: integer.optional(), NextToken: text.optional() };

const MIN_RESULTS = 5;
const MAX_RESULTS = 1000;

interface Part<T> {
  readonly items: readonly T[];
  /** Undefined = nothing comes after. */
  readonly nextToken: string | undefined;
}

/**
 * One page of a list that is sorted by `keyOf`. Fewer than 5 at a time is an error; above 1,000 counts as 1,000;
 * without MaxResults everything comes at once.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination
 *
 * A token says what was shown last, so that what comes or goes between two pages shifts nothing.
 */
export function page<T>(list: readonly T[], keyOf: (item: T) => string, { MaxResults, NextToken }: PageInput): Part<T> {
  if (MaxResults !== undefined && MaxResults < MIN_RESULTS) {
    throw invalidValue(
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting a value greater than or equal to ${MIN_RESULTS}.`,
    );
  }
  return take(list, keyOf, NextToken, MaxResults === undefined ? undefined : Math.min(MaxResults, MAX_RESULTS));
}

/** How many items of a list decide about a page of it: one more than it shows, for the token. */
export function enoughForPage(MaxResults: number | undefined): number {
  return MaxResults === undefined ? Number.POSITIVE_INFINITY : Math.min(MaxResults, MAX_RESULTS) + 1;
}

/**
 * The part of a list that is looked through for one page, before filters choose from it. Without MaxResults it is all.
 * Its token is the page's, unless the page itself ends earlier.
 */
export function searched<T>(
  list: readonly T[],
  keyOf: (item: T) => string,
  { MaxResults, NextToken }: PageInput,
  largest: number,
): Part<T> {
  return take(list, keyOf, NextToken, MaxResults === undefined ? undefined : largest);
}

function take<T>(
  list: readonly T[],
  keyOf: (item: T) => string,
  token: string | undefined,
  most: number | undefined,
): Part<T> {
  const after = token === undefined ? undefined : readToken(token);
  const rest = after === undefined ? list : list.slice(firstAfter(list, keyOf, after));
  const chosen = most === undefined ? rest : rest.slice(0, most);
  const last = chosen.at(-1);
  const more = chosen.length < rest.length && last !== undefined;
  return { items: chosen, nextToken: more ? writeToken(keyOf(last)) : undefined };
}

/** Where in a sorted list the first item is whose key comes after this one. */
function firstAfter<T>(list: readonly T[], keyOf: (item: T) => string, after: string): number {
  let from = 0;
  let to = list.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    const item = list[middle];
    if (item !== undefined && keyOf(item) > after) to = middle;
    else from = middle + 1;
  }
  return from;
}

const TOKEN_PREFIX = 'after:';

function writeToken(key: string): string {
  return Buffer.from(TOKEN_PREFIX + key).toString('base64url');
}

function readToken(token: string): string {
  const read = Buffer.from(token, 'base64url').toString();
  // Code and words as a third-party report has them.
  if (!read.startsWith(TOKEN_PREFIX)) throw invalidValue('Unable to parse pagination token');
  return read.slice(TOKEN_PREFIX.length);
}
