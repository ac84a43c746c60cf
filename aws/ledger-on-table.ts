import { randomInt } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { NO_ADMISSION_YET } from '../core/admission-state.ts';
import { ServiceTroubleError } from '../core/errors.ts';
import { hasExpired, type LedgerRequest, type RequestKey } from '../core/ledger-request.ts';
import type { DynamoDbTable } from './dynamodb-table.ts';
import type { Ledger } from './ledger.ts';
import {
  admissionItem,
  keyOfAdmission,
  keyOfRequest,
  readAdmission,
  readRequest,
  readRunning,
  readWaiting,
  requestItem,
} from './ledger-items.ts';

export interface LedgerOptions {
  readonly now?: () => Date;
  /** Waits before the second attempt (1) and each later one to write what others have changed meanwhile. */
  readonly pause?: (attempt: number) => Promise<unknown>;
}

/** How often a change is tried that others interfere with: with the pauses that is about a second. */
const ATTEMPTS = 8;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 400;

/** The ledger in a table of DynamoDB. */
export function ledgerOnTable(
  table: DynamoDbTable,
  { now = () => new Date(), pause = randomPause }: LedgerOptions = {},
): Ledger {
  /** DynamoDB may leave an item for days after its time: it counts as absent, but its revision as the one to replace. */
  async function find(key: RequestKey): Promise<{ readonly request?: LedgerRequest; readonly revision: number }> {
    const item = await table.get(keyOfRequest(key), inWords(key));
    if (item === undefined) return { revision: 0 };
    const found = readRequest(item);
    return hasExpired(found.request, now()) ? { revision: found.revision } : found;
  }

  async function admission(region: string) {
    const item = await table.get(keyOfAdmission(region), `the admission for ${region}`);
    return item === undefined ? { state: NO_ADMISSION_YET, revision: 0 } : readAdmission(item);
  }

  return {
    request: async (key) => (await find(key)).request,

    async change(key, transition) {
      let own: { readonly request: LedgerRequest; readonly revision: number } | undefined;
      for (let attempt = 1; ; attempt++) {
        const { request: current, revision } = await find(key);
        if (revision === own?.revision) return { changed: true, request: own.request };
        const next = transition(current);
        if (next === undefined) return { changed: false, ...(current !== undefined && { request: current }) };
        if (attempt > ATTEMPTS) throw busy(key);
        own = { request: next, revision: newRevision() };
        const item = requestItem(key, next, own.revision);
        if (await table.put(item, revision, inWords(key))) return { changed: true, request: next };
        await pause(attempt);
      }
    },

    async waiting(region, { limit, after }) {
      const range = { region, status: 'waiting', limit, after } as const;
      const { items, next } = await table.queue(range, `the queue of ${region}`);
      return { requests: items.map(readWaiting), ...(next !== undefined && { next }) };
    },

    async running(region) {
      const items = [];
      let after: string | undefined;
      do {
        const range = { region, status: 'running', after } as const;
        const page = await table.queue(range, `what runs in ${region}`);
        items.push(...page.items);
        after = page.next;
      } while (after !== undefined);
      return items.map(readRunning);
    },

    admission,

    async changeAdmission(region, revision, next) {
      const own = newRevision();
      const item = admissionItem(region, next, own);
      if (await table.put(item, revision, `the admission for ${region}`)) return true;
      return (await admission(region)).revision === own;
    },
  };
}

/**
 * By chance, and never the same twice: so a write whose answer was lost is known again, and an item that DynamoDB
 * deleted and somebody wrote anew is not taken for the one before.
 */
function newRevision(): number {
  return randomInt(1, 2 ** 47);
}

function randomPause(attempt: number): Promise<unknown> {
  return setTimeout(Math.random() * Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS));
}

function busy(key: RequestKey): ServiceTroubleError {
  return new ServiceTroubleError(
    `The request for ${inWords(key)} could not be changed in the ledger: others changed it each of ${ATTEMPTS} times meanwhile. Nothing to do unless it lasts.`,
  );
}

function inWords({ destination, snapshotId }: RequestKey): string {
  return `${snapshotId} to ${destination}`;
}
