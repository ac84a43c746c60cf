import type { Step } from './alert-layout.ts';
import type { FailedExecution } from './execution.ts';
import { type Failure, failureOf } from './failure.ts';
import type { Install } from './install.ts';
import type { EvidenceOnKeys } from './key-evidence.ts';
import { findings, otherKey } from './key-findings.ts';
import { askForRole, enable, lookAt, placeInWords, policyOf, whoWasRefused } from './key-steps.ts';
import { type KeyOfCopy, keyOfCopy, keyOfSource } from './keys-of-copy.ts';

/**
 * What EC2 lets us know, which is little: a call that it refuses at once is about the copy's key, which it looks at first
 * (`hidden`: the role may not see it; `unusable`: it is not there or not enabled); a copy that it accepts and that ends in
 * error may be about either of them.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html and third-party reports
 */
type Shown = 'hidden' | 'unusable' | 'refused' | 'accepted';

/**
 * The keys of which EC2 does not say which one it could not use, or why: those of a copy that it accepted. For any other
 * failure none.
 */
export function keysInQuestion(failed: FailedExecution, install: Install): readonly KeyOfCopy[] {
  const failure = failureOf(failed);
  if (failure.reason !== 'KeyNotAccessible' || whatIsShown(failure) !== 'accepted') return [];
  return keysOf(failed, install);
}

/** Another account's key is missing more often than one's own. */
function keysOf(failed: FailedExecution, install: Install): readonly KeyOfCopy[] {
  const ofSource = keyOfSource(failed, install);
  return [...(ofSource === undefined ? [] : [ofSource]), keyOfCopy(failed.request, failed.copy, install)];
}

/**
 * Which permissions or keys it can be, where each is to be added and by whom, and the statements to paste. With evidence
 * that settles it, what it is, and that alone.
 *
 * @param evidence of `keysInQuestion`
 */
export function kmsAdvice(
  failed: FailedExecution,
  failure: Failure,
  install: Install,
  evidence: EvidenceOnKeys = {},
): { readonly meaning: string; readonly steps: readonly Step[] } {
  const { request, copy, execution } = failed;
  const ofCopy = keyOfCopy(request, copy, install);
  const shown = whatIsShown(failure);
  const keys = shown === 'accepted' ? keysOf(failed, install) : [ofCopy];
  if (shown === 'accepted') {
    const found = findings(keys, evidence, install, execution.startTime);
    if (found !== undefined) return found;
  }
  const ofSource = keys.find(({ of }) => of === 'source');
  const meaning = `EC2 uses KMS keys in the name of the role ${install.roleArn}. ${meaningOf(shown, ofCopy, ofSource, evidence)}`;
  if (shown === 'unusable') return { meaning, steps: [lookAt(ofCopy), enable(ofCopy)] };
  return {
    meaning,
    steps: [
      whoWasRefused(keys, execution.startTime, install),
      ...keys.flatMap((key) =>
        isSettled(evidence, key)
          ? [askForRole(key, install)]
          : [lookAt(key), askForRole(key, install), policyOf(key, install)],
      ),
    ],
  };
}

/** Nothing is wrong with the key, nor with its policy. */
function isSettled(evidence: EvidenceOnKeys, { of }: KeyOfCopy): boolean {
  const seen = evidence[of];
  return seen !== undefined && seen.unseen === undefined;
}

function whatIsShown({ code, what }: Failure): Shown {
  if (code === undefined) return 'accepted';
  if (code === 'AuthFailure' || what.includes('kms:DescribeKey')) return 'hidden';
  return /\bis (?:disabled|invalid)\b/.test(what) ? 'unusable' : 'refused';
}

function meaningOf(shown: Shown, ofCopy: KeyOfCopy, ofSource: KeyOfCopy | undefined, evidence: EvidenceOnKeys): string {
  const place = placeInWords(ofCopy);
  switch (shown) {
    case 'hidden':
      return `It refused the call at once, as it does if the role may not see the key of the copy: kms:DescribeKey of ${ofCopy.label} is missing, in the policy of that key (statement SnapshotCopierLook, ${place}) or in the role's own. What else a copy needs was not asked for yet.`;
    case 'unusable':
      return `It refused the call at once because of the key of the copy, ${ofCopy.label}: it is not there in ${place}, or it is disabled. No permission is missing, as far as EC2 came.`;
    case 'refused':
      return `It refused the call at once because of the key of the copy, ${ofCopy.label} (${place}).`;
    case 'accepted':
      return `It accepted the call and could not use a key when the copy began or before it was complete; it does not say ${
        ofSource === undefined ? 'why' : 'which key, nor why'
      }. The role may see the key of the copy, for else the call would have been refused. ${inLook([ofSource, ofCopy], evidence)}So it is one of these: ${candidates(ofCopy, ofSource, evidence).join('; ')}.`;
  }
}

/** What was seen of the keys, if anybody looked, and why not more. */
function inLook(keys: readonly (KeyOfCopy | undefined)[], evidence: EvidenceOnKeys): string {
  return keys
    .filter((key) => key !== undefined)
    .flatMap((key) => {
      const seen = evidence[key.of];
      return seen === undefined ? [] : [`${otherKey(key, seen)} `];
    })
    .join('');
}

function candidates(ofCopy: KeyOfCopy, ofSource: KeyOfCopy | undefined, evidence: EvidenceOnKeys): readonly string[] {
  const open = [ofSource, ofCopy].filter((key) => key !== undefined).filter((key) => !isSettled(evidence, key));
  const which = open.length > 1 ? 'either of them' : ofSource === undefined ? 'it' : `the key of the ${open[0]?.of}`;
  return [
    ...open.map((key) => {
      const seesIt = key.of === 'copy' || evidence.source?.isUsable === true;
      const lacks = seesIt ? 'SnapshotCopierUse or SnapshotCopierGrants' : 'one of the three statements below';
      return `the policy of the ${key.of}'s key, ${placeInWords(key)}, lacks ${lacks}`;
    }),
    `kms:CreateGrant is missing on ${which}, which is forgotten most often: it is in SnapshotCopierGrants`,
    "the role's own policy, or an SCP, does not allow the same actions",
    `${ofSource === undefined ? 'the key' : 'one of the keys'} was disabled or deleted meanwhile`,
  ];
}
