import FakeTimers from '@sinonjs/fake-timers';
import type { Clock } from './clock.ts';

/**
 * `jumping`: time stands still until somebody asks for it, then jumps from timer to timer, and never while work is
 * under way. `paced`: time runs by itself, `speed` times as fast as real time, but at real speed while work is under
 * way, so that the time-outs of functions and tasks keep their meaning.
 */
export type TimeMode = { readonly mode: 'jumping' } | { readonly mode: 'paced'; readonly speed: number };

/**
 * The time of the whole sandbox. Installed, it replaces `Date`, `setTimeout`, `setInterval` and their `clear…` of this
 * process, because the libraries that the sandbox is made of use them; everything else of Node stays real. Other than
 * Node's, its timers can be of any length. One at a time in a process.
 */
export interface VirtualClock extends Clock {
  readonly mode: TimeMode['mode'];
  /**
   * How many times as fast as real time it runs from now on.
   * @throws Error if it does not run by itself
   */
  setSpeed(speed: number): void;
  /** Runs `task` after `ms` milliseconds of real time. The answer cancels it. */
  afterReal(ms: number, task: () => void): () => void;
  /** Says that work is under way until the answer is called. Calling it twice is harmless. */
  begin(): () => void;
  /** The same for as long as `work` is not settled. */
  during<T>(work: Promise<T>): Promise<T>;
  /** Resolves when no work is under way and nothing follows from what was done. */
  quiet(): Promise<void>;
  /** Resolves when `ms` milliseconds of sandbox time have passed and all that was due in them is done. */
  advance(ms: number): Promise<void>;
  /**
   * Resolves as soon as `reached` answers true. Throws if it does not within `limitMs` of sandbox time.
   * `reached` is asked after every timer (jumping) or every few milliseconds (paced).
   */
  advanceUntil(reached: () => boolean | Promise<boolean>, limitMs: number): Promise<void>;
  /** Gives the process its own time back. Timers that are left never fire. */
  uninstall(): void;
}

/** How often Node's event loop must turn without new work before nothing more can follow. */
const QUIET_TURNS = 3;
/** The longest delay of Node's timers, and of those that replace them: a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Real time between two looks of the paced driver. */
const PACE_MS = 5;
/** A real pause longer than this (a sleeping laptop, a breakpoint) counts as this long. */
const LONGEST_PACE_MS = 250;

