import * as z from 'zod';

/** Whether an event matches a pattern. */
export type EventMatcher = (event: unknown) => boolean;

/** The pattern is not one that the sandbox, or EventBridge, understands. */
export class EventPatternError extends Error {
  override readonly name = 'EventPatternError';
}

/** Matches one value; `undefined` = the field is absent. */
type ValueMatcher = (value: unknown) => boolean;

const fields = z.record(z.string(), z.unknown());
const texts = z.union([z.string(), z.array(z.string()).min(1)]).transform((value) => [value].flat());
const ignoringCase = z.strictObject({ 'equals-ignore-case': z.string() });
const comparison = z.enum(['<', '<=', '=', '>=', '>']);

/**
 * Reads an event pattern. Every operator that it does not know is an error, because a pattern that matches too much or
 * too little is worse than none.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 * @throws EventPatternError
 */
export function compilePattern(pattern: unknown): EventMatcher {
  return compileFields(pattern, 'pattern');
}

function compileFields(pattern: unknown, path: string): EventMatcher {
  const parsed = fields.safeParse(pattern);
  if (!parsed.success || Object.keys(parsed.data).length === 0)
    throw new EventPatternError(`${path}: must be an object with fields`);
  const matchers = Object.entries(parsed.data).map(([name, wanted]) => {
    const here = `${path}.${name}`;
    if (name === '$or') return compileOr(wanted, here);
    const matches = Array.isArray(wanted) ? compileLeaf(wanted, here) : compileFields(wanted, here);
    return (event: unknown) => matches(fieldOf(event, name));
  });
  const all = (event: unknown): boolean => matchers.every((matches) => matches(event));
  // "If the value in the event is an array, the pattern matches if the intersection is non-empty"; the fields of an
  // array of objects must match within one and the same object.
  return (event) => (Array.isArray(event) ? event.some((element) => all(element)) : all(event));
}

function compileOr(wanted: unknown, path: string): EventMatcher {
  if (!Array.isArray(wanted) || wanted.length < 2)
    throw new EventPatternError(`${path}: must be a list of at least two patterns`);
  const alternatives = wanted.map((each, index) => compileFields(each, `${path}[${index}]`));
  return (event) => alternatives.some((matches) => matches(event));
}

function compileLeaf(wanted: readonly unknown[], path: string): ValueMatcher {
  if (wanted.length === 0) throw new EventPatternError(`${path}: an empty list matches nothing`);
  const alternatives = wanted.map((each, index) => compileValue(each, `${path}[${index}]`));
  return (value) => {
    const values = Array.isArray(value) && value.length > 0 ? value : [value];
    return values.some((each) => alternatives.some((matches) => matches(each)));
  };
}

function compileValue(wanted: unknown, path: string): ValueMatcher {
  if (wanted === null || ['string', 'number', 'boolean'].includes(typeof wanted)) return (value) => value === wanted;
  const parsed = fields.safeParse(wanted);
  const entries = parsed.success ? Object.entries(parsed.data) : [];
  const [operator, operand] = entries[0] ?? [];
  if (operator === undefined || entries.length > 1)
    throw new EventPatternError(`${path}: must be a value, or an object with one operator`);
  const compile = operators[operator];
  if (compile === undefined) throw new EventPatternError(`${path}: the sandbox does not know the operator ${operator}`);
  return compile(operand, `${path}.${operator}`);
}

const operators: Readonly<Record<string, (operand: unknown, path: string) => ValueMatcher>> = {
  exists(operand, path) {
    const wanted = read(z.boolean(), operand, path);
    // Only a leaf exists; a field that holds an object does not.
    return (value) => (value !== undefined && !isObject(value)) === wanted;
  },
  prefix: (operand, path) => compileEnd(operand, path, (text, end) => text.startsWith(end)),
  suffix: (operand, path) => compileEnd(operand, path, (text, end) => text.endsWith(end)),
  'equals-ignore-case'(operand, path) {
    const wanted = read(z.string(), operand, path).toLowerCase();
    return onText((text) => text.toLowerCase() === wanted);
  },
  wildcard(operand, path) {
    const wanted = compileWildcard(read(z.string(), operand, path), path);
    return onText((text) => wanted.test(text));
  },
  numeric: compileNumeric,
  'anything-but': compileAnythingBut,
};

function compileEnd(operand: unknown, path: string, ends: (text: string, end: string) => boolean): ValueMatcher {
  const wanted = read(z.union([z.string(), ignoringCase]), operand, path);
  if (typeof wanted === 'string') return onText((text) => ends(text, wanted));
  const lower = wanted['equals-ignore-case'].toLowerCase();
  return onText((text) => ends(text.toLowerCase(), lower));
}

/** `*` stands for any number of characters, `\*` for itself. */
function compileWildcard(pattern: string, path: string): RegExp {
  if (pattern.includes('**')) throw new EventPatternError(`${path}: two wildcards in a row are not allowed`);
  const source = pattern.replaceAll(/\\[*\\]|[\s\S]/g, (part) => {
    if (part === '*') return '[\\s\\S]*';
    return (part.length === 2 ? part.slice(1) : part).replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
  });
  return new RegExp(`^${source}$`);
}

function compileNumeric(operand: unknown, path: string): ValueMatcher {
  const parts = read(
    z.union([z.tuple([comparison, z.number()]), z.tuple([comparison, z.number(), comparison, z.number()])]),
    operand,
    path,
  );
  const [first, limit, second, otherLimit] = parts;
  return (value) => {
    if (typeof value !== 'number') return false;
    if (!compares(value, first, limit)) return false;
    return second === undefined || otherLimit === undefined || compares(value, second, otherLimit);
  };
}

function compares(value: number, operator: z.output<typeof comparison>, limit: number): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '=':
      return value === limit;
    case '>=':
      return value >= limit;
    case '>':
      return value > limit;
    default:
      return operator satisfies never;
  }
}

/** An absent field is not "anything". */
function compileAnythingBut(operand: unknown, path: string): ValueMatcher {
  const isExcluded = compileExcluded(operand, path);
  return (value) => value !== undefined && !isObject(value) && !isExcluded(value);
}

function compileExcluded(operand: unknown, path: string): ValueMatcher {
  const scalar = z.union([z.string(), z.number()]);
  const plain = z.union([scalar, z.array(scalar).min(1)]).safeParse(operand);
  if (plain.success) {
    const excluded: unknown[] = [plain.data].flat();
    return (value) => excluded.includes(value);
  }
  const named = read(
    z.union([
      z.strictObject({ prefix: texts }),
      z.strictObject({ suffix: texts }),
      z.strictObject({ wildcard: texts }),
      z.strictObject({ 'equals-ignore-case': texts }),
    ]),
    operand,
    path,
  );
  const excluded = Object.entries(named).flatMap(([name, ends]: [string, string[]]) =>
    ends.map((end) => compileValue({ [name]: end }, path)),
  );
  return (value) => excluded.some((matches) => matches(value));
}

function read<T extends z.ZodType>(schema: T, operand: unknown, path: string): z.output<T> {
  const parsed = schema.safeParse(operand);
  if (!parsed.success)
    throw new EventPatternError(`${path}: the sandbox does not understand ${JSON.stringify(operand)}`);
  return parsed.data;
}

function onText(matches: (text: string) => boolean): ValueMatcher {
  return (value) => typeof value === 'string' && matches(value);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function fieldOf(event: unknown, name: string): unknown {
  const parsed = fields.safeParse(event);
  return parsed.success && Object.hasOwn(parsed.data, name) ? parsed.data[name] : undefined;
}
