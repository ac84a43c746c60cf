// Triggered by a schedule, every 5 minutes: `sweep` in serverless.yml
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { type AdmissionMachine, stepFunctionsAdmission } from '../aws/admission-machine.ts';
import { snsDeadLetterTopic } from '../aws/dead-letter-topic.ts';
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import { type ExecutionApi, stepFunctionsExecutions } from '../aws/executions.ts';
import type { Ledger } from '../aws/ledger.ts';
import { readExecution } from '../core/execution-event.ts';
import type { Install } from '../core/install.ts';
import type { RunningRequest, WaitingRequest } from '../core/ledger-request.ts';
import { destinationRegions } from '../core/rule-destinations.ts';
import type { CopyRule } from '../core/rules.ts';
import { isUnheard, queueLengths, worthAsking } from '../core/sweep.ts';
import { installSettings, readInstall } from './install-settings.ts';
import { readPackagedRules } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { type SettlePorts, settle } from './settle.ts';
import { lambda, logger, metrics } from './shell.ts';

interface Ports extends SettlePorts {
  readonly executions: ExecutionApi;
  readonly admission: AdmissionMachine;
}

/**
 * Finds what events lost: executions that ended unheard, requests whose execution is missing, and requests that wait
 * although nobody looks. Says how long the queues are.
 *
 * @throws the first error, after all Regions and requests had their turn
 */
export const sweep =
  (ports: Ports, rules: readonly CopyRule[], install: Install, keepDays: number) => async (): Promise<void> => {
    const troubles: unknown[] = [];
    const attempt = async (work: () => Promise<void>): Promise<void> => {
      await work().catch((error: unknown) => {
        troubles.push(error);
        logger.warn(error instanceof Error ? error.message : String(error));
      });
    };
    for (const region of destinationRegions(rules)) {
      await attempt(async () => {
        const running = await ports.ledger.running(region);
        for (const request of worthAsking(running, ports.now())) {
          await attempt(() => follow(request, ports, install, keepDays));
        }
      });
      await attempt(() => reportQueue(region, ports));
    }
    if (troubles.length > 0) throw troubles[0];
  };

/** What became of the execution of a request? */
async function follow(request: RunningRequest, ports: Ports, install: Install, keepDays: number): Promise<void> {
  const { ledger, executions } = ports;
  const { execution } = request;
  const record = await executions.find(execution);
  if (record === undefined) {
    const found = await ledger.request(request);
    if (found?.status !== 'running' || found.execution !== execution) return;
    await executions.start(execution, found.request);
    logger.warn(`Started ${execution} again: Step Functions did not know it`);
    return;
  }
  const ended = readExecution(record);
  if (ended.kind === 'ignored' || !isUnheard(record, ports.now())) return;
  logger.warn(`${execution} had ended unheard`);
  await settle(ended, ports, install, keepDays);
}

/** Wakes admission if requests wait: whoever should have done so may have failed. */
async function reportQueue(region: string, { ledger, admission, now }: Ports): Promise<void> {
  const waiting = await wholeQueue(region, ledger);
  if (waiting.length === 0) return;
  await admission.wake(region);
  for (const { destination, requests, oldestAgeSeconds } of queueLengths(waiting, now())) {
    const one = metrics.singleMetric();
    one.addDimension('destination', destination);
    one.addMetric('RequestsWaiting', MetricUnit.Count, requests);
    const age = metrics.singleMetric();
    age.addDimension('destination', destination);
    age.addMetric('OldestWaitingAge', MetricUnit.Seconds, oldestAgeSeconds);
    logger.info(`${requests} requests wait for ${destination}, the oldest for ${oldestAgeSeconds} s`);
  }
}

async function wholeQueue(region: string, ledger: Ledger): Promise<readonly WaitingRequest[]> {
  const waiting: WaitingRequest[] = [];
  let after: string | undefined;
  do {
    const page = await ledger.waiting(region, { limit: 1000, ...(after !== undefined && { after }) });
    waiting.push(...page.requests);
    after = page.next;
  } while (after !== undefined);
  return waiting;
}

const settings = readSettings(process.env, {
  ...installSettings,
  DEAD_LETTER_TOPIC_ARN: setting.DEAD_LETTER_TOPIC_ARN,
  STATE_MACHINE_ARN: setting.STATE_MACHINE_ARN,
  ADMISSION_MACHINE_ARN: setting.ADMISSION_MACHINE_ARN,
  LEDGER_TABLE: setting.LEDGER_TABLE,
  KEEP_REQUESTS_DAYS: setting.KEEP_REQUESTS_DAYS,
});

export const handler = lambda(
  sweep(
    {
      ledger: dynamoDbLedger(settings.LEDGER_TABLE),
      topic: snsDeadLetterTopic(settings.DEAD_LETTER_TOPIC_ARN),
      executions: stepFunctionsExecutions(settings.STATE_MACHINE_ARN),
      admission: stepFunctionsAdmission(settings.ADMISSION_MACHINE_ARN),
      now: () => new Date(),
    },
    readPackagedRules(),
    readInstall(settings),
    settings.KEEP_REQUESTS_DAYS,
  ),
);
