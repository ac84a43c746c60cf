import { DeleteSnapshotCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { CreateAliasCommand, CreateKeyCommand, DisableKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { type Burst, takeBurst } from './burst.ts';
import { createSnapshot, createSnapshotSet, createVolume, shareWhenComplete, type Tags } from './make-snapshots.ts';
import type { Row } from './observer.ts';
import type { QueueRow } from './queue-observer.ts';

/** One copy that the demo asks for, and how it must end. */
export type Expected = {
  readonly snapshotId: string;
  /** A few words, for the table. */
  readonly what: string;
  readonly destination: string;
} & (ExpectedCopy | ExpectedAlert);

interface ExpectedCopy {
  readonly end: 'copied';
  /** The alias of the key in the destination Region; absent = plain. */
  readonly key?: string;
  /** What the copy must have, besides the tags of the service. */
  readonly tags: Readonly<Record<string, string>>;
  /** How often the event of the snapshot is delivered; absent if that does not matter. */
  readonly events?: number;
  /** Whether its source says where it is. Default true. */
  readonly isMarked?: boolean;
}

interface ExpectedAlert {
  readonly end: 'alert';
  readonly reason: string;
  /** What its way out must say. */
  readonly wayOut?: readonly string[];
}

/** What was set up. */
export interface Scene {
  readonly expected: readonly Expected[];
  readonly burst: Burst;
  /** Deletes sources on the way, those that are due by now. To be called after each look. */
  readonly deleteSources: (rows: readonly Row[], queue: readonly QueueRow[]) => Promise<void>;
}

/** How the demo reaches the sandbox. */
export interface Clients {
  /** In the source Region. */
  readonly ec2: EC2Client;
  /** The same of another account, which shares a snapshot. */
  readonly neighbour: EC2Client;
  readonly homeAccount: string;
  readonly kmsIn: (region: string) => KMSClient;
  /** Adds a fault, see docs/sandbox.md. */
  readonly addFault: (fault: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** Makes volumes and snapshots, and the trouble that some of them are to meet. Answers with what must come of them. */
export async function playScenario({ ec2, neighbour, homeAccount, kmsIn, addFault }: Clients): Promise<Scene> {
  const expected: Expected[] = [];
  const snapshotOf = async (sizeGiB: number, description: string, tags: Tags, key?: string) =>
    createSnapshot(ec2, await createVolume(ec2, sizeGiB, key), description, tags);
  const expectCopy = (snapshotId: string, what: string, destination: string, copy: Omit<ExpectedCopy, 'end'>) =>
    expected.push({ snapshotId, what, destination, end: 'copied', events: 1, ...copy });
  const dr = { key: 'alias/dr-copies' };

  // EventBridge delivers at least once; the event of the first snapshot comes twice.
  await addFault({ kind: 'duplicate-event', event: 'createSnapshot', seconds: 20 });
  const web = await snapshotOf(20, 'nightly of web-1', { Backup: 'nightly', Name: 'web-1' });
  expectCopy(web, 'event twice', 'eu-central-1', { ...dr, tags: { Name: 'web-1', Tier: 'dr' }, events: 2 });
  expectCopy(web, 'event twice', 'us-east-1', { tags: { Name: 'web-1' }, events: 2 });

  // Nor does it keep the order: that of the second one, the oldest of the burst, comes when the others wait already.
  await addFault({ kind: 'delay-event', event: 'createSnapshot', seconds: 120 });
  const burst = await takeBurst(ec2);

  const files = await snapshotOf(80, 'nightly of files-1', { Backup: 'nightly', Name: 'files-1' });
  expectCopy(files, '80 GiB', 'eu-central-1', { ...dr, tags: { Name: 'files-1', Tier: 'dr' } });
  expectCopy(files, '80 GiB', 'us-east-1', { tags: { Name: 'files-1' } });

  const kms = kmsIn('eu-west-1');
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'the key that the vault had so far' }));
  await kms.send(new CreateAliasCommand({ AliasName: 'alias/old-vault', TargetKeyId: KeyMetadata?.KeyId }));
  const vault = await snapshotOf(40, 'vault before the audit', { Encrypt: 'yes', Name: 'vault' }, 'alias/old-vault');
  expectCopy(vault, 're-encrypted', 'eu-west-1', { key: 'alias/home', tags: { Name: 'vault' } });

  for (const snapshotId of await createSnapshotSet(ec2, [30, 60], { Set: 'orders-db' })) {
    expectCopy(snapshotId, 'set of volumes', 'eu-central-1', { ...dr, tags: { Set: 'orders-db' } });
  }

  const retired = await kmsIn('us-east-1').send(new DisableKeyCommand({ KeyId: 'alias/retired' }));
  if (retired.$metadata.httpStatusCode !== 200) throw new Error('The sandbox did not disable the key alias/retired.');
  const badKey = await snapshotOf(8, 'key is disabled', { Case: 'retired-key', Name: 'ledger' });
  expected.push(failure(badKey, 'key disabled', 'us-east-1', 'KeyNotAccessible'));

  const shared = await createSnapshot(neighbour, await createVolume(neighbour, 8), 'for our neighbours', {});
  // Throttled for a while, so that the source is gone when EC2 takes the call.
  await addFault({
    kind: 'error',
    action: 'CopySnapshot',
    code: 'RequestLimitExceeded',
    status: 503,
    message: 'Request limit exceeded.',
    sourceSnapshotId: shared,
    times: 6,
  });
  expected.push(failure(shared, 'source deleted', 'us-east-1', 'SourceGone'));

  const slow = await snapshotOf(200, 'slower than its deadline', { Case: 'too-slow', Name: 'warehouse' });
  await addFault({ kind: 'slow-copy', sourceSnapshotId: slow, factor: 20 });
  expected.push(failure(slow, 'too slow', 'eu-central-1', 'DeadlinePassed'));

  await shareWhenComplete(neighbour, shared, homeAccount);

  const deleteOnce = (client: EC2Client, snapshotId: string) => {
    let isDeleted = false;
    return async (isDue: boolean) => {
      if (!isDue || isDeleted) return;
      await client.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }));
      isDeleted = true;
    };
  };
  const deleteShared = deleteOnce(neighbour, shared);
  const deleteWaiting = deleteOnce(ec2, burst.deleted.snapshotId);
  return {
    expected,
    burst,
    async deleteSources(rows, queue) {
      await deleteShared(rows.some((row) => row.expected.snapshotId === shared && row.status !== undefined));
      await deleteWaiting(queue.some((row) => row.snapshot === burst.deleted && row.request?.status === 'waiting'));
    },
  };
}

function failure(snapshotId: string, what: string, destination: string, reason: string): Expected {
  return { snapshotId, what, destination, end: 'alert', reason };
}
