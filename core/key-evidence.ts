import { type Fact, isKnown } from './doctor/fact.ts';
import { isForEbs, type KeyMetadata } from './doctor/key.ts';
import { parseKeyPolicy } from './doctor/key-policy.ts';
import { type Grant, keyUse } from './doctor/key-use.ts';
import type { Install } from './install.ts';
import { ec2Services } from './key-statements.ts';
import type { KeyOfCopy } from './keys-of-copy.ts';

/** What a look at a key brought. */
export interface KeySeen {
  /** Its value is undefined if there is no such key. */
  readonly metadata: Fact<KeyMetadata | undefined>;
  /** Absent if its account alone can read it, and was not asked. */
  readonly policy?: Fact<string>;
  readonly grants?: Fact<readonly Grant[]>;
  /** Who looked: a role of the service, as which KMS judged it, or the companion's role in the account of the key. */
  readonly as: 'home' | 'companion';
}

/** Something because of which EC2 cannot use a key. */
export type KeyProblem =
  | { readonly is: 'gone' }
  | { readonly is: 'unusable'; readonly state: string }
  /** `grantsSeen`: no grant gives them either. */
  | { readonly is: 'lacks'; readonly actions: readonly string[]; readonly grantsSeen: boolean }
  | { readonly is: 'denies'; readonly actions: readonly string[]; readonly because: readonly string[] }
  /** KMS does not show it, and says that its policy is why: a sign, no proof. */
  | { readonly is: 'hidden' }
  /** The policy of the role that copies is not for keys of that account. */
  | { readonly is: 'notOfRole' };

/** What is known of one key, as it was when somebody looked. */
export interface KeyEvidence {
  readonly problems: readonly KeyProblem[];
  /** Why some of it is not known; absent if all is. */
  readonly unseen?: string;
  /** Of the key, where it was seen; an alias has none. */
  readonly arn?: string;
  /** It was seen, and is fit for use. */
  readonly isUsable: boolean;
}

/** Of the keys of one copy. */
export type EvidenceOnKeys = Readonly<Partial<Record<KeyOfCopy['of'], KeyEvidence>>>;

/**
 * What a look at a key says of a copy that could not use it. It guesses nothing: what cannot be decided is `unseen`.
 *
 * @param mayRead whether the policy of the role that copies has the keys of that account
 */
export function judgeKey(key: KeyOfCopy, seen: KeySeen, install: Install, mayRead: boolean): KeyEvidence {
  const found = isKnown(seen.metadata) ? seen.metadata.value : undefined;
  const isGone = isKnown(seen.metadata) && found === undefined;
  const arn = found?.arn ?? /^arn:.+:key\/.+$/.exec(key.name ?? '')?.[0];
  const state = found && stateOf(found);
  const policy = isGone ? {} : judgePolicy(key, seen, found, arn ?? '', install);
  const problems: readonly KeyProblem[] = [
    ...(isGone ? [{ is: 'gone' } as const] : []),
    ...(state === undefined ? [] : [{ is: 'unusable', state } as const]),
    ...(policy.problem === undefined ? [] : [policy.problem]),
    ...(mayRead ? [] : [{ is: 'notOfRole' } as const]),
  ];
  const unseen = policy.unseen ?? (isKnown(seen.metadata) ? undefined : seen.metadata.unknown);
  return {
    problems,
    ...(unseen !== undefined && { unseen }),
    ...(arn !== undefined && { arn }),
    isUsable: found !== undefined && state === undefined,
  };
}

/** What is wrong with it; undefined: nothing. */
function stateOf(key: KeyMetadata): string | undefined {
  if (key.state !== 'Enabled') return `in state ${key.state}`;
  return isForEbs(key) ? undefined : `of a kind that EBS cannot use (${key.spec}, ${key.usage})`;
}

function judgePolicy(
  key: KeyOfCopy,
  { metadata, policy, grants, as }: KeySeen,
  found: KeyMetadata | undefined,
  keyArn: string,
  install: Install,
): { readonly problem?: KeyProblem; readonly unseen?: string } {
  const { account, roleArn } = install;
  // The policy of aws/ebs lets everybody in its account use it, through EC2.
  if (found?.manager === 'AWS' && found.account === account) return {};
  const refused = isKnown(metadata) ? '' : metadata.unknown;
  const isHidden = as === 'home' && refused.includes('resource-based policy');
  if (policy === undefined || !isKnown(policy)) {
    const unseen = policy?.unknown ?? `only account ${key.account} can read its policy`;
    return isHidden ? { problem: { is: 'hidden' }, unseen } : { unseen: refused || unseen };
  }
  const read = parseKeyPolicy(policy.value);
  if (read === undefined) return { unseen: 'its policy has something in it that is not understood here' };
  const known = grants !== undefined && isKnown(grants) ? grants.value : undefined;
  const user = { roleArn, account, keyArn, viaService: ec2Services(key.usedFrom) };
  const { denied, missing, undecided, because } = keyUse(read, known ?? [], user);
  if (denied.length > 0) return { problem: { is: 'denies', actions: denied, because } };
  if (missing.length > 0) {
    return { problem: { is: 'lacks', actions: missing, grantsSeen: known !== undefined } };
  }
  return undecided.length === 0
    ? {}
    : { unseen: `it could not be decided whether its policy allows ${undecided.join(', ')}: ${because.join(', ')}` };
}
