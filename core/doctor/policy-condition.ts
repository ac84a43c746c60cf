import { allOf, anyOf, not, type Tri, tri } from './tri.ts';

/**
 * What a request says of itself, by condition key in small letters: every value that it may have, as far as that is
 * known. An empty list: the request surely has no such key. A key that is not here: nothing is known of it.
 */
export type RequestContext = ReadonlyMap<string, readonly string[]>;

/** The `Condition` of a statement: operator, then key, then values. */
type Condition = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

type Compare = (actual: string, wanted: string) => boolean;

const equal: Compare = (actual, wanted) => actual === wanted;
const equalInAnyCase: Compare = (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase();

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const OPERATORS = new Map<string, { readonly compare: Compare; readonly isNegated: boolean }>(
  Object.entries({
    StringEquals: { compare: equal, isNegated: false },
    StringNotEquals: { compare: equal, isNegated: true },
    StringEqualsIgnoreCase: { compare: equalInAnyCase, isNegated: false },
    StringNotEqualsIgnoreCase: { compare: equalInAnyCase, isNegated: true },
    StringLike: { compare: matches, isNegated: false },
    StringNotLike: { compare: matches, isNegated: true },
    ArnEquals: { compare: matches, isNegated: false },
    ArnNotEquals: { compare: matches, isNegated: true },
    ArnLike: { compare: matches, isNegated: false },
    ArnNotLike: { compare: matches, isNegated: true },
    Bool: { compare: equalInAnyCase, isNegated: false },
  }),
);

/** Whether a condition holds, and the keys because of which it cannot be said. */
export function holds(
  condition: Condition,
  context: RequestContext,
): { readonly answer: Tri; readonly undecided: readonly string[] } {
  const parts = Object.entries(condition).flatMap(([operator, tests]) =>
    Object.entries(tests).map(([key, values]) => ({ key, answer: test(operator, key, values, context) })),
  );
  const undecided = parts.filter(({ answer }) => answer === 'unknown').map(({ key }) => key);
  return { answer: allOf(parts.map(({ answer }) => answer)), undecided };
}

function test(written: string, key: string, values: readonly string[], context: RequestContext): Tri {
  const operator = OPERATORS.get(written.replace(/IfExists$/, ''));
  const actual = context.get(key.toLowerCase());
  // A policy variable (`${aws:…}`) stands for something that is not looked up here.
  if (operator === undefined || actual === undefined || values.some((value) => value.includes('${'))) return 'unknown';
  const { compare, isNegated } = operator;
  // Without the key no comparison holds, and every negated one does.
  if (actual.length === 0) return tri(isNegated || written.endsWith('IfExists'));
  const answers = actual.map((each) => tri(values.some((value) => compare(each, value))));
  const agreed = allOf(answers) === anyOf(answers) ? allOf(answers) : 'unknown';
  return isNegated ? not(agreed) : agreed;
}

/** With `*` and `?` as wildcards. */
export function matches(actual: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(actual);
}
