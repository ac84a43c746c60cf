import type { WaitingRequest } from '../ledger-request.ts';
import { isArbitraryVolume } from '../volume-of-copy.ts';

/** A slot that is taken. */
export interface TakenSlot {
  /** The source volume and destination that no other copy may have meanwhile; see `lineOf`. */
  readonly line?: string | undefined;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

/** When a request will start, and its copy be complete. ISO 8601. */
export interface Forecast {
  readonly start: string;
  readonly end: string;
}

interface Expectations {
  /** The most slots that may be taken, with its own, for this request to start. */
  readonly limitOf: (request: WaitingRequest) => number;
  /** How many seconds its copy will take. */
  readonly secondsOf: (request: WaitingRequest) => number;
}

interface InQueue {
  readonly place: number;
  readonly request: WaitingRequest;
}

/**
 * What becomes of a queue if every copy takes as long as is expected, as admission would start them: the oldest first,
 * never two of one volume to one destination at a time, never more than there are slots. A request that no slot would
 * ever do for is left out, and so are those of its volume behind it.
 *
 * @param waiting the queue of one Region, in its order
 */
export function forecast(
  waiting: readonly WaitingRequest[],
  taken: readonly TakenSlot[],
  { limitOf, secondsOf }: Expectations,
  now: Date,
): ReadonlyMap<WaitingRequest, Forecast> {
  const forecasts = new Map<WaitingRequest, Forecast>();
  const slots: TakenSlot[] = [];
  /** Those that wait for another copy of their volume. */
  const behind = new Map<string | undefined, InQueue[]>();
  /** Those that wait for a slot alone, by how many may be taken. */
  const ready = new Map<number, InQueue[]>();

  const take = (slot: TakenSlot) => insert(slots, slot, ({ endsAt }) => endsAt);
  const makeReady = (entry: InQueue) => {
    const limit = limitOf(entry.request);
    const same = ready.get(limit) ?? [];
    ready.set(limit, same);
    insert(same, entry, ({ place }) => place);
  };

  for (const slot of taken) take(slot);
  for (const [place, request] of waiting.entries()) {
    const line = lineOf(request);
    const same = behind.get(line);
    if (same !== undefined) same.push({ place, request });
    else if (line !== undefined && slots.some((slot) => slot.line === line)) behind.set(line, [{ place, request }]);
    else {
      if (line !== undefined) behind.set(line, []);
      makeReady({ place, request });
    }
  }

  for (let at = now.getTime(); ; ) {
    for (let next = takeOldest(ready, slots.length); next !== undefined; next = takeOldest(ready, slots.length)) {
      const endsAt = at + secondsOf(next) * 1000;
      forecasts.set(next, { start: new Date(at).toISOString(), end: new Date(endsAt).toISOString() });
      take({ line: lineOf(next), endsAt });
    }
    const ended = slots.shift();
    if (ended === undefined) return forecasts;
    at = Math.max(at, ended.endsAt);
    if (slots.some(({ line }) => line !== undefined && line === ended.line)) continue;
    const next = behind.get(ended.line)?.shift();
    if (next !== undefined) makeReady(next);
  }
}

/** The oldest request for which there is a slot. */
function takeOldest(ready: ReadonlyMap<number, InQueue[]>, taken: number): WaitingRequest | undefined {
  const heads = [...ready].flatMap(([limit, list]) => {
    const [head] = list;
    return head === undefined || limit <= taken ? [] : [{ head, list }];
  });
  const [first] = heads.toSorted((a, b) => a.head.place - b.head.place);
  first?.list.shift();
  return first?.head.request;
}

/** One text for a volume at a destination; undefined if the source is a copy itself, whose volume says nothing. */
export function lineOf({
  volumeId,
  destination,
}: {
  readonly volumeId: string;
  readonly destination: string;
}): string | undefined {
  return isArbitraryVolume(volumeId) ? undefined : `${volumeId}#${destination}`;
}

/** Most are put at the end. */
function insert<Item>(sorted: Item[], item: Item, rank: (item: Item) => number): void {
  const last = sorted.at(-1);
  if (last === undefined || rank(last) <= rank(item)) sorted.push(item);
  else {
    sorted.splice(
      sorted.findIndex((each) => rank(each) > rank(item)),
      0,
      item,
    );
  }
}
