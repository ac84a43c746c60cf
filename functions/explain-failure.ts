// State ExplainFailure of statemachines/copy-snapshot.asl.yml
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { type Alert, writeAlert } from '../core/alert.ts';
import { destinationId } from '../core/destination.ts';
import type { Install } from '../core/install.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { installSettings, readInstall } from './install-settings.ts';
import { readSettings } from './settings.ts';
import { lambda, logger, metrics } from './shell.ts';

/** Writes the alert that TellDeadLetterTopic sends. */
export const explainFailure =
  (install: Install) =>
  async (input: unknown): Promise<Alert> => {
    const failed = parseTaskInput(input);
    const alert = writeAlert(failed, install);
    metrics.addDimension('destination', destinationId(failed.request.destination));
    metrics.addMetric('CopiesFailed', MetricUnit.Count, 1);
    logger.warn(alert.subject, { ...alert.attributes });
    return alert;
  };

export const handler = lambda(explainFailure(readInstall(readSettings(process.env, installSettings))));
