import type { Finding } from './finding.ts';
import { type AboutKey, type KeyInUse, keyInWords } from './key.ts';

/**
 * Whether this is the name of a key that AWS makes for one of its services. KMS makes it when somebody asks for it, so
 * it is not asked for: https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
 */
export function isAwsAlias(name: string): boolean {
  return /(?:^|:)alias\/aws\//.test(name);
}

/** What is to be said of such a key. */
export function checkAwsAlias(key: KeyInUse): Finding {
  const of = { check: 'key', about: keyInWords(key), rules: key.rules };
  return key.name.endsWith('alias/aws/ebs') ? ebsKey(of) : ofAnotherService(of);
}

export function ebsKey(of: AboutKey): Finding {
  return {
    ...of,
    status: 'hint',
    found: "AWS's own key for EBS",
    why: 'Copies under it can never be shared with another account, nor used by one.',
    mend: [
      {
        say: 'If they ever shall be, name a key of your own now: under another key the next copy of each volume is a full one.',
        paste: OWN_KEY,
      },
    ],
  };
}

function ofAnotherService(of: AboutKey): Finding {
  return {
    ...of,
    status: 'problem',
    found: "AWS's own key for another service than EBS",
    why: 'It serves that service alone, so each copy would end in an alert.',
    mend: [{ say: 'Name a key of your own in the rule, and deploy:', paste: OWN_KEY }],
  };
}

const OWN_KEY = 'encryption: { kmsKey: alias/dr-copies }';
