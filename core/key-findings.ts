import type { Step } from './alert-layout.ts';
import type { Install } from './install.ts';
import type { EvidenceOnKeys, KeyEvidence, KeyProblem } from './key-evidence.ts';
import { ACTIONS_ON_KEYS } from './key-statements.ts';
import {
  askForRole,
  enable,
  exceptInstall,
  lookAt,
  permitRole,
  placeInWords,
  policyOf,
  whoWasRefused,
} from './key-steps.ts';
import type { KeyOfCopy } from './keys-of-copy.ts';
import { shellWord } from './shell-word.ts';

interface Seen {
  readonly key: KeyOfCopy;
  readonly evidence: KeyEvidence;
}

type Findings = { readonly meaning: string; readonly steps: readonly Step[] };

/**
 * What is missing, of which key, where, as far as a look at the keys of a copy found it.
 *
 * @param since when the copy was begun, ISO 8601
 * @returns undefined if the look settles nothing
 */
export function findings(
  keys: readonly KeyOfCopy[],
  evidence: EvidenceOnKeys,
  install: Install,
  since: string,
): Findings | undefined {
  const seen = keys.flatMap((key): readonly Seen[] => {
    const of = evidence[key.of];
    return of === undefined ? [] : [{ key, evidence: of }];
  });
  if (seen.length < keys.length) return undefined;
  if (seen.some(({ evidence: { problems } }) => problems.length > 0)) return ofKeys(seen, install);
  return seen.some(({ evidence: { unseen } }) => unseen !== undefined) ? undefined : ofRole(seen, install, since);
}

/** The key in a sentence. */
function keyInWords(key: KeyOfCopy, { arn }: Pick<KeyEvidence, 'arn'>): string {
  const which = key.isOfCompanion ? 'the key of the intermediate copy' : `the key of the ${key.of}`;
  return `${which}, ${key.label}${arn === undefined || arn === key.label ? '' : `, which is ${arn}`}, in ${placeInWords(key)}`;
}

function ofKeys(seen: readonly Seen[], install: Install): Findings {
  const guilty = seen.filter(({ evidence: { problems } }) => problems.length > 0);
  const sentences = guilty.flatMap(({ key, evidence }) =>
    evidence.problems.map((problem) => sentenceOf(problem, keyInWords(key, evidence), key, install)),
  );
  const others = seen.filter((each) => !guilty.includes(each)).map(({ key, evidence }) => otherKey(key, evidence));
  return {
    meaning: [...sentences, 'So it was found when this alert was written.', ...others].join(' '),
    steps: guilty.flatMap(({ key, evidence }) =>
      evidence.problems.flatMap((problem) => stepsFor(problem, key, evidence, install)),
    ),
  };
}

function sentenceOf(problem: KeyProblem, name: string, { account }: KeyOfCopy, { roleArn, name: install }: Install) {
  switch (problem.is) {
    case 'gone':
      return `${capitalised(name)}, is not there.`;
    case 'unusable':
      return `${capitalised(name)}, is ${problem.state}.`;
    case 'lacks': {
      const what =
        problem.actions.length === ACTIONS_ON_KEYS.length ? 'use it at all' : `do ${inList(problem.actions)}`;
      const grants = problem.grantsSeen ? ', and no grant of the key does' : '; whether a grant does could not be seen';
      return `The policy of ${name}, does not let the role ${roleArn} ${what}${grants}.`;
    }
    case 'denies':
      return `The policy of ${name}, denies the role ${roleArn} ${inList(problem.actions)}: ${problem.because.join(', ')}.`;
    case 'hidden':
      return `KMS does not show ${install} ${name}, and says that the policy of the key does not allow it: kms:DescribeKey is missing there, and most likely all else. That is a sign and no proof, for only account ${account} can read the policy.`;
    case 'notOfRole':
      return `The role's own policy does not let the role ${roleArn} use ${name}: no rule that is deployed names that account.`;
  }
}

function stepsFor(problem: KeyProblem, named: KeyOfCopy, { arn }: KeyEvidence, install: Install): readonly Step[] {
  // The very key, whatever the alias leads to when somebody pastes a command.
  const key = arn === undefined ? named : { ...named, word: shellWord(arn), isAlias: false };
  switch (problem.is) {
    case 'gone':
    case 'unusable':
      return [lookAt(key), enable(key)];
    case 'lacks':
      return [policyOf(key, install, problem.actions)];
    case 'denies':
      return [exceptInstall(key, install)];
    case 'hidden':
      return [policyOf(key, install, ACTIONS_ON_KEYS)];
    case 'notOfRole':
      return [permitRole(key, arn, install)];
  }
}

/** What is known of a key with which nothing is wrong, as far as anybody knows. */
export function otherKey(key: KeyOfCopy, evidence: KeyEvidence): string {
  const name = capitalised(keyInWords(key, evidence));
  if (evidence.unseen === undefined) return `${name}, is enabled and lets the role in.`;
  const state = evidence.isUsable ? ', is enabled; what else its policy allows' : ',';
  return `${name}${state} could not be looked at: ${evidence.unseen}.`;
}

/** Nothing is wrong with the keys, so it is the other half. */
function ofRole(seen: readonly Seen[], install: Install, since: string): Findings {
  const keys = seen.map(({ key }) => key);
  return {
    meaning: `The policy of the role ${install.roleArn} itself, or an SCP, does not let it use ${keys.length === 1 ? 'the key' : 'one of the two keys'}, for nothing else is missing: ${seen
      .map(({ key, evidence }) => keyInWords(key, evidence))
      .join(
        ', and ',
      )}, ${keys.length === 1 ? 'is' : 'are'} enabled and let that role in. So it was found when this alert was written; if somebody has mended a key since the copy failed, nothing is missing any more.`,
    steps: [
      whoWasRefused(keys, since, install),
      ...seen.flatMap(({ key, evidence: { arn } }) => [askForRole(key, install), permitRole(key, arn, install)]),
    ],
  };
}

function inList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
