import { describe, expect, it } from 'vitest';
import { parseShorthand } from '../../../cli/aws-cli/shorthand.ts';

const parse = (text: string) => parseShorthand(text, (value) => `content of ${value}`);

describe('shorthand', () => {
  it.each<[string, unknown]>([
    ['a=b', { a: 'b' }],
    ['a=b,c=d', { a: 'b', c: 'd' }],
    ['a=b,c,d', { a: ['b', 'c', 'd'] }],
    ['a=b,c,d=e,f', { a: ['b', 'c'], d: ['e', 'f'] }],
    ['a=[b,[c,d],{e=f}]', { a: ['b', ['c', 'd'], { e: 'f' }] }],
    ['a={b=c,d={e=[f]}}', { a: { b: 'c', d: { e: ['f'] } } }],
    ['a=', { a: '' }],
    ['=x', { '': 'x' }],
    [`a='b, "c"',d="e, 'f'"`, { a: 'b, "c"', d: "e, 'f'" }],
    [String.raw`a=b\,c`, { a: 'b,c' }],
    [String.raw`a='it\'s \\ here'`, { a: String.raw`it's \ here` }],
    ['a = b c  , d = e', { a: 'b c', d: 'e' }],
    ['a@=file://x,b=file://x', { a: 'content of file://x', b: 'file://x' }],
    ["a={b@='y',c=z}", { a: { b: 'content of y', c: 'z' } }],
    ['a={b=c,b=d}', { a: { b: 'd' } }],
    ['a="😀"', { a: '😀' }],
  ])('%s', (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it.each<[string, string]>([
    ['a', "Expected: '=', received: 'EOF' for input:\na\n ^"],
    ['a=b,c==d', "Expected: ',', received: '=' for input:\na=b,c==d\n      ^"],
    ['a=[b', "Expected: ',', received: 'EOF' for input:\na=[b\n    ^"],
    ['a=😀', "Expected: ',', received: '😀' for input:\na=😀\n  ^"],
    ["a='b", "Expected: '<singled quoted>', received: '<none>' for input:\na='b\n  ^"],
    ['a="b', "Expected: '<double quoted>', received: '<none>' for input:\na=\"b\n  ^"],
    ['a=b,', "Expected: '<second>', received: '<none>' for input:\na=b,\n    ^"],
    ['é=\n{a=b,\nc}\nd', "Expected: '=', received: 'é' for input:\né=\n^\n{a=b,\nc}\nd"],
    ['a={b=c,\nd}\ne', "Expected: '=', received: '}' for input:\na={b=c,\nd}\n ^\ne"],
  ])('%s is told with the place', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('says that a key is there twice, and what is the usual cause', () => {
    expect(() => parse('a=b,a=c')).toThrow(
      'Second instance of key "a" encountered for input:\na=b,a=c\n    ^\nThis is often because there is a preceding "," instead of a space.',
    );
  });
});
