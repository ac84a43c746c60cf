import { describe, expect, it } from 'vitest';
import type { KeyMetadata } from '../../core/doctor/key.ts';
import type { KeyEvidence, KeySeen } from '../../core/key-evidence.ts';
import { judgeKey } from '../../core/key-evidence.ts';
import { keyOfCopy, keyOfSource } from '../../core/keys-of-copy.ts';
import { KEY_ACTIONS } from '../support/key-actions.ts';
import { failed, INSTALL, REQUEST } from './alert-examples.ts';

const OWNER = '111122223333';
const HOME = INSTALL.account;
const SOURCE_KEY = `arn:aws:kms:eu-west-1:${OWNER}:key/1111aaaa-22bb-33cc-44dd-5555eeee6666`;
const COPY_KEY = `arn:aws:kms:eu-central-1:${HOME}:key/9999aaaa-22bb-33cc-44dd-5555eeee6666`;

function metadata(over: Partial<KeyMetadata> = {}): { readonly value: KeyMetadata } {
  const value: KeyMetadata = {
    keyId: SOURCE_KEY.replace(/^.*\//, ''),
    arn: SOURCE_KEY,
    account: OWNER,
    manager: 'CUSTOMER',
    state: 'Enabled',
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
  };
  return { value: { ...value, ...over } };
}

const allow = (Action: readonly string[], more: object = {}) => ({
  Effect: 'Allow',
  Principal: { AWS: `arn:aws:iam::${HOME}:root` },
  Action,
  Resource: '*',
  ...more,
});

const policy = (...Statement: readonly object[]) => ({ value: JSON.stringify({ Statement }) });

/** What the companion of the owner sees of a key that is fine, if nothing else is said. */
function judge(over: Partial<KeySeen> = {}, mayRead = true): KeyEvidence {
  const key = keyOfSource(failed(), INSTALL);
  if (key === undefined) throw new Error('The example has no key.');
  const seen = {
    as: 'companion',
    metadata: metadata(),
    policy: policy(allow(KEY_ACTIONS)),
    grants: { value: [] },
  } as const;
  return judgeKey(key, { ...seen, ...over }, INSTALL, mayRead);
}

const without = (action: string) => policy(allow(KEY_ACTIONS.filter((each) => each !== action)));

describe('a key that was looked at', () => {
  it('is fine if it is enabled and its policy gives all, or a grant the rest', () => {
    const fine = { problems: [], arn: SOURCE_KEY, isUsable: true };
    expect(judge()).toEqual(fine);
    const grant = { grantee: INSTALL.roleArn, operations: ['CreateGrant'], isConstrained: false };
    expect(judge({ policy: without('kms:CreateGrant'), grants: { value: [grant] } })).toEqual(fine);
  });

  it.each(KEY_ACTIONS)('lacks what neither its policy nor a grant gives: %s', (action) => {
    const { problems } = judge({ policy: without(action) });
    expect(problems).toEqual([{ is: 'lacks', actions: [action], grantsSeen: true }]);
  });

  it('lacks it as far as its policy goes, if the grants cannot be seen', () => {
    const lacks = [{ is: 'lacks', actions: ['kms:Decrypt'], grantsSeen: false }];
    expect(judge({ policy: without('kms:Decrypt'), grants: { unknown: 'refused' } }).problems).toEqual(lacks);
  });

  it('is judged by its policy alone, if KMS does not describe it to whoever looks', () => {
    const refused = { unknown: 'AccessDeniedException: because no resource-based policy allows it' };
    const evidence = judge({ metadata: refused, policy: without('kms:DescribeKey') });
    expect(evidence).toEqual({
      problems: [{ is: 'lacks', actions: ['kms:DescribeKey'], grantsSeen: true }],
      unseen: refused.unknown,
      arn: SOURCE_KEY,
      isUsable: false,
    });
  });

  it('denies what a statement of its policy denies', () => {
    const deny = allow(['kms:CreateGrant'], { Sid: 'NoGrants', Effect: 'Deny', Principal: '*' });
    expect(judge({ policy: policy(allow(KEY_ACTIONS), deny) }).problems).toEqual([
      { is: 'denies', actions: ['kms:CreateGrant'], because: ['statement NoGrants'] },
    ]);
  });

  it('is not judged by what is not known of the request of EC2', () => {
    const Condition = { StringEquals: { 'kms:EncryptionContext:aws:ebs:id': 'vol-1' } };
    expect(judge({ policy: policy(allow(KEY_ACTIONS, { Sid: 'One', Condition })) })).toMatchObject({
      problems: [],
      unseen: expect.stringMatching(
        /^it could not be decided whether its policy allows .*kms:Decrypt.*: statement One/,
      ),
    });
    expect(judge({ policy: { value: 'no JSON' } }).unseen).toContain('not understood');
    expect(judge({ policy: { unknown: 'KMS is in trouble' } }).unseen).toBe('KMS is in trouble');
  });

  it('is gone, or in a state or of a kind that EC2 cannot use, whatever its policy says', () => {
    expect(judge({ metadata: { value: undefined } })).toEqual({
      problems: [{ is: 'gone' }],
      arn: SOURCE_KEY,
      isUsable: false,
    });
    expect(judge({ metadata: metadata({ state: 'PendingDeletion' }) }).problems).toEqual([
      { is: 'unusable', state: 'in state PendingDeletion' },
    ]);
    expect(judge({ metadata: metadata({ spec: 'RSA_2048', usage: 'SIGN_VERIFY' }) })).toMatchObject({
      problems: [{ is: 'unusable', state: 'of a kind that EBS cannot use (RSA_2048, SIGN_VERIFY)' }],
      isUsable: false,
    });
  });

  it('may be one that the role’s own policy does not have, beside all else', () => {
    expect(judge({ policy: without('kms:Decrypt') }, false).problems).toEqual([
      { is: 'lacks', actions: ['kms:Decrypt'], grantsSeen: true },
      { is: 'notOfRole' },
    ]);
  });
});

describe('a key whose policy only its own account can read', () => {
  const theirs = (over: Pick<KeySeen, 'metadata'>) => {
    const key = keyOfSource(failed(), INSTALL);
    if (key === undefined) throw new Error('The example has no key.');
    return judgeKey(key, { as: 'home', ...over }, INSTALL, true);
  };

  it('may lack anything but DescribeKey, if KMS shows it', () => {
    expect(theirs({ metadata: metadata() })).toEqual({
      problems: [],
      unseen: `only account ${OWNER} can read its policy`,
      arn: SOURCE_KEY,
      isUsable: true,
    });
  });

  it('lacks DescribeKey at least, if KMS does not show it because of its policy', () => {
    const unknown =
      'KMS says AccessDeniedException: … because no resource-based policy allows the kms:DescribeKey action';
    expect(theirs({ metadata: { unknown } }).problems).toEqual([{ is: 'hidden' }]);
  });

  it('lacks nothing for all that is known, if it is the companion that KMS does not show it to', () => {
    const unknown =
      'KMS says AccessDeniedException: … because no resource-based policy allows the kms:DescribeKey action';
    const evidence = judge({ metadata: { unknown }, policy: { unknown: 'refused, too' } });
    expect(evidence).toEqual({ problems: [], unseen: unknown, arn: SOURCE_KEY, isUsable: false });
  });

  it('is not known at all, if KMS does not show it for another reason', () => {
    const evidence = theirs({ metadata: { unknown: 'KMS is in trouble' } });
    expect(evidence).toEqual({ problems: [], unseen: 'KMS is in trouble', arn: SOURCE_KEY, isUsable: false });
  });
});

it('aws/ebs of the own account lets everybody in there, whatever its policy looks like', () => {
  const seen: KeySeen = {
    as: 'home',
    metadata: metadata({ arn: COPY_KEY, account: HOME, manager: 'AWS' }),
    policy: policy(),
    grants: { value: [] },
  };
  expect(judgeKey(keyOfCopy(REQUEST, undefined, INSTALL), seen, INSTALL, true)).toEqual({
    problems: [],
    arn: COPY_KEY,
    isUsable: true,
  });
});

it('a key that nobody could look at has no ARN, if only its alias is known, or not even that', () => {
  const seen = { as: 'home', metadata: { unknown: 'KMS is in trouble' } } as const;
  const unknown = { problems: [], unseen: 'KMS is in trouble', isUsable: false };
  const { name: _, ...unnamed } = keyOfCopy(REQUEST, undefined, INSTALL);
  for (const key of [keyOfCopy(REQUEST, undefined, INSTALL), unnamed]) {
    expect(judgeKey(key, seen, INSTALL, true)).toEqual(unknown);
  }
});
