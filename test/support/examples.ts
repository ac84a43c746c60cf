import { COPIER_TAG } from '../../core/copier-tags.ts';
import type { CopyRequest, CopySource } from '../../core/copy-request.ts';
import type { Destination } from '../../core/destination.ts';
import type { Snapshot } from '../../core/snapshot.ts';

/** The account of the examples, and the name of the install in it. */
export const HOME = '444455556666';
export const INSTALL = 'ebs-snapshot-copier-test';

/** A complete, plain snapshot of this account, in eu-west-1. */
export function snapshot(over: Partial<Snapshot> = {}): Snapshot {
  return {
    snapshotId: 'snap-0a1b2c3d4e5f60718',
    region: 'eu-west-1',
    ownerId: HOME,
    volumeId: 'vol-0123456789abcdef0',
    state: 'completed',
    progressPercent: 100,
    startTime: '2026-03-02T04:09:51.204Z',
    sizeGiB: 100,
    encrypted: false,
    storageTier: 'standard',
    description: 'nightly of db-1',
    tags: { Name: 'db-1', Backup: 'nightly' },
    ...over,
  };
}

export function destination(over: Partial<Destination> = {}): Destination {
  return {
    region: 'eu-central-1',
    encryption: { kind: 'as-source' },
    description: '{description}',
    tags: { copy: 'all', add: {} },
    slots: 20,
    deadlineSeconds: 48 * 3600,
    ...over,
  };
}

export function request(over: { source?: Partial<CopySource>; destination?: Partial<Destination> } = {}): CopyRequest {
  const { snapshotId, region, ownerId, volumeId, startTime, sizeGiB, encrypted, description, tags } = snapshot();
  const source = { snapshotId, region, ownerId, volumeId, startTime, sizeGiB, encrypted, description, tags };
  return {
    rule: 'nightly',
    dryRun: false,
    source: { ...source, ...over.source },
    destination: destination(over.destination),
  };
}

/** The copy that `request()` makes, as DescribeSnapshots shows it when it is complete. */
export function copy(over: Partial<Snapshot> = {}): Snapshot {
  return snapshot({
    snapshotId: 'snap-0c0c0c0c0c0c0c0c0',
    region: 'eu-central-1',
    volumeId: 'vol-ffffffff',
    startTime: '2026-03-02T04:13:02.511Z',
    tags: copyTags(),
    ...over,
  });
}

export function copyTags(over: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return {
    [COPIER_TAG.managed]: INSTALL,
    [COPIER_TAG.sourceSnapshot]: 'snap-0a1b2c3d4e5f60718',
    [COPIER_TAG.sourceVolume]: 'vol-0123456789abcdef0',
    [COPIER_TAG.state]: 'copying',
    ...over,
  };
}
