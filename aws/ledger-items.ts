// The items of LedgerTable in serverless.yml: a request each, and one per Region for admission.
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import type { AdmissionState } from '../core/admission-state.ts';
import { UnreadableInputError } from '../core/errors.ts';
import {
  itemOf,
  type LedgerRequest,
  type RequestKey,
  type RunningRequest,
  type WaitingRequest,
} from '../core/ledger-request.ts';
import { parseCopyRequest } from '../core/task-input.ts';

/** An item as DynamoDB takes and gives it. All attributes of the ledger are texts and numbers. */
export type Item = Record<string, AttributeValue>;

/** Partition key and sort key. */
export interface ItemKey {
  readonly region: string;
  readonly item: string;
}

/** The sort key of the item that admission has in each Region. No destination begins like this. */
const ADMISSION = '#admission';

/**
 * Attributes beside the keys that the index `queue` holds: what WaitingRequest and RunningRequest need. A change of one
 * of them is a second write.
 */
const INDEXED = ['volumeId', 'slots', 'attempt', 'waitingSince', 'execution', 'changedAt', 'copyId', 'copyBegunAt'];

export function keyOfRequest(key: RequestKey): ItemKey {
  return { region: key.region, item: itemOf(key) };
}

export function keyOfAdmission(region: string): ItemKey {
  return { region, item: ADMISSION };
}

/**
 * Sort key of the index `queue`: the requests of a Region by status, then by age of the source, then by destination and
 * snapshot. Undefined at an end: the index has only what waits or runs.
 */
export function placeOf(key: RequestKey, { status, request }: LedgerRequest): string | undefined {
  if (status !== 'waiting' && status !== 'running') return undefined;
  return `${status}#${sortable(request.source.startTime)}#${itemOf(key)}`;
}

/** All times in one form, or their texts would not sort by time. */
function sortable(time: string): string {
  const ms = Date.parse(time);
  return Number.isNaN(ms) ? time : new Date(ms).toISOString();
}

/** The keys of the item at this place, which an index asks for to go on after it. */
export function keyOfPlace(region: string, place: string): Item {
  return attributes({ region, item: itemOf(readPlace(place)), place });
}

/** Reads what `placeOf` wrote. */
function readPlace(place: string) {
  const parts = /^(?:waiting|running)#(.*)#([^#]+)#([^#]+)$/s.exec(place);
  if (parts === null) throw new Error('not the status, time, destination and snapshot that make a place in the queue');
  const [, sourceStartTime = '', destination = '', snapshotId = ''] = parts;
  return { sourceStartTime, destination, snapshotId };
}

/**
 * The request itself is JSON text, the input of its executions to the letter: it can be copied from the console into
 * one that is started by hand.
 */
export function requestItem(key: RequestKey, known: LedgerRequest, revision: number): Item {
  const { request, ...progress } = known;
  return attributes({
    ...keyOfRequest(key),
    place: placeOf(key, known),
    revision,
    ...progress,
    volumeId: request.source.volumeId,
    slots: request.destination.slots,
    request: JSON.stringify(request),
  });
}

export function admissionItem(region: string, state: AdmissionState, revision: number): Item {
  return attributes({ ...keyOfAdmission(region), revision, state: JSON.stringify(state) });
}

/** What the index `queue` holds of an item; undefined if it does not. */
export function indexItem(item: Item): Item | undefined {
  if (item['place'] === undefined) return undefined;
  const names = new Set(['region', 'item', 'place', ...INDEXED]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)));
}

function attributes(values: Readonly<Record<string, string | number | undefined>>): Item {
  const item: Item = {};
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) item[name] = typeof value === 'number' ? { N: String(value) } : { S: value };
  }
  return item;
}

const time = z.iso.datetime();
const text = z.string().check(z.minLength(1));
const attempt = z.int().check(z.nonnegative());

