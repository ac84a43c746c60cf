import { stripVTControlCharacters, styleText } from 'node:util';
import { createLogUpdate } from 'log-update';

/** A line for a log, and what makes it worth printing: it is left out while `news` was printed before. */
export interface Line {
  readonly line: string;
  readonly news: string;
}

/** A log has no edge. */
const PLAIN_COLUMNS = 200;

/** Standard output: a terminal is drawn anew at each look, a log gets lines. */
export class Screen {
  readonly #live = process.stdout.isTTY ? createLogUpdate(process.stdout) : undefined;
  readonly #printed = new Set<string>();

  /** Of a terminal as it is now: it may be resized. */
  get columns(): number {
    return this.#live === undefined ? PLAIN_COLUMNS : process.stdout.columns;
  }

  get rows(): number {
    return this.#live === undefined ? Number.POSITIVE_INFINITY : process.stdout.rows;
  }

  /** What can be seen now: `picture` in a terminal, `lines` in a log. */
  show(picture: () => string, lines: () => readonly Line[]): void {
    if (this.#live !== undefined) {
      this.#live(picture());
      return;
    }
    for (const { line, news } of lines()) {
      if (!this.#printed.has(news)) say(line);
      this.#printed.add(news);
    }
  }

  /** What is left standing of it, when all is over. */
  keep(picture: () => string): void {
    if (this.#live === undefined) {
      say(`\n${stripVTControlCharacters(picture())}`);
      return;
    }
    this.#live(picture());
    this.#live.done();
  }

  /** Something with colours, below all that was kept. */
  print(picture: string): void {
    say(this.#live === undefined ? stripVTControlCharacters(picture) : picture);
  }
}

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function heading(text: string): string {
  return process.stdout.isTTY ? styleText('bold', text) : text;
}
