import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dynamoDbLedger } from '../../aws/dynamodb-ledger.ts';
import type { Ledger } from '../../aws/ledger.ts';
import { type LedgerListing, ledgerListing } from '../../aws/ledger-listing.ts';
import { RequestRefusedError, ServiceTroubleError } from '../../core/errors.ts';
import { type LedgerRequest, type RequestStatus, requestKey } from '../../core/ledger-request.ts';
import { request } from '../support/examples.ts';
import { type Interceptor, LocalDynamoDb } from '../support/local-dynamodb.ts';

const NOON = new Date('2026-03-02T12:00:00.000Z');
const EUROPE = 'eu-central-1';
const AMERICA = 'us-east-1';

const local = new LocalDynamoDb();

beforeAll(async () => {
  await local.start();
  vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', local.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await local.stop();
});

let table = '';
let ledger: Ledger;
let listing: LedgerListing;
let pauses: number[] = [];

beforeEach(async () => {
  table = await local.createTable();
  ledger = dynamoDbLedger(table, { now: () => NOON });
  pauses = [];
  listing = ledgerListing(table, {
    now: () => NOON,
    pause: async (round) => {
      pauses.push(round);
    },
  });
});

afterEach(() => {
  expect(local.takeUnused(), 'each interceptor was of use').toEqual([]);
});

/** A request as the ledger keeps it; the number makes its id and, in minutes after four, its source's start. */
function known(number: number, status: RequestStatus, over: Partial<LedgerRequest> & { region?: string } = {}) {
  const { region = EUROPE, ...rest } = over;
  const snapshotId = idOf(number);
  return {
    request: request({
      source: { snapshotId, startTime: `2026-03-02T04:${String(number).padStart(2, '0')}:00.000Z` },
      destination: { region },
    }),
    status,
    reason: 'for the test',
    attempt: 1,
    requestedAt: '2026-03-02T05:00:00.000Z',
    waitingSince: '2026-03-02T05:00:00.000Z',
    changedAt: '2026-03-02T06:00:00.000Z',
    ...(status !== 'waiting' && { execution: `${snapshotId}-${region}-1` }),
    ...rest,
  } satisfies LedgerRequest;
}

const idOf = (number: number) => `snap-${String(number).padStart(17, '0')}`;

async function put(...requests: readonly LedgerRequest[]): Promise<void> {
  for (const each of requests) {
    await ledger.change(requestKey(each.request.source, each.request.destination), () => each);
  }
}

/** As somebody may leave an item behind who edits it in the console. */
async function spoil(number: number, place?: string, region = EUROPE): Promise<void> {
  await local.client.send(
    new PutItemCommand({
      TableName: table,
      Item: {
        region: { S: region },
        item: { S: `${region}#${idOf(number)}` },
        revision: { N: '1' },
        ...(place !== undefined && { place: { S: place } }),
      },
    }),
  );
}

const ids = (requests: readonly LedgerRequest[]) => requests.map(({ request: { source } }) => source.snapshotId);

describe('all requests of a Region', () => {
  it('are listed as they were written, without what admission remembers and what other Regions have', async () => {
    const [waiting, failed, copied] = [
      known(1, 'waiting'),
      known(2, 'failed', { reason: 'no key', expiresAt: 1_900_000_000 }),
      known(3, 'copied', { copyId: 'snap-0c0c', copyBegunAt: '2026-03-02T05:30:00.000Z', expiresAt: 1_900_000_000 }),
    ];
    await put(waiting, failed, copied, known(4, 'waiting', { region: AMERICA }));
    await ledger.changeAdmission(EUROPE, 0, { starting: [], ended: [] });
    expect(await listing.requests(EUROPE)).toEqual({ requests: [waiting, failed, copied], unreadable: [] });
  });

  it('can be narrowed to some statuses, and to what changed since a moment, that moment included', async () => {
    await put(
      known(1, 'failed', { changedAt: '2026-03-01T12:00:00.000Z' }),
      known(2, 'failed', { changedAt: '2026-03-01T11:59:59.999Z' }),
      known(3, 'skipped'),
      known(4, 'copied'),
      known(5, 'running'),
    );
    const changedSince = new Date('2026-03-01T12:00:00.000Z');
    expect(ids((await listing.requests(EUROPE, { statuses: ['failed', 'skipped'] })).requests)).toEqual(
      [1, 2, 3].map(idOf),
    );
    expect(ids((await listing.requests(EUROPE, { changedSince })).requests)).toEqual([1, 3, 4, 5].map(idOf));
    expect(ids((await listing.requests(EUROPE, { statuses: ['failed'], changedSince })).requests)).toEqual([idOf(1)]);
  });

  it('are without those whose time is over, which DynamoDB has not deleted yet', async () => {
    const noon = NOON.getTime() / 1000;
    await put(known(1, 'copied', { expiresAt: noon }), known(2, 'copied', { expiresAt: noon + 1 }));
    expect(ids((await listing.requests(EUROPE)).requests)).toEqual([idOf(2)]);
  });

  it('come over several pages, all of them', async () => {
    // 30 times 50 kB: DynamoDB answers 1 MB at a time.
    const requests = Array.from({ length: 30 }, (_, index) =>
      known(index, 'copied', { reason: `${index} `.padEnd(50_000, 'x') }),
    );
    await put(...requests);
    local.calls.length = 0;
    const listed = await listing.requests(EUROPE);
    expect(listed.requests).toEqual(requests);
    expect(local.calls).toEqual(['Query', 'Query']);
  });

  it('name an item that makes no sense any more, and go on, whatever they are narrowed to', async () => {
    await put(known(1, 'failed'), known(3, 'failed'));
    await spoil(2);
    const listed = await listing.requests(EUROPE, { statuses: ['failed'], changedSince: new Date(0) });
    expect(ids(listed.requests)).toEqual([idOf(1), idOf(3)]);
    expect(listed.unreadable).toEqual([
      { region: EUROPE, item: `${EUROPE}#${idOf(2)}`, problem: expect.stringContaining('or delete the item') },
    ]);
  });
});

