import { BURST_VARIANTS } from './burst-report.ts';
import { copyBacklog } from './lineage.ts';
import { plainRetriesRow } from './plain-retries.ts';
import { pooled } from './pool.ts';
import type { BurstRow, LineageRow } from './results.ts';
import { measureBacklog, measureBurst } from './service-process.ts';
import { burst } from './workload.ts';

/** Sizes of the bursts. In a small one a single long copy decides, so there are several. */
const BURSTS: readonly { readonly n: number; readonly seeds: readonly number[] }[] = [
  { n: 100, seeds: [1, 2, 3, 4, 5, 6, 7, 8] },
  { n: 1000, seeds: [1] },
  { n: 10_000, seeds: [1] },
];

/** Each burst through the service, in each variant, and beside it the same burst with plain retries; one at a time. */
export async function measureBursts(packageDir: string, say: (line: string) => void): Promise<readonly BurstRow[]> {
  const rows: BurstRow[] = [];
  for (const { n, seeds } of BURSTS) {
    for (const variant of BURST_VARIANTS) {
      const ofVariant: BurstRow[] = [];
      for (const seed of seeds) {
        const { row } = await measureBurst({ packageDir, n, variant, seed });
        say(`  ${n} snapshots, ${variant}, seed ${seed}: ${inShort(row)}`);
        ofVariant.push(row);
      }
      rows.push(pooled(ofVariant));
    }
    rows.push(pooled(seeds.map((seed) => retried(n, seed))));
  }
  return rows;
}

function inShort({ n, makespanRatio, slotsBusyShare, admissionDescribes, wallSeconds }: BurstRow): string {
  const busy = (slotsBusyShare * 100).toFixed(1);
  const describes = (admissionDescribes / n).toFixed(2);
  return `${makespanRatio.toFixed(3)} of the ideal, ${busy} % busy, ${describes} DescribeSnapshots a copy, ${Math.round(wallSeconds)} s`;
}

function retried(n: number, seed: number): BurstRow {
  const began = performance.now();
  const row = plainRetriesRow(burst(n, seed));
  return { ...row, wallSeconds: (performance.now() - began) / 1000 };
}

/** What the backlog of one volume moves in each way. */
export async function measureLineage(packageDir: string): Promise<readonly LineageRow[]> {
  return [
    await copyBacklog('in-order'),
    await measureBacklog({ packageDir }),
    await copyBacklog('by-chance'),
    await copyBacklog('at-once'),
  ];
}
