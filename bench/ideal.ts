import TimeQueue from 'flatqueue';
import type { BurstRow } from './results.ts';
import { HOUR_MS, percentile99, type ScheduledCopy, type SlotRules, scheduleFigures } from './schedule.ts';
import type { BurstSnapshot } from './workload.ts';

/**
 * What nobody can reach: a scheduler without any delay that gives each free slot at once to the oldest source snapshot
 * that has arrived and, with one copy per volume, has no copy of its volume under way.
 * @returns the copies, oldest source snapshot first
 */
export function idealSchedule(snapshots: readonly BurstSnapshot[], rules: SlotRules): readonly ScheduledCopy[] {
  const byAge = snapshots.toSorted((a, b) => a.startTimeMs - b.startTimeMs);
  const arrivals = new TimeQueue();
  for (const [rank, { arrivesAtMs }] of byAge.entries()) arrivals.push(rank, arrivesAtMs);
  const ends = new TimeQueue();
  const ready = new TimeQueue();
  /** Volumes with a copy under way, and who waits for its end. */
  const heldByVolume = new Map<number, number[]>();
  const copies = new Map<number, ScheduledCopy>();

  function begin(rank: number, snapshot: BurstSnapshot, nowMs: number): void {
    const copyEndsAtMs = nowMs + Math.round(snapshot.copySeconds * 1000);
    copies.set(rank, { ...snapshot, copyBeginsAtMs: nowMs, copyEndsAtMs });
    ends.push(rank, copyEndsAtMs);
    if (rules.oneCopyPerVolume) heldByVolume.set(snapshot.volume, []);
  }

  function fillSlots(nowMs: number): void {
    while (ends.length < rules.slots) {
      const rank = ready.pop();
      const snapshot = rank === undefined ? undefined : byAge[rank];
      if (rank === undefined || snapshot === undefined) return;
      const held = heldByVolume.get(snapshot.volume);
      if (held === undefined) begin(rank, snapshot, nowMs);
      else held.push(rank);
    }
  }

  for (;;) {
    const nowMs = Math.min(timeOf(arrivals), timeOf(ends));
    if (nowMs === Number.POSITIVE_INFINITY) break;
    for (const rank of dueAt(nowMs, ends)) {
      const { volume } = byAge[rank] ?? {};
      if (volume === undefined) continue;
      for (const held of heldByVolume.get(volume) ?? []) ready.push(held, held);
      heldByVolume.delete(volume);
    }
    for (const rank of dueAt(nowMs, arrivals)) ready.push(rank, rank);
    fillSlots(nowMs);
  }
  return byAge.flatMap((_, rank) => copies.get(rank) ?? []);
}

/** The part of a row of the results that shows from the copies alone. */
export type BesideIdeal = Pick<
  BurstRow,
  | 'makespanHours'
  | 'idealHours'
  | 'makespanRatio'
  | 'slotsBusyShare'
  | 'sameVolumeAtOnce'
  | 'outOfOrder'
  | 'startsApartP99Hours'
>;

/** What the copies of a burst are judged by, beside the ideal schedule of the whole burst by the same rules. */
export function besideIdeal(
  copies: readonly ScheduledCopy[],
  snapshots: readonly BurstSnapshot[],
  rules: SlotRules,
): BesideIdeal {
  const ideal = idealSchedule(snapshots, rules);
  const { makespanHours, slotsBusyShare, sameVolumeAtOnce, outOfOrder } = scheduleFigures(copies, rules);
  const idealHours = scheduleFigures(ideal, rules).makespanHours;
  return {
    makespanHours,
    idealHours,
    makespanRatio: makespanHours / idealHours,
    slotsBusyShare,
    sameVolumeAtOnce,
    outOfOrder,
    startsApartP99Hours: startsApartP99Hours(copies, ideal),
  };
}

function startsApartP99Hours(copies: readonly ScheduledCopy[], ideal: readonly ScheduledCopy[]): number {
  const idealBegin = new Map(ideal.map(({ index, copyBeginsAtMs }) => [index, copyBeginsAtMs]));
  return percentile99(
    copies.map(
      ({ index, copyBeginsAtMs }) => Math.abs(copyBeginsAtMs - (idealBegin.get(index) ?? Number.NaN)) / HOUR_MS,
    ),
  );
}

function timeOf(queue: TimeQueue): number {
  return queue.peekValue() ?? Number.POSITIVE_INFINITY;
}

function* dueAt(nowMs: number, queue: TimeQueue): Generator<number> {
  while (timeOf(queue) <= nowMs) {
    const item = queue.pop();
    if (item === undefined) return;
    yield item;
  }
}
