import { type Random, seededRandom } from '../sandbox/ids.ts';

/** A snapshot of a burst and how long its copy takes, wherever and whenever it is copied. */
export interface BurstSnapshot {
  /** From 0, in order of arrival. */
  readonly index: number;
  /** From 0. */
  readonly volume: number;
  /** When its event comes. Milliseconds since 1970, as below. */
  readonly arrivesAtMs: number;
  /** The source snapshot's own start time: no two are the same. */
  readonly startTimeMs: number;
  readonly copySeconds: number;
}

export interface BurstOptions {
  /** When the first one arrives. Default 2026-01-05T09:00:00Z. */
  readonly beginsAtMs?: number;
  /** How long arrivals go on, evenly spread. Default 10 minutes. */
  readonly arrivalsMs?: number;
  /** Each snapshot is of one of so many volumes, by chance. Default 2,000. */
  readonly volumes?: number;
  /** Of the lognormal distribution. Default 480 s. */
  readonly medianCopySeconds?: number;
  /** Of the logarithm. Default 1.2, which makes the mean twice the median, and 1 % longer than two hours. */
  readonly sigma?: number;
  /** Whether the source start times come in another order than the arrivals. Default false. */
  readonly arrivesOutOfOrder?: boolean;
}

/** How long before the first arrival the first source snapshot began: longer than arrivals go on by default. */
const BEGAN_BEFORE_MS = 15 * 60_000;

/**
 * A burst of `n` snapshots. The same seed gives the same burst; the shorter bursts of a seed are no part of the longer.
 * @throws RangeError if there are more snapshots than milliseconds, so that start times could not differ
 */
export function burst(n: number, seed: number, options: BurstOptions = {}): readonly BurstSnapshot[] {
  const {
    beginsAtMs = Date.parse('2026-01-05T09:00:00Z'),
    arrivalsMs = 600_000,
    volumes = 2000,
    medianCopySeconds = 480,
    sigma = 1.2,
    arrivesOutOfOrder = false,
  } = options;
  if (n > arrivalsMs) throw new RangeError(`${n} snapshots in ${arrivalsMs} ms cannot all differ in their start time.`);
  const ofVolumes = seededRandom(seed);
  const normal = standardNormal(seededRandom(seed + 1));
  const offsets = Array.from({ length: n }, (_, index) => Math.floor((index * arrivalsMs) / n));
  const begun = arrivesOutOfOrder ? shuffled(offsets, seededRandom(seed + 2)) : offsets;
  return offsets.map((offset, index) => ({
    index,
    volume: Math.floor(ofVolumes() * volumes),
    arrivesAtMs: beginsAtMs + offset,
    startTimeMs: beginsAtMs - BEGAN_BEFORE_MS + (begun[index] ?? offset),
    // To the millisecond, like every time of the sandbox.
    copySeconds: Math.max(1, Math.round(medianCopySeconds * Math.exp(sigma * normal()) * 1000)) / 1000,
  }));
}

/** Numbers of the normal distribution with mean 0 and deviation 1, by the Box-Muller transform. */
function standardNormal(random: Random): Random {
  return () => {
    // Never 0, whose logarithm is infinite.
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  };
}

/** In an order by chance. */
export function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
