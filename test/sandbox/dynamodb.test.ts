import {
  BatchGetItemCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { TimeMode } from '../../sandbox/virtual-clock.ts';
import { awsCli, awsCliInstalled } from '../support/aws-cli.ts';
import { fixtureSandbox, variable } from './fixture-package.ts';

const DAY = 86_400_000;

const tasks = {
  Type: 'AWS::DynamoDB::Table',
  DeletionPolicy: 'Retain',
  Properties: {
    BillingMode: 'PAY_PER_REQUEST',
    DeletionProtectionEnabled: true,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    SSESpecification: { SSEEnabled: true },
    AttributeDefinitions: ['team', 'id', 'place'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [
      { AttributeName: 'team', KeyType: 'HASH' },
      { AttributeName: 'id', KeyType: 'RANGE' },
    ],
    LocalSecondaryIndexes: [
      {
        IndexName: 'queue',
        KeySchema: [
          { AttributeName: 'team', KeyType: 'HASH' },
          { AttributeName: 'place', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['worker'] },
      },
    ],
    TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    Tags: [{ Key: 'a', Value: 'b' }],
  },
};
const service = {
  resources: {
    Tasks: tasks,
    Named: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: 'by-number',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'number', AttributeType: 'N' }],
        KeySchema: [{ AttributeName: 'number', KeyType: 'HASH' }],
      },
    },
  },
  template: {
    Outputs: {
      Name: { Value: { Ref: 'Tasks' } },
      Indexes: { Value: { 'Fn::Sub': `${variable('Tasks.Arn')}/index/*` } },
    },
  },
};

function clientOf({ endpoint }: Sandbox, { account = '000000000000', region = 'eu-west-1' } = {}): DynamoDBClient {
  const credentials = { accessKeyId: account, secretAccessKey: 'none' };
  return new DynamoDBClient({ endpoint, region, maxAttempts: 1, credentials });
}

type Fields = Readonly<Record<string, string | number>>;

function attributes(fields: Fields) {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'number' ? { N: String(value) } : { S: value },
    ]),
  );
}

async function withTable(options: { readonly time?: TimeMode } = {}) {
  const sandbox = await fixtureSandbox(service, options);
  const client = clientOf(sandbox);
  const TableName = sandbox.outputs['Name'] ?? '';
  const put = (fields: Fields, condition: Partial<PutItemCommand['input']> = {}) =>
    client.send(new PutItemCommand({ TableName, Item: attributes(fields), ...condition }));
  const query = (input: Partial<QueryCommand['input']>, team = 'a') =>
    client.send(
      new QueryCommand({
        TableName,
        IndexName: 'queue',
        ConsistentRead: true,
        KeyConditionExpression: 'team = :team AND begins_with(place, :place)',
        ExpressionAttributeValues: { ':team': { S: team }, ':place': { S: 'waiting#' } },
        ...input,
      }),
    );
  return { sandbox, client, TableName, put, query };
}

const places = (found: { readonly Items?: Record<string, { S?: string }>[] | undefined }) =>
  found.Items?.map(({ place }) => place?.S);

