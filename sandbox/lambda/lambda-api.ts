import type { Caller } from '../accounts.ts';
import type { Home } from '../home.ts';
import type { Answer } from '../http/answer.ts';
import { awsError } from '../http/aws-error.ts';
import type { AsyncInvoker } from './async-invoker.ts';
import { describedFunction } from './function-configuration.ts';
import { FunctionNotFoundError } from './function-registry.ts';
import type { FunctionRunner } from './function-runner.ts';
import type { FunctionLogs } from './logs.ts';

const PATHS = {
  Invoke: { method: 'POST', path: /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/ },
  GetFunctionConfiguration: { method: 'GET', path: /^\/2015-03-31\/functions\/([^/]+)\/configuration\/?$/ },
};
type LambdaAction = keyof typeof PATHS;
const ACTIONS: readonly LambdaAction[] = ['Invoke', 'GetFunctionConfiguration'];

/** The action that a request is for; undefined if the sandbox does not have it. */
export function lambdaAction(method: string, path: string): LambdaAction | undefined {
  return ACTIONS.find((action) => PATHS[action].method === method && PATHS[action].path.test(path));
}

/** One call as it comes over HTTP. */
export interface LambdaCall extends Caller {
  readonly method: string;
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
}

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LARGEST_PAYLOAD_BYTES = { RequestResponse: 6 * 1024 * 1024, Event: 1024 * 1024, DryRun: 6 * 1024 * 1024 };
type InvocationType = keyof typeof LARGEST_PAYLOAD_BYTES;

/** "The last 4 KB of the execution log" */
const LOG_TAIL_BYTES = 4096;

/**
 * Of Lambda's API, Invoke and GetFunctionConfiguration.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 * https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
 */
export class LambdaApi {
  readonly #lambda: FunctionRunner;
  readonly #asyncInvoker: AsyncInvoker;
  readonly #logs: FunctionLogs;
  readonly #home: Home;
  readonly #deployedAt: number;

  constructor(options: {
    readonly lambda: FunctionRunner;
    readonly asyncInvoker: AsyncInvoker;
    readonly logs: FunctionLogs;
    readonly home: Home;
    /** Milliseconds since 1970. */
    readonly deployedAt: number;
  }) {
    this.#lambda = options.lambda;
    this.#asyncInvoker = options.asyncInvoker;
    this.#logs = options.logs;
    this.#home = options.home;
    this.#deployedAt = options.deployedAt;
  }

  /** Expected trouble is an answer. A synchronous invocation is answered when the function has ended. */
  async handle(call: LambdaCall): Promise<Answer> {
    const action = lambdaAction(call.method, call.url.pathname);
    if (action === undefined) {
      const asked = `${call.method} ${call.url.pathname}`;
      return refused('UnknownOperationException', `Of Lambda the sandbox has ${ACTIONS.join(' and ')}, not ${asked}`);
    }
    const { account, region } = this.#home;
    if (call.account !== account || call.region !== region) {
      const where = `account ${call.account} in ${call.region}`;
      const message = `The sandbox has no functions in ${where}, only in account ${account} in ${region}`;
      return refused('AccessDeniedException', message, 403);
    }
    const named = PATHS[action].path.exec(call.url.pathname)?.[1] ?? '';
    const name = this.#functionName(named, call.url.searchParams.get('Qualifier'));
    try {
      return action === 'Invoke' ? await this.#invocation(call, name) : this.#configuration(name);
    } catch (error) {
      if (!(error instanceof FunctionNotFoundError)) throw error;
      return refused('ResourceNotFoundException', error.message, 404);
    }
  }

  #configuration(name: string): Answer {
    const body = JSON.stringify(describedFunction(this.#lambda.resolve(name), this.#deployedAt));
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }

  async #invocation(call: LambdaCall, name: string): Promise<Answer> {
    if (call.header('x-amz-client-context') !== undefined) {
      return refused('InvalidParameterValueException', 'ClientContext is not in the sandbox');
    }
    const type = call.header('x-amz-invocation-type') ?? 'RequestResponse';
    if (!isInvocationType(type)) return refused('InvalidParameterValueException', `InvocationType ${type}`);
    const payload = call.body === '' ? '{}' : call.body;
    if (Buffer.byteLength(payload) > LARGEST_PAYLOAD_BYTES[type]) {
      const message = `Request must be smaller than ${LARGEST_PAYLOAD_BYTES[type]} bytes for the InvokeFunction operation`;
      return refused('RequestTooLargeException', message, 413);
    }
    if (!isJson(payload)) {
      return refused('InvalidRequestContentException', 'Could not parse request body into json');
    }
    return this.#invoke(name, type, payload, call.header('x-amz-log-type') === 'Tail');
  }

  async #invoke(name: string, type: InvocationType, payload: string, withLog: boolean): Promise<Answer> {
    switch (type) {
      case 'DryRun':
        this.#lambda.resolve(name);
        return { status: 204, body: '' };
      case 'Event':
        this.#asyncInvoker.accept(name, payload);
        return { status: 202, body: '' };
      case 'RequestResponse': {
        const result = await this.#lambda.invoke(name, payload);
        const headers = {
          'content-type': 'application/json',
          'x-amzn-requestid': result.requestId,
          'x-amz-executed-version': result.executedVersion,
          ...(result.ok ? {} : { 'x-amz-function-error': 'Unhandled' }),
          ...(withLog ? { 'x-amz-log-result': this.#logTail(result.requestId) } : {}),
        };
        return { status: 200, headers, body: result.ok ? result.payload : JSON.stringify(result.error) };
      }
      default:
        return type satisfies never;
    }
  }

  /** Name, ARN or `<account>:function:<name>`, each perhaps with a version; or else the version stands beside it. */
  #functionName(path: string, qualifier: string | null): string {
    const name = decodeURIComponent(path).replace(new RegExp(`^${this.#home.account}:function:`), '');
    return qualifier === null ? name : `${name}:${qualifier}`;
  }

  #logTail(requestId: string): string {
    const lines = this.#logs.lines().filter((line) => line.requestId === requestId);
    const text = Buffer.from(lines.map((line) => `${line.text}\n`).join(''));
    return text.subarray(Math.max(0, text.length - LOG_TAIL_BYTES)).toString('base64');
  }
}

function isInvocationType(text: string): text is InvocationType {
  return Object.hasOwn(LARGEST_PAYLOAD_BYTES, text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function refused(code: string, message: string, status = 400): Answer {
  return awsError('rest-json', code, message, status);
}
