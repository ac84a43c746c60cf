import { describe, expect, it } from 'vitest';
import type { Encryption } from '../../core/destination.ts';
import { isSameKey, keyOfCopy, type RegionKeys } from '../../core/plan-keys.ts';

const HOME = '444455556666';
const ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
const ARN = `arn:aws:kms:eu-central-1:${HOME}:key/${ID}`;
const UNKNOWN = { known: false };
const PLAIN = { encrypted: false };

const all: RegionKeys = {
  encryptsByDefault: false,
  defaultKey: 'alias/aws/ebs',
  aliases: new Map([
    ['alias/aws/ebs', '00000000-0000-4000-8000-000000000000'],
    ['alias/dr-copies', ID],
  ]),
};

function keyOf(encryption: Encryption, keys = all, source = PLAIN) {
  return keyOfCopy(source, { region: 'eu-central-1', encryption }, keys, HOME);
}

describe('the key of a copy', () => {
  it.each([ARN, ID, 'alias/dr-copies', `arn:aws:kms:eu-central-1:${HOME}:alias/dr-copies`])(
    'is known by its ARN, whatever the rule calls it: %s',
    (kmsKey) => {
      expect(keyOf({ kind: 'key', kmsKey })).toEqual({ known: true, arn: ARN });
    },
  );

  it('may be of another account, if the rule names the key itself', () => {
    const arn = ARN.replace(HOME, '111122223333');
    expect(keyOf({ kind: 'key', kmsKey: arn }, {})).toEqual({ known: true, arn });
    expect(keyOf({ kind: 'key', kmsKey: 'arn:aws:kms:eu-central-1:111122223333:alias/dr-copies' })).toEqual(UNKNOWN);
  });

  it('is not known if the alias is not there, could not be looked up, or is no key at all', () => {
    expect(keyOf({ kind: 'key', kmsKey: 'alias/missing' })).toEqual(UNKNOWN);
    expect(keyOf({ kind: 'key', kmsKey: 'alias/dr-copies' }, {})).toEqual(UNKNOWN);
    expect(keyOf({ kind: 'key', kmsKey: 'nonsense' })).toEqual(UNKNOWN);
  });

  it('is the default one of the destination where the rule says so, or the source is encrypted', () => {
    const byDefault = { known: true, arn: `arn:aws:kms:eu-central-1:${HOME}:key/00000000-0000-4000-8000-000000000000` };
    expect(keyOf({ kind: 'account-default' })).toEqual(byDefault);
    expect(keyOf({ kind: 'as-source' }, all, { encrypted: true })).toEqual(byDefault);
    expect(keyOf({ kind: 'as-source' }, { ...all, encryptsByDefault: true })).toEqual(byDefault);
    expect(keyOf({ kind: 'account-default' }, {})).toEqual(UNKNOWN);
  });

  it('is none where a plain snapshot stays plain, and nobody knows where that could not be asked', () => {
    expect(keyOf({ kind: 'as-source' })).toEqual({ known: true });
    expect(keyOf({ kind: 'as-source' }, {})).toEqual(UNKNOWN);
  });

  it('has the partition of its Region', () => {
    const china = { region: 'cn-north-1', encryption: { kind: 'key', kmsKey: ID } } as const;
    expect(keyOfCopy(PLAIN, china, {}, HOME)).toEqual({
      known: true,
      arn: `arn:aws-cn:kms:cn-north-1:${HOME}:key/${ID}`,
    });
  });
});

it('a key that is not known is taken to be the same', () => {
  const key = { known: true, arn: ARN } as const;
  expect(isSameKey(key, { known: true, arn: ARN })).toBe(true);
  expect(isSameKey(key, { known: true })).toBe(false);
  expect(isSameKey({ known: false }, key)).toBe(true);
  expect(isSameKey(key, { known: false })).toBe(true);
});
