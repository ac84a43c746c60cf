import * as z from 'zod';
import { ignore } from './dynamodb-error.ts';

const item = z.record(z.string(), z.unknown());
const page = z.object({ Items: z.array(item), LastEvaluatedKey: item.optional() });
const described = z.object({ Table: z.object({ KeySchema: z.array(z.object({ AttributeName: z.string() })) }) });

/**
 * Deletes the items of a table whose time has passed.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
 * @param options.attribute holds the second since 1970 at which an item expires; items without a number there stay
 * @param options.now milliseconds since 1970
 */
export async function deleteExpired(options: {
  readonly call: (action: string, input: Record<string, unknown>) => Promise<unknown>;
  readonly table: string;
  readonly attribute: string;
  readonly now: number;
}): Promise<void> {
  const { call, table, attribute, now } = options;
  const hasExpired = {
    TableName: table,
    ExpressionAttributeNames: { '#at': attribute },
    ExpressionAttributeValues: { ':now': { N: String(Math.floor(now / 1000)) } },
  };
  const { Table } = described.parse(await call('DescribeTable', { TableName: table }));
  const keyNames = Table.KeySchema.map(({ AttributeName }) => AttributeName);
  for (let start: z.output<typeof item> | undefined; ; ) {
    const { Items, LastEvaluatedKey } = page.parse(
      await call('Scan', {
        ...hasExpired,
        FilterExpression: '#at < :now',
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    for (const expired of Items) {
      const Key = Object.fromEntries(keyNames.map((name) => [name, expired[name]]));
      // A condition, for it may have been given more time since.
      const deleted = call('DeleteItem', { ...hasExpired, Key, ConditionExpression: '#at < :now' });
      await deleted.catch(ignore('ConditionalCheckFailedException'));
    }
    if (LastEvaluatedKey === undefined) return;
    start = LastEvaluatedKey;
  }
}
