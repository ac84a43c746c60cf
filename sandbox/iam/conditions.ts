import { type Comparison, type Pattern, readPattern, type Values } from './pattern.ts';
import { PolicyError } from './policy-error.ts';
import { conditionKey } from './service-reference.ts';

/** The element Condition, read. */
export type Condition = (values: Values) => boolean;

interface Operator {
  /** Whether it holds when no value of the policy fits, and so also when the request has no value. */
  readonly isNegated: boolean;
  readonly read: (wanted: string, where: string) => Pattern;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...withNegation('StringEquals', 'StringNotEquals', texts('exact')),
  ...withNegation('StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', textsIgnoringCase),
  ...withNegation('StringLike', 'StringNotLike', texts('wildcards')),
  // "ArnEquals and ArnLike behave identically."
  ...withNegation('ArnEquals', 'ArnNotEquals', arns),
  ...withNegation('ArnLike', 'ArnNotLike', arns),
  ...withNegation(
    'NumericEquals',
    'NumericNotEquals',
    compared(number, (actual, wanted) => actual === wanted),
  ),
  ['NumericLessThan', positive(compared(number, (actual, wanted) => actual < wanted))],
  ['NumericLessThanEquals', positive(compared(number, (actual, wanted) => actual <= wanted))],
  ['NumericGreaterThan', positive(compared(number, (actual, wanted) => actual > wanted))],
  ['NumericGreaterThanEquals', positive(compared(number, (actual, wanted) => actual >= wanted))],
  ...withNegation(
    'DateEquals',
    'DateNotEquals',
    compared(date, (actual, wanted) => actual === wanted),
  ),
  ['DateLessThan', positive(compared(date, (actual, wanted) => actual < wanted))],
  ['DateLessThanEquals', positive(compared(date, (actual, wanted) => actual <= wanted))],
  ['DateGreaterThan', positive(compared(date, (actual, wanted) => actual > wanted))],
  ['DateGreaterThanEquals', positive(compared(date, (actual, wanted) => actual >= wanted))],
  ['Bool', positive(bool)],
]);

/**
 * Reads the conditions of a statement, of which all must hold.
 * @param where for errors
 * @throws PolicyError for an operator or key that is unknown, and for values of the wrong kind
 */
export function readConditions(
  block: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>,
  where: string,
): Condition {
  const conditions = Object.entries(block).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, wanted]) => readCondition(operator, key, wanted, `${where}.${operator}.${key}`)),
  );
  return (values) => conditions.every((holds) => holds(values));
}

function readCondition(written: string, key: string, wanted: readonly string[], where: string): Condition {
  const known = conditionKey(key);
  if (known === undefined) throw new PolicyError(where, 'no service has this condition key');
  const name = key.toLowerCase();
  if (written === 'Null') return readNull(name, wanted, where);

  const [, set, operatorName = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(written) ?? [];
  const operator = OPERATORS.get(operatorName);
  if (operator === undefined) throw new PolicyError(where, 'the sandbox does not know this operator');
  if (known.isList && set === undefined) {
    throw new PolicyError(where, 'the key has a list of values, which needs ForAllValues or ForAnyValue');
  }
  const patterns = wanted.map((each) => operator.read(each, where));
  const fits = (actual: string, values: Values): boolean =>
    patterns.some((pattern) => pattern(actual, values)) !== operator.isNegated;

  return (values) => {
    const actual = values(name) ?? [];
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    if (actual.length === 0) {
      return ifExists !== undefined || set === 'ForAllValues' || (operator.isNegated && set === undefined);
    }
    // AWS does not say what an operator without a set does with several values; here a permission that relies on it is
    // as wide as it can be.
    const oneIsEnough = set === 'ForAnyValue' || (set === undefined && !operator.isNegated);
    return oneIsEnough ? actual.some((value) => fits(value, values)) : actual.every((value) => fits(value, values));
  };
}

/** "Use a Null condition operator to check if a condition key is absent at the time of authorization." */
function readNull(key: string, wanted: readonly string[], where: string): Condition {
  const [value = '', ...more] = wanted.map((each) => each.toLowerCase());
  if (more.length > 0 || !/^(true|false)$/.test(value)) throw new PolicyError(where, 'must be "true" or "false"');
  return (values) => ((values(key) ?? []).length === 0) === (value === 'true');
}

function positive(read: Operator['read']): Operator {
  return { isNegated: false, read };
}

function withNegation(name: string, negation: string, read: Operator['read']): [string, Operator][] {
  return [
    [name, positive(read)],
    [negation, { isNegated: true, read }],
  ];
}

function texts(comparison: Comparison): Operator['read'] {
  return (wanted, where) => readPattern(wanted, comparison, where);
}

function textsIgnoringCase(wanted: string, where: string): Pattern {
  const pattern = readPattern(wanted.toLowerCase(), 'exact', where);
  return (actual, values) => pattern(actual.toLowerCase(), (key) => values(key)?.map((value) => value.toLowerCase()));
}

/** "Each of the six colon-delimited components of the ARN is checked separately and each can include wildcards." */
function arns(wanted: string, where: string): Pattern {
  if (wanted === '*') return () => true;
  const patterns = componentsOf(wanted.replaceAll(/\$\{[^}]*\}/g, (variable) => variable.replaceAll(':', '\0'))).map(
    (component) => readPattern(component.replaceAll('\0', ':'), 'wildcards', where),
  );
  if (patterns.length !== 6) throw new PolicyError(where, `${wanted} is no ARN`);
  return (actual, values) => {
    const components = componentsOf(actual);
    return (
      components.length === patterns.length && patterns.every((fits, index) => fits(components[index] ?? '', values))
    );
  };
}

function componentsOf(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function compared(
  read: (text: string) => number,
  holds: (actual: number, wanted: number) => boolean,
): Operator['read'] {
  return (wanted, where) => {
    const limit = read(wanted);
    if (Number.isNaN(limit)) throw new PolicyError(where, `${wanted} is not what this operator compares`);
    return (actual) => holds(read(actual), limit);
  };
}

function number(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

/** Milliseconds since 1970, from ISO 8601 or from seconds since 1970. */
function date(text: string): number {
  return /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text);
}

function bool(wanted: string, where: string): Pattern {
  const value = wanted.toLowerCase();
  if (!/^(true|false)$/.test(value)) throw new PolicyError(where, `${wanted} is neither "true" nor "false"`);
  return (actual) => actual.toLowerCase() === value;
}
