// State Admit of statemachines/admit-copies.asl.yml
import { type AdmissionMachine, stepFunctionsAdmission } from '../aws/admission-machine.ts';
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import { ec2Snapshots } from '../aws/ec2-snapshots.ts';
import { type ExecutionApi, stepFunctionsExecutions } from '../aws/executions.ts';
import type { Ledger } from '../aws/ledger.ts';
import type { SnapshotApi } from '../aws/snapshot-api.ts';
import { type AdmissionDecision, afterCount, decideAdmission, type RegionView, slotsTaken } from '../core/admission.ts';
import { type AdmissionState, attemptOf, type RequestAttempt, stillKnown } from '../core/admission-state.ts';
import { countCopies, NOT_COUNTED, secondsUntilCount } from '../core/copy-count.ts';
import { LedgerBusyError } from '../core/errors.ts';
import { executionName } from '../core/execution-name.ts';
import { decideAfterLook } from '../core/heartbeat.ts';
import type { RunningRequest, WaitingRequest } from '../core/ledger-request.ts';
import { nameTaken, started } from '../core/request-transitions.ts';
import { mostSlotsOf } from '../core/rule-destinations.ts';
import type { CopyRule } from '../core/rules.ts';
import { parseWake, type Wake } from '../core/wake.ts';
import { readPackagedRules } from './packaged-rules.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

interface Ports {
  readonly ledger: Ledger;
  readonly snapshots: Pick<SnapshotApi, 'pending'>;
  readonly executions: Pick<ExecutionApi, 'start' | 'find'>;
  readonly admission: AdmissionMachine;
  readonly now: () => Date;
}

interface Settings {
  readonly installName: string;
}

/** What the state machine does next; its choice state reads `action`. */
export interface Looked {
  readonly action: 'end' | 'beat';
  readonly waitSeconds: number;
  readonly reason: string;
}

/** How often a call looks again because others were quicker. */
const LOOKS = 5;

/** So many requests of the queue are read first; then as many as were read, until no slot is left. */
const PAGE = 50;

/**
 * Starts the requests of a Region that may start, see `decideAdmission`. Any number of calls at once is safe: a decision
 * is written down first, on condition that nobody else has decided since, and then carried out. Whoever finds one that
 * was not carried out completes it.
 *
 * @throws LedgerBusyError and whatever the ports throw: the state machine tries again
 */
export const admitCopies =
  (ports: Ports, rules: readonly CopyRule[], { installName }: Settings) =>
  async (input: unknown): Promise<Looked> => {
    const wake = parseWake(input);
    const mostSlots = mostSlotsOf(rules, wake.region);
    for (let look = 1; look <= LOOKS; look++) {
      const looked = await lookOnce(wake, mostSlots, installName, ports);
      if (looked !== undefined) return looked;
    }
    throw new LedgerBusyError(
      `Admission for ${wake.region}: others decided at the same time, ${LOOKS} times in a row.`,
    );
  };

/** Undefined if somebody else decided meanwhile. */
async function lookOnce(wake: Wake, mostSlots: number, installName: string, ports: Ports): Promise<Looked | undefined> {
  const { ledger, snapshots, admission, now } = ports;
  const { region, endedCopyId } = wake;
  const { state, revision } = await ledger.admission(region);
  const running = await completeStarts(state.starting, region, ports);
  const head = await ledger.waiting(region, { limit: PAGE });

  const heard = running.filter(({ copyId }) => copyId !== undefined && copyId === endedCopyId);
  let seen = whatIsSeen(state, running, stillKnown([...state.ended, ...heard], running));
  let queue = await readQueue({ ...seen, mostSlots }, head, ports, region);
  let failed = state.failed ?? [];
  const isLeft = stillKnown(failed, running).length < failed.length;
  const isDue = isLeft || secondsUntilCount(state.count, queue.dependsOnCount, now()) === 0;
  if (head.requests.length > 0 && isDue) {
    const counted = countCopies(await snapshots.pending(region), running, installName, now());
    const ended = stillKnown([...seen.ended, ...counted.ended], running);
    failed = stillKnown(failed, running);
    seen = whatIsSeen({ ...state, count: counted.count }, running, ended);
    if (seen.refusal !== undefined) seen = { ...seen, refusal: afterCount(seen.refusal, slotsTaken(seen)) };
    queue = await readQueue({ ...seen, mostSlots }, head, ports, region);
  }
  const { starts, held, allRead } = queue;
  const { ended, refusal } = seen;
  const count = seen.count === NOT_COUNTED ? undefined : seen.count;

  const heldBack = held !== undefined || !allRead;
  const after = decideAfterLook(
    heldBack,
    state.heartbeat,
    wake.execution,
    secondsUntilCount(count, queue.dependsOnCount, now()),
    now(),
  );
  const heartbeat = after.action === 'handOver' ? undefined : after.heartbeat;
  const next: AdmissionState = {
    starting: starts.map(({ request }) => nextAttempt(request)),
    ended,
    ...(failed.length > 0 && { failed }),
    ...(count !== undefined && { count }),
    ...(refusal !== undefined && { refusal }),
    ...(heartbeat !== undefined && { heartbeat }),
  };
  // Written anew, even the same keeps another execution from ending on what it read before.
  const mustWrite = !isSame(next, state) || (after.action === 'end' && after.relies);
  if (mustWrite && !(await ledger.changeAdmission(region, revision, next))) return undefined;

  await settleAll(
    starts.map(
      ({ request, reason }) =>
        () =>
          start(nextAttempt(request), reason, ports),
    ),
  );
  if (held !== undefined) {
    const { snapshotId, destination } = held.request;
    logger.info(`Held back: ${snapshotId} for ${destination}: ${held.reason}`);
  }
  if (after.action === 'handOver') await admission.wake(region);
  const { reason } = after;
  return after.action === 'beat'
    ? { action: 'beat', waitSeconds: after.waitSeconds, reason }
    : { action: 'end', waitSeconds: 0, reason };
}

