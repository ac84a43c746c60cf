import * as z from 'zod/mini';
import { holds, matches, type RequestContext } from './policy-condition.ts';
import { allOf, anyOf, type Tri, tri } from './tri.ts';

/** Somebody who wants to do something with a key. */
export interface KeyUser {
  readonly roleArn: string;
  /** Of the role; 12 digits. */
  readonly account: string;
  readonly keyArn: string;
  /** The services through which the request may come (condition key kms:ViaService), as far as it is known. */
  readonly viaService: readonly string[];
}

/**
 * What a key policy says to one action. `allowed`: to the role itself. `leftToIam`: to its account, so that the role's
 * own policy decides. `silent`: nothing, which is a no. `undecided`: it depends on what is not known here.
 */
export interface PolicyAnswer {
  readonly answer: 'allowed' | 'leftToIam' | 'denied' | 'silent' | 'undecided';
  /** The statements that decide, or that cannot be decided, each with the reason. */
  readonly because: readonly string[];
}

const oneOrMore = z.pipe(
  z.union([z.string(), z.array(z.string())]),
  z.transform((value) => [value].flat()),
);
const conditionValues = z.pipe(
  z.union([z.string(), z.boolean(), z.number(), z.array(z.union([z.string(), z.boolean(), z.number()]))]),
  z.transform((value) => [value].flat().map(String)),
);
const statement = z.object({
  Sid: z.optional(z.string()),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.optional(z.union([z.literal('*'), z.record(z.string(), oneOrMore)])),
  NotPrincipal: z.optional(z.unknown()),
  Action: z.optional(oneOrMore),
  NotAction: z.optional(oneOrMore),
  Resource: z.optional(oneOrMore),
  NotResource: z.optional(oneOrMore),
  Condition: z.optional(z.record(z.string(), z.record(z.string(), conditionValues))),
});
const policy = z.object({
  Statement: z.pipe(
    z.union([statement, z.array(statement)]),
    z.transform((value) => [value].flat()),
  ),
});

type Statement = z.infer<typeof statement>;
export type KeyPolicy = z.infer<typeof policy>;

/** Undefined if the text is no policy that is understood here. */
export function parseKeyPolicy(text: string): KeyPolicy | undefined {
  try {
    return policy.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/**
 * What the policy says to an action of a role. It guesses nothing: a statement with something that cannot be known
 * from outside makes the answer `undecided`, unless another statement settles it.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html and
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function askKeyPolicy({ Statement: statements }: KeyPolicy, action: string, user: KeyUser): PolicyAnswer {
  const context = contextOf(action, user);
  const judged = statements.map((each, index) =>
    judge(each, `statement ${each.Sid ?? index + 1}`, action, user, context),
  );
  const of = (effect: Statement['Effect'], applies: Tri) =>
    judged.filter((each) => each.effect === effect && each.applies === applies);

  const denials = of('Deny', 'yes');
  if (denials.length > 0) return { answer: 'denied', because: denials.map(({ label }) => label) };
  const allowing = of('Allow', 'yes');
  const open = [...of('Deny', 'unknown'), ...(allowing.length === 0 ? of('Allow', 'unknown') : [])];
  if (open.length > 0) return { answer: 'undecided', because: open.map(({ label, doubt }) => `${label} (${doubt})`) };
  if (allowing.length === 0) return { answer: 'silent', because: [] };
  const answer = allowing.some(({ names }) => names === 'role') ? 'allowed' : 'leftToIam';
  return { answer, because: allowing.map(({ label }) => label) };
}

/** Principals that were deleted: KMS then shows the id of the role or user, and a new one of the same name has another. */
export function deletedPrincipals({ Statement: statements }: KeyPolicy): readonly string[] {
  const named = statements.flatMap(({ Principal }) => (typeof Principal === 'object' ? (Principal['AWS'] ?? []) : []));
  return [...new Set(named.filter((each) => /^A(?:ROA|IDA)[A-Z0-9]+$/.test(each)))];
}

interface Judged {
  readonly label: string;
  readonly effect: Statement['Effect'];
  readonly applies: Tri;
  readonly names: 'role' | 'account';
  /** Why it cannot be decided. */
  readonly doubt: string;
}

function judge(
  { Effect: effect, Principal, Action, NotAction = [], Resource, Condition: condition = {} }: Statement,
  label: string,
  action: string,
  user: KeyUser,
  context: RequestContext,
): Judged {
  const principal =
    Principal === undefined ? ({ is: 'unknown', names: 'role' } as const) : whoIs(Principal, effect, user);
  const named = (patterns: readonly string[]) =>
    patterns.some((pattern) => matches(action.toLowerCase(), pattern.toLowerCase()));
  const meant = Action === undefined ? !named(NotAction) : named(Action);
  // In a key policy `*` is the key: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
  const here: Tri = Resource === undefined ? 'unknown' : tri(Resource.some((each) => matches(user.keyArn, each)));
  const { answer, undecided } = holds(condition, context);
  return {
    label,
    effect,
    applies: allOf([principal.is, tri(meant), here, answer]),
    names: principal.names,
    doubt: undecided.length > 0 ? `its condition ${undecided.join(', ')}` : 'whom or what it means',
  };
}

/** A Deny for an account is one for each of its roles; an Allow leaves it to their own policies. */
function whoIs(
  principal: NonNullable<Statement['Principal']>,
  effect: Statement['Effect'],
  { roleArn, account }: KeyUser,
): { readonly is: Tri; readonly names: 'role' | 'account' } {
  const listed = principal === '*' ? ['*'] : (principal['AWS'] ?? []);
  if (listed.includes('*') || listed.includes(roleArn)) return { is: 'yes', names: 'role' };
  const ofAccount = listed.some(
    (each) => each === account || /^arn:[^:]+:iam::(\d{12}):root$/.exec(each)?.[1] === account,
  );
  if (ofAccount) return { is: 'yes', names: effect === 'Allow' ? 'account' : 'role' };
  // One session of the role: which one calls is not known.
  const session = `:${account}:assumed-role/${roleArn.split('/').at(-1)}/`;
  return { is: anyOf(listed.map((each): Tri => (each.includes(session) ? 'unknown' : 'no'))), names: 'role' };
}

/**
 * What is known of the requests that EC2 makes of KMS in the name of the role.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
 */
function contextOf(action: string, { roleArn, account, viaService }: KeyUser): RequestContext {
  return new Map([
    ['kms:viaservice', viaService],
    ['kms:calleraccount', [account]],
    ['kms:grantisforawsresource', action === 'kms:CreateGrant' ? ['true'] : []],
    ['aws:principalaccount', [account]],
    ['aws:principalarn', [roleArn]],
    ['aws:securetransport', ['true']],
  ]);
}
