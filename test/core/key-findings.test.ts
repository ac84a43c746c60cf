import { describe, expect, it } from 'vitest';
import { failureOf } from '../../core/failure.ts';
import type { EvidenceOnKeys, KeyEvidence, KeyProblem } from '../../core/key-evidence.ts';
import { keysInQuestion, kmsAdvice } from '../../core/kms-advice.ts';
import { KEY_ACTIONS } from '../support/key-actions.ts';
import { ec2Error, failed, givenUp, INSTALL, REQUEST, request, withCompanion } from './alert-examples.ts';

const SOURCE_KEY = 'arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666';
const COPY_KEY = 'arn:aws:kms:eu-central-1:444455556666:key/9999aaaa-22bb-33cc-44dd-5555eeee6666';
const OF_SOURCE = `the key of the source, ${SOURCE_KEY}, in account 111122223333, eu-west-1`;
const OF_COPY = `the key of the copy, alias/dr-copies, which is ${COPY_KEY}, in account 444455556666, eu-central-1`;

const endedInError = failed({ copy: givenUp({ name: 'CopyEndedInError', message: 'Given key ID is not accessible' }) });

const fine = { source: seen(SOURCE_KEY), copy: seen(COPY_KEY) };

function seen(arn: string, ...problems: readonly KeyProblem[]): KeyEvidence {
  return { problems, arn, isUsable: true };
}

function adviceOn(evidence: EvidenceOnKeys, execution = endedInError) {
  const { meaning, steps } = kmsAdvice(execution, failureOf(execution), INSTALL, evidence);
  return { meaning, steps, text: steps.flatMap(({ say, run = [], paste = '' }) => [say, ...run, paste]).join('\n') };
}

const sidsIn = (text: string) => [...text.matchAll(/"Sid": "(\w+)"/g)].map(([, sid]) => sid);

const lacks = (...actions: readonly string[]): KeyProblem => ({ is: 'lacks', actions, grantsSeen: true });

describe('the advice on a key that lacks a permission', () => {
  it('is that one, of that key, and the statement that has it', () => {
    const { meaning, steps, text } = adviceOn({ ...fine, copy: seen(COPY_KEY, lacks('kms:CreateGrant')) });
    expect(meaning).toBe(
      `The policy of ${OF_COPY}, does not let the role ${INSTALL.roleArn} do kms:CreateGrant, and no grant of the key does. So it was found when this alert was written. T${OF_SOURCE.slice(1)}, is enabled and lets the role in.`,
    );
    expect(steps).toHaveLength(1);
    expect(sidsIn(text)).toEqual(['SnapshotCopierGrants']);
    expect(text).toContain('Its policy needs what is below. As an administrator of account 444455556666');
    expect(text).toContain(`--key-id ${COPY_KEY} > key-policy.json`);
  });

  it('is for both keys, if both lack one', () => {
    const { meaning, text } = adviceOn({
      source: seen(SOURCE_KEY, lacks('kms:DescribeKey', 'kms:Decrypt', 'kms:ReEncryptTo')),
      copy: seen(COPY_KEY, lacks('kms:CreateGrant')),
    });
    expect(meaning).toContain(`The policy of ${OF_SOURCE}, does not let`);
    expect(meaning).toContain('do kms:DescribeKey, kms:Decrypt or kms:ReEncryptTo, and no grant');
    expect(meaning).toContain(`The policy of ${OF_COPY}, does not let`);
    expect(sidsIn(text)).toEqual(['SnapshotCopierLook', 'SnapshotCopierUse', 'SnapshotCopierGrants']);
    expect(text).toContain('only account 111122223333 can change it: send it this step.');
  });

  it('says so if nothing is allowed, and if the grants could not be seen', () => {
    const { meaning, text } = adviceOn({
      ...fine,
      source: seen(SOURCE_KEY, { is: 'lacks', actions: KEY_ACTIONS, grantsSeen: false }),
    });
    expect(meaning).toContain('use it at all; whether a grant does could not be seen.');
    expect(text).toContain('Its policy needs the statements below, and only account 111122223333');
    expect(sidsIn(text)).toHaveLength(3);
  });

  it('says what is not known of the other key', () => {
    const copy = { problems: [], unseen: 'KMS is in trouble', isUsable: false };
    const { meaning } = adviceOn({ copy, source: seen(SOURCE_KEY, lacks('kms:Decrypt')) });
    expect(meaning).toContain(
      'The key of the copy, alias/dr-copies, in account 444455556666, eu-central-1, could not be looked at: KMS is in trouble.',
    );
  });

  it('is an update of the companion, if that made the key', () => {
    const prepared = {
      action: 'ready',
      waitSeconds: 0,
      reason: 'visible',
      copyFrom: 'snap-0e1f2a3b4c5d60718',
    } as const;
    const execution = { ...endedInError, request: withCompanion, prepared };
    const arn = 'arn:aws:kms:eu-west-1:111122223333:key/7777aaaa-22bb-33cc-44dd-5555eeee6666';
    for (const problem of [lacks('kms:Decrypt'), { is: 'denies', actions: ['kms:Decrypt'], because: ['x'] } as const]) {
      const { meaning, text } = adviceOn({ ...fine, source: seen(arn, problem) }, execution);
      expect(meaning).toContain('The policy of the key of the intermediate copy, arn:aws:kms:');
      expect(text).toContain('--parameter-overrides Reencrypt=on');
      expect(sidsIn(text)).toEqual([]);
    }
  });
});

