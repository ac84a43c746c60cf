import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { XMLBuilder } from 'fast-xml-parser';
import type { Caller } from '../accounts.ts';
import type { Ec2Service, Hang } from '../ec2/ec2-service.ts';
import type { Home } from '../home.ts';
import type { KmsService } from '../kms/kms-service.ts';
import type { LambdaService } from '../lambda/lambda-service.ts';
import type { Messaging } from '../messaging.ts';
import type { StatesApi } from '../stepfunctions/api.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { Answer, NoAnswer } from './answer.ts';
import type { ControlApi } from './control-api.ts';
import { accountOf, readCredentialScope } from './credential-scope.ts';
import { handleSts } from './sts.ts';

export interface FrontServices {
  readonly clock: VirtualClock;
  readonly home: Home;
  readonly ec2: Ec2Service;
  readonly kms: KmsService;
  readonly states: StatesApi;
  readonly messaging: Messaging;
  readonly lambda: LambdaService;
  readonly control: ControlApi;
}

/** A request of an AWS client, read. */
interface AwsRequest extends Caller {
  readonly service: string;
  /** The API action, whatever the protocol. */
  readonly action: string;
  readonly target: string;
  readonly contentType: string;
  readonly body: string;
  readonly params: URLSearchParams;
}

const LARGEST_BODY_BYTES = 2 * 1024 * 1024;

/** One HTTP endpoint for all services: the credential scope of each request says which service and Region are meant. */
export class HttpFront {
  readonly #services: FrontServices;
  readonly #server: Server;

  constructor(services: FrontServices) {
    this.#services = services;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
        if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
        response.end(`The sandbox itself failed: ${message}\n`);
      });
    });
    // Clients keep connections for long pauses, and a request that meets a closing one would fail.
    this.#server.keepAliveTimeout = 0;
    this.#server.headersTimeout = 0;
    this.#server.requestTimeout = 0;
  }

  /** Listens on the loopback address and answers the port. Port 0 = any free one. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('unreachable: a TCP server has a port');
    return address.port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { clock, lambda, control } = this.#services;
    const end = clock.begin();
    response.once('close', end);
    const body = await readBody(request);
    const url = new URL(request.url ?? '/', 'http://sandbox');
    if (url.pathname === '/_sandbox' || url.pathname.startsWith('/_sandbox/')) {
      this.#send(response, control.handle(request.method ?? 'GET', url, body));
      return;
    }
    const read = this.#read(request, body);
    if ('status' in read) {
      this.#send(response, read);
      return;
    }
    // It may wait for a message in sandbox time, for which the clock must not wait in turn.
    if (read.service === 'sqs' && read.action === 'ReceiveMessage') end();
    const answer = await this.#answer(read);
    if ('hang' in answer) {
      // The caller may count its patience in sandbox time, which must not wait for this request.
      end();
      return;
    }
    const callerIsGone = lambda.answering(headerOf(request, 'x-amzn-trace-id'), read.action);
    if (callerIsGone || 'drop' in answer) response.destroy();
    else this.#send(response, answer);
  }

  #read(request: IncomingMessage, body: string): AwsRequest | Answer {
    const scope = readCredentialScope(headerOf(request, 'authorization'));
    if (scope === undefined) {
      return refusal(
        request,
        'MissingAuthenticationToken',
        'The sandbox takes requests that are signed as AWS wants it (any credentials will do), and GET /_sandbox',
        403,
      );
    }
    const target = headerOf(request, 'x-amz-target') ?? '';
    const params = new URLSearchParams(target === '' ? body : '');
    return {
      account: accountOf(scope, this.#services.home.account),
      region: scope.region,
      service: scope.service,
      action: target === '' ? (params.get('Action') ?? '') : (target.split('.').at(-1) ?? ''),
      target,
      contentType: headerOf(request, 'content-type') ?? '',
      body,
      params,
    };
  }

  async #answer(request: AwsRequest): Promise<Answer | NoAnswer | Hang> {
    const { ec2, kms, states, messaging, home } = this.#services;
    const { account, region, service, target, contentType, body, params, action } = request;
    switch (service) {
      case 'ec2':
        return ec2.handle({ account, region, params });
      case 'kms':
        return kms.handle({ account, region, target, body });
      case 'states':
        return states.handle({ account, region, target, body });
      case 'sts':
        return handleSts(account, params);
      case 'sns':
      case 'sqs':
        if (account !== home.account) {
          const message = `Account ${account} has no topics and queues in the sandbox; account ${home.account} has`;
          return errorIn(target !== '', 'AuthorizationError', message, 403);
        }
        return messaging.handle({ service, region, contentType, target, body });
      default:
        return errorIn(
          target !== '',
          'UnknownService',
          `The sandbox does not have the service ${service} (asked for: ${action || 'no action'})`,
          400,
        );
    }
  }

  #send(response: ServerResponse, { status, headers, body }: Answer): void {
    response.sendDate = false;
    response.writeHead(status, {
      ...headers,
      date: new Date(this.#services.clock.now()).toUTCString(),
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > LARGEST_BODY_BYTES) throw new Error('the body is larger than 2 MiB');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function refusal(request: IncomingMessage, code: string, message: string, status: number): Answer {
  return errorIn(headerOf(request, 'x-amz-target') !== undefined, code, message, status);
}

/** An error in a form that clients of JSON protocols, or of Query protocols, can read. */
function errorIn(isJson: boolean, code: string, message: string, status: number): Answer {
  if (isJson) {
    return {
      status,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify({ __type: code, message }),
    };
  }
  const error = { Type: 'Sender', Code: code, Message: message };
  const body = new XMLBuilder().build({ ErrorResponse: { Error: error } });
  return { status, headers: { 'content-type': 'text/xml' }, body };
}
