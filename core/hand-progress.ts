import type { LedgerRequest, RequestKey, RunningRequest, WaitingRequest } from './ledger-request.ts';
import { isArbitraryVolume } from './volume-of-copy.ts';

/** What waits and runs in a destination Region, from the head of the queue. */
export interface RegionQueue {
  readonly waiting: readonly WaitingRequest[];
  readonly running: readonly RunningRequest[];
}

/** What a request is waiting for, in words, as far as the ledger tells. */
export function whatHoldsUp(request: LedgerRequest, key: RequestKey, { waiting, running }: RegionQueue): string {
  const { snapshotId, destination, region } = key;
  if (request.status === 'running') return `${request.execution} has started, and EC2 is asked for the copy`;
  const { volumeId } = request.request.source;
  const sameVolume = (other: { readonly volumeId: string; readonly destination: string }) =>
    !isArbitraryVolume(volumeId) && other.volumeId === volumeId && other.destination === destination;
  const ahead = running.find(sameVolume);
  if (ahead !== undefined) {
    return `${snapshotId} waits for the copy of ${ahead.snapshotId}, of the same volume, so that it moves only what changed`;
  }
  const index = waiting.findIndex((other) => other.snapshotId === snapshotId && other.destination === destination);
  const older = waiting.slice(0, Math.max(index, 0)).find(sameVolume);
  if (older !== undefined) {
    return `${snapshotId} waits for ${older.snapshotId}, an older snapshot of the same volume, which waits as well`;
  }
  const place = index === -1 ? '' : `, ${index + 1} of ${waiting.length} in the queue`;
  const copies = running.length === 1 ? '1 copy runs' : `${running.length} copies run`;
  return `${snapshotId} waits for a copy slot of ${region}${place}; ${copies}`;
}
