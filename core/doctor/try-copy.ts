import { destinationId } from '../destination.ts';
import { classify, refusalOf } from '../ec2-error-codes.ts';
import { readEc2Answer } from '../ec2-errors.ts';
import { type Finding, fine } from './finding.ts';
import type { Site } from './site.ts';
import type { SelectedCopy } from './source-keys.ts';

/** What EC2 answered to a dry run of a copy: yes, or an error whose message is of core/ec2-errors.ts. */
export type Probe = { readonly allowed: true } | { readonly refused: string };

/**
 * What EC2 says to a copy that is only rehearsed. It judges the permissions of whoever asks, not those of the service,
 * and looks at keys only when a copy really begins.
 */
export function checkProbe(
  { snapshot, rule, destination }: SelectedCopy,
  probe: Probe,
  { roleArn = 'a role that is not there yet' }: Site,
): Finding {
  const where = destinationId(destination);
  const of = { check: 'dry-run', about: `dry run of a copy to ${where}`, rules: [rule.name] };
  const what = `${snapshot.snapshotId} to ${where}`;
  if ('allowed' in probe) {
    return fine({ ...of, found: `EC2 would copy ${what} for you, which says nothing of the role of the service` });
  }
  const answer = readEc2Answer(probe.refused);
  const { code = '', words = probe.refused } = answer ?? {};
  const said = answer === undefined ? words : `${code}: ${words}`;
  if (classify(code) !== 'permanent') {
    return {
      ...of,
      status: 'unchecked',
      found: `EC2 did not say whether it would copy ${what}: ${said}`,
      why: 'What EC2 refuses today it would refuse when it matters.',
      mend: [{ say: 'Check again; such an answer passes.' }],
    };
  }
  if (IAM_REFUSED.has(code)) {
    return {
      ...of,
      status: 'unchecked',
      found: `EC2 would not copy ${what} for you, which says nothing of the role of the service: ${said}`,
      why: `The service copies as ${roleArn}, and nobody but the service can try that.`,
      mend: [
        {
          say: 'Have this statement in the policy of the identity that you use, or leave it at that:',
          paste: '{ "Effect": "Allow", "Action": ["ec2:CopySnapshot", "ec2:CreateTags"], "Resource": "*" }',
        },
      ],
    };
  }
  return {
    ...of,
    status: 'problem',
    found: `EC2 would refuse to copy ${what}: ${said}`,
    why: 'It would refuse the service as well, and each such copy would end in an alert.',
    mend: [{ say: refusalOf(code, words).whatToDo }],
  };
}

const IAM_REFUSED = new Set(['UnauthorizedOperation', 'AccessDenied', 'AccessDeniedException']);

/**
 * There is no snapshot to try it with, for some places.
 *
 * @param areUnshared whether some are selected that source accounts share only while they are copied
 */
export function nothingToTry(
  places: readonly string[],
  rules: readonly string[],
  days: number,
  areUnshared: boolean,
): Finding {
  return {
    check: 'dry-run',
    about: `dry run of copies to ${places.join(', ')}`,
    rules,
    status: 'unchecked',
    found: areUnshared
      ? `there is nothing to try it with: no snapshot of the last ${days} days that this account may use now is selected for there`
      : `there is nothing to try it with: no snapshot of the last ${days} days is selected for there`,
    why: 'What EC2 refuses today it would refuse when it matters.',
    mend: [{ say: 'Check again when there is one.' }],
  };
}
