import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { ledgerTable } from './ledger-table.ts';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Stands between the client and DynamoDB for one call. `forward` has it carried out, with another body if one is given.
 * Without an answer the connection breaks.
 */
export type Interceptor = (
  forward: (body?: Readonly<Record<string, unknown>>) => Promise<Answer>,
  body: Readonly<Record<string, unknown>>,
) => Promise<Answer | undefined>;

/** dynalite over HTTP on a port of its own, with trouble on request. */
export class LocalDynamoDb {
  readonly #dynalite: Server;
  readonly #front: Server;
  readonly #interceptors: { readonly action: string; readonly interceptor: Interceptor }[] = [];
  #dynaliteUrl = '';
  #client: DynamoDBClient | undefined;
  #deployed: Awaited<ReturnType<typeof ledgerTable>> | undefined;
  #tables = 0;
  /** Actions in the order of their calls. */
  readonly calls: string[] = [];
  url = '';

  constructor() {
    this.#dynalite = dynalite({ createTableMs: 0 });
    this.#front = createServer((request, response) => void this.#respond(request, response));
  }

  async start(): Promise<void> {
    this.#dynaliteUrl = await listen(this.#dynalite);
    this.url = await listen(this.#front);
  }

  async stop(): Promise<void> {
    this.#client?.destroy();
    await close(this.#front);
    await close(this.#dynalite);
  }

  /** For tests that look at the table behind the ledger's back; nothing intercepts its calls. */
  get client(): DynamoDBClient {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'secret' };
    this.#client ??= new DynamoDBClient({ endpoint: this.#dynaliteUrl, region: 'eu-west-1', credentials });
    return this.#client;
  }

  /** An empty table like the one that is deployed; the answer is its name. */
  async createTable(): Promise<string> {
    this.#tables += 1;
    const TableName = `ledger-${this.#tables}`;
    this.#deployed ??= await ledgerTable();
    const { BillingMode, AttributeDefinitions, KeySchema, LocalSecondaryIndexes } = this.#deployed;
    await this.client.send(
      new CreateTableCommand({ TableName, BillingMode, AttributeDefinitions, KeySchema, LocalSecondaryIndexes }),
    );
    return TableName;
  }

  /** Has the next call of this action intercepted; several wait for one call each, in this order. */
  intercept(action: string, interceptor: Interceptor): void {
    this.#interceptors.push({ action, interceptor });
  }

  /** Forgets the interceptors that still wait for a call, and answers with their actions. */
  takeUnused(): readonly string[] {
    return this.#interceptors.splice(0).map(({ action }) => action);
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answer(request);
    if (answer === undefined) request.socket.destroy();
    else response.writeHead(answer.status, { 'content-type': JSON_1_0 }).end(answer.body);
  }

  async #answer(request: IncomingMessage): Promise<Answer | undefined> {
    const target = String(request.headers['x-amz-target']);
    const action = target.split('.').at(-1) ?? '';
    this.calls.push(action);
    const sent = await text(request);
    const forward = async (body?: Readonly<Record<string, unknown>>): Promise<Answer> => {
      const answer = await fetch(this.#dynaliteUrl, {
        method: 'POST',
        headers: {
          authorization: request.headers.authorization ?? '',
          'x-amz-date': String(request.headers['x-amz-date']),
          'x-amz-target': target,
          'content-type': JSON_1_0,
        },
        body: body === undefined ? sent : JSON.stringify(body),
      });
      return { status: answer.status, body: await answer.text() };
    };
    const index = this.#interceptors.findIndex((each) => each.action === action);
    if (index < 0) return forward();
    const [found] = this.#interceptors.splice(index, 1);
    return found?.interceptor(forward, JSON.parse(sent));
  }
}

const JSON_1_0 = 'application/x-amz-json-1.0';

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
