import * as z from 'zod';

/** An AWS service that wants to do something to a resource, on behalf of another one of this account. */
export interface ServiceRequest {
  /** `events.amazonaws.com` */
  readonly service: string;
  /** `sqs:SendMessage` */
  readonly action: string;
  readonly resource: string;
  /** ARN of what the service acts for, for example a rule. */
  readonly sourceArn: string;
}

const texts = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const values = z.union([z.string(), z.boolean(), z.array(z.string())]).transform((value) => [value].flat().map(String));

const conditionSchema = z.partialRecord(
  z.enum(['ArnEquals', 'ArnLike', 'StringEquals', 'StringLike', 'Bool']),
  z.partialRecord(z.enum(['aws:SourceArn', 'aws:SourceAccount', 'aws:SecureTransport']), values),
);

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.union([z.literal('*'), z.strictObject({ Service: texts.optional(), AWS: texts.optional() })]),
  Action: texts,
  Resource: texts.optional(),
  Condition: conditionSchema.optional(),
});

type Statement = z.output<typeof statementSchema>;

const policySchema = z.strictObject({
  Version: z.string().optional(),
  Id: z.string().optional(),
  Statement: z.union([z.array(statementSchema), statementSchema]).transform((value) => [value].flat()),
});

/**
 * The policies of queues, topics and functions, as far as they let services in. A policy with something that is not
 * known here is an error when it is added.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export class ResourcePolicies {
  readonly #statements = new Map<string, Statement[]>();

  /** @throws z.ZodError */
  add(resource: string, policy: unknown): void {
    const known = this.#statements.get(resource) ?? [];
    this.#statements.set(resource, [...known, ...policySchema.parse(policy).Statement]);
  }

  allows(request: ServiceRequest): boolean {
    const applying = (this.#statements.get(request.resource) ?? []).filter((each) => applies(each, request));
    return applying.length > 0 && applying.every(({ Effect }) => Effect === 'Allow');
  }
}

function applies(statement: Statement, request: ServiceRequest): boolean {
  return (
    names(statement.Principal, request.service) &&
    statement.Action.some((action) => isLike(request.action.toLowerCase(), action.toLowerCase())) &&
    (statement.Resource ?? ['*']).some((resource) => isLike(request.resource, resource)) &&
    holds(statement.Condition ?? {}, request)
  );
}

function names(principal: Statement['Principal'], service: string): boolean {
  if (principal === '*') return true;
  return principal.AWS?.includes('*') === true || principal.Service?.includes(service) === true;
}

function holds(condition: NonNullable<Statement['Condition']>, request: ServiceRequest): boolean {
  const actual: Record<string, string> = {
    'aws:SourceArn': request.sourceArn,
    'aws:SourceAccount': request.sourceArn.split(':')[4] ?? '',
    'aws:SecureTransport': 'true',
  };
  return Object.entries(condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const value = actual[key] ?? '';
      return wanted.some((each) => (operator === 'StringEquals' ? value === each : isLike(value, each)));
    }),
  );
}

/** `*` and `?` as in ARNs of policies. */
function isLike(text: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(text);
}