describe('what waits and runs', () => {
  beforeEach(() =>
    put(
      known(5, 'waiting'),
      known(1, 'waiting', { region: AMERICA }),
      known(3, 'waiting'),
      known(4, 'running', { copyId: 'snap-0c04', copyBegunAt: '2026-03-02T05:30:00.000Z' }),
      known(2, 'running', { region: AMERICA }),
      known(6, 'copied'),
      known(7, 'failed'),
    ),
  );

  it('is listed for all Regions, those without a rule too, oldest source first and without what has ended', async () => {
    await ledger.changeAdmission(EUROPE, 0, { starting: [], ended: [] });
    local.calls.length = 0;
    const { at, waiting, running, unreadable } = await listing.queue();
    // The date of the answer, and not that of the listing's own clock.
    expect(Math.abs(at.getTime() - Date.now())).toBeLessThan(60_000);
    expect(waiting.map(({ region, snapshotId }) => [region, snapshotId])).toEqual([
      [AMERICA, idOf(1)],
      [EUROPE, idOf(3)],
      [EUROPE, idOf(5)],
    ]);
    expect(waiting[0]).toEqual({
      region: AMERICA,
      destination: AMERICA,
      snapshotId: idOf(1),
      volumeId: 'vol-0123456789abcdef0',
      sourceStartTime: '2026-03-02T04:01:00.000Z',
      slots: 20,
      attempt: 1,
      waitingSince: '2026-03-02T05:00:00.000Z',
    });
    expect(running).toMatchObject([
      { region: AMERICA, snapshotId: idOf(2), execution: `${idOf(2)}-us-east-1-1` },
      { region: EUROPE, snapshotId: idOf(4), copyId: 'snap-0c04', copyBegunAt: '2026-03-02T05:30:00.000Z' },
    ]);
    expect(unreadable).toEqual([]);
    expect(local.calls).toEqual(['Scan']);
  });

  it('is listed for some Regions with one call each', async () => {
    local.calls.length = 0;
    const { waiting, running } = await listing.queue([EUROPE, EUROPE]);
    expect(waiting.map(({ snapshotId }) => snapshotId)).toEqual([idOf(3), idOf(5)]);
    expect(running.map(({ snapshotId }) => snapshotId)).toEqual([idOf(4)]);
    expect(local.calls).toEqual(['Query']);
  });

  it('names an item that makes no sense, and goes on', async () => {
    await spoil(8, 'waiting#what');
    await spoil(9, 'running#2026-03-02T04:09:00.000Z#eu-central-1#snap-9');
    const { waiting, running, unreadable } = await listing.queue();
    expect([waiting.length, running.length]).toEqual([3, 2]);
    expect(unreadable.map(({ item }) => item)).toEqual([`${EUROPE}#${idOf(8)}`, `${EUROPE}#${idOf(9)}`]);
  });
});

describe('requests whose keys are known', () => {
  const keyOf = (number: number) => ({ region: EUROPE, destination: EUROPE, snapshotId: idOf(number) });

  it('are found a hundred at a time, each once, without those that there are not and those whose time is over', async () => {
    await put(known(1, 'copied'), known(2, 'failed'), known(3, 'copied', { expiresAt: 1 }));
    await spoil(4);
    const keys = Array.from({ length: 101 }, (_, index) => keyOf(index));
    local.calls.length = 0;
    const found = await listing.find([...keys, keyOf(1)]);
    expect(ids(found.requests).toSorted()).toEqual([idOf(1), idOf(2)]);
    expect(found.unreadable.map(({ item }) => item)).toEqual([`${EUROPE}#${idOf(4)}`]);
    expect(local.calls).toEqual(['BatchGetItem', 'BatchGetItem']);
    expect(await listing.find([])).toEqual({ requests: [], unreadable: [] });
  });

  /** DynamoDB answers nothing and leaves all keys for later. */
  const leaveAll: Interceptor = async (_, body) => ({
    status: 200,
    body: JSON.stringify({ Responses: {}, UnprocessedKeys: body['RequestItems'] }),
  });

  it('are asked for again, after a pause, if DynamoDB leaves some for later', async () => {
    await put(known(1, 'copied'));
    local.intercept('BatchGetItem', leaveAll);
    local.intercept('BatchGetItem', leaveAll);
    expect(ids((await listing.find([keyOf(1)])).requests)).toEqual([idOf(1)]);
    expect(pauses).toEqual([1, 2]);
  });

  it('are given up if DynamoDB leaves them ten times in a row', async () => {
    for (let round = 0; round < 10; round++) local.intercept('BatchGetItem', leaveAll);
    await expect(listing.find([keyOf(1)])).rejects.toThrow(ServiceTroubleError);
  });
});

it('says what whoever runs the command has to be allowed', async () => {
  const denied: Interceptor = async () => ({
    status: 400,
    body: JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', message: 'not authorized' }),
  });
  local.intercept('Scan', denied);
  const failing = listing.queue();
  await expect(failing).rejects.toThrow(RequestRefusedError);
  await expect(failing).rejects.toThrow(
    'Allow dynamodb:Scan on the table and its indexes to whoever runs this command',
  );
});
