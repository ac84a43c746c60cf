import type { CopyRule } from '../core/rules.ts';
import { DESTINATION_REGION, SOURCE_REGION, startBurstWorld } from './burst-world.ts';
import { type Backlog, movedBy } from './lineage.ts';
import type { LineageRow } from './results.ts';
import { HOUR_MS } from './schedule.ts';
import { NO_TROUBLE } from './trouble.ts';

/** A copy of a whole volume takes minutes to hours; nothing takes so long. */
const LIMIT_MS = 30 * 24 * HOUR_MS;
/** Before the first look for snapshots that no event has told of: it takes no snapshot that completed just now. */
const COMPLETE_AFTER_MS = 40 * 60_000;

/**
 * The hourly snapshots of one volume, of which no event tells: the service finds all of them at its hourly look for
 * lost events. What it moves then. In virtual time, one at a time in a process.
 */
export async function copyBacklogByService(
  { packageDir, rules }: { readonly packageDir: string; readonly rules: readonly CopyRule[] },
  backlog: Backlog = {},
): Promise<LineageRow> {
  const { snapshots = 24, volumeGiB = 200, changePerSnapshot = 0.03 } = backlog;
  let copied = 0;
  const world = await startBurstWorld({
    packageDir,
    rules,
    start: new Date('2026-01-05T09:00:00Z'),
    ec2: { changePerSnapshot },
    eventsForwarded: true,
    trouble: NO_TROUBLE,
    passesOn({ detail }) {
      if (detail['event'] === 'copySnapshot' && detail['result'] === 'succeeded') copied += 1;
      return detail['event'] !== 'createSnapshot';
    },
    seed: 1,
  });
  const { account, clock, ec2 } = world;
  try {
    await clock.advance(COMPLETE_AFTER_MS);
    for (let sequence = 1; sequence <= snapshots; sequence++) {
      ec2.completeSnapshot({
        account,
        region: SOURCE_REGION,
        volumeId: 'vol-0123456789abcdef0',
        sequence,
        sizeGiB: volumeGiB,
        startedAt: clock.now() - (snapshots - sequence) * HOUR_MS,
        tags: { Backup: 'yes' },
      });
    }
    await clock.advanceUntil(() => copied === snapshots, LIMIT_MS);
    const copies = ec2.copiesEverMade({ account, region: DESTINATION_REGION });
    return { way: 'this-service', snapshots, volumeGiB, changePerSnapshot, ...movedBy(copies) };
  } finally {
    await world.stop();
  }
}
