import { firstParameters, KEEP_REGIONS, updateCompanion } from '../companion-advice.ts';
import type { CopyRule } from '../rules.ts';
import type { ActingInstall } from '../source-account.ts';
import type { Finding } from './finding.ts';
import { selectionSnippet } from './rules-snippet.ts';

/** Rules that want tags of accounts whose tags nobody sees. */
export function checkUnseenTags(
  rules: readonly CopyRule[],
  companions: readonly string[],
  install: ActingInstall,
): readonly Finding[] {
  return rules.flatMap(({ name, select: { tags, owners = [] } }): readonly Finding[] => {
    const unseen = owners.filter(
      (owner) => owner !== 'self' && owner !== install.account && !companions.includes(owner),
    );
    if (tags === undefined || unseen.length === 0) return [];
    const [first = ''] = unseen;
    return [
      {
        check: 'unseen-tags',
        about: `snapshots of account ${unseen.join(', ')}, by tags`,
        rules: [name],
        status: 'warning',
        found: 'none is selected: tags of another account are seen through its companion alone',
        why: 'A rule that selects nothing protects nothing.',
        mend: [
          {
            say: 'List them in the rules file, beside the rules, and deploy:',
            paste: `sourceAccounts:\n  accounts: [${[...companions, ...unseen].map((each) => JSON.stringify(each)).join(', ')}]`,
          },
          updateCompanion(
            { account: first, region: install.region },
            `And deploy the companion in each. ${KEEP_REGIONS}`,
            firstParameters(install),
          ),
          {
            say: 'Or select what they share by its description, and not by tags:',
            paste: selectionSnippet(name, "description: '^Created by '"),
          },
        ],
      },
    ];
  });
}
