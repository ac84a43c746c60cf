import type { CopyRule } from '../core/rules.ts';
import type { SnapshotRecord } from '../sandbox/ec2/ec2-service.ts';
import type { BurstReport, BurstVariant } from './burst-report.ts';
import { type BurstWorld, DESTINATION_REGION, SOURCE_REGION, startBurstWorld } from './burst-world.ts';
import { besideIdeal } from './ideal.ts';
import { priceOf } from './prices.ts';
import type { BurstRow } from './results.ts';
import { HOUR_MS, type ScheduledCopy } from './schedule.ts';
import { NO_TROUBLE, type Trouble } from './trouble.ts';
import { type BurstSnapshot, burst } from './workload.ts';

export interface BurstRunOptions {
  /** Snapshots. */
  readonly n: number;
  readonly variant: BurstVariant;
  readonly seed: number;
  /** What `serverless package` wrote, and the rules that it was packaged with. */
  readonly packageDir: string;
  readonly rules: readonly CopyRule[];
  readonly arrivesOutOfOrder: boolean;
  readonly trouble: Trouble;
}

/** Copies that a Region runs at once: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html */
const SLOTS = 20;

/** After the last copy: for the last looks of executions, which are half an hour apart at most, and for the sweeps. */
const AFTERMATH_MS = 3 * HOUR_MS;
/** A burst that comes to no end has lost something. */
const WITHOUT_PROGRESS_MS = 48 * HOUR_MS;

/** Runs a burst through the service, in virtual time. One at a time in a process. */
export async function runBurst(options: BurstRunOptions): Promise<BurstReport> {
  const { n, variant, seed, packageDir, rules, arrivesOutOfOrder } = options;
  const began = performance.now();
  const snapshots = burst(n, seed, { arrivesOutOfOrder });
  const bySource = new Map<string, BurstSnapshot>();
  const copied = new Set<string>();
  const world = await startBurstWorld({
    packageDir,
    rules,
    seed,
    start: new Date(Math.min(...snapshots.map(({ startTimeMs }) => startTimeMs))),
    ec2: {
      slotsPerRegion: SLOTS,
      copyTakesSeconds: ({ sourceSnapshotId }) => bySource.get(sourceSnapshotId)?.copySeconds ?? Number.NaN,
    },
    eventsForwarded: variant !== 'heartbeat',
    trouble: variant === 'trouble' ? options.trouble : NO_TROUBLE,
    passesOn({ detail }) {
      if (detail['event'] === 'copySnapshot' && detail['result'] === 'succeeded') copied.add(String(detail['source']));
      return true;
    },
  });
  try {
    arrive(snapshots, world, bySource);
    let progressAt = world.clock.now();
    for (let before = 0; copied.size < n; ) {
      await world.clock.advance(HOUR_MS);
      if (copied.size > before) progressAt = world.clock.now();
      if (world.clock.now() - progressAt > WITHOUT_PROGRESS_MS) break;
      before = copied.size;
    }
    await world.clock.advance(AFTERMATH_MS);
    return await reportOf(world, snapshots, bySource, variant, began);
  } finally {
    await world.stop();
  }
}

/** Each snapshot completes when it is to arrive. One timer at a time, for each timer costs the others time. */
function arrive(snapshots: readonly BurstSnapshot[], world: BurstWorld, bySource: Map<string, BurstSnapshot>): void {
  const { clock, ec2, account } = world;
  const next = (index: number): void => {
    const snapshot = snapshots[index];
    if (snapshot === undefined) return;
    clock.after(Math.max(0, snapshot.arrivesAtMs - clock.now()), () => {
      const source = ec2.completeSnapshot({
        account,
        region: SOURCE_REGION,
        volumeId: `vol-${String(snapshot.volume).padStart(17, '0')}`,
        sequence: snapshot.index,
        sizeGiB: 100,
        startedAt: snapshot.startTimeMs,
        tags: { Backup: 'yes', Name: `server-${snapshot.volume}` },
      });
      bySource.set(source, snapshot);
      next(index + 1);
    });
  };
  next(0);
}

