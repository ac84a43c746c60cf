// Triggered by EBS events of this account and Region, and of source accounts: `onSnapshotEvent` in serverless.yml, patterns in packaging/derive-events.ts

import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { type AdmissionMachine, stepFunctionsAdmission } from '../aws/admission-machine.ts';
import { type DeadLetterTopic, snsDeadLetterTopic } from '../aws/dead-letter-topic.ts';
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import type { ExecutionApi } from '../aws/executions.ts';
import type { Ledger } from '../aws/ledger.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import type { SourceSnapshots } from '../aws/source-snapshots.ts';
import { copyRequest } from '../core/copy-request.ts';
import { destinationId } from '../core/destination.ts';
import { NotYetVisibleError, SourceAccountRefusedError, UnreadableInputError } from '../core/errors.ts';
import { executionName } from '../core/execution-name.ts';
import type { Install } from '../core/install.ts';
import { requestKey } from '../core/ledger-request.ts';
import { requested } from '../core/request-transitions.ts';
import type { CopyRule, SourceAccounts } from '../core/rules.ts';
import { selectDestinations } from '../core/selection.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { accountOfEvent, readSnapshotEvent, type SnapshotNews } from '../core/snapshot-event.ts';
import { decideAboutSource } from '../core/source-readiness.ts';
import { installSettings, readInstall } from './install-settings.ts';
import { readPackagedRules, readPackagedSourceAccounts } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger, metrics } from './shell.ts';

interface Ports {
  readonly snapshots: Pick<SnapshotApi, 'find'>;
  readonly sourceSnapshots: (account: string) => Pick<SourceSnapshots, 'find'>;
  readonly ledger: Pick<Ledger, 'change'>;
  readonly admission: AdmissionMachine;
  /** For dry runs only, which take no slot and are nothing to remember. */
  readonly executions: Pick<ExecutionApi, 'start'>;
  readonly topic: DeadLetterTopic;
  readonly now: () => Date;
  /** Of this function, for the command that gives it an event again. */
  readonly functionName: string;
}

type Snapshots = Extract<SnapshotNews, { kind: 'snapshots' }>;

/** A dry run must not use up the name of the first execution: the rule may become a real one. */
const REHEARSAL = 0;

/**
 * Writes a request into the ledger for each destination of each snapshot that a rule selects, and has admission look.
 * Doing it twice is harmless: the ledger has one request for a snapshot and a destination.
 *
 * @throws NotYetVisibleError while a snapshot may still appear; Lambda delivers the event again after 1 and 2 minutes
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html). Any other error likewise, and
 * then the event goes to the stuck-events queue.
 */
export const onSnapshotEvent =
  (ports: Ports, rules: readonly CopyRule[], listed: SourceAccounts, install: Install) =>
  async (input: unknown): Promise<void> => {
    const news = readNews(input, listed, install);
    if (news.kind === 'refused') {
      refuse(news.reason);
      return;
    }
    if (news.kind === 'ignored') {
      logger.info(`Nothing to do: ${news.reason}`);
      return;
    }
    const regions = new Set<string>();
    // One snapshot in trouble must not keep the others of its set waiting.
    const outcomes = await Promise.allSettled(
      news.snapshotIds.map((snapshotId) => requestCopies(snapshotId, news, ports, rules, listed, install, regions)),
    );
    for (const region of regions) await ports.admission.wake(region);
    const failures = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []));
    // The one that is thrown is logged by the shell.
    for (const failure of failures.slice(1)) logger.warn(failure instanceof Error ? failure.message : String(failure));
    if (failures.length > 0) throw failures[0];
  };

/** Told of by somebody who has no business here. Nothing of it is kept; the metric has an alarm. */
function refuse(reason: string): void {
  logger.warn(`Refused: ${reason}`);
  const one = metrics.singleMetric();
  one.addMetric('EventsRefused', MetricUnit.Count, 1);
}

/** Whoever may send to the bus of source accounts may send anything, so of others only what was asked for is taken. */
function readNews(
  input: unknown,
  listed: SourceAccounts,
  install: Install,
): SnapshotNews | { readonly kind: 'refused'; readonly reason: string } {
  const from = accountOfEvent(input);
  if (from === undefined || from === install.account) return readSnapshotEvent(input);
  const refused = (reason: string) => ({ kind: 'refused', reason: `an event of account ${from}: ${reason}` }) as const;
  if (!listed.accounts.includes(from)) return refused('sourceAccounts of the rules do not list that account');
  try {
    const news = readSnapshotEvent(input);
    if (news.kind === 'ignored') return refused(news.reason);
    if (news.region !== install.region)
      return refused(`it is of ${news.region}, and this install copies from ${install.region}`);
    return news.trigger === 'created' ? news : refused('it tells of a snapshot that somebody shared with that account');
  } catch (error) {
    if (error instanceof UnreadableInputError) return refused(error.message);
    throw error;
  }
}

/**
 * The snapshot as the rules have to see it: through its owner's companion where there is one, for its tags.
 *
 * @throws SourceAccountRefusedError; the event is kept then, in the stuck-events queue
 */
