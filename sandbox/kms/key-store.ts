import { type Caller, scopeOf } from '../accounts.ts';
import type { Clock } from '../clock.ts';
import { hexDigits, type Random, seededRandom, uuid } from '../ids.ts';
import { isSymmetric, type KmsGrant, type KmsKey, kmsArn } from './key.ts';
import { mayUse, policyFor } from './key-policy.ts';

/** The alias of the key that EBS makes for itself: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html */
export const EBS_ALIAS = 'alias/aws/ebs';

/** Why EC2 cannot use a key. */
export type KeyProblem = 'not-found' | 'disabled' | 'asymmetric' | 'no-access';

/** What is to be known of a new key. */
export interface NewKey extends Caller {
  readonly description?: string;
  readonly keySpec?: string;
  readonly keyUsage?: string;
  /** Other accounts that the key policy lets use the key. */
  readonly usableBy?: readonly string[];
  /** A whole key policy, instead of `usableBy`. */
  readonly policy?: string;
}

/** An alias and the key behind it. */
export interface KmsAlias {
  readonly name: string;
  readonly arn: string;
  readonly keyId: string;
  readonly createdAt: number;
}

type StoredKey = { -readonly [Field in keyof KmsKey]: KmsKey[Field] };

/** All KMS keys of the sandbox, of every account and Region. */
export class KeyStore {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #keys = new Map<string, StoredKey>();
  readonly #aliases = new Map<string, Map<string, KmsAlias>>();

  constructor({ clock, random = seededRandom(2) }: { readonly clock: Clock; readonly random?: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  create(wanted: NewKey): KmsKey {
    const { account, region } = wanted;
    return this.#add({
      account,
      region,
      description: wanted.description ?? '',
      manager: 'CUSTOMER',
      keySpec: wanted.keySpec ?? 'SYMMETRIC_DEFAULT',
      keyUsage: wanted.keyUsage ?? 'ENCRYPT_DECRYPT',
      policy: wanted.policy ?? policyFor(account, wanted.usableBy ?? []),
    });
  }

