// State ReturnToQueue of statemachines/copy-snapshot.asl.yml
import { dynamoDbLedger } from '../aws/dynamodb-ledger.ts';
import type { Ledger } from '../aws/ledger.ts';
import { slotsTaken } from '../core/admission.ts';
import { stillKnown } from '../core/admission-state.ts';
import { NOT_COUNTED } from '../core/copy-count.ts';
import { LedgerBusyError } from '../core/errors.ts';
import { itemOf, type RequestKey, requestKey } from '../core/ledger-request.ts';
import { returned } from '../core/request-transitions.ts';
import { parseTaskInput } from '../core/task-input.ts';
import { readSettings, setting } from './settings.ts';
import { lambda, logger } from './shell.ts';

/** How often a call looks again because others were quicker. */
const LOOKS = 10;

/**
 * EC2 has no slot although admission saw one: the request waits again at its old place, and admission believes in no
 * more slots than are taken now.
 *
 * @throws LedgerBusyError and whatever the ledger throws
 */
export const returnToQueue =
  (ledger: Ledger, now: () => Date) =>
  async (input: unknown): Promise<{ readonly reason: string }> => {
    const { execution, request } = parseTaskInput(input);
    const key = requestKey(request.source, request.destination);
    // First the refusal, then the request: the other way round, admission would start it again at once.
    const taken = await noteRefusal(key, ledger, now);
    await ledger.change(key, returned(request, execution.name, now()));
    const reason = `EC2 refused a copy into ${key.region} with ${taken} slots known to be taken; ${key.snapshotId} waits again for ${key.destination}`;
    logger.info(reason);
    return { reason };
  };

/** @returns how many slots others than this request take, as far as is known */
async function noteRefusal(key: RequestKey, ledger: Ledger, now: () => Date): Promise<number> {
  for (let look = 1; look <= LOOKS; look++) {
    const { state, revision } = await ledger.admission(key.region);
    const running = (await ledger.running(key.region)).filter((request) => itemOf(request) !== itemOf(key));
    const ended = stillKnown(state.ended, running);
    const taken = slotsTaken({ running, ended, count: state.count ?? NOT_COUNTED });
    const refusal = { at: now().toISOString(), taken };
    if (await ledger.changeAdmission(key.region, revision, { ...state, ended, refusal })) return taken;
  }
  throw new LedgerBusyError(
    `The refusal of a copy into ${key.region} could not be noted: others wrote ${LOOKS} times.`,
  );
}

const settings = readSettings(process.env, { LEDGER_TABLE: setting.LEDGER_TABLE });

export const handler = lambda(returnToQueue(dynamoDbLedger(settings.LEDGER_TABLE), () => new Date()));
