import type { Evidence } from '../../../core/audit/evidence.ts';
import { COPIER_TAG } from '../../../core/copier-tags.ts';
import { copyRequest } from '../../../core/copy-request.ts';
import type { LedgerRequest } from '../../../core/ledger-request.ts';
import type { CopyRule } from '../../../core/rules.ts';
import type { Snapshot } from '../../../core/snapshot.ts';
import { destination, HOME, INSTALL, snapshot } from '../../support/examples.ts';

export const NOW: Date = new Date('2026-03-10T12:00:00.000Z');
export const VOLUME = 'vol-0123456789abcdef0';

const HOUR_MS = 3_600_000;

export function hoursAgo(hours: number): string {
  return new Date(NOW.getTime() - hours * HOUR_MS).toISOString();
}

/** A snapshot of this age that was complete a few minutes later. Its id ends with `id`. */
export function source(id: number, ageHours: number, over: Partial<Snapshot> = {}): Snapshot {
  return snapshot({
    snapshotId: `snap-0a${String(id).padStart(15, '0')}`,
    volumeId: VOLUME,
    startTime: hoursAgo(ageHours),
    completionTime: hoursAgo(ageHours - 0.1),
    ...over,
  });
}

/** Its complete copy, an hour after it, with all tags that the service writes. Its id ends with that of the source. */
export function copyOf(of: Snapshot, { tags = {}, ...over }: Partial<Snapshot> = {}): Snapshot {
  const begun = Date.parse(of.startTime) + HOUR_MS;
  return {
    ...of,
    snapshotId: of.snapshotId.replace('snap-0a', 'snap-0c'),
    region: 'eu-central-1',
    volumeId: 'vol-ffffffff',
    startTime: new Date(begun).toISOString(),
    completionTime: new Date(begun + 600_000).toISOString(),
    ...over,
    tags: {
      [COPIER_TAG.managed]: INSTALL,
      [COPIER_TAG.sourceSnapshot]: of.snapshotId,
      [COPIER_TAG.sourceVolume]: of.volumeId,
      [COPIER_TAG.sourceRegion]: of.region,
      [COPIER_TAG.sourceAccount]: of.ownerId,
      [COPIER_TAG.sourceStartTime]: of.startTime,
      [COPIER_TAG.rule]: 'nightly',
      [COPIER_TAG.state]: 'copied',
      ...tags,
    },
  };
}

/** A copy that is not complete. */
export function pendingCopyOf(of: Snapshot, over: Partial<Snapshot> = {}): Snapshot {
  const { completionTime: _, ...pending } = copyOf(of, { state: 'pending', progressPercent: 40, ...over });
  return pending;
}

/** Takes what is tagged `Backup: nightly` to eu-central-1. */
export function rule(over: Partial<CopyRule> = {}): CopyRule {
  return {
    name: 'nightly',
    dryRun: false,
    select: { tags: { Backup: ['nightly'] } },
    destinations: [destination()],
    ...over,
  };
}

/** What the ledger knows of the copy to eu-central-1. */
export function requestFor(of: Snapshot, over: Partial<LedgerRequest> = {}): LedgerRequest {
  return {
    request: copyRequest(of, rule(), destination()),
    status: 'waiting',
    reason: 'tag Backup is nightly',
    attempt: 1,
    requestedAt: of.startTime,
    waitingSince: of.startTime,
    changedAt: of.startTime,
    ...over,
  };
}

/** Thirty days, an RPO of a day, one rule, one volume that exists, and nothing else. */
export function evidence(over: Partial<Evidence> = {}): Evidence {
  return {
    install: { name: INSTALL, account: HOME, region: 'eu-west-1' },
    rules: [rule()],
    now: NOW,
    since: new Date(hoursAgo(30 * 24)),
    rpoSeconds: 24 * 3600,
    sources: [],
    companions: [],
    unseen: [],
    sourceRegions: ['eu-west-1'],
    copies: [],
    untagged: new Set(),
    ledger: { requests: [], unreadable: new Set() },
    volumes: new Map([[VOLUME, { exists: true, name: 'db-1' }]]),
    keys: new Map(),
    ...over,
  };
}
