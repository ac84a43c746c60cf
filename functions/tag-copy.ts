// State TagCopy of statemachines/copy-snapshot.asl.yml

import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { type SourceSnapshots, sourceSnapshotsOf } from '../aws/source-snapshots.ts';
import { COPIER_TAG, type CopyTagState, copiedToTag } from '../core/copier-tags.ts';
import { destinationId } from '../core/destination.ts';
import { readEc2Answer } from '../core/ec2-errors.ts';
import {
  CopierError,
  RequestRefusedError,
  SourceAccountRefusedError,
  SourceNotMarkedError,
  UnreadableInputError,
} from '../core/errors.ts';
import { isExpectedFull } from '../core/existing-copies.ts';
import type { ActingInstall } from '../core/source-account.ts';
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

interface Ports {
  readonly snapshots: Pick<SnapshotApi, 'tag'>;
  readonly sourceSnapshots: (account: string) => Pick<SourceSnapshots, 'tag'>;
  readonly now: () => Date;
}

/** Marks the copy as complete, and the source with the copy's id: in this account, or through its owner's companion. */
export const tagCopy =
  ({ snapshots, sourceSnapshots: ofSources, now }: Ports, { account: accountId }: Pick<ActingInstall, 'account'>) =>
  async (input: unknown): Promise<CopyResult> => {
    const { execution, request, copy } = parseTaskInput(input);
    if (copy?.copyId === undefined) throw new UnreadableInputError('TagCopy needs $.copy.copyId from CheckCopy.');
    const { source, destination } = request;
    const where = destinationId(destination);

    const copied: CopyTagState = 'copied';
    await snapshots.tag(destination.region, copy.copyId, { [COPIER_TAG.state]: copied });
    const marker = source.ownerId === accountId ? snapshots : source.companion && ofSources(source.ownerId);
    const sourceNotMarked = await markSource(marker, source, { [copiedToTag(where)]: copy.copyId });

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
  marker: Pick<SnapshotApi, 'tag'> | undefined,
  source: { readonly region: string; readonly snapshotId: string; readonly ownerId: string },
  mark: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (marker === undefined) return `the source belongs to account ${source.ownerId}`;
  try {
    await marker.tag(source.region, source.snapshotId, mark);
    return undefined;
  } catch (error) {
    if (!(error instanceof CopierError)) throw error;
    const isGone = readEc2Answer(error.message)?.code === 'InvalidSnapshot.NotFound';
    if (isGone || error instanceof RequestRefusedError || error instanceof SourceAccountRefusedError)
      return error.message;
    throw new SourceNotMarkedError(error.message, { cause: error });
  }
}

const settings = readSettings(process.env, {
  INSTALL_NAME: setting.INSTALL_NAME,
  ACCOUNT_ID: setting.ACCOUNT_ID,
  AWS_REGION: setting.AWS_REGION,
  SOURCE_EXTERNAL_ID: setting.SOURCE_EXTERNAL_ID,
});

const install = { name: settings.INSTALL_NAME, account: settings.ACCOUNT_ID, region: settings.AWS_REGION };

export const handler = lambda(
  tagCopy(
    {
      snapshots: ec2Snapshots(),
      sourceSnapshots: sourceSnapshotsOf(install, settings.SOURCE_EXTERNAL_ID),
      now: () => new Date(),
    },
    install,
  ),
);
