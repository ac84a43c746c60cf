import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import * as z from 'zod';

/** A headless Chromium, if there is one; says so loudly if there is none. */
export function installedBrowser(): string | undefined {
  const found = ['chromium', 'chromium-browser', 'google-chrome'].find(
    (name) => spawnSync(name, ['--version']).status === 0,
  );
  if (found === undefined) {
    console.warn('\n*** SKIPPED: no Chromium is installed, so no browser has looked at the page of the audit ***\n');
  }
  return found;
}

export interface Look {
  /** In CSS pixels. */
  readonly width: number;
  readonly scheme: 'light' | 'dark';
}

/** A page in the browser. */
export interface OpenPage {
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>;
  /** URLs that it asked for, itself included. */
  readonly requests: readonly string[];
  /** What the console of the browser says. */
  readonly complaints: readonly string[];
}

const message = z.object({
  id: z.number().optional(),
  method: z.string().optional(),
  result: z.unknown().optional(),
  params: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
type Message = z.infer<typeof message>;

/** Opens a page and closes the browser after `work`. It speaks https://chromedevtools.github.io/devtools-protocol/ over pipes. */
export async function withPage<Result>(
  browser: string,
  url: string,
  { width, scheme }: Look,
  work: (page: OpenPage) => Promise<Result>,
): Promise<Result> {
  const profile = mkdtempSync(join(tmpdir(), 'browser-'));
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--remote-debugging-pipe'];
  const child = spawn(browser, [...args, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const [, , , to, from] = child.stdio;
  if (!(to instanceof Writable) || !(from instanceof Readable)) throw new Error('The browser has no pipes.');
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
  });

  const waiting = new Map<number, (answer: Message) => void>();
  const requests: string[] = [];
  const complaints: string[] = [];
  let loaded: () => void;
  const load = new Promise<void>((resolve) => {
    loaded = resolve;
  });
  const hear = (text: string): void => {
    const { id, method, ...rest } = message.parse(JSON.parse(text));
    if (id !== undefined) waiting.get(id)?.(rest);
    if (method === 'Page.loadEventFired') loaded();
    if (method === 'Network.requestWillBeSent') requests.push(requestSent.parse(rest.params).request.url);
    if (method === 'Log.entryAdded') complaints.push(logEntry.parse(rest.params).entry.text);
    if (method === 'Runtime.exceptionThrown' || method === 'Runtime.consoleAPICalled') {
      complaints.push(JSON.stringify(rest.params));
    }
  };
  let buffer = '';
  from.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = `${buffer}${chunk}`.split('\0');
    buffer = parts.pop() ?? '';
    for (const part of parts) hear(part);
  });

  let calls = 0;
  const call = async (method: string, params: object = {}, sessionId?: string): Promise<unknown> => {
    calls += 1;
    const id = calls;
    const answer = new Promise<Message>((resolve) => {
      waiting.set(id, resolve);
    });
    to.write(`${JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) })}\0`);
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  };

  try {
    const { targetId } = target.parse(await call('Target.createTarget', { url: 'about:blank' }));
    const { sessionId } = session.parse(await call('Target.attachToTarget', { targetId, flatten: true }));
    for (const domain of ['Page', 'Network', 'Runtime', 'Log']) await call(`${domain}.enable`, {}, sessionId);
    const metrics = { width, height: 900, deviceScaleFactor: 1, mobile: false };
    await call('Emulation.setDeviceMetricsOverride', metrics, sessionId);
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await call('Emulation.setEmulatedMedia', { features }, sessionId);
    await call('Page.navigate', { url }, sessionId);
    await load;
    return await work({
      requests,
      complaints,
      evaluate: async (expression) => {
        const wanted = { expression, returnByValue: true };
        return evaluated.parse(await call('Runtime.evaluate', wanted, sessionId)).result.value;
      },
    });
  } finally {
    to.write(`${JSON.stringify({ id: calls + 1, method: 'Browser.close' })}\0`);
    await ended;
    rmSync(profile, { recursive: true, force: true });
  }
}

const target = z.object({ targetId: z.string() });
const session = z.object({ sessionId: z.string() });
const requestSent = z.object({ request: z.object({ url: z.string() }) });
const logEntry = z.object({ entry: z.object({ text: z.string() }) });
const evaluated = z.object({ result: z.object({ value: z.unknown() }) });
