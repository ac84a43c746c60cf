// Triggered by ends of executions, and by a schedule, every hour: `releaseSource` in serverless.yml
import * as z from 'zod/mini';
import { companionSessions } from '../aws/companion-role.ts';
import { type ExecutionApi, stepFunctionsExecutions } from '../aws/executions.ts';
import { assumedSourceAccounts, type SourceAccount } from '../aws/source-account.ts';
import { SourceAccountRefusedError } from '../core/errors.ts';
import { readExecutionEvent } from '../core/execution-event.ts';
import { isExecutionName } from '../core/execution-name.ts';
import { intermediatesOf, isKept, needlessIntermediates } from '../core/intermediate-copy.ts';
import { otherAccounts } from '../core/other-accounts.ts';
import { announcedBy } from '../core/prepare-source.ts';
import type { SourceAccounts as ListedAccounts } from '../core/rules.ts';
import { hasNoRoom, planRelease } from '../core/shares.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { type ActingInstall, announcementTag, claimsOf } from '../core/source-account.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Ports {
  readonly sourceAccounts: (account: string) => SourceAccount;
  readonly executions: Pick<ExecutionApi, 'find'>;
  readonly now: () => Date;
  /** The accounts that the rules list. */
  readonly listed: () => Promise<ListedAccounts>;
}

const schedule = z.object({ look: z.literal('everywhere') });

/** How many source accounts the clock looks into at the same time. */
const ACCOUNTS_AT_ONCE = 5;
const HOUR_MS = 3_600_000;

/** Does something, and keeps what goes wrong for the end: others have their turn. */
type Attempt = (what: string, work: () => Promise<void>) => Promise<void>;

/**
 * Leaves nothing behind in source accounts: takes back the shares that the service made for executions that are over, and
 * removes the intermediate copies that nobody needs. After an execution its own; by the clock whatever was missed.
 *
 * @throws what the ports throw, after everything had its turn: the event comes again, and goes to the stuck-events queue
 */
