// State RemoveFailedCopy of statemachines/copy-snapshot.asl.yml
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { COPIER_TAG, type CopyTagState } from '../core/copier-tags.ts';
import type { Removal } from '../core/copy-progress.ts';
import { decideRemoval } from '../core/removal.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Settings {
  readonly installName: string;
}

/** Removes what a failed copy left behind: a snapshot in state `error`, or one that nobody will wait for any more. */
export const removeFailedCopy =
  (snapshots: Pick<SnapshotApi, 'find' | 'copiesOf' | 'tag' | 'remove'>, { installName }: Settings) =>
  async (input: unknown): Promise<Removal> => {
    const { request, copy } = parseTaskInput(input);
    const { region } = request.destination;

    // Without an id, StartCopy may still have begun a copy whose answer was lost.
    const candidates =
      copy?.copyId === undefined
        ? await snapshots.copiesOf(request)
        : [await snapshots.find(region, copy.copyId)].filter((found) => found !== undefined);
    const decision = decideRemoval(copy?.copyId, candidates, request, installName);
    for (const copyId of decision.copyIds) {
      // EC2 deletes a pending copy only when it is complete, and lists it until then, so it is marked first:
      // nobody may adopt it. https://docs.aws.amazon.com/ebs/latest/userguide/ebs-deleting-snapshot.html
      const failed: CopyTagState = 'failed';
      await snapshots.tag(region, copyId, { [COPIER_TAG.state]: failed });
      await snapshots.remove(region, copyId);
    }
    logger.info(decision.removal.detail, { outcome: decision.removal.outcome });
    return decision.removal;
  };

const settings = readSettings(process.env, { INSTALL_NAME: setting.INSTALL_NAME });

export const handler = lambda(removeFailedCopy(ec2Snapshots(), { installName: settings.INSTALL_NAME }));
