import type { Clock } from '../../sandbox/clock.ts';

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /** Lets so many milliseconds pass and runs what becomes due, in order, and what that asks for as well. */
  advance(ms: number): void;
}

export function manualClock(start: number = Date.parse('2026-03-02T04:00:00Z')): ManualClock {
  let now = start;
  /** Sorted by time; what is due at the same time keeps the order in which it was asked for. */
  const waiting: Entry[] = [];

  function nextUntil(end: number): Entry | undefined {
    return (waiting[0]?.at ?? Number.POSITIVE_INFINITY) <= end ? waiting.shift() : undefined;
  }

  return {
    now: () => now,
    after(ms, task) {
      const entry = { at: now + Math.max(0, ms), task };
      const later = waiting.findIndex(({ at }) => at > entry.at);
      waiting.splice(later < 0 ? waiting.length : later, 0, entry);
      return () => {
        const index = waiting.indexOf(entry);
        if (index >= 0) waiting.splice(index, 1);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (let due = nextUntil(end); due !== undefined; due = nextUntil(end)) {
        now = due.at;
        due.task();
      }
      now = end;
    },
  };
}

interface Entry {
  readonly at: number;
  readonly task: () => void;
}
