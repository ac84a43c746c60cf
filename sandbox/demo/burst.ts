import { setTimeout as sleep } from 'node:timers/promises';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { createSnapshot, createVolume } from './make-snapshots.ts';

/** More snapshots at once than their destination has slots. */
export interface Burst {
  readonly region: string;
  /** In the order in which they were taken. */
  readonly snapshots: readonly BurstSnapshot[];
  /** The one whose source is deleted while it waits. */
  readonly deleted: BurstSnapshot;
}

export interface BurstSnapshot {
  readonly snapshotId: string;
  /** Its tag Name, for example `orders-2`: the second one of the volume `orders`. */
  readonly name: string;
  readonly volumeId: string;
  readonly volume: string;
}

/** GiB. */
const VOLUMES = { wiki: 8, orders: 20, mail: 12, files: 16, scratch: 8, ci: 4 } as const;

const TAKEN = [
  'wiki',
  'orders',
  'orders',
  'mail',
  'orders',
  'mail',
  'files',
  'orders',
  'scratch',
  'mail',
  'files',
  'ci',
] as const;

/** Takes twelve snapshots of six volumes, for the rule `hourly`. */
export async function takeBurst(ec2: EC2Client): Promise<Burst> {
  const volumeIds = new Map<string, string>();
  for (const [volume, sizeGiB] of Object.entries(VOLUMES)) volumeIds.set(volume, await createVolume(ec2, sizeGiB));
  const snapshots: BurstSnapshot[] = [];
  for (const volume of TAKEN) {
    const volumeId = volumeIds.get(volume) ?? '';
    const name = `${volume}-${snapshots.filter((earlier) => earlier.volume === volume).length + 1}`;
    const tags = { Backup: 'hourly', Name: name };
    const snapshotId = await createSnapshot(ec2, volumeId, `hourly of ${volume}`, tags);
    snapshots.push({ snapshotId, name, volumeId, volume });
    // Some seconds of the sandbox, so that it can be seen which one is older.
    await sleep(20);
  }
  const deleted = snapshots.find(({ volume }) => volume === 'scratch');
  if (deleted === undefined) throw new Error('The burst has no snapshot to delete.');
  return { region: 'eu-north-1', snapshots, deleted };
}