async function lookAtSource(
  snapshotId: string,
  { region, account, sharedBy }: Snapshots,
  { snapshots, sourceSnapshots: ofSources }: Ports,
  listed: SourceAccounts,
  install: Install,
): Promise<Snapshot | 'ofSomebodyElse' | undefined> {
  const isForeign = account !== undefined && account !== install.account;
  const owner = isForeign ? account : listed.accounts.find((each) => each === sharedBy);
  if (owner === undefined || owner === install.account) return snapshots.find(region, snapshotId);
  try {
    const found = await ofSources(owner).find(region, snapshotId);
    return found === undefined || found.ownerId === owner ? found : 'ofSomebodyElse';
  } catch (error) {
    if (error instanceof SourceAccountRefusedError) refuse(error.message);
    throw error;
  }
}

async function requestCopies(
  snapshotId: string,
  news: Snapshots,
  ports: Ports,
  rules: readonly CopyRule[],
  listed: SourceAccounts,
  install: Install,
  regions: Set<string>,
): Promise<void> {
  const { ledger, executions, topic, now, functionName } = ports;
  const source = await lookAtSource(snapshotId, news, ports, listed, install);
  if (source === 'ofSomebodyElse') {
    refuse(
      `an event of account ${news.account ?? news.sharedBy} about ${snapshotId}, which is not a snapshot of that account`,
    );
    return;
  }
  const readiness = decideAboutSource(source, new Date(news.eventTime), now());
  switch (readiness.action) {
    case 'askAgain':
      throw new NotYetVisibleError(`${snapshotId} in ${news.region}: ${readiness.reason}`);
    case 'tellNotVisible': {
      const { eventTime, region, trigger, sharedBy } = news;
      const owner = trigger === 'created' ? (news.account ?? install.account) : sharedBy;
      // Loaded when there is something to tell, which is seldom: a cold start need not wait for it.
      const { writeSourceNotVisibleAlert } = await import('../core/alert.ts');
      const alert = writeSourceNotVisibleAlert(
        { snapshotId, region, eventTime, kind: trigger, functionName, ...(owner !== undefined && { owner }) },
        install,
      );
      await topic.tell(alert);
      logger.warn(alert.subject, { ...alert.attributes });
      return;
    }
    case 'select':
      break;
    default:
      readiness satisfies never;
  }

  for (const { action, rule, destination, reason } of selectDestinations(readiness.source, rules, install)) {
    const where = destinationId(destination);
    if (action === 'skip') {
      logger.info(`Skipped ${snapshotId} for ${where}: ${reason}`, { rule: rule.name });
      continue;
    }
    const request = copyRequest(readiness.source, rule, destination);
    if (rule.dryRun) {
      const name = executionName(snapshotId, destination, REHEARSAL);
      const outcome = await executions.start(name, request);
      logger.info(`${outcome === 'started' ? 'Started' : 'Already started'} execution ${name}: ${reason}`, {
        rule: rule.name,
      });
      continue;
    }
    const { changed, request: is } = await ledger.change(
      requestKey(readiness.source, destination),
      requested(request, reason, now()),
    );
    // A repeated event may be the second try after a wake that failed.
    if (is?.status === 'waiting') regions.add(destination.region);
    logger.info(`${changed ? 'Requested' : `Already ${is?.status}`}: ${snapshotId} for ${where}: ${reason}`, {
      rule: rule.name,
    });
  }
}

const settings = readSettings(process.env, {
  ...installSettings,
  LEDGER_TABLE: setting.LEDGER_TABLE,
  ADMISSION_MACHINE_ARN: setting.ADMISSION_MACHINE_ARN,
  STATE_MACHINE_ARN: setting.STATE_MACHINE_ARN,
  DEAD_LETTER_TOPIC_ARN: setting.DEAD_LETTER_TOPIC_ARN,
  AWS_LAMBDA_FUNCTION_NAME: setting.AWS_LAMBDA_FUNCTION_NAME,
  SOURCE_EXTERNAL_ID: setting.SOURCE_EXTERNAL_ID,
});

const install = readInstall(settings);

// Loaded when a source account is looked at: most sources are of this account.
let sources: ((account: string) => SourceSnapshots) | undefined;
const loadSources = async () => {
  const { sourceSnapshotsOf } = await import('../aws/source-snapshots.ts');
  sources ??= sourceSnapshotsOf(install, settings.SOURCE_EXTERNAL_ID);
  return sources;
};

export const handler = lambda(
  onSnapshotEvent(
    {
      snapshots: ec2Snapshots(),
      sourceSnapshots: (account) => ({
        find: async (region, snapshotId) => (sources ?? (await loadSources()))(account).find(region, snapshotId),
      }),
      ledger: dynamoDbLedger(settings.LEDGER_TABLE),
      admission: stepFunctionsAdmission(settings.ADMISSION_MACHINE_ARN),
      // Loaded when it comes to it: few rules are dry runs.
      executions: {
        start: async (name, request) =>
          (await import('../aws/executions.ts'))
            .stepFunctionsExecutions(settings.STATE_MACHINE_ARN)
            .start(name, request),
      },
      topic: snsDeadLetterTopic(settings.DEAD_LETTER_TOPIC_ARN),
      now: () => new Date(),
      functionName: settings.AWS_LAMBDA_FUNCTION_NAME,
    },
    readPackagedRules(),
    readPackagedSourceAccounts(),
    install,
  ),
);