function whatIsSeen(
  { count = NOT_COUNTED, refusal }: AdmissionState,
  running: readonly RunningRequest[],
  ended: readonly RequestAttempt[],
): Omit<RegionView, 'mostSlots'> {
  return { running, ended, count, ...(refusal !== undefined && { refusal }) };
}

/** Decides about the queue as far as it has to be read: until no slot is left. */
async function readQueue(
  view: RegionView,
  head: { readonly requests: readonly WaitingRequest[]; readonly next?: string },
  { ledger, now }: Ports,
  region: string,
) {
  let waiting = head.requests;
  let unread = head.next;
  let decision: AdmissionDecision = decideAdmission(view, waiting, now());
  while (unread !== undefined && decision.slotLeft) {
    const page = await ledger.waiting(region, { limit: Math.max(PAGE, waiting.length), after: unread });
    waiting = [...waiting, ...page.requests];
    unread = page.next;
    decision = decideAdmission(view, waiting, now());
  }
  return {
    starts: decision.admissions.filter(({ action }) => action === 'start'),
    held: decision.admissions.find(({ action }) => action === 'hold'),
    allRead: unread === undefined,
    dependsOnCount: decision.dependsOnCount,
  };
}

/** @returns all requests of the Region that run, once every start is complete that was decided before. */
async function completeStarts(
  starting: readonly RequestAttempt[],
  region: string,
  ports: Ports,
): Promise<readonly RunningRequest[]> {
  const running = await ports.ledger.running(region);
  const known = new Set(running.map(attemptOf));
  const open = starting.filter((attempt) => !known.has(attemptOf(attempt)));
  if (open.length === 0) return running;
  await settleAll(
    open.map((attempt) => () => start(attempt, 'its start was decided before, and not completed', ports)),
  );
  return ports.ledger.running(region);
}

/** How many names in a row may be taken; each start by hand of a lost ledger has taken one. */
const NAMES = 20;

/** Starts the execution, then says so in the ledger: in this order, so that a request that runs has an execution. */
async function start(key: RequestAttempt, reason: string, ports: Ports): Promise<void> {
  const { ledger, executions, now } = ports;
  const found = await ledger.request(key);
  if (found?.status !== 'waiting' || found.attempt !== key.attempt - 1) return;
  const { request, waitingSince } = found;
  for (let attempt = key.attempt; attempt < key.attempt + NAMES; attempt++) {
    const name = executionName(request.source.snapshotId, request.destination, attempt);
    const outcome = await executions.start(name, request);
    if (outcome === 'alreadyStarted' && (await endedBefore(name, waitingSince, ports))) {
      await ledger.change(key, nameTaken(attempt, now()));
      continue;
    }
    const { changed } = await ledger.change(key, started(attempt, name, reason, now()));
    if (changed) logger.info(`Started execution ${name}: ${reason}`, { rule: request.rule });
    return;
  }
}

/** Step Functions remembers executions for 90 days; a ledger that was lost, or an older version, does not know of them. */
async function endedBefore(name: string, time: string, { executions }: Ports): Promise<boolean> {
  const stopDate = (await executions.find(name))?.stopDate;
  return stopDate !== undefined && stopDate < Date.parse(time);
}

function nextAttempt({ region, destination, snapshotId, attempt }: WaitingRequest): RequestAttempt {
  return { region, destination, snapshotId, attempt: attempt + 1 };
}

/** One start in trouble must not keep the others waiting. */
async function settleAll(works: readonly (() => Promise<void>)[]): Promise<void> {
  const outcomes = await Promise.allSettled(works.map((work) => work()));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function isSame(a: AdmissionState, b: AdmissionState): boolean {
  return JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b));
}

function inOrder({ starting, ended, failed = [], count, refusal, heartbeat }: AdmissionState): unknown {
  return [starting, ended, failed, count, refusal, heartbeat];
}

const settings = readSettings(process.env, {
  INSTALL_NAME: setting.INSTALL_NAME,
  STATE_MACHINE_ARN: setting.STATE_MACHINE_ARN,
  ADMISSION_MACHINE_ARN: setting.ADMISSION_MACHINE_ARN,
  LEDGER_TABLE: setting.LEDGER_TABLE,
});

export const handler = lambda(
  admitCopies(
    {
      ledger: dynamoDbLedger(settings.LEDGER_TABLE),
      snapshots: ec2Snapshots(),
      executions: stepFunctionsExecutions(settings.STATE_MACHINE_ARN),
      admission: stepFunctionsAdmission(settings.ADMISSION_MACHINE_ARN),
      now: () => new Date(),
    },
    readPackagedRules(),
    { installName: settings.INSTALL_NAME },
  ),
);
