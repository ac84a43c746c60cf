// State StartCopy of statemachines/copy-snapshot.asl.yml
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { Ledger } from '../aws/ledger.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { copyParameters } from '../core/copy-parameters.ts';
import type { CopyProgress } from '../core/copy-progress.ts';
import { deadlineOf } from '../core/deadline.ts';
import { destinationId } from '../core/destination.ts';
import { CopySlotsTakenError, DeadlinePassedError, NotYetVisibleError, SourceHiddenError } from '../core/errors.ts';
import { basisOf, ownCopyOf } from '../core/existing-copies.ts';
import { requestKey } from '../core/ledger-request.ts';
import { progressOf } from '../core/next-step.ts';
import { copyBegun } from '../core/request-transitions.ts';
import { decideWithoutSource } from '../core/source-readiness.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { waitSeconds } from '../core/wait-schedule.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger, metrics } from './shell.ts';

interface Ports {
  readonly snapshots: SnapshotApi;
  readonly ledger: Pick<Ledger, 'change'>;
  readonly now: () => Date;
}

interface Settings {
  readonly installName: string;
  readonly accountId: string;
}

/**
 * Begins the copy, unless it is there already: an earlier attempt may have begun it and lost the answer.
 *
 * @throws DeadlinePassedError, SourceHiddenError if the source of another account is not to be seen, and whatever
 * `SnapshotApi` throws
 */
export const startCopy =
  ({ snapshots, ledger, now }: Ports, { installName, accountId }: Settings) =>
  async (input: unknown): Promise<CopyProgress> => {
    const { execution, request, prepared } = parseTaskInput(input);
    const { source, destination } = request;
    const where = destinationId(destination);
    const deadline = deadlineOf(execution, request);

    const tooLate = (cause?: unknown) => {
      const what = `The copy of ${source.snapshotId} to ${where} could not begin before its deadline, ${deadline.toISOString()}.`;
      return new DeadlinePassedError(cause instanceof Error ? `${what} The last attempt: ${cause.message}` : what);
    };

    // Admission frees the slot when EC2 shows this copy as pending no more, so the ledger must know it.
    const tellLedger = async (copyId: string, at: Date): Promise<void> => {
      if (request.dryRun) return;
      await ledger.change(requestKey(source, destination), copyBegun(execution.name, copyId, at, now()));
    };

    const copies = await snapshots.copiesOf(request).catch((error: unknown) => {
      throw now() >= deadline ? tooLate(error) : error;
    });
    const own = ownCopyOf(request, copies, installName);
    if (own !== undefined) {
      const progress = progressOf(own.snapshotId, own, now(), { begun: new Date(own.startTime), deadline });
      const basis = basisOf(request, copies, own.snapshotId);
      await tellLedger(own.snapshotId, new Date(own.startTime));
      logger.info(`Adopted ${own.snapshotId}, the copy of ${source.snapshotId} at ${where}: ${progress.reason}`);
      return { ...progress, adopted: true, ...(basis !== undefined && { basis }) };
    }
    if (now() >= deadline) throw tooLate();

    // A rehearsal leaves a source of an account with the companion as it is: not shared.
    const copyFrom = source.companion === undefined ? source.snapshotId : prepared?.copyFrom;
    if (copyFrom !== undefined && (await snapshots.find(source.region, copyFrom)) === undefined) {
      const { action, reason } = decideWithoutSource(new Date(source.startTime), new Date(execution.startTime), now());
      if (action === 'askAgain') throw new NotYetVisibleError(`${copyFrom} in ${source.region}: ${reason}`);
      if (source.ownerId !== accountId) {
        throw new SourceHiddenError(
          `EC2 does not show ${copyFrom} in ${source.region} to account ${accountId}: it was deleted, or its share was taken back.`,
        );
      }
      logger.warn(`Skipped ${source.snapshotId} for ${where}: ${reason}`, { rule: request.rule });
      return { action, reason, progressPercent: 0, waitSeconds: 0, adopted: false };
    }

    const { parameters, droppedTags } = copyParameters(request, installName, prepared?.copyFrom);
    if (droppedTags.length > 0) {
      logger.warn(`Tags of ${source.snapshotId} that its copy at ${where} will not have`, { droppedTags });
    }
    if (request.dryRun) {
      const wouldWait = await snapshots.probeCopy(destination.region, parameters).then(
        () => false,
        (error: unknown) => {
          if (error instanceof CopySlotsTakenError) return true;
          throw error;
        },
      );
      const reason = `rule ${request.rule} is a dry run: ${
        wouldWait ? 'EC2 has no free slot now, so it would wait:' : 'EC2 would allow'
      } the copy of ${source.snapshotId} to ${where}`;
      logger.info(reason, { parameters });
      return { action: 'reportDryRun', reason, progressPercent: 0, waitSeconds: 0, adopted: false };
    }

    const copyId = await snapshots.copy(destination.region, parameters);
    const copyStartTime = now();
    // The copy is under way: an error now would have the state machine make a second one, before EC2 shows this one.
    // Without the copy's id its slot counts as taken until the execution ends.
    await tellLedger(copyId, copyStartTime).catch((error: unknown) => {
      logger.warn(`The ledger does not know of ${copyId}: ${error instanceof Error ? error.message : String(error)}`);
    });
    metrics.addDimension('destination', where);
    metrics.addMetric('CopiesStarted', MetricUnit.Count, 1);
    logger.info(`Started ${copyId}, the copy of ${source.snapshotId} at ${where}`);
    const basis = basisOf(request, copies);
    return {
      action: 'wait',
      waitSeconds: waitSeconds(0, (deadline.getTime() - copyStartTime.getTime()) / 1000),
      reason: 'EC2 accepted the copy',
      copyId,
      state: 'pending',
      progressPercent: 0,
      copyStartTime: copyStartTime.toISOString(),
      adopted: false,
      ...(basis !== undefined && { basis }),
    };
  };

const settings = readSettings(process.env, {
  INSTALL_NAME: setting.INSTALL_NAME,
  ACCOUNT_ID: setting.ACCOUNT_ID,
  LEDGER_TABLE: setting.LEDGER_TABLE,
});

export const handler = lambda(
  startCopy(
    { snapshots: ec2Snapshots(), ledger: dynamoDbLedger(settings.LEDGER_TABLE), now: () => new Date() },
    { installName: settings.INSTALL_NAME, accountId: settings.ACCOUNT_ID },
  ),
);
