import * as z from 'zod';
import type { Caller } from '../accounts.ts';
import { principalOf } from '../iam/iam.ts';
import { PolicyError } from '../iam/policy-error.ts';
import { refusalText } from '../iam/refusal.ts';
import type { Verdict } from '../iam/types.ts';
import { isSymmetric, type KmsGrant, type KmsKey, kmsArn } from './key.ts';
import type { KeyStore, KmsAlias } from './key-store.ts';

/** One call as it comes over HTTP. `target` is the header X-Amz-Target, for example `TrentService.CreateKey`. */
export interface KmsCall extends Caller {
  readonly target: string;
  readonly body: string;
}

export interface KmsAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, string>;
}

/** Codes are those of the API reference: https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html */
class KmsError extends Error {
  override readonly name = 'KmsError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type KmsAction = (caller: Caller, input: unknown) => Record<string, unknown>;

const keyIdInput = z.object({ KeyId: z.string().min(1) });
const pageInput = z.object({ Limit: z.int().min(1).max(1000).default(100), Marker: z.string().optional() });

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html */
const GRANT_OPERATIONS = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
] as const;
const pairs = z.record(z.string(), z.string()).optional();
const grantInput = keyIdInput.extend({
  GranteePrincipal: z.string().min(1),
  Operations: z.array(z.enum(GRANT_OPERATIONS)).min(1),
  RetiringPrincipal: z.string().optional(),
  Constraints: z.strictObject({ EncryptionContextSubset: pairs, EncryptionContextEquals: pairs }).optional(),
  Name: z.string().optional(),
});

/**
 * A few actions of KMS, in its JSON 1.1 protocol: keys, their aliases, states, policies and grants. It encrypts nothing.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
 */
export class KmsService {
  readonly #keys: KeyStore;
  readonly #actions: ReadonlyMap<string, KmsAction>;

