import * as z from 'zod';
import type { Caller } from '../accounts.ts';
import { JsonApiError, readInput } from '../http/json-api.ts';
import { administrator, type Iam } from '../iam/iam.ts';
import { busArnOf, placeOf } from './bus-arn.ts';
import type { EventBus, NewEvent } from './event-bus.ts';

const entrySchema = z.strictObject({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().min(1).optional(),
  Resources: z.array(z.string()).optional(),
  /** Seconds since 1970. */
  Time: z.number().optional(),
  TraceHeader: z.string().optional(),
});
const inputSchema = z.strictObject({ Entries: z.array(entrySchema).min(1).max(10) });

type Entry = z.output<typeof entrySchema>;

const detailSchema = z.record(z.string(), z.unknown());

/** An entry cannot be taken; the others can. */
class EntryError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Puts events on buses, one by one: what is wrong with one is in the answer. Only who may not put any event on one of the
 * buses gets an error.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 * @throws JsonApiError
 */
export function putEvents(
  caller: Caller,
  input: unknown,
  { bus, iam }: { readonly bus: EventBus; readonly iam: Pick<Iam, 'authorize'> },
): Record<string, unknown> {
  const { Entries } = readInput(inputSchema, input, 'ValidationException');
  for (const entry of Entries) checkPermission(caller, entry, bus, iam);
  const results = Entries.map((entry) => {
    try {
      const event = bus.fill(eventOf(caller, entry));
      const arn = busArnOf(caller, entry.EventBusName);
      // An event for a bus that is not there is taken, and nobody hears it.
      bus.put(event, arn);
      return { EventId: event.id };
    } catch (error) {
      if (!(error instanceof EntryError)) throw error;
      return { ErrorCode: error.code, ErrorMessage: error.message };
    }
  });
  return { FailedEntryCount: results.filter((each) => 'ErrorCode' in each).length, Entries: results };
}

function checkPermission(caller: Caller, entry: Entry, bus: EventBus, iam: Pick<Iam, 'authorize'>): void {
  const principal = caller.principal ?? administrator(caller.account);
  const resource = busArnOf(caller, entry.EventBusName);
  const action = 'events:PutEvents';
  const context = {
    ...(entry.Source === undefined ? {} : { 'events:source': entry.Source }),
    ...(entry.DetailType === undefined ? {} : { 'events:detail-type': entry.DetailType }),
    'events:eventBusInvocation': 'false',
  };
  const { allowed, why } = iam.authorize(
    principal,
    { action, resource, context },
    { account: placeOf(resource).account, policy: bus.buses.find(resource)?.policy },
  );
  if (allowed) return;
  const message = `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
  throw new JsonApiError('AccessDeniedException', message);
}

/** Codes are those of https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html */
function eventOf({ account, region }: Caller, entry: Entry): NewEvent {
  const { Time } = entry;
  const source = required('Source', entry);
  if (source.startsWith('aws.'))
    throw new EntryError('NotAuthorizedForSourceException', 'Not authorized for the source.');
  return {
    account,
    region,
    source,
    'detail-type': required('DetailType', entry),
    detail: detailOf(required('Detail', entry)),
    resources: entry.Resources,
    time: Time === undefined ? undefined : `${new Date(Time * 1000).toISOString().slice(0, 19)}Z`,
  };
}

function required(name: 'Source' | 'DetailType' | 'Detail', entry: Entry): string {
  const value = entry[name] ?? '';
  if (value !== '') return value;
  const message = `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
  throw new EntryError('InvalidArgument', message);
}

function detailOf(text: string): Readonly<Record<string, unknown>> {
  const detail = detailSchema.safeParse(parseJson(text));
  if (!detail.success) throw new EntryError('MalformedDetail', 'Detail is malformed.');
  return detail.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
