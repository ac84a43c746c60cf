import { expect, it } from 'vitest';
import { ResourcePolicies } from '../../sandbox/resource-policies.ts';

const QUEUE = 'arn:aws:sqs:eu-west-1:000000000000:stuck';
const RULE = 'arn:aws:events:eu-west-1:000000000000:rule/fixture-rule';
const send = { service: 'events.amazonaws.com', action: 'sqs:SendMessage', resource: QUEUE, sourceArn: RULE };
const letIn = {
  Effect: 'Allow',
  Principal: { Service: 'events.amazonaws.com' },
  Action: 'sqs:SendMessage',
  Resource: QUEUE,
};
const all = { Principal: '*', Action: 'sqs:*', Resource: QUEUE };

function onlyIf(operator: string, key: string, value: string | readonly string[]) {
  return [{ ...letIn, Condition: { [operator]: { [key]: value } } }];
}

it.each([
  ['nothing is allowed that no statement allows', [], false],
  ['a service is let in by name', [letIn], true],
  ['another service is not', [{ ...letIn, Principal: { Service: 'sns.amazonaws.com' } }], false],
  ['an account is no service', [{ ...letIn, Principal: { AWS: '000000000000' } }], false],
  ['everybody is let in by *', [{ ...letIn, Principal: { AWS: '*' } }], true],
  ['the action counts, whatever its case', [{ ...letIn, Action: ['sqs:sendmessage'] }], true],
  ['another action does not', [{ ...letIn, Action: 'sqs:ReceiveMessage' }], false],
  ['another resource does not', [{ ...letIn, Resource: `${QUEUE}-2` }], false],
  ['a dot is a dot', [{ ...letIn, Resource: QUEUE.replace('stuck', 'st.ck') }], false],
  ['a question mark is any character', [{ ...letIn, Resource: QUEUE.replace('stuck', 'st?ck') }], true],
  ['Deny wins over what came before', [letIn, { ...all, Effect: 'Deny' }], false],
  ['Deny wins over what comes after', [{ ...all, Effect: 'Deny' }, letIn], false],
  ['Deny of something else does not matter', [letIn, { ...all, Effect: 'Deny', Action: 'sqs:Delete*' }], true],
  [
    'Deny under a condition that does not hold does not matter',
    [letIn, { ...all, Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
    true,
  ],
  ['the account of the source counts', onlyIf('StringEquals', 'aws:SourceAccount', '000000000000'), true],
  ['another account does not', onlyIf('StringEquals', 'aws:SourceAccount', '111122223333'), false],
  ['one of several accounts does', onlyIf('StringEquals', 'aws:SourceAccount', ['111122223333', '000000000000']), true],
  ['StringEquals knows no wildcards', onlyIf('StringEquals', 'aws:SourceAccount', '*'), false],
  ['StringLike does', onlyIf('StringLike', 'aws:SourceAccount', '0000*'), true],
  ['the ARN of the source counts', onlyIf('ArnLike', 'aws:SourceArn', 'arn:aws:events:*:*:rule/fixture-*'), true],
  ['another ARN does not', onlyIf('ArnEquals', 'aws:SourceArn', `${RULE}-2`), false],
  [
    'all conditions must hold',
    [
      {
        ...letIn,
        Condition: { ArnLike: { 'aws:SourceArn': RULE }, StringEquals: { 'aws:SourceAccount': '111122223333' } },
      },
    ],
    false,
  ],
])('%s', (_, Statement, allowed) => {
  const policies = new ResourcePolicies();
  policies.add(QUEUE, { Version: '2012-10-17', Statement });
  expect(policies.allows(send)).toBe(allowed);
});
