import { CopySnapshotCommand, CreateSnapshotCommand, CreateVolumeCommand, EC2Client } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { Ec2Service, type SnapshotRecord } from '../sandbox/ec2/ec2-service.ts';
import { type Random, seededRandom } from '../sandbox/ids.ts';
import { KeyStore } from '../sandbox/kms/key-store.ts';
import { installVirtualClock, type VirtualClock } from '../sandbox/virtual-clock.ts';
import type { LineageRow } from './results.ts';
import { HOUR_MS } from './schedule.ts';
import { shuffled } from './workload.ts';

/** A volume with hourly snapshots, none of them copied yet. */
export interface Backlog {
  /** Default 24. */
  readonly snapshots?: number;
  /** Default 200. */
  readonly volumeGiB?: number;
  /** Which part of the volume differs from one snapshot to the next. Default 0.03. */
  readonly changePerSnapshot?: number;
}

/**
 * `in-order`: one at a time, the oldest first: no way moves less. `by-chance`: one at a time, in an order by chance.
 * `at-once`: all of them begin at once; whom EC2 has no slot for tries again later, as with retries in Step Functions.
 */
export type CopyingWay = 'in-order' | 'by-chance' | 'at-once';

const ACCOUNT = '111122223333';
const SOURCE_REGION = 'eu-west-1';
const DESTINATION_REGION = 'eu-central-1';
/** A copy of a whole volume takes minutes to hours; nothing takes so long. */
const LIMIT_MS = 30 * 24 * HOUR_MS;
/** Retries in Step Functions with MaxDelaySeconds 300, when they have come to it. */
const LONGEST_WAIT_MS = 300_000;

/**
 * Copies a backlog in one way and counts what EC2 moves, by the rule of the sandbox's EC2 with its 20 slots.
 * In virtual time: no other sandbox may run in the process.
 */
export async function copyBacklog(way: CopyingWay, backlog: Backlog = {}): Promise<LineageRow> {
  const { snapshots = 24, volumeGiB = 200, changePerSnapshot = 0.03 } = backlog;
  const clock = installVirtualClock({ start: new Date('2026-01-05T09:00:00Z'), time: { mode: 'jumping' } });
  try {
    const ec2 = new Ec2Service({ clock, keys: new KeyStore({ clock }), emit: () => {}, changePerSnapshot });
    const sources = await takeHourly(clock, clientOf(ec2, SOURCE_REGION), snapshots, volumeGiB);
    const random = seededRandom(1);
    const copies = () => ec2.snapshots({ region: DESTINATION_REGION });
    const copied = (count: number) => () => copies().filter(({ state }) => state === 'completed').length === count;
    const destination = clientOf(ec2, DESTINATION_REGION);
    if (way === 'at-once') {
      for (const source of sources) await copyWhenThereIsASlot(clock, destination, source, random);
      await clock.advanceUntil(copied(snapshots), LIMIT_MS);
    } else {
      const order = way === 'in-order' ? sources : shuffled(sources, random);
      for (const [before, source] of order.entries()) {
        await copy(destination, source);
        await clock.advanceUntil(copied(before + 1), LIMIT_MS);
      }
    }
    return { way, snapshots, volumeGiB, changePerSnapshot, ...movedBy(copies()) };
  } finally {
    clock.uninstall();
  }
}

/** What copies moved, by EC2's own record. Snapshots that are no copies count nothing. */
export function movedBy(records: readonly SnapshotRecord[]): Pick<LineageRow, 'gibMoved' | 'fullCopies'> {
  const copies = records.flatMap(({ copy: facts }) => facts ?? []);
  return {
    gibMoved: copies.reduce((sum, { gibMoved }) => sum + gibMoved, 0),
    fullCopies: copies.filter(({ incremental }) => !incremental).length,
  };
}

/** @returns the ids, oldest first, all complete */
async function takeHourly(
  clock: VirtualClock,
  source: EC2Client,
  count: number,
  volumeGiB: number,
): Promise<readonly string[]> {
  const { VolumeId } = await source.send(
    new CreateVolumeCommand({ AvailabilityZone: `${SOURCE_REGION}a`, Size: volumeGiB }),
  );
  const ids: string[] = [];
  while (ids.length < count) {
    const { SnapshotId } = await source.send(new CreateSnapshotCommand({ VolumeId }));
    if (SnapshotId === undefined) throw new Error('EC2 made a snapshot without an id.');
    ids.push(SnapshotId);
    await clock.advance(HOUR_MS);
  }
  return ids;
}

async function copyWhenThereIsASlot(
  clock: VirtualClock,
  destination: EC2Client,
  source: string,
  random: Random,
): Promise<void> {
  try {
    await copy(destination, source);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ResourceLimitExceeded') throw error;
    clock.after(random() * LONGEST_WAIT_MS, () => {
      void clock.during(copyWhenThereIsASlot(clock, destination, source, random));
    });
  }
}

async function copy(destination: EC2Client, source: string): Promise<void> {
  await destination.send(new CopySnapshotCommand({ SourceSnapshotId: source, SourceRegion: SOURCE_REGION }));
}

const sent = z.object({ body: z.string() });

/** The SDK, with the service instead of a network. */
function clientOf(service: Ec2Service, region: string): EC2Client {
  return new EC2Client({
    region,
    credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'none' },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: unknown) => {
        const params = new URLSearchParams(sent.parse(request).body);
        const answer = service.handle({ account: ACCOUNT, region, params });
        if (!('body' in answer)) throw new Error('EC2 did not answer, and nobody had asked for that.');
        return { response: { ...answer, statusCode: answer.status, body: Buffer.from(answer.body) } };
      },
    },
  });
}
