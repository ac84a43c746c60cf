import { type Arguments, integer } from './arguments.ts';
import { unreadableOption } from './aws-cli-problem.ts';
import { INPUT, isList, isStructure, optionOf, type ParamValue, type Shape } from './model.ts';
import { type Files, fromFile, ParamFileError } from './param-files.ts';
import { parseShorthand, ShorthandError } from './shorthand.ts';

/** The parameters of the call as they were given: whether they are right is not looked at yet. */
export type Parameters = Readonly<Record<string, ParamValue>>;

/**
 * The parameters that the arguments give, files and `--cli-input-json` read; what an option says wins over that.
 *
 * @throws CliProblem
 */
export function unpackParameters({ given, cliInputJson }: Arguments, files: Files): Parameters {
  const parameters = new Map<string, ParamValue>();
  for (const [parameter, shape] of Object.entries(INPUT.members)) {
    const value = given.get(parameter);
    if (value !== undefined) parameters.set(parameter, unpack(optionOf(parameter), shape, value, files));
  }
  if (cliInputJson !== undefined) {
    const content = loaded('--cli-input-json', cliInputJson, files);
    const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
    const input = json('cli-input-json', text);
    if (!isStructure(input)) {
      throw unreadableOption('cli-input-json', `Invalid JSON: it takes an object\nJSON received: ${text}`);
    }
    for (const [parameter, value] of Object.entries(input)) {
      if (!parameters.has(parameter)) parameters.set(parameter, value);
    }
  }
  return Object.fromEntries(parameters);
}

function unpack(option: string, shape: Shape, value: string | boolean | readonly string[], files: Files): ParamValue {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return unpackList(option, shape, value, files);
  const content = loaded(option, value, files);
  if (shape.type !== 'integer') return content;
  return integer(typeof content === 'string' ? content : new TextDecoder('latin1').decode(content));
}

/** Words that follow one option: JSON in one or in several words, or shorthand in each. One word may be a file. */
function unpackList(option: string, shape: Shape, words: readonly string[], files: Files): ParamValue {
  const [first, ...others] = words;
  const content = first !== undefined && others.length === 0 ? loaded(option, first, files) : first;
  if (content instanceof Uint8Array) {
    throw unreadableOption(option, `it takes text, and fileb:// gives bytes: use file:// for ${first}`);
  }
  const isFile = content !== first;
  if (content === undefined || !/^[[{]/.test(content.trim())) {
    const read = (text: string): ParamValue => shorthand(option, text, files);
    // A file is taken for the whole list, which shorthand cannot be: the check that comes later says so.
    return isFile && content !== undefined ? read(content) : withLists(words.map(read), shape);
  }
  if (others.length === 0 && content.trim().startsWith('[')) return json(option, content);
  if (isFile) {
    throw unreadableOption(option, `Invalid JSON: it takes a list, [...]\nJSON received: ${content}`);
  }
  return words.map((word) => {
    if (!word.trim().startsWith('{')) throw unreadableOption(option, `Invalid JSON:\n${word}`);
    return json(option, word);
  });
}

function shorthand(option: string, text: string, files: Files): ParamValue {
  try {
    return parseShorthand(text, (value) => fromFile(value, files));
  } catch (error) {
    if (error instanceof ShorthandError || error instanceof ParamFileError) {
      throw unreadableOption(option, error.message);
    }
    throw error;
  }
}

/** Shorthand leaves open whether `Tags={Key=a}` is a list of one: where the model has a list, it is. */
function withLists(value: ParamValue, shape: Shape): ParamValue {
  if (shape.type === 'list') {
    return isList(value) ? value.map((member) => withLists(member, shape.member)) : [value];
  }
  if (shape.type !== 'structure' || !isStructure(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const known = Object.hasOwn(shape.members, key) ? shape.members[key] : undefined;
      return [key, known === undefined ? member : withLists(member, known)];
    }),
  );
}

function loaded(option: string, value: string, files: Files): string | Uint8Array {
  try {
    return fromFile(value, files);
  } catch (error) {
    if (error instanceof ParamFileError) throw unreadableOption(option, error.message);
    throw error;
  }
}

function json(option: string, text: string): ParamValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    // JavaScript quotes the text in its message, with its line breaks.
    const problem = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ');
    throw unreadableOption(option, `Invalid JSON: ${problem}\nJSON received: ${text}`);
  }
}
