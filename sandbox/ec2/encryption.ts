import type { Caller } from '../accounts.ts';
import type { KeyProblem } from '../kms/key-store.ts';
import { Ec2Error, invalidValue } from './ec2-error.ts';
import type { Ec2World } from './world.ts';

/** What a call says about the encryption of what it makes. */
export interface WantedEncryption {
  readonly Encrypted?: boolean | undefined;
  readonly KmsKeyId?: string | undefined;
}

/**
 * Which key something new is encrypted under; undefined = it stays plain.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html, table of encryption outcomes:
 * encryption by default wins over "not encrypted"; what was encrypted stays encrypted; no key named = the default key
 * of the Region, never the source's.
 */
export function chooseKey(
  world: Ec2World,
  caller: Caller,
  { Encrypted, KmsKeyId }: WantedEncryption,
  mustEncrypt: boolean,
): string | undefined {
  // "If KmsKeyId is specified, the encrypted state must be true":
  // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html
  if (KmsKeyId !== undefined && Encrypted !== true) {
    throw new Ec2Error(
      'InvalidParameterDependency',
      'The parameter KmsKeyId requires the parameter Encrypted to be set.',
    );
  }
  if (KmsKeyId !== undefined) return KmsKeyId;
  const encrypt = Encrypted === true || mustEncrypt || world.settingsOf(caller).encryptionByDefault;
  return encrypt ? world.defaultKmsKeyArn(caller) : undefined;
}

/** A key that cannot be used, as EC2 says it in an error answer (third-party report). */
export function keyRefusal(name: string, problem: KeyProblem): Ec2Error {
  if (problem === 'hidden' || problem === 'no-access') {
    return new Ec2Error('AuthFailure', `Not authorized to use key ${name}`, 403);
  }
  return invalidValue(`The specified keyId ${name} is ${problem === 'disabled' ? 'disabled' : 'invalid'}`);
}

/** What a copy says that ends because of a key: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html */
export const KEY_NOT_ACCESSIBLE = 'Given key ID is not accessible';
