import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyStore } from '../../sandbox/kms/key-store.ts';
import { KmsService } from '../../sandbox/kms/kms-service.ts';
import { asText, awsCli, awsCliInstalled } from '../support/aws-cli.ts';
import { serveAws } from '../support/aws-http.ts';
import { type ManualClock, manualClock } from '../support/manual-clock.ts';

const OWNER = '111122223333';
const OTHER = '444455556666';
const REGION = 'eu-central-1';
const DAY_MS = 86_400_000;

let clock: ManualClock;
let keys: KeyStore;
let kms: KmsService;
beforeEach(() => {
  clock = manualClock();
  keys = new KeyStore({ clock });
  kms = new KmsService({ keys });
});

function call(action: string, input: object = {}, account = OWNER, region = REGION) {
  const { status, body } = kms.handle({
    account,
    region,
    target: `TrentService.${action}`,
    body: JSON.stringify(input),
  });
  return { status, ...JSON.parse(body) };
}

const own = { account: OWNER, region: REGION };

describe('a key', () => {
  it('is found by its id, ARN, alias and alias ARN, in its Region', () => {
    const key = keys.create(own);
    keys.createAlias('alias/dr', key);
    const names = [key.keyId, key.arn, 'alias/dr', `arn:aws:kms:${REGION}:${OWNER}:alias/dr`];
    for (const name of names) {
      expect(keys.find(own, name)).toBe(key);
      expect(keys.find({ ...own, region: 'eu-west-1' }, name)).toBeUndefined();
    }
    expect(names.map((name) => keys.find({ ...own, account: OTHER }, name) === key)).toEqual([
      false,
      true,
      false,
      true,
    ]);
  });

  it('is usable if it is enabled, symmetric and lets the account in', () => {
    const problem = (key: { arn: string }, account = OWNER) => {
      const found = keys.usableByEc2({ ...own, account }, key.arn, 'snap-1');
      return 'problem' in found ? found.problem : 'none';
    };
    const key = keys.create({ ...own, usableBy: [OTHER] });
    expect([problem(key), problem(key, OTHER), problem(key, '999999999999')]).toEqual(['none', 'none', 'hidden']);
    expect(problem(keys.create({ ...own, keySpec: 'ECC_NIST_P256', keyUsage: 'SIGN_VERIFY' }))).toBe('asymmetric');
    keys.disable(key);
    expect(problem(key)).toBe('disabled');
    keys.scheduleDeletion(key, 7);
    clock.advance(7 * DAY_MS - 1);
    expect(problem(key)).toBe('disabled');
    clock.advance(1);
    expect(problem(key)).toBe('not-found');
  });

  it('that AWS manages is made once per account and Region, and is nobody else’s', () => {
    const managed = keys.ebsManagedKey(own);
    expect(keys.find(own, 'alias/aws/ebs')).toBe(managed);
    expect(keys.ebsManagedKey({ ...own, account: OTHER })).not.toBe(managed);
    expect(keys.usableByEc2({ ...own, account: OTHER }, managed.arn, 'snap-1')).toEqual({ problem: 'hidden' });
    expect(call('DisableKey', { KeyId: managed.arn }).__type).toBe('UnsupportedOperationException');
  });
});

