import type { Step } from './alert-layout.ts';
import { updateCompanion } from './companion-advice.ts';
import type { Install } from './install.ts';
import { ACTIONS_ON_KEYS, ec2Services, keyStatements, roleStatements, rolesOf } from './key-statements.ts';
import type { KeyOfCopy } from './keys-of-copy.ts';
import { partitionOf } from './region.ts';
import { shellWord } from './shell-word.ts';

/** What it takes to change a key's policy. */
export type ChangeableKey = Pick<KeyOfCopy, 'account' | 'region' | 'word' | 'isAlias' | 'isOfCompanion' | 'usedFrom'>;

/** Whom a key's policy has to let in. */
type ToLetIn = Pick<Install, 'name' | 'account' | 'region'>;

/** Where a key is. */
export function placeInWords({ account, region }: Pick<KeyOfCopy, 'account' | 'region'>): string {
  return `account ${account}, ${region}`;
}

/** Shows whether a key is there, enabled and symmetric. */
export function lookAt(key: KeyOfCopy): Step {
  return {
    say: `${key.introduction}: ${key.label} in ${placeInWords(key)}. ${key.expectation}${
      key.isOfCompanion ? ` Only account ${key.account} may look:` : ''
    }`,
    run: [
      `aws kms describe-key --region ${key.region}`,
      `--key-id ${key.word}`,
      "--query 'KeyMetadata.[Arn,KeyManager,KeyState,KeySpec]' --output text",
    ],
  };
}

/**
 * Asks what the policy of the role that copies, and the SCPs, say to a key. SCPs are simulated too: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
export function askForRole(key: KeyOfCopy, { name, roleArn, account }: Install): Step {
  const [via = ''] = ec2Services([key.region]);
  const context = [
    entry('kms:ViaService', via, 'string'),
    entry('kms:GrantIsForAWSResource', 'true', 'boolean'),
    ...(key.alias === undefined ? [] : [entry('kms:ResourceAliases', key.alias, 'stringList')]),
  ];
  return {
    say: `Ask IAM, as an administrator of account ${account}, whether the role's own policies and the SCPs let it use that key: they do, if nothing is printed. If they do not, the role was changed: deploy ${name} again.${
      key.account === account ? '' : ` Or no rule names account ${key.account}: do so first, under owners.`
    }`,
    run: [
      `aws iam simulate-principal-policy --policy-source-arn ${shellWord(roleArn)}`,
      `--action-names ${ACTIONS_ON_KEYS.join(' ')}`,
      `--resource-arns ${arnOf(key)}`,
      `--context-entries ${context.join(' ')}`,
      `--query "EvaluationResults[?EvalDecision!='allowed'].[EvalActionName,EvalDecision]" --output text`,
    ],
  };
}

function entry(name: string, value: string, type: string): string {
  return shellWord(`ContextKeyName=${name},ContextKeyValues=${value},ContextKeyType=${type}`);
}

function arnOf(key: KeyOfCopy): string {
  if (!key.isAlias) return key.word.includes('arn:') || key.word.startsWith('"') ? key.word : lookUp(key, 'Arn');
  // The alias of a key that only its owner may look up: any key of that account and Region will do.
  return key.isOfCompanion ? shellWord(key.label.replace(/alias\/.*$/, 'key/*')) : lookUp(key, 'Arn');
}

function lookUp({ region, word }: Pick<KeyOfCopy, 'region' | 'word'>, field: string): string {
  return `"$(aws kms describe-key --region ${region} --key-id ${word} --query KeyMetadata.${field} --output text)"`;
}

/**
 * Puts statements into the policy of a key.
 *
 * @param missing what the policy is known to lack; default: nobody knows
 */