describe('the advice on a key with which something else is wrong', () => {
  const onSource = (problem: KeyProblem) => adviceOn({ ...fine, source: seen(SOURCE_KEY, problem) });

  it('is to leave the install out of a statement that denies', () => {
    const because = ['statement NoGrants'];
    const { meaning, text } = onSource({ is: 'denies', actions: ['kms:CreateGrant'], because });
    expect(meaning).toContain(`denies the role ${INSTALL.roleArn} kms:CreateGrant: statement NoGrants.`);
    expect(text).toContain(
      '"ArnNotLike": { "aws:PrincipalArn": "arn:aws:iam::444455556666:role/snapshot-copier/ebs-snapshot-copier-prod/*" }',
    );
  });

  it('is to look whether it is there, and to enable it', () => {
    expect(onSource({ is: 'gone' }).meaning).toContain(`T${OF_SOURCE.slice(1)}, is not there.`);
    const { meaning, text } = onSource({ is: 'unusable', state: 'in state Disabled' });
    expect(meaning).toContain(`T${OF_SOURCE.slice(1)}, is in state Disabled.`);
    expect(text).toContain(`--key-id ${SOURCE_KEY}`);
    expect(text).toContain('aws kms enable-key');
  });

  it('is all statements, if KMS does not even show it; and that this is a sign only', () => {
    const { meaning, text } = onSource({ is: 'hidden' });
    expect(meaning).toContain('That is a sign and no proof, for only account 111122223333 can read the policy.');
    expect(sidsIn(text)).toHaveLength(3);
  });

  it('is the other half of the permission, if the role’s own policy is not for keys of that account', () => {
    const { meaning, text } = onSource({ is: 'notOfRole' });
    expect(meaning).toContain(`use ${OF_SOURCE}: no rule that is deployed names that account.`);
    expect(text).toContain('name account 111122223333 under owners of the rule, and deploy ebs-snapshot-copier-prod.');
    expect(JSON.parse(`[${/\{ "Sid"[\s\S]+$/.exec(text)?.[0]}]`)).toEqual([
      {
        Sid: 'UseKey',
        Effect: 'Allow',
        Resource: SOURCE_KEY,
        Action: [
          'kms:DescribeKey',
          'kms:Decrypt',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
        ],
        Condition: {
          StringEquals: { 'kms:ViaService': ['ec2.eu-west-1.amazonaws.com', 'ec2.eu-central-1.amazonaws.com'] },
        },
      },
      {
        Sid: 'GrantKey',
        Effect: 'Allow',
        Resource: SOURCE_KEY,
        Action: ['kms:CreateGrant'],
        Condition: {
          StringEquals: { 'kms:ViaService': ['ec2.eu-west-1.amazonaws.com', 'ec2.eu-central-1.amazonaws.com'] },
          Bool: { 'kms:GrantIsForAWSResource': 'true' },
        },
      },
    ]);
  });

  it('is for any key of the account, if its ARN is not known', () => {
    const source = { problems: [{ is: 'notOfRole' }], isUsable: false } as const;
    expect(adviceOn({ ...fine, source }).text).toContain('"Resource": "arn:aws:kms:eu-west-1:111122223333:key/*"');
  });
});