/** A text that is read further. `decode` throws what is wrong with it. */
function decoded<Value>(decode: (value: string) => Value) {
  return z.pipe(
    z.string(),
    z.transform((value, { issues }): Value => {
      try {
        return decode(value);
      } catch (error) {
        issues.push({ code: 'custom', input: value, message: error instanceof Error ? error.message : String(error) });
        return z.NEVER;
      }
    }),
  );
}

const requestAttributes = z.object({
  revision: z.int(),
  status: z.literal(['waiting', 'running', 'copied', 'failed', 'skipped']),
  reason: z.string(),
  attempt,
  execution: z.exactOptional(text),
  requestedAt: time,
  waitingSince: time,
  changedAt: time,
  copyId: z.exactOptional(text),
  copyBegunAt: z.exactOptional(time),
  expiresAt: z.exactOptional(z.int()),
  request: decoded((json) => parseCopyRequest(JSON.parse(json))),
});

const place = decoded(readPlace);
const waitingAttributes = z.object({
  region: text,
  place,
  volumeId: z.string(),
  slots: z.int(),
  attempt,
  waitingSince: time,
});
const runningAttributes = z.object({
  region: text,
  place,
  volumeId: z.string(),
  attempt,
  execution: text,
  changedAt: time,
  copyId: z.exactOptional(text),
  copyBegunAt: z.exactOptional(time),
});

const requestAttempt = z.object({ region: text, destination: text, snapshotId: text, attempt });
const admissionState = z.object({
  starting: z.array(requestAttempt),
  count: z.exactOptional(
    z.object({
      at: time,
      others: z.int(),
      volumes: z.array(z.object({ volumeId: z.string(), destination: text, snapshotId: z.exactOptional(text) })),
    }),
  ),
  ended: z.array(requestAttempt),
  failed: z.exactOptional(z.array(requestAttempt)),
  refusal: z.exactOptional(z.object({ at: time, taken: z.int() })),
  heartbeat: z.exactOptional(z.object({ execution: text, until: time })),
});
const admissionAttributes = z.object({
  revision: z.int(),
  state: z.pipe(
    decoded((json): unknown => JSON.parse(json)),
    admissionState,
  ),
});

/** @throws UnreadableInputError if somebody edited the item and it makes no sense any more; the others likewise */
export function readRequest(item: Item): { readonly request: LedgerRequest; readonly revision: number } {
  const { revision, ...request } = parse(requestAttributes, item, REPAIR_REQUEST);
  return { revision, request };
}

/** Reads an item of the index `queue`. */
export function readWaiting(item: Item): WaitingRequest {
  const { place, ...rest } = parse(waitingAttributes, item, REPAIR_REQUEST);
  return { ...rest, ...place };
}

/** Reads an item of the index `queue`. */
export function readRunning(item: Item): RunningRequest {
  const { place, ...rest } = parse(runningAttributes, item, REPAIR_REQUEST);
  const { destination, snapshotId } = place;
  return { ...rest, destination, snapshotId };
}

export function readAdmission(item: Item): { readonly state: AdmissionState; readonly revision: number } {
  return parse(admissionAttributes, item, 'Delete the item: admission then begins anew, and what runs goes on.');
}

const REPAIR_REQUEST = 'Put it right, or delete the item and ask for the copy again.';

function parse<Shape extends z.core.$ZodShape>(shape: z.ZodMiniObject<Shape>, item: Item, whatToDo: string) {
  const parsed = shape.safeParse(plain(item));
  if (parsed.success) return parsed.data;
  const name = `${item['region']?.S} / ${item['item']?.S}`;
  throw new UnreadableInputError(
    `Cannot read the item ${name} of LedgerTable: it was edited, or written by another version.\n${z.prettifyError(parsed.error)}\n${whatToDo}`,
  );
}

function plain(item: Item): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(item).map(([name, { S, N }]) => [name, N === undefined ? S : Number(N)]));
}
