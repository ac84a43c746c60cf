import type { Step } from '../alert-layout.ts';
import { updateCompanion } from '../companion-advice.ts';
import type { ActingInstall } from '../source-account.ts';
import { couldNotCheck, type Unknown } from './fact.ts';
import type { Finding } from './finding.ts';

/**
 * The finding of a check that had the companion's role look at a key of its account, and got no answer.
 *
 * @param account of the companion
 * @param otherwise what else helps
 */
export function companionCouldNotLook(
  unknown: Unknown,
  of: Pick<Finding, 'check' | 'about' | 'rules' | 'why'>,
  account: string,
  install: ActingInstall,
  otherwise: readonly Step[],
): Finding {
  // Then nobody came as far as the companion.
  if (unknown.lacks !== undefined) return couldNotCheck(unknown, of, otherwise);
  return {
    ...of,
    status: 'unchecked',
    found: `the companion's role, which looks for the service, got no answer, which says nothing of the service itself: ${unknown.unknown}`,
    mend: [
      updateCompanion(
        { account, region: install.region },
        'If the words are of a missing permission, bring the companion up to date: its role has to have kms:DescribeKey, kms:GetKeyPolicy and kms:ListGrants.',
        { TargetAccount: install.account, EventBus: install.name },
      ),
      ...otherwise,
    ],
  };
}