describe('the advice when nothing is wrong with the keys', () => {
  it('is the role’s own policy, or an SCP, with the statements for both keys', () => {
    const { meaning, text } = adviceOn(fine);
    expect(meaning).toMatch(/^The policy of the role \S+ itself, or an SCP, does not let it use one of the two keys, /);
    expect(meaning).toContain(`${OF_SOURCE}, and ${OF_COPY}, are enabled and let that role in.`);
    expect(sidsIn(text)).toEqual(['UseKey', 'GrantKey', 'UseKey', 'GrantKey']);
    expect(text).toContain(`"Resource": "${COPY_KEY}"`);
    expect(text).toContain('It comes from the rules: deploy ebs-snapshot-copier-prod.');
  });

  it('is of the one key, if the source is plain', () => {
    const { kmsKeyId: _, ...source } = { ...REQUEST.source, encrypted: false };
    const { meaning } = adviceOn({ copy: fine.copy }, { ...endedInError, request: { ...request({}), source } });
    expect(meaning).toContain(`does not let it use the key, for nothing else is missing: ${OF_COPY}, is enabled`);
  });
});

describe('the advice when the look settles nothing', () => {
  const unseen = 'only account 111122223333 can read its policy';

  it('is what is left, without the key that is fine', () => {
    const source = { problems: [], unseen, arn: SOURCE_KEY, isUsable: true };
    const { meaning, text } = adviceOn({ ...fine, source });
    expect(meaning).toContain(
      `T${OF_SOURCE.slice(1)}, is enabled; what else its policy allows could not be looked at: ${unseen}.`,
    );
    expect(meaning).toContain(`T${OF_COPY.slice(1)}, is enabled and lets the role in.`);
    expect(meaning).toContain(
      "So it is one of these: the policy of the source's key, account 111122223333, eu-west-1, lacks SnapshotCopierUse or SnapshotCopierGrants; kms:CreateGrant is missing on the key of the source, which",
    );
    expect(text.match(/get-key-policy/g)).toHaveLength(1);
    expect(text.match(/simulate-principal-policy/g)).toHaveLength(2);
  });

  it('is all, if only one key was looked at', () => {
    expect(adviceOn({ copy: fine.copy }).meaning).toContain(
      "the policy of the source's key, account 111122223333, eu-west-1, lacks one of the three statements below; kms:CreateGrant",
    );
  });
});

describe('the keys that are worth a look', () => {
  it('are those of a copy that EC2 accepted and could not make for want of one', () => {
    expect(keysInQuestion(endedInError, INSTALL)).toMatchObject([
      { of: 'source', name: SOURCE_KEY },
      { of: 'copy', name: 'alias/dr-copies' },
    ]);
    const copy = {
      ...givenUp({ name: 'CopyEndedInError', message: 'Given key ID is not accessible' }),
      kmsKeyId: COPY_KEY,
    };
    expect(keysInQuestion(failed({ copy }), INSTALL)).toMatchObject([{ of: 'source' }, { of: 'copy', name: COPY_KEY }]);
    const asDefault = request({ destination: { encryption: { kind: 'account-default' } } });
    expect(keysInQuestion({ ...endedInError, request: asDefault }, INSTALL).map(({ name }) => name)).toEqual([
      SOURCE_KEY,
      undefined,
    ]);
  });

  it('are none, if it was refused at once or failed for another reason', () => {
    const refused = failed({ error: ec2Error('AuthFailure', 'Not authorized to use key alias/dr-copies', 403) });
    expect(keysInQuestion(refused, INSTALL)).toEqual([]);
    const other = failed({ copy: givenUp({ name: 'CopyEndedInError', message: 'Internal trouble' }) });
    expect(keysInQuestion(other, INSTALL)).toEqual([]);
  });
});
