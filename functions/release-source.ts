// Triggered by ends of executions, and by a schedule, every hour: `releaseSource` in serverless.yml
import * as z from 'zod/mini';
import { companionSessions } from '../aws/companion-role.ts';
import { type ExecutionApi, stepFunctionsExecutions } from '../aws/executions.ts';
import { assumedSourceAccounts, type SourceAccount } from '../aws/source-account.ts';
import { SourceAccountRefusedError } from '../core/errors.ts';
import { readExecutionEvent } from '../core/execution-event.ts';
import { intermediatesOf, needlessIntermediates } from '../core/intermediate-copy.ts';
import { announcedBy } from '../core/prepare-source.ts';
import type { SourceAccounts as ListedAccounts } from '../core/rules.ts';
import { planRelease } from '../core/shares.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type ActingInstall, claimsOf, SOURCE_TAG } from '../core/source-account.ts';
import { readPackagedSourceAccounts } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Ports {
  readonly sourceAccounts: (account: string) => SourceAccount;
  readonly executions: Pick<ExecutionApi, 'find'>;
  readonly now: () => Date;
}

const schedule = z.object({ look: z.literal('everywhere') });

/**
 * Leaves nothing behind in source accounts: takes back the shares that the service made for executions that are over, and
 * removes the intermediate copies that nobody needs. After an execution its own; by the clock whatever was missed.
 *
 * @throws what the ports throw, after everything had its turn: the event comes again, and goes to the stuck-events queue
 */
export const releaseSource =
  (ports: Ports, listed: ListedAccounts, install: ActingInstall) =>
  async (input: unknown): Promise<void> => {
    if (schedule.safeParse(input).success) {
      // Installs in several accounts may have the same rules file, which then lists this account too.
      const others = listed.accounts.filter((account) => account !== install.account);
      await releaseEverywhere(ports, others, install);
      return;
    }
    const ended = readExecutionEvent(input);
    if (ended.kind === 'ignored' || ended.request.source.companion === undefined) return;
    const { source } = ended.request;
    const { region, snapshotId, volumeId, ownerId } = source;
    const owner = ports.sourceAccounts(ownerId);
    const isEnded = (execution: string): boolean => execution === ended.name;
    const found = await owner.find(region, snapshotId);
    if (found !== undefined) {
      await release(owner, found, isEnded, install);
      await withdraw(owner, found, isEnded);
    }
    if (source.companion?.reencrypt !== true) return;
    const ofVolume = await owner.intermediates(region, volumeId);
    for (const each of intermediatesOf(snapshotId, ofVolume)) await release(owner, each, isEnded, install);
    await removeNeedless(owner, await owner.intermediates(region, volumeId), ports, install);
  };

async function releaseEverywhere(
  { sourceAccounts, executions, now }: Ports,
  accounts: readonly string[],
  install: ActingInstall,
): Promise<void> {
  const { region } = install;
  const troubles: unknown[] = [];
  for (const account of accounts) {
    try {
      const owner = sourceAccounts(account);
      for (const claimed of await owner.claimed(region)) {
        const over = new Set<string>();
        for (const [, execution] of claimsOf(install, claimed.tags)) {
          const status = (await executions.find(execution))?.status;
          if (status !== 'RUNNING') over.add(execution);
        }
        await release(owner, claimed, (execution) => over.has(execution), install);
      }
      await removeNeedless(owner, await owner.intermediates(region), { now }, install);
    } catch (error) {
      // An account that lets nobody in is told of by healLostEvents, and this comes again in an hour.
      if (!(error instanceof SourceAccountRefusedError)) troubles.push(error);
      logger.warn(`Source account ${account}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (troubles.length > 0) throw troubles[0];
}

/**
 * The share goes first: should this end in between, a claim is still there to tell of it. While others need the share it
 * is noted that these do not, for the last one to see; two of them may end at the same time.
 */
async function release(
  owner: SourceAccount,
  snapshot: Snapshot,
  isEnded: (execution: string) => boolean,
  install: ActingInstall,
): Promise<void> {
  const { region, snapshotId } = snapshot;
  let plan = planRelease(snapshot, isEnded, install);
  if (Object.keys(plan.note).length > 0) {
    await owner.tag(region, snapshotId, plan.note);
    const noted = await owner.find(region, snapshotId);
    if (noted === undefined) return;
    plan = planRelease(noted, isEnded, install);
  }
  if (!plan.takeBack) return;
  await owner.takeBack(region, snapshotId);
  // Somebody may have claimed the share in between.
  const after = await owner.find(region, snapshotId);
  if (after !== undefined && planRelease(after, isEnded, install).isNeeded) await owner.share(region, snapshotId);
  else logger.info(`Took back the share of ${snapshotId} in account ${snapshot.ownerId}`);
  await owner.untag(region, snapshotId, plan.untag);
}

/** Another execution need not wait until the announcement of this one is old. */
async function withdraw(
  owner: SourceAccount,
  source: Snapshot,
  isEnded: (execution: string) => boolean,
): Promise<void> {
  const announced = source.tags[SOURCE_TAG.intermediateBy];
  const by = announcedBy(announced);
  if (announced === undefined || by === undefined || !isEnded(by)) return;
  await owner.untag(source.region, source.snapshotId, { [SOURCE_TAG.intermediateBy]: announced });
}

async function removeNeedless(
  owner: SourceAccount,
  intermediates: readonly Snapshot[],
  { now }: Pick<Ports, 'now'>,
  install: ActingInstall,
): Promise<void> {
  for (const { region, snapshotId } of needlessIntermediates(intermediates, install, now())) {
    await owner.remove(region, snapshotId);
    logger.info(`Removed the intermediate copy ${snapshotId}`);
  }
}

const settings = readSettings(process.env, {
  INSTALL_NAME: setting.INSTALL_NAME,
  ACCOUNT_ID: setting.ACCOUNT_ID,
  AWS_REGION: setting.AWS_REGION,
  STATE_MACHINE_ARN: setting.STATE_MACHINE_ARN,
  SOURCE_EXTERNAL_ID: setting.SOURCE_EXTERNAL_ID,
});

const install = { name: settings.INSTALL_NAME, account: settings.ACCOUNT_ID, region: settings.AWS_REGION };

export const handler = lambda(
  releaseSource(
    {
      sourceAccounts: assumedSourceAccounts(install, companionSessions(install, settings.SOURCE_EXTERNAL_ID)),
      executions: stepFunctionsExecutions(settings.STATE_MACHINE_ARN),
      now: () => new Date(),
    },
    readPackagedSourceAccounts(),
    install,
  ),
);
