import type { Snapshot } from '../snapshot.ts';

/** How long copies took lately, at one destination. */
export interface Pace {
  /** See `destinationId`. */
  readonly destination: string;
  /** The median, in seconds. */
  readonly seconds: number;
  /** Of how many. */
  readonly copies: number;
  /** Whether these are copies that ended, or, as none has, those that run, at the pace that they have now. */
  readonly of: 'ended' | 'running';
}

/** An execution that ended well. */
export interface SucceededExecution {
  /** See `destinationId`. */
  readonly destination: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
}

/**
 * An execution that made a copy waits at least so long for its first look (core/wait-schedule.ts). What ends sooner has
 * found a complete copy, or nothing to copy, or no slot.
 */
const SHORTEST_COPY_SECONDS = 30;

/** The pace at each destination, of those executions that made a copy. */
export function pacesOf(executions: readonly SucceededExecution[]): ReadonlyMap<string, Pace> {
  const byDestination = new Map<string, number[]>();
  for (const { destination, startedAt, endedAt } of executions) {
    const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
    if (seconds < SHORTEST_COPY_SECONDS) continue;
    byDestination.set(destination, [...(byDestination.get(destination) ?? []), seconds]);
  }
  return new Map(
    [...byDestination].map(([destination, all]) => [
      destination,
      { destination, seconds: median(all), copies: all.length, of: 'ended' },
    ]),
  );
}

/** The same, of copies that are under way, for as long as none has ended; undefined if EC2 shows no progress yet. */
export function paceOfRunning(destination: string, copies: readonly Snapshot[], now: Date): Pace | undefined {
  const all = copies.flatMap((copy) => {
    const end = expectedEnd(copy, now);
    return end === undefined ? [] : [(end.getTime() - Date.parse(copy.startTime)) / 1000];
  });
  return all.length === 0 ? undefined : { destination, seconds: median(all), copies: all.length, of: 'running' };
}

/**
 * When a pending copy will be complete if it goes on as it did so far; undefined as long as EC2 shows no progress. EC2
 * promises nothing about it, and the percentage may rest for long:
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-copy-snapshot.html
 */
export function expectedEnd({ startTime, progressPercent }: Snapshot, now: Date): Date | undefined {
  if (progressPercent <= 0) return undefined;
  const begun = Date.parse(startTime);
  const elapsed = Math.max(0, now.getTime() - begun);
  return new Date(begun + (elapsed * 100) / Math.min(100, progressPercent));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below = 0, above = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return Math.round((below + above) / 2);
}
