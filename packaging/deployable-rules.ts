import { roles } from './derive-roles.ts';
import { sourceBus } from './derive-source-bus.ts';
import { rulesMetadata } from './rules-of-template.ts';
import type { RulesText } from './rules-text.ts';

/** What serverless.yml names an install whose stage is not given. */
const USUAL_INSTALL = 'ebs-snapshot-copier-dev';

/** Why rules that are right could still not be deployed, each in words: what AWS has limits for. */
export function whyNotDeployable(rulesText: RulesText): readonly string[] {
  const { rules, sourceAccounts } = rulesText;
  const derivations = [
    () => roles(rules, USUAL_INSTALL, sourceAccounts),
    () => sourceBus(sourceAccounts, USUAL_INSTALL),
    () => rulesMetadata(rulesText),
  ];
  return derivations.flatMap((derive) => {
    try {
      derive();
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
}
