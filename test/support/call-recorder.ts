import { createServer, request as forward } from 'node:http';
import { onTestFinished } from 'vitest';

/** An endpoint before another one, which notes what is called. */
export interface CallRecorder {
  readonly endpoint: string;
  /** As IAM names actions, for example `ec2:DescribeSnapshots`; sorted, each once. */
  actions(): readonly string[];
}

/** Starts one; it ends with the test. */
export async function recordCalls(endpoint: string): Promise<CallRecorder> {
  const seen = new Set<string>();
  const target = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    const body: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => body.push(chunk));
    incoming.on('end', () => {
      const { method, url, headers } = incoming;
      const text = Buffer.concat(body);
      seen.add(`${serviceOf(headers.authorization)}:${actionOf(headers['x-amz-target'], url ?? '', text.toString())}`);
      const passed = forward({ hostname: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      passed.on('error', () => outgoing.destroy());
      passed.end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('unreachable: a TCP server has a port');
  return { endpoint: `http://127.0.0.1:${address.port}`, actions: () => [...seen].toSorted() };
}

/** The signing name, which is the prefix of IAM's actions for the services that are called here. */
function serviceOf(authorization: string | undefined): string {
  return /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(authorization ?? '')?.[1] ?? 'unsigned';
}

function actionOf(target: string | string[] | undefined, url: string, body: string): string {
  if (typeof target === 'string') return target.split('.').at(-1) ?? '';
  if (url.includes('/invocations')) return 'InvokeFunction';
  if (url.includes('/configuration')) return 'GetFunctionConfiguration';
  return new URLSearchParams(body).get('Action') ?? url;
}
