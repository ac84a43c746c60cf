import { action, type Ec2Action } from '../action.ts';
import { incorrectState, invalidCombination, invalidValue, notPermitted } from '../ec2-error.ts';
import { applyFilters, filters, knownFilter, tagFilterValues } from '../filters.ts';
import { page, pageParameters } from '../pages.ts';
import { flag, integer, text } from '../query.ts';
import { checkSnapshotId } from '../resource-ids.ts';
import { type Snapshot, type TierStatus, tagsSeenBy } from '../snapshot.ts';
import { tagSet } from '../tags.ts';
import type { Ec2World } from '../world.ts';
import { isoTime, items, type XmlTree } from '../xml.ts';
import { ordinalKey } from './describe-snapshots.ts';

const DAY_SECONDS = 86_400;

/**
 * Archives a completed snapshot: https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive.html
 * Archived, it cannot be copied, shared or made into a volume.
 */
export const modifySnapshotTier: Ec2Action = action({
  name: 'ModifySnapshotTier',
  parameters: { SnapshotId: text, StorageTier: text.optional() },
  check: (input) => {
    checkSnapshotId(input.SnapshotId);
    if ((input.StorageTier ?? 'archive') !== 'archive') {
      throw invalidValue(`Value (${input.StorageTier}) for parameter StorageTier is invalid.`);
    }
  },
  run: (world, caller, { SnapshotId }) => {
    const snapshot = world.ownSnapshot(caller, SnapshotId);
    if (snapshot.state !== 'completed') throw incorrectState(`The snapshot ${SnapshotId} is not completed.`);
    if (snapshot.outpostArn !== undefined || snapshot.localZone !== undefined) {
      throw notPermitted('Snapshots on Outposts and in Local Zones cannot be archived');
    }
    if (snapshot.storageTier === 'archive') throw incorrectState(`The snapshot ${SnapshotId} is already archived.`);
    checkIdle(snapshot);
    const startedAt = world.now;
    snapshot.tier = {
      operation: 'archival-in-progress',
      startedAt,
      archivedAt: undefined,
      restoreExpiresAt: undefined,
    };
    world.after(world.settings.tierTakesSeconds, () => {
      if (snapshot.gone) return;
      snapshot.storageTier = 'archive';
      snapshot.tier = {
        operation: 'archival-completed',
        startedAt,
        archivedAt: world.now,
        restoreExpiresAt: undefined,
      };
      world.events.tier('archiveSnapshot', snapshot, { startedAt });
    });
    return { snapshotId: SnapshotId, tieringStartTime: isoTime(startedAt) };
  },
});

/**
 * Brings an archived snapshot back, for good or for some days:
 * https://docs.aws.amazon.com/ebs/latest/userguide/restore-archived-snapshot.html
 * What StorageTier says during a temporary restore is unconfirmed; here: `standard`, with RestoreExpiryTime.
 */
export const restoreSnapshotTier: Ec2Action = action({
  name: 'RestoreSnapshotTier',
  parameters: { SnapshotId: text, TemporaryRestoreDays: integer.optional(), PermanentRestore: flag.optional() },
  check: (input) => {
    checkSnapshotId(input.SnapshotId);
    if ((input.TemporaryRestoreDays === undefined) === (input.PermanentRestore !== true)) {
      throw invalidCombination('Exactly one of TemporaryRestoreDays and PermanentRestore is needed');
    }
    const days = input.TemporaryRestoreDays;
    if (days !== undefined && (days < 1 || days > 180)) {
      throw invalidValue(`Value (${days}) for parameter TemporaryRestoreDays is invalid.`);
    }
  },
  run: (world, caller, { SnapshotId, TemporaryRestoreDays: days }) => {
    const snapshot = world.ownSnapshot(caller, SnapshotId);
    const { tier } = snapshot;
    if (tier?.archivedAt === undefined) throw incorrectState(`The snapshot ${SnapshotId} is not archived.`);
    checkIdle(snapshot);
    const startedAt = world.now;
    const takes = world.settings.tierTakesSeconds;
    const progress = days === undefined ? 'permanent-restore-in-progress' : 'temporary-restore-in-progress';
    snapshot.tier = { ...tier, operation: progress, startedAt };
    world.after(takes, () => finishRestore(world, snapshot, tier, startedAt, days));
    return {
      snapshotId: SnapshotId,
      restoreStartTime: isoTime(startedAt),
      restoreDuration: days,
      isPermanentRestore: days === undefined,
    };
  },
});

