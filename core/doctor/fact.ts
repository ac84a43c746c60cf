import type { Step } from '../alert-layout.ts';
import type { Finding } from './finding.ts';

/** What was looked up, or why it could not be. */
export type Fact<T> = { readonly value: T } | Unknown;

export interface Unknown {
  /** The words of AWS, or of what happened on the way there. */
  readonly unknown: string;
  /** The permissions of which whoever asks lacks one or all, if that is why: `kms:GetKeyPolicy`. */
  readonly lacks?: readonly string[];
}

export function isKnown<T>(fact: Fact<T>): fact is { readonly value: T } {
  return 'value' in fact;
}

/**
 * The finding of a check that could not look. It is never taken for a good one.
 *
 * @param look how somebody else can look
 */
export function couldNotCheck(
  { unknown, lacks }: Unknown,
  of: Pick<Finding, 'check' | 'about' | 'rules' | 'why'>,
  look: readonly Step[] = [],
): Finding {
  if (lacks === undefined) {
    const again = { say: 'Check again; if it stays, see whether this machine reaches that service.' };
    return { ...of, status: 'unchecked', found: `no answer that helps: ${unknown}`, mend: [again, ...look] };
  }
  return {
    ...of,
    status: 'unchecked',
    found: `you may not look (${lacks.join(', ')}), which says nothing of the service itself: ${unknown}`,
    mend: [
      {
        say: 'Have this statement in the policy of the identity that you use, or use another --profile:',
        paste: allow(lacks),
      },
      ...look,
    ],
  };
}

function allow(actions: readonly string[]): string {
  return `{ "Effect": "Allow", "Action": ${JSON.stringify(actions)}, "Resource": "*" }`;
}
