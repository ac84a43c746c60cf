import type { Ledger } from '../../aws/ledger.ts';
import {
  admissionItem,
  type Item,
  indexItem,
  placeOf,
  readRunning,
  readWaiting,
  requestItem,
} from '../../aws/ledger-items.ts';
import { type AdmissionState, NO_ADMISSION_YET } from '../../core/admission-state.ts';
import {
  hasExpired,
  itemOf,
  type LedgerRequest,
  type RequestKey,
  type RunningRequest,
  type WaitingRequest,
} from '../../core/ledger-request.ts';
import { indexWriteUnits, readUnits, sizeOf, writeUnits } from './billing.ts';
import { Places } from './places.ts';

/** What DynamoDB would have been asked to do, and would bill. */
export interface LedgerUsage {
  /** Calls of GetItem and Query. */
  readonly reads: number;
  /** Calls of PutItem. */
  readonly writes: number;
  readonly readUnits: number;
  readonly writeUnits: number;
}

export interface MemoryLedger extends Ledger {
  /** Since the ledger was made. */
  usage(): LedgerUsage;
}

/**
 * The ledger in memory, to the contract of the one in DynamoDB, and as fast as tens of thousands of requests need it.
 * Every method does all its work at once, so that nobody comes in between. It counts what DynamoDB would bill.
 */
export function memoryLedger({ now }: { readonly now: () => Date }): MemoryLedger {
  const regions = new Map<string, Region>();
  const usage = { reads: 0, writes: 0, readUnits: 0, writeUnits: 0 };

  function regionOf(name: string): Region {
    const known = regions.get(name);
    if (known !== undefined) return known;
    const fresh: Region = { requests: new Map(), waiting: new Places(), running: new Places() };
    regions.set(name, fresh);
    return fresh;
  }

  function noteRead(bytes: number): void {
    usage.reads += 1;
    usage.readUnits += readUnits(bytes);
  }

  function noteWrite(units: number): void {
    usage.writes += 1;
    usage.writeUnits += units;
  }

  function find(key: RequestKey): LedgerRequest | undefined {
    const found = regionOf(key.region).requests.get(itemOf(key));
    noteRead(found?.bytes ?? 0);
    return found === undefined || hasExpired(found.request, now()) ? undefined : found.request;
  }

  function write(key: RequestKey, request: LedgerRequest): void {
    const region = regionOf(key.region);
    const before = region.requests.get(itemOf(key));
    const item = requestItem(key, request, WRITTEN);
    const after = { request, bytes: sizeOf(item), indexed: indexItem(item) };
    noteWrite(writeUnits(before?.bytes ?? 0, after.bytes) + indexWriteUnits(before?.indexed, after.indexed));
    region.requests.set(itemOf(key), after);

    const left = before && placeOf(key, before.request);
    if (left !== undefined) {
      region.waiting.delete(left);
      region.running.delete(left);
    }
    const place = placeOf(key, request);
    if (place === undefined || after.indexed === undefined) return;
    const bytes = sizeOf(after.indexed);
    if (request.status === 'waiting') region.waiting.set(place, { bytes, request: readWaiting(after.indexed) });
    else region.running.set(place, { bytes, request: readRunning(after.indexed) });
  }

  return {
    usage: () => ({ ...usage }),

    request: async (key) => find(key),

    async change(key, transition) {
      const current = find(key);
      const next = transition(current);
      if (next === undefined) return { changed: false, ...(current !== undefined && { request: current }) };
      write(key, next);
      return { changed: true, request: next };
    },

    async waiting(region, { limit, after = '' }) {
      const page = regionOf(region).waiting.after(after, limit);
      noteRead(bytesOf(page));
      // As DynamoDB, which does not look whether there is more after a full page.
      const next = page.length === limit ? page.at(-1)?.place : undefined;
      return { requests: page.map(({ value }) => value.request), ...(next !== undefined && { next }) };
    },

    async running(region) {
      const all = regionOf(region).running.after('');
      noteRead(bytesOf(all));
      return all.map(({ value }) => value.request);
    },

    async admission(region) {
      const { admission } = regionOf(region);
      noteRead(admission?.bytes ?? 0);
      return { state: admission?.state ?? NO_ADMISSION_YET, revision: admission?.revision ?? 0 };
    },

    async changeAdmission(name, revision, next) {
      const region = regionOf(name);
      const before = region.admission;
      if ((before?.revision ?? 0) !== revision) {
        noteWrite(writeUnits(before?.bytes ?? 0, 0));
        noteRead(before?.bytes ?? 0);
        return false;
      }
      const bytes = sizeOf(admissionItem(name, next, WRITTEN));
      noteWrite(writeUnits(before?.bytes ?? 0, bytes));
      region.admission = { state: next, revision: revision + 1, bytes };
      return true;
    },
  };
}

/** A revision as long as those in DynamoDB, of which the size of an item depends. */
const WRITTEN = 2 ** 47 - 1;

interface Region {
  readonly requests: Map<string, { request: LedgerRequest; bytes: number; indexed: Item | undefined }>;
  readonly waiting: Places<{ readonly bytes: number; readonly request: WaitingRequest }>;
  readonly running: Places<{ readonly bytes: number; readonly request: RunningRequest }>;
  admission?: { readonly state: AdmissionState; readonly revision: number; readonly bytes: number };
}

function bytesOf(page: readonly { readonly value: { readonly bytes: number } }[]): number {
  return page.reduce((sum, { value }) => sum + value.bytes, 0);
}
