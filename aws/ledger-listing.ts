import { setTimeout } from 'node:timers/promises';
import {
  BatchGetItemCommand,
  DynamoDBClient,
  type KeysAndAttributes,
  paginateQuery,
  paginateScan,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod/mini';
import { ServiceTroubleError, UnreadableInputError } from '../core/errors.ts';
import {
  hasExpired,
  type LedgerRequest,
  type RequestKey,
  type RequestStatus,
  type RunningRequest,
  type WaitingRequest,
} from '../core/ledger-request.ts';
import { type DynamoDbCall, ledgerError } from './dynamodb-errors.ts';
import { type Item, keyOfAdmission, keyOfRequest, readRequest, readRunning, readWaiting } from './ledger-items.ts';
import { requestHandler } from './request-handler.ts';

/**
 * The ledger for people: it lists, and writes nothing. An item that somebody edited so that it makes no sense does not
 * stop a listing, but is named in it. A request whose time is over is left out, whether or not DynamoDB has deleted it
 * yet; so is what admission remembers.
 *
 * Every method throws ThrottledError, ServiceTroubleError or RequestRefusedError, and no other of core/errors.ts.
 */
export interface LedgerListing {
  /**
   * Every request of a destination Region, as it was a second or so ago.
   *
   * The whole partition is read, whatever is asked for: DynamoDB bills what a filter leaves out as well. 100,000 requests
   * are some 150 MB: about 150 calls one after the other, 19,000 read units (some cents at most), and 300 MB of memory
   * here if all of them are wanted. For what waits and runs `queue` is cheap, for known keys `find`.
   */
  requests(region: string, which?: WhichRequests): Promise<ListedRequests>;

  /**
   * What waits and what runs, oldest source snapshot first, of all Regions or of some. All Regions include those that no
   * rule has any more.
   *
   * Only the index `queue` is read, which holds nothing that has ended: 100,000 finished requests cost nothing here. What
   * waits is some 400 bytes each, so 1 MB (one call, 256 read units) holds about 2,500.
   */
  queue(regions?: readonly string[]): Promise<ListedQueue>;

  /** The requests with these keys, as far as there are any: 100 a call, and a read unit or so for each. */
  find(keys: readonly RequestKey[]): Promise<ListedRequests>;
}

interface WhichRequests {
  /** Default: all. */
  readonly statuses?: readonly RequestStatus[];
  /** Only those that changed then or later. */
  readonly changedSince?: Date;
}

interface ListedRequests {
  readonly requests: readonly LedgerRequest[];
  readonly unreadable: readonly UnreadableItem[];
}

interface ListedQueue {
  /** When that was so, by AWS's clock. */
  readonly at: Date;
  readonly waiting: readonly WaitingRequest[];
  readonly running: readonly RunningRequest[];
  readonly unreadable: readonly UnreadableItem[];
}

/** An item of the ledger that nobody can read any more. Its request is not served either until somebody mends it. */
export interface UnreadableItem {
  readonly region: string;
  /** The sort key. */
  readonly item: string;
  /** What is wrong, and what to do about it. */
  readonly problem: string;
}

const ALL_STATUSES: readonly RequestStatus[] = ['waiting', 'running', 'copied', 'failed', 'skipped'];
/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html */
const KEYS_AT_ONCE = 100;
/** How often keys are asked for that DynamoDB leaves unprocessed: it answers as many as it can each time. */
const ROUNDS = 10;
const LONGEST_PAUSE_MS = 2000;

interface ListingOptions {
  readonly now?: () => Date;
  /** Waits before the second round (1) and each later one for keys that DynamoDB left unprocessed. */
  readonly pause?: (round: number) => Promise<unknown>;
}

/** The ledger in LedgerTable of serverless.yml. */
export function ledgerListing(
  table: string,
  {
    now = () => new Date(),
    pause = (round) => setTimeout(Math.min(50 * 2 ** round, LONGEST_PAUSE_MS)),
  }: ListingOptions = {},
): LedgerListing {
  let made: DynamoDBClient | undefined;
  let answeredAt: Date | undefined;
  const client = () => {
    if (made !== undefined) return made;
    made = new DynamoDBClient({ requestHandler });
    made.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        answeredAt = dateOf(result.response) ?? answeredAt;
        return result;
      },
      { step: 'deserialize' },
    );
    return made;
  };

  async function collect(
    call: DynamoDbCall,
    what: string,
    pages: AsyncIterable<{ readonly Items?: Item[] | undefined }>,
  ): Promise<readonly Item[]> {
    try {
      const items: Item[] = [];
      for await (const { Items = [] } of pages) items.push(...Items);
      return items;
    } catch (error) {
      throw inWords(error, call, what);
    }
  }

  function inWords(error: unknown, call: DynamoDbCall, what: string): Error {
    return ledgerError(error, { call, table, what, who: 'whoever runs this command' });
  }

  async function getBatch(keys: readonly RequestKey[]): Promise<readonly Item[]> {
    const what = `${keys.length} requests`;
    const items: Item[] = [];
    let left: KeysAndAttributes | undefined = {
      ConsistentRead: true,
      Keys: keys.map(keyOfRequest).map(({ region, item }) => ({ region: { S: region }, item: { S: item } })),
    };
    for (let round = 1; left !== undefined; round++) {
      if (round > ROUNDS) {
        throw new ServiceTroubleError(
          `DynamoDB left requests of table ${table} unread ${ROUNDS} times in a row. Nothing to do unless it lasts.`,
        );
      }
      try {
        const { Responses, UnprocessedKeys }: Awaited<ReturnType<typeof batchGet>> = await batchGet(left);
        items.push(...(Responses?.[table] ?? []));
        left = UnprocessedKeys?.[table];
        if (left !== undefined) await pause(round);
      } catch (error) {
        throw inWords(error, 'BatchGetItem', what);
      }
    }
    return items;
  }

  const batchGet = (wanted: KeysAndAttributes) =>
    client().send(new BatchGetItemCommand({ RequestItems: { [table]: wanted } }));

  /** Those that can be read and whose time is not over. */
  function asRequests(items: readonly Item[]): ListedRequests {
    const { read, unreadable } = readEach(items, (item) => readRequest(item).request);
    return { requests: read.filter((request) => !hasExpired(request, now())), unreadable };
  }

  return {
    async requests(region, which = {}) {
      const pages = paginateQuery(
        { client: client() },
        {
          TableName: table,
          // The item of admission comes before all others.
          KeyConditionExpression: '#region = :region AND #item > :admission',
          ...filterFor(which, {
            names: { '#region': 'region', '#item': 'item' },
            values: { ':region': { S: region }, ':admission': { S: keyOfAdmission(region).item } },
          }),
        },
      );
      return asRequests(await collect('Query', `all requests of ${region}`, pages));
    },

    async queue(regions) {
      const base = { TableName: table, IndexName: 'queue', ConsistentRead: true };
      const ofRegion = (region: string) =>
        collect(
          'Query',
          `the queue of ${region}`,
          paginateQuery(
            { client: client() },
            {
              ...base,
              KeyConditionExpression: '#region = :region',
              ExpressionAttributeNames: { '#region': 'region' },
              ExpressionAttributeValues: { ':region': { S: region } },
            },
          ),
        );
      const items =
        regions === undefined
          ? await collect('Scan', 'the queue of all Regions', paginateScan({ client: client() }, base))
          : (await Promise.all([...new Set(regions)].map(ofRegion))).flat();
      const inOrder = items.toSorted((a, b) => compare(textOf(a, 'place'), textOf(b, 'place')));
      const isRunning = (item: Item) => textOf(item, 'place').startsWith('running#');
      const running = readEach(inOrder.filter(isRunning), readRunning);
      const waiting = readEach(
        inOrder.filter((item) => !isRunning(item)),
        readWaiting,
      );
      return {
        at: answeredAt ?? now(),
        waiting: waiting.read,
        running: running.read,
        unreadable: [...waiting.unreadable, ...running.unreadable],
      };
    },

    async find(keys) {
      const byItem = new Map(keys.map((key) => [JSON.stringify(keyOfRequest(key)), key]));
      const wanted = [...byItem.values()];
      const found: Item[] = [];
      for (let start = 0; start < wanted.length; start += KEYS_AT_ONCE) {
        found.push(...(await getBatch(wanted.slice(start, start + KEYS_AT_ONCE))));
      }
      return asRequests(found);
    },
  };
}

