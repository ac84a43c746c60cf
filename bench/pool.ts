import type { BurstRow } from './results.ts';

/**
 * Several bursts of one size, from different seeds, as one row: what must not happen is the sum or the worst of them, all
 * else the mean.
 *
 * @throws Error without a row
 */
export function pooled(rows: readonly BurstRow[]): BurstRow {
  const [first] = rows;
  if (first === undefined) throw new Error('There is no burst to pool.');
  if (rows.length === 1) return first;
  const mean = (of: (row: BurstRow) => number) => sum(rows.map(of)) / rows.length;
  const meanIfAny = <Key extends keyof BurstRow>(key: Key, of: (row: BurstRow) => number | undefined) => {
    const values = rows.flatMap((row) => of(row) ?? []);
    return values.length === 0 ? {} : { [key]: sum(values) / values.length };
  };
  const makespanHours = mean((row) => row.makespanHours);
  const idealHours = mean((row) => row.idealHours);
  return {
    n: first.n,
    variant: first.variant,
    bursts: rows.length,
    makespanHours,
    idealHours,
    makespanRatio: makespanHours / idealHours,
    slotsBusyShare: mean((row) => row.slotsBusyShare),
    lost: sum(rows.map((row) => row.lost)),
    duplicated: sum(rows.map((row) => row.duplicated)),
    sameVolumeAtOnce: Math.max(...rows.map((row) => row.sameVolumeAtOnce)),
    outOfOrder: sum(rows.map((row) => row.outOfOrder)),
    ...meanIfAny('startsApartP99Hours', (row) => row.startsApartP99Hours),
    copySnapshotCalls: mean((row) => row.copySnapshotCalls),
    ...meanIfAny('refusedCalls', (row) => row.refusedCalls),
    ...meanIfAny('throttledCalls', (row) => row.throttledCalls),
    admissionDescribes: mean((row) => row.admissionDescribes),
    waitTransitions: mean((row) => row.waitTransitions),
    lambdaInvocations: mean((row) => row.lambdaInvocations),
    ...meanIfAny('ledgerReads', (row) => row.ledgerReads),
    ...meanIfAny('ledgerWrites', (row) => row.ledgerWrites),
    ...meanIfAny('expressSeconds', (row) => row.expressSeconds),
    dollarsPer1000: mean((row) => row.dollarsPer1000),
    wallSeconds: mean((row) => row.wallSeconds),
    ...meanIfAny('peakMiB', (row) => row.peakMiB),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
