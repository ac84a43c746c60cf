import { describe, expect, it } from 'vitest';
import { identitiesOf } from '../../../sandbox/stack/identities.ts';
import { Resolver } from '../../../sandbox/stack/intrinsics.ts';
import { parseTemplate } from '../../../sandbox/stack/template.ts';
import { variable } from '../fixture-package.ts';

const home = { account: '000000000000', region: 'eu-west-1' };

function resolverOf(
  template: Readonly<Record<string, unknown>>,
  parameters: Readonly<Record<string, string>> = {},
): Resolver {
  return new Resolver({
    template: parseTemplate({ Resources: {}, ...template }),
    pseudo: { 'AWS::Region': home.region, 'AWS::AccountId': home.account },
    parameters,
    identify: identitiesOf({ home, stackName: 'it-dev', seed: 1, queueUrl: (name) => `http://queues/${name}` }),
  });
}

const template = {
  Parameters: {
    Email: { Type: 'String', Default: '' },
    Days: { Type: 'Number', Default: 7 },
    Zones: { Type: 'CommaDelimitedList', Default: 'a,b' },
  },
  Conditions: {
    HasEmail: { 'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'Email' }, ''] }] },
    IsWest: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-1'] },
    Both: { 'Fn::And': [{ Condition: 'HasEmail' }, { Condition: 'IsWest' }] },
    Either: { 'Fn::Or': [{ Condition: 'HasEmail' }, { Condition: 'IsWest' }] },
  },
  Resources: {
    Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { 'Fn::Sub': `alerts-${variable('AWS::Region')}` } } },
    Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'stuck' } },
    Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'copier', Path: '/service/' } },
    OnlyWithEmail: { Type: 'AWS::SNS::Topic', Condition: 'HasEmail', Properties: {} },
    Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'inbox' } },
    OnBus: { Type: 'AWS::Events::Rule', Properties: { Name: 'hears', EventBusName: { Ref: 'Bus' } } },
    OnBusByArn: {
      Type: 'AWS::Events::Rule',
      Properties: { Name: 'hears-too', EventBusName: { 'Fn::GetAtt': ['Bus', 'Arn'] } },
    },
    OnDefault: { Type: 'AWS::Events::Rule', Properties: { Name: 'hears', EventBusName: 'default' } },
  },
};

describe('an intrinsic function', () => {
  it.each([
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-west-1'],
    ['Ref of a parameter', { Ref: 'Days' }, '7'],
    ['Ref of a list parameter', { Ref: 'Zones' }, ['a', 'b']],
    ['Ref of a topic', { Ref: 'Topic' }, 'arn:aws:sns:eu-west-1:000000000000:alerts-eu-west-1'],
    ['Ref of a queue', { Ref: 'Queue' }, 'http://queues/stuck'],
    ['an attribute, named by a list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:eu-west-1:000000000000:stuck'],
    ['an attribute, named by a text', { 'Fn::GetAtt': 'Role.Arn' }, 'arn:aws:iam::000000000000:role/service/copier'],
    ['Ref of a rule', { Ref: 'OnDefault' }, 'hears'],
    ['the ARN of a rule', { 'Fn::GetAtt': 'OnDefault.Arn' }, 'arn:aws:events:eu-west-1:000000000000:rule/hears'],
    ['Ref of a rule on another bus', { Ref: 'OnBus' }, 'inbox|hears'],
    ['its ARN', { 'Fn::GetAtt': 'OnBus.Arn' }, 'arn:aws:events:eu-west-1:000000000000:rule/inbox/hears'],
    ['the same by the ARN of the bus', { Ref: 'OnBusByArn' }, 'inbox|hears-too'],
    [
      'Sub with names, attributes and literals',
      { 'Fn::Sub': ['Topic.TopicName', 'AWS::AccountId', '!Literal'].map(variable).join(' ') },
      `alerts-eu-west-1 000000000000 ${variable('Literal')}`,
    ],
    [
      'Sub with its own variables',
      { 'Fn::Sub': [['a', 'Queue.Arn'].map(variable).join('/'), { a: { Ref: 'Days' } }] },
      '7/arn:aws:sqs:eu-west-1:000000000000:stuck',
    ],
    ['Join', { 'Fn::Join': [':', ['a', { Ref: 'AWS::Region' }]] }, 'a:eu-west-1'],
    ['Select of Split', { 'Fn::Select': [1, { 'Fn::Split': ['-', { Ref: 'AWS::Region' }] }] }, 'west'],
    ['If, when the condition holds', { 'Fn::If': ['Either', 'yes', { Ref: 'Nothing' }] }, 'yes'],
    ['If, when it does not', { 'Fn::If': ['Both', { Ref: 'Nothing' }, 'no'] }, 'no'],
    [
      'NoValue in an object and a list',
      { a: { Ref: 'AWS::NoValue' }, b: ['x', { 'Fn::If': ['Both', 'y', { Ref: 'AWS::NoValue' }] }] },
      { b: ['x'] },
    ],
  ])('resolves: %s', (_, value, expected) => {
    expect(resolverOf(template).resolve(value, 'here')).toEqual(expected);
  });

  it('follows the parameters that are given', () => {
    const resolver = resolverOf(template, { Email: 'me@example.com' });
    expect(resolver.resolve({ 'Fn::If': ['Both', 'yes', 'no'] }, 'here')).toBe('yes');
    expect(resolver.resources(() => true).map(([id]) => id)).toContain('OnlyWithEmail');
  });

  it.each([
    ['one that is not in the sandbox', { 'Fn::ImportValue': 'x' }, 'here: the sandbox does not know Fn::ImportValue'],
    ['one deep inside', { a: [{ b: { 'Fn::GetAZs': '' } }] }, 'here.a[0].b: the sandbox does not know Fn::GetAZs'],
    ['a name that nothing has', { Ref: 'Nothing' }, 'here: there is no resource or parameter Nothing'],
    [
      'an attribute that the sandbox does not have',
      { 'Fn::GetAtt': ['Queue', 'Colour'] },
      'no attribute Colour of Queue',
    ],
    [
      'a pseudo parameter that it does not have',
      { Ref: 'AWS::NotificationARNs' },
      'does not know AWS::NotificationARNs',
    ],
    ['a resource that is not created', { Ref: 'OnlyWithEmail' }, 'because its condition HasEmail does not hold'],
    ['a condition that is not there', { 'Fn::If': ['None', 1, 2] }, 'there is no condition None'],
    ['a choice beyond the end', { 'Fn::Select': [5, ['a']] }, 'beyond the end'],
    ['something beside it', { 'Fn::Sub': 'x', other: 1 }, 'Fn::Sub beside other fields'],
  ])('is refused: %s', (_, value, message) => {
    expect(() => resolverOf(template).resolve(value, 'here')).toThrow(message);
  });

  it('is refused when names depend on each other in a circle', () => {
    const circle = {
      Resources: {
        A: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { 'Fn::GetAtt': ['B', 'TopicName'] } } },
        B: { Type: 'AWS::SNS::Topic', Properties: { TopicName: { 'Fn::GetAtt': ['A', 'TopicName'] } } },
      },
    };
    expect(() => resolverOf(circle).resolve({ Ref: 'A' }, 'here')).toThrow('circular reference: A -> B -> A');
  });
});

