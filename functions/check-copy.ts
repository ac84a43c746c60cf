// State CheckCopy of statemachines/copy-snapshot.asl.yml
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import type { CopyProgress } from '../core/copy-progress.ts';
import { deadlineOf } from '../core/deadline.ts';
import { destinationId } from '../core/destination.ts';
import { UnreadableInputError } from '../core/errors.ts';
import { decideNextStep, progressOf } from '../core/next-step.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { lambda, logger } from './shell.ts';

/** Looks at the copy and says what comes next; `$.copy.waitSeconds` is how long WaitForCopy waits. */
export const checkCopy =
  (snapshots: Pick<SnapshotApi, 'find'>, now: () => Date) =>
  async (input: unknown): Promise<CopyProgress> => {
    const { execution, request, copy: before } = parseTaskInput(input);
    if (before?.copyId === undefined) throw new UnreadableInputError('CheckCopy needs $.copy.copyId from StartCopy.');
    const { copyId, adopted, basis } = before;

    const copy = await snapshots.find(request.destination.region, copyId);
    // Until EC2 shows the copy, the moment of the call stands for its start.
    const begun = new Date(copy?.startTime ?? before.copyStartTime ?? execution.startTime);
    const progress = progressOf(copy, begun, decideNextStep(copy, begun, now(), deadlineOf(execution, request)));
    logger.info(`${copyId} at ${destinationId(request.destination)}: ${progress.reason}`, { action: progress.action });
    return { ...progress, copyId, adopted, ...(basis !== undefined && { basis }) };
  };

export const handler = lambda(checkCopy(ec2Snapshots(), () => new Date()));
