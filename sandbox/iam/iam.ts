import type { Caller } from '../accounts.ts';
import { evaluate, type Policies } from './evaluate.ts';
import { checkCall } from './service-reference.ts';
import type { Call, Context, Principal, ResourceSide, Role, RoleOptions, Verdict } from './types.ts';
import { Usage } from './usage.ts';
import { valuesOf } from './values.ts';

/** The account's administrator: may do everything in the account. */
export function administrator(account: string): Principal {
  return { account, arn: `arn:aws:iam::${account}:root` };
}

/** Who calls. */
export function principalOf({ account, principal }: Caller): Principal {
  return principal ?? administrator(account);
}

/** An AWS service that acts on its own behalf, for example `events.amazonaws.com`. */
export function awsService(service: string): Principal {
  return { account: '', arn: service, service };
}

/** Somebody who took a role. */
export function sessionOf(role: Pick<Role, 'arn' | 'name' | 'account'>, session: string): Principal {
  const arn = `arn:aws:sts::${role.account}:assumed-role/${role.name}/${session}`;
  return { account: role.account, arn, roleArn: role.arn };
}

/** What decides who may take a role. */
export function trustOf({ account, trust }: Pick<Role, 'account' | 'trust'>): ResourceSide {
  return { account, policy: trust, kind: 'key' };
}

interface IamOptions {
  /** Default: the process's own. */
  readonly clock?: { readonly now: () => number };
  /** The id, `o-…`, of the organisation that an account belongs to. Default: none. */
  readonly organizationOf?: (account: string) => string | undefined;
}

/** The roles of all accounts, and what their sessions may do. */
export class Iam {
  readonly #now: () => number;
  readonly #organizationOf: (account: string) => string | undefined;
  readonly #roles = new Map<string, Role>();
  readonly #usage = new Usage();

  constructor({ clock = { now: Date.now }, organizationOf = () => undefined }: IamOptions = {}) {
    this.#now = () => clock.now();
    this.#organizationOf = organizationOf;
  }

  /** @throws Error if there is a role of that ARN, or of that name in the account: names are unique whatever the path */
  addRole(role: RoleOptions): void {
    const name = role.arn.split('/').at(-1) ?? '';
    const known = [...this.#roles.values()].find((each) => each.account === role.account && each.name === name);
    if (known !== undefined) throw new Error(`Role with name ${name} already exists (${known.arn})`);
    this.#roles.set(role.arn, { ...role, name, maxSessionSeconds: role.maxSessionSeconds ?? 3600 });
    this.#usage.addRole(role);
  }

  /** Sessions that the role has are of no use any more. */
  removeRole(arn: string): void {
    this.#roles.delete(arn);
  }

  role(arn: string): Role | undefined {
    return this.#roles.get(arn);
  }

  /**
   * Whether the principal may make the call, and why not. Every answer to a role or service is remembered for `usage`.
   * @param resource the policy of the resource, where it has one, and who owns it
   * @throws Error if the call is described otherwise than the service authorization reference knows it
   */
  authorize(principal: Principal, call: Call, resource?: ResourceSide): Verdict {
    checkCall(call);
    const at = this.#now();
    const context = this.#contextOf(principal, call, resource);
    const policies = this.#policiesOf(principal, resource);
    if (policies === undefined) {
      return { allowed: false, why: `because no identity-based policy allows the ${call.action} action` };
    }
    const { allowedBy, ...verdict } = evaluate(principal, call, valuesOf(context, at), policies);
    this.#usage.note({ at, principal, call, context, resource, verdict, allowedBy });
    return verdict;
  }

  /**
   * Takes a role for a service, as the service does before it acts with it: its trust policy must let the service in.
   * @param session name of the session; the answer's ARN ends with it
   * @param context aws:SourceAccount and aws:SourceArn, where the service gives them
   */
  assumeForService(
    roleArn: string,
    service: string,
    session: string,
    context: Context = {},
  ): { readonly principal: Principal } | { readonly why: string } {
    const role = this.#roles.get(roleArn);
    if (role === undefined) return { why: `${roleArn} does not exist` };
    const call = { action: 'sts:AssumeRole', resource: roleArn, context };
    const verdict = this.authorize(awsService(service), call, trustOf(role));
    return verdict.allowed
      ? { principal: sessionOf(role, session) }
      : { why: `${service} cannot assume the role ${roleArn} ${verdict.why}` };
  }

  /** What was asked for, and which statements allowed it: for reports, and to find out what else would have happened. */
  usage(): Usage {
    return this.#usage;
  }

  /** Undefined: the role is gone. */
  #policiesOf({ roleArn, sessionPolicy }: Principal, resource: ResourceSide | undefined): Policies | undefined {
    if (roleArn === undefined) return { identity: undefined, session: undefined, resource };
    const role = this.#roles.get(roleArn);
    return role && { identity: role.policies, session: sessionPolicy, resource };
  }

  /** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html */
  #contextOf(principal: Principal, { context }: Call, resource: ResourceSide | undefined): Context {
    return {
      'aws:SecureTransport': 'true',
      ...(resource === undefined ? {} : { 'aws:ResourceAccount': resource.account }),
      ...this.#aboutPrincipal(principal),
      ...context,
    };
  }

  #aboutPrincipal({ account, arn, roleArn, service }: Principal): Context {
    if (service !== undefined) return { 'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': service };
    const organization = this.#organizationOf(account);
    return {
      'aws:PrincipalIsAWSService': 'false',
      'aws:PrincipalAccount': account,
      // "For IAM roles, the request context returns the ARN of the role, not the ARN of the user that assumed the role."
      'aws:PrincipalArn': roleArn ?? arn,
      'aws:PrincipalType': roleArn === undefined ? 'Account' : 'AssumedRole',
      ...(organization === undefined ? {} : { 'aws:PrincipalOrgID': organization }),
    };
  }
}
