import * as z from 'zod';
import type { Call } from '../types.ts';
import { type ApiRequest, inputOf, ownArn } from './request.ts';

const ofTable = z.object({ TableName: z.string().min(1), IndexName: z.string().min(1).optional() });
const options = z.object({
  ReturnValues: z.string().optional(),
  ReturnConsumedCapacity: z.string().optional(),
  Select: z.string().optional(),
});
const ofTables = z.object({ RequestItems: z.record(z.string(), z.unknown()) });

const ON_TABLE = new Set([
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'DescribeTimeToLive',
  'GetItem',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
  'UpdateTable',
]);
const BATCHES = new Set(['BatchGetItem', 'BatchWriteItem']);

/**
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 * Keys and attributes of items are not told, so a policy that asks for them allows nothing here.
 */
export function dynamodbCalls(request: ApiRequest): readonly Call[] {
  const { action } = request;
  const name = `dynamodb:${action}`;
  if (action === 'ListTables') return [{ action: name, resource: '*', context: {} }];
  if (BATCHES.has(action)) {
    const tables = Object.keys(inputOf(ofTables, request).RequestItems);
    return tables.map((table) => ({ action: name, resource: tableArn(request, table), context: {} }));
  }
  if (!ON_TABLE.has(action)) throw new Error(`the sandbox cannot say what permission ${name} needs`);
  const { TableName, IndexName } = inputOf(ofTable, request);
  const table = tableArn(request, TableName);
  const resource = IndexName === undefined ? table : `${table}/index/${IndexName}`;
  return [{ action: name, resource, context: optionKeys(request) }];
}

const KNOWN_OPTIONS: Readonly<Record<string, readonly (keyof z.output<typeof options>)[]>> = {
  DeleteItem: ['ReturnConsumedCapacity', 'ReturnValues'],
  GetItem: ['ReturnConsumedCapacity'],
  PutItem: ['ReturnConsumedCapacity', 'ReturnValues'],
  Query: ['ReturnConsumedCapacity', 'Select'],
  Scan: ['ReturnConsumedCapacity', 'Select'],
  UpdateItem: ['ReturnConsumedCapacity', 'ReturnValues'],
};

function optionKeys(request: ApiRequest): Record<string, string> {
  const given = inputOf(options, request);
  const known = (KNOWN_OPTIONS[request.action] ?? []).flatMap((name) => {
    const value = given[name];
    return value === undefined ? [] : [[`dynamodb:${name}`, value] as const];
  });
  return Object.fromEntries(known);
}

function tableArn(request: ApiRequest, nameOrArn: string): string {
  return nameOrArn.startsWith('arn:') ? nameOrArn : ownArn(request, 'dynamodb', `table/${nameOrArn}`);
}