  constructor({ keys }: { readonly keys: KeyStore }) {
    this.#keys = keys;
    this.#actions = new Map<string, KmsAction>([
      ['CreateKey', (caller, input) => this.#createKey(caller, input)],
      ['CreateAlias', (caller, input) => this.#createAlias(caller, input)],
      ['DescribeKey', (caller, input) => this.#describeKey(caller, input)],
      ['ListAliases', (caller, input) => this.#listAliases(caller, input)],
      ['ListKeys', (caller, input) => this.#listKeys(caller, input)],
      ['EnableKey', (caller, input) => this.#setEnabled(caller, input, true)],
      ['DisableKey', (caller, input) => this.#setEnabled(caller, input, false)],
      ['ScheduleKeyDeletion', (caller, input) => this.#scheduleDeletion(caller, input)],
      ['CancelKeyDeletion', (caller, input) => this.#cancelDeletion(caller, input)],
      ['PutKeyPolicy', (caller, input) => this.#putPolicy(caller, input)],
      ['GetKeyPolicy', (caller, input) => this.#getPolicy(caller, input)],
      ['CreateGrant', (caller, input) => this.#createGrant(caller, input)],
      ['ListGrants', (caller, input) => this.#listGrants(caller, input)],
      ['RevokeGrant', (caller, input) => this.#revokeGrant(caller, input)],
    ]);
  }

  /** Never throws for expected trouble: an error is an answer. */
  handle(call: KmsCall): KmsAnswer {
    try {
      const action = this.#actions.get(call.target.replace(/^TrentService\./, ''));
      if (action === undefined) throw new KmsError('UnknownOperationException', `${call.target} is not imitated`);
      return answer(200, action(call, parseJson(call.body)));
    } catch (error) {
      if (!(error instanceof KmsError)) throw error;
      return answer(400, { __type: error.code, message: error.message });
    }
  }

  #createKey(caller: Caller, input: unknown): Record<string, unknown> {
    const wanted = read(
      z.object({
        Description: z.string().max(8192).optional(),
        KeyUsage: z.enum(['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT']).optional(),
        KeySpec: z.string().optional(),
        CustomerMasterKeySpec: z.string().optional(),
        Policy: z.string().optional(),
        MultiRegion: z.boolean().optional(),
        Origin: z.string().optional(),
      }),
      input,
    );
    if (wanted.MultiRegion === true || (wanted.Origin ?? 'AWS_KMS') !== 'AWS_KMS') {
      throw new KmsError('UnsupportedOperationException', 'Only single-Region keys made by KMS are imitated');
    }
    allow(caller, 'CreateKey', '*', this.#keys.mayWithoutKey(caller, 'CreateKey'));
    const keySpec = wanted.KeySpec ?? wanted.CustomerMasterKeySpec;
    const make = () =>
      this.#keys.create({
        account: caller.account,
        region: caller.region,
        ...(wanted.Description === undefined ? {} : { description: wanted.Description }),
        ...(keySpec === undefined ? {} : { keySpec }),
        ...(wanted.KeyUsage === undefined ? {} : { keyUsage: wanted.KeyUsage }),
        ...(wanted.Policy === undefined ? {} : { policy: wanted.Policy }),
      });
    return { KeyMetadata: metadata(withPolicy(make)) };
  }

  #createAlias(caller: Caller, input: unknown): Record<string, unknown> {
    const { AliasName, TargetKeyId } = read(
      z.object({ AliasName: z.string().min(1).max(256), TargetKeyId: z.string().min(1) }),
      input,
    );
    // https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
    if (!/^alias\/[a-zA-Z0-9/_-]+$/.test(AliasName)) {
      throw new KmsError('ValidationException', `Alias name ${AliasName} must be alias/ and letters, digits, / _ -`);
    }
    if (AliasName.startsWith('alias/aws/')) {
      throw new KmsError('NotAuthorizedException', 'The prefix alias/aws/ is reserved for AWS managed keys');
    }
    const aliasArn = kmsArn(caller, AliasName);
    allow(caller, 'CreateAlias', aliasArn, this.#keys.mayWithoutKey(caller, 'CreateAlias', aliasArn));
    const key = this.#own(caller, TargetKeyId, 'CreateAlias');
    if (key.state === 'PendingDeletion') throw invalidState(key);
    if (this.#keys.createAlias(AliasName, key) === undefined) {
      throw new KmsError('AlreadyExistsException', `An alias with the name ${aliasArn} already exists`);
    }
    return {};
  }

  #describeKey(caller: Caller, input: unknown): Record<string, unknown> {
    return { KeyMetadata: metadata(this.#allowed(caller, read(keyIdInput, input).KeyId, 'DescribeKey')) };
  }

  #listAliases(caller: Caller, input: unknown): Record<string, unknown> {
    const { KeyId } = read(z.object({ KeyId: z.string().optional() }), input);
    allow(caller, 'ListAliases', '*', this.#keys.mayWithoutKey(caller, 'ListAliases'));
    const keyId = KeyId === undefined ? undefined : this.#ofCaller(caller, KeyId).keyId;
    const wanted = this.#keys.aliases(caller).filter((alias) => keyId === undefined || alias.keyId === keyId);
    const { items, rest } = page(wanted, (alias) => alias.name, read(pageInput, input));
    return { Aliases: items.map(aliasEntry), ...rest };
  }

  #listKeys(caller: Caller, input: unknown): Record<string, unknown> {
    allow(caller, 'ListKeys', '*', this.#keys.mayWithoutKey(caller, 'ListKeys'));
    const { items, rest } = page(this.#keys.keys(caller), (key) => key.keyId, read(pageInput, input));
    return { Keys: items.map((key) => ({ KeyId: key.keyId, KeyArn: key.arn })), ...rest };
  }

  #setEnabled(caller: Caller, input: unknown, enabled: boolean): Record<string, unknown> {
    const operation = enabled ? 'EnableKey' : 'DisableKey';
    const key = this.#changeable(caller, read(keyIdInput, input).KeyId, operation);
    if (key.state === 'PendingDeletion') throw invalidState(key);
    if (enabled) this.#keys.enable(key);
    else this.#keys.disable(key);
    return {};
  }

  #scheduleDeletion(caller: Caller, input: unknown): Record<string, unknown> {
    const { KeyId, PendingWindowInDays } = read(
      // https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html
      keyIdInput.extend({ PendingWindowInDays: z.int().min(7).max(30).default(30) }),
      input,
    );
    const key = this.#changeable(caller, KeyId, 'ScheduleKeyDeletion');
    if (key.state === 'PendingDeletion') throw invalidState(key);
    this.#keys.scheduleDeletion(key, PendingWindowInDays);
    return {
      KeyId: key.arn,
      DeletionDate: seconds(key.deletionAt),
      KeyState: key.state,
      PendingWindowInDays,
    };
  }

  #cancelDeletion(caller: Caller, input: unknown): Record<string, unknown> {
    const key = this.#changeable(caller, read(keyIdInput, input).KeyId, 'CancelKeyDeletion');
    if (key.state !== 'PendingDeletion') throw invalidState(key);
    this.#keys.cancelDeletion(key);
    return { KeyId: key.arn };
  }

  #putPolicy(caller: Caller, input: unknown): Record<string, unknown> {
    const { KeyId, Policy } = read(
      keyIdInput.extend({ Policy: z.string().min(1).max(131072), PolicyName: z.literal('default').optional() }),
      input,
    );
    const key = this.#changeable(caller, KeyId, 'PutKeyPolicy');
    withPolicy(() => this.#keys.putPolicy(key, Policy));
    return {};
  }

  #getPolicy(caller: Caller, input: unknown): Record<string, unknown> {
    const { KeyId } = read(keyIdInput.extend({ PolicyName: z.literal('default').optional() }), input);
    return { Policy: this.#own(caller, KeyId, 'GetKeyPolicy').policy, PolicyName: 'default' };
  }

  #createGrant(caller: Caller, input: unknown): Record<string, unknown> {
    const { KeyId, ...wanted } = read(grantInput, input);
    const key = this.#allowed(caller, KeyId, 'CreateGrant', wanted.Constraints?.EncryptionContextSubset);
    // https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
    if (key.state === 'Disabled') throw new KmsError('DisabledException', `${key.arn} is disabled.`);
    if (key.state !== 'Enabled') throw invalidState(key);
    const { grantId } = this.#keys.createGrant(key, {
      name: wanted.Name,
      granteePrincipal: wanted.GranteePrincipal,
      retiringPrincipal: wanted.RetiringPrincipal,
      operations: wanted.Operations,
      constraints: wanted.Constraints,
      issuer: caller.account,
    });
    return { GrantId: grantId, GrantToken: grantId };
  }

  /** https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html */
  #listGrants(caller: Caller, input: unknown): Record<string, unknown> {
    const { KeyId, GrantId, GranteePrincipal } = read(
      keyIdInput.extend({ GrantId: z.string().optional(), GranteePrincipal: z.string().optional() }),
      input,
    );
    const key = this.#allowed(caller, KeyId, 'ListGrants');
    const wanted = key.grants.filter(
      ({ grantId, granteePrincipal }) =>
        (GrantId ?? grantId) === grantId && (GranteePrincipal ?? granteePrincipal) === granteePrincipal,
    );
    const { items, rest } = page(wanted, (grant) => grant.grantId, read(pageInput, input));
    return { Grants: items.map((grant) => grantEntry(key, grant)), ...rest };
  }

  #revokeGrant(caller: Caller, input: unknown): Record<string, unknown> {
    const { KeyId, GrantId } = read(keyIdInput.extend({ GrantId: z.string().min(1) }), input);
    const key = this.#allowed(caller, KeyId, 'RevokeGrant');
    const grant = key.grants.find(({ grantId }) => grantId === GrantId);
    if (grant === undefined) throw new KmsError('NotFoundException', `Grant ${GrantId} is not found.`);
    this.#keys.revokeGrant(key, grant);
    return {};
  }

  /** The key, if the caller may do that with it. @throws {KmsError} if not, and if there is none */
  #allowed(
    caller: Caller,
    name: string,
    operation: string,
    encryptionContext?: Readonly<Record<string, string>>,
  ): KmsKey {
    const key = this.#keys.find(caller, name);
    if (key === undefined) throw notFound(caller, name);
    const alias = TAKES_ALIAS.has(operation) ? /(?:^|:)(alias\/.+)$/.exec(name)?.[1] : undefined;
    const request = {
      operation,
      ...(alias !== undefined && { alias }),
      ...(encryptionContext !== undefined && { encryptionContext }),
    };
    allow(caller, operation, key.arn, this.#keys.may(caller, key, request));
    return key;
  }

  /** The same for what works in the key's own account only: https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html */
  #own(caller: Caller, name: string, operation: string): KmsKey {
    const key = this.#ofCaller(caller, name);
    return this.#allowed(caller, key.arn, operation);
  }

  #ofCaller(caller: Caller, name: string): KmsKey {
    const key = this.#keys.find(caller, name);
    if (key === undefined) throw notFound(caller, name);
    if (key.account !== caller.account) {
      throw new KmsError('AccessDeniedException', `${key.arn} belongs to another account`);
    }
    return key;
  }

  #changeable(caller: Caller, name: string, operation: string): KmsKey {
    const key = this.#ofCaller(caller, name);
    // "You cannot change any properties of AWS managed keys":
    // https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-cmk
    if (key.manager === 'AWS') {
      throw new KmsError('UnsupportedOperationException', `${key.arn} is an AWS managed key and cannot be changed`);
    }
    return this.#own(caller, name, operation);
  }
}

/** Which of the actions here may name the key by an alias, and so have the condition key kms:RequestAlias. */
const TAKES_ALIAS = new Set(['DescribeKey']);

/** @throws {KmsError} */
function allow(caller: Caller, operation: string, resource: string, verdict: Verdict): void {
  if (verdict.allowed) return;
  const call = { action: `kms:${operation}`, resource };
  throw new KmsError('AccessDeniedException', refusalText(principalOf(caller), call, verdict));
}

function metadata(key: KmsKey): Record<string, unknown> {
  return {
    AWSAccountId: key.account,
    KeyId: key.keyId,
    Arn: key.arn,
    CreationDate: seconds(key.createdAt),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: key.state,
    ...(key.deletionAt === undefined ? {} : { DeletionDate: seconds(key.deletionAt) }),
    Origin: 'AWS_KMS',
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    ...(isSymmetric(key) ? { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] } : {}),
    MultiRegion: false,
  };
}

