import { describe, expect, it } from 'vitest';
import { administrator, awsService, Iam } from '../../../sandbox/iam/iam.ts';
import type { ResourceSide } from '../../../sandbox/iam/types.ts';
import { allow, HOME, OTHER, policy, ROLE, SESSION, world } from './cases.ts';

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html

const deny = { Effect: 'Deny', Action: '*', Resource: '*' };

function queueOf(account: string, ...statements: readonly Record<string, unknown>[]): ResourceSide {
  return { account, policy: policy('resource', ...statements) };
}

const toRole = allow({ Principal: { AWS: ROLE } });
const toSession = allow({ Principal: { AWS: SESSION } });
const toAccount = allow({ Principal: { AWS: `arn:aws:iam::${HOME}:root` } });
const toAll = allow({ Principal: '*' });

describe('within one account', () => {
  it.each([
    ['nothing is allowed that no policy allows', [], undefined, false],
    ["the role's policy is enough", [allow()], undefined, true],
    [
      "the role's policy is enough where the queue has one that says nothing",
      [allow()],
      queueOf(HOME, allow({ Principal: { AWS: OTHER } })),
      true,
    ],
    ["the queue's policy is enough", [], queueOf(HOME, toRole), true],
    ["the queue's policy is enough if it is for everybody", [], queueOf(HOME, toAll), true],
    ['a queue that names the account leaves it to the role', [], queueOf(HOME, toAccount), false],
    ["a deny of the role's policy wins", [allow(), deny], undefined, false],
    ["a deny of the role's policy wins over the queue", [deny], queueOf(HOME, toRole), false],
    ['a deny of the queue wins over the role', [allow()], queueOf(HOME, { ...deny, Principal: '*' }), false],
    [
      'a deny for somebody else does not matter',
      [allow()],
      queueOf(HOME, { ...deny, Principal: { AWS: OTHER } }),
      true,
    ],
  ])('%s', (_, statements, side, allowed) => {
    expect(world(statements).may({}, side)).toBe(allowed);
  });

  it.each([
    ['limits the role', [allow()], undefined, false],
    ['limits a queue that names the role', [], queueOf(HOME, toRole), false],
    ['does not limit a queue that names the session', [], queueOf(HOME, toSession), true],
  ])("the session's policy %s", (_, statements, side, allowed) => {
    const sessionPolicy = policy('session', { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: '*' });
    expect(world(statements).may({}, side, { sessionPolicy })).toBe(allowed);
  });

  it("the session's policy gives nothing by itself", () => {
    expect(world([]).may({}, undefined, { sessionPolicy: policy('session', allow()) })).toBe(false);
    expect(world([allow()]).may({}, undefined, { sessionPolicy: policy('session', allow()) })).toBe(true);
  });
});

describe('across accounts', () => {
  it.each([
    ["the role's policy alone is not enough", [allow()], queueOf(OTHER, allow({ Principal: { AWS: OTHER } })), false],
    ["the queue's policy alone is not enough", [], queueOf(OTHER, toRole), false],
    ['both are', [allow()], queueOf(OTHER, toRole), true],
    ['both are, if the queue lets in the whole account', [allow()], queueOf(OTHER, toAccount), true],
    ['both are, if the queue lets in everybody', [allow()], queueOf(OTHER, toAll), true],
    ['a queue without a policy lets nobody in', [allow()], { account: OTHER, policy: undefined }, false],
  ])('%s', (_, statements, side, allowed) => {
    expect(world(statements).may({ resource: `arn:aws:sqs:eu-west-1:${OTHER}:inbox` }, side)).toBe(allowed);
  });

  it('the condition of the queue is about who comes', () => {
    const resource = `arn:aws:sqs:eu-west-1:${OTHER}:inbox`;
    const side = (value: string) =>
      queueOf(OTHER, allow({ Principal: '*', Condition: { StringEquals: { 'aws:PrincipalOrgID': value } } }));
    expect(world([allow()], { organization: 'o-a1b2c3d4e5' }).may({ resource }, side('o-a1b2c3d4e5'))).toBe(true);
    expect(world([allow()], { organization: 'o-a1b2c3d4e5' }).may({ resource }, side('o-5e4d3c2b1a'))).toBe(false);
    expect(world([allow()]).may({ resource }, side('o-a1b2c3d4e5'))).toBe(false);
  });

  it.each([
    ['arn:aws:iam::444455556666:role/cop*', true],
    ['arn:aws:iam::444455556666:role/other', false],
    // The key has the role's ARN, not the session's.
    ['arn:aws:sts::444455556666:assumed-role/copier/*', false],
  ])('aws:PrincipalArn like %s is %s', (pattern, allowed) => {
    const resource = `arn:aws:sqs:eu-west-1:${OTHER}:inbox`;
    const side = queueOf(OTHER, { ...toAccount, Condition: { ArnLike: { 'aws:PrincipalArn': pattern } } });
    expect(world([allow()]).may({ resource }, side)).toBe(allowed);
  });
});

