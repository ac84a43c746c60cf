import { DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb';
import { type DynamoDbCall, ledgerError } from './dynamodb-errors.ts';
import { type Item, type ItemKey, keyOfPlace } from './ledger-items.ts';
import { requestHandler } from './request-handler.ts';

/**
 * What the ledger does with its table. Reads are consistent. `what` names what is read or written, for errors, which
 * are those of core/errors.ts only.
 */
export interface DynamoDbTable {
  get(key: ItemKey, what: string): Promise<Item | undefined>;

  /**
   * Writes the whole item, on condition that the one there has the revision `replaces`, or for 0, that there is none.
   * False if that is not so, and then nothing is written. After a lost answer the SDK asks again by itself, and may
   * find its own write: then this is false too, and the item there is the new one.
   */
  put(item: Item, replaces: number, what: string): Promise<boolean>;

  /** A page of the index `queue`: at most `limit` items, or 1 MB of them. */
  queue(range: QueueRange, what: string): Promise<{ readonly items: readonly Item[]; readonly next?: string }>;
}

interface QueueRange {
  readonly region: string;
  readonly status: 'waiting' | 'running';
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

export function dynamoDbTable(table: string): DynamoDbTable {
  const client = new DynamoDBClient({ requestHandler });

  return {
    async get({ region, item }, what) {
      const Key = { region: { S: region }, item: { S: item } };
      const { Item } = await called('GetItem', what, () =>
        client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true })),
      );
      return Item;
    },

    put(item, replaces, what) {
      return called('PutItem', what, async () => {
        try {
          await client.send(new PutItemCommand({ TableName: table, Item: item, ...unchangedSince(replaces) }));
          return true;
        } catch (error) {
          if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
          throw error;
        }
      });
    },

    async queue({ region, status, limit, after }, what) {
      const { Items, LastEvaluatedKey } = await called('Query', what, () =>
        client.send(
          new QueryCommand({
            TableName: table,
            IndexName: 'queue',
            ConsistentRead: true,
            // "region" is a reserved word.
            KeyConditionExpression: '#region = :region AND begins_with(place, :status)',
            ExpressionAttributeNames: { '#region': 'region' },
            ExpressionAttributeValues: { ':region': { S: region }, ':status': { S: `${status}#` } },
            Limit: limit,
            ...(after !== undefined && { ExclusiveStartKey: keyOfPlace(region, after) }),
          }),
        ),
      );
      const next = LastEvaluatedKey?.['place']?.S;
      return { items: Items ?? [], ...(next !== undefined && { next }) };
    },
  };

  async function called<Answer>(call: DynamoDbCall, what: string, work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work();
    } catch (error) {
      throw ledgerError(error, { call, table, what });
    }
  }
}

function unchangedSince(revision: number) {
  if (revision === 0) return { ConditionExpression: 'attribute_not_exists(revision)' };
  return {
    ConditionExpression: 'revision = :revision',
    ExpressionAttributeValues: { ':revision': { N: String(revision) } },
  };
}
