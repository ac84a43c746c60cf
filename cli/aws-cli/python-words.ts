import { isList, isStructure, type ParamValue } from './model.ts';

/** How Python names and writes values: the AWS command line is written in it, and it shows in what it prints. */

/** As `str()` writes it: a text as it is, and all else as in a program. */
export function pythonText(value: ParamValue): string {
  return typeof value === 'string' ? value : pythonSource(value);
}

/** As `repr()` writes it. */
export function pythonSource(value: ParamValue): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (value instanceof Uint8Array) return `b${quoted(String.fromCharCode(...value), true)}`;
  if (isList(value)) return `[${value.map(pythonSource).join(', ')}]`;
  const members = Object.entries(value).map(([key, member]) => `${quoted(key)}: ${pythonSource(member)}`);
  return `{${members.join(', ')}}`;
}

/** The type's name, as Python prints it. */
export function pythonType(value: ParamValue): string {
  if (value === null) return "<class 'NoneType'>";
  if (value instanceof Uint8Array) return "<class 'bytes'>";
  if (isList(value)) return "<class 'list'>";
  if (isStructure(value)) return "<class 'dict'>";
  if (typeof value === 'string') return "<class 'str'>";
  if (typeof value === 'boolean') return "<class 'bool'>";
  return Number.isInteger(value) ? "<class 'int'>" : "<class 'float'>";
}

/**
 * A whole number in the forms that Python's `int()` takes: spaces around it, a sign, single underscores between digits.
 * Undefined if it is none.
 */
export function pythonInteger(text: string): number | undefined {
  return /^\s*[+-]?\d+(?:_\d+)*\s*$/.test(text) ? Number(text.replaceAll('_', '')) : undefined;
}

const ESCAPES = new Map([
  ['\n', String.raw`\n`],
  ['\r', String.raw`\r`],
  ['\t', String.raw`\t`],
  ['\\', String.raw`\\`],
]);

function quoted(text: string, isBytes = false): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = '';
  for (const character of text) written += ESCAPES.get(character) ?? escaped(character, quote, isBytes);
  return `${quote}${written}${quote}`;
}

function escaped(character: string, quote: string, isBytes: boolean): string {
  if (character === quote) return `\\${quote}`;
  const code = character.charCodeAt(0);
  return code < 0x20 || (code >= 0x7f && (isBytes || code < 0xa1))
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : character;
}
