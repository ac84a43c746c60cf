import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { CopyRequest } from '../../core/copy-request.ts';
import type { FailedExecution } from '../../core/execution.ts';
import { failureOf } from '../../core/failure.ts';
import { kmsAdvice } from '../../core/kms-advice.ts';
import { ec2Error, failed, givenUp, INSTALL, REQUEST, request, withCompanion } from './alert-examples.ts';

const copy = givenUp({ name: 'CopyEndedInError', message: 'Given key ID is not accessible' });

/** A copy that EC2 accepted and that ended in error, if nothing else is said. */
function adviceOn(over: Partial<FailedExecution> = {}) {
  const execution = failed(over.error === undefined ? { copy, ...over } : over);
  return kmsAdvice(execution, failureOf(execution), INSTALL);
}

function textOf(of: Partial<FailedExecution>): string {
  const { meaning, steps } = adviceOn(of);
  return [meaning, ...steps.flatMap(({ say, run = [], paste = '' }) => [say, ...run, paste])].join('\n');
}

function plainSource(over: Partial<CopyRequest['destination']>): CopyRequest {
  const { kmsKeyId: _, ...source } = { ...REQUEST.source, encrypted: false };
  return { ...request({ destination: over }), source };
}

const SOURCE_KEY = 'arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666';

describe('which key it can be, of a copy that was accepted,', () => {
  it('is that of the source and that of the copy: EC2 does not say which', () => {
    const text = textOf({});
    expect(text).toContain('it does not say which key, nor why');
    expect(text).toContain(
      `The key of the source snap-0a1b2c3d4e5f60718: ${SOURCE_KEY} in account 111122223333, eu-west-1.`,
    );
    expect(text).toContain(
      'The key of the copy, which rule nightly-to-frankfurt names: alias/dr-copies in account 444455556666, eu-central-1.',
    );
    expect(text).toContain(
      "the policy of the source's key, account 111122223333, eu-west-1, lacks one of the three statements below; the policy of the copy's key, account 444455556666, eu-central-1, lacks SnapshotCopierUse or SnapshotCopierGrants; kms:CreateGrant is missing on either of them",
    );
  });

  it('is that of the copy alone, if the source is plain', () => {
    const text = textOf({ request: plainSource({}) });
    expect(text).toContain('it does not say why.');
    expect(text).toContain('kms:CreateGrant is missing on it');
    expect(text).not.toContain('key of the source');
    expect(text).not.toContain("source's key");
  });

  it('has the account and Region of its ARN', () => {
    const kmsKey = 'arn:aws:kms:eu-central-1:777788889999:alias/shared-dr';
    const text = textOf({ request: request({ destination: { encryption: { kind: 'key', kmsKey } } }) });
    expect(text).toContain(`${kmsKey} in account 777788889999, eu-central-1`);
    expect(text).toContain('only account 777788889999 can change it: send it this step');
  });

  it.each([
    [request({ destination: { encryption: { kind: 'account-default' } } }), 'rule nightly-to-frankfurt names no key'],
    [request({ destination: { encryption: { kind: 'as-source' } } }), 'rule nightly-to-frankfurt names no key'],
    [plainSource({ encryption: { kind: 'account-default' } }), 'rule nightly-to-frankfurt names no key'],
    [plainSource({ encryption: { kind: 'as-source' } }), 'the source is plain, so only encryption by default'],
  ])('is the default EBS key of the destination, if the rule names none (%#)', (asked, why) => {
    const text = textOf({ request: asked });
    expect(text).toContain(`The key of the copy is the default EBS key, because ${why}`);
    expect(text).toContain(
      '"$(aws ec2 get-ebs-default-kms-key-id --region eu-central-1 --query KmsKeyId --output text)"',
    );
  });

  it('is called by its ARN, if EC2 told the key of the copy', () => {
    const kmsKeyId = 'arn:aws:kms:eu-central-1:444455556666:key/9999aaaa-22bb-33cc-44dd-5555eeee6666';
    const asked = request({ destination: { encryption: { kind: 'account-default' } } });
    expect(textOf({ request: asked, copy: { ...copy, kmsKeyId } })).toContain(`${kmsKeyId} in account 444455556666`);
  });

  it('is looked up, if EC2 did not tell the key of the source', () => {
    const { kmsKeyId: _, ...source } = REQUEST.source;
    expect(textOf({ request: { ...REQUEST, source } })).toContain(
      '"$(aws ec2 describe-snapshots --region eu-west-1 --snapshot-ids snap-0a1b2c3d4e5f60718 --query \'Snapshots[0].KmsKeyId\' --output text)"',
    );
  });

  it('is that of the companion, if the source was first copied under it; its policy comes with the companion', () => {
    const prepared = {
      action: 'ready',
      waitSeconds: 0,
      reason: 'visible',
      copyFrom: 'snap-0e1f2a3b4c5d60718',
    } as const;
    const text = textOf({ request: withCompanion, prepared });
    expect(text).toContain(
      'The key of snap-0e1f2a3b4c5d60718, the intermediate copy that the companion’s role made of snap-0a1b2c3d4e5f60718: arn:aws:kms:eu-west-1:111122223333:alias/snapshot-copier-ebs-snapshot-copier-prod-for-444455556666'.replace(
        '’',
        "'",
      ),
    );
    expect(text).toContain('update the companion. As an administrator of account 111122223333');
    expect(text).toContain('--parameter-overrides Reencrypt=on');
    expect(text).not.toContain(SOURCE_KEY);
    // The alias is nothing that the role's own policy knows of a source's key.
    expect(text).toContain("--resource-arns 'arn:aws:kms:eu-west-1:111122223333:key/*'");
    const shared = { ...prepared, copyFrom: REQUEST.source.snapshotId };
    expect(textOf({ request: withCompanion, prepared: shared })).toContain(SOURCE_KEY);
  });
});

