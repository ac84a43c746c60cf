import TimeQueue from 'flatqueue';
import type { BurstSnapshot } from './workload.ts';

/** A snapshot of a burst and when its copy began and ended. */
export interface ScheduledCopy extends BurstSnapshot {
  /** Milliseconds since 1970. */
  readonly copyBeginsAtMs: number;
  readonly copyEndsAtMs: number;
}

/** What decides which waiting request may begin. */
export interface SlotRules {
  /** Copies that the destination Region runs at once. */
  readonly slots: number;
  /** Whether a volume that has a copy under way waits for its end. */
  readonly oneCopyPerVolume: boolean;
}

/** What a schedule is judged by. */
export interface ScheduleFigures {
  /** From the first arrival to the end of the last copy. */
  readonly makespanHours: number;
  /** Of the slot time during which a request waited that the rules let begin: how much of it copied. */
  readonly slotsBusyShare: number;
  /** The most copies of one volume that ran at once. */
  readonly sameVolumeAtOnce: number;
  /** Copies that began while the request of an older snapshot waited that the rules let begin. */
  readonly outOfOrder: number;
  /** From arrival to the beginning of the copy. */
  readonly meanWaitHours: number;
  readonly p99WaitHours: number;
}

export const HOUR_MS = 3_600_000;

/** What happens at one moment, in this order: a slot that becomes free then can be taken, and by who has just come. */
const END = 0;
const ARRIVE = 1;
const BEGIN = 2;

interface Step {
  readonly atMs: number;
  readonly kind: typeof END | typeof ARRIVE | typeof BEGIN;
  /** Place in order of the source start times. */
  readonly rank: number;
}

/** Goes through a schedule of at least one copy, of a burst whose other snapshots were lost. */
export function scheduleFigures(copies: readonly ScheduledCopy[], rules: SlotRules): ScheduleFigures {
  const byAge = copies.toSorted((a, b) => a.startTimeMs - b.startTimeMs);
  const waiting = new WaitingRequests(byAge, rules.oneCopyPerVolume);
  let contendedMs = 0;
  let busyMs = 0;
  let outOfOrder = 0;
  let sameVolumeAtOnce = 0;
  let beforeMs = 0;
  for (const { atMs, kind, rank } of stepsOf(byAge)) {
    if (waiting.canBegin()) {
      contendedMs += atMs - beforeMs;
      busyMs += (atMs - beforeMs) * waiting.running;
    }
    beforeMs = atMs;
    if (kind === END) {
      waiting.end(rank);
    } else if (kind === ARRIVE) {
      waiting.arrive(rank);
    } else {
      if (waiting.oldestThatCanBegin() < rank) outOfOrder += 1;
      sameVolumeAtOnce = Math.max(sameVolumeAtOnce, waiting.begin(rank));
    }
  }
  const waits = copies.map((copy) => (copy.copyBeginsAtMs - copy.arrivesAtMs) / HOUR_MS);
  return {
    makespanHours: makespanMs(copies) / HOUR_MS,
    slotsBusyShare: contendedMs === 0 ? 1 : busyMs / (contendedMs * rules.slots),
    sameVolumeAtOnce,
    outOfOrder,
    meanWaitHours: waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    p99WaitHours: percentile99(waits),
  };
}

/** The smallest value that 99 % of all do not exceed. */
export function percentile99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;
}

function makespanMs(copies: readonly ScheduledCopy[]): number {
  const first = copies.reduce((earliest, { arrivesAtMs }) => Math.min(earliest, arrivesAtMs), Number.POSITIVE_INFINITY);
  return copies.reduce((latest, { copyEndsAtMs }) => Math.max(latest, copyEndsAtMs), first) - first;
}

function stepsOf(byAge: readonly ScheduledCopy[]): readonly Step[] {
  return byAge
    .flatMap(({ arrivesAtMs, copyBeginsAtMs, copyEndsAtMs }, rank): Step[] => [
      { atMs: Math.min(arrivesAtMs, copyBeginsAtMs), kind: ARRIVE, rank },
      { atMs: copyBeginsAtMs, kind: BEGIN, rank },
      { atMs: copyEndsAtMs, kind: END, rank },
    ])
    .toSorted((a, b) => a.atMs - b.atMs || a.kind - b.kind || a.rank - b.rank);
}

/** Who waits, and who of them could begin. Requests go by their rank, the oldest source snapshot first. */
class WaitingRequests {
  running = 0;
  readonly #volumes: readonly VolumeState[];
  readonly #oneCopyPerVolume: boolean;
  /** Of those that could begin, and of some that no longer can. */
  readonly #ranks = new TimeQueue();

  constructor(byAge: readonly ScheduledCopy[], oneCopyPerVolume: boolean) {
    const volumes = new Map<number, VolumeState>();
    this.#volumes = byAge.map(({ volume }) => {
      const state = volumes.get(volume) ?? { waiting: new Set<number>(), running: 0 };
      volumes.set(volume, state);
      return state;
    });
    this.#oneCopyPerVolume = oneCopyPerVolume;
  }

  arrive(rank: number): void {
    this.#volumes[rank]?.waiting.add(rank);
    this.#ranks.push(rank, rank);
  }

  /** @returns how many copies of its volume run now */
  begin(rank: number): number {
    const volume = this.#volumes[rank];
    if (volume === undefined) return 0;
    volume.waiting.delete(rank);
    volume.running += 1;
    this.running += 1;
    return volume.running;
  }

  end(rank: number): void {
    const volume = this.#volumes[rank];
    if (volume === undefined) return;
    volume.running -= 1;
    this.running -= 1;
    if (!this.#oneCopyPerVolume || volume.running > 0) return;
    for (const held of volume.waiting) this.#ranks.push(held, held);
  }

  canBegin(): boolean {
    return this.oldestThatCanBegin() < Number.POSITIVE_INFINITY;
  }

  /** Infinity if there is none. */
  oldestThatCanBegin(): number {
    for (let rank = this.#ranks.peek(); rank !== undefined; rank = this.#ranks.peek()) {
      const volume = this.#volumes[rank];
      const free = volume !== undefined && (!this.#oneCopyPerVolume || volume.running === 0);
      if (free && volume.waiting.has(rank)) return rank;
      this.#ranks.pop();
    }
    return Number.POSITIVE_INFINITY;
  }
}

interface VolumeState {
  readonly waiting: Set<number>;
  running: number;
}