export function policyOf(key: ChangeableKey, install: ToLetIn, missing?: readonly string[]): Step {
  if (key.isOfCompanion) {
    const why = 'The policy of that key comes with the companion: if anything in it was changed, update the companion.';
    return updateCompanion(key, why, { Reencrypt: 'on' });
  }
  const isOwn = key.account === install.account;
  const which =
    missing !== undefined
      ? `Its policy needs ${missing.length === ACTIONS_ON_KEYS.length ? 'the statements' : 'what is'} below${isOwn ? '' : `, and only account ${key.account} can change it: send it this step`}.`
      : isOwn
        ? 'Its policy needs the statements below, or one that gives this account kms:* (Principal arn:...:root): then the policy of the role decides.'
        : `Its policy needs the statements below, and only account ${key.account} can change it: send it this step.`;
  const what = missing === undefined ? 'what is missing' : 'it';
  return {
    say: `${which} As an administrator of account ${key.account}, put ${what} behind the last of the list "Statement", with a comma before it${missing === undefined ? '' : ', and take out what has the same Sid'}:`,
    run: editPolicy(key),
    paste: keyStatements(install, key.usedFrom, missing),
  };
}

/** Has a statement that denies leave the install out. */
export function exceptInstall(key: ChangeableKey, install: ToLetIn): Step {
  if (key.isOfCompanion) return policyOf(key, install);
  return {
    say: `As an administrator of account ${key.account}, have that statement leave out the roles of ${install.name}, by this in its "Condition":`,
    run: editPolicy(key),
    paste: `"ArnNotLike": { "aws:PrincipalArn": ${JSON.stringify(rolesOf(install))} }`,
  };
}

function editPolicy(key: ChangeableKey): readonly string[] {
  const keyId = key.isAlias ? lookUp(key, 'KeyId') : key.word;
  return [
    `aws kms get-key-policy --region ${key.region} --policy-name default --query Policy --output text`,
    `--key-id ${keyId} > key-policy.json`,
    // Unquoted, for it may have arguments: `code --wait`.
    `&& \${EDITOR:-vi} key-policy.json`,
    `&& aws kms put-key-policy --region ${key.region} --policy-name default --policy file://key-policy.json`,
    `--key-id ${keyId}`,
  ];
}

/**
 * Has the role that copies get the permission to use a key.
 *
 * @param arn of the key, if it is known
 */
export function permitRole(key: KeyOfCopy, arn: string | undefined, install: Install): Step {
  const { account, region } = key;
  const any = `arn:${partitionOf(region)}:kms:${region}:${account}:key/*`;
  return {
    say: `The role's own policy needs what is below. It comes from the rules: ${
      account === install.account ? '' : `name account ${account} under owners of the rule, and `
    }deploy ${install.name}. Until then, somebody may add it by hand to role ${install.roleArn}:`,
    paste: roleStatements(arn ?? any, key.usedFrom),
  };
}

/** Mends a key that is there, and says what to do about one that is not. */
export function enable(key: KeyOfCopy): Step {
  return {
    say: `If KeyState is Disabled, enable it, as an administrator of account ${key.account}. If there is no such key, correct the rule in copy-rules.yml, and deploy; if it is being deleted (PendingDeletion), cancel that first (aws kms cancel-key-deletion).`,
    run: [`aws kms enable-key --region ${key.region}`, `--key-id ${key.isAlias ? lookUp(key, 'KeyId') : key.word}`],
  };
}

/** KMS writes refusals to CloudTrail of the caller's account, with the action and the reason that EC2 leaves out. */
export function whoWasRefused(keys: readonly KeyOfCopy[], since: string, install: Install): Step {
  const regions = [...new Set(keys.flatMap(({ usedFrom }) => usedFrom))];
  return {
    say: `CloudTrail of account ${install.account} knows within a quarter of an hour which action KMS refused, and which policy does not allow it: resource-based is the policy of the key, identity-based the role's own:`,
    run: [
      `for region in ${regions.join(' ')}; do aws cloudtrail lookup-events --region "$region" --start-time ${shellWord(since)}`,
      '--lookup-attributes AttributeKey=EventSource,AttributeValue=kms.amazonaws.com',
      `--query "Events[?contains(CloudTrailEvent, 'AccessDenied')].CloudTrailEvent" --output text; done`,
    ],
  };
}
