// State PrepareSource of statemachines/copy-snapshot.asl.yml
import { companionSessions } from '../aws/companion-role.ts';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import { type KeyApi, kmsKeys } from '../aws/kms-keys.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { assumedSourceAccounts, type SourceAccount } from '../aws/source-account.ts';
import { deadlineOf } from '../core/deadline.ts';
import { destinationId } from '../core/destination.ts';
import {
  CopySlotsTakenError,
  DeadlinePassedError,
  IntermediateFailedError,
  RequestRefusedError,
  SourceAccountRefusedError,
  SourceHiddenError,
  SourceNotShareableError,
  UnreadableInputError,
} from '../core/errors.ts';
import { intermediateParameters, intermediatesOf } from '../core/intermediate-copy.ts';
import {
  decideSourceStep,
  decideVisibility,
  type PreparedSource,
  waitForSlot,
  writeAnnouncement,
} from '../core/prepare-source.ts';
import { planShare } from '../core/shares.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type ActingInstall, SOURCE_TAG } from '../core/source-account.ts';
import { parseTaskInput, type TaskInput } from '../core/task-input.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Ports {
  /** Of the account of the install. */
  readonly snapshots: Pick<SnapshotApi, 'find'>;
  readonly sourceAccounts: (account: string) => SourceAccount;
  /** Keys, as their owner sees them. */
  readonly sourceKeys: (account: string) => Pick<KeyApi, 'describe'>;
  readonly now: () => Date;
}

/**
 * Makes a source of another account readable, through the role of its companion: shares it, or first has it copied there
 * under a key that can be shared, and waits until this account sees it. Called again until `action` is not `wait`.
 *
 * @throws SourceNotShareableError, IntermediateFailedError, SourceHiddenError, SourceAccountRefusedError,
 * DeadlinePassedError, and whatever else the ports throw
 */
export const prepareSource =
  (ports: Ports, install: ActingInstall) =>
  async (input: unknown): Promise<PreparedSource> => {
    const { now } = ports;
    const task = parseTaskInput(input);
    const { source, destination } = task.request;
    if (source.companion === undefined) {
      throw new UnreadableInputError(
        'PrepareSource needs $.source.companion: the owner of the source has the companion.',
      );
    }
    const where = destinationId(destination);
    const deadline = deadlineOf(task.execution, task.request);
    if (now() >= deadline) {
      throw new DeadlinePassedError(
        `The copy of ${source.snapshotId} to ${where} could not begin before its deadline, ${deadline.toISOString()}: ${task.prepared?.reason ?? 'nothing was tried'}.`,
      );
    }
    const prepared = await prepare(task, ports, install, deadline);
    logger.info(`${source.snapshotId} for ${where}: ${prepared.reason}`, { action: prepared.action });
    const { begun } = task.prepared ?? {};
    return { ...(begun !== undefined && { begun }), ...prepared };
  };

