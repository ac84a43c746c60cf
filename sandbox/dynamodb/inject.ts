import type { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';

/** What a server answered. */
export interface Injected {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Has a server of this process answer a POST request without a connection. The server needs no more of a response than
 * statusCode, setHeader and end.
 */
export function inject(
  server: EventEmitter,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<Injected> {
  return new Promise((resolve) => {
    const answered: Record<string, string> = {};
    const request = Object.assign(Readable.from([Buffer.from(body)]), { method: 'POST', url: '/', headers });
    const response = {
      statusCode: 200,
      setHeader: (name: string, value: unknown) => {
        answered[name.toLowerCase()] = String(value);
      },
      end: (text: string) => resolve({ status: response.statusCode, headers: answered, body: text }),
    };
    server.emit('request', request, response);
  });
}
