import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../sandbox/iam/policy-document.ts';
import { allow, HOME, world } from './cases.ts';

const SNAPSHOT = 'arn:aws:ec2:eu-west-1::snapshot/snap-1';

describe('Action and Resource', () => {
  it.each([
    [{ Action: 'SQS:receivemessage' }, true],
    [{ Action: 'sqs:Receive*' }, true],
    [{ Action: 'sqs:?eceiveMessage' }, true],
    [{ Action: ['sqs:SendMessage', 'sqs:ReceiveMessage'] }, true],
    [{ Action: 'sqs:SendMessage' }, false],
    [{ Action: undefined, NotAction: 'sqs:Send*' }, true],
    [{ Action: undefined, NotAction: 'sqs:Receive*' }, false],
    [{ Resource: `arn:aws:sqs:*:${HOME}:in*x` }, true],
    [{ Resource: `arn:aws:sqs:eu-west-?:${HOME}:inbox` }, true],
    [{ Resource: `arn:aws:sqs:eu-west-1:${HOME}:INBOX` }, false],
    [{ Resource: 'arn:aws:sqs:*' }, true],
    [{ Resource: 'arn:aws:sqs:eu*box' }, false],
    [{ Resource: 'arn:aws:sqs:eu-west-1:*:inbo' }, false],
    [{ Resource: undefined, NotResource: 'arn:aws:sqs:*:*:outbox' }, true],
    [{ Resource: undefined, NotResource: 'arn:aws:sqs:*:*:in*' }, false],
  ])('%j', (more, allowed) => {
    expect(world([allow(more)]).may({})).toBe(allowed);
  });

  it.each([
    [`snapshot/\${*}`, ['arn:aws:ec2:eu-west-1::snapshot/*']],
    ['snapshot/snap-*', [SNAPSHOT]],
    ['snapshot/*', ['arn:aws:ec2:eu-west-1::snapshot/*', SNAPSHOT]],
  ])('of a copy and its source, %s means %j', (pattern, meant) => {
    const { may } = world([
      { Effect: 'Allow', Action: 'ec2:CopySnapshot', Resource: `arn:aws:ec2:eu-west-1:*:${pattern}` },
    ]);
    const all = ['arn:aws:ec2:eu-west-1::snapshot/*', SNAPSHOT];
    expect(all.filter((resource) => may({ action: 'ec2:CopySnapshot', resource }))).toEqual(meant);
  });
});