describe('a call that was refused at once', () => {
  const refusal = (code: string, words: string, status = 400): Partial<FailedExecution> => ({
    error: ec2Error(code, words, status),
  });

  it.each([
    ['AuthFailure', 'Not authorized to use key alias/dr-copies'],
    ['UnauthorizedOperation', 'User x is not authorized to perform: kms:DescribeKey on resource: y'],
  ])('as not authorized is about DescribeKey of the copy’s key: %s', (code, words) => {
    const text = textOf(refusal(code, words, 403));
    expect(text).toContain(
      'kms:DescribeKey of alias/dr-copies is missing, in the policy of that key (statement SnapshotCopierLook, account 444455556666, eu-central-1) or in the role',
    );
    expect(text).toContain('"SnapshotCopierLook"');
    expect(text).not.toContain('key of the source');
  });

  it.each(['disabled', 'invalid'])('as %s is about the copy’s key itself: no statement helps', (state) => {
    const refused = refusal('InvalidParameterValue', `The specified keyId alias/dr-copies is ${state}`);
    const text = textOf(refused);
    expect(text).toContain('No permission is missing, as far as EC2 came.');
    expect(text).toContain('aws kms enable-key --region eu-central-1');
    expect(text).not.toContain('"Sid"');
  });

  it('in other words is about the copy’s key, in whatever way', () => {
    const text = textOf(refusal('CustomerKeyHasBeenRevoked', 'The key is gone'));
    expect(text).toContain('It refused the call at once because of the key of the copy, alias/dr-copies');
    expect(text).toContain('"SnapshotCopierGrants"');
    expect(text).not.toContain('key of the source');
  });

  it('names a key by its id as it is', () => {
    const kmsKey = '1234abcd-12ab-34cd-56ef-1234567890ab';
    const asked = request({ destination: { encryption: { kind: 'key', kmsKey } } });
    const words = `The specified keyId ${kmsKey} is disabled`;
    expect(textOf({ ...refusal('InvalidParameterValue', words), request: asked })).toContain(`--key-id ${kmsKey}`);
    expect(textOf({ ...refusal('AuthFailure', `Not authorized to use key ${kmsKey}`, 403), request: asked })).toContain(
      `--resource-arns "$(aws kms describe-key --region eu-central-1 --key-id ${kmsKey} --query KeyMetadata.Arn --output text)"`,
    );
  });
});

