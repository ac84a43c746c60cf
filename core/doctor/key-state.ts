import type { Step } from '../alert-layout.ts';
import { ACTIONS_ON_KEYS } from '../key-statements.ts';
import { policyOf } from '../key-steps.ts';
import { shellWord } from '../shell-word.ts';
import { ebsKey } from './aws-key.ts';
import { companionCouldNotLook } from './companion-look.ts';
import { couldNotCheck, type Unknown } from './fact.ts';
import { type Finding, fine } from './finding.ts';
import { type AboutKey, IN_VAIN, isForEbs, type KeyFacts, type KeyInUse, type KeyMetadata, keyInWords } from './key.ts';
import { changeable } from './key-change.ts';
import type { Site } from './site.ts';

/** A key that KMS does not show. */
export function undescribedKey(
  key: KeyInUse,
  unknown: Unknown,
  { byCompanion }: Pick<KeyFacts, 'byCompanion'>,
  site: Site,
): Finding {
  const of = aboutKey(key);
  const { region, name } = key;
  const toChange = changeable(key, site);
  const run = [
    `aws kms describe-key --region ${region} --key-id ${shellWord(name)}`,
    "--query 'KeyMetadata.[Arn,KeyManager,KeyState,KeySpec]' --output text",
  ];
  // IAM's words tell whose policy is missing: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
  if (unknown.lacks !== undefined && unknown.unknown.includes('no resource-based policy')) {
    return {
      ...of,
      status: 'warning',
      found:
        'its policy does not let you see it, as the first of the statements below would; so it most likely does not let the service use it either',
      why: IN_VAIN,
      mend: [policyOf(toChange, site, ACTIONS_ON_KEYS)],
    };
  }
  const why = `It has to be there, enabled and symmetric. ${IN_VAIN}`;
  if (byCompanion === true) {
    return companionCouldNotLook(unknown, { ...of, why }, toChange.account, site, [policyOf(toChange, site)]);
  }
  const look = { say: 'Have somebody look who may. KeyState must be Enabled, KeySpec SYMMETRIC_DEFAULT:', run };
  return couldNotCheck(unknown, { ...of, why }, [look]);
}

/** A key that is not there. */
export function missingKey(key: KeyInUse, elsewhere: readonly string[]): Finding {
  const { name, region } = key;
  const [there] = elsewhere;
  const replica: readonly Step[] =
    there !== undefined && name.includes('mrk-')
      ? [
          {
            say: 'It is a multi-Region key, so it can have a replica there:',
            run: [
              `aws kms replicate-key --region ${there} --key-id ${name.replace(/^.*\//, '')} --replica-region ${region}`,
            ],
          },
        ]
      : [];
  return {
    ...aboutKey(key),
    status: 'problem',
    found: there === undefined ? 'there is none' : `there is none; one of that name is in ${elsewhere.join(', ')}`,
    why: `A key serves its own Region alone. ${IN_VAIN}`,
    mend: [...replica, insteadOfMissing(key)],
  };
}

function insteadOfMissing({ name, region, as }: KeyInUse): Step {
  if (as === 'source')
    return { say: 'Nothing can read those snapshots any more: copy ones under a key that is there.' };
  const alias = aliasIn(name);
  if (alias !== undefined) {
    return {
      say: `Give the alias to a new key of ${region}, or instead to one that is there:`,
      run: [`aws kms create-alias --region ${region} --alias-name ${alias}`, `--target-key-id ${newKey(region)}`],
    };
  }
  return {
    say: `Name a key of ${region} in the rule, and deploy. Those that have a name:`,
    run: [`aws kms list-aliases --region ${region}`, "--query 'Aliases[].[AliasName,TargetKeyId]' --output text"],
  };
}

/**
 * Whether a key that is there can be used by EC2.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
 */