export const releaseSource =
  (ports: Ports, install: ActingInstall) =>
  async (input: unknown): Promise<void> => {
    const troubles: unknown[] = [];
    const attempt: Attempt = async (what, work) => {
      try {
        await work();
      } catch (error) {
        logger.warn(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        troubles.push(error);
      }
    };
    if (schedule.safeParse(input).success) {
      await releaseEverywhere(ports, otherAccounts((await ports.listed()).accounts, install.account), install, attempt);
      // An account that lets nobody in is told of by healLostEvents, and this comes again in an hour.
      const untold = troubles.filter((error) => !(error instanceof SourceAccountRefusedError && error.isClosed));
      if (untold.length > 0) throw untold[0];
      return;
    }
    await releaseAfter(input, ports, install, attempt);
    if (troubles.length > 0) throw troubles[0];
  };

async function releaseAfter(input: unknown, ports: Ports, install: ActingInstall, attempt: Attempt): Promise<void> {
  const ended = readExecutionEvent(input);
  if (ended.kind === 'ignored' || ended.request.source.companion === undefined) return;
  const { source } = ended.request;
  const { region, snapshotId, volumeId, ownerId } = source;
  const owner = ports.sourceAccounts(ownerId);
  const isEnded = (execution: string): boolean => execution === ended.name;
  await attempt(`Source ${snapshotId}`, async () => {
    const found = await owner.find(region, snapshotId);
    if (found === undefined) return;
    await attempt(`Share of ${snapshotId}`, () => release(owner, found, isEnded, install));
    await withdraw(owner, found, isEnded, install);
  });
  if (source.companion?.reencrypt !== true) return;
  await attempt(`Intermediate copies of ${volumeId}`, async () => {
    for (const each of intermediatesOf(snapshotId, await owner.intermediates(region, volumeId))) {
      await attempt(`Share of ${each.snapshotId}`, () => release(owner, each, isEnded, install));
    }
    await removeNeedless(owner, await owner.intermediates(region, volumeId), ports, install, attempt);
  });
}

/** Several accounts at a time, and each hour from another one on: should the time not do, it is not always the same ones. */
async function releaseEverywhere(
  ports: Ports,
  accounts: readonly string[],
  install: ActingInstall,
  attempt: Attempt,
): Promise<void> {
  const first = Math.floor(ports.now().getTime() / HOUR_MS) % Math.max(accounts.length, 1);
  const waiting = [...accounts.slice(first), ...accounts.slice(0, first)].values();
  const workers = Array.from({ length: ACCOUNTS_AT_ONCE }, async () => {
    for (const account of waiting) await releaseIn(account, ports, install, attempt);
  });
  await Promise.all(workers);
}

async function releaseIn(
  account: string,
  { sourceAccounts, executions, now }: Ports,
  install: ActingInstall,
  attempt: Attempt,
): Promise<void> {
  const { region } = install;
  const owner = sourceAccounts(account);
  await attempt(`Shares of source account ${account}`, async () => {
    for (const claimed of await owner.claimed(region)) {
      await attempt(`Share of ${claimed.snapshotId}`, async () => {
        const over = new Set<string>();
        for (const [, execution] of claimsOf(install, claimed)) {
          if (!(await runs(execution))) over.add(execution);
        }
        const isEnded = (execution: string): boolean => over.has(execution);
        if (isEmpty(planRelease(claimed, isEnded, install).over)) return;
        // It was listed a while ago, and the next execution may have claimed it.
        const fresh = await owner.find(region, claimed.snapshotId);
        if (fresh !== undefined) await release(owner, fresh, isEnded, install);
      });
    }
  });
  await attempt(`Intermediate copies of source account ${account}`, async () =>
    removeNeedless(owner, await owner.intermediates(region), { now }, install, attempt),
  );

  /** Whoever may write tags there may write anything. */
  async function runs(execution: string): Promise<boolean> {
    return isExecutionName(execution) && (await executions.find(execution))?.status === 'RUNNING';
  }
}

/**
 * The share goes first: should this end in between, a claim is still there to tell of it. While others need the share it
 * is noted that one did not end it, and the claim goes: of two that end at the same time, both see at last that nobody
 * is left. A claim is removed by its value, so that of the next execution stays.
 */
async function release(
  owner: SourceAccount,
  snapshot: Snapshot,
  isEnded: (execution: string) => boolean,
  install: ActingInstall,
): Promise<void> {
  const { region, snapshotId } = snapshot;
  let plan = planRelease(snapshot, isEnded, install);
  if (plan.isNeeded && !isEmpty(plan.ended)) {
    try {
      await owner.tag(region, snapshotId, plan.note);
    } catch (error) {
      if (!(error instanceof Error && hasNoRoom(error))) throw error;
      // The claim itself tells of the share, to the clock.
      logger.warn(`${snapshotId} is still claimed by an execution that is over: ${error.message}`);
      return;
    }
    await owner.untag(region, snapshotId, plan.ended);
    const noted = await owner.find(region, snapshotId);
    if (noted === undefined) return;
    plan = planRelease(noted, isEnded, install);
  }
  if (isEmpty(plan.over)) return;
  if (plan.isNeeded) {
    // Whoever took the share back from those who are over may have failed to give it to the one who claimed it meanwhile.
    const sharedWith = await owner.sharedWith(region, snapshotId);
    if (!sharedWith.includes(install.account)) await owner.share(region, snapshotId);
    return;
  }
  await owner.takeBack(region, snapshotId);
  // Somebody may have claimed the share in between.
  const after = await owner.find(region, snapshotId);
  if (after !== undefined && planRelease(after, isEnded, install).isNeeded) await owner.share(region, snapshotId);
  else logger.info(`Took back the share of ${snapshotId} in account ${snapshot.ownerId}`);
  await owner.untag(region, snapshotId, plan.over);
}

/** Another execution need not wait until the announcement of this one is old. */
async function withdraw(
  owner: SourceAccount,
  source: Snapshot,
  isEnded: (execution: string) => boolean,
  install: ActingInstall,
): Promise<void> {
  const key = announcementTag(install);
  const announced = source.tags[key];
  const by = announcedBy(announced);
  if (announced === undefined || by === undefined || !isEnded(by)) return;
  await owner.untag(source.region, source.snapshotId, { [key]: announced });
}

async function removeNeedless(
  owner: SourceAccount,
  intermediates: readonly Snapshot[],
  { now }: Pick<Ports, 'now'>,
  install: ActingInstall,
  attempt: Attempt,
): Promise<void> {
  for (const { region, snapshotId } of needlessIntermediates(intermediates, install, now())) {
    await attempt(`Intermediate copy ${snapshotId}`, async () => {
      // It was listed a while ago, and somebody may have claimed it.
      const fresh = await owner.find(region, snapshotId);
      if (fresh === undefined) return;
      const asNow = intermediates.map((each) => (each.snapshotId === snapshotId ? fresh : each));
      if (!needlessIntermediates(asNow, install, now()).includes(fresh)) return;
      try {
        await owner.remove(region, snapshotId);
      } catch (error) {
        if (!(error instanceof Error && isKept(error))) throw error;
        logger.warn(`The intermediate copy ${snapshotId} stays, for somebody keeps it: ${error.message}`);
        return;
      }
      logger.info(`Removed the intermediate copy ${snapshotId}`);
    });
  }
}

function isEmpty(tags: Readonly<Record<string, string>>): boolean {
  return Object.keys(tags).length === 0;
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
      // Loaded by the clock only: ends of executions say whose source it was.
      listed: async () => (await import('./packaged-rules.ts')).readPackagedSourceAccounts(),
    },
    install,
  ),
);
