// State TagCopy of statemachines/copy-snapshot.asl.yml
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { COPIER_TAG, type CopyTagState, copiedToTag } from '../core/copier-tags.ts';
import { destinationId } from '../core/destination.ts';
import { readEc2Answer } from '../core/ec2-errors.ts';
import { CopierError, RequestRefusedError, SourceNotMarkedError, UnreadableInputError } from '../core/errors.ts';
import { isExpectedFull } from '../core/existing-copies.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger, metrics } from './shell.ts';

/** What TagCopy found out, for the output of the execution. */
export interface CopyResult {
  readonly copyId: string;
  readonly seconds: number;
  readonly expectedFull: boolean;
  /** Why the source carries no mark; absent if it does. */
  readonly sourceNotMarked?: string;
}

interface Settings {
  readonly accountId: string;
}

/** Marks the copy as complete, and the source with the copy's id where both are in this account. */
export const tagCopy =
  (snapshots: Pick<SnapshotApi, 'tag'>, now: () => Date, { accountId }: Settings) =>
  async (input: unknown): Promise<CopyResult> => {
    const { execution, request, copy } = parseTaskInput(input);
    if (copy?.copyId === undefined) throw new UnreadableInputError('TagCopy needs $.copy.copyId from CheckCopy.');
    const { source, destination } = request;
    const where = destinationId(destination);

    const copied: CopyTagState = 'copied';
    await snapshots.tag(destination.region, copy.copyId, { [COPIER_TAG.state]: copied });
    const sourceNotMarked = await markSource(snapshots, source, accountId, { [copiedToTag(where)]: copy.copyId });

    const seconds = Math.round((now().getTime() - Date.parse(copy.copyStartTime ?? execution.startTime)) / 1000);
    const expectedFull = isExpectedFull(request, accountId, copy.basis, copy.kmsKeyId);
    metrics.addDimension('destination', where);
    metrics.addMetric('CopiesCompleted', MetricUnit.Count, 1);
    metrics.addMetric('CopySeconds', MetricUnit.Seconds, seconds);
    metrics.addMetric('FullCopies', MetricUnit.Count, expectedFull ? 1 : 0);
    logger.info(`Copied ${source.snapshotId} to ${where} as ${copy.copyId}`, {
      seconds,
      expectedFull,
      sourceNotMarked,
    });
    return { copyId: copy.copyId, seconds, expectedFull, ...(sourceNotMarked !== undefined && { sourceNotMarked }) };
  };

/**
 * The copy is good whether or not its source can be marked, so a source that is gone or full of tags is no failure.
 *
 * @throws SourceNotMarkedError for trouble that may pass
 */
async function markSource(
  snapshots: Pick<SnapshotApi, 'tag'>,
  source: { readonly region: string; readonly snapshotId: string; readonly ownerId: string },
  accountId: string,
  mark: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (source.ownerId !== accountId) return `the source belongs to account ${source.ownerId}`;
  try {
    await snapshots.tag(source.region, source.snapshotId, mark);
    return undefined;
  } catch (error) {
    if (!(error instanceof CopierError)) throw error;
    const isGone = readEc2Answer(error.message)?.code === 'InvalidSnapshot.NotFound';
    if (isGone || error instanceof RequestRefusedError) return error.message;
    throw new SourceNotMarkedError(error.message, { cause: error });
  }
}

const settings = readSettings(process.env, { ACCOUNT_ID: setting.ACCOUNT_ID });

export const handler = lambda(tagCopy(ec2Snapshots(), () => new Date(), { accountId: settings.ACCOUNT_ID }));
