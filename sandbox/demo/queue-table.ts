import { styleText } from 'node:util';
import Table from 'cli-table3';
import { progressBar } from '../../cli/progress-bar.ts';
import { minutesAndSeconds, timeOfDay } from './clock-face.ts';
import type { Start } from './queue-evidence.ts';
import type { QueueRow } from './queue-observer.ts';

/**
 * The queue while it drains: what is being copied, and what waits, in its order, for how long and why.
 *
 * @param columns how wide the terminal is: what is longer is cut.
 * @param lines how many there is room for, at least 1: what does not fit is counted.
 */
export function drawQueue(rows: readonly QueueRow[], now: Date, columns: number, lines: number): string {
  const width = Math.max(...rows.map(({ snapshot }) => snapshot.name.length));
  const running = rows.filter(({ request }) => request?.status === 'running').toSorted(byStart);
  const waiting = rows.filter((row) => row.waiting !== undefined).toSorted(byPlace);
  const all = [
    ...running.map((row) => styleText('cyan', cut(runningLine(row, now, width), columns))),
    ...waiting.map((row) => styleText('gray', cut(waitingLine(row, rows, now, width), columns))),
  ];
  const room = lines - 1;
  const shown = all.length <= room ? all : all.slice(0, Math.max(0, room - 1));
  const more = all.length - shown.length;
  return [
    styleText('bold', cut(titleOf(rows), columns)),
    ...shown,
    ...(more > 0 && room > 0 ? [styleText('gray', `      and ${more} more`)] : []),
  ].join('\n');
}

/** The same for a log. `news` is the same for as long as nothing but time and the place in the queue have changed. */
export function describeQueueRow(
  row: QueueRow,
  rows: readonly QueueRow[],
): readonly { readonly line: string; readonly news: string }[] {
  const { snapshot, request, waiting, copies } = row;
  if (request === undefined) return [];
  const { region } = request.request.destination;
  const { status, waitingSince, reason } = request;
  const result = {
    waiting: `no. ${waiting?.place} since ${timeOfDay(new Date(waitingSince))}: ${inNames(waiting?.why ?? '', rows)}`,
    running: '',
    copied: copies.map(({ copyId }) => copyId).join(' '),
    failed: reason,
    skipped: reason,
  }[status];
  const line =
    `${snapshot.snapshotId} -> ${region.padEnd(12)} ${status.padEnd(9)} ${snapshot.name} ${result}`.trimEnd();
  return [{ line, news: line.replace(/ no\. \d+ /, ' ') }];
}

/** What became of the queue: all its requests in the order in which they started. */
export function drawStarts(starts: readonly Start[], columns: number): string {
  const isWide = columns >= 104;
  const shown: readonly (readonly [head: string, cell: (start: Start, index: number) => string])[] = [
    ['Start', (_, index) => `${index + 1}.`.padStart(5)],
    ['Snapshot', ({ row }) => row.snapshot.name],
    ...(isWide ? [['Id', ({ row }: Start) => row.snapshot.snapshotId] as const] : []),
    ['Taken', ({ takenAt }) => timeOfDay(takenAt)],
    ['Heard of', ({ requestedAt }) => timeOfDay(requestedAt)],
    ['Waited', ({ requestedAt, startedAt }) => minutesAndSeconds(requestedAt, startedAt).padStart(6)],
    ['Copied in', ({ copied }) => (copied === undefined ? '' : minutesAndSeconds(copied.from, copied.to).padStart(9))],
    ['Result', ({ row, copied }) => copied?.how ?? row.request?.status ?? ''],
  ];
  const table = new Table({
    head: shown.map(([head]) => head),
    style: { head: ['bold'], border: ['gray'], compact: true },
  });
  for (const [index, start] of starts.entries()) table.push(shown.map(([, cell]) => cell(start, index)));
  return table.toString();
}

function titleOf(rows: readonly QueueRow[]): string {
  const destination = rows.find(({ request }) => request !== undefined)?.request?.request.destination;
  const counts = (['running', 'waiting', 'copied', 'skipped', 'failed'] as const)
    .map((status) => ({ status, count: rows.filter(({ request }) => request?.status === status).length }))
    .filter(({ count }) => count > 0)
    .map(({ status, count }) => `${count} ${status}`);
  const unheard = rows.filter(({ request }) => request === undefined).length;
  if (destination === undefined) return `Queue: ${unheard} snapshots, none heard of yet`;
  const all = [...counts, ...(unheard > 0 ? [`${unheard} not heard of yet`] : [])];
  return `Queue for ${destination.region}, ${destination.slots} slots: ${all.join(', ')}`;
}

function runningLine({ snapshot, request, copies }: QueueRow, now: Date, width: number): string {
  const [copy] = copies;
  const since = copy?.startTime ?? new Date(request?.changedAt ?? now);
  const doing = copy === undefined ? 'running' : 'copying';
  const bar = copy === undefined ? '' : progressBar(copy.progressPercent);
  return `      ${snapshot.name.padEnd(width)} ${doing} ${minutesAndSeconds(since, now).padStart(5)}  ${bar}`.trimEnd();
}

function waitingLine(row: QueueRow, rows: readonly QueueRow[], now: Date, width: number): string {
  const { snapshot, request, waiting } = row;
  const waits = minutesAndSeconds(new Date(request?.waitingSince ?? now), now).padStart(5);
  const place = String(waiting?.place).padStart(4);
  return `${place}. ${snapshot.name.padEnd(width)} waits   ${waits}  ${inNames(waiting?.why ?? '', rows)}`;
}

/** What the service says with ids, in the names that the demo gave; nobody else copies here. */
function inNames(reason: string, rows: readonly QueueRow[]): string {
  const region = rows.find(({ request }) => request !== undefined)?.request?.request.destination.region;
  return rows.reduce(
    (text, { snapshot }) =>
      text.replaceAll(snapshot.snapshotId, snapshot.name).replaceAll(snapshot.volumeId, snapshot.volume),
    reason.replace(` to ${region}`, '').replace(', 0 by others', ''),
  );
}

function byStart(a: QueueRow, b: QueueRow): number {
  return startOf(a) - startOf(b);
}

function startOf({ request, copies: [copy] }: QueueRow): number {
  return copy?.startTime?.getTime() ?? Date.parse(request?.changedAt ?? '');
}

function byPlace(a: QueueRow, b: QueueRow): number {
  return (a.waiting?.place ?? 0) - (b.waiting?.place ?? 0);
}

function cut(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
