import { describe, expect, it } from 'vitest';
import {
  askKeyPolicy,
  deletedPrincipals,
  type KeyPolicy,
  type KeyUser,
  parseKeyPolicy,
} from '../../../core/doctor/key-policy.ts';
import { HOME, KEY_ARN, PARTNER, ROLE, ROOT_POLICY } from './examples.ts';

const VIA = 'ec2.eu-central-1.amazonaws.com';
const USER: KeyUser = { roleArn: ROLE, account: HOME, keyArn: KEY_ARN, viaService: [VIA] };
const ALLOW = { Effect: 'Allow', Principal: { AWS: ROLE }, Action: 'kms:*', Resource: '*' };

function policy(...statements: readonly object[]): KeyPolicy {
  const read = parseKeyPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
  if (read === undefined) throw new Error('not a policy');
  return read;
}

function answer(statements: readonly object[], action = 'kms:Decrypt', user = USER): string {
  return askKeyPolicy(policy(...statements), action, user).answer;
}

function withCondition(condition: object, action = 'kms:Decrypt', user = USER): string {
  return answer([{ ...ALLOW, Condition: condition }], action, user);
}

describe('whom a statement means', () => {
  it.each([
    ['the role', { AWS: ROLE }, 'allowed'],
    ['the role among others', { AWS: ['arn:aws:iam::444455556666:role/other', ROLE] }, 'allowed'],
    ['everybody', '*', 'allowed'],
    ['everybody of AWS', { AWS: '*' }, 'allowed'],
    ['the account, which leaves it to IAM', { AWS: `arn:aws:iam::${HOME}:root` }, 'leftToIam'],
    ['the account by its number', { AWS: HOME }, 'leftToIam'],
    ['the account in another partition', { AWS: `arn:aws-cn:iam::${HOME}:root` }, 'leftToIam'],
    ['another account', { AWS: `arn:aws:iam::${PARTNER}:root` }, 'silent'],
    ['another role, whose name begins alike', { AWS: `${ROLE}-2` }, 'silent'],
    ['a service', { Service: 'ec2.amazonaws.com' }, 'silent'],
    [
      'a session of the role',
      // Without the path of the role.
      { AWS: `arn:aws:sts::${HOME}:assumed-role/${ROLE.split('/').at(-1)}/x` },
      'undecided',
    ],
  ])('%s', (_, Principal, expected) => {
    expect(answer([{ ...ALLOW, Principal }])).toBe(expected);
  });

  it('is not known where it is said who is not meant', () => {
    const { Principal: _, ...rest } = ALLOW;
    expect(answer([{ ...rest, Effect: 'Deny', NotPrincipal: { AWS: ROLE } }, ALLOW])).toBe('undecided');
  });

  it('is each role of an account that is denied', () => {
    expect(answer([ALLOW, { ...ALLOW, Effect: 'Deny', Principal: { AWS: HOME } }])).toBe('denied');
  });
});

describe('what a statement is about', () => {
  it.each([
    ['kms:Decrypt', 'allowed'],
    ['KMS:decrypt', 'allowed'],
    ['kms:*', 'allowed'],
    ['*', 'allowed'],
    ['kms:D?crypt', 'allowed'],
    [['kms:Encrypt', 'kms:Dec*'], 'allowed'],
    ['kms:Encrypt', 'silent'],
    ['kms:Decrypt.', 'silent'],
  ])('action %s', (Action, expected) => {
    expect(answer([{ ...ALLOW, Action }])).toBe(expected);
  });

  it('all actions but those of NotAction', () => {
    const { Action: _, ...rest } = ALLOW;
    expect(answer([{ ...rest, NotAction: 'kms:Decrypt' }])).toBe('silent');
    expect(answer([{ ...rest, NotAction: ['kms:Encrypt'] }])).toBe('allowed');
  });

  it.each([
    [KEY_ARN, 'allowed'],
    [KEY_ARN.replace(/1234abcd.*/, '*'), 'allowed'],
    ['arn:aws:kms:eu-central-1:444455556666:key/another', 'silent'],
  ])('resource %s', (Resource, expected) => {
    expect(answer([{ ...ALLOW, Resource }])).toBe(expected);
  });

  it('is not known where it is said what is not meant', () => {
    const { Resource: _, ...rest } = ALLOW;
    expect(answer([{ ...rest, NotResource: 'x' }])).toBe('undecided');
  });
});

