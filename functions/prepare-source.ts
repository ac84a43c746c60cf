// State PrepareSource of statemachines/copy-snapshot.asl.yml
import { companionSessions } from '../aws/companion-role.ts';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import { type KeyApi, kmsKeys } from '../aws/kms-keys.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { assumedSourceAccounts, type SourceAccount } from '../aws/source-account.ts';
import { deadlineOf } from '../core/deadline.ts';
import { destinationId } from '../core/destination.ts';
import { refusalOf } from '../core/ec2-error-codes.ts';
import { readEc2Answer } from '../core/ec2-errors.ts';
import {
  CopySlotsTakenError,
  DeadlinePassedError,
  IntermediateFailedError,
  RequestRefusedError,
  SourceHiddenError,
  SourceNotShareableError,
  UnreadableInputError,
} from '../core/errors.ts';
import { ownCopyOf } from '../core/existing-copies.ts';
import { intermediateParameters, intermediatesOf } from '../core/intermediate-copy.ts';
import {
  decideSourceStep,
  decideVisibility,
  type PreparedSource,
  waitForSight,
  waitForSlot,
  writeAnnouncement,
} from '../core/prepare-source.ts';
import { parseKmsKey } from '../core/rules/kms-key.ts';
import { isClaimed, planShare } from '../core/shares.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type ActingInstall, announcementTag } from '../core/source-account.ts';
import { parseTaskInput, type TaskInput } from '../core/task-input.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Ports {
  /** Of the account of the install. */
  readonly snapshots: Pick<SnapshotApi, 'find' | 'copiesOf'>;
  readonly sourceAccounts: (account: string) => SourceAccount;
  /** Keys, as their owner sees them. */
  readonly sourceKeys: (account: string) => Pick<KeyApi, 'describe'>;
  readonly now: () => Date;
}

