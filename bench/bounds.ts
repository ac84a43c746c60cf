import type { BenchResults, BurstRow } from './results.ts';

/** One thing that the service promises of its performance, and what was measured. */
export interface Bound {
  readonly what: string;
  readonly isKept: boolean;
}

/** What a burst of this service must keep to; `trouble` may duplicate one copy in 10,000, and only find it late. */
const BUSY_AT_LEAST = { events: 0.995, heartbeat: 0.975 } as const;
const RATIO_AT_MOST = { events: 1.01, heartbeat: 1.03 } as const;

/** Every bound, of what was measured. */
export function boundsOf({ bursts = [], lineage = [], idle }: BenchResults): readonly Bound[] {
  const inOrder = lineage.find(({ way }) => way === 'in-order')?.gibMoved;
  const ours = lineage.find(({ way }) => way === 'this-service')?.gibMoved;
  return [
    ...bursts.filter(({ variant }) => variant !== 'plain-retries').flatMap(boundsOfBurst),
    ...(inOrder === undefined || ours === undefined
      ? []
      : [atMost('GiB moved for a backlog, over the ideal', ours / inOrder, 1.1)]),
    ...(idle === undefined ? [] : [atMost('dollars of an idle month', idle.perMonth.dollars, 0.1)]),
  ];
}

function boundsOfBurst(row: BurstRow): readonly Bound[] {
  const { n, variant } = row;
  const of = (what: string) => `${n} snapshots, ${variant}: ${what}`;
  const inTrouble = variant === 'trouble';
  return [
    ...(variant === 'events' || variant === 'heartbeat'
      ? [
          atMost(of('makespan over the ideal'), row.makespanRatio, RATIO_AT_MOST[variant]),
          atLeast(of('slots busy'), row.slotsBusyShare, BUSY_AT_LEAST[variant]),
          atMost(of('CopySnapshot per copy'), row.copySnapshotCalls / n, 1.02),
          atMost(of('DescribeSnapshots for admission per copy'), row.admissionDescribes / n, 1.5),
          atMost(of('state transitions for waiting'), row.waitTransitions, 0),
        ]
      : []),
    atMost(of('lost'), row.lost, 0),
    atMost(of('duplicated'), row.duplicated, inTrouble ? n / 10_000 : 0),
    atMost(of('copies of one volume at once'), row.sameVolumeAtOnce, 1),
    atMost(of('out of order'), row.outOfOrder, 0),
    ...(n < 10_000 ? [] : [atMost(of('seconds'), row.wallSeconds, 300), atMost(of('MiB'), row.peakMiB ?? 0, 2048)]),
  ];
}

function atMost(what: string, value: number, bound: number): Bound {
  return { what: `${what}: ${upTo4(value)}, at most ${bound}`, isKept: value <= bound };
}

function atLeast(what: string, value: number, bound: number): Bound {
  return { what: `${what}: ${upTo4(value)}, at least ${bound}`, isKept: value >= bound };
}

function upTo4(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