describe('what decides', () => {
  it('is a denial, whatever else allows, and it is named', () => {
    const deny = { ...ALLOW, Sid: 'NoDecrypt', Effect: 'Deny', Action: 'kms:Decrypt' };
    expect(askKeyPolicy(policy(ALLOW, deny), 'kms:Decrypt', USER)).toEqual({
      answer: 'denied',
      because: ['statement NoDecrypt'],
    });
    expect(answer([ALLOW, deny], 'kms:CreateGrant')).toBe('allowed');
  });

  it('is a statement without doubt, beside one with doubt', () => {
    const doubtful = { ...ALLOW, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-1234567890' } } };
    expect(answer([doubtful, ALLOW])).toBe('allowed');
    expect(askKeyPolicy(policy(doubtful), 'kms:Decrypt', USER)).toEqual({
      answer: 'undecided',
      because: ['statement 1 (its condition aws:PrincipalOrgID)'],
    });
    expect(answer([ALLOW, { ...doubtful, Effect: 'Deny' }])).toBe('undecided');
  });

  it('the role itself, if the account is named as well', () => {
    expect(answer([...JSON.parse(ROOT_POLICY).Statement, ALLOW])).toBe('allowed');
  });
});

describe('conditions', () => {
  it.each([
    [{ StringEquals: { 'kms:ViaService': VIA } }, 'allowed'],
    [{ StringEquals: { 'KMS:viaservice': ['ec2.us-east-1.amazonaws.com', VIA] } }, 'allowed'],
    [{ StringEquals: { 'kms:ViaService': 'rds.eu-central-1.amazonaws.com' } }, 'silent'],
    [{ StringNotEquals: { 'kms:ViaService': VIA } }, 'silent'],
    [{ StringLike: { 'kms:ViaService': 'ec2.*.amazonaws.com' } }, 'allowed'],
    [{ StringNotLike: { 'kms:ViaService': 'ec2.*' } }, 'silent'],
    [{ StringEqualsIgnoreCase: { 'kms:ViaService': VIA.toUpperCase() } }, 'allowed'],
    [{ StringNotEqualsIgnoreCase: { 'kms:ViaService': VIA.toUpperCase() } }, 'silent'],
    [{ StringEquals: { 'kms:CallerAccount': HOME, 'kms:ViaService': VIA } }, 'allowed'],
    [{ StringEquals: { 'kms:CallerAccount': PARTNER, 'aws:PrincipalOrgID': 'o-1' } }, 'silent'],
    [
      { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/snapshot-copier/ebs-snapshot-copier-prod/*' } },
      'allowed',
    ],
    [{ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/admin' } }, 'silent'],
    [{ ArnNotEquals: { 'aws:PrincipalArn': ROLE } }, 'silent'],
    [{ ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/admin' } }, 'allowed'],
    [{ Bool: { 'aws:SecureTransport': false } }, 'silent'],
    [{ Bool: { 'aws:SecureTransport': 'TRUE' } }, 'allowed'],
    [{ NumericEquals: { 'aws:MultiFactorAuthAge': 1 } }, 'undecided'],
    [{ 'ForAnyValue:StringEquals': { 'kms:ViaService': VIA } }, 'undecided'],
    [{ StringEquals: { 'aws:PrincipalAccount': `\${aws:ResourceAccount}` } }, 'undecided'],
  ])('%j', (condition, expected) => {
    expect(withCondition(condition)).toBe(expected);
  });

  it('GrantIsForAWSResource is known of CreateGrant, and no other action has it', () => {
    const condition = { Bool: { 'kms:GrantIsForAWSResource': 'true' } };
    expect(withCondition(condition, 'kms:CreateGrant')).toBe('allowed');
    expect(withCondition(condition, 'kms:Decrypt')).toBe('silent');
    expect(withCondition({ BoolIfExists: { 'kms:GrantIsForAWSResource': 'true' } })).toBe('allowed');
    expect(withCondition({ StringNotEquals: { 'kms:GrantIsForAWSResource': 'true' } })).toBe('allowed');
  });

  it('are in doubt, if a request may come through either of two services and only one of them is meant', () => {
    const user = { ...USER, viaService: ['ec2.eu-west-1.amazonaws.com', VIA] };
    expect(withCondition({ StringEquals: { 'kms:ViaService': VIA } }, 'kms:Decrypt', user)).toBe('undecided');
    expect(withCondition({ StringNotEquals: { 'kms:ViaService': VIA } }, 'kms:Decrypt', user)).toBe('undecided');
    expect(withCondition({ StringLike: { 'kms:ViaService': 'ec2.*' } }, 'kms:Decrypt', user)).toBe('allowed');
    expect(withCondition({ StringLike: { 'kms:ViaService': 'rds.*' } }, 'kms:Decrypt', user)).toBe('silent');
  });
});

describe('reading', () => {
  it('takes a single statement for a list of one', () => {
    expect(parseKeyPolicy(JSON.stringify({ Statement: ALLOW }))?.Statement).toHaveLength(1);
  });

  it.each(['', '{}', '{"Statement":[{"Effect":"Perhaps"}]}', '{"Statement":'])('understands no %s', (text) => {
    expect(parseKeyPolicy(text)).toBeUndefined();
  });

  it('finds what is left of principals that were deleted', () => {
    const named = policy(
      { ...ALLOW, Principal: { AWS: ['AROAEXAMPLE12345', ROLE, 'AIDAEXAMPLE54321'] } },
      { ...ALLOW, Principal: { AWS: 'AROAEXAMPLE12345' } },
      { ...ALLOW, Principal: '*' },
      { ...ALLOW, Principal: { Service: 'ec2.amazonaws.com' } },
    );
    expect(deletedPrincipals(named)).toEqual(['AROAEXAMPLE12345', 'AIDAEXAMPLE54321']);
  });
});