  /** Gives the key a name, for example `alias/dr-copies`. Answers undefined if the name is taken. */
  createAlias(name: string, key: KmsKey): KmsAlias | undefined {
    const scope = this.#aliasesOf(key);
    if (scope.has(name)) return undefined;
    const alias = { name, arn: kmsArn(key, name), keyId: key.keyId, createdAt: this.#clock.now() };
    scope.set(name, alias);
    return alias;
  }

  aliases(caller: Caller): readonly KmsAlias[] {
    return [...this.#aliasesOf(caller).values()];
  }

  keys({ account, region }: Caller): readonly KmsKey[] {
    this.#deleteDue();
    return [...this.#keys.values()].filter((key) => key.account === account && key.region === region);
  }

  /**
   * The key behind a key id, alias, key ARN or alias ARN, as seen from an account and Region. A key can be named from
   * its own Region only; one of another account only by an ARN.
   * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id
   */
  find(caller: Caller, name: string): KmsKey | undefined {
    this.#deleteDue();
    const arn = /^arn:[a-z-]+:kms:([a-z0-9-]+):(\d{12}):(?:key\/(.+)|(alias\/.+))$/.exec(name);
    const account = arn?.[2] ?? caller.account;
    const region = arn?.[1] ?? caller.region;
    if (region !== caller.region) return undefined;
    const alias = arn === null ? name : arn[4];
    if (alias?.startsWith('alias/') === true) {
      if (alias === EBS_ALIAS && account === caller.account) return this.ebsManagedKey(caller);
      const target = this.#aliasesOf({ account, region }).get(alias);
      return target === undefined ? undefined : this.#keys.get(kmsArn({ account, region }, `key/${target.keyId}`));
    }
    return this.#keys.get(kmsArn({ account, region }, `key/${arn?.[3] ?? name}`));
  }

  /** The key if EC2 can encrypt with it on behalf of the caller, else what is wrong. */
  usable(caller: Caller, name: string): { readonly key: KmsKey } | { readonly problem: KeyProblem } {
    const key = this.find(caller, name);
    if (key === undefined) return { problem: 'not-found' };
    if (!mayUse(key, caller.account)) return { problem: 'no-access' };
    if (key.state !== 'Enabled') return { problem: 'disabled' };
    if (!isSymmetric(key)) return { problem: 'asymmetric' };
    return { key };
  }

  /** The AWS managed key `aws/ebs` of an account and Region. It comes into being at its first use. */
  ebsManagedKey(caller: Caller): KmsKey {
    const alias = this.#aliasesOf(caller).get(EBS_ALIAS);
    const known = alias && this.#keys.get(kmsArn(caller, `key/${alias.keyId}`));
    if (known !== undefined) return known;
    const key = this.#add({
      account: caller.account,
      region: caller.region,
      description: 'Default key that protects my EBS volumes when no other key is defined',
      manager: 'AWS',
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      policy: policyFor(caller.account, []),
    });
    this.createAlias(EBS_ALIAS, key);
    return key;
  }

  enable(key: KmsKey): void {
    this.#change(key, { state: 'Enabled' });
  }

  disable(key: KmsKey): void {
    this.#change(key, { state: 'Disabled' });
  }

  /** The key goes away after that many days; until then it cannot be used. */
  scheduleDeletion(key: KmsKey, days: number): void {
    this.#change(key, { state: 'PendingDeletion', deletionAt: this.#clock.now() + days * 86_400_000 });
  }

  /** The key is disabled then: https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html */
  cancelDeletion(key: KmsKey): void {
    this.#change(key, { state: 'Disabled', deletionAt: undefined });
  }

  putPolicy(key: KmsKey, policy: string): void {
    this.#change(key, { policy });
  }

  createGrant(key: KmsKey, wanted: Omit<KmsGrant, 'grantId' | 'createdAt'>): KmsGrant {
    const grant = { ...wanted, grantId: hexDigits(this.#random, 64), createdAt: this.#clock.now() };
    this.#change(key, { grants: [...key.grants, grant] });
    return grant;
  }

  revokeGrant(key: KmsKey, { grantId }: KmsGrant): void {
    this.#change(key, { grants: key.grants.filter((grant) => grant.grantId !== grantId) });
  }

  #change(key: KmsKey, change: Partial<Pick<StoredKey, 'state' | 'deletionAt' | 'policy' | 'grants'>>): void {
    const stored = this.#keys.get(key.arn);
    if (stored === undefined) throw new Error(`There is no key ${key.arn}`);
    Object.assign(stored, change);
  }

  #add(fresh: Omit<KmsKey, 'keyId' | 'arn' | 'createdAt' | 'state' | 'deletionAt' | 'grants'>): KmsKey {
    const keyId = uuid(this.#random);
    const key: KmsKey = {
      ...fresh,
      keyId,
      arn: kmsArn(fresh, `key/${keyId}`),
      createdAt: this.#clock.now(),
      state: 'Enabled',
      deletionAt: undefined,
      grants: [],
    };
    this.#keys.set(key.arn, key);
    return key;
  }

  #aliasesOf(caller: Caller): Map<string, KmsAlias> {
    const scope = scopeOf(caller);
    const known = this.#aliases.get(scope);
    if (known !== undefined) return known;
    const fresh = new Map<string, KmsAlias>();
    this.#aliases.set(scope, fresh);
    return fresh;
  }

  /** A deleted key takes its aliases along: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html */
  #deleteDue(): void {
    for (const key of this.#keys.values()) {
      if (key.deletionAt === undefined || key.deletionAt > this.#clock.now()) continue;
      this.#keys.delete(key.arn);
      const aliases = this.#aliasesOf(key);
      for (const alias of aliases.values()) {
        if (alias.keyId === key.keyId) aliases.delete(alias.name);
      }
    }
  }
}
