// Called by people: `requestCopy` in serverless.yml
import * as z from 'zod/mini';
import { type AdmissionMachine, stepFunctionsAdmission } from '../aws/admission-machine.ts';
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import type { Ledger } from '../aws/ledger.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import type { CopyRequest } from '../core/copy-request.ts';
import { CopierError, UnreadableInputError } from '../core/errors.ts';
import { executionName, parseExecutionName } from '../core/execution-name.ts';
import { requestKey } from '../core/ledger-request.ts';
import { lossOf } from '../core/lost-copy.ts';
import { REQUESTS_AT_ONCE, type RefusedRequest, type RequestAnswer } from '../core/request-answer.ts';
import { requestedAgain, requestedAnew } from '../core/request-transitions.ts';
import { destinationRegions } from '../core/rule-destinations.ts';
import type { CopyRule } from '../core/rules.ts';
import { parseCopyRequest } from '../core/task-input.ts';
import { readPackagedRules } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Ports {
  readonly ledger: Ledger;
  readonly snapshots: Pick<SnapshotApi, 'copiesOf'>;
  readonly admission: AdmissionMachine;
  readonly now: () => Date;
}

interface Settings {
  readonly installName: string;
}

interface Answers {
  /** One for each request, in their order. */
  readonly answers: readonly (RequestAnswer | RefusedRequest)[];
}

const several = z.object({ requests: z.array(z.unknown()) });

/** So many requests at a time: more would be throttled by EC2, which allows some calls a second. */
const AT_A_TIME = 10;

/** No more are begun after so long: those under way may need 30 seconds if AWS is slow, and Lambda ends all at 45. */
const BEGIN_FOR_MS = 12_000;

/**
 * Puts a request for a copy into the queue, or one again that failed, was skipped, or whose copy is gone from EC2. It
 * takes the input of an execution of the state machine; or `{requests: […]}`, at most 100 of these, of which one that is
 * wrong does not stop the others. A copy that exists is adopted then, not made twice.
 *
 * @throws UnreadableInputError if it is no request, for a Region that no rule has, or could never be started
 */
export const requestCopy =
  (ports: Ports, rules: readonly CopyRule[], { installName }: Settings) =>
  async (input: unknown): Promise<RequestAnswer | Answers> => {
    const regions = destinationRegions(rules);
    const asked = new Set<string>();
    const ask = async (one: unknown): Promise<RequestAnswer> => {
      const request = parseCopyRequest(one);
      const problem = whyImpossible(request, regions);
      if (problem !== undefined) throw new UnreadableInputError(problem);
      const answer = await enqueue(request, ports, installName);
      asked.add(request.destination.region);
      return answer;
    };

    const many = several.safeParse(input);
    if (!many.success) {
      const answer = await ask(input);
      await wake(asked, ports);
      return answer;
    }
    const { requests } = many.data;
    if (requests.length > REQUESTS_AT_ONCE) {
      throw new UnreadableInputError(
        `There are ${requests.length} requests, and one call takes ${REQUESTS_AT_ONCE}: make several calls. Nothing was done.`,
      );
    }
    const answers: (RequestAnswer | RefusedRequest)[] = [];
    const end = ports.now().getTime() + BEGIN_FOR_MS;
    for (let start = 0; start < requests.length; start += AT_A_TIME) {
      const some = requests.slice(start, start + AT_A_TIME);
      if (ports.now().getTime() > end) answers.push(...some.map(() => NO_TIME));
      else answers.push(...(await Promise.all(some.map((one) => ask(one).catch(refusal)))));
    }
    await wake(asked, ports);
    return { answers };
  };

const NO_TIME: RefusedRequest = { refused: 'AWS was slow, and no time was left for this one: ask for it again.' };

async function enqueue(
  request: CopyRequest,
  { ledger, snapshots, now }: Ports,
  installName: string,
): Promise<RequestAnswer> {
  const key = requestKey(request.source, request.destination);
  let { changed, request: is } = await ledger.change(key, requestedAgain(request, now()));
  if (!changed && is?.status === 'copied') {
    const loss = lossOf(is.copyId, request, await snapshots.copiesOf(request), installName);
    if (loss !== undefined) {
      ({ changed, request: is } = await ledger.change(key, requestedAnew(request, is, loss, now())));
    }
  }
  const { status, reason, copyId } = is ?? { status: 'waiting', reason: 'asked for by hand' };
  logger.info(`Asked by hand for ${key.snapshotId} at ${key.destination}: ${status}: ${reason}`, { accepted: changed });
  return { accepted: changed, status, reason, ...(copyId !== undefined && { copyId }) };
}

/** Once for each Region. A request waits even if nobody looks now, and the sweep has admission look within minutes. */
async function wake(regions: ReadonlySet<string>, { admission }: Ports): Promise<void> {
  for (const region of regions) {
    await admission.wake(region).catch((error: unknown) => {
      logger.warn(`Admission for ${region} will look later: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}

/** Trouble with one request among several; a mistake of ours stops them all. */
function refusal(error: unknown): RefusedRequest {
  if (!(error instanceof CopierError)) throw error;
  logger.warn(error.message, { errorName: error.name });
  return { refused: error.message };
}

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
  INSTALL_NAME: setting.INSTALL_NAME,
  LEDGER_TABLE: setting.LEDGER_TABLE,
  ADMISSION_MACHINE_ARN: setting.ADMISSION_MACHINE_ARN,
});

export const handler = lambda(
  requestCopy(
    {
      ledger: dynamoDbLedger(settings.LEDGER_TABLE),
      // Loaded when it comes to it: most requests have no copy yet.
      snapshots: {
        copiesOf: async (request) => (await import('../aws/ec2-snapshots.ts')).ec2Snapshots().copiesOf(request),
      },
      admission: stepFunctionsAdmission(settings.ADMISSION_MACHINE_ARN),
      now: () => new Date(),
    },
    readPackagedRules(),
    { installName: settings.INSTALL_NAME },
  ),
);