describe('a resource without a name', () => {
  const nameless = { Resources: { Alerts: { Type: 'AWS::SNS::Topic' } } };

  it('gets one made of the stack, its logical id and a suffix that is always the same', () => {
    const names = [1, 2].map(() => resolverOf(nameless).resolve({ 'Fn::GetAtt': ['Alerts', 'TopicName'] }, 'here'));
    expect(names[0]).toMatch(/^it-dev-Alerts-[0-9A-F]{12}$/);
    expect(names[0]).toBe(names[1]);
  });

  it.each([
    ['LongLogicalIdOfSomeRoleInThisStack', /^it-dev-LongLogicalIdOfSomeRoleInThisStack-[0-9A-F]{12}$/],
    ['L'.repeat(60), /^it-dev-L{44}-[0-9A-F]{12}$/],
  ])('is a role with a name of 64 characters at most: %s', (id, expected) => {
    const resolver = resolverOf({ Resources: { [id]: { Type: 'AWS::IAM::Role' } } });
    expect(resolver.resolve({ Ref: id }, 'here')).toMatch(expected);
  });
});

describe('a parameter', () => {
  const limited = {
    Parameters: {
      Hours: { Type: 'Number', Default: 24, MinValue: 1, MaxValue: 48 },
      Parts: { Type: 'List<Number>', Default: '1,2.5' },
      Mode: { Type: 'String', Default: 'on', AllowedValues: ['on', 'off'] },
      Name: { Type: 'String', AllowedPattern: '[a-z]*', MinLength: 2, MaxLength: 4, Description: 'x' },
    },
  };

  it('that is a number is a text in the template', () => {
    const resolver = resolverOf(limited, { Hours: '36' });
    const value = [{ Ref: 'Hours' }, { 'Fn::Sub': `rate(${variable('Hours')} hours)` }, { Ref: 'Parts' }];
    expect(resolver.resolve(value, 'here')).toEqual(['36', 'rate(36 hours)', ['1', '2.5']]);
  });

  it('may be without a value as long as nothing refers to it', () => {
    expect(resolverOf(limited).resolve({ Ref: 'Mode' }, 'here')).toBe('on');
    expect(() => resolverOf(limited).resolve({ Ref: 'Name' }, 'here')).toThrow(
      'here: parameter Name has no default and was not given',
    );
  });

  it.each([
    ['that is no number', { Hours: 'many' }, 'Parameters.Hours: "many": must be a number'],
    ['with a part that is no number', { Parts: '1,x' }, 'Parameters.Parts: "x": must be a number'],
    ['below the smallest', { Hours: '0' }, '"0": must be from 1 to 48'],
    ['above the largest', { Hours: '49' }, '"49": must be from 1 to 48'],
    ['that is not among those allowed', { Mode: 'maybe' }, '"maybe": must be one of on, off'],
    ['that has only a part of the form', { Name: 'ab1' }, '"ab1": must match [a-z]*'],
    ['that is too short', { Name: 'a' }, '"a": must have from 2 to 4 characters'],
    ['that is too long', { Name: 'abcde' }, '"abcde": must have from 2 to 4 characters'],
    ['that the template does not have', { Nothing: 'x' }, 'the template has no parameter Nothing'],
  ])('is refused with a value %s', (_, parameters, message) => {
    expect(() => resolverOf(limited, parameters)).toThrow(message);
  });

  it('is refused with a type whose values CloudFormation would look up', () => {
    const Type = 'AWS::SSM::Parameter::Value<String>';
    expect(() => resolverOf({ Parameters: { Secret: { Type, Default: '/a' } } })).toThrow('Parameters.Secret.Type');
  });
});
