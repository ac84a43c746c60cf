import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** An EC2 that copies nothing: it writes down who asks for what, and answers what the description tells it to. */
export interface RecordingEc2 {
  readonly endpoint: string;
  /** The call to `<endpoint>/<caller>`; undefined if there was none. */
  call(caller: string): RecordedCall | undefined;
}

interface RecordedCall {
  readonly asked: URLSearchParams;
  /** Access key id, and the Region that the call is for. */
  readonly signedBy: string;
}

export async function recordingEc2(): Promise<RecordingEc2> {
  const calls = new Map<string, RecordedCall>();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const asked = new URLSearchParams(body);
      const [, key, region] = /Credential=(\w+)\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '') ?? [];
      calls.set((request.url ?? '').split('/').filter(Boolean).join('/'), { asked, signedBy: `${key} in ${region}` });
      const description = asked.get('Description');
      if (description === 'hang') return;
      if (description === 'hang up') {
        request.socket.destroy();
        return;
      }
      const [status, answer] = answerTo(asked);
      response.writeHead(status, { 'content-type': 'text/xml;charset=UTF-8' }).end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { endpoint: `http://127.0.0.1:${address.port}`, call: (caller) => calls.get(caller) };
}

/** `fail <status> <code> <words>` as a description is answered with that error; `hang` and `hang up` with nothing. */
function answerTo(asked: URLSearchParams): readonly [number, string] {
  const [, status, code, words] = /^fail (\d+) (\S+) (.*)$/s.exec(asked.get('Description') ?? '') ?? [];
  if (status !== undefined) {
    return [
      Number(status),
      `<Response><Errors><Error><Code>${code}</Code><Message>${escaped(words)}</Message></Error></Errors><RequestID>1</RequestID></Response>`,
    ];
  }
  const tags = [...asked.keys()]
    .filter((name) => /^TagSpecification\.\d+\.Tag\.\d+\.Key$/.test(name))
    .map((name) => {
      const value = asked.get(name.replace(/Key$/, 'Value'));
      return `<item><key>${escaped(asked.get(name) ?? '')}</key><value>${escaped(value ?? '')}</value></item>`;
    });
  const tagSet = tags.length === 0 ? '' : `<tagSet>${tags.join('')}</tagSet>`;
  return [
    200,
    `<CopySnapshotResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId><snapshotId>snap-0123456789abcdef0</snapshotId>${tagSet}</CopySnapshotResponse>`,
  ];
}

function escaped(words = ''): string {
  return words.replaceAll(/[&<>\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
