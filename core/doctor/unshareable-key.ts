import { updateCompanion } from '../companion-advice.ts';
import type { CopyRule } from '../rules.ts';
import type { ActingInstall } from '../source-account.ts';
import { type Finding, fine } from './finding.ts';
import { type KeyInUse, keyInWords } from './key.ts';

/**
 * What becomes of snapshots under AWS's own key in an account with the companion. They cannot be shared:
 * https://docs.aws.amazon.com/ebs/latest/userguide/share-kms-key.html
 */
export function checkUnshareableKey(
  key: KeyInUse,
  account: string,
  rules: readonly CopyRule[],
  install: ActingInstall,
): Finding {
  const without = rules
    .filter(({ name, reencrypt }) => key.rules.includes(name) && reencrypt !== true)
    .map(({ name }) => name);
  const of = { check: 'key', about: keyInWords(key), rules: key.rules };
  const what = `AWS's own key of account ${account}, under which nothing can be shared`;
  if (without.length === 0) {
    return fine({ ...of, found: `${what}; the rules have it copied there under another key first` });
  }
  return {
    ...of,
    rules: without,
    status: 'problem',
    found: what,
    why: 'Copies of snapshots under it fail, each with an alert.',
    mend: [
      updateCompanion(
        { account, region: install.region },
        'The service can copy them under a key that can be shared, in their own account, and copy that on. Turn it on in the companion:',
        { Reencrypt: 'on' },
      ),
      {
        say: 'Then in the rules, and deploy:',
        paste: ['rules:', ...without.flatMap((name) => [`  - name: ${name}`, '    reencrypt: true'])].join('\n'),
      },
      {
        say: 'Or have that account encrypt its volumes under a customer managed key. Those that exist keep their key.',
      },
    ],
  };
}
