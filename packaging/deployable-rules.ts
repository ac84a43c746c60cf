import { roles } from './derive-roles.ts';
import { rulesMetadata } from './rules-of-template.ts';
import type { RulesText } from './rules-text.ts';

/** What serverless.yml names an install whose stage is not given. */
const USUAL_INSTALL = 'ebs-snapshot-copier-dev';

/** Why rules that are right could still not be deployed, each in words: what AWS has limits for. */
export function whyNotDeployable(rulesText: RulesText): readonly string[] {
  return [() => roles(rulesText.rules, USUAL_INSTALL), () => rulesMetadata(rulesText)].flatMap((derive) => {
    try {
      derive();
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
}
