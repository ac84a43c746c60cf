import { destinationId } from '../../core/destination.ts';
import type { RefusedRequest, RequestAnswer } from '../../core/request-answer.ts';
import type { RetryRequest } from '../../core/retry-request.ts';
import { shortReason } from '../short-reason.ts';
import type { Terminal } from '../terminal.ts';
import { count, duration, gib } from '../words.ts';
import type { FoundRequest } from './find-requests.ts';

/** One request that was asked for again, and what became of it. */
export interface Retried {
  readonly found: FoundRequest;
  readonly asked: RetryRequest;
  readonly answer: RequestAnswer | RefusedRequest;
}

/** Rows of a table at most where somebody looks. */
const ROWS = 30;

/** What would be started again, before it is. */
export function printFailed(
  terminal: Terminal,
  failed: readonly { readonly found: FoundRequest; readonly asked: RetryRequest }[],
  now: Date,
): void {
  const shown = terminal.isLive ? failed.slice(0, ROWS) : failed;
  terminal.table(
    ['FAILED', 'RULE', 'TO', 'GIB', 'AGO', 'REASON'],
    shown.map(({ found: { request, known } }) => [
      request.source.snapshotId,
      request.rule,
      destinationId(request.destination),
      String(request.source.sizeGiB),
      known === undefined ? '' : duration(now.getTime() - Date.parse(known.changedAt)),
      shortReason(known?.reason ?? ''),
    ]),
    [undefined, undefined, undefined, 'right', 'right'],
  );
  if (shown.length < failed.length) terminal.print(`… and ${count(failed.length - shown.length, 'more', 'more')}`);
  for (const line of settingsLines(failed.map(({ asked }) => asked))) terminal.print(line);
}

/** `12 copies of 1,200 GiB`. */
export function amountOf(found: readonly FoundRequest[]): string {
  const size = found.reduce((sum, { request }) => sum + request.source.sizeGiB, 0);
  return `${count(found.length, 'copy', 'copies')} of ${gib(size)}`;
}

/** What was asked for, and what became of it. */
export function printRetried(terminal: Terminal, retried: readonly Retried[]): void {
  for (const each of retried) terminal.print(lineOf(each));
  const started = retried.filter(({ answer }) => 'accepted' in answer && answer.accepted);
  for (const line of settingsLines(started.map(({ asked }) => asked))) terminal.print(line);
  if (started.length > 0) {
    terminal.print(
      `\n${count(started.length, 'request waits', 'requests wait')} for a slot now. To follow: snapshot-copier status --watch`,
    );
  }
}

function lineOf({ found: { known }, asked: { request }, answer }: Retried): string {
  const what = `${request.source.snapshotId} to ${destinationId(request.destination)}`;
  if ('refused' in answer) return `${what}: not started: ${answer.refused}`;
  const { accepted, status, reason, copyId } = answer;
  if (accepted && status === 'waiting') {
    const before = known === undefined ? '' : ` (${beforeInWords(known.status, known.reason, reason)})`;
    return `${what}: waits for its turn again${before}`;
  }
  switch (status) {
    case 'waiting':
      return `${what}: waits already, nothing to do`;
    case 'running':
      return `${what}: runs already, nothing to do`;
    case 'copied':
      return `${what}: is copied as ${copyId ?? 'a copy whose id is not known'}, and the copy is there: nothing to do`;
    default:
      return `${what}: ${status}: ${reason}`;
  }
}

function beforeInWords(status: string, reason: string, now: string): string {
  if (status === 'copied') return now.replace(/^asked for again by hand, as /, '');
  return `it ${status === 'skipped' ? 'was skipped' : status}: ${shortReason(reason)}`;
}

/** Each difference once, however many requests have it. */
function settingsLines(asked: readonly RetryRequest[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { request, changes, keptBecause } of asked) {
    const of = `rule ${request.rule} for ${destinationId(request.destination)}`;
    const lines = [
      ...changes.map((change) => `With the settings of ${of} that are deployed now: ${change}`),
      ...(keptBecause === undefined ? [] : [`With the settings of ${of} as they were: ${keptBecause}`]),
    ];
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, number]) => (asked.length > 1 ? `${line} (${count(number, 'request')})` : line));
}

/** The shape that docs/cli/retry.md promises. */
export function retriedAsJson({ found: { request, known }, asked, answer }: Retried) {
  return {
    snapshotId: request.source.snapshotId,
    destination: destinationId(request.destination),
    region: request.destination.region,
    rule: request.rule,
    before: known === undefined ? null : { status: known.status, reason: known.reason, changedAt: known.changedAt },
    changes: asked.changes,
    keptBecause: asked.keptBecause ?? null,
    ...('refused' in answer
      ? { accepted: false, status: null, reason: null, copyId: null, refused: answer.refused }
      : { ...answer, copyId: answer.copyId ?? null, refused: null }),
  };
}
