import { itemOf, type RequestKey } from '../ledger-request.ts';
import type { RunningStatus, Status, WaitingStatus } from './status.ts';

/** What is new between two looks. */
export type QueueChange =
  | { readonly kind: 'waits'; readonly request: WaitingStatus }
  | { readonly kind: 'runs'; readonly request: RunningStatus }
  | { readonly kind: 'copies'; readonly request: RunningStatus }
  /** It waits and runs no more: the ledger knows what became of it. */
  | { readonly kind: 'left'; readonly key: RequestKey };

/** Each request at most once, in the order of the second look; those that left come first. */
export function changesBetween(before: Status, after: Status): readonly QueueChange[] {
  const [waited, ran] = [byItem(before.waiting), byItem(before.running)];
  const [waits, runs] = [byItem(after.waiting), byItem(after.running)];
  const left = [...before.running, ...before.waiting]
    .filter((request) => !waits.has(inAll(request)) && !runs.has(inAll(request)))
    .map(
      ({ region, destination, snapshotId }): QueueChange => ({
        kind: 'left',
        key: { region, destination, snapshotId },
      }),
    );
  const running = after.running.flatMap((request): QueueChange[] => {
    const earlier = ran.get(inAll(request));
    const isNew = earlier?.execution !== request.execution;
    if (request.copyId !== null && (isNew || earlier.copyId === null)) return [{ kind: 'copies', request }];
    return isNew ? [{ kind: 'runs', request }] : [];
  });
  const waiting = after.waiting
    .filter((request) => !waited.has(inAll(request)))
    .map((request): QueueChange => ({ kind: 'waits', request }));
  return [...left, ...running, ...waiting];
}

function byItem<Request extends RequestKey>(requests: readonly Request[]): ReadonlyMap<string, Request> {
  return new Map(requests.map((request) => [inAll(request), request]));
}

/** One text for a request within all Regions. */
function inAll(key: RequestKey): string {
  return `${key.region}#${itemOf(key)}`;
}
