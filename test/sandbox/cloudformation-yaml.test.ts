import { describe, expect, it } from 'vitest';
import { readCloudFormationYaml } from '../../sandbox/cloudformation-yaml.ts';

describe('a template in YAML', () => {
  it.each([
    ['!Ref Topic', { Ref: 'Topic' }],
    ['!Condition IsHome', { Condition: 'IsHome' }],
    ['!GetAtt Topic.TopicName', { 'Fn::GetAtt': ['Topic', 'TopicName'] }],
    ['!GetAtt Stack.Outputs.Name', { 'Fn::GetAtt': ['Stack', 'Outputs.Name'] }],
    ['!GetAtt [Topic, Arn]', { 'Fn::GetAtt': ['Topic', 'Arn'] }],
    [`!Sub $\{AWS::Region}-x`, { 'Fn::Sub': `$\{AWS::Region}-x` }],
    [
      '!If [IsHome, !Ref A, !Join ["-", [a, !Ref B]]]',
      { 'Fn::If': ['IsHome', { Ref: 'A' }, { 'Fn::Join': ['-', ['a', { Ref: 'B' }]] }] },
    ],
    ['{ Fn::Sub: text, n: 1, yes: true, none: null }', { 'Fn::Sub': 'text', n: 1, yes: true, none: null }],
    ['!Transform { Name: AWS::Include }', { 'Fn::Transform': { Name: 'AWS::Include' } }],
  ])('may say %s', (text, expected) => {
    expect(readCloudFormationYaml(`value: ${text}`)).toEqual({ value: expected });
  });

  it.each([
    ['is no YAML', 'a: [1', 'Flow sequence'],
    ['has a key twice', 'a: 1\na: 2', 'Map keys must be unique'],
    ['has an alias, which CloudFormation does not take', 'a: &one 1\nb: *one', 'CloudFormation knows no YAML aliases'],
  ])('is refused if it %s', (_, text, message) => {
    expect(() => readCloudFormationYaml(text)).toThrow(message);
  });
});