async function prepare(
  { request, execution, prepared: before }: TaskInput,
  { snapshots, sourceAccounts, sourceKeys, now }: Ports,
  install: ActingInstall,
  deadline: Date,
): Promise<PreparedSource> {
  const { source } = request;
  const { region, snapshotId } = source;
  const owner = sourceAccounts(source.ownerId);
  const seen = await owner.find(region, snapshotId);
  // That account may see snapshots of others as well, and whoever wrote the request may have named one.
  const found = seen?.ownerId === source.ownerId ? seen : undefined;
  const keyManager = found?.kmsKeyId === undefined ? undefined : await managerOf(found.kmsKeyId);
  const reencrypt = source.companion?.reencrypt === true;
  const intermediates =
    keyManager === 'AWS' && reencrypt
      ? intermediatesOf(snapshotId, await owner.intermediates(region, source.volumeId))
      : [];
  const announced = found?.tags[SOURCE_TAG.intermediateBy];
  const by = { reencrypt, execution: execution.name, announced, begun: before?.begun };
  const step = decideSourceStep({ source: found, keyManager, intermediates }, by, now(), deadline);
  // A rehearsal changes nothing, in whatever account; what cannot work it tells.
  if (request.dryRun && step.action !== 'skip' && step.action !== 'refuse') {
    return { action: 'ready', waitSeconds: 0, reason: `a dry run leaves the source as it is: ${step.reason}` };
  }
  switch (step.action) {
    case 'skip':
      return { action: 'skip', waitSeconds: 0, reason: step.reason };
    case 'refuse':
      throw new SourceNotShareableError(
        `${snapshotId} of account ${source.ownerId} cannot be shared: ${step.reason}. Key: ${found?.kmsKeyId ?? 'unknown'}.`,
      );
    case 'wait':
      return step;
    case 'announce':
      await owner.tag(region, snapshotId, { [SOURCE_TAG.intermediateBy]: writeAnnouncement(execution.name, now()) });
      return { action: 'wait', waitSeconds: step.waitSeconds, reason: step.reason };
    case 'copyUnderShareableKey':
      return copyUnderShareableKey();
    case 'giveUpIntermediate': {
      const { snapshotId: failed } = step.snapshot;
      await owner.remove(region, failed);
      throw new IntermediateFailedError(
        `The copy of ${snapshotId} under a shareable key in account ${source.ownerId}, ${failed}, ended in error and was removed: ${step.reason}`,
      );
    }
    case 'share':
      return share(step.snapshot);
    default:
      return step satisfies never;
  }

  /** A key that is gone, or that belongs to yet another account: whoever manages it, AWS does not do so here. */
  async function managerOf(keyArn: string): Promise<'AWS' | 'CUSTOMER'> {
    try {
      return (await sourceKeys(source.ownerId).describe(region, keyArn))?.manager ?? 'CUSTOMER';
    } catch (error) {
      if (!(error instanceof RequestRefusedError)) throw error;
      throw new SourceAccountRefusedError(`In account ${source.ownerId}: ${error.message}`, { cause: error });
    }
  }

  async function copyUnderShareableKey(): Promise<PreparedSource> {
    try {
      const copyId = await owner.copy(region, intermediateParameters(request, install));
      const begun = { copyId, at: now().toISOString() };
      return { action: 'wait', waitSeconds: 30, reason: `its intermediate copy ${copyId} has begun`, begun };
    } catch (error) {
      if (error instanceof CopySlotsTakenError) return waitForSlot();
      throw error;
    }
  }

  async function share(snapshot: Snapshot): Promise<PreparedSource> {
    const { snapshotId: copyFrom } = snapshot;
    const plan = planShare(snapshot, await owner.sharedWith(region, copyFrom), request, execution.name, install);
    if (plan.claim !== undefined) await owner.tag(region, copyFrom, plan.claim);
    if (plan.share) await owner.share(region, copyFrom);
    const isSeen = (await snapshots.find(region, copyFrom)) !== undefined;
    const known = before?.copyFrom === copyFrom && before.sharedSince !== undefined && !plan.share;
    const since = known ? new Date(before.sharedSince) : now();
    const visibility = decideVisibility(copyFrom, isSeen, since, now());
    if (visibility.action === 'hidden') throw new SourceHiddenError(`${visibility.reason}.`);
    return visibility;
  }
}

const settings = readSettings(process.env, {
  INSTALL_NAME: setting.INSTALL_NAME,
  ACCOUNT_ID: setting.ACCOUNT_ID,
  AWS_REGION: setting.AWS_REGION,
  SOURCE_EXTERNAL_ID: setting.SOURCE_EXTERNAL_ID,
});

const install = { name: settings.INSTALL_NAME, account: settings.ACCOUNT_ID, region: settings.AWS_REGION };

const sessions = companionSessions(install, settings.SOURCE_EXTERNAL_ID);

export const handler = lambda(
  prepareSource(
    {
      snapshots: ec2Snapshots(),
      sourceAccounts: assumedSourceAccounts(install, sessions),
      sourceKeys: (account) => kmsKeys(sessions(account)),
      now: () => new Date(),
    },
    install,
  ),
);
