import type { Values } from './pattern.ts';
import { type PolicyDocument, statementsIn } from './policy-document.ts';
import type { PrincipalMatch } from './principals.ts';
import type { Statement, StatementRequest } from './statement.ts';
import type { Call, Principal, ResourceSide, Verdict } from './types.ts';

/** All policies that decide about a request. */
export interface Policies {
  /** Of the caller's role; undefined: the caller has no role. */
  readonly identity: readonly PolicyDocument[] | undefined;
  readonly session: PolicyDocument | undefined;
  readonly resource: ResourceSide | undefined;
}

/** A statement that allowed a request, or one of those that did. */
export interface Allowing {
  readonly of: 'identity' | 'session' | 'resource';
  /** Which of the role's policies. */
  readonly policy: number;
  readonly statement: Statement;
}

export interface Decision extends Verdict {
  /** Empty for the account's administrator, and for what is not allowed. */
  readonly allowedBy: readonly Allowing[];
}

interface Found {
  readonly allows: readonly (Allowing & { readonly match: PrincipalMatch })[];
  readonly isDenied: boolean;
}

const NOTHING: Found = { allows: [], isDenied: false };

/**
 * Decides about a request: a deny decides, and without an allow there is none. Within one account the allow of the role's
 * policies or of the resource's is enough, between two both are needed. The policy of a key or a role is different: it
 * must allow the request itself, or leave it to its account.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 * @param values of the request's condition keys
 */
export function evaluate(principal: Principal, call: Call, values: Values, policies: Policies): Decision {
  const request: StatementRequest = { principal, action: call.action, resource: call.resource, values };
  const { resource } = policies;
  const identity = (policies.identity ?? []).map((policy, index) => find('identity', policy, request, index));
  const session = policies.session === undefined ? undefined : find('session', policies.session, request);
  const ofResource = resource?.policy === undefined ? NOTHING : find('resource', resource.policy, request);

  if (identity.some(({ isDenied }) => isDenied)) return denied('an identity-based');
  if (session?.isDenied === true) return denied('a session');
  if (ofResource.isDenied) return denied(`a ${resourceWords(resource)}`);

  const isOwn = resource === undefined || resource.account === principal.account;
  const byResource = ofResource.allows;
  if (principal.service !== undefined) {
    return byResource.length > 0 ? allowed(byResource) : notAllowed(resourceWords(resource), call);
  }
  if (policies.identity === undefined) {
    // An administrator takes a role only if it lets him, like everybody else.
    const mayAll = isOwn && resource?.policy?.kind !== 'trust';
    return mayAll || byResource.length > 0 ? allowed(byResource) : notAllowed(resourceWords(resource), call);
  }

  const byIdentity = identity.flatMap(({ allows }) => allows);
  const withSession = session === undefined || session.allows.length > 0;
  const sessionAllows = session?.allows ?? [];
  if (isOwn) {
    const direct = byResource.filter(({ match }) => match === 'session');
    if (direct.length > 0) return allowed(direct);
    const given = byResource.filter(({ match }) => match === 'role' || match === 'anyone');
    if (resource !== undefined && resource.kind === 'key') {
      if (byResource.length === 0) return notAllowed(resourceWords(resource), call);
      if (given.length === 0 && byIdentity.length === 0) return notAllowed('identity-based', call);
      if (!withSession) return notAllowed('session', call);
      return allowed(given.length > 0 ? given : [...byIdentity, ...byResource], sessionAllows);
    }
    if (given.length + byIdentity.length === 0) return notAllowed('identity-based', call);
    if (!withSession) return notAllowed('session', call);
    return allowed([...byIdentity, ...given], sessionAllows);
  }
  if (byIdentity.length === 0) return notAllowed('identity-based', call);
  if (!withSession) return notAllowed('session', call);
  if (byResource.length === 0) return notAllowed(resourceWords(resource), call);
  return allowed([...byIdentity, ...byResource], sessionAllows);
}

function find(of: Allowing['of'], policy: PolicyDocument, request: StatementRequest, index = 0): Found {
  const allows: (Allowing & { match: PrincipalMatch })[] = [];
  let isDenied = false;
  for (const statement of statementsIn(policy)) {
    const match = statement.applies(request);
    if (match === undefined) continue;
    if (statement.effect === 'Deny') isDenied = true;
    else allows.push({ of, policy: index, statement, match });
  }
  return { allows, isDenied };
}

function resourceWords(resource: ResourceSide | undefined): string {
  return resource?.policy?.kind === 'trust' ? 'role trust' : 'resource-based';
}

function allowed(...by: readonly (readonly Allowing[])[]): Decision {
  return { allowed: true, why: '', allowedBy: by.flat() };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function notAllowed(policies: string, { action }: Call): Decision {
  return { allowed: false, why: `because no ${policies} policy allows the ${action} action`, allowedBy: [] };
}

function denied(policy: string): Decision {
  return { allowed: false, why: `with an explicit deny in ${policy} policy`, allowedBy: [] };
}