// https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
describe('with a key', () => {
  const call = { action: 'kms:Decrypt', resource: `arn:aws:kms:eu-west-1:${HOME}:key/1` };
  const decrypt = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*' };
  const keyOf = (account: string, ...statements: readonly Record<string, unknown>[]): ResourceSide => ({
    account,
    policy: policy('key', ...statements.map((each) => ({ ...decrypt, ...each }))),
    kind: 'key',
  });
  const root = { Principal: { AWS: `arn:aws:iam::${HOME}:root` } };

  it.each([
    ["the role's policy is not enough", [decrypt], keyOf(HOME, { Principal: { AWS: OTHER } }), false],
    ["the key's policy is enough if it names the role", [], keyOf(HOME, { Principal: { AWS: ROLE } }), true],
    ["the role's policy counts where the key's names the account", [decrypt], keyOf(HOME, root), true],
    ["the key's policy that names the account gives nothing by itself", [], keyOf(HOME, root), false],
    ['across accounts both must allow', [decrypt], keyOf(OTHER, root), true],
    ["across accounts the key's policy alone does not", [], keyOf(OTHER, { Principal: { AWS: ROLE } }), false],
    ["across accounts the role's policy alone does not", [decrypt], keyOf(OTHER, { Principal: { AWS: OTHER } }), false],
  ])('%s', (_, statements, side, allowed) => {
    expect(world(statements).may(call, side)).toBe(allowed);
  });
});

describe('an administrator', () => {
  const call = { action: 'sqs:ReceiveMessage', resource: `arn:aws:sqs:eu-west-1:${OTHER}:inbox`, context: {} };
  const may = (account: string, side?: ResourceSide) => new Iam().authorize(administrator(account), call, side).allowed;

  it('may do everything at home', () => {
    expect(may(OTHER)).toBe(true);
    expect(may(OTHER, queueOf(OTHER, toRole))).toBe(true);
  });

  it('may do elsewhere what the other account lets his own do', () => {
    expect(may(HOME, queueOf(OTHER, toRole))).toBe(false);
    expect(may(HOME, queueOf(OTHER, toAccount))).toBe(true);
  });

  it('takes a role of his own account only if the role lets him', () => {
    const role = `arn:aws:iam::${HOME}:role/copier`;
    const assume = { action: 'sts:AssumeRole', resource: role, context: {} };
    const trust = (AWS: string) => policy('trust', { Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' });
    const side = (AWS: string): ResourceSide => ({ account: HOME, policy: trust(AWS), kind: 'key' });
    expect(new Iam().authorize(administrator(HOME), assume, side(HOME)).allowed).toBe(true);
    expect(new Iam().authorize(administrator(HOME), assume, side(OTHER)).allowed).toBe(false);
  });
});

it('a service is let in by resources only, and by the account that it acts for', () => {
  const rule = `arn:aws:events:eu-west-1:${HOME}:rule/rule`;
  const ask = (side: ResourceSide | undefined, account = HOME) =>
    new Iam().authorize(
      awsService('events.amazonaws.com'),
      {
        action: 'sqs:SendMessage',
        resource: `arn:aws:sqs:eu-west-1:${HOME}:inbox`,
        context: { 'aws:SourceArn': rule, 'aws:SourceAccount': account },
      },
      side,
    ).allowed;
  const letIn = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
    Resource: '*',
    Condition: { StringEquals: { 'aws:SourceAccount': HOME } },
  };
  expect(ask(undefined)).toBe(false);
  expect(ask(queueOf(HOME, letIn))).toBe(true);
  expect(ask(queueOf(HOME, letIn), OTHER)).toBe(false);
  expect(ask(queueOf(HOME, { ...letIn, Principal: { Service: 'sns.amazonaws.com' } }))).toBe(false);
});

// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
it.each([
  ['because no identity-based policy allows the sqs:ReceiveMessage action', [], undefined, {}],
  ['because no resource-based policy allows the sqs:ReceiveMessage action', [allow()], queueOf(OTHER), {}],
  [
    'because no session policy allows the sqs:ReceiveMessage action',
    [allow()],
    undefined,
    { sessionPolicy: policy('session') },
  ],
  ['with an explicit deny in an identity-based policy', [allow(), deny], undefined, {}],
  ['with an explicit deny in a resource-based policy', [allow()], queueOf(HOME, { ...deny, Principal: '*' }), {}],
  ['with an explicit deny in a session policy', [allow()], undefined, { sessionPolicy: policy('session', deny) }],
])('says "%s"', (why, statements, side, as) => {
  expect(world(statements).why({}, side, as)).toBe(why);
});

it('the session of a role that was removed may do nothing', () => {
  const { iam, may } = world([allow()]);
  expect(may({})).toBe(true);
  iam.removeRole(ROLE);
  expect(may({})).toBe(false);
});