describe('a table of the stack', () => {
  it.each([
    ['while time stands still', { mode: 'jumping' }],
    ['while time runs fast', { mode: 'paced', speed: 1000 }],
  ] as const)('can be used as soon as it is deployed, %s', async (_, time) => {
    const { client, sandbox, TableName } = await withTable({ time });
    expect(TableName).toMatch(/^fixture-dev-Tasks-[0-9A-F]{12}$/);
    const { Table } = await client.send(new DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      TableArn: `arn:aws:dynamodb:eu-west-1:000000000000:table/${TableName}`,
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
    });
    expect(sandbox.outputs['Indexes']).toBe(`${Table?.TableArn}/index/*`);
    await client.send(new PutItemCommand({ TableName: 'by-number', Item: attributes({ number: 7 }) }));
  });

  it('writes only if the condition holds', async () => {
    const { client, put, TableName } = await withTable();
    const isNew = { ConditionExpression: 'attribute_not_exists(team)' };
    await put({ team: 'a', id: '1', revision: 1 }, isNew);
    await expect(put({ team: 'a', id: '1', revision: 5 }, isNew)).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
      $metadata: { httpStatusCode: 400 },
    });
    const toRevision = (from: number) =>
      client.send(
        new UpdateItemCommand({
          TableName,
          Key: attributes({ team: 'a', id: '1' }),
          UpdateExpression: 'SET revision = :to, worker = :worker',
          ConditionExpression: 'revision = :from',
          ExpressionAttributeValues: attributes({ ':from': from, ':to': from + 1, ':worker': 'me' }),
          ReturnValues: 'ALL_NEW',
        }),
      );
    expect((await toRevision(1)).Attributes).toEqual(attributes({ team: 'a', id: '1', revision: 2, worker: 'me' }));
    await expect(toRevision(1)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
    const Key = attributes({ team: 'a', id: '1' });
    const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
    expect(Item).toEqual(attributes({ team: 'a', id: '1', revision: 2, worker: 'me' }));
  });

  it('lets exactly one of many writers with the same condition win', async () => {
    const { put } = await withTable();
    const writers = Array.from({ length: 20 }, (_, worker) =>
      put({ team: 'a', id: '1', worker: String(worker) }, { ConditionExpression: 'attribute_not_exists(team)' }),
    );
    const won = (await Promise.allSettled(writers)).filter(({ status }) => status === 'fulfilled');
    expect(won).toHaveLength(1);
  });

  it('has a sparse local index, read in order, in pages, as a count, with what it projects', async () => {
    const { put, query } = await withTable();
    await put({ team: 'a', id: '1', place: 'waiting#3', worker: 'me', secret: 'x' });
    await put({ team: 'a', id: '2', place: 'waiting#1' });
    await put({ team: 'a', id: '3', place: 'running#0' });
    await put({ team: 'a', id: '4' });
    await put({ team: 'a', id: '5', place: 'waiting#2' });
    await put({ team: 'b', id: '6', place: 'waiting#0' });

    const first = await query({ Limit: 2 });
    expect([places(first), first.LastEvaluatedKey]).toEqual([
      ['waiting#1', 'waiting#2'],
      attributes({ team: 'a', id: '5', place: 'waiting#2' }),
    ]);
    const second = await query({ Limit: 2, ExclusiveStartKey: first.LastEvaluatedKey });
    expect(second.LastEvaluatedKey).toBeUndefined();
    expect(second.Items).toEqual([attributes({ team: 'a', id: '1', place: 'waiting#3', worker: 'me' })]);
    const count = await query({ Select: 'COUNT' });
    expect([count.Count, count.Items]).toEqual([3, undefined]);

    await put({ team: 'a', id: '2', place: 'running#1' });
    expect(places(await query({}))).toEqual(['waiting#2', 'waiting#3']);
  });

  it('shows every reader of an index an item at one place, while it is moved', async () => {
    const { put, query } = await withTable();
    await put({ team: 'a', id: '1', place: 'waiting#0' });
    const reads = Array.from({ length: 100 }, async (_, move) => {
      const moved = put({ team: 'a', id: '1', place: `waiting#${move}` });
      const read = await query({});
      await moved;
      return read.Count;
    });
    expect(new Set(await Promise.all(reads))).toEqual(new Set([1]));
  });

  it('gives many items at once', async () => {
    const { client, put, TableName } = await withTable();
    await put({ team: 'a', id: '1' });
    await put({ team: 'a', id: '2' });
    const Keys = ['1', '2', '3'].map((id) => attributes({ team: 'a', id }));
    const found = await client.send(
      new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys, ConsistentRead: true } } }),
    );
    expect(found.Responses?.[TableName]?.map(({ id }) => id?.S).toSorted()).toEqual(['1', '2']);
  });

  it('loses what has expired, within a day', async () => {
    const { sandbox, client, put, TableName } = await withTable();
    const ids = async () =>
      (await client.send(new ScanCommand({ TableName, ConsistentRead: true }))).Items?.map(({ id }) => id?.S);
    const second = sandbox.clock.now() / 1000;
    await put({ team: 'a', id: 'soon', place: 'waiting#1', expiresAt: second + 60 });
    await put({ team: 'a', id: 'later', expiresAt: second + 100 * 86_400 });
    await put({ team: 'a', id: 'never' });
    await put({ team: 'a', id: 'no number', expiresAt: 'tomorrow' });
    await sandbox.advance(DAY - 1);
    expect(await ids()).toContain('soon');
    await sandbox.advance(1);
    expect(await ids()).toEqual(['later', 'never', 'no number']);
    await sandbox.advance(100 * DAY);
    expect(await ids()).toEqual(['never', 'no number']);
    const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName }));
    expect(TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
    const other = await client.send(new DescribeTimeToLiveCommand({ TableName: 'by-number' }));
    expect(other.TimeToLiveDescription).toEqual({ TimeToLiveStatus: 'DISABLED' });
  });
});

describe('DynamoDB', () => {
  it('is in the home account and Region only', async () => {
    const { sandbox, TableName } = await withTable();
    for (const elsewhere of [{ region: 'eu-central-1' }, { account: '111122223333' }]) {
      const answer = clientOf(sandbox, elsewhere).send(new DescribeTableCommand({ TableName }));
      await expect(answer).rejects.toThrow('only in account 000000000000 in eu-west-1');
    }
  });

  it('names an action that the sandbox does not have', async () => {
    const { client } = await withTable();
    const transaction = client.send(new TransactWriteItemsCommand({ TransactItems: [{}] }));
    await expect(transaction).rejects.toThrow('TransactWriteItems is not in the sandbox');
  });

  it('says its errors in AWS words', async () => {
    const { client } = await withTable();
    const nowhere = client.send(new ScanCommand({ TableName: 'nowhere' }));
    await expect(nowhere).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe.skipIf(!awsCliInstalled())('the aws command line', { timeout: 60_000 }, () => {
  it('scans a table', async () => {
    const { sandbox, put, TableName } = await withTable({ time: { mode: 'paced', speed: 60 } });
    await put({ team: 'a', id: '1', revision: 1 });
    const aws = awsCli('000000000000', sandbox.endpoint);
    expect(await aws(`dynamodb scan --table-name ${TableName} --region eu-west-1`)).toEqual({
      Items: [{ team: { S: 'a' }, id: { S: '1' }, revision: { N: '1' } }],
      Count: 1,
      ScannedCount: 1,
      ConsumedCapacity: null,
    });
  });
});
