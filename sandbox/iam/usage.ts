import { type Allowing, evaluate } from './evaluate.ts';
import type { PolicyDocument, StatementText } from './policy-document.ts';
import type { Call, Context, Principal, ResourceSide, RoleOptions, Verdict } from './types.ts';
import { valuesOf } from './values.ts';

/** One statement of a policy that was deployed. */
export interface StatementRef {
  /** `trust`: of who may take the role. `resource`: of a queue, topic, bus, key, function. `session`: of AssumeRole. */
  readonly of: 'identity' | 'session' | 'trust' | 'resource';
  /** ARN of the role, or of the resource. */
  readonly owner: string;
  /** Of a role: which of its policies. */
  readonly policy: number;
  /** Its place in the policy. */
  readonly statement: number;
  readonly sid?: string;
}

/** A request that was decided, and all others that the same statements allowed. Plain data. */
export interface EvaluatedRequest {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly principal: Principal;
  readonly call: Call;
  /** All condition keys but the time, also those of every request. */
  readonly context: Context;
  readonly resource?: ResourceSide;
  readonly verdict: Verdict;
  /** More than one: across accounts, or because more than one allows it. */
  readonly allowedBy: readonly StatementRef[];
  /** How many requests of this role for this action had the same fate, for all that the same statements ask for. */
  readonly times: number;
}

/** A deployed role, and where it comes from. */
export type UsedRole = Pick<RoleOptions, 'arn' | 'stack' | 'logicalId' | 'region' | 'trust' | 'policies'>;

interface Noted {
  readonly at: number;
  readonly principal: Principal;
  readonly call: Call;
  readonly context: Context;
  readonly resource: ResourceSide | undefined;
  readonly verdict: Verdict;
  readonly allowedBy: readonly Allowing[];
}

/** Which statements of which policies allowed what. */
export class Usage {
  readonly #roles = new Map<string, UsedRole>();
  readonly #requests = new Map<string, { readonly first: Noted; times: number }>();

  addRole({ arn, stack, logicalId, region, trust, policies }: RoleOptions): void {
    this.#roles.set(arn, { arn, stack, logicalId, trust, policies, ...(region === undefined ? {} : { region }) });
  }

  note(noted: Noted): void {
    const key = keyOf(noted, this.#askedFor(noted));
    const known = this.#requests.get(key);
    if (known === undefined) this.#requests.set(key, { first: noted, times: 1 });
    else known.times += 1;
  }

  /** All roles that were ever there. */
  roles(): readonly UsedRole[] {
    return [...this.#roles.values()];
  }

  /** One request for each way in which a role's requests were decided, in the order in which they came first. */
  requests(): readonly EvaluatedRequest[] {
    return [...this.#requests.values()].map(({ first, times }) => ({
      at: first.at,
      principal: first.principal,
      call: first.call,
      context: first.context,
      ...(first.resource === undefined ? {} : { resource: first.resource }),
      verdict: first.verdict,
      allowedBy: first.allowedBy.map((allowing) => refOf(allowing, first)),
      times,
    }));
  }

  #askedFor({ principal, context, resource, allowedBy }: Noted): Context {
    const policies = this.#roles.get(principal.roleArn ?? '')?.policies;
    const keys = allowedBy.flatMap(({ of, policy, statement }) => {
      const by = { identity: policies?.[policy], session: principal.sessionPolicy, resource: resource?.policy }[of];
      return Object.values(by?.Statement[statement.index]?.Condition ?? {}).flatMap(Object.keys);
    });
    const asked = new Set(keys.map((key) => key.toLowerCase()));
    return Object.fromEntries(Object.entries(context).filter(([key]) => asked.has(key.toLowerCase())));
  }
}

/** Of the context, only what the deciding statements ask for makes a difference. */
function keyOf({ principal, call, resource, verdict, allowedBy }: Noted, askedFor: Context): string {
  const by = allowedBy.map(({ of, policy, statement }) => `${of} ${policy} ${statement.index}`);
  const owner = allowedBy.some(({ of }) => of === 'resource') ? ownerOf(resource, call) : '';
  const who = principal.roleArn ?? principal.service ?? principal.arn;
  return JSON.stringify([who, call.action, call.resource, verdict.why, by, owner, askedFor]).replaceAll(MADE_UP, '*');
}

/** Ids, days, and what Lambda calls a log stream: no statement tells one from another. */
const MADE_UP = /\b(?:(?:snap|vol|i)-[0-9a-f]{8,17}|\d{4}([-/])\d\d\1\d\d(?:T[\d:.]+Z)?|[0-9a-f]{32})\b/g;

function ownerOf(resource: ResourceSide | undefined, { resource: arn }: Call): string {
  return resource?.from ?? arn;
}

function refOf({ of, policy, statement }: Allowing, { principal, call, resource }: Noted): StatementRef {
  const isTrust = of === 'resource' && resource?.policy?.kind === 'trust';
  return {
    of: isTrust ? 'trust' : of,
    owner: of === 'resource' ? ownerOf(resource, call) : (principal.roleArn ?? ''),
    policy,
    statement: statement.index,
    ...(statement.sid === undefined ? {} : { sid: statement.sid }),
  };
}

/**
 * Decides requests again, as if some statements had been written otherwise. Answers those that end otherwise than they did.
 * @param usage of the same run: the roles, and the requests
 * @param rewrite answers the statement as it shall be; undefined: it had never been written
 */
export function replay(
  { roles, requests }: { readonly roles: readonly UsedRole[]; readonly requests: readonly EvaluatedRequest[] },
  rewrite: (statement: StatementText, ref: StatementRef) => StatementText | undefined,
): readonly { readonly request: EvaluatedRequest; readonly verdict: Verdict }[] {
  const roleOf = new Map(roles.map((role) => [role.arn, role]));
  const rewritten = new Map<PolicyDocument, PolicyDocument>();
  const again = (policy: PolicyDocument, of: StatementRef['of'], owner: string, index = 0): PolicyDocument => {
    const known = rewritten.get(policy);
    if (known !== undefined) return known;
    const Statement = policy.Statement.flatMap((statement, place) => {
      const { Sid } = statement;
      const ref = { of, owner, policy: index, statement: place, ...(Sid === undefined ? {} : { sid: Sid }) };
      return rewrite(statement, ref) ?? [];
    });
    const isSame = Statement.every((statement, place) => statement === policy.Statement[place]);
    const result = isSame && Statement.length === policy.Statement.length ? policy : { ...policy, Statement };
    rewritten.set(policy, result);
    return result;
  };
  return requests.flatMap((request) => {
    const { at, principal, call, context, resource } = request;
    const role = principal.roleArn === undefined ? undefined : roleOf.get(principal.roleArn);
    const ofResource = resource?.policy;
    const { allowedBy: _, ...verdict } = evaluate(principal, call, valuesOf(context, at), {
      identity: role?.policies.map((policy, index) => again(policy, 'identity', role.arn, index)),
      session: principal.sessionPolicy && again(principal.sessionPolicy, 'session', principal.roleArn ?? ''),
      resource: resource && {
        ...resource,
        policy:
          ofResource && again(ofResource, ofResource.kind === 'trust' ? 'trust' : 'resource', ownerOf(resource, call)),
      },
    });
    return verdict.allowed === request.verdict.allowed ? [] : [{ request, verdict }];
  });
}
