import type { Snapshot } from './snapshot.ts';

/** Events take seconds, and are tried again for hours only if something is wrong: what completed just now is in no need yet. */
const EVENTS_TAKE_SECONDS = 15 * 60;

/** A first snapshot of a large volume may take days; EC2 lists by the time that it was begun. */
const SNAPSHOTS_TAKE_HOURS = 72;

/**
 * The days (UTC) on which a snapshot that completed in the last so many hours can have begun.
 *
 * @returns for example `['2026-01-01', …, '2026-01-05']`
 */
export function daysOf(lookbackHours: number, now: Date): readonly string[] {
  return daysBetween(new Date(now.getTime() - (lookbackHours + SNAPSHOTS_TAKE_HOURS) * 3_600_000), now);
}

const DAY_MS = 86_400_000;

/** The days (UTC) from one moment to another, as `daysOf`. */
export function daysBetween(from: Date, to: Date): readonly string[] {
  const [first, last] = [Math.floor(from.getTime() / DAY_MS), Math.floor(to.getTime() / DAY_MS)];
  return Array.from({ length: last - first + 1 }, (_, index) =>
    new Date((first + index) * DAY_MS).toISOString().slice(0, 10),
  );
}

/** Whether an event of this snapshot should have been heard by now. */
export function shouldBeKnown(
  snapshot: Pick<Snapshot, 'startTime' | 'completionTime'>,
  lookbackHours: number,
  now: Date,
): boolean {
  const completed = Date.parse(snapshot.completionTime ?? snapshot.startTime);
  const sinceHours = (now.getTime() - completed) / 3_600_000;
  return sinceHours <= lookbackHours && sinceHours * 3600 >= EVENTS_TAKE_SECONDS;
}
