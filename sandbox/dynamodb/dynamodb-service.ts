import type { Server } from 'node:http';
import dynalite from 'dynalite';
import * as z from 'zod';
import type { Caller } from '../accounts.ts';
import type { Home } from '../home.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { DynamoDbError, ignore } from './dynamodb-error.ts';
import { type Injected, inject } from './inject.ts';
import { deleteExpired } from './time-to-live.ts';

/** One call as it comes over HTTP. `target` is the header X-Amz-Target, for example `DynamoDB_20120810.PutItem`. */
export interface DynamoDbCall extends Caller {
  readonly target: string;
  readonly body: string;
}

export interface DynamoDbAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A table of the stack. */
export interface Table {
  readonly name: string;
  /** What CreateTable takes beside the name. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The attribute with the second at which an item expires. */
  readonly expiresAt: string | undefined;
}

/**
 * DynamoDB often takes days to delete what has expired; here it is looked for once a day.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 */
const LOOK_FOR_EXPIRED_MS = 86_400_000;
const JSON_1_0 = 'application/x-amz-json-1.0';

const refusal = z.object({ __type: z.string(), message: z.string().default('') });
const ofTable = z.object({ TableName: z.string() });
const described = z.object({ Table: z.object({ TableStatus: z.string() }) });

/**
 * DynamoDB in the home account and Region. The work is dynalite's; added here are time to live, and that one call is
 * carried out after the other: dynalite changes an item and its indexes in several steps, which no reader may see.
 */
export class DynamoDbService {
  readonly #clock: VirtualClock;
  readonly #home: Home;
  readonly #server: Server;
  readonly #expiresAt = new Map<string, string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: { readonly clock: VirtualClock; readonly home: Home }) {
    this.#clock = options.clock;
    this.#home = options.home;
    this.#server = startDynalite(options.home);
  }

  /** Expected trouble is an answer. */
  async handle(call: DynamoDbCall): Promise<DynamoDbAnswer> {
    const { account, region } = this.#home;
    if (call.account !== account || call.region !== region) {
      const where = `account ${call.account} in ${call.region}`;
      return refused(
        'AccessDeniedException',
        `The sandbox has no tables in ${where}, only in account ${account} in ${region}`,
      );
    }
    const answer = await this.#carryOut(call.target, call.body);
    const action = call.target.split('.').at(-1) ?? '';
    if (answer.status === 200 && action === 'DescribeTimeToLive') return this.#describeTimeToLive(call.body);
    if (answer.status === 200) return answer;
    const { __type } = refusal.catch({ __type: '', message: '' }).parse(JSON.parse(answer.body));
    if (__type.endsWith('#UnknownOperationException')) return refused(__type, `${action} is not in the sandbox`);
    return answer;
  }

  /**
   * Makes a table, and resolves when it can be used.
   * @throws DynamoDbError if DynamoDB would refuse it
   */
  async createTable({ name, input, expiresAt }: Table): Promise<void> {
    await this.#call('CreateTable', { ...input, TableName: name });
    await this.#clock.advanceUntil(async () => {
      const { Table } = described.parse(await this.#call('DescribeTable', { TableName: name }));
      return Table.TableStatus === 'ACTIVE';
    }, 1000);
    if (expiresAt === undefined) return;
    this.#expiresAt.set(name, expiresAt);
    this.#lookForExpired(name, expiresAt);
  }

  #lookForExpired(table: string, attribute: string): void {
    const call = (action: string, input: Record<string, unknown>): Promise<unknown> => this.#call(action, input);
    this.#clock.after(LOOK_FOR_EXPIRED_MS, () => {
      const looked = deleteExpired({ call, table, attribute, now: this.#clock.now() })
        .then(() => this.#lookForExpired(table, attribute))
        // Somebody deleted the table.
        .catch(ignore('ResourceNotFoundException'));
      void this.#clock.during(looked);
    });
  }

  #describeTimeToLive(body: string): DynamoDbAnswer {
    const AttributeName = this.#expiresAt.get(ofTable.parse(JSON.parse(body)).TableName);
    const TimeToLiveDescription =
      AttributeName === undefined ? { TimeToLiveStatus: 'DISABLED' } : { TimeToLiveStatus: 'ENABLED', AttributeName };
    return { status: 200, headers: { 'content-type': JSON_1_0 }, body: JSON.stringify({ TimeToLiveDescription }) };
  }

  /** A call of the sandbox itself. */
  async #call(action: string, input: Readonly<Record<string, unknown>>): Promise<unknown> {
    const { status, body } = await this.#carryOut(`DynamoDB_20120810.${action}`, JSON.stringify(input));
    if (status === 200) return JSON.parse(body);
    const { __type, message } = refusal.parse(JSON.parse(body));
    throw new DynamoDbError(__type.split('#').at(-1) ?? '', message);
  }

  #carryOut(target: string, body: string): Promise<Injected> {
    const headers = {
      // dynalite looks at nothing but the form.
      authorization: 'AWS4-HMAC-SHA256 Credential=sandbox, SignedHeaders=host, Signature=none',
      'x-amz-date': '20260101T000000Z',
      'content-type': JSON_1_0,
      'x-amz-target': target,
    };
    const turn = this.#last.then(() => inject(this.#server, headers, body));
    this.#last = turn;
    return turn;
  }
}

/** It is never made to listen, so there is nothing to close. */
function startDynalite({ account, region }: Home): Server {
  const names = ['AWS_ACCOUNT_ID', 'AWS_REGION'] as const;
  const before = names.map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, { AWS_ACCOUNT_ID: account, AWS_REGION: region });
  try {
    return dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

function refused(__type: string, message: string): DynamoDbAnswer {
  return { status: 400, headers: { 'content-type': JSON_1_0 }, body: JSON.stringify({ __type, message }) };
}
