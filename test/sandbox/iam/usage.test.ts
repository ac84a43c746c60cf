import { expect, it } from 'vitest';
import type { EvaluatedRequest, UsedRole } from '../../../sandbox/iam/usage.ts';
import { replay } from '../../../sandbox/iam/usage.ts';
import { allow, HOME, OTHER, policy, ROLE, world } from './cases.ts';

const receive = allow({ Sid: 'Receive' });
const receiveToo = allow({ Sid: 'ReceiveToo', Resource: 'arn:aws:sqs:*:*:inbox' });
const send = { Effect: 'Allow', Sid: 'Send', Action: 'sqs:SendMessage', Resource: '*' };

/** As if a report were made of it elsewhere and later. */
function written({ iam }: ReturnType<typeof world>): {
  roles: readonly UsedRole[];
  requests: readonly EvaluatedRequest[];
} {
  const usage = iam.usage();
  return JSON.parse(JSON.stringify({ roles: usage.roles(), requests: usage.requests() }));
}

it('says which statements allowed a request, and counts those that are alike', () => {
  const of = world([receive, receiveToo, send]);
  for (let i = 0; i < 3; i += 1) of.may({});
  of.may({ action: 'sqs:PurgeQueue' });
  expect(written(of).requests).toMatchObject([
    {
      principal: { roleArn: ROLE },
      call: { action: 'sqs:ReceiveMessage', resource: `arn:aws:sqs:eu-west-1:${HOME}:inbox` },
      verdict: { allowed: true },
      allowedBy: [
        { of: 'identity', owner: ROLE, policy: 0, statement: 0, sid: 'Receive' },
        { of: 'identity', owner: ROLE, policy: 0, statement: 1, sid: 'ReceiveToo' },
      ],
      times: 3,
    },
    { call: { action: 'sqs:PurgeQueue' }, verdict: { allowed: false }, allowedBy: [], times: 1 },
  ]);
});

it('names both sides across accounts', () => {
  const of = world([receive]);
  const resource = `arn:aws:sqs:eu-west-1:${OTHER}:inbox`;
  of.may(
    { resource },
    { account: OTHER, policy: policy('resource', allow({ Sid: 'Home', Principal: { AWS: HOME } })) },
  );
  expect(written(of).requests.map(({ allowedBy }) => allowedBy)).toMatchObject([
    [
      { of: 'identity', owner: ROLE, sid: 'Receive' },
      { of: 'resource', owner: resource, sid: 'Home' },
    ],
  ]);
});

it.each([
  ['the only one that allowed something', ['Send'], ['sqs:SendMessage']],
  ['one of two', ['Receive'], []],
  ['both', ['Receive', 'ReceiveToo'], ['sqs:ReceiveMessage']],
])('a request is refused, decided again without %s', (_, sids, refused) => {
  const of = world([receive, receiveToo, send]);
  of.may({});
  of.may({ action: 'sqs:SendMessage' });
  const changed = replay(written(of), (statement, { sid = '' }) => (sids.includes(sid) ? undefined : statement));
  expect(changed.map(({ request }) => request.call.action)).toEqual(refused);
  expect(changed.every(({ verdict }) => !verdict.allowed)).toBe(true);
});

it('and one that was refused is allowed without the deny', () => {
  const of = world([receive, { Effect: 'Deny', Sid: 'Never', Action: 'sqs:*', Resource: '*' }]);
  of.may({});
  const changed = replay(written(of), (statement) => (statement.Effect === 'Deny' ? undefined : statement));
  expect(changed).toMatchObject([{ verdict: { allowed: true } }]);
});
