import { MetricUnit } from '@aws-lambda-powertools/metrics';
import type { DeadLetterTopic } from '../aws/dead-letter-topic.ts';
import type { Ledger } from '../aws/ledger.ts';
import { withFailed } from '../core/admission-state.ts';
import { destinationId } from '../core/destination.ts';
import { LedgerBusyError } from '../core/errors.ts';
import type { EndedExecution, Untold } from '../core/execution-event.ts';
import type { Install } from '../core/install.ts';
import { type RequestKey, requestKey } from '../core/ledger-request.ts';
import { isSettledBy, returned, settled } from '../core/request-transitions.ts';
import { logger, metrics } from './shell.ts';

/** How often a call looks again because others were quicker. */
const LOOKS = 10;

export interface SettlePorts {
  readonly ledger: Ledger;
  readonly topic: DeadLetterTopic;
  readonly now: () => Date;
}

/**
 * Writes the end of an execution into the ledger, and tells the dead-letter topic of a failure that nobody has heard of.
 * In this order, telling before writing, a crash in between tells twice rather than never.
 */
export async function settle(
  ended: Extract<EndedExecution, { kind: 'ended' }>,
  { ledger, topic, now }: SettlePorts,
  install: Install,
  keepDays: number,
): Promise<void> {
  const { name, request, outcome, untold } = ended;
  if (request.dryRun || outcome.kind === 'rehearsed') return;
  const key = requestKey(request.source, request.destination);
  if (outcome.kind === 'returned') {
    // ReturnToQueue has written that. Should the ledger have lost it, the request would run for ever.
    await ledger.change(key, returned(request, name, now()));
    return;
  }
  if (outcome.kind === 'failed') await noteFailed(key, name, ledger);
  if (untold !== undefined && !isSettledBy(name, await ledger.request(key))) await tell(untold, topic, install);
  const { changed } = await ledger.change(key, settled(name, outcome, now(), keepDays));
  if (changed) logger.info(`${name}: ${outcome.kind}: ${outcome.reason}`, { rule: request.rule });
}

/**
 * EC2 may still be making the copy of a failed execution, with a slot and a volume of its own. Admission has to know before
 * the request runs no more: in between it would start the next copy of that volume.
 */
async function noteFailed(key: RequestKey, execution: string, ledger: Ledger): Promise<void> {
  for (let look = 1; look <= LOOKS; look++) {
    const found = await ledger.request(key);
    if (found?.status !== 'running' || found.execution !== execution) return;
    const { state, revision } = await ledger.admission(key.region);
    const next = withFailed(state, { ...key, attempt: found.attempt });
    if (next === undefined || (await ledger.changeAdmission(key.region, revision, next))) return;
  }
  throw new LedgerBusyError(`The end of ${execution} could not be noted: others wrote ${LOOKS} times.`);
}

async function tell({ failed, endedAt }: Untold, topic: DeadLetterTopic, install: Install): Promise<void> {
  // Loaded when there is something to tell, which is seldom: a cold start need not wait for it.
  const { writeAlert } = await import('../core/alert.ts');
  const alert = writeAlert(failed, install, endedAt);
  await topic.tell(alert);
  const one = metrics.singleMetric();
  one.addDimension('destination', destinationId(failed.request.destination));
  one.addMetric('CopiesFailed', MetricUnit.Count, 1);
  logger.warn(alert.subject, { ...alert.attributes });
}
