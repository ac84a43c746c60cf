// State CheckCopy of statemachines/copy-snapshot.asl.yml
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import type { CopyProgress } from '../core/copy-progress.ts';
import { deadlineOf } from '../core/deadline.ts';
import { destinationId } from '../core/destination.ts';
import { CopierError, DeadlinePassedError, UnreadableInputError } from '../core/errors.ts';
import { progressOf } from '../core/next-step.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { lambda, logger } from './shell.ts';

/**
 * Looks at the copy and says what comes next; `$.copy.waitSeconds` is how long WaitForCopy waits.
 *
 * @throws DeadlinePassedError if EC2 is in trouble at the deadline, and whatever `SnapshotApi.find` throws
 */
export const checkCopy =
  (snapshots: Pick<SnapshotApi, 'find'>, now: () => Date) =>
  async (input: unknown): Promise<CopyProgress> => {
    const { execution, request, copy: before } = parseTaskInput(input);
    if (before?.copyId === undefined) throw new UnreadableInputError('CheckCopy needs $.copy.copyId from StartCopy.');
    const { copyId, adopted, basis } = before;

    const deadline = deadlineOf(execution, request);
    const copy = await snapshots.find(request.destination.region, copyId).catch((error: unknown) => {
      if (now() < deadline || !(error instanceof CopierError)) throw error;
      // The state machine would try again for days, but at the deadline somebody has to be told.
      throw new DeadlinePassedError(`Nothing is known of ${copyId} at its deadline. The last look: ${error.message}`);
    });
    const progress = progressOf(copyId, copy, now(), {
      // Until EC2 shows the copy, the moment of the call stands for its start.
      begun: new Date(copy?.startTime ?? before.copyStartTime ?? execution.startTime),
      deadline,
      ...(before.missingSince !== undefined && { missingSince: new Date(before.missingSince) }),
    });
    logger.info(`${copyId} at ${destinationId(request.destination)}: ${progress.reason}`, { action: progress.action });
    return { ...progress, adopted, ...(basis !== undefined && { basis }) };
  };

export const handler = lambda(checkCopy(ec2Snapshots(), () => new Date()));
