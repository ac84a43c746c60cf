import { type Caller, scopeOf } from '../accounts.ts';
import type { Clock } from '../clock.ts';
import { administrator, Iam } from '../iam/iam.ts';
import type { Verdict } from '../iam/types.ts';
import { hexDigits, type Random, seededRandom, uuid } from '../ids.ts';
import { isSymmetric, type KmsGrant, type KmsKey, kmsArn } from './key.ts';
import { type KeyRequest, mayUse } from './key-access.ts';
import { EC2_OPERATIONS, ebsManagedPolicy, ec2In, policyFor, readKeyPolicy } from './key-policy.ts';

/** The alias of the key that EBS makes for itself: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html */
export const EBS_ALIAS = 'alias/aws/ebs';

/** Why EC2 cannot use a key; `hidden`: the caller may not even see it (kms:DescribeKey). */
export type KeyProblem = 'not-found' | 'hidden' | 'disabled' | 'asymmetric' | 'no-access';

/** The key that somebody named, or what is wrong with it. */
export type FoundKey = { readonly key: KmsKey } | { readonly problem: KeyProblem };

/** What is to be known of a new key. */
export interface NewKey extends Caller {
  readonly description?: string;
  readonly keySpec?: string;
  readonly keyUsage?: string;
  /** Other accounts that the key policy lets use the key. */
  readonly usableBy?: readonly string[];
  /** A whole key policy, instead of `usableBy`. */
  readonly policy?: string;
  /** Instead of a new one. */
  readonly keyId?: string;
}

/** An alias and the key behind it. */
export interface KmsAlias {
  readonly name: string;
  readonly arn: string;
  readonly keyId: string;
  readonly createdAt: number;
}

type StoredKey = { -readonly [Field in keyof KmsKey]: KmsKey[Field] };

interface KeyStoreOptions {
  readonly clock: Clock;
  readonly random?: Random;
  /** Who may do what. Default: no roles, only administrators. */
  readonly iam?: Iam;
}

/** All KMS keys of the sandbox, of every account and Region. */
export class KeyStore {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #iam: Iam;
  readonly #keys = new Map<string, StoredKey>();
  readonly #aliases = new Map<string, Map<string, KmsAlias>>();

  constructor({ clock, random = seededRandom(2), iam = new Iam({ clock }) }: KeyStoreOptions) {
    this.#clock = clock;
    this.#random = random;
    this.#iam = iam;
  }

  /** @throws PolicyError if the policy is none */
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
      keyId: wanted.keyId,
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

  deleteAlias(name: string, caller: Caller): void {
    this.#aliasesOf(caller).delete(name);
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

  /** Whether the caller may do something with the key, by the key's policy, by its grants and by policies of its own. */
  may(caller: Caller, key: KmsKey, request: KeyRequest): Verdict {
    const aliases = this.aliases(key).flatMap(({ name, keyId }) => (keyId === key.keyId ? [name] : []));
    return mayUse(this.#iam, caller.principal ?? administrator(caller.account), { key, aliases }, request);
  }

  /** The same for what is about no key, such as CreateKey: the caller's own policies decide. */
  mayWithoutKey(caller: Caller, operation: string, resource = '*'): Verdict {
    const principal = caller.principal ?? administrator(caller.account);
    const context = resource === '*' ? {} : { 'kms:CallerAccount': principal.account };
    return this.#iam.authorize(principal, { action: `kms:${operation}`, resource, context });
  }

  /** The key as EC2 finds it in the name of the caller, before it uses it. */
  findForEc2(caller: Caller, name: string): FoundKey {
    const key = this.find(caller, name);
    if (key === undefined) return { problem: 'not-found' };
    if (!this.#allowsEc2(caller, key, 'DescribeKey')) return { problem: 'hidden' };
    if (key.state !== 'Enabled') return { problem: 'disabled' };
    return isSymmetric(key) ? { key } : { problem: 'asymmetric' };
  }

  /**
   * The same, if EC2 may also read or write data with it.
   *
   * @param ebsId the volume or snapshot whose data it is: EBS binds each data key to one
   * (https://docs.aws.amazon.com/kms/latest/developerguide/services-ebs.html)
   */
  usableByEc2(caller: Caller, name: string, ebsId: string): FoundKey {
    const found = this.findForEc2(caller, name);
    if ('problem' in found) return found;
    const allowed = EC2_OPERATIONS.every((operation) => this.#allowsEc2(caller, found.key, operation, ebsId));
    return allowed ? found : { problem: 'no-access' };
  }

  /**
   * EC2 of the key's own Region asks: the policy of `aws/ebs` lets nobody else in, and what is under that key can be copied
   * to other Regions. AWS does not say it of customer managed keys.
   */
  #allowsEc2(caller: Caller, key: KmsKey, operation: (typeof EC2_OPERATIONS)[number], ebsId?: string): boolean {
    const hasContext = operation !== 'DescribeKey' && ebsId !== undefined;
    return this.may(caller, key, {
      operation,
      via: ec2In(key.region),
      ...(hasContext && { encryptionContext: { 'aws:ebs:id': ebsId } }),
    }).allowed;
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
      policy: ebsManagedPolicy(caller),
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

  /** @throws PolicyError if it is none */
  putPolicy(key: KmsKey, policy: string): void {
    this.#change(key, { policy, policyDocument: readKeyPolicy(policy, key) });
  }

  createGrant(key: KmsKey, wanted: Omit<KmsGrant, 'grantId' | 'createdAt'>): KmsGrant {
    const grant = { ...wanted, grantId: hexDigits(this.#random, 64), createdAt: this.#clock.now() };
    this.#change(key, { grants: [...key.grants, grant] });
    return grant;
  }

  revokeGrant(key: KmsKey, { grantId }: KmsGrant): void {
    this.#change(key, { grants: key.grants.filter((grant) => grant.grantId !== grantId) });
  }

  #change(
    key: KmsKey,
    change: Partial<Pick<StoredKey, 'state' | 'deletionAt' | 'policy' | 'policyDocument' | 'grants'>>,
  ): void {
    const stored = this.#keys.get(key.arn);
    if (stored === undefined) throw new Error(`There is no key ${key.arn}`);
    Object.assign(stored, change);
  }

  #add({
    keyId = uuid(this.#random),
    ...fresh
  }: Omit<KmsKey, 'keyId' | 'arn' | 'createdAt' | 'state' | 'deletionAt' | 'policyDocument' | 'grants'> & {
    readonly keyId?: string | undefined;
  }): KmsKey {
    const arn = kmsArn(fresh, `key/${keyId}`);
    const key: KmsKey = {
      ...fresh,
      keyId,
      arn,
      createdAt: this.#clock.now(),
      state: 'Enabled',
      deletionAt: undefined,
      policyDocument: readKeyPolicy(fresh.policy, { arn }),
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
