import { CreateSnapshotCommand, CreateVolumeCommand, DeleteSnapshotCommand, EC2Client } from '@aws-sdk/client-ec2';
import { type Sandbox, startSandbox } from './sandbox.ts';

/** An install some days old in which everything has happened once: what the examples of the command line look at. */
export interface CliScene {
  readonly sandbox: Sandbox;
  /** Snapshot ids by what became of them. */
  readonly snapshots: Readonly<Record<SceneName, string>>;
}

type SceneName = 'copied' | 'running' | 'waiting' | 'failed' | 'missing' | 'untagged';

const HOUR_MS = 3_600_000;
const HOME = 'eu-west-1';
const DESTINATION = 'eu-central-1';

/** @param packageDir the service, packaged with the shipped copy-rules.yml: all that has the tag Backup, to eu-central-1 */
export async function startCliScene(packageDir: string): Promise<CliScene> {
  const sandbox = await startSandbox({
    packageDir,
    time: { mode: 'jumping' },
    // Nothing gets lost here, and two days of looking after it take their time.
    schedules: 'off',
    ec2: { copyTakesSeconds: ({ gib }) => 300 + 6 * gib },
  });
  const hours = (number: number): Promise<void> => sandbox.advance(number * HOUR_MS);
  const [home, there] = [clientOf(sandbox, HOME), clientOf(sandbox, DESTINATION)];
  const volume = async (size: number): Promise<string> => {
    const { VolumeId = '' } = await home.send(new CreateVolumeCommand({ AvailabilityZone: `${HOME}a`, Size: size }));
    return VolumeId;
  };
  const snapshot = async (
    volumeId: string,
    description: string,
    tags: Readonly<Record<string, string>> = { Backup: 'nightly' },
  ): Promise<string> => {
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const { SnapshotId = '' } = await home.send(
      new CreateSnapshotCommand({
        VolumeId: volumeId,
        Description: description,
        ...(Tags.length > 0 && { TagSpecifications: [{ ResourceType: 'snapshot', Tags }] }),
      }),
    );
    await sandbox.advance(60_000);
    return SnapshotId;
  };

  const [database, web, files, warehouse] = [await volume(100), await volume(20), await volume(50), await volume(500)];
  await snapshot(database, 'database, Saturday');
  const missing = await snapshot(files, 'files, Saturday');
  await hours(24);
  const copied = await snapshot(database, 'database, Sunday');
  const untagged = await snapshot(web, 'web, before an update', {});
  await hours(12);
  const keyFault = { kind: 'copy-error', stateMessage: 'Given key ID is not accessible' };
  await control(sandbox, 'faults', keyFault);
  const failed = await snapshot(web, 'web, Sunday');
  await hours(2);
  await removeCopyOf(missing, sandbox, there);
  await hours(9);
  const running = await snapshot(warehouse, 'warehouse, 08:00');
  await sandbox.advance(600_000);
  const waiting = await snapshot(warehouse, 'warehouse, 08:10');
  await snapshot(warehouse, 'warehouse, 08:11');
  await sandbox.advance(600_000);
  return { sandbox, snapshots: { copied, running, waiting, failed, missing, untagged } };
}

function clientOf({ endpoint, home }: Sandbox, region: string): EC2Client {
  const credentials = { accessKeyId: home.account, secretAccessKey: 'secret' };
  return new EC2Client({ endpoint, region, maxAttempts: 1, credentials });
}

/** As somebody does who tidies up in the wrong Region. */
async function removeCopyOf(snapshotId: string, sandbox: Sandbox, there: EC2Client): Promise<void> {
  const copy = sandbox.ec2.snapshots().find((each) => each.copy?.sourceSnapshotId === snapshotId);
  if (copy === undefined) throw new Error(`${snapshotId} should have a copy by now.`);
  await there.send(new DeleteSnapshotCommand({ SnapshotId: copy.snapshotId }));
}

async function control({ endpoint }: Sandbox, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${endpoint}/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
}