async function reportOf(
  world: BurstWorld,
  snapshots: readonly BurstSnapshot[],
  bySource: ReadonlyMap<string, BurstSnapshot>,
  variant: BurstVariant,
  began: number,
): Promise<BurstReport> {
  const { ec2, lambda, stepFunctions, order, account } = world;
  const n = snapshots.length;
  const copies = ec2.copiesEverMade({ account, region: DESTINATION_REGION });
  const good = new Map<string, ScheduledCopy>();
  let duplicated = 0;
  for (const copy of copies) {
    const snapshot = bySource.get(sourceOf(copy));
    if (copy.state === 'error' || snapshot === undefined) continue;
    if (good.has(sourceOf(copy))) duplicated += 1;
    else good.set(sourceOf(copy), { ...snapshot, ...spanOf(copy) });
  }

  const executions = stepFunctions.executions();
  const waitTransitions = executions
    .filter(({ output }) => output?.includes('"returned":') === true)
    .reduce((sum, { transitions }) => sum + transitions, 0);
  const invocations: Record<string, number> = {};
  let killed = 0;
  for (const [name, figures] of lambda.figures()) {
    invocations[name.split('-').at(-1) ?? name] = figures.invocations;
    killed += figures.killed;
  }
  const express = [...stepFunctions.expressTotals().values()];
  const expressExecutions = express.reduce((sum, { started }) => sum + started, 0);
  const expressSeconds = express.reduce((sum, { billedMs }) => sum + billedMs, 0) / 1000;
  const lambdaInvocations = ADMISSION_FUNCTIONS.reduce((sum, name) => sum + (invocations[name] ?? 0), 0);
  const usage = order.usage();
  const called = (errorCode?: string) => ec2.callCount('CopySnapshot', DESTINATION_REGION, errorCode);
  const billed = {
    // The state that begins the copy, as with plain retries.
    stateTransitions: n + waitTransitions,
    lambdaInvocations,
    expressRequests: expressExecutions,
    expressSeconds,
    ledgerReads: usage.readUnits,
    ledgerWrites: usage.writeUnits,
  };
  const beside = besideIdeal([...good.values()], snapshots, { slots: SLOTS, oneCopyPerVolume: true });
  const row: BurstRow = {
    n,
    variant,
    ...beside,
    outOfOrder: order.startedOutOfOrder(),
    lost: n - good.size,
    duplicated,
    sameVolumeAtOnce: mostOfOneVolume(copies),
    copySnapshotCalls: called(),
    refusedCalls: called('ResourceLimitExceeded'),
    throttledCalls: called('RequestLimitExceeded'),
    admissionDescribes: world.admissionDescribes(),
    waitTransitions,
    lambdaInvocations,
    ledgerReads: usage.readUnits,
    ledgerWrites: usage.writeUnits,
    expressSeconds,
    dollarsPer1000: (priceOf(billed) / n) * 1000,
    wallSeconds: (performance.now() - began) / 1000,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
  return {
    row,
    outOfOrderInHindsight: beside.outOfOrder,
    invocations,
    killed,
    expressExecutions,
    transitions: executions.reduce((sum, { transitions }) => sum + transitions, 0),
    alerts: await world.alerts(),
    stuckEvents: await world.stuckEvents(),
  };
}

/** Those that decide what begins when, or try to begin. */
const ADMISSION_FUNCTIONS = ['admitCopies', 'startCopy', 'returnToQueue', 'sweep'];

function sourceOf(copy: SnapshotRecord): string {
  return copy.copy?.sourceSnapshotId ?? '';
}

/** A copy that has no end at the end of the burst took until then, at the least. */
function spanOf(copy: SnapshotRecord): { readonly copyBeginsAtMs: number; readonly copyEndsAtMs: number } {
  return { copyBeginsAtMs: copy.startedAt, copyEndsAtMs: copy.endedAt ?? Date.now() };
}

/** By EC2's own record, of all copies, also those that failed or were removed. */
function mostOfOneVolume(copies: readonly SnapshotRecord[]): number {
  const steps = copies
    .flatMap((copy) => {
      const { volumeId } = copy.lineage;
      const { copyBeginsAtMs, copyEndsAtMs } = spanOf(copy);
      return [
        { volumeId, atMs: copyBeginsAtMs, change: 1 },
        { volumeId, atMs: copyEndsAtMs, change: -1 },
      ];
    })
    .toSorted((a, b) => a.atMs - b.atMs || a.change - b.change);
  const running = new Map<string, number>();
  return steps.reduce((most, { volumeId, change }) => {
    const now = (running.get(volumeId) ?? 0) + change;
    running.set(volumeId, now);
    return Math.max(most, now);
  }, 0);
}
