import { PolicyError } from './policy-error.ts';

/** The values of a request's condition key; undefined if it has none. */
export type Values = (key: string) => readonly string[] | undefined;

/** Whether a text of the request fits a text of a policy. `values` is for its policy variables. */
export type Pattern = (text: string, values: Values) => boolean;

/** How a text of a policy is compared: exactly, with `*` and `?`, or as ARNs are. */
export type Comparison = 'exact' | 'wildcards' | 'resource';

type Part = string | { readonly wildcard: '*' | '?' } | { readonly variable: string; readonly otherwise?: string };

const VARIABLE = /\$\{([^}]*)\}/;
/** What would be special, said as it is: `${*}` is an asterisk. */
const LITERALS = new Set(['*', '?', '$']);

/**
 * Reads a text of a policy.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 * @param where for errors
 * @throws PolicyError
 */
export function readPattern(text: string, comparison: Comparison, where: string): Pattern {
  const parts = partsOf(text, comparison !== 'exact', where);
  const [only] = parts;
  if (parts.length === 0) return (actual) => actual === '';
  if (parts.length === 1 && typeof only === 'string') return (actual) => actual === only;
  const fixed = parts.filter((part) => typeof part === 'string' || 'wildcard' in part);
  if (fixed.length === parts.length) {
    const regExp = regExpOf(fixed, comparison);
    return (actual) => regExp.test(actual);
  }
  return (actual, values) => {
    const filled: (string | { readonly wildcard: '*' | '?' })[] = [];
    for (const part of parts) {
      if (typeof part === 'string' || 'wildcard' in part) filled.push(part);
      else {
        const value = onlyValue(part, values);
        if (value === undefined) return false;
        filled.push(value);
      }
    }
    return regExpOf(filled, comparison).test(actual);
  };
}

/** Only keys with one value make variables; without a value and a default, nothing fits. */
function onlyValue(
  part: { readonly variable: string; readonly otherwise?: string },
  values: Values,
): string | undefined {
  const found = values(part.variable);
  return found === undefined ? part.otherwise : found.length === 1 ? found[0] : undefined;
}

function partsOf(text: string, withWildcards: boolean, where: string): Part[] {
  const parts: Part[] = [];
  let rest = text;
  for (let found = VARIABLE.exec(rest); found !== null; found = VARIABLE.exec(rest)) {
    parts.push(...plainParts(rest.slice(0, found.index), withWildcards), variablePart(found[1] ?? '', where));
    rest = rest.slice(found.index + found[0].length);
  }
  return joined([...parts, ...plainParts(rest, withWildcards)]);
}

function variablePart(inside: string, where: string): Part {
  if (LITERALS.has(inside)) return inside;
  const [, key, otherwise] = /^([\w-]+:[\w:/.+=@-]+)(?:,\s*'([^']*)')?$/.exec(inside.trim()) ?? [];
  if (key === undefined) throw new PolicyError(where, `\${${inside}} is no policy variable`);
  return { variable: key.toLowerCase(), ...(otherwise === undefined ? {} : { otherwise }) };
}

function plainParts(text: string, withWildcards: boolean): Part[] {
  if (text === '') return [];
  if (!withWildcards) return [text];
  return text
    .split(/([*?])/)
    .filter((part) => part !== '')
    .map((part) => (part === '*' || part === '?' ? { wildcard: part } : part));
}

/** Neighbouring texts as one. */
function joined(parts: readonly Part[]): Part[] {
  const all: Part[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (typeof part === 'string' && typeof last === 'string') all.splice(-1, 1, last + part);
    else all.push(part);
  }
  return all;
}

/**
 * In an ARN a wildcard stands for something within its segment; an asterisk at a segment's end also for what follows.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
function regExpOf(parts: readonly (string | { readonly wildcard: '*' | '?' })[], comparison: Comparison): RegExp {
  const source = parts.map((part, index) => {
    if (typeof part === 'string') return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
    const next = parts[index + 1];
    const endsSegment = next === undefined || (typeof next === 'string' && next.startsWith(':'));
    const character = comparison === 'resource' && !endsSegment ? '[^:]' : '.';
    return part.wildcard === '*' ? `${character}*` : comparison === 'resource' ? '[^:]' : '.';
  });
  return new RegExp(`^${source.join('')}$`, 's');
}