const answer = z.object({ headers: z.object({ date: z.string() }) });

/** Every answer of AWS has a date; that of this machine may be wrong. */
function dateOf(response: unknown): Date | undefined {
  const { data } = answer.safeParse(response);
  return data === undefined ? undefined : new Date(data.headers.date);
}

interface Expression {
  readonly names: Record<string, string>;
  readonly values: Item;
}

/** Leaves out what is known not to be wanted, so that what makes no sense comes too, and can be named. */
function filterFor({ statuses = ALL_STATUSES, changedSince }: WhichRequests, { names, values }: Expression) {
  const unwanted = ALL_STATUSES.filter((status) => !statuses.includes(status));
  const conditions = [
    ...(unwanted.length > 0 ? [`NOT (#status IN (${unwanted.map((status) => `:${status}`).join(', ')}))`] : []),
    ...(changedSince === undefined ? [] : ['NOT (changedAt < :since)']),
  ];
  return {
    ExpressionAttributeNames: { ...names, ...(unwanted.length > 0 && { '#status': 'status' }) },
    ExpressionAttributeValues: {
      ...values,
      ...Object.fromEntries(unwanted.map((status) => [`:${status}`, { S: status }])),
      ...(changedSince !== undefined && { ':since': { S: changedSince.toISOString() } }),
    },
    ...(conditions.length > 0 && { FilterExpression: conditions.join(' AND ') }),
  };
}

function readEach<Read>(
  items: readonly Item[],
  read: (item: Item) => Read,
): { readonly read: readonly Read[]; readonly unreadable: readonly UnreadableItem[] } {
  const good: Read[] = [];
  const unreadable: UnreadableItem[] = [];
  for (const item of items) {
    try {
      good.push(read(item));
    } catch (error) {
      if (!(error instanceof UnreadableInputError)) throw error;
      unreadable.push({ region: textOf(item, 'region'), item: textOf(item, 'item'), problem: error.message });
    }
  }
  return { read: good, unreadable };
}

function textOf(item: Item, name: string): string {
  return item[name]?.S ?? '';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
