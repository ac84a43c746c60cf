import { firstParameters, KEEP_REGIONS, updateCompanion } from '../companion-advice.ts';
import { type ActingInstall, companionRoleArn, shareableKeyAlias } from '../source-account.ts';
import type { SourceCheck, SourceTrial } from '../source-look.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';

/** A source account that the rules list. */
export interface ListedAccount {
  /** 12 digits. */
  readonly account: string;
  /** Names of the rules that select its snapshots. */
  readonly rules: readonly string[];
  /** Whether one of them has what cannot be shared copied under another key first. */
  readonly reencrypt: boolean;
  /** What its companion wants to hear, if that is not the name of the install. */
  readonly externalId?: string;
}

/** What the function lookAtSources found there, or in which words the companion refused it. */
export type CompanionFound = { readonly check: SourceCheck } | { readonly refused: string };

/** Whether the service can act in a source account. */
export function checkCompanionRole(
  listed: ListedAccount,
  found: Fact<CompanionFound>,
  install: ActingInstall,
): readonly Finding[] {
  const { account, rules } = listed;
  const of = {
    check: 'source-role',
    about: `role ${companionRoleArn(install, account)}`,
    rules,
    why: 'By this role the service sees snapshots of that account with their tags, and shares them. Without it none is copied.',
  };
  if (!isKnown(found)) return [couldNotCheck(found, of)];
  if ('refused' in found.value) {
    return [
      {
        ...of,
        status: 'problem',
        found: `the service may not look into the account: ${found.value.refused}`,
        mend: [
          updateCompanion(
            { account, region: install.region },
            `Deploy the companion there, or bring it up to date. ${KEEP_REGIONS}`,
            { ...firstParameters(install), ...ofRules(listed) },
          ),
        ],
      },
    ];
  }
  const { check } = found.value;
  return [
    fine({
      check: of.check,
      about: of.about,
      rules,
      found: 'it lets the service in, and see snapshots with their tags',
    }),
    ...checkPermissions(listed, check, install),
    ...(check.shareableKey === undefined ? [] : [checkShareableKey(listed, check.shareableKey, install)]),
  ];
}

const WORDS: Readonly<Record<SourceTrial['permission'], { readonly does: string; readonly action: string }>> = {
  readShares: { does: 'see whom a snapshot is shared with', action: 'ec2:DescribeSnapshotAttribute' },
  share: { does: 'share a snapshot', action: 'ec2:ModifySnapshotAttribute' },
  takeBack: { does: 'take a share back', action: 'ec2:ModifySnapshotAttribute' },
  mark: { does: 'mark a snapshot', action: 'ec2:CreateTags' },
  unmark: { does: 'remove such a mark', action: 'ec2:DeleteTags' },
  copyUnderKey: { does: 'copy a snapshot under a shareable key', action: 'ec2:CopySnapshot' },
  removeIntermediate: { does: 'remove such a copy', action: 'ec2:DeleteSnapshot' },
};

function checkPermissions(listed: ListedAccount, check: SourceCheck, install: ActingInstall): readonly Finding[] {
  const { account, rules } = listed;
  const { trials, example, intermediates } = check;
  const of = { check: 'source-permissions', about: `what the role may do in account ${account}`, rules };
  const inWords = (some: readonly SourceTrial[]) => some.map(({ permission }) => WORDS[permission].does).join(', ');
  // Without its key the companion has none of the permissions for that either, which is one finding.
  const lacksKey = check.shareableKey !== undefined && 'missing' in check.shareableKey;
  const isOfKey = ({ permission }: SourceTrial) => permission === 'copyUnderKey' || permission === 'removeIntermediate';
  const refused = trials.filter((trial) => trial.outcome === 'refused' && !(lacksKey && isOfKey(trial)));
  const allowed = trials.filter(({ outcome }) => outcome === 'allowed');
  // Mostly there is none.
  const isNoMatter = ({ permission }: SourceTrial) => permission === 'removeIntermediate' && intermediates.length === 0;
  const untried = trials.filter((trial) => trial.outcome === 'untried' && !isNoMatter(trial));
  const why = 'What EC2 refuses today it would refuse when a copy needs it, and each such copy would end in an alert.';
  return [
    ...(allowed.length === 0
      ? []
      : [fine({ ...of, found: `EC2 would let it ${inWords(allowed)} (dry run with ${example})` })]),
    ...refused.map(
      (trial): Finding => ({
        ...of,
        status: 'problem',
        found: `EC2 would not let it ${inWords([trial])} (${WORDS[trial.permission].action}): ${trial.words}`,
        why,
        mend: [update(listed, install, 'Bring the companion up to date.')],
      }),
    ),
    ...[...Map.groupBy(untried, ({ words }) => words)].map(
      ([words, those]): Finding => ({
        ...of,
        status: 'unchecked',
        found: `not known whether EC2 would let it ${inWords(those)}: ${words}`,
        why,
        mend: [{ say: 'Check again when the account has a snapshot of the last three days.' }],
      }),
    ),
  ];
}

function checkShareableKey(
  listed: ListedAccount,
  key: NonNullable<SourceCheck['shareableKey']>,
  install: ActingInstall,
): Finding {
  const { account, rules } = listed;
  const of = {
    check: 'shareable-key',
    about: `key ${shareableKeyAlias(install)} of account ${account} in ${install.region}`,
    rules,
  };
  const why = 'Rules with reencrypt copy what is under aws/ebs under this key first, and copy that on.';
  if ('unknown' in key) return couldNotCheck(key, { ...of, why });
  const mend = [update(listed, install, 'Bring the companion up to date, with its key.')];
  if ('missing' in key) return { ...of, status: 'problem', found: 'there is none', why, mend };
  const { state, keyId } = key.key;
  if (state === 'Enabled') return fine({ ...of, found: 'enabled' });
  const at = `--region ${install.region} --key-id ${keyId}`;
  return {
    ...of,
    status: 'problem',
    found: `in state ${state}`,
    why,
    mend: [
      {
        say: `As an administrator of account ${account}, keep and enable it:`,
        run: [
          ...(state === 'PendingDeletion' ? [`aws kms cancel-key-deletion ${at}`] : []),
          `${state === 'PendingDeletion' ? '&& ' : ''}aws kms enable-key ${at}`,
        ],
      },
    ],
  };
}

function update(listed: ListedAccount, install: ActingInstall, why: string) {
  return updateCompanion({ account: listed.account, region: install.region }, why, {
    TargetAccount: install.account,
    EventBus: install.name,
    ...ofRules(listed),
  });
}

/** The parameters that follow from the rules. */
function ofRules({ reencrypt, externalId }: ListedAccount): Readonly<Record<string, string>> {
  return {
    ...(externalId !== undefined && { ExternalId: externalId }),
    ...(reencrypt && { Reencrypt: 'on' }),
  };
}

/** An account that the rules of a file list, and those that are deployed do not: nobody may look there yet. */
export function notListedYet(listed: ListedAccount, install: ActingInstall, deploy: readonly string[]): Finding {
  const { account, rules } = listed;
  return {
    check: 'source-role',
    about: `role ${companionRoleArn(install, account)}`,
    rules,
    status: 'unchecked',
    found: 'only the service may take it, and what is deployed does not list the account',
    why: 'By this role the service sees snapshots of that account with their tags, and shares them.',
    mend: [
      updateCompanion({ account, region: install.region }, `Deploy the companion there. ${KEEP_REGIONS}`, {
        ...firstParameters(install),
        ...ofRules(listed),
      }),
      { say: 'Deploy these rules, and check again:', run: deploy },
    ],
  };
}
