// Called by people: `requestCopy` in serverless.yml
import { type AdmissionMachine, stepFunctionsAdmission } from '../aws/admission-machine.ts';
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import type { Ledger } from '../aws/ledger.ts';
import type { CopyRequest } from '../core/copy-request.ts';
import { UnreadableInputError } from '../core/errors.ts';
import { executionName, parseExecutionName } from '../core/execution-name.ts';
import { type RequestStatus, requestKey } from '../core/ledger-request.ts';
import { requestedAgain } from '../core/request-transitions.ts';
import { destinationRegions } from '../core/rule-destinations.ts';
import type { CopyRule } from '../core/rules.ts';
import { parseCopyRequest } from '../core/task-input.ts';
import { readPackagedRules } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Ports {
  readonly ledger: Ledger;
  readonly admission: AdmissionMachine;
  readonly now: () => Date;
}

/** What became of the request, for the person who asked. */
interface Answer {
  /** False if there was nothing to do: it waits, runs or is copied already. */
  readonly accepted: boolean;
  readonly status: RequestStatus;
  readonly reason: string;
  readonly copyId?: string;
}

/**
 * Puts a request for a copy into the queue, or a failed one into it again. It takes the input of an execution of the
 * state machine. A copy that exists is adopted then, not made twice.
 *
 * @throws UnreadableInputError if it is no request, for a Region that no rule has, or could never be started
 */
export const requestCopy =
  ({ ledger, admission, now }: Ports, rules: readonly CopyRule[]) =>
  async (input: unknown): Promise<Answer> => {
    const request = parseCopyRequest(input);
    const { region } = request.destination;
    const problem = whyImpossible(request, destinationRegions(rules));
    if (problem !== undefined) throw new UnreadableInputError(problem);
    const key = requestKey(request.source, request.destination);
    const { changed, request: is } = await ledger.change(key, requestedAgain(request, now()));
    await admission.wake(region);
    const { status, reason, copyId } = is ?? { status: 'waiting', reason: 'asked for by hand' };
    logger.info(`Asked by hand for ${key.snapshotId} at ${key.destination}: ${status}: ${reason}`, {
      accepted: changed,
    });
    return { accepted: changed, status, reason, ...(copyId !== undefined && { copyId }) };
  };

/** Nothing may come into the queue that could not be started: it would hold a slot, or the whole Region, for ever. */
function whyImpossible({ source, destination, dryRun }: CopyRequest, regions: readonly string[]): string | undefined {
  const { region, slots } = destination;
  if (!regions.includes(region)) {
    return `destination.region is ${region}, and no rule copies there, so nothing here may. The rules have ${regions.join(', ')}.`;
  }
  if (dryRun) {
    return 'dryRun is true, and a dry run does not wait for a slot: set it to false, or give this input to a new execution of the state machine.';
  }
  if (!Number.isInteger(slots) || slots < 1)
    return `destination.slots is ${slots}. It takes a whole number from 1, for example 18.`;
  const name = executionName(source.snapshotId, destination, 1);
  if (parseExecutionName(name) === undefined) {
    return `source.snapshotId and the destination make ${name}. It takes what AWS made, for example snap-0123456789abcdef0-eu-central-1-1.`;
  }
  return undefined;
}

const settings = readSettings(process.env, {
  LEDGER_TABLE: setting.LEDGER_TABLE,
  ADMISSION_MACHINE_ARN: setting.ADMISSION_MACHINE_ARN,
});

export const handler = lambda(
  requestCopy(
    {
      ledger: dynamoDbLedger(settings.LEDGER_TABLE),
      admission: stepFunctionsAdmission(settings.ADMISSION_MACHINE_ARN),
      now: () => new Date(),
    },
    readPackagedRules(),
  ),
);
