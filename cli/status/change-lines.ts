import { CopierError } from '../../core/errors.ts';
import { itemOf, type LedgerRequest, type RequestKey, requestKey } from '../../core/ledger-request.ts';
import { changesBetween } from '../../core/status/changes.ts';
import { inMinutes } from '../words.ts';
import type { Seen, StatusLooks } from './look.ts';
import { warningsOf } from './print.ts';

/** A line for each thing that changed between two looks, in words that can be searched for. */
export async function linesOfChanges(
  before: Seen,
  after: Seen,
  looks: Pick<StatusLooks, 'whatBecameOf'>,
): Promise<readonly string[]> {
  const time = inMinutes(after.status.at);
  const changes = changesBetween(before.status, after.status);
  const ends = await endsOf(
    changes.flatMap((change) => (change.kind === 'left' ? [change.key] : [])),
    looks,
  );
  const known = new Set(warningsOf(before));
  return [
    ...changes.map((change) => {
      if (change.kind === 'left') return line(time, change.key, ends.get(itemOf(change.key)) ?? 'has left the queue');
      const { request } = change;
      switch (change.kind) {
        case 'waits':
          return line(time, request, `waits, no. ${change.request.place}: ${change.request.why}`);
        case 'runs':
          return line(time, request, `runs as ${change.request.execution}`);
        case 'copies':
          return line(time, request, `is being copied as ${change.request.copyId}`);
        default:
          return change satisfies never;
      }
    }),
    ...warningsOf(after)
      .filter((warning) => !known.has(warning))
      .map((warning) => `${time} ${warning}`),
  ];
}

/** How each ended; without those that cannot be looked up now. */
async function endsOf(
  keys: readonly RequestKey[],
  looks: Pick<StatusLooks, 'whatBecameOf'>,
): Promise<ReadonlyMap<string, string>> {
  try {
    const requests = keys.length === 0 ? [] : await looks.whatBecameOf(keys);
    return new Map(
      requests.map((each) => [itemOf(requestKey(each.request.source, each.request.destination)), inWords(each)]),
    );
  } catch (error) {
    if (!(error instanceof CopierError)) throw error;
    return new Map();
  }
}

function inWords({ status, reason, copyId }: LedgerRequest): string {
  switch (status) {
    case 'copied':
      return `is copied as ${copyId}`;
    case 'failed':
      return `failed: ${reason}`;
    case 'skipped':
      return `was skipped: ${reason}`;
    default:
      return `is ${status} again: ${reason}`;
  }
}

function line(
  time: string,
  { snapshotId, destination }: { readonly snapshotId: string; readonly destination: string },
  what: string,
): string {
  return `${time} ${snapshotId} to ${destination} ${what}`;
}
