import type { BurstSnapshot } from '../../bench/workload.ts';

/** A snapshot with its times in seconds from 0: of which volume, when it arrives, how long its copy takes, how old it is. */
export type ByHand = readonly [volume: number, arrives: number, takes: number, startTime?: number];

/** Snapshots without a start time were begun in the order of the list. */
export function byHand(snapshots: readonly ByHand[]): readonly BurstSnapshot[] {
  return snapshots.map(([volume, arrives, takes, startTime], index) => ({
    index,
    volume,
    arrivesAtMs: arrives * 1000,
    startTimeMs: startTime === undefined ? index : startTime * 1000,
    copySeconds: takes,
  }));
}
