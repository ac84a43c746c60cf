import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { CliProblem } from '../cli-problem.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import type { Terminal } from '../terminal.ts';
import { duration } from '../words.ts';
import { sayProgress } from './copy-progress.ts';
import { lookAgain } from './look-again.ts';
import { reporter } from './reporter.ts';

interface FollowedCopy {
  readonly region: string;
  readonly snapshotId: string;
  readonly snapshots: Pick<SnapshotApi, 'find'>;
  readonly terminal: Terminal;
}

/** EC2 may leave a new snapshot out for so long: https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html */
const HIDDEN_MS = 5 * 60_000;

/**
 * Follows a copy that has just begun, and that the service knows nothing of, to its end in EC2.
 *
 * @throws CliProblem if it does not end well
 */
export async function followCopy({ region, snapshotId, snapshots, terminal }: FollowedCopy): Promise<ExitCode> {
  const meanwhile = reporter(terminal);
  const begun = performance.now();
  const isPending = (copy: Snapshot | undefined) =>
    copy === undefined ? performance.now() - begun < HIDDEN_MS : copy.state === 'pending';
  try {
    const end = await lookAgain(async () => {
      const copy = await snapshots.find(region, snapshotId);
      // By EC2's clock.
      if (copy !== undefined) {
        sayProgress(meanwhile, copy, new Date(Date.parse(copy.startTime) + performance.now() - begun));
      }
      return isPending(copy) ? undefined : { copy };
    });
    meanwhile.done();
    if (end.copy === undefined) throw new CliProblem(`${snapshotId} is not in ${region} any more.`);
    const { state, stateMessage = 'EC2 gave no reason', completionTime, startTime } = end.copy;
    if (state !== 'completed') throw new CliProblem(`${snapshotId} is in state ${state}: ${stateMessage}`);
    const took =
      completionTime === undefined ? '' : `, after ${duration(Date.parse(completionTime) - Date.parse(startTime))}`;
    terminal.tell(`${snapshotId} is complete${took}.`);
    return EXIT.fine;
  } finally {
    meanwhile.done();
  }
}