function finishRestore(
  world: Ec2World,
  snapshot: Snapshot,
  before: TierStatus,
  startedAt: number,
  days: number | undefined,
): void {
  if (snapshot.gone) return;
  snapshot.storageTier = 'standard';
  if (days === undefined) {
    snapshot.tier = {
      operation: 'permanent-restore-completed',
      startedAt,
      archivedAt: undefined,
      restoreExpiresAt: undefined,
    };
    world.events.tier('permanentRestoreSnapshot', snapshot, { startedAt });
    return;
  }
  const restoreExpiresAt = world.now + days * DAY_SECONDS * 1000;
  const restored: TierStatus = { ...before, operation: 'temporary-restore-completed', startedAt, restoreExpiresAt };
  snapshot.tier = restored;
  world.events.tier('temporaryRestoreSnapshot', snapshot, { startedAt, restoreExpiresAt });
  world.after(days * DAY_SECONDS, () => {
    if (snapshot.gone || snapshot.tier !== restored) return;
    snapshot.storageTier = 'archive';
    snapshot.tier = { ...restored, operation: 'archival-completed', restoreExpiresAt: undefined };
    world.events.tier('restoreExpiry', snapshot, { startedAt: restoreExpiresAt });
  });
}

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshotTierStatus.html */
export const describeSnapshotTierStatus: Ec2Action = action({
  name: 'DescribeSnapshotTierStatus',
  parameters: { Filter: filters, ...pageParameters },
  run: (world, caller, input) => {
    const tiered = [...world.snapshots.ownedBy(caller)].filter((snapshot) => snapshot.tier !== undefined);
    const matching = applyFilters(tiered, input.Filter, isKnownFilter, (name, snapshot) => {
      if (name === 'snapshot-id') return [snapshot.snapshotId];
      if (name === 'volume-id') return [snapshot.volumeId];
      if (name === 'last-tiering-operation') return [snapshot.tier?.operation ?? ''];
      return tagFilterValues(name, tagsSeenBy(snapshot, caller.account));
    });
    const { items: shown, nextToken } = page(matching, ordinalKey, input);
    return { snapshotTierStatusSet: items(shown.map(statusXml)), nextToken };
  },
});

const isKnownFilter = knownFilter(new Set(['snapshot-id', 'volume-id', 'last-tiering-operation']), { tags: true });

function statusXml(snapshot: Snapshot): XmlTree {
  const { tier } = snapshot;
  return {
    snapshotId: snapshot.snapshotId,
    volumeId: snapshot.volumeId,
    status: snapshot.state,
    ownerId: snapshot.account,
    tagSet: tagSet(tagsSeenBy(snapshot, snapshot.account)),
    storageTier: snapshot.storageTier,
    lastTieringStartTime: tier === undefined ? undefined : isoTime(tier.startedAt),
    lastTieringOperationStatus: tier?.operation,
    archivalCompleteTime: tier?.archivedAt === undefined ? undefined : isoTime(tier.archivedAt),
    restoreExpiryTime: tier?.restoreExpiresAt === undefined ? undefined : isoTime(tier.restoreExpiresAt),
  };
}

function checkIdle({ snapshotId, tier }: Snapshot): void {
  if (tier?.operation.endsWith('-in-progress') !== true) return;
  throw incorrectState(`The snapshot ${snapshotId} is being moved between tiers.`);
}
