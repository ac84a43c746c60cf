import { minutesAndSeconds } from './clock-face.ts';
import type { QueueEvidence, Start } from './queue-evidence.ts';
import type { QueueRow } from './queue-observer.ts';
import type { SeenCopy } from './seen-copies.ts';

/** Has every request of the burst come to an end? */
export function isDrained(rows: readonly QueueRow[]): boolean {
  return rows.every(({ request }) => request !== undefined && !['waiting', 'running'].includes(request.status));
}

/**
 * Everything about the burst that is not as it had to be; empty = the promise was kept.
 *
 * @param deleted id of the snapshot that was deleted while it waited
 */
export function problemsOfQueue(
  rows: readonly QueueRow[],
  deleted: string,
  { starts, copies, copySnapshotCalls }: QueueEvidence,
): readonly string[] {
  const slots = slotsOf(rows);
  const most = mostAtOnce(copies);
  const copied = starts.filter((start) => start.copied !== undefined);
  const volumes = new Set(copied.map(({ row }) => row.snapshot.volume));
  const full = copied.filter((start) => start.copied?.how === 'full').length;
  return [
    ...rows.flatMap((row) =>
      problemsOfRow(row, row.snapshot.snapshotId === deleted ? 'skipped' : 'copied').map(
        (problem) => `${row.snapshot.name}: ${problem}`,
      ),
    ),
    ...(most === slots ? [] : [`at most ${most} copies were under way at once, through ${slots} slots`]),
    ...[...volumes]
      .filter((volume) => copiedTwiceAtOnce(volume, rows))
      .map((volume) => `two copies of ${volume} at once`),
    ...(starts.some((start) => waitOf(start) > 60_000) ? [] : ['nobody had to wait']),
    ...(copySnapshotCalls === copied.length
      ? []
      : [`CopySnapshot was called ${copySnapshotCalls} times for ${copied.length} copies`]),
    ...(full === volumes.size ? [] : [`${full} copies of ${volumes.size} volumes were full ones`]),
    ...starts.flatMap((start) =>
      overtakenBy(start, starts).map((older) => `${start.row.snapshot.name} overtook ${older.row.snapshot.name}`),
    ),
  ];
}

/** What was measured, in lines that fit a narrow terminal. */
export function summaryOfQueue(
  rows: readonly QueueRow[],
  { starts, copies, copySnapshotCalls }: QueueEvidence,
): readonly string[] {
  const skipped = rows.filter(({ request }) => request?.status === 'skipped').length;
  const count = (how: 'full' | 'incremental') => starts.filter(({ copied }) => copied?.how === how).length;
  const longest = Math.max(...starts.map(waitOf));
  return [
    `Queue: ${rows.length} requests through ${slotsOf(rows)} slots, never more than ${mostAtOnce(copies)} at once, oldest first;`,
    `  CopySnapshot called ${copySnapshotCalls} times, for ${count('full')} full and ${count('incremental')} incremental copies;`,
    `  ${skipped} skipped because its source was deleted; the longest wait was ${minutesAndSeconds(new Date(0), new Date(longest))}.`,
  ];
}

function problemsOfRow({ request, copies }: QueueRow, end: 'copied' | 'skipped'): readonly string[] {
  const wanted = end === 'copied' ? 1 : 0;
  const unfinished = copies.filter(({ state }) => state !== 'completed');
  return [
    ...(request?.status === end ? [] : [`expected ${end}, it is ${request?.status ?? 'not heard of'}`]),
    ...(copies.length === wanted ? [] : [`expected ${wanted} copies, found ${copies.length}`]),
    ...unfinished.map(({ state }) => `the copy is ${state}`),
  ];
}

function slotsOf(rows: readonly QueueRow[]): number {
  return Math.max(0, ...rows.map(({ request }) => request?.request.destination.slots ?? 0));
}

/** From EC2's own times of each copy. */
function mostAtOnce(copies: readonly SeenCopy[]): number {
  return Math.max(0, ...copies.map((copy) => copies.filter((other) => isUnderWay(other, copy.startTime)).length));
}

/** From EC2's own times too. */
function copiedTwiceAtOnce(volume: string, rows: readonly QueueRow[]): boolean {
  const ofVolume = rows.filter(({ snapshot }) => snapshot.volume === volume);
  return mostAtOnce(ofVolume.flatMap(({ copies }) => copies)) > 1;
}

function isUnderWay({ startTime, completionTime }: SeenCopy, at: Date | undefined): boolean {
  if (startTime === undefined || at === undefined) return false;
  return startTime <= at && (completionTime === undefined || at < completionTime);
}

function waitOf({ requestedAt, startedAt }: Start): number {
  return startedAt.getTime() - requestedAt.getTime();
}

/** Older ones that waited already and had nothing to wait for, but that this one started before them. */
function overtakenBy(start: Start, starts: readonly Start[]): readonly Start[] {
  const at = start.startedAt;
  const waited = starts.filter((other) => waitedAt(other, at));
  return waited.filter(
    (older) => older.takenAt < start.takenAt && !starts.some((other) => other !== start && holds(other, older, at)),
  );
}

/** A decision takes a moment: who was heard of within the last second may have come too late for it. */
function waitedAt({ requestedAt, startedAt }: Start, at: Date): boolean {
  return requestedAt.getTime() + 1000 < at.getTime() && at < startedAt;
}

/** Whether the request had to wait then for another one of its volume: for its copy, or because it is older. */
function holds(other: Start, waiting: Start, at: Date): boolean {
  if (other === waiting || other.row.snapshot.volume !== waiting.row.snapshot.volume) return false;
  const isRunning = other.startedAt <= at && (other.endedAt === undefined || at < other.endedAt);
  return isRunning || (waitedAt(other, at) && other.takenAt < waiting.takenAt);
}
