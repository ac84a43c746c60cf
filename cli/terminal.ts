import { createLogUpdate } from 'log-update';
import { askYesOrNo } from './ask-yes-or-no.ts';
import { wrongUsage } from './cli-problem.ts';
import { type Alignment, drawTable } from './table.ts';

/** Where a command reads and writes. What it found goes to stdout, what it has to say meanwhile to stderr. */
export interface Terminal {
  /** A line, or some, on stdout. */
  print(text: string): void;
  /** The same on stderr: warnings and progress in words. */
  tell(text: string): void;
  /** A value as JSON on stdout. */
  json(value: unknown): void;
  /** A table on stdout. The last column is wrapped to the width of the terminal; elsewhere a row is a line. */
  table(
    head: readonly string[],
    rows: readonly (readonly string[])[],
    align?: readonly (Alignment | undefined)[],
  ): void;
  /** The same as text. */
  drawTable(
    head: readonly string[],
    rows: readonly (readonly string[])[],
    align?: readonly (Alignment | undefined)[],
  ): string;
  /** Columns of stdout; 120 if it is no terminal. */
  readonly width: number;
  /** Rows of stdout; endless if it is no terminal. */
  readonly height: number;
  /** Whether stdout is a terminal that can be drawn anew. */
  readonly isLive: boolean;
  progress(): Progress;
  /**
   * Asks on stderr; anything but `y` or `yes` is a no, and so is Ctrl-C.
   *
   * @throws CliProblem (wrong usage) if nobody can answer
   */
  confirm(question: string): Promise<boolean>;
}

/** A line that changes on stderr, if that is a terminal, from the second second on. */
export interface Progress {
  show(text: string): void;
  /** Leaves nothing behind. */
  done(): void;
}

const SHOWN_AFTER_MS = 1000;
const WIDTH_ELSEWHERE = 120;

/** The terminal, or the files and pipes, that the process was started with. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  const isLive = stdout.isTTY && process.env['TERM'] !== 'dumb';
  const write = (stream: NodeJS.WriteStream, text: string): void => {
    stream.write(`${text}\n`);
  };

  const terminal: Terminal = {
    print: (text) => write(stdout, text),
    tell: (text) => write(stderr, text),
    json: (value) => write(stdout, JSON.stringify(value, undefined, 2)),
    table: (...table) => write(stdout, terminal.drawTable(...table)),
    drawTable: (head, rows, align = []) => drawTable(head, rows, align, isLive ? terminal.width : undefined),
    get width() {
      return isLive ? stdout.columns : WIDTH_ELSEWHERE;
    },
    get height() {
      return isLive ? stdout.rows : Number.POSITIVE_INFINITY;
    },
    isLive,
    progress: () => (stderr.isTTY ? liveProgress(stderr) : { show() {}, done() {} }),
    async confirm(question) {
      if (!stdin.isTTY) throw wrongUsage(`${question} Nobody can answer here: give --yes.`);
      return askYesOrNo(question, { input: stdin, output: stderr });
    },
  };
  return terminal;
}

function liveProgress(stream: NodeJS.WriteStream): Progress {
  const update = createLogUpdate(stream);
  const begun = Date.now();
  let latest = '';
  const draw = (): void => {
    if (latest !== '') update(latest);
  };
  const timer = setTimeout(draw, SHOWN_AFTER_MS);
  return {
    show(text) {
      latest = text;
      if (Date.now() - begun >= SHOWN_AFTER_MS) draw();
    },
    done() {
      clearTimeout(timer);
      latest = '';
      update.clear();
      update.done();
    },
  };
}
