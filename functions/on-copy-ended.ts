// Triggered by the end of every execution of the state machine that copies: `onCopyEnded` in serverless.yml
import { type AdmissionMachine, stepFunctionsAdmission } from '../aws/admission-machine.ts';
import { snsDeadLetterTopic } from '../aws/dead-letter-topic.ts';
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import { readExecutionEvent } from '../core/execution-event.ts';
import type { Install } from '../core/install.ts';
import { installSettings, readInstall } from './install-settings.ts';
import { readSettings, setting } from './settings.ts';
import { type SettlePorts, settle } from './settle.ts';
import { lambda, logger } from './shell.ts';

interface Ports extends SettlePorts {
  readonly admission: AdmissionMachine;
}

/** Writes the end of a copy into the ledger, tells of failures that nobody has heard of, and lets the next ones start. */
export const onCopyEnded =
  (ports: Ports, install: Install, keepDays: number) =>
  async (input: unknown): Promise<void> => {
    const ended = readExecutionEvent(input);
    if (ended.kind === 'ignored') {
      logger.info(`Nothing to do: ${ended.reason}`);
      return;
    }
    await settle(ended, ports, install, keepDays);
    await ports.admission.wake(ended.request.destination.region);
  };

const settings = readSettings(process.env, {
  ...installSettings,
  DEAD_LETTER_TOPIC_ARN: setting.DEAD_LETTER_TOPIC_ARN,
  ADMISSION_MACHINE_ARN: setting.ADMISSION_MACHINE_ARN,
  LEDGER_TABLE: setting.LEDGER_TABLE,
  KEEP_REQUESTS_DAYS: setting.KEEP_REQUESTS_DAYS,
});

export const handler = lambda(
  onCopyEnded(
    {
      ledger: dynamoDbLedger(settings.LEDGER_TABLE),
      topic: snsDeadLetterTopic(settings.DEAD_LETTER_TOPIC_ARN),
      admission: stepFunctionsAdmission(settings.ADMISSION_MACHINE_ARN),
      now: () => new Date(),
    },
    readInstall(settings),
    settings.KEEP_REQUESTS_DAYS,
  ),
);
