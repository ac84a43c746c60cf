import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Caller } from '../accounts.ts';
import type { Ec2Service, Hang } from '../ec2/ec2-service.ts';
import type { EventsApi } from '../events/events-api.ts';
import type { Home } from '../home.ts';
import type { Guard } from '../iam/guard.ts';
import type { Sessions } from '../iam/sessions.ts';
import type { StsService } from '../iam/sts.ts';
import type { KmsService } from '../kms/kms-service.ts';
import { lambdaAction } from '../lambda/lambda-api.ts';
import type { ServiceQuotasApi } from '../service-quotas.ts';
import type { Sites } from '../site.ts';
import type { CloudFormationApi } from '../stack/cloudformation-api.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { Answer, NoAnswer } from './answer.ts';
import { awsError, type ErrorForm } from './aws-error.ts';
import type { ControlApi } from './control-api.ts';
import { accountOf, readCredentialScope } from './credential-scope.ts';
import { badSession, notAllowed } from './credentials-refused.ts';
import type { WatchedApi } from './watched-api.ts';

export interface FrontServices {
  readonly clock: VirtualClock;
  readonly home: Home;
  /** What answers for each account and Region that something is deployed to. */
  readonly sites: Sites;
  readonly ec2: Ec2Service;
  readonly kms: KmsService;
  readonly cloudformation: CloudFormationApi;
  readonly events: EventsApi;
  readonly quotas: ServiceQuotasApi;
  readonly sts: StsService;
  readonly sessions: Sessions;
  /** Asks whether a role may do what it asks for. */
  readonly guard: Guard;
  readonly control: ControlApi;
  /** By signing name: the services whose calls are counted and can be disturbed here. */
  readonly watched: ReadonlyMap<string, WatchedApi>;
}

/** A request of an AWS client, read. */
interface AwsRequest extends Caller {
  readonly service: string;
  /** The API action, whatever the protocol. */
  readonly action: string;
  readonly form: ErrorForm;
  readonly method: string;
  readonly url: URL;
  readonly header: (name: string) => string | undefined;
  readonly target: string;
  readonly body: string;
  readonly params: URLSearchParams;
}

/** What DynamoDB takes, which takes most. */
const LARGEST_BODY_BYTES = 16 * 1024 * 1024;
/** They wait, for a message or for a function, perhaps in sandbox time, for which the clock must not wait in turn. */
const WAITING_ACTIONS = new Set(['sqs ReceiveMessage', 'lambda Invoke']);

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
    const { clock, sites, control } = this.#services;
    let end = clock.begin();
    response.once('close', () => end());
    const body = await readBody(request);
    const url = new URL(request.url ?? '/', 'http://sandbox');
    if (url.pathname === '/_sandbox' || url.pathname.startsWith('/_sandbox/')) {
      this.#send(response, await control.handle(request.method ?? 'GET', url, body));
      return;
    }
    const read = this.#read(request, url, body);
    if ('status' in read) {
      this.#send(response, read);
      return;
    }
    const waits = WAITING_ACTIONS.has(`${read.service} ${read.action}`);
    if (waits) end();
    const work = (): Promise<Answer | NoAnswer | Hang> => this.#answer(read);
    const answer = await (this.#services.watched.get(read.service)?.carryOut(read, work) ?? work());
    if ('hang' in answer) {
      // The caller may count its patience in sandbox time, which must not wait for this request.
      end();
      return;
    }
    if (waits && !response.destroyed) end = clock.begin();
    const traceHeader = headerOf(request, 'x-amzn-trace-id');
    const callerIsGone = sites.all().some(({ lambda }) => lambda.answering(traceHeader, read.action));
    if (callerIsGone || 'drop' in answer) response.destroy();
    else this.#send(response, answer);
  }

  #read(request: IncomingMessage, url: URL, body: string): AwsRequest | Answer {
    const header = (name: string): string | undefined => headerOf(request, name);
    const target = header('x-amz-target') ?? '';
    const scope = readCredentialScope(header('authorization'));
    if (scope === undefined) {
      const message =
        'The sandbox takes requests that are signed as AWS wants it (any credentials will do), and GET /_sandbox';
      return awsError(target === '' ? 'query' : 'json', 'MissingAuthenticationToken', message, 403);
    }
    const { region, service } = scope;
    const session = this.#services.sessions.find(scope.accessKeyId);
    const account = session?.principal.account ?? accountOf(scope, this.#services.home.account);
    const method = request.method ?? 'GET';
    const params = new URLSearchParams(target === '' ? body : '');
    const about = { account, region, service, header, method, url, target, body, params };
    const read = { ...about, ...formOf(about), ...(session === undefined ? {} : { principal: session.principal }) };
    if (session === undefined) return read;
    if (header('x-amz-security-token') !== session.sessionToken) return badSession(read.form, 'invalid');
    return this.#services.sessions.isExpired(session) ? badSession(read.form, 'expired') : read;
  }

  async #answer(request: AwsRequest): Promise<Answer | NoAnswer | Hang> {
    const { ec2, kms, cloudformation, events, quotas, sites, home, guard, sts } = this.#services;
    // Where nothing is deployed, the services at home say so.
    const { states, dynamodb, lambdaApi } = sites.find(request) ?? sites.at(home);
    const { account, region, principal, service, header, target, body, params, action, form } = request;
    const refusal = guard.refusalOf(service, request);
    if (refusal !== undefined) return notAllowed(service, form, refusal);
    const caller = { account, region, ...(principal === undefined ? {} : { principal }) };
    switch (service) {
      case 'cloudformation':
        return cloudformation.handle({ ...caller, params });
      case 'dynamodb':
        return dynamodb.handle({ ...caller, target, body });
      case 'ec2':
        return ec2.handle({ ...caller, params });
      case 'events':
        return events.handle({ ...caller, target, body });
      case 'kms':
        return kms.handle({ ...caller, target, body });
      case 'lambda':
        return lambdaApi.handle(request);
      case 'states':
        return states.handle({ ...caller, target, body });
      case 'servicequotas':
        return quotas.handle({ ...caller, target, body });
      case 'sts':
        return sts.handle({ ...caller, params });
      case 'sns':
      case 'sqs': {
        const messaging = sites.inAccount(request)?.messaging;
        if (messaging === undefined) {
          const message = `Account ${account} has no topics and queues in the sandbox; account ${home.account} has`;
          return awsError(form, 'AuthorizationError', message, 403);
        }
        return messaging.handle({ service, region, contentType: header('content-type') ?? '', target, body });
      }
      default: {
        const message = `The sandbox does not have the service ${service} (asked for: ${action || 'no action'})`;
        return awsError(form, 'UnknownService', message, 400);
      }
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

/** The API action, and how the service writes its errors. */
function formOf({
  service,
  target,
  method,
  url,
  params,
}: Pick<AwsRequest, 'service' | 'target' | 'method' | 'url' | 'params'>): Pick<AwsRequest, 'action' | 'form'> {
  if (target !== '') return { form: 'json', action: target.split('.').at(-1) ?? '' };
  if (service === 'lambda') return { form: 'rest-json', action: lambdaAction(method, url.pathname) ?? '' };
  return { form: service === 'ec2' ? 'ec2' : 'query', action: params.get('Action') ?? '' };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > LARGEST_BODY_BYTES) throw new Error('the body is larger than 16 MiB');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