describe('conditions', () => {
  const copy = (context: Readonly<Record<string, string | readonly string[]>>) => ({
    action: 'ec2:CopySnapshot',
    resource: SNAPSHOT,
    context,
  });
  const mayCopy = (Condition: unknown, context: Readonly<Record<string, string | readonly string[]>>) =>
    world([{ Effect: 'Allow', Action: 'ec2:CopySnapshot', Resource: '*', Condition }]).may(copy(context));

  it.each([
    ['StringEquals', 'ec2:Owner', '1', '1', true],
    ['StringEquals', 'ec2:Owner', ['2', '1'], '1', true],
    ['StringEquals', 'ec2:owner', '1', '1', true],
    ['StringEquals', 'ec2:Owner', '*', '1', false],
    ['StringNotEquals', 'ec2:Owner', ['1', '2'], '3', true],
    ['StringNotEquals', 'ec2:Owner', ['1', '2'], '2', false],
    ['StringEqualsIgnoreCase', 'ec2:Owner', 'Amazon', 'amazon', true],
    ['StringLike', 'ec2:SnapshotID', 'snap-0?b*', 'snap-0abc', true],
    ['StringNotLike', 'ec2:SnapshotID', 'snap-0*', 'snap-0abc', false],
    ['ArnLike', 'ec2:ParentVolume', 'arn:*:ec2:*:*:volume/*', 'arn:aws:ec2:eu-west-1:1:volume/vol-1', true],
    // Each part of an ARN is compared for itself.
    ['ArnLike', 'ec2:ParentVolume', 'arn:aws:ec2:*:volume/*:x:y', 'arn:aws:ec2:eu-west-1:1:volume/vol-1', false],
    ['ArnNotEquals', 'ec2:ParentVolume', 'arn:aws:ec2:*:*:volume/vol-2', 'arn:aws:ec2:eu-west-1:1:volume/vol-1', true],
    ['NumericLessThanEquals', 'ec2:VolumeSize', '100', '100', true],
    ['NumericLessThan', 'ec2:VolumeSize', 100, '100', false],
    ['NumericGreaterThan', 'ec2:VolumeSize', '9', '10', true],
    ['NumericNotEquals', 'ec2:VolumeSize', '9', '9.0', false],
    ['DateGreaterThan', 'ec2:SnapshotTime', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', true],
    ['DateLessThan', 'ec2:SnapshotTime', '2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z', false],
    ['Bool', 'ec2:Encrypted', true, 'true', true],
    ['Bool', 'ec2:Encrypted', 'False', 'true', false],
    ['Null', 'ec2:Owner', false, '1', true],
    ['Null', 'ec2:Owner', 'true', '1', false],
  ])('%s: %s %j of %j is %s', (operator, key, wanted, actual, holds) => {
    const written = key === 'ec2:owner' ? 'ec2:Owner' : key;
    expect(mayCopy({ [operator]: { [key]: wanted } }, { [written]: actual })).toBe(holds);
  });

  it.each([
    ['StringEquals', 'ec2:Owner', '1', false],
    ['StringEqualsIfExists', 'ec2:Owner', '1', true],
    ['StringNotEquals', 'ec2:Owner', '1', true],
    ['StringLike', 'ec2:Owner', '*', false],
    ['ArnLike', 'ec2:ParentVolume', 'arn:aws:ec2:*:*:volume/*', false],
    ['NumericLessThan', 'ec2:VolumeSize', '1', false],
    ['DateLessThan', 'ec2:SnapshotTime', '2026-01-01', false],
    ['Bool', 'ec2:Encrypted', 'false', false],
    ['BoolIfExists', 'ec2:Encrypted', 'true', true],
    ['Null', 'ec2:Owner', 'true', true],
  ])('without a value for its key, %s of %s is %s', (operator, key, wanted, holds) => {
    expect(mayCopy({ [operator]: { [key]: wanted } }, {})).toBe(holds);
  });

  it.each([
    ['ForAllValues:StringEquals', ['a', 'b'], ['a'], true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
    ['ForAllValues:StringEquals', ['a'], [], true],
    ['ForAllValues:StringLike', ['snapshot-copier:*'], ['snapshot-copier:rule', 'Name'], false],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
    ['ForAnyValue:StringEquals', ['a', 'b'], ['c'], false],
    ['ForAnyValue:StringEquals', ['a'], [], false],
    ['ForAllValues:StringNotEquals', ['a'], ['b', 'c'], true],
    ['ForAllValues:StringNotEquals', ['a'], ['a', 'c'], false],
    ['ForAnyValue:StringNotLike', ['a*'], ['ab', 'b'], true],
  ])('%s %j of %j is %s', (operator, wanted, actual, holds) => {
    const context = actual.length === 0 ? {} : { 'aws:TagKeys': actual };
    expect(mayCopy({ [operator]: { 'aws:TagKeys': wanted } }, context)).toBe(holds);
  });

  it('all of a block must hold', () => {
    const block = { StringEquals: { 'ec2:Owner': '1', 'ec2:Region': 'eu-west-1' }, Bool: { 'ec2:Encrypted': 'true' } };
    const context = { 'ec2:Owner': '1', 'ec2:Region': 'eu-west-1', 'ec2:Encrypted': 'true' };
    expect(mayCopy(block, context)).toBe(true);
    for (const key of Object.keys(context)) expect(mayCopy(block, { ...context, [key]: '0' })).toBe(false);
  });

  it('a key that the action does not have never holds', () => {
    const wanted = { StringEquals: { 'aws:ResourceTag/managed': 'yes' } };
    expect(mayCopy(wanted, {})).toBe(false);
    expect(() => mayCopy(wanted, { 'aws:ResourceTag/managed': 'yes' })).toThrow(
      'ec2:CopySnapshot on arn:aws:ec2:eu-west-1::snapshot/snap-1 has no condition key aws:ResourceTag/managed',
    );
  });

  it('knows the time', () => {
    const until = (day: string) => allow({ Condition: { DateLessThan: { 'aws:CurrentTime': `${day}T00:00:00Z` } } });
    expect(world([until('2026-01-06')]).may({})).toBe(true);
    expect(world([until('2026-01-05')]).may({})).toBe(false);
  });
});

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
describe('policy variables', () => {
  it.each([
    [`arn:aws:sqs:eu-west-1:\${aws:PrincipalAccount}:inbox`, true],
    [`arn:aws:sqs:eu-west-1:*:\${aws:PrincipalOrgID}`, false],
    [`arn:aws:sqs:eu-west-1:*:\${aws:PrincipalOrgID, 'inbox'}`, true],
    [`arn:aws:sqs:eu-west-1:*:inbo\${?}`, false],
  ])('%s', (Resource, allowed) => {
    expect(world([allow({ Resource })]).may({})).toBe(allowed);
  });

  it('stand in conditions too, where what they hold is no wildcard', () => {
    const own = allow({ Condition: { StringLike: { 'aws:ResourceAccount': `\${aws:PrincipalAccount}` } } });
    const side = { account: HOME, policy: undefined };
    expect(world([own]).may({}, side)).toBe(true);
  });
});

describe('a policy is refused, with the place,', () => {
  it.each([
    [
      'an action that is none',
      { Action: 'sqs:SendMessages' },
      /Statement\[0\]\.Action\[0\]: there is no action sqs:SendMessages/,
    ],
    ['a service that is not known', { Action: 'nosuch:*' }, /there is no action nosuch:\*/],
    ['a wildcard that means no action', { Action: 'kms:ReEncript*' }, /there is no action kms:ReEncript\*/],
    ['Action and NotAction', { NotAction: 'sqs:*' }, /needs either Action or NotAction/],
    ['no Resource', { Resource: undefined }, /needs either Resource or NotResource/],
    ['a Resource that is no ARN', { Resource: 'inbox' }, /inbox is neither an ARN nor \*/],
    ['a Principal', { Principal: '*' }, /a role's policy has no Principal/],
    ['a Sid with other characters', { Sid: 'no-dash' }, /the Sid no-dash has something else/],
    [
      'an operator that is none',
      { Condition: { StringMatches: { 'aws:SourceArn': '*' } } },
      /Condition\.StringMatches\.aws:SourceArn: the sandbox does not know/,
    ],
    [
      'an operator that is not imitated',
      { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } },
      /does not know this operator/,
    ],
    [
      'a key that is none',
      { Condition: { StringEquals: { 'ec2:Ownr': '1' } } },
      /ec2:Ownr: no service has this condition key/,
    ],
    [
      'a list compared as one value',
      { Condition: { StringEquals: { 'aws:TagKeys': 'a' } } },
      /needs ForAllValues or ForAnyValue/,
    ],
    [
      'no number',
      { Condition: { NumericLessThan: { 'ec2:VolumeSize': 'big' } } },
      /big is not what this operator compares/,
    ],
    ['no truth value', { Condition: { Null: { 'ec2:Owner': 'no' } } }, /must be "true" or "false"/],
    ['an unknown variable', { Resource: `arn:aws:sqs:*:*:\${nothing}` }, /\$\{nothing\} is no policy variable/],
    ['an unknown element', { Resources: '*' }, /Unrecognized key: "Resources"/],
  ])('with %s', (_, more, why) => {
    expect(() => world([allow(more)])).toThrow(why);
  });

  it.each([
    ['resource', { AWS: 'arn:aws:iam::444455556666:role/*' }, /Principal\.AWS\[0\]: .* have no wildcards/],
    ['resource', { Service: 'events' }, /events is no service/],
    ['resource', {}, /names nobody/],
    ['trust', '*', /a trust policy has no Resource/],
  ] as const)('with a wrong principal in a %s policy', (kind, Principal, why) => {
    const Statement = [{ Effect: 'Allow', Principal, Action: 'sqs:*', Resource: '*' }];
    expect(() => parsePolicy(kind, { Version: '2012-10-17', Statement }, 'policy of it')).toThrow(why);
  });

  it('with two statements of one Sid, with variables in the old version, and what is no JSON', () => {
    expect(() => world([allow({ Sid: 'A' }), allow({ Sid: 'A' })])).toThrow('two statements have the Sid A');
    const Statement = [allow({ Resource: `arn:aws:sqs:*:*:\${aws:PrincipalAccount}` })];
    expect(() => parsePolicy('identity', { Statement }, 'it')).toThrow('need "Version": "2012-10-17"');
    expect(() => parsePolicy('identity', '{', 'it')).toThrow('it: is not JSON');
  });
});

it('a call is refused that the reference does not have so', () => {
  const { may } = world([]);
  expect(() => may({ action: 'sqs:Receive' })).toThrow('sqs:Receive is no action of the reference');
  expect(() => may({ resource: SNAPSHOT })).toThrow(`sqs:ReceiveMessage is not evaluated on ${SNAPSHOT}`);
  expect(() => may({ resource: '*' })).toThrow('sqs:ReceiveMessage is not evaluated on *');
  expect(() => may({ context: { 'ec2:Region': 'eu-west-1' } })).toThrow('has no condition key ec2:Region');
});
