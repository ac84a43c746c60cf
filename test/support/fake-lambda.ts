import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Lambda's Invoke over HTTP, which answers as the test says. */
export interface FakeLambda<Payload> {
  reply: (sent: Payload) => Reply;
  /** Since the test began. */
  readonly calls: readonly { readonly path: string; readonly sent: Payload; readonly bytes: number }[];
}

/** For all tests of a file: clients of Lambda that are made in it call this one, once. */
export function fakeLambda<Payload>(parse: (payload: unknown) => Payload): FakeLambda<Payload> {
  const calls: { readonly path: string; readonly sent: Payload; readonly bytes: number }[] = [];
  const fake: FakeLambda<Payload> = { reply: () => ({ body: {} }), calls };
  const server = createServer((incoming, outgoing) => {
    void text(incoming).then((payload) => {
      const sent = parse(JSON.parse(payload));
      calls.push({ path: incoming.url ?? '', sent, bytes: payload.length });
      const { status = 200, headers = {}, body } = fake.reply(sent);
      outgoing.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  beforeAll(async () => {
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address: string | AddressInfo | null = server.address();
        resolve(typeof address === 'object' ? (address?.port ?? 0) : 0);
      });
    });
    vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', `http://127.0.0.1:${port}`);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    server.close();
    server.closeAllConnections();
  });
  afterEach(() => {
    calls.length = 0;
  });
  return fake;
}
