import { DeleteItemCommand, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { dynamoDbLedger } from '../../aws/dynamodb-ledger.ts';
import type { Ledger } from '../../aws/ledger.ts';
import type { Item } from '../../aws/ledger-items.ts';
import { ServiceTroubleError, UnreadableInputError } from '../../core/errors.ts';
import type { LedgerRequest } from '../../core/ledger-request.ts';
import { requested, settled, started } from '../../core/request-transitions.ts';
import { request } from '../support/examples.ts';
import { ledgerTable } from '../support/ledger-table.ts';
import { type Interceptor, LocalDynamoDb } from '../support/local-dynamodb.ts';
import { ledgerContract } from './ledger-contract.ts';

const NOON = new Date('2026-03-02T12:00:00.000Z');
const KEY = { region: 'eu-central-1', destination: 'eu-central-1', snapshotId: 'snap-0a1b2c3d4e5f60718' };
const ITEM_KEY = { region: { S: 'eu-central-1' }, item: { S: 'eu-central-1#snap-0a1b2c3d4e5f60718' } };
const EXECUTION = 'snap-0a1b2c3d4e5f60718-eu-central-1-1';

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

const withoutPauses = { pause: async () => {} };

describe('the ledger in DynamoDB', () => {
  ledgerContract(async (now) => dynamoDbLedger(await local.createTable(), { now, ...withoutPauses }));
});

describe('in its table', () => {
  const client = () => local.client;
  let table = '';
  let ledger: Ledger;
  let pauses: number[] = [];

  beforeEach(async () => {
    table = await local.createTable();
    pauses = [];
    ledger = dynamoDbLedger(table, {
      now: () => NOON,
      pause: async (attempt) => {
        pauses.push(attempt);
      },
    });
    local.calls.length = 0;
  });

  afterEach(() => {
    expect(local.takeUnused(), 'each interceptor was of use').toEqual([]);
  });

  const wait = () => ledger.change(KEY, requested(request(), 'selected', NOON));
  /** A change that shows how often it was made. */
  const append = (current: LedgerRequest | undefined) => current && { ...current, reason: `${current.reason}!` };
  const stored = async () =>
    (await client().send(new GetItemCommand({ TableName: table, Key: ITEM_KEY, ConsistentRead: true }))).Item;
  /** Edits the request's item as somebody in the console might. */
  const edit = async (change: Item) =>
    client().send(new PutItemCommand({ TableName: table, Item: { ...(await stored()), ...change } }));

  const loseAnswer: Interceptor = async (forward) => {
    await forward();
    return undefined;
  };
  /** Somebody else changes the request just before our write. */
  const others =
    (work: () => Promise<unknown>): Interceptor =>
    async (forward) => {
      await work();
      return forward();
    };

  describe('a request', () => {
    it('is an item that a person can read, with the input of its execution to the letter', async () => {
      await wait();
      const { revision, request: input, ...rest } = (await stored()) ?? {};
      expect(rest).toEqual({
        ...ITEM_KEY,
        place: { S: 'waiting#2026-03-02T04:09:51.204Z#eu-central-1#snap-0a1b2c3d4e5f60718' },
        status: { S: 'waiting' },
        reason: { S: 'selected' },
        attempt: { N: '0' },
        requestedAt: { S: '2026-03-02T12:00:00.000Z' },
        waitingSince: { S: '2026-03-02T12:00:00.000Z' },
        changedAt: { S: '2026-03-02T12:00:00.000Z' },
        volumeId: { S: 'vol-0123456789abcdef0' },
        slots: { N: '20' },
      });
      expect(input).toEqual({ S: JSON.stringify(request()) });
      expect(revision?.N).toMatch(/^[1-9]\d*$/);
    });

    it('has at its end no place in the index, and the second at which DynamoDB may delete it', async () => {
      await wait();
      await ledger.change(KEY, started(1, EXECUTION, 'a slot is free', NOON));
      const all = { TableName: table, IndexName: 'queue', ConsistentRead: true };
      const inEuCentral = {
        KeyConditionExpression: '#region = :region',
        ExpressionAttributeNames: { '#region': 'region' },
        ExpressionAttributeValues: { ':region': { S: 'eu-central-1' } },
      };
      expect((await client().send(new QueryCommand({ ...all, ...inEuCentral }))).Items).toHaveLength(1);
      await ledger.change(KEY, settled(EXECUTION, { kind: 'failed', reason: 'no key' }, NOON, 90));
      expect((await client().send(new QueryCommand({ ...all, ...inEuCentral }))).Items).toEqual([]);
      // 2026-05-31T12:00:00Z
      expect((await stored())?.['expiresAt']).toEqual({ N: '1780228800' });
      expect((await ledgerTable()).TimeToLiveSpecification).toEqual({ AttributeName: 'expiresAt', Enabled: true });
    });

    it('is read once and written once for a change', async () => {
      await wait();
      expect(local.calls).toEqual(['GetItem', 'PutItem']);
      await wait();
      expect(local.calls).toEqual(['GetItem', 'PutItem', 'GetItem']);
    });
  });

  describe('of two who change a request at the same time', () => {
    it('the second one sees what the first one wrote', async () => {
      await wait();
      local.intercept(
        'PutItem',
        others(() => ledger.change(KEY, started(1, EXECUTION, 'a slot is free', NOON))),
      );
      const late = await ledger.change(KEY, append);
      expect(late.request).toMatchObject({ status: 'running', reason: 'a slot is free!' });
      expect(pauses).toEqual([1]);
    });

    it('the second one writes nothing that the first one made needless', async () => {
      await wait();
      const start = () => ledger.change(KEY, started(1, EXECUTION, 'a slot is free', NOON));
      local.intercept('PutItem', others(start));
      expect(await start()).toMatchObject({ changed: false, request: { status: 'running' } });
    });

    it('a request that DynamoDB deletes meanwhile is not brought back', async () => {
      await wait();
      const remove = () => client().send(new DeleteItemCommand({ TableName: table, Key: ITEM_KEY }));
      local.intercept('PutItem', others(remove));
      expect(await ledger.change(KEY, append)).toEqual({ changed: false });
      expect(await stored()).toBeUndefined();
    });

    it('a request that was deleted and written anew is not taken for the one before', async () => {
      await wait();
      const anew = async () => {
        await client().send(new DeleteItemCommand({ TableName: table, Key: ITEM_KEY }));
        await ledger.change(KEY, requested(request(), 'selected anew', NOON));
      };
      local.intercept('PutItem', others(anew));
      expect((await ledger.change(KEY, append)).request?.reason).toBe('selected anew!');
    });

    it('of two that bring back one whose time is over, one does', async () => {
      await wait();
      await ledger.change(KEY, started(1, EXECUTION, 'a slot is free', NOON));
      await ledger.change(KEY, settled(EXECUTION, { kind: 'failed', reason: 'no key' }, new Date(0), 90));
      const again = (reason: string) => ledger.change(KEY, requested(request(), reason, NOON));
      local.intercept(
        'PutItem',
        others(() => again('first')),
      );
      expect(await again('second')).toMatchObject({ changed: false, request: { reason: 'first' } });
    });

    it('one that is always too late gives up after eight attempts, and says for which request', async () => {
      await wait();
      for (let index = 0; index < 8; index++) {
        local.intercept(
          'PutItem',
          others(() => edit({ revision: { N: String(index + 1) } })),
        );
      }
      const failing = ledger.change(KEY, append);
      await expect(failing).rejects.toThrow(ServiceTroubleError);
      await expect(failing).rejects.toThrow('snap-0a1b2c3d4e5f60718 to eu-central-1');
      expect(pauses).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    });
  });

  describe('a write whose answer was lost', () => {
    it('is found by the second try of the SDK, and counts as done, once', async () => {
      await wait();
      local.intercept('PutItem', loseAnswer);
      expect(await ledger.change(KEY, append)).toMatchObject({ changed: true, request: { reason: 'selected!' } });
      expect(await ledger.request(KEY)).toMatchObject({ reason: 'selected!' });
      expect(local.calls.filter((call) => call === 'PutItem')).toHaveLength(3);
    });

    it('of a new request counts as done, too', async () => {
      local.intercept('PutItem', loseAnswer);
      expect(await wait()).toMatchObject({ changed: true, request: { status: 'waiting' } });
    });

    it('of an admission state counts as done, too', async () => {
      local.intercept('PutItem', loseAnswer);
      expect(await ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [] })).toBe(true);
    });

    it('is judged by what became of it, if others changed it before the second try', async () => {
      await wait();
      local.intercept('PutItem', loseAnswer);
      local.intercept(
        'PutItem',
        others(() => ledger.change(KEY, (now) => now && { ...now, reason: 'somebody else' })),
      );
      const start = await ledger.change(KEY, started(1, EXECUTION, 'a slot is free', NOON));
      expect(start).toMatchObject({ changed: false, request: { status: 'running', reason: 'somebody else' } });
    });

    it('did not happen if nothing of it is there', async () => {
      await wait();
      local.intercept('PutItem', async () => undefined);
      expect(await ledger.change(KEY, append)).toMatchObject({ changed: true });
      expect(await ledger.request(KEY)).toMatchObject({ reason: 'selected!' });
    });
  });

  describe('an item that somebody edited', () => {
    it.each<[string, Item, string[]]>([
      ['a status that does not exist', { status: { S: 'paused' } }, ['status']],
      ['two at once', { attempt: { S: '1' }, changedAt: { S: 'yesterday' } }, ['attempt', 'changedAt']],
      ['no JSON', { request: { S: '{"rule":' } }, ['request', 'JSON']],
      ['no copy request', { request: { S: '{"rule":"nightly"}' } }, ['request', 'source', 'destination']],
    ])('%s: says which item, what is wrong and what to do', async (_, change, problems) => {
      await wait();
      await edit(change);
      for (const failing of [ledger.request(KEY), ledger.change(KEY, append)]) {
        await expect(failing).rejects.toThrow(UnreadableInputError);
        await expect(failing).rejects.toThrow('eu-central-1 / eu-central-1#snap-0a1b2c3d4e5f60718');
        await expect(failing).rejects.toThrow('ask for the copy again');
        for (const problem of problems) await expect(failing).rejects.toThrow(problem);
      }
    });

    it.each<[string, Item, string]>([
      ['no number of slots', { slots: { S: 'all' } }, 'slots'],
      ['a place that is none', { place: { S: 'waiting#first' } }, 'place'],
    ])('in the queue, %s: likewise', async (_, change, problem) => {
      await wait();
      await edit(change);
      const failing = ledger.waiting('eu-central-1', { limit: 10 });
      await expect(failing).rejects.toThrow(UnreadableInputError);
      await expect(failing).rejects.toThrow('eu-central-1 / eu-central-1#snap-0a1b2c3d4e5f60718');
      await expect(failing).rejects.toThrow(problem);
    });

    it('among the running, without its execution: likewise', async () => {
      await wait();
      await edit({ place: { S: 'running#2026-03-02T04:09:51.204Z#eu-central-1#snap-0a1b2c3d4e5f60718' } });
      await expect(ledger.running('eu-central-1')).rejects.toThrow(
        /eu-central-1#snap-0a1b2c3d4e5f60718[\s\S]*execution/,
      );
    });

    it('of admission, says that it can be deleted', async () => {
      const item = { region: { S: 'eu-central-1' }, item: { S: '#admission' }, revision: { N: '1' } };
      for (const state of ['{', '{"starting":[]}']) {
        await client().send(new PutItemCommand({ TableName: table, Item: { ...item, state: { S: state } } }));
        const failing = ledger.admission('eu-central-1');
        await expect(failing).rejects.toThrow(UnreadableInputError);
        await expect(failing).rejects.toThrow(/eu-central-1 \/ #admission[\s\S]*state[\s\S]*Delete the item/);
      }
    });
  });

  it('reads what was written before: consistently', async () => {
    const bodies: unknown[] = [];
    const look: Interceptor = (forward, body) => {
      bodies.push(body);
      return forward();
    };
    for (const action of ['GetItem', 'GetItem', 'Query', 'Query']) local.intercept(action, look);
    await ledger.request(KEY);
    await ledger.admission('eu-central-1');
    await ledger.waiting('eu-central-1', { limit: 1 });
    await ledger.running('eu-central-1');
    const consistent = { ConsistentRead: true };
    expect(bodies).toMatchObject([consistent, consistent, consistent, consistent]);
  });

  it('reads all pages of what runs', async () => {
    for (const digit of [1, 2, 3]) {
      const key = { ...KEY, snapshotId: `snap-0000000000000000${digit}` };
      await ledger.change(key, requested(request({ source: { snapshotId: key.snapshotId } }), 'selected', NOON));
      await ledger.change(key, started(1, `e${digit}`, 'a slot is free', NOON));
    }
    // DynamoDB ends a page after 1 MB.
    for (let pages = 0; pages < 3; pages++) local.intercept('Query', (forward, body) => forward({ ...body, Limit: 1 }));
    expect((await ledger.running('eu-central-1')).map(({ execution }) => execution)).toEqual(['e1', 'e2', 'e3']);
  });

  describe('trouble with DynamoDB', () => {
    beforeEach(() => {
      vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
      ledger = dynamoDbLedger(table, withoutPauses);
    });
    afterEach(() => {
      vi.stubEnv('AWS_MAX_ATTEMPTS', undefined);
    });

    const answer =
      (status: number, code: string, message = 'in its own words'): Interceptor =>
      async () => ({ status, body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${code}`, message }) });

    it.each<[string, string, Interceptor, string]>([
      [
        'throttling of the table',
        'ThrottledError',
        answer(400, 'ProvisionedThroughputExceededException'),
        'find out what else uses its table so often',
      ],
      ['throttling of the account', 'ThrottledError', answer(400, 'RequestLimitExceeded'), 'throttles the ledger'],
      ['throttling', 'ThrottledError', answer(400, 'ThrottlingException'), 'throttles the ledger'],
      [
        'a fault of DynamoDB',
        'ServiceTroubleError',
        answer(500, 'InternalServerError'),
        'Nothing to do unless it lasts',
      ],
      ['one that is not there', 'ServiceTroubleError', answer(503, 'ServiceUnavailable'), 'ServiceUnavailable'],
      ['an old signature', 'ServiceTroubleError', answer(400, 'InvalidSignatureException'), 'Nothing to do'],
      ['a connection that breaks', 'ServiceTroubleError', async () => undefined, 'no answer from DynamoDB but '],
      ['an answer that nobody can read', 'ServiceTroubleError', async () => ({ status: 200, body: '<' }), 'in trouble'],
      [
        'a permission that is missing',
        'RequestRefusedError',
        answer(400, 'AccessDeniedException'),
        'Allow dynamodb:PutItem on the table',
      ],
      [
        'too many requests of a Region',
        'RequestRefusedError',
        answer(400, 'ItemCollectionSizeLimitExceededException'),
        'keep them for fewer days',
      ],
      [
        'a table that is laid out differently',
        'RequestRefusedError',
        answer(400, 'ValidationException'),
        'Compare the keys and the index',
      ],
      ['something new', 'RequestRefusedError', answer(400, 'BrandNewException'), 'What the code means: https://'],
    ])('%s is a %s', async (_, name, interceptor, says) => {
      local.intercept('PutItem', interceptor);
      const failing = wait();
      await expect(failing).rejects.toMatchObject({ name });
      await expect(failing).rejects.toThrow(says);
      await expect(failing).rejects.toThrow(`PutItem of snap-0a1b2c3d4e5f60718 to eu-central-1 in table ${table}: `);
    });

    it('says for every call what it was about', async () => {
      const denied = answer(400, 'AccessDeniedException', 'You are not authorized');
      for (const action of ['GetItem', 'Query', 'Query', 'GetItem', 'PutItem']) local.intercept(action, denied);
      const said = `in table ${table}: DynamoDB says AccessDeniedException: You are not authorized`;
      await expect(ledger.request(KEY)).rejects.toThrow(`GetItem of snap-0a1b2c3d4e5f60718 to eu-central-1 ${said}`);
      await expect(ledger.waiting('eu-central-1', { limit: 1 })).rejects.toThrow(
        `Query of the queue of eu-central-1 ${said}`,
      );
      await expect(ledger.running('eu-central-1')).rejects.toThrow(`Query of what runs in eu-central-1 ${said}`);
      await expect(ledger.admission('eu-central-1')).rejects.toThrow(
        `GetItem of the admission for eu-central-1 ${said}`,
      );
      await expect(ledger.changeAdmission('eu-central-1', 0, { starting: [], ended: [] })).rejects.toThrow(
        `PutItem of the admission for eu-central-1 ${said}`,
      );
    });

    it('a table that is gone is a refusal that says how to get it back', async () => {
      const failing = dynamoDbLedger('no-such-table').request(KEY);
      await expect(failing).rejects.toMatchObject({ name: 'RequestRefusedError' });
      await expect(failing).rejects.toThrow(
        /restore it.*GetItem of .* in table no-such-table: DynamoDB says ResourceNot/,
      );
    });

    it('a page that does not exist is a mistake of the caller, not an error of DynamoDB', async () => {
      await expect(ledger.waiting('eu-central-1', { limit: 1, after: 'x' })).rejects.toThrow('place in the queue');
      expect(local.calls).toEqual([]);
    });
  });
});
