import { setTimeout as sleep } from 'node:timers/promises';
import { createLogUpdate } from 'log-update';
import { CopierError, RequestRefusedError, UnreadableInputError } from '../../core/errors.ts';
import type { Install } from '../../core/install.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { inMinutes } from '../words.ts';
import { linesOfChanges } from './change-lines.ts';
import type { Seen, StatusLooks } from './look.ts';
import { closingOf, printStatus, warningsOf } from './print.ts';
import { drawScreen } from './screen.ts';
import { sectionsOf } from './sections.ts';
import { statusAsJson } from './status-json.ts';

interface WatchOptions {
  readonly looks: StatusLooks;
  readonly install: Install;
  readonly terminal: Terminal;
  readonly intervalMs: number;
  readonly json: boolean;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** What is told of each look. */
interface Teller {
  saw(seen: Seen): Promise<void>;
  /** A look did not succeed; the next one may. */
  missed(why: string): void;
  end(): void;
}

/**
 * Looks again and again until it is interrupted. What AWS or the network have trouble with is noted, and looked at again.
 *
 * @throws if the first look already is refused for good
 */
export async function watchStatus(options: WatchOptions): Promise<ExitCode> {
  const { looks, intervalMs } = options;
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort();
  const over = new Promise<'over'>((resolve) => {
    interrupted.signal.addEventListener('abort', () => resolve('over'));
  });
  // Not `once`: what restores the cursor would then find itself alone, and have the signal end the process.
  for (const signal of SIGNALS) process.on(signal, interrupt);
  const teller = tellerFor(options);
  let hasSeen = false;
  try {
    for (;;) {
      const begun = performance.now();
      const seen = await Promise.race([over, lookOnce(looks, hasSeen)]);
      if (seen === 'over') return EXIT.fine;
      if ('why' in seen) teller.missed(seen.why);
      else {
        hasSeen = true;
        await teller.saw(seen);
      }
      const rest = Math.max(0, intervalMs - (performance.now() - begun));
      const slept = await Promise.race([
        over,
        sleep(rest, 'slept', { ref: true, signal: interrupted.signal }).catch(() => 'over'),
      ]);
      if (slept === 'over') return EXIT.fine;
    }
  } finally {
    teller.end();
    for (const signal of SIGNALS) process.off(signal, interrupt);
    // A call that is under way must not keep the process.
    if (interrupted.signal.aborted) setImmediate(() => process.exit());
  }
}

async function lookOnce(looks: StatusLooks, mayWait: boolean): Promise<Seen | { readonly why: string }> {
  try {
    return await looks.look();
  } catch (error) {
    if (!(error instanceof CopierError)) throw error;
    const isForGood = error instanceof RequestRefusedError || error instanceof UnreadableInputError;
    if (isForGood && !mayWait) throw error;
    return { why: error.message };
  }
}

function tellerFor(options: WatchOptions): Teller {
  if (options.json) return jsonTeller(options);
  return options.terminal.isLive ? liveTeller(options) : lineTeller(options);
}

/** The screen, drawn anew. */
function liveTeller({ install, terminal, intervalMs }: WatchOptions): Teller {
  const update = createLogUpdate(process.stdout);
  let latest: Seen | undefined;
  let missed: string | undefined;
  const draw = () => {
    const { width, height } = terminal;
    const when = latest === undefined ? 'not seen yet' : `${latest.status.at.slice(11, 19)}Z`;
    const title = `${install.name}, ${install.region}, ${when}, every ${intervalMs / 1000} s, Ctrl-C ends`;
    const notes = [
      ...(missed === undefined ? [] : [`No look succeeds now, so this was before; the next one may: ${missed}`]),
      ...(latest === undefined ? [] : warningsOf(latest)),
    ];
    const foot = latest === undefined ? [] : closingOf(latest);
    const sections = latest === undefined ? [] : sectionsOf(latest, { width, isTight: true });
    update(drawScreen(sections, { title, notes, foot }, width, height));
  };
  process.stdout.on('resize', draw);
  return {
    async saw(seen) {
      latest = seen;
      missed = undefined;
      draw();
    },
    missed(why) {
      missed = why;
      draw();
    },
    end() {
      process.stdout.off('resize', draw);
      update.done();
      // Away from the ^C that the terminal has written.
      process.stdout.write('\n');
    },
  };
}

/** For a log: how it is at first, and then a line for each change. */
function lineTeller({ looks, install, terminal }: WatchOptions): Teller {
  let before: Seen | undefined;
  let missed: string | undefined;
  return {
    async saw(seen) {
      if (missed !== undefined) terminal.print(`${inMinutes(seen.status.at)} looks succeed again`);
      missed = undefined;
      if (before === undefined) printStatus(terminal, seen, install, { all: true });
      else for (const line of await linesOfChanges(before, seen, looks)) terminal.print(line);
      before = seen;
    },
    missed(why) {
      if (missed === undefined)
        terminal.print(
          `${before === undefined ? '' : `${inMinutes(before.status.at)} was the last look that succeeded; `}the next one may again: ${why}`,
        );
      missed = why;
    },
    end() {},
  };
}

/** For machines: an object a line. */
function jsonTeller({ install, terminal }: WatchOptions): Teller {
  return {
    async saw(seen) {
      terminal.print(JSON.stringify(statusAsJson(seen, install)));
    },
    missed(why) {
      terminal.print(JSON.stringify({ missed: why }));
    },
    end() {},
  };
}
