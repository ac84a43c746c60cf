import type { StatementText } from './policy-document.ts';
import { PolicyError } from './policy-error.ts';
import type { Principal } from './types.ts';

/**
 * By what a policy means the caller, which decides what else must allow the request: `account` hands the decision to the
 * caller's account, `role` and `anyone` give the permission themselves, and so does `session`, beyond the session's own
 * policy. `self`: the policy is the caller's own.
 */
export type PrincipalMatch = 'self' | 'account' | 'role' | 'anyone' | 'session' | 'service';

type Match = (principal: Principal) => PrincipalMatch | undefined;

const ACCOUNT = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/;
const ROLE = /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/;
const SESSION = /^arn:[\w-]+:sts::\d{12}:assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+$/;
const SERVICE = /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/;

/**
 * Reads the element Principal.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * @throws PolicyError
 */
export function readPrincipal(element: NonNullable<StatementText['Principal']>, where: string): Match {
  const { AWS = [], Service = [] } = element === '*' ? { AWS: ['*'] } : element;
  if (AWS.length + Service.length === 0) throw new PolicyError(where, 'names nobody');
  const matches = [
    ...AWS.map((text, index) => readAws(text, `${where}.AWS[${index}]`)),
    ...Service.map((text, index) => readService(text, `${where}.Service[${index}]`)),
  ];
  return (principal) => strongest(matches.flatMap((match) => match(principal) ?? []));
}

function readAws(text: string, where: string): Match {
  if (text === '*') return () => 'anyone';
  const [, account] = ACCOUNT.exec(text) ?? [];
  if (account !== undefined) {
    return (principal) => (principal.service === undefined && principal.account === account ? 'account' : undefined);
  }
  if (ROLE.test(text)) return ({ roleArn }) => (roleArn === text ? 'role' : undefined);
  if (SESSION.test(text)) return ({ arn }) => (arn === text ? 'session' : undefined);
  throw new PolicyError(where, `${text} is no account, role or session; ARNs of principals have no wildcards`);
}

function readService(text: string, where: string): Match {
  if (!SERVICE.test(text)) throw new PolicyError(where, `${text} is no service`);
  return ({ service }) => (service === text ? 'service' : undefined);
}

const BY_STRENGTH: readonly PrincipalMatch[] = ['session', 'service', 'role', 'anyone', 'account'];

function strongest(found: readonly PrincipalMatch[]): PrincipalMatch | undefined {
  return BY_STRENGTH.find((each) => found.includes(each));
}