/**
 * Makes a source of another account readable, through the role of its companion: shares it, or first has it copied there
 * under a key that can be shared, and waits until this account sees it. Called again until `action` is not `wait`.
 * A copy that is complete already needs no source: StartCopy adopts it.
 *
 * @throws SourceNotShareableError, IntermediateFailedError, SourceHiddenError, UnreadableInputError, DeadlinePassedError,
 * and whatever else the ports throw
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
  // An earlier attempt may have made it. Its source may have been deleted since, or the companion.
  if (before === undefined) {
    const made = await ownCopy();
    if (made?.state === 'completed') return ready(made);
  }
  const owner = sourceAccounts(source.ownerId);
  const found = await owner.find(region, snapshotId);
  // That account may see snapshots of others as well, and whoever wrote the request may have named one.
  if (found !== undefined && found.ownerId !== source.ownerId) {
    throw new UnreadableInputError(
      `${snapshotId} belongs to account ${found.ownerId}, not to ${source.ownerId} as $.source.ownerId says.`,
    );
  }
  const keyManager = found?.kmsKeyId === undefined ? undefined : await managerOf(found.kmsKeyId);
  const reencrypt = source.companion?.reencrypt === true;
  const intermediates =
    keyManager === 'AWS' && reencrypt
      ? intermediatesOf(snapshotId, await owner.intermediates(region, source.volumeId))
      : [];
  const by = {
    reencrypt,
    execution: execution.name,
    announced: found?.tags[announcementTag(install)],
    begun: before?.begun,
    missingSince: before?.missingSince,
    taken: new Date(source.startTime),
  };
  const step = decideSourceStep({ source: found, keyManager, intermediates }, by, now(), deadline);
  if (step.action === 'askAgain') return { ...step, action: 'wait' };
  if (step.action === 'skip') {
    const made = await ownCopy();
    return made === undefined ? { action: 'skip', waitSeconds: 0, reason: step.reason } : ready(made);
  }
  if (step.action === 'refuse') {
    throw new SourceNotShareableError(
      `${snapshotId} of account ${source.ownerId} cannot be shared: ${step.reason}. Key: ${found?.kmsKeyId ?? 'unknown'}.`,
    );
  }
  // A rehearsal changes nothing, in whatever account; what cannot work it tells.
  if (request.dryRun) {
    return { action: 'ready', waitSeconds: 0, reason: `a dry run leaves the source as it is: ${step.reason}` };
  }
  switch (step.action) {
    case 'wait':
      return step;
    case 'announce':
      await owner.tag(region, snapshotId, { [announcementTag(install)]: writeAnnouncement(execution.name, now()) });
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

  async function ownCopy(): Promise<Snapshot | undefined> {
    return ownCopyOf(request, await snapshots.copiesOf(request), install.name);
  }

  /**
   * A key that is gone, or that belongs to yet another account: whoever manages it, AWS does not do so here. Nor does it
   * one that the companion may not look at: the policy of `aws/ebs`, which nobody can change, lets its account do that.
   * https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key
   */
  async function managerOf(keyArn: string): Promise<'AWS' | 'CUSTOMER'> {
    const account = parseKmsKey(keyArn)?.arn?.account;
    if (account !== undefined && account !== source.ownerId) return 'CUSTOMER';
    try {
      return (await sourceKeys(source.ownerId).describe(region, keyArn))?.manager ?? 'CUSTOMER';
    } catch (error) {
      if (!(error instanceof RequestRefusedError)) throw error;
      logger.info(
        `Taken for a customer managed key, as account ${source.ownerId} may not look at it: ${error.message}`,
      );
      return 'CUSTOMER';
    }
  }

  async function copyUnderShareableKey(): Promise<PreparedSource> {
    try {
      const copyId = await owner.copy(region, intermediateParameters(request, install));
      const begun = { copyId, at: now().toISOString() };
      return { action: 'wait', waitSeconds: 30, reason: `its intermediate copy ${copyId} has begun`, begun };
    } catch (error) {
      if (error instanceof CopySlotsTakenError) return waitForSlot();
      if (!(error instanceof RequestRefusedError)) throw error;
      const answer = readEc2Answer(error.message);
      if (answer === undefined || refusalOf(answer.code, answer.words).kind !== 'key') throw error;
      throw new IntermediateFailedError(
        `EC2 refused the copy of ${snapshotId} under a shareable key in account ${source.ownerId}, and made none. ${error.message}`,
        { cause: error },
      );
    }
  }

  async function share({ snapshotId: copyFrom }: Snapshot): Promise<PreparedSource> {
    // This first: who makes a share has claimed it before, so the claim is among the tags that are read afterwards.
    const sharedWith = await owner.sharedWith(region, copyFrom);
    const current = await owner.find(region, copyFrom);
    if (current === undefined) return waitForSight(copyFrom);
    const planWith = (accounts: readonly string[]) => planShare(current, accounts, request, execution.name, install);
    let plan = planWith(sharedWith);
    // Without claims it is somebody else's, or was taken back in between with the last of them.
    if (plan.action === 'leave') plan = planWith(await owner.sharedWith(region, copyFrom));
    if (plan.action === 'share') await claimAndShare(copyFrom, plan.claim);
    const isSeen = (await snapshots.find(region, copyFrom)) !== undefined;
    const known = before?.copyFrom === copyFrom && before.sharedSince !== undefined && plan.action !== 'share';
    const since = known ? new Date(before.sharedSince) : now();
    const visibility = decideVisibility(copyFrom, isSeen, since, now());
    if (visibility.action === 'hidden') throw new SourceHiddenError(`${visibility.reason}.`);
    return visibility;
  }

  async function claimAndShare(copyFrom: string, claim: Readonly<Record<string, string>>): Promise<void> {
    await owner.tag(region, copyFrom, claim);
    await owner.share(region, copyFrom);
    // Somebody may have stopped this execution in between, and its claim is gone: then the share is nobody's. With the
    // claim again it is taken back within the hour.
    const after = await owner.find(region, copyFrom);
    if (after !== undefined && !isClaimed(after, claim)) await owner.tag(region, copyFrom, claim);
  }

  /** There is nothing to prepare. */
  function ready({ snapshotId: copyId }: Snapshot): PreparedSource {
    return {
      action: 'ready',
      waitSeconds: 0,
      reason: `its copy ${copyId} at ${destinationId(request.destination)} is there`,
    };
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