export function checkKeyState(key: KeyInUse, metadata: KeyMetadata, { account: home }: Pick<Site, 'account'>): Finding {
  const of = aboutKey(key);
  const { manager, account } = metadata;
  if (manager === 'CUSTOMER') return checkCustomerKey(key, metadata, home);
  if (account !== home) {
    return {
      ...of,
      status: 'problem',
      found: `AWS's own key of account ${account}, which serves that account alone`,
      why: IN_VAIN,
      mend: [
        {
          say: `Account ${account} has to copy those snapshots under a customer managed key, and to share these copies and that key.`,
        },
      ],
    };
  }
  switch (key.as) {
    case 'source':
      return fine({ ...of, found: "enabled, AWS's own, which serves this account" });
    case 'default':
      return ebsKey(of);
    case 'named':
      return {
        ...of,
        status: 'warning',
        found: "one of AWS's own keys; if it is not the one for EBS, EC2 cannot use it",
        why: 'Copies under such a key can never be shared with another account, nor used by one.',
        mend: [
          { say: 'Name a key of your own in the rule, and deploy:', paste: 'encryption: { kmsKey: alias/dr-copies }' },
        ],
      };
  }
}

function checkCustomerKey(key: KeyInUse, metadata: KeyMetadata, home: string): Finding {
  const { state, spec, usage, multiRegion = '' } = metadata;
  const of = aboutKey(key);
  const isFit = isForEbs(metadata);
  if (isFit && state === 'Enabled') {
    const place = multiRegion === '' ? '' : `, ${multiRegion.toLowerCase()} of a multi-Region key`;
    return fine({ ...of, found: `enabled, symmetric, customer managed${place}` });
  }
  const { found, step } = isFit
    ? inOtherState(key, metadata)
    : { found: `${spec} for ${usage}; EBS takes symmetric encryption keys only`, step: anotherKey(key) };
  const by = metadata.account === home ? '' : `As an administrator of account ${metadata.account}: `;
  return { ...of, status: 'problem', found, why: IN_VAIN, mend: [{ ...step, say: `${by}${step.say}` }] };
}

function inOtherState(
  { region }: KeyInUse,
  { state, keyId, deletionDate }: KeyMetadata,
): { readonly found: string; readonly step: Step } {
  const at = `--region ${region} --key-id ${keyId}`;
  switch (state) {
    case 'Disabled':
      return { found: 'disabled', step: { say: 'Enable it:', run: [`aws kms enable-key ${at}`] } };
    case 'PendingDeletion':
    case 'PendingReplicaDeletion':
      return {
        found: `to be deleted${deletionDate === undefined ? '' : ` on ${deletionDate}`}`,
        step: {
          say: 'Keep it; with it everything is lost that is encrypted under it:',
          run: [`aws kms cancel-key-deletion ${at}`, `&& aws kms enable-key ${at}`],
        },
      };
    case 'PendingImport':
      return {
        found: 'without its key material, which was imported and has expired or was deleted',
        step: {
          say: 'Import it again: https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-import-key-material.html',
        },
      };
    case 'Unavailable':
      return {
        found: 'unavailable: its custom key store is not connected',
        step: {
          say: 'Connect the store again (connect-custom-key-store). The stores that there are:',
          run: [
            `aws kms describe-custom-key-stores --region ${region}`,
            "--query 'CustomKeyStores[].[CustomKeyStoreId,ConnectionState]' --output text",
          ],
        },
      };
    default:
      return { found: `in state ${state}`, step: { say: 'Check again in some minutes; such a state passes.' } };
  }
}

function anotherKey({ name, region, as }: KeyInUse): Step {
  const alias = aliasIn(name);
  if (alias !== undefined) {
    return {
      say: 'Have the alias lead to a new symmetric key, or to one that is there:',
      run: [`aws kms update-alias --region ${region} --alias-name ${alias}`, `--target-key-id ${newKey(region)}`],
    };
  }
  if (as === 'default') {
    return {
      say: `Have ${region} use a new symmetric key by default, or one that is there:`,
      run: [`aws ec2 modify-ebs-default-kms-key-id --region ${region} --kms-key-id ${newKey(region)}`],
    };
  }
  return { say: 'Make a symmetric key, name it in the rule, and deploy:', run: [createKey(region)] };
}

function aboutKey(key: KeyInUse): AboutKey {
  return { check: 'key', about: keyInWords(key), rules: key.rules };
}

/** The alias that a name or ARN is, if it is one. */
function aliasIn(name: string): string | undefined {
  return /alias\/.+$/.exec(name)?.[0];
}

function createKey(region: string): string {
  return `aws kms create-key --region ${region} --description 'Copies of EBS snapshots' --query KeyMetadata.KeyId --output text`;
}

function newKey(region: string): string {
  return `"$(${createKey(region)})"`;
}
