import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseKeyPolicy } from '../../../core/doctor/key-policy.ts';
import { type Grant, keyUse } from '../../../core/doctor/key-use.ts';
import { ACTIONS_ON_KEYS, ec2Services, keyStatements } from '../../../core/key-statements.ts';
import { permissionsOf } from '../../../packaging/derive-permissions.ts';
import { HOME, INSTALL, KEY_ARN, ROLE, ROOT_POLICY, rules } from './examples.ts';

const USER = { roleArn: ROLE, account: HOME, keyArn: KEY_ARN, viaService: ec2Services(['eu-central-1']) };

function use(text: string, grants: readonly Grant[] = []) {
  const policy = parseKeyPolicy(text);
  if (policy === undefined) throw new Error('not a policy');
  return keyUse(policy, grants, USER);
}

const CLOSED = JSON.stringify({ Statement: [] });
const grant = (over: Partial<Grant>): Grant => ({
  grantee: ROLE,
  operations: ['Decrypt', 'DescribeKey'],
  isConstrained: false,
  ...over,
});

describe('what EC2 needs of a key', () => {
  it('is what the role that copies is deployed with', () => {
    const deployed = permissionsOf('startCopy', rules({}), 'install').flatMap(({ actions }) => actions);
    const ofKeys = deployed.filter((action) => action.startsWith('kms:'));
    expect([...new Set(ofKeys)].toSorted()).toEqual([...ACTIONS_ON_KEYS].toSorted());
  });

  it('is allowed by the statements that are offered to paste', () => {
    const statements = z.unknown().parse(JSON.parse(`[${keyStatements(INSTALL, ['eu-west-1', 'eu-central-1'])}]`));
    expect(use(JSON.stringify({ Statement: statements }))).toMatchObject({ denied: [], missing: [], undecided: [] });
  });

  it('is left to IAM by the policy that KMS gives a new key', () => {
    expect(use(ROOT_POLICY)).toEqual({ denied: [], missing: [], undecided: [], because: [], isLeftToIam: true });
  });
});

describe('grants', () => {
  it('allow what the policy is silent about', () => {
    expect(use(CLOSED).missing).toEqual(ACTIONS_ON_KEYS);
    expect(use(CLOSED, [grant({})]).missing).toEqual([
      'kms:ReEncryptFrom',
      'kms:ReEncryptTo',
      'kms:GenerateDataKey',
      'kms:GenerateDataKeyWithoutPlaintext',
      'kms:CreateGrant',
    ]);
  });

  it('of others do not matter', () => {
    expect(use(CLOSED, [grant({ grantee: `${ROLE}-2` })]).missing).toEqual(ACTIONS_ON_KEYS);
  });

  it('leave a doubt if they hold for a certain encryption context', () => {
    const { undecided, because } = use(CLOSED, [grant({ isConstrained: true })]);
    expect(undecided).toEqual(['kms:DescribeKey', 'kms:Decrypt']);
    expect(because).toEqual(['a grant that holds for a certain encryption context']);
  });

  it('do not help against a denial', () => {
    const deny = { Sid: 'No', Effect: 'Deny', Principal: '*', Action: 'kms:Decrypt', Resource: '*' };
    const { denied, because } = use(JSON.stringify({ Statement: [deny] }), [grant({})]);
    expect({ denied, because }).toEqual({ denied: ['kms:Decrypt'], because: ['statement No'] });
  });
});

describe('the services through which EC2 asks', () => {
  it('have two names in China', () => {
    expect(ec2Services(['cn-north-1', 'cn-north-1'])).toEqual([
      'ec2.cn-north-1.amazonaws.com',
      'ec2.cn-north-1.amazonaws.com.cn',
    ]);
  });
});
