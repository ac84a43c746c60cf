import fc from 'fast-check';

const word = fc.string({ unit: fc.constantFrom(...Array.from('abkV0 -_.:/@+=%~|^<>é\u00a0')), maxLength: 8 });
const anyText = fc.string({ unit: fc.constantFrom(...Array.from(`aZ9 "'\\,={}[]@:#\tü😀`)), maxLength: 10 });

/** Bare where that may be, and quoted in either way. */
const value = fc.oneof(
  word.map((text) => text.replaceAll(/^[\s=]+/g, '')),
  word.map((text) => text.replaceAll(/^[\s=]+/g, '').replaceAll('.', String.raw`\,`)),
  anyText.map((text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`),
  anyText.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`),
);
const space = fc.constantFrom('', '', '', ' ', '\n');
const tag = fc
  .tuple(value, value, space, space)
  .map(([key, text, before, after]) => `{Key=${before}${key}${after},${before}Value=${text}${after}}`);
/** Shorthand that can be read. */
export const tagSpecification: fc.Arbitrary<string> = fc
  .tuple(fc.array(tag, { maxLength: 3 }), fc.boolean(), space)
  .map(([tags, typeFirst, after]) => {
    const list = `Tags=[${tags.join(`,${after}`)}]`;
    return typeFirst ? `ResourceType=snapshot,${after}${list}` : `${list}${after},ResourceType=snapshot`;
  });

/** The same with a piece cut out, and something else in its place: some of it can still be read. */
export const mutilated: fc.Arbitrary<string> = fc
  .tuple(tagSpecification, fc.nat(), fc.nat(6), fc.oneof(anyText, fc.constantFrom(',', '=', ']', '}', "'", '"', '')))
  .map(([text, at, length, instead]) => {
    const characters = Array.from(text);
    const from = at % (characters.length + 1);
    return [...characters.slice(0, from), instead, ...characters.slice(from + length)].join('');
  });