/** Installs the clock. Throws if another one, or other fake timers, are installed in this process. */
export function installVirtualClock(options: { readonly start: Date; readonly time: TimeMode }): VirtualClock {
  const { time } = options;
  const real = { setTimeout, clearTimeout, setImmediate };
  const faked: typeof Date & { isFake?: boolean } = Date;
  if (faked.isFake === true) {
    throw new Error(
      'Timers are replaced already: only one sandbox runs in a process at a time; stop the other one first.',
    );
  }
  const timers = FakeTimers.install({
    now: options.start,
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    shouldClearNativeTimers: true,
  });

  const short = { set: timers.setTimeout, clear: timers.clearTimeout };
  /** The part under way of each longer timer, by its first part, which is the one that others know. */
  const parts = new Map<unknown, ReturnType<typeof short.set>>();
  // The replaced functions call these ones.
  Object.assign(timers, {
    setTimeout(task: (...args: unknown[]) => void, ms: number, ...args: unknown[]) {
      if (!(ms > LONGEST_TIMER_MS)) return short.set(task, ms, ...args);
      const end = timers.now + ms;
      const next = (): void => {
        const left = end - timers.now;
        if (left > 0) {
          parts.set(first, short.set(next, Math.min(left, LONGEST_TIMER_MS)));
        } else {
          parts.delete(first);
          task(...args);
        }
      };
      const first = short.set(next, LONGEST_TIMER_MS);
      return first;
    },
    clearTimeout(timer: ReturnType<typeof short.set>) {
      short.clear(parts.get(timer) ?? timer);
      parts.delete(timer);
    },
  });

  let underWay = 0;
  let idle = Promise.withResolvers<void>();
  let installed = true;

  const turn = (): Promise<void> => new Promise((resolve) => real.setImmediate(resolve));
  const realPause = (ms: number): Promise<void> => new Promise((resolve) => real.setTimeout(resolve, ms));

  function begin(): () => void {
    underWay += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      underWay -= 1;
      if (underWay > 0) return;
      idle.resolve();
      idle = Promise.withResolvers();
    };
  }

  function after(ms: number, task: () => void): () => void {
    const timer = timers.setTimeout(task, ms);
    return () => timers.clearTimeout(timer);
  }

  async function quiet(): Promise<void> {
    for (let turns = 0; turns < QUIET_TURNS; ) {
      if (underWay > 0) {
        await idle.promise;
        turns = 0;
      } else {
        await turn();
        turns += 1;
      }
    }
  }

  /**
   * Fires what is due until `ms` have passed, with `settle` after each timer. `stop` is asked after each, and ends it
   * early. A timer of our own marks the end, so that no other one beyond it fires.
   */
  async function run(ms: number, settle: () => Promise<void>, stop: () => boolean | Promise<boolean>): Promise<void> {
    const end = timers.now + ms;
    for (;;) {
      const left = end - timers.now;
      const mark = { reached: false };
      let fired = 0;
      const timer = timers.setTimeout(
        () => {
          mark.reached = true;
        },
        Math.min(left, LONGEST_TIMER_MS),
      );
      for (;;) {
        timers.next();
        if (mark.reached) break;
        fired += 1;
        await settle();
        if (!installed || (await stop())) {
          timers.clearTimeout(timer);
          return;
        }
      }
      // What was done at the very end may have set timers for that same moment; they are due as well.
      if (left <= 0 && fired === 0) return;
    }
  }

  async function advanceJumping(ms: number): Promise<void> {
    await quiet();
    await run(ms, quiet, () => false);
  }

  async function advanceUntilJumping(reached: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
    await quiet();
    let done = await reached();
    if (!done) {
      await run(limitMs, quiet, async () => {
        done = await reached();
        return done;
      });
      done ||= await reached();
    }
    if (!done) throw new LimitReachedError(limitMs);
  }

  async function waitPaced(reached: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
    const end = timers.now + limitMs;
    for (;;) {
      if (await reached()) return true;
      if (timers.now >= end || !installed) return false;
      await realPause(PACE_MS);
    }
  }

  let speed = time.mode === 'paced' ? time.speed : 0;

  function startPacing(): void {
    let last = performance.now();
    let carried = 0;
    const step = async (): Promise<void> => {
      const now = performance.now();
      const elapsed = Math.min(now - last, LONGEST_PACE_MS);
      last = now;
      const slow = underWay > 0;
      carried += elapsed * (slow ? 1 : speed);
      const whole = Math.floor(carried);
      carried -= whole;
      // Fast time must not run over work that has just begun: the rest of the step is then dropped.
      if (whole > 0) await run(whole, turn, () => !slow && underWay > 0);
      if (installed) real.setTimeout(pace, PACE_MS);
    };
    const pace = (): void => {
      if (!installed) return;
      step().catch((error: unknown) => {
        // As an error in an ordinary timer: nobody is there to catch it.
        real.setImmediate(() => {
          throw error;
        });
      });
    };
    pace();
  }

  if (time.mode === 'paced') startPacing();

  return {
    mode: time.mode,
    setSpeed(wanted) {
      if (time.mode === 'jumping') throw new Error('Time stands still here until somebody moves it: it has no speed.');
      speed = wanted;
    },
    now: () => timers.now,
    after,
    afterReal(ms, task) {
      const timer = real.setTimeout(task, ms);
      return () => real.clearTimeout(timer);
    },
    begin,
    async during(work) {
      const end = begin();
      try {
        return await work;
      } finally {
        end();
      }
    },
    quiet,
    async advance(ms) {
      if (time.mode === 'jumping') await advanceJumping(ms);
      else await waitPaced(() => false, ms);
    },
    async advanceUntil(reached, limitMs) {
      if (time.mode === 'jumping') await advanceUntilJumping(reached, limitMs);
      else if (!(await waitPaced(reached, limitMs))) throw new LimitReachedError(limitMs);
    },
    uninstall() {
      if (!installed) return;
      installed = false;
      // It puts back what it replaced only where it finds its own functions.
      Object.assign(timers, { setTimeout: short.set, clearTimeout: short.clear });
      timers.uninstall();
    },
  };
}

/** `advanceUntil` waited in vain. */
export class LimitReachedError extends Error {
  override readonly name = 'LimitReachedError';
  constructor(limitMs: number) {
    super(`What was waited for did not happen within ${limitMs / 1000} s of sandbox time.`);
  }
}