describe('the KMS protocol', () => {
  it('makes and describes a key', () => {
    const made = call('CreateKey', { Description: 'copies' });
    expect(made).toEqual({
      status: 200,
      KeyMetadata: {
        AWSAccountId: OWNER,
        KeyId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        Arn: expect.stringMatching(/^arn:aws:kms:eu-central-1:111122223333:key\//),
        CreationDate: 1772424000,
        Enabled: true,
        Description: 'copies',
        KeyUsage: 'ENCRYPT_DECRYPT',
        KeyState: 'Enabled',
        Origin: 'AWS_KMS',
        KeyManager: 'CUSTOMER',
        CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
        KeySpec: 'SYMMETRIC_DEFAULT',
        EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
        MultiRegion: false,
      },
    });
    expect(call('DescribeKey', { KeyId: made.KeyMetadata.Arn })).toEqual(made);
  });

  it('disables, enables, schedules the deletion of a key and takes that back', () => {
    const { keyId, arn } = keys.create(own);
    const state = () => call('DescribeKey', { KeyId: keyId }).KeyMetadata.KeyState;
    call('DisableKey', { KeyId: keyId });
    expect(state()).toBe('Disabled');
    call('EnableKey', { KeyId: keyId });
    expect(state()).toBe('Enabled');
    expect(call('ScheduleKeyDeletion', { KeyId: keyId, PendingWindowInDays: 7 })).toMatchObject({
      KeyId: arn,
      DeletionDate: 1772424000 + 7 * 86_400,
    });
    expect(call('EnableKey', { KeyId: keyId })).toMatchObject({ status: 400, __type: 'KMSInvalidStateException' });
    call('CancelKeyDeletion', { KeyId: keyId });
    expect(state()).toBe('Disabled');
    clock.advance(8 * DAY_MS);
    expect(state()).toBe('Disabled');
  });

  it('keeps a policy, and lets in the accounts that it names', () => {
    const { keyId, arn } = keys.create(own);
    expect(call('DescribeKey', { KeyId: arn }, OTHER).__type).toBe('AccessDeniedException');
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${OWNER}:root` }, Action: 'kms:*', Resource: '*' },
        {
          Effect: 'Allow',
          Principal: { AWS: [`arn:aws:iam::${OTHER}:role/copier`] },
          Action: 'kms:CreateGrant',
          Resource: '*',
        },
        { Effect: 'Allow', Principal: { AWS: OTHER }, Action: 'kms:DescribeKey', Resource: '*' },
      ],
    });
    expect(call('PutKeyPolicy', { KeyId: keyId, Policy: '{}' }).__type).toBe('MalformedPolicyDocumentException');
    expect(call('PutKeyPolicy', { KeyId: keyId, Policy }).status).toBe(200);
    expect(call('GetKeyPolicy', { KeyId: keyId })).toMatchObject({ Policy, PolicyName: 'default' });
    expect(call('DescribeKey', { KeyId: arn }, OTHER).status).toBe(200);
    expect(call('DisableKey', { KeyId: arn }, OTHER).__type).toBe('AccessDeniedException');
  });

  it('lets in the grantee of a grant, for its operations, until the grant is revoked', () => {
    const { keyId, arn } = keys.create(own);
    const see = () => call('DescribeKey', { KeyId: arn }, OTHER).__type ?? 'seen';
    const grant = {
      KeyId: keyId,
      Name: 'for the other account',
      GranteePrincipal: `arn:aws:iam::${OTHER}:root`,
      Operations: ['DescribeKey', 'Decrypt'],
    };
    expect(call('ListGrants', { KeyId: keyId })).toEqual({ status: 200, Grants: [], Truncated: false });
    expect(see()).toBe('AccessDeniedException');
    const { GrantId } = call('CreateGrant', grant);
    expect(see()).toBe('seen');
    expect(keys.usableByEc2({ ...own, account: OTHER }, arn, 'snap-1')).toEqual({ problem: 'no-access' });
    expect(call('CreateGrant', grant, OTHER).__type).toBe('NotFoundException');
    expect(call('CreateGrant', { ...grant, KeyId: arn }, OTHER).__type).toBe('AccessDeniedException');
    const shown = {
      ...grant,
      KeyId: arn,
      GrantId,
      CreationDate: 1772424000,
      IssuingAccount: `arn:aws:iam::${OWNER}:root`,
    };
    expect(call('ListGrants', { KeyId: arn }).Grants).toEqual([shown]);
    expect(call('ListGrants', { KeyId: keyId, GranteePrincipal: 'someone else' }).Grants).toEqual([]);
    expect(call('RevokeGrant', { KeyId: keyId, GrantId }).status).toBe(200);
    expect(see()).toBe('AccessDeniedException');
    expect(call('RevokeGrant', { KeyId: keyId, GrantId }).__type).toBe('NotFoundException');
    call('DisableKey', { KeyId: keyId });
    expect(call('CreateGrant', grant).__type).toBe('DisabledException');
  });

  it('says to a role what it may not do, and why', () => {
    const { arn } = keys.create(own);
    const answer = kms.handle({
      ...own,
      principal: {
        account: OWNER,
        arn: `arn:aws:sts::${OWNER}:assumed-role/looker/session`,
        roleArn: `arn:aws:iam::${OWNER}:role/looker`,
      },
      target: 'TrentService.DescribeKey',
      body: JSON.stringify({ KeyId: arn }),
    });
    expect(JSON.parse(answer.body)).toEqual({
      __type: 'AccessDeniedException',
      message: `User: arn:aws:sts::${OWNER}:assumed-role/looker/session is not authorized to perform: kms:DescribeKey on resource: ${arn} because no identity-based policy allows the kms:DescribeKey action`,
    });
  });

  it('lists keys and aliases in pages', () => {
    const made = [keys.create(own), keys.create(own), keys.create(own)];
    const first = call('ListKeys', { Limit: 2 });
    const second = call('ListKeys', { Limit: 2, Marker: first.NextMarker });
    expect([...first.Keys, ...second.Keys].map(({ KeyArn }) => KeyArn)).toEqual(made.map(({ arn }) => arn));
    expect([first.Truncated, second.Truncated]).toEqual([true, false]);
    call('CreateAlias', { AliasName: 'alias/dr', TargetKeyId: made[1]?.keyId });
    expect(call('ListAliases', { KeyId: made[0]?.keyId }).Aliases).toEqual([]);
    expect(call('ListAliases').Aliases).toMatchObject([{ AliasName: 'alias/dr', TargetKeyId: made[1]?.keyId }]);
  });

  it.each([
    [
      'DescribeKey',
      { KeyId: 'alias/none' },
      'NotFoundException',
      'Alias arn:aws:kms:eu-central-1:111122223333:alias/none is not found.',
    ],
    [
      'DescribeKey',
      { KeyId: 'x' },
      'NotFoundException',
      "Key 'arn:aws:kms:eu-central-1:111122223333:key/x' does not exist",
    ],
    ['DescribeKey', {}, 'ValidationException', /KeyId/],
    ['Encrypt', {}, 'UnknownOperationException', /Encrypt/],
    ['CreateGrant', { KeyId: 'x', GranteePrincipal: 'y', Operations: ['Fly'] }, 'ValidationException', /Operations/],
    ['CreateAlias', { AliasName: 'dr', TargetKeyId: 'x' }, 'ValidationException', /alias\//],
    ['CreateKey', { MultiRegion: true }, 'UnsupportedOperationException', /single-Region/],
  ])('%s %j is %s', (action, input, type, message) => {
    expect(call(action, input)).toMatchObject({ status: 400, __type: type, message: expect.stringMatching(message) });
  });

  it('gives an alias once', () => {
    const { keyId } = keys.create(own);
    const alias = { AliasName: 'alias/dr', TargetKeyId: keyId };
    expect(call('CreateAlias', alias).status).toBe(200);
    expect(call('CreateAlias', alias).__type).toBe('AlreadyExistsException');
  });
});

describe.skipIf(!awsCliInstalled())('the aws command line', () => {
  let server: Awaited<ReturnType<typeof serveAws>>;
  beforeEach(async () => {
    server = await serveAws((signed) => kms.handle(signed));
  });
  afterEach(() => server.close());

  it('makes a key, names it, disables it and sees that', { timeout: 60_000 }, async () => {
    const aws = awsCli(OWNER, server.url);
    const keyId = await asText(aws(`kms create-key --region ${REGION} --query KeyMetadata.KeyId`));
    await aws(`kms create-alias --region ${REGION} --alias-name alias/dr --target-key-id ${keyId}`);
    await aws(`kms disable-key --region ${REGION} --key-id ${keyId}`);
    expect(await aws(`kms describe-key --region ${REGION} --key-id alias/dr`)).toMatchObject({
      KeyMetadata: { KeyId: keyId, KeyState: 'Disabled', CreationDate: expect.anything() },
    });
  });
});