function aliasEntry(alias: KmsAlias): Record<string, unknown> {
  return {
    AliasName: alias.name,
    AliasArn: alias.arn,
    TargetKeyId: alias.keyId,
    CreationDate: seconds(alias.createdAt),
    LastUpdatedDate: seconds(alias.createdAt),
  };
}

function grantEntry(key: KmsKey, grant: KmsGrant): Record<string, unknown> {
  return {
    KeyId: key.arn,
    GrantId: grant.grantId,
    Name: grant.name,
    CreationDate: seconds(grant.createdAt),
    GranteePrincipal: grant.granteePrincipal,
    RetiringPrincipal: grant.retiringPrincipal,
    IssuingAccount: `arn:aws:iam::${grant.issuer}:root`,
    Operations: grant.operations,
    Constraints: grant.constraints,
  };
}

function page<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { Limit, Marker }: z.output<typeof pageInput>,
): { items: readonly T[]; rest: Record<string, unknown> } {
  const start = Marker === undefined ? 0 : items.findIndex((item) => nameOf(item) === Marker) + 1;
  if (Marker !== undefined && start === 0) throw new KmsError('InvalidMarkerException', 'Marker is not valid');
  const chosen = items.slice(start, start + Limit);
  const last = chosen.at(-1);
  const truncated = start + chosen.length < items.length && last !== undefined;
  return {
    items: chosen,
    rest: truncated ? { Truncated: true, NextMarker: nameOf(last) } : { Truncated: false },
  };
}

function read<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new KmsError('ValidationException', z.prettifyError(parsed.error));
  return parsed.data;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw new KmsError('SerializationException', 'The body is not JSON');
  }
}

/** @throws {KmsError} if what it does is refused because of the policy */
function withPolicy<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof PolicyError) throw new KmsError('MalformedPolicyDocumentException', error.message);
    throw error;
  }
}

function notFound(caller: Caller, name: string): KmsError {
  if (name.startsWith('alias/')) {
    return new KmsError('NotFoundException', `Alias ${kmsArn(caller, name)} is not found.`);
  }
  const arn = name.startsWith('arn:') ? name : kmsArn(caller, `key/${name}`);
  return new KmsError('NotFoundException', `Key '${arn}' does not exist`);
}

function invalidState(key: KmsKey): KmsError {
  const words = key.state === 'PendingDeletion' ? 'pending deletion' : key.state.toLowerCase();
  return new KmsError('KMSInvalidStateException', `${key.arn} is ${words}.`);
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function answer(status: number, body: Record<string, unknown>): KmsAnswer {
  return { status, body: JSON.stringify(body), headers: { 'Content-Type': 'application/x-amz-json-1.1' } };
}
