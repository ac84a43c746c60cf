import type { Fact } from './fact.ts';
import type { Finding } from './finding.ts';
import type { Grant } from './key-use.ts';

/** A key as DescribeKey shows it: https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html */
export interface KeyMetadata {
  readonly keyId: string;
  readonly arn: string;
  /** 12 digits. */
  readonly account: string;
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly state: string;
  readonly spec: string;
  readonly usage: string;
  /** `PRIMARY` or `REPLICA`, if it is one of a multi-Region key. */
  readonly multiRegion?: string;
  /** When it will be deleted, ISO 8601. */
  readonly deletionDate?: string;
}

/** A key that copies need, as it is named: by id, alias or ARN. */
export interface KeyInUse {
  readonly name: string;
  /** Where EC2 looks for it. */
  readonly region: string;
  /** `named` by rules, the `default` of the Region, or the key of a `source`. */
  readonly as: 'named' | 'default' | 'source';
  readonly rules: readonly string[];
  /** The Regions whose EC2 may use it for these copies. */
  readonly usedFrom: readonly string[];
}

/** EBS takes symmetric keys only: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html */
export function isForEbs({ spec, usage }: Pick<KeyMetadata, 'spec' | 'usage'>): boolean {
  return spec === 'SYMMETRIC_DEFAULT' && usage === 'ENCRYPT_DECRYPT';
}

/** What was looked up of a key. */
export interface KeyFacts {
  /** Undefined if there is none of this name. */
  readonly metadata: Fact<KeyMetadata | undefined>;
  /** Regions in which there is a key of this name, if there is none where it is needed. */
  readonly elsewhere: readonly string[];
  /** Absent where it makes no sense to ask. */
  readonly policy?: Fact<string>;
  /** Absent if the policy is enough. */
  readonly grants?: Fact<readonly Grant[]>;
  /** Not whoever asks looked, but the companion's role in the account of the key. */
  readonly byCompanion?: true;
}

/** The beginning of a finding. */
export type AboutKey = Pick<Finding, 'check' | 'about' | 'rules'>;

/** The key in words, with its Region. */
export function keyInWords({ name, region, as }: KeyInUse): string {
  switch (as) {
    case 'named':
      return `key ${name} in ${region}`;
    case 'default':
      return `default EBS key ${name} of ${region}`;
    case 'source':
      return `source key ${name}`;
  }
}

/** What follows from a key that cannot be used. */
export const IN_VAIN = 'EC2 accepts such a copy and ends it in error some time later, so each would end in an alert.';
