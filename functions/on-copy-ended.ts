// Triggered by the executions of the state machine that ended FAILED, TIMED_OUT or ABORTED: `onCopyEnded` in serverless.yml
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { type DeadLetterTopic, snsDeadLetterTopic } from '../aws/dead-letter-topic.ts';
import { writeAlert } from '../core/alert.ts';
import { destinationId } from '../core/destination.ts';
import { readExecutionEvent } from '../core/execution-event.ts';
import type { Install } from '../core/install.ts';
import { installSettings, readInstall } from './install-settings.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger, metrics } from './shell.ts';

/** Tells the dead-letter topic of executions that could not do so themselves. */
export const onCopyEnded =
  (topic: DeadLetterTopic, install: Install) =>
  async (input: unknown): Promise<void> => {
    const ended = readExecutionEvent(input);
    if (ended.kind === 'ignored') {
      logger.info(`Nothing to do: ${ended.reason}`);
      return;
    }
    const alert = writeAlert(ended.failed, install, ended.endedAt);
    await topic.tell(alert);
    metrics.addDimension('destination', destinationId(ended.failed.request.destination));
    metrics.addMetric('CopiesFailed', MetricUnit.Count, 1);
    logger.warn(alert.subject, { ...alert.attributes });
  };

const settings = readSettings(process.env, {
  ...installSettings,
  DEAD_LETTER_TOPIC_ARN: setting.DEAD_LETTER_TOPIC_ARN,
});

export const handler = lambda(onCopyEnded(snsDeadLetterTopic(settings.DEAD_LETTER_TOPIC_ARN), readInstall(settings)));
