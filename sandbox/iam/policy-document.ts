import * as z from 'zod';
import { PolicyError } from './policy-error.ts';
import { readStatement, type Statement } from './statement.ts';

export { PolicyError } from './policy-error.ts';

/** Where a policy is written: not each place may have each part. */
export type PolicyKind = 'identity' | 'session' | 'resource' | 'key' | 'trust';

const texts = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const scalar = z.union([z.string(), z.boolean(), z.number()]);
const values = z.union([scalar, z.array(scalar)]).transform((value) => [value].flat().map(String));

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.strictObject({ AWS: texts.optional(), Service: texts.optional() })]).optional(),
  Action: texts.optional(),
  NotAction: texts.optional(),
  Resource: texts.optional(),
  NotResource: texts.optional(),
  Condition: z.record(z.string(), z.record(z.string(), values)).optional(),
});

const documentSchema = z.strictObject({
  Version: z.enum(['2008-10-17', '2012-10-17']).default('2008-10-17'),
  Id: z.string().optional(),
  Statement: z.union([z.array(statementSchema), statementSchema]).transform((value) => [value].flat()),
});

export type StatementText = z.output<typeof statementSchema>;

/** A policy that was read and checked: plain data, which can be written as JSON and read again. */
export interface PolicyDocument {
  readonly kind: PolicyKind;
  readonly Version: '2008-10-17' | '2012-10-17';
  readonly Id?: string | undefined;
  readonly Statement: readonly StatementText[];
}

const statementsOf = new WeakMap<PolicyDocument, readonly Statement[]>();

/**
 * Reads a policy. What is unknown to IAM, or to the sandbox, is refused: it would be of no effect, and nobody would see.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * @param document as JSON or an object that JSON could be
 * @param where what it is the policy of, for errors
 * @throws PolicyError
 */
export function parsePolicy(kind: PolicyKind, document: unknown, where: string): PolicyDocument {
  const parsed = documentSchema.safeParse(typeof document === 'string' ? parseJson(document, where) : document);
  if (!parsed.success) throw new PolicyError(where, z.prettifyError(parsed.error));
  const policy = { ...parsed.data, kind };
  // "If you use policy variables, you must include the Version element and set it to a version that supports them."
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
  if (policy.Version === '2008-10-17' && JSON.stringify(policy).includes('${')) {
    throw new PolicyError(where, 'policy variables need "Version": "2012-10-17"');
  }
  statementsOf.set(policy, readStatements(policy, where));
  return policy;
}

/** The statements of a policy, ready to be asked. */
export function statementsIn(policy: PolicyDocument): readonly Statement[] {
  const known = statementsOf.get(policy);
  if (known !== undefined) return known;
  const read = readStatements(policy, `a policy of kind ${policy.kind}`);
  statementsOf.set(policy, read);
  return read;
}

function readStatements({ kind, Statement }: PolicyDocument, where: string): readonly Statement[] {
  const sids = Statement.flatMap(({ Sid }) => (Sid === undefined || Sid === '' ? [] : [Sid]));
  const twice = sids.find((sid, index) => sids.indexOf(sid) !== index);
  if (twice !== undefined) throw new PolicyError(where, `two statements have the Sid ${twice}`);
  return Statement.map((statement, index) => readStatement(kind, statement, index, `${where}.Statement[${index}]`));
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PolicyError(where, 'is not JSON');
  }
}
