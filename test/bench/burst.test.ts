import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BENCH_RULES, measureBacklog, measureBurst } from '../../bench/service-process.ts';
import { packageService } from '../../sandbox/package-service.ts';

let packageDir: string;
beforeAll(async () => {
  packageDir = mkdtempSync(join(tmpdir(), 'burst-'));
  await packageService({ rulesFile: BENCH_RULES, packageDir });
});
afterAll(() => rmSync(packageDir, { recursive: true, force: true }));

describe('80 snapshots through 20 slots', () => {
  it('end as 80 copies, in order, each slot taken again as soon as it is free', async () => {
    const { row, ...report } = await measureBurst({ packageDir, n: 80, variant: 'events', arrivesOutOfOrder: true });
    expect(row).toMatchObject({
      n: 80,
      lost: 0,
      duplicated: 0,
      sameVolumeAtOnce: 1,
      outOfOrder: 0,
      copySnapshotCalls: 80,
      refusedCalls: 0,
      waitTransitions: 0,
    });
    expect(row.makespanRatio).toBeLessThan(1.01);
    expect(row.slotsBusyShare).toBeGreaterThan(0.99);
    expect(report.invocations).toMatchObject({ onSnapshotEvent: 80, startCopy: 80, tagCopy: 80, removeFailedCopy: 0 });
    expect(report).toMatchObject({ killed: 0, alerts: 0, stuckEvents: 0 });
  });

  it('lose none when the destination tells nothing, and wait longer for slots', async () => {
    const { row } = await measureBurst({ packageDir, n: 80, variant: 'heartbeat' });
    expect(row).toMatchObject({ lost: 0, duplicated: 0, sameVolumeAtOnce: 1, outOfOrder: 0 });
    expect(row.slotsBusyShare).toBeLessThan(0.995);
    expect(row.slotsBusyShare).toBeGreaterThan(0.95);
  });

  it('end as 80 copies when events are lost, calls fail and one invocation in ten is killed', async () => {
    const trouble = { lostEvents: 0.2, failingCalls: 0.05, killed: 0.1 };
    const { row, ...report } = await measureBurst({ packageDir, n: 80, variant: 'trouble', trouble });
    expect(row).toMatchObject({ lost: 0, duplicated: 0 });
    expect(report.killed).toBeGreaterThan(50);
    expect(report.invocations['onSnapshotEvent']).not.toBe(80);
  });

  it('are the same in every run', async () => {
    const measure = async () => {
      const { row } = await measureBurst({ packageDir, n: 80, variant: 'trouble', seed: 7 });
      return { ...row, wallSeconds: 0, peakMiB: 0 };
    };
    expect(await measure()).toEqual(await measure());
  });
});

it('24 hourly snapshots of one volume, found at once, move what they would one after the other', async () => {
  // One whole volume of 200 GiB, and 23 times the 3 % that change from one snapshot to the next.
  expect(await measureBacklog({ packageDir })).toMatchObject({ way: 'this-service', gibMoved: 338, fullCopies: 1 });
});
