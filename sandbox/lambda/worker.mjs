// @ts-check
/**
 * One execution environment of a function: loads the bundle, then runs its handler once for each message. JavaScript
 * with types in comments, because every thread would load a TypeScript parser of its own, which takes as long as all else.
 */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * @typedef {import('./messages.ts').EnvironmentSettings} EnvironmentSettings
 * @typedef {import('./messages.ts').FromEnvironment} FromEnvironment
 * @typedef {import('./messages.ts').FunctionError} FunctionError
 * @typedef {import('./messages.ts').Invoke} Invoke
 * @typedef {(event: unknown, context: unknown) => unknown} Handler
 */

// An `import` of node:http reads all that it exports, for which Node loads its whole fetch. No function uses these.
const http = createRequire(import.meta.url)('node:http');
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) Object.defineProperty(http, name, { value: undefined });

const RealDate = Date;
let nowAtStart = RealDate.now();
let startedAt = performance.now();
let timeRuns = true;

/** @returns {number} */
function sandboxNow() {
  return timeRuns ? Math.floor(nowAtStart + performance.now() - startedAt) : nowAtStart;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [sandboxNow()] : args, newTarget),
  apply: () => new RealDate(sandboxNow()).toString(),
  get: (target, key) => (key === 'now' ? sandboxNow : Reflect.get(target, key)),
});

/**
 * As Lambda's Node.js runtime does it: a thrown value that is no error is reported by its type.
 * @param {unknown} error
 * @returns {FunctionError}
 */
function inLambdasWords(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] };
}

/**
 * @param {import('node:worker_threads').MessagePort} port
 * @param {NodeJS.WriteStream} stream
 */
function sendWrites(port, stream) {
  /**
   * @param {string | Uint8Array} chunk
   * @param {unknown} [encoding]
   * @param {unknown} [callback]
   */
  stream.write = (chunk, encoding, callback) => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    send(port, { kind: 'wrote', text });
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') done();
    return true;
  };
}

/**
 * @param {import('node:worker_threads').MessagePort} port
 * @param {FromEnvironment} message
 */
function send(port, message) {
  port.postMessage(message);
}

/**
 * @param {EnvironmentSettings} settings
 * @returns {Promise<Handler | FunctionError>}
 */
async function load(settings) {
  /** @type {Record<string, unknown>} */
  let exports;
  try {
    exports = await import(pathToFileURL(settings.file).href);
  } catch (error) {
    return inLambdasWords(error);
  }
  const handler = exports[settings.handler];
  if (typeof handler === 'function') return (event, context) => handler(event, context);
  return {
    errorType: 'Runtime.HandlerNotFound',
    errorMessage: `${settings.file} exports no function ${settings.handler}`,
    trace: [],
  };
}

/**
 * @param {Handler} handler
 * @param {Invoke} message
 * @returns {Promise<FromEnvironment>}
 */
async function invoke(handler, message) {
  nowAtStart = message.now;
  timeRuns = message.timeRuns;
  startedAt = performance.now();
  process.env['_X_AMZN_TRACE_ID'] = message.traceId;
  const { env } = process;
  // https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    invokedFunctionArn: message.invokedFunctionArn,
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    awsRequestId: message.requestId,
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(message.timeoutMs - (performance.now() - startedAt))),
  };
  try {
    // Within a list, what JSON does not have (an undefined, a function) is null, as Lambda makes of it.
    const result = await handler(JSON.parse(message.event), context);
    return { kind: 'returned', payload: JSON.stringify([result]).slice(1, -1) };
  } catch (error) {
    return { kind: 'threw', error: inLambdasWords(error) };
  }
}

if (parentPort === null) throw new Error('This file runs in a worker thread of the sandbox only.');
const port = parentPort;
/** @type {EnvironmentSettings} */
const settings = workerData;
sendWrites(port, process.stdout);
sendWrites(port, process.stderr);

const handler = await load(settings);
if (typeof handler === 'function') {
  port.on('message', (/** @type {Invoke} */ message) => {
    void invoke(handler, message).then((answer) => send(port, answer));
  });
  send(port, { kind: 'started' });
} else {
  send(port, { kind: 'not-started', error: handler });
}
