import type { Terminal } from '../terminal.ts';

/** What goes on meanwhile, on stderr. */
export interface Reporter {
  /** @param about what it is about: where a line cannot be drawn anew, the next one comes when this has changed */
  say(text: string, about?: string): void;
  done(): void;
}

/** In a log, work that takes seconds needs no line. */
const SILENT_MS = 3000;

/** On a terminal one line that changes, elsewhere lines below each other. */
export function reporter(terminal: Terminal): Reporter {
  if (process.stderr.isTTY) {
    const progress = terminal.progress();
    return { say: (text) => progress.show(text), done: () => progress.done() };
  }
  const begun = Date.now();
  let latest: string | undefined;
  return {
    say(text, about = text) {
      if (about === latest || Date.now() - begun < SILENT_MS) return;
      latest = about;
      terminal.tell(text);
    },
    done() {},
  };
}
