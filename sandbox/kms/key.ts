import { partitionOf } from '../../core/region.ts';
import type { Caller } from '../accounts.ts';
import type { PolicyDocument } from '../iam/types.ts';

/** KMS's KeyState, as far as it is imitated: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html */
type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

/** A KMS key as it is now; the `KeyStore` changes it. */
export interface KmsKey {
  readonly account: string;
  readonly region: string;
  readonly keyId: string;
  readonly arn: string;
  readonly description: string;
  /** `AWS` = an AWS managed key, such as `aws/ebs`: nobody can change it or share it. */
  readonly manager: 'AWS' | 'CUSTOMER';
  /** `SYMMETRIC_DEFAULT` or anything else that KMS knows. */
  readonly keySpec: string;
  readonly keyUsage: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly state: KeyState;
  /** When a key in `PendingDeletion` goes away, milliseconds since 1970. */
  readonly deletionAt: number | undefined;
  /** The key policy, as the JSON text that was put. */
  readonly policy: string;
  /** The same, read. */
  readonly policyDocument: PolicyDocument;
  /** Oldest first. */
  readonly grants: readonly KmsGrant[];
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html */
export interface GrantConstraints {
  readonly EncryptionContextSubset?: Readonly<Record<string, string>> | undefined;
  readonly EncryptionContextEquals?: Readonly<Record<string, string>> | undefined;
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html */
export interface KmsGrant {
  readonly grantId: string;
  readonly name: string | undefined;
  /** ARN. */
  readonly granteePrincipal: string;
  readonly retiringPrincipal: string | undefined;
  readonly operations: readonly string[];
  readonly constraints: GrantConstraints | undefined;
  /** Account. */
  readonly issuer: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** EBS takes symmetric encryption keys only: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html */
export function isSymmetric(key: KmsKey): boolean {
  return key.keySpec === 'SYMMETRIC_DEFAULT' && key.keyUsage === 'ENCRYPT_DECRYPT';
}

/** The ARN of `key/<id>` or `alias/<name>`. */
export function kmsArn({ account, region }: Caller, resource: string): string {
  return `arn:${partitionOf(region)}:kms:${region}:${account}:${resource}`;
}
