import { ACTIONS_ON_KEYS } from '../key-statements.ts';
import { askKeyPolicy, type KeyPolicy, type KeyUser } from './key-policy.ts';

/** A grant of a key, as ListGrants shows it: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html */
export interface Grant {
  readonly grantee: string;
  /** Without `kms:`, for example `Decrypt`. */
  readonly operations: readonly string[];
  /** It holds for a certain encryption context only. */
  readonly isConstrained: boolean;
}

/** What a role may do with a key by the key's own policy and grants, out of `ACTIONS_ON_KEYS`. */
export interface KeyUse {
  readonly denied: readonly string[];
  /** Nobody allows it. */
  readonly missing: readonly string[];
  /** It depends on what is not known here. */
  readonly undecided: readonly string[];
  /** The statements that deny, or that cannot be decided, each with the reason. */
  readonly because: readonly string[];
  /** Some or all of the rest is left to the role's own policy. */
  readonly isLeftToIam: boolean;
}

/** @param grants none, as long as nobody has asked for them: they can only allow more */
export function keyUse(policy: KeyPolicy, grants: readonly Grant[], user: KeyUser): KeyUse {
  const granted = (action: string, isConstrained: boolean) =>
    grants.some(
      (grant) =>
        grant.grantee === user.roleArn &&
        grant.isConstrained === isConstrained &&
        grant.operations.includes(action.replace('kms:', '')),
    );
  const answers = ACTIONS_ON_KEYS.map((action) => {
    const { answer, because } = askKeyPolicy(policy, action, user);
    if (answer !== 'silent') return { action, answer, because };
    if (granted(action, false)) return { action, answer: 'allowed' as const, because };
    if (!granted(action, true)) return { action, answer, because };
    return { action, answer: 'undecided' as const, because: ['a grant that holds for a certain encryption context'] };
  });
  const those = (wanted: string) => answers.filter(({ answer }) => answer === wanted);
  const decisive = [...those('denied'), ...those('undecided')];
  return {
    denied: those('denied').map(({ action }) => action),
    missing: those('silent').map(({ action }) => action),
    undecided: those('undecided').map(({ action }) => action),
    because: [...new Set(decisive.flatMap(({ because }) => because))],
    isLeftToIam: those('leftToIam').length > 0,
  };
}
