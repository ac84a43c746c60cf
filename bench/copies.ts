import { CreateSnapshotCommand, CreateVolumeCommand, EC2Client } from '@aws-sdk/client-ec2';
import { startSandbox } from '../sandbox/sandbox.ts';

/** What one copy costs, and how late its end is noticed. */
export interface CopyMeasurement {
  readonly copyTakesSeconds: number;
  /** Looks of CheckCopy. */
  readonly looks: number;
  /** State transitions: states entered, as Step Functions bills them. */
  readonly transitions: number;
  /** Calls of the EC2 API by all functions, for this copy. */
  readonly ec2Calls: number;
  readonly noticedLateSeconds: number;
  readonly noticedLateShare: number;
}

const MINUTE = 60;
const HOUR = 3600;

/** How long the copies of the measurement take. */
export const DURATIONS: readonly number[] = [MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR];

/** One snapshot, one destination, in virtual time, with the packaged service. */
export async function measureCopy(packageDir: string, copyTakesSeconds: number): Promise<CopyMeasurement> {
  const region = 'eu-west-1';
  const sandbox = await startSandbox({
    packageDir,
    time: { mode: 'jumping' },
    home: { region },
    ec2: { copyTakesSeconds: () => copyTakesSeconds },
  });
  try {
    const credentials = { accessKeyId: sandbox.home.account, secretAccessKey: 'none' };
    const ec2 = new EC2Client({ endpoint: sandbox.endpoint, region, maxAttempts: 1, credentials });
    const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 100 }));
    await ec2.send(
      new CreateSnapshotCommand({
        VolumeId,
        TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'Backup', Value: 'yes' }] }],
      }),
    );
    const before = sandbox.ec2.calls.length;
    await sandbox.advance((copyTakesSeconds + 2 * HOUR) * 1000);

    const [execution, ...others] = sandbox.stepFunctions.executions();
    const copy = sandbox.ec2.snapshots().find((snapshot) => snapshot.copy !== undefined);
    if (execution?.status !== 'SUCCEEDED' || execution.stopDate === undefined || others.length > 0) {
      throw new Error(
        `Expected one execution that succeeded, found ${JSON.stringify(sandbox.stepFunctions.executions())}`,
      );
    }
    if (copy?.endedAt === undefined) throw new Error('The copy has no end.');
    const noticedLateSeconds = (execution.stopDate - copy.endedAt) / 1000;
    return {
      copyTakesSeconds,
      looks: execution.history.filter(
        ({ type, details }) => type.endsWith('StateEntered') && details?.['name'] === 'CheckCopy',
      ).length,
      transitions: execution.transitions,
      ec2Calls: sandbox.ec2.calls.length - before,
      noticedLateSeconds,
      noticedLateShare: noticedLateSeconds / copyTakesSeconds,
    };
  } finally {
    await sandbox.stop();
  }
}
