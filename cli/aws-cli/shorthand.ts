import type { ParamValue } from './model.ts';

/**
 * The shorthand of the AWS command line, `Key=a,Value=b` or `Tags=[{Key=a,Value=b}]`, as it really reads it, which is
 * a little more and a little less than https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html says.
 */

/** Where and why a text cannot be read. */
export class ShorthandError extends Error {
  override readonly name = 'ShorthandError';
}

/** What a value after `@=` becomes: the content of the file that it names, or itself. */
type FromFile = (value: string) => ParamValue;

/** A key may be empty: `=a` is for the checks that come later. */
const KEY = /[\w.#/:-]*/y;
const SPACES = /[ \t\n\r\v\f]*/y;
const SINGLE_QUOTED = /'((?:\\'|[^'])*)'/y;
const DOUBLE_QUOTED = /"((?:\\"|[^"])*)"/y;

/** As Python counts it: JavaScript's white space and four control characters. */
const SPACE = String.raw`\t-\r\x1c-\x20`;
/** What may begin a bare value: all but space, quotes, the comma, `=`, and what opens a list or a hash. */
const BEGIN = String.raw`(?:\\,|[!#-&(-+\--<>-Z\\-z|-\uffff])`;
/** What may follow in the first value after `=`: no quotes, comma, and nothing that closes a list or a hash. */
const FIRST = new RegExp(String.raw`${BEGIN}(?:\\,|[${SPACE}!#-&(-+\--\\^-|~-\uffff])*`, 'uy');
/** What may follow in a further value of `key=a,b,c`: no quotes, comma or `=`. */
const FURTHER = new RegExp(String.raw`${BEGIN}(?:\\,|[${SPACE}!#-&(-+\--<>-\uffff])*`, 'uy');
const TRAILING_SPACE = new RegExp(String.raw`[${SPACE}\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$`);

/**
 * Reads one value of an option.
 *
 * @throws ShorthandError, and whatever `fromFile` throws
 */
export function parseShorthand(text: string, fromFile: FromFile): { readonly [key: string]: ParamValue } {
  return new Reader(text, fromFile).parameters();
}

class Reader {
  readonly #text: string;
  readonly #fromFile: FromFile;
  #at = 0;
  /** Whether the value that is read now stands after `@=`. */
  #namesFile = false;

  constructor(text: string, fromFile: FromFile) {
    this.#text = text;
    this.#fromFile = fromFile;
  }

  parameters(): { readonly [key: string]: ParamValue } {
    const read = new Map<string, ParamValue>();
    for (;;) {
      const begin = this.#at;
      const key = this.#keyAndSign();
      const value = this.#values();
      if (read.has(key)) throw this.#twice(key, begin);
      read.set(key, value);
      if (this.#atEnd()) return Object.fromEntries(read);
      this.#expect(',');
    }
  }

  #atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** A whole character, or undefined at the end. */
  #current(): string | undefined {
    const code = this.#text.codePointAt(this.#at);
    return code === undefined ? undefined : String.fromCodePoint(code);
  }

  #keyAndSign(): string {
    const key = this.#match(KEY)?.[0] ?? '';
    this.#match(SPACES);
    this.#namesFile = this.#current() === '@';
    if (this.#namesFile) this.#at += 1;
    this.#expect('=');
    return key;
  }

  /** What stands after `=` outside of brackets: there `key=a,b` is a list. */
  #values(): ParamValue {
    if (this.#atEnd()) return '';
    if (this.#current() === '[' || this.#current() === '{') return this.#bracketed();
    const first = this.#firstValue();
    this.#match(SPACES);
    if (this.#current() !== ',') return first;
    this.#expect(',');
    const all = [first];
    try {
      for (;;) {
        const next = this.#furtherValue();
        this.#match(SPACES);
        const isLast = this.#atEnd();
        if (!isLast) this.#expect(',');
        all.push(next);
        if (isLast) return all;
      }
    } catch (error) {
      if (!(error instanceof ShorthandError) || this.#atEnd()) throw error;
      // That was no value but the next key: `key=a,b,next=c`.
      this.#at = this.#text.lastIndexOf(',', this.#at);
    }
    return all.length === 1 ? first : all;
  }

  /** In brackets each value stands for itself. */
  #bracketed(): ParamValue {
    if (this.#current() === '[') return this.#list();
    return this.#current() === '{' ? this.#hash() : this.#firstValue();
  }

  #list(): ParamValue {
    const values: ParamValue[] = [];
    this.#within('[', ']', () => values.push(this.#bracketed()));
    return values;
  }

  #hash(): ParamValue {
    const members = new Map<string, ParamValue>();
    this.#within('{', '}', () => {
      const key = this.#keyAndSign();
      // The last one of equal keys wins here.
      members.set(key, this.#bracketed());
    });
    return Object.fromEntries(members);
  }

  /** Members with commas between them; a comma after the last one is fine. */
  #within(open: string, close: string, readMember: () => void): void {
    this.#expect(open);
    while (this.#current() !== close) {
      readMember();
      this.#match(SPACES);
      if (this.#current() !== close) this.#expect(',');
    }
    this.#at += close.length;
  }

  #firstValue(): ParamValue {
    if (this.#current() === "'" || this.#current() === '"') return this.#quotedValue();
    const bare = this.#match(FIRST)?.[0];
    return bare === undefined ? '' : this.#bareValue(bare);
  }

  #furtherValue(): ParamValue {
    if (this.#current() === "'" || this.#current() === '"') return this.#quotedValue();
    const bare = this.#match(FURTHER)?.[0];
    if (bare === undefined) throw this.#unexpected('<second>', '<none>');
    return this.#bareValue(bare);
  }

  #bareValue(bare: string): ParamValue {
    return this.#resolved(bare.replaceAll(String.raw`\,`, ',').replace(TRAILING_SPACE, ''));
  }

  #quotedValue(): ParamValue {
    const quote = this.#current() ?? '';
    const inside = this.#match(quote === "'" ? SINGLE_QUOTED : DOUBLE_QUOTED)?.[1];
    if (inside === undefined) {
      throw this.#unexpected(quote === "'" ? '<singled quoted>' : '<double quoted>', '<none>');
    }
    return this.#resolved(inside.replaceAll(`\\${quote}`, quote).replaceAll('\\\\', '\\'));
  }

  #resolved(value: string): ParamValue {
    return this.#namesFile ? this.#fromFile(value) : value;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found;
  }

  /** The character, with spaces around it. */
  #expect(character: string): void {
    this.#match(SPACES);
    const found = this.#current() ?? 'EOF';
    if (found !== character) throw this.#unexpected(character, found);
    this.#at += character.length;
    this.#match(SPACES);
  }

  #unexpected(expected: string, found: string): ShorthandError {
    return new ShorthandError(
      `Expected: '${expected}', received: '${found}' for input:\n${pointedAt(this.#text, this.#at)}`,
    );
  }

  #twice(key: string, at: number): ShorthandError {
    return new ShorthandError(
      `Second instance of key "${key}" encountered for input:\n${pointedAt(this.#text, at)}\nThis is often because there is a preceding "," instead of a space.`,
    );
  }
}

/** The text with a mark below the character at `index`. */
function pointedAt(text: string, index: number): string {
  const lineStart = text.lastIndexOf('\n', index - 1) + 1;
  const lineEnd = text.indexOf('\n', index);
  const end = lineEnd === -1 ? text.length : lineEnd;
  const column = Array.from(text.slice(lineStart, index)).length;
  return `${text.slice(0, end)}\n${' '.repeat(column)}^${text.slice(end)}`;
}