describe('what the role’s own policy lacks', () => {
  it('is asked of IAM as EC2 would come: through EC2, for its own grants, by the alias of the rule', () => {
    const asked = adviceOn().steps.flatMap(({ run = [] }) => (run[0]?.includes('simulate') === true ? [run] : []));
    expect(asked).toEqual([
      [
        `aws iam simulate-principal-policy --policy-source-arn ${INSTALL.roleArn}`,
        '--action-names kms:DescribeKey kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:CreateGrant',
        `--resource-arns ${SOURCE_KEY}`,
        '--context-entries ContextKeyName=kms:ViaService,ContextKeyValues=ec2.eu-west-1.amazonaws.com,ContextKeyType=string ContextKeyName=kms:GrantIsForAWSResource,ContextKeyValues=true,ContextKeyType=boolean',
        `--query "EvaluationResults[?EvalDecision!='allowed'].[EvalActionName,EvalDecision]" --output text`,
      ],
      [
        `aws iam simulate-principal-policy --policy-source-arn ${INSTALL.roleArn}`,
        '--action-names kms:DescribeKey kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:CreateGrant',
        '--resource-arns "$(aws kms describe-key --region eu-central-1 --key-id alias/dr-copies --query KeyMetadata.Arn --output text)"',
        '--context-entries ContextKeyName=kms:ViaService,ContextKeyValues=ec2.eu-central-1.amazonaws.com,ContextKeyType=string ContextKeyName=kms:GrantIsForAWSResource,ContextKeyValues=true,ContextKeyType=boolean ContextKeyName=kms:ResourceAliases,ContextKeyValues=alias/dr-copies,ContextKeyType=stringList',
        `--query "EvaluationResults[?EvalDecision!='allowed'].[EvalActionName,EvalDecision]" --output text`,
      ],
    ]);
  });
});

describe('what the key policy needs', () => {
  const statement = z.object({
    Sid: z.string(),
    Effect: z.literal('Allow'),
    Resource: z.literal('*'),
    Principal: z.object({ AWS: z.string() }),
    Action: z.array(z.string()),
    Condition: z.optional(z.record(z.string(), z.record(z.string(), z.unknown()))),
  });
  const pastesOf = (over: Partial<FailedExecution>) =>
    adviceOn(over).steps.flatMap(({ paste }) =>
      paste === undefined ? [] : [z.array(statement).parse(JSON.parse(`[${paste}]`))],
    );

  it('is JSON for its Statement list, for the roles of this install whatever they are called', () => {
    const Principal = { AWS: 'arn:aws:iam::444455556666:root' };
    const ArnLike = {
      'aws:PrincipalArn': 'arn:aws:iam::444455556666:role/snapshot-copier/ebs-snapshot-copier-prod/*',
    };
    const usedFrom = (...regions: readonly string[]) => [
      { Sid: 'SnapshotCopierLook', Effect: 'Allow', Resource: '*', Principal, Action: ['kms:DescribeKey'] },
      {
        Sid: 'SnapshotCopierUse',
        Effect: 'Allow',
        Resource: '*',
        Principal,
        Action: [
          'kms:Decrypt',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
        ],
        Condition: { ArnLike, StringEquals: { 'kms:ViaService': regions } },
      },
      {
        Sid: 'SnapshotCopierGrants',
        Effect: 'Allow',
        Resource: '*',
        Principal,
        Action: ['kms:CreateGrant'],
        Condition: { ArnLike, Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      },
    ];
    expect(pastesOf({})).toEqual([
      usedFrom('ec2.eu-west-1.amazonaws.com', 'ec2.eu-central-1.amazonaws.com'),
      usedFrom('ec2.eu-central-1.amazonaws.com'),
    ]);
  });

  it('names one Region once, and China by both of its suffixes', () => {
    const china = request({ source: { region: 'cn-north-1' }, destination: { region: 'cn-north-1' } });
    expect(pastesOf({ request: china })[0]?.[1]?.Condition?.['StringEquals']).toEqual({
      'kms:ViaService': ['ec2.cn-north-1.amazonaws.com', 'ec2.cn-north-1.amazonaws.com.cn'],
    });
    expect(textOf({ request: china })).toContain('for region in cn-north-1; do');
  });

  it('is nothing where the account’s own key leaves it to the role, and somebody else’s to send', () => {
    const text = textOf({});
    expect(text).toContain('or one that gives this account kms:* (Principal arn:...:root)');
    expect(text).toContain(
      'only account 111122223333 can change it: send it this step. As an administrator of account 111122223333',
    );
  });
});
