import type { Ec2Action } from '../action.ts';
import { copySnapshot } from './copy-snapshot.ts';
import { createSnapshot } from './create-snapshot.ts';
import { createSnapshots } from './create-snapshots.ts';
import { deleteSnapshot } from './delete-snapshot.ts';
import { describeSnapshots } from './describe-snapshots.ts';
import {
  disableEbsEncryptionByDefault,
  enableEbsEncryptionByDefault,
  getEbsDefaultKmsKeyId,
  getEbsEncryptionByDefault,
  modifyEbsDefaultKmsKeyId,
  resetEbsDefaultKmsKeyId,
} from './ebs-encryption.ts';
import { listSnapshotsInRecycleBin, restoreSnapshotFromRecycleBin } from './recycle-bin.ts';
import { describeAvailabilityZones, describeRegions } from './regions.ts';
import { describeSnapshotAttribute, modifySnapshotAttribute, resetSnapshotAttribute } from './snapshot-attribute.ts';
import { describeLockedSnapshots, lockSnapshot, unlockSnapshot } from './snapshot-lock.ts';
import { describeSnapshotTierStatus, modifySnapshotTier, restoreSnapshotTier } from './snapshot-tier.ts';
import { createTags, deleteTags, describeTags } from './tags.ts';
import { attachVolume, createVolume, deleteVolume, describeVolumes, detachVolume } from './volumes.ts';

/** Every action that is imitated, by name. */
export const ACTIONS: ReadonlyMap<string, Ec2Action> = new Map(
  [
    attachVolume,
    copySnapshot,
    createSnapshot,
    createSnapshots,
    createTags,
    createVolume,
    deleteSnapshot,
    deleteTags,
    deleteVolume,
    describeAvailabilityZones,
    describeLockedSnapshots,
    describeRegions,
    describeSnapshotAttribute,
    describeSnapshots,
    describeSnapshotTierStatus,
    describeTags,
    describeVolumes,
    detachVolume,
    disableEbsEncryptionByDefault,
    enableEbsEncryptionByDefault,
    getEbsDefaultKmsKeyId,
    getEbsEncryptionByDefault,
    listSnapshotsInRecycleBin,
    lockSnapshot,
    modifyEbsDefaultKmsKeyId,
    modifySnapshotAttribute,
    modifySnapshotTier,
    resetEbsDefaultKmsKeyId,
    resetSnapshotAttribute,
    restoreSnapshotFromRecycleBin,
    restoreSnapshotTier,
    unlockSnapshot,
  ].map((action) => [action.name, action]),
);
