import { type Condition, readConditions } from './conditions.ts';
import { type Pattern, readPattern, type Values } from './pattern.ts';
import type { PolicyKind, StatementText } from './policy-document.ts';
import { PolicyError } from './policy-error.ts';
import { type PrincipalMatch, readPrincipal } from './principals.ts';
import { actionsExist } from './service-reference.ts';
import type { Principal } from './types.ts';

/** A statement that can be asked whether it is about a request. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly sid: string | undefined;
  /** Its place in the policy. */
  readonly index: number;
  /** By what name the statement means the caller; undefined if it is not about this request. */
  readonly applies: (request: StatementRequest) => PrincipalMatch | undefined;
}

export interface StatementRequest {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  readonly values: Values;
}

/** @throws PolicyError */
export function readStatement(kind: PolicyKind, statement: StatementText, index: number, where: string): Statement {
  checkParts(kind, statement, where);
  const matchesAction = oneOf('Action', statement.Action, statement.NotAction, where, readAction);
  const matchesResource =
    kind === 'trust' ? () => true : oneOf('Resource', statement.Resource, statement.NotResource, where, readResource);
  const holds: Condition = readConditions(statement.Condition ?? {}, `${where}.Condition`);
  const principalOf =
    statement.Principal === undefined
      ? () => 'self' as const
      : readPrincipal(statement.Principal, `${where}.Principal`);
  return {
    effect: statement.Effect,
    sid: statement.Sid,
    index,
    applies: ({ principal, action, resource, values }) => {
      if (!matchesAction(action, values) || !matchesResource(resource, values)) return undefined;
      const match = principalOf(principal);
      return match !== undefined && holds(values) ? match : undefined;
    },
  };
}

function checkParts(kind: PolicyKind, { Sid, Principal, Resource, NotResource }: StatementText, where: string): void {
  const isOfIdentity = kind === 'identity' || kind === 'session';
  if (isOfIdentity && Principal !== undefined) throw new PolicyError(where, "a role's policy has no Principal");
  if (!isOfIdentity && Principal === undefined) throw new PolicyError(where, 'has no Principal');
  if (isOfIdentity && Sid !== undefined && !/^[a-zA-Z0-9]*$/.test(Sid)) {
    throw new PolicyError(where, `the Sid ${Sid} has something else than letters and digits`);
  }
  if (kind === 'trust' && (Resource ?? NotResource) !== undefined) {
    throw new PolicyError(where, 'a trust policy has no Resource');
  }
}

type ReadText = (text: string, where: string) => Pattern;

function oneOf(
  name: 'Action' | 'Resource',
  wanted: readonly string[] | undefined,
  unwanted: readonly string[] | undefined,
  where: string,
  read: ReadText,
): Pattern {
  if ((wanted === undefined) === (unwanted === undefined)) {
    throw new PolicyError(where, `needs either ${name} or Not${name}`);
  }
  const isNegated = wanted === undefined;
  const key = isNegated ? `Not${name}` : name;
  const patterns = (wanted ?? unwanted ?? []).map((text, index) => read(text, `${where}.${key}[${index}]`));
  return (text, values) => patterns.some((fits) => fits(text, values)) !== isNegated;
}

function readAction(text: string, where: string): Pattern {
  if (!actionsExist(text)) throw new PolicyError(where, `there is no action ${text}`);
  const fits = readPattern(text.toLowerCase(), 'wildcards', where);
  return (action, values) => fits(action.toLowerCase(), values);
}

function readResource(text: string, where: string): Pattern {
  if (text === '*') return () => true;
  if (!text.startsWith('arn:')) throw new PolicyError(where, `${text} is neither an ARN nor *`);
  return readPattern(text, 'resource', where);
}
