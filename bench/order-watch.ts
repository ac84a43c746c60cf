import type { Ledger } from '../aws/ledger.ts';
import type { AdmissionState, RequestAttempt } from '../core/admission-state.ts';
import type { LedgerUsage, MemoryLedger } from '../sandbox/ledger/memory-ledger.ts';

/** Looks over admission's shoulder. */
export interface OrderWatch {
  /** The same ledger, to be used instead. */
  readonly ledger: Ledger;
  /** Without what the watch itself reads. */
  usage(): LedgerUsage;
  /** How many requests admission decided to start so far. */
  started(): number;
  /** Those among them that should not have been the next, see `watchOrder`. */
  startedOutOfOrder(): number;
}

/** 20 volumes with a copy under way hold back as many requests of theirs at most as they have snapshots. */
const PAGE = 1000;

/**
 * Checks the order of starts, with none of admission's own code. At each decision that is written into the ledger, the
 * queue of that very moment is gone through, the oldest source snapshot first. A start is out of order if an older
 * request stays behind that could start, or if its own volume is not free. A volume is free if no request of it that
 * runs has a copy that admission takes to be under way, no other copy of it was counted in the Region, and no older
 * request of it waits.
 */
export function watchOrder(ledger: MemoryLedger): OrderWatch {
  const own = { reads: 0, writes: 0, readUnits: 0, writeUnits: 0 };
  let started = 0;
  let outOfOrder = 0;

  /** Reads of our own. The ledger does all its work in the call itself, so that nobody comes in between. */
  function unbilled<Answer>(read: () => Answer): Answer {
    const before = ledger.usage();
    const answer = read();
    const after = ledger.usage();
    own.reads += after.reads - before.reads;
    own.readUnits += after.readUnits - before.readUnits;
    return answer;
  }

  async function check(region: string, { starting, ended, count }: AdmissionState): Promise<void> {
    const running = unbilled(() => ledger.running(region));
    const firstPage = unbilled(() => ledger.waiting(region, { limit: PAGE }));
    const over = new Set(ended.map(attemptText));
    const busy = new Set([
      ...(await running).filter((request) => !over.has(attemptText(request))).map(lineageOf),
      ...(count?.volumes ?? []).map(lineageOf),
    ]);
    const left = new Set(starting.map(attemptText));
    let passedOver = false;
    for (const request of (await firstPage).requests) {
      if (left.size === 0) return;
      const mayStart = !busy.has(lineageOf(request));
      busy.add(lineageOf(request));
      if (left.delete(attemptText({ ...request, attempt: request.attempt + 1 }))) {
        started += 1;
        if (passedOver || !mayStart) outOfOrder += 1;
      } else if (mayStart) {
        passedOver = true;
      }
    }
  }

  return {
    ledger: {
      request: (key) => ledger.request(key),
      change: (key, transition) => ledger.change(key, transition),
      waiting: (region, page) => ledger.waiting(region, page),
      running: (region) => ledger.running(region),
      admission: (region) => ledger.admission(region),
      async changeAdmission(region, revision, next) {
        const changing = ledger.changeAdmission(region, revision, next);
        const checked = check(region, next);
        return (await changing) ? checked.then(() => true) : false;
      },
    },
    usage() {
      const { reads, writes, readUnits, writeUnits } = ledger.usage();
      return { reads: reads - own.reads, writes, readUnits: readUnits - own.readUnits, writeUnits };
    },
    started: () => started,
    startedOutOfOrder: () => outOfOrder,
  };
}

function attemptText({ destination, snapshotId, attempt }: RequestAttempt): string {
  return `${destination} ${snapshotId} ${attempt}`;
}

function lineageOf({ volumeId, destination }: { readonly volumeId: string; readonly destination: string }): string {
  return `${volumeId} ${destination}`;
}
