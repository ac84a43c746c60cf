import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { CopyRequest } from '../../core/copy-request.ts';
import type { FailedExecution } from '../../core/execution.ts';
import { failureOf } from '../../core/failure.ts';
import { kmsAdvice } from '../../core/kms-advice.ts';
import { ec2Error, failed, givenUp, INSTALL, REQUEST, request } from './alert-examples.ts';

const copy = givenUp({ name: 'CopyEndedInError', message: 'Given key ID is not accessible' });

function adviceOn(over: Partial<FailedExecution> = {}) {
  const execution = failed({ copy, ...over });
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

describe('which key it can be', () => {
  it('is the one that the rule names and the one of the source: EC2 does not say which', () => {
    const text = textOf({});
    expect(text).toContain('one of the two below; it does not say which');
    expect(text).toContain(
      'The key that rule nightly-to-frankfurt names for eu-central-1: alias/dr-copies in account 444455556666, eu-central-1.',
    );
    expect(text).toContain(
      'The key of the source snap-0a1b2c3d4e5f60718: arn:aws:kms:eu-west-1:111122223333:key/1111aaaa-22bb-33cc-44dd-5555eeee6666 in account 111122223333, eu-west-1.',
    );
  });

  it('is the destination key alone, if the source is plain', () => {
    const text = textOf({ request: plainSource({}) });
    expect(text).toContain('could not use the one below.');
    expect(text).not.toContain('The key of the source');
  });

  it('is the destination key alone, if EC2 refused it at once', () => {
    const { copy: _, ...refused } = failed({
      error: ec2Error('InvalidParameterValue', 'The specified keyId alias/dr-copies is disabled'),
    });
    expect(failureOf(refused).reason).toBe('KeyNotAccessible');
    expect(kmsAdvice(refused, failureOf(refused), INSTALL).meaning).toContain('the one below');
  });

  it('has the account and Region of its ARN', () => {
    const kmsKey = 'arn:aws:kms:eu-central-1:777788889999:alias/shared-dr';
    const text = textOf({ request: request({ destination: { encryption: { kind: 'key', kmsKey } } }) });
    expect(text).toContain(`${kmsKey} in account 777788889999, eu-central-1`);
    expect(text).toContain('as an administrator of account 777788889999');
  });

  it.each([
    [request({ destination: { encryption: { kind: 'account-default' } } }), 'rule nightly-to-frankfurt names no key'],
    [request({ destination: { encryption: { kind: 'as-source' } } }), 'rule nightly-to-frankfurt names no key'],
    [plainSource({ encryption: { kind: 'account-default' } }), 'rule nightly-to-frankfurt names no key'],
    [plainSource({ encryption: { kind: 'as-source' } }), 'the source is plain, so only encryption by default'],
  ])('is the default EBS key of the destination, if the rule names none (%#)', (asked, why) => {
    const text = textOf({ request: asked });
    expect(text).toContain(`The default EBS key of eu-central-1, because ${why}`);
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

  it('cannot be aws/ebs of another account: the way out is told', () => {
    expect(textOf({})).toContain(
      'such a snapshot cannot be shared, and no statement helps. Its owner, account 111122223333, has to copy it',
    );
  });
});

describe('what the key policy needs', () => {
  const statement = z.object({
    Sid: z.string(),
    Effect: z.literal('Allow'),
    Resource: z.literal('*'),
    Principal: z.object({ AWS: z.string() }),
    Action: z.array(z.string()),
    Condition: z.optional(z.record(z.string(), z.unknown())),
  });
  const statementsOf = (over: Partial<FailedExecution>) => {
    const pasted = adviceOn(over).steps.flatMap(({ paste }) => (paste === undefined ? [] : [paste]));
    expect(pasted).toHaveLength(1);
    return z.array(statement).parse(JSON.parse(`[${pasted.join()}]`));
  };

  it('is JSON for its Statement list that lets the copying role do all that EC2 does', () => {
    const Principal = { AWS: 'arn:aws:iam::444455556666:role/ebs-snapshot-copier-prod-StartCopyRole' };
    expect(statementsOf({})).toEqual([
      { Sid: 'SnapshotCopierLook', Effect: 'Allow', Resource: '*', Principal, Action: ['kms:DescribeKey'] },
      {
        Sid: 'SnapshotCopierUse',
        Effect: 'Allow',
        Resource: '*',
        Principal,
        Action: ['kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey', 'kms:GenerateDataKeyWithoutPlaintext'],
        Condition: {
          StringEquals: { 'kms:ViaService': ['ec2.eu-west-1.amazonaws.com', 'ec2.eu-central-1.amazonaws.com'] },
        },
      },
      {
        Sid: 'SnapshotCopierGrants',
        Effect: 'Allow',
        Resource: '*',
        Principal,
        Action: ['kms:CreateGrant'],
        Condition: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
      },
    ]);
  });

  it('names one Region once, and China by both of its suffixes', () => {
    const china = request({ source: { region: 'cn-north-1' }, destination: { region: 'cn-north-1' } });
    expect(statementsOf({ request: china })[1]?.Condition).toEqual({
      StringEquals: { 'kms:ViaService': ['ec2.cn-north-1.amazonaws.com', 'ec2.cn-north-1.amazonaws.com.cn'] },
    });
    expect(textOf({ request: china })).toContain('for region in cn-north-1; do');
  });

  it('is half of it for a key of another account, and the alert says so', () => {
    expect(textOf({})).toContain('For a key of another account than 444455556666 the role needs the same actions');
    const home = request({ source: { kmsKeyId: 'arn:aws:kms:eu-west-1:444455556666:key/1' } });
    expect(textOf({ request: home })).not.toContain('For a key of another account');
  });
});
