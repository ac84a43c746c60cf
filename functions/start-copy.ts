// State StartCopy of statemachines/copy-snapshot.asl.yml
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { copyParameters } from '../core/copy-parameters.ts';
import type { CopyProgress } from '../core/copy-progress.ts';
import { deadlineOf } from '../core/deadline.ts';
import { destinationId } from '../core/destination.ts';
import { DeadlinePassedError } from '../core/errors.ts';
import { basisOf, ownCopyOf } from '../core/existing-copies.ts';
import { progressOf } from '../core/next-step.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { waitSeconds } from '../core/wait-schedule.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger, metrics } from './shell.ts';

interface Settings {
  readonly installName: string;
}

/**
 * Begins the copy, unless it is there already: an earlier attempt may have begun it and lost the answer.
 *
 * @throws DeadlinePassedError, and whatever `SnapshotApi` throws
 */
export const startCopy =
  (snapshots: SnapshotApi, now: () => Date, { installName }: Settings) =>
  async (input: unknown): Promise<CopyProgress> => {
    const { execution, request } = parseTaskInput(input);
    const { source, destination } = request;
    const where = destinationId(destination);
    const deadline = deadlineOf(execution, request);

    const tooLate = (cause?: unknown) => {
      const what = `The copy of ${source.snapshotId} to ${where} could not begin before its deadline, ${deadline.toISOString()}.`;
      return new DeadlinePassedError(cause instanceof Error ? `${what} The last attempt: ${cause.message}` : what);
    };

    const copies = await snapshots.copiesOf(request).catch((error: unknown) => {
      throw now() >= deadline ? tooLate(error) : error;
    });
    const own = ownCopyOf(request, copies, installName);
    if (own !== undefined) {
      const progress = progressOf(own.snapshotId, own, now(), { begun: new Date(own.startTime), deadline });
      const basis = basisOf(request, copies, own.snapshotId);
      logger.info(`Adopted ${own.snapshotId}, the copy of ${source.snapshotId} at ${where}: ${progress.reason}`);
      return { ...progress, adopted: true, ...(basis !== undefined && { basis }) };
    }
    if (now() >= deadline) throw tooLate();

    const { parameters, droppedTags } = copyParameters(request, installName);
    if (droppedTags.length > 0) {
      logger.warn(`Tags of ${source.snapshotId} that its copy at ${where} will not have`, { droppedTags });
    }
    if (request.dryRun) {
      await snapshots.probeCopy(destination.region, parameters);
      const reason = `rule ${request.rule} is a dry run: EC2 would allow the copy of ${source.snapshotId} to ${where}`;
      logger.info(reason, { parameters });
      return { action: 'reportDryRun', reason, progressPercent: 0, waitSeconds: 0, adopted: false };
    }

    const copyId = await snapshots.copy(destination.region, parameters);
    metrics.addDimension('destination', where);
    metrics.addMetric('CopiesStarted', MetricUnit.Count, 1);
    logger.info(`Started ${copyId}, the copy of ${source.snapshotId} at ${where}`);
    const basis = basisOf(request, copies);
    const begun = now();
    return {
      action: 'wait',
      waitSeconds: waitSeconds(0, (deadline.getTime() - begun.getTime()) / 1000),
      reason: 'EC2 accepted the copy',
      copyId,
      state: 'pending',
      progressPercent: 0,
      copyStartTime: begun.toISOString(),
      adopted: false,
      ...(basis !== undefined && { basis }),
    };
  };

const settings = readSettings(process.env, { INSTALL_NAME: setting.INSTALL_NAME });

export const handler = lambda(startCopy(ec2Snapshots(), () => new Date(), { installName: settings.INSTALL_NAME }));
