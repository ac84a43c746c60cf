import * as z from 'zod';
import { Ec2Error, invalidValue } from './ec2-error.ts';

/** Parameters of a Query call as a tree: `Filter.1.Name=status` becomes `{ Filter: { 1: { Name: 'status' } } }`. */
export interface QueryTree {
  readonly [name: string]: string | QueryTree;
}

/** What every call carries beside its own parameters. */
const ENVELOPE = /^(Action|Version|X-Amz-.*)$/;

/** Reads the parameters of a call, without `Action` and `Version`. */
export function parseQuery(params: URLSearchParams): QueryTree {
  const root = branch();
  for (const [name, value] of params) {
    if (ENVELOPE.test(name)) continue;
    const path = name.split('.');
    const last = path.pop() ?? '';
    let node = root;
    for (const step of path) {
      const next = node[step] ?? branch();
      if (typeof next === 'string') throw malformed(name);
      node[step] = next;
      node = next;
    }
    if (typeof node[last] === 'object') throw malformed(name);
    node[last] = value;
  }
  return root;
}

interface Branch {
  [name: string]: string | Branch;
}

/** Without a prototype, so that no parameter name means anything to JavaScript. */
function branch(): Branch {
  return Object.create(null);
}

function malformed(name: string): Ec2Error {
  return new Ec2Error('MalformedQueryString', `The query string has a value and members for ${name}`);
}

// --- the scalar types of the Query protocol: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html

export const text: z.ZodType<string> = z.string();

export const flag: z.ZodType<boolean> = z
  .string()
  .regex(/^(true|false)$/i)
  .transform((value) => value.toLowerCase() === 'true');

export const integer: z.ZodType<number> = z
  .string()
  .regex(/^-?\d{1,15}$/)
  .transform(Number);

/** Milliseconds since 1970, from ISO 8601. */
export const timestamp: z.ZodType<number> = z
  .string()
  .refine((value) => !Number.isNaN(Date.parse(value)))
  .transform((value) => Date.parse(value));

/** A numbered list, `Name.1`, `Name.2`, …: in the order of the numbers, and empty if there is none. */
export function listOf<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.preprocess(inOrder, z.array(item));
}

function inOrder(numbered: unknown): unknown {
  if (numbered === undefined || numbered === '') return [];
  if (typeof numbered !== 'object' || numbered === null) return numbered;
  const entries = Object.entries(numbered);
  if (entries.some(([number]) => !/^\d+$/.test(number))) return numbered;
  return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value);
}

/** Reads parameters by a schema; what does not fit is one of EC2's errors. */
export function readParameters<T>(schema: z.ZodType<T>, tree: QueryTree): T {
  const parsed = schema.safeParse(tree);
  if (parsed.success) return parsed.data;
  throw toEc2Error(parsed.error.issues, tree);
}

function toEc2Error(issues: readonly z.core.$ZodIssue[], tree: QueryTree): Ec2Error {
  // An unknown name is said first, for it is often the misspelt form of a missing one.
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const name = parameterName([...issue.path, issue.keys[0] ?? '']);
    return new Ec2Error('UnknownParameter', `The parameter ${name} is not recognized`);
  }
  const path = issues[0]?.path ?? [];
  const name = parameterName(path);
  const value = valueAt(tree, path);
  if (value === undefined) {
    return new Ec2Error('MissingParameter', `The request must contain the parameter ${name}`);
  }
  return invalidValue(`Value (${typeof value === 'string' ? value : '…'}) for parameter ${name} is invalid.`);
}

/** As the caller wrote it: zod counts from 0, EC2 from 1. */
function parameterName(path: readonly PropertyKey[]): string {
  return path.map((step) => (typeof step === 'number' ? step + 1 : String(step))).join('.');
}

function valueAt(tree: QueryTree, path: readonly PropertyKey[]): string | QueryTree | undefined {
  let node: string | QueryTree | undefined = tree;
  for (const step of path) {
    if (typeof node !== 'object') return undefined;
    node = typeof step === 'number' ? Object.values(node)[step] : node[String(step)];
  }
  return node;
}
