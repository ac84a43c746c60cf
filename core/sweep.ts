import type { RunningRequest, WaitingRequest } from './ledger-request.ts';

/** An execution that ended so short ago may still be heard of; the sweep would only write the same. */
const SETTLES_WITHIN_SECONDS = 120;

/** The requests of which the sweep asks whether their executions still run. */
export function worthAsking(running: readonly RunningRequest[], now: Date): readonly RunningRequest[] {
  return running.filter(({ changedAt }) => now.getTime() - Date.parse(changedAt) >= SETTLES_WITHIN_SECONDS * 1000);
}

/** Whether the event of this end has had its time: two that tell of the same end at once would tell twice. */
export function isUnheard({ stopDate }: { readonly stopDate?: number }, now: Date): boolean {
  return stopDate === undefined || now.getTime() - stopDate >= SETTLES_WITHIN_SECONDS * 1000;
}

/** The queue of one destination, for metrics. */
export interface QueueLength {
  readonly destination: string;
  readonly requests: number;
  /** Seconds that the one that waits longest has waited. */
  readonly oldestAgeSeconds: number;
}

export function queueLengths(waiting: readonly WaitingRequest[], now: Date): readonly QueueLength[] {
  const byDestination = Map.groupBy(waiting, ({ destination }) => destination);
  return [...byDestination].map(([destination, requests]) => {
    const since = requests.reduce(
      (oldest, { waitingSince }) => Math.min(oldest, Date.parse(waitingSince)),
      now.getTime(),
    );
    return { destination, requests: requests.length, oldestAgeSeconds: Math.round((now.getTime() - since) / 1000) };
  });
}
