import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Ec2Answer, NoAnswer } from '../../sandbox/ec2/ec2-service.ts';

/** A call as real clients send it: who and where is in the signature, an access key of 12 digits is the account. */
export interface SignedCall {
  readonly account: string;
  readonly region: string;
  readonly target: string;
  readonly body: string;
}

/** Answers real clients on a free port of the loopback. */
export async function serveAws(
  answer: (call: SignedCall) => Ec2Answer | NoAnswer,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const signature = request.headers.authorization ?? '';
      const [, account = '', region = ''] = /Credential=(\d{12})\/\d{8}\/([a-z0-9-]+)\//.exec(signature) ?? [];
      const target = String(request.headers['x-amz-target'] ?? '');
      const result = answer({ account, region, target, body });
      if ('drop' in result) {
        request.socket.destroy();
        return;
      }
      response.writeHead(result.status, result.headers).end(result.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
