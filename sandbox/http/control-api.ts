import * as z from 'zod';
import { ACCOUNT_ID_PATTERN } from '../accounts.ts';
import { type Ec2Service, FaultError } from '../ec2/ec2-service.ts';
import { busArnOf } from '../events/bus-arn.ts';
import type { EventBus } from '../events/event-bus.ts';
import { EVENT_FAULT_KINDS, EventFaultError } from '../events/event-faults.ts';
import type { Home } from '../home.ts';
import type { Site, Sites } from '../site.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { type Answer, json, text } from './answer.ts';
import { ApiFaultError } from './api-faults.ts';
import type { WatchedApi } from './watched-api.ts';

const HELP = `Control of the sandbox

GET    /_sandbox                 this text
GET    /_sandbox/faults          faults that wait to happen
POST   /_sandbox/faults          make something go wrong: one JSON object, or a list of them
DELETE /_sandbox/faults          forget all faults; with ?id=<id> only that one
GET    /_sandbox/executions      all executions of the state machines; with ?status=FAILED only those
GET    /_sandbox/logs            what the functions wrote; with ?function=<end of its name> only that one
GET    /_sandbox/calls           calls of EC2 and what became of them; with ?action=CopySnapshot only those
GET    /_sandbox/events          all events, on any bus, and those that EventBridge had to drop
POST   /_sandbox/events          put an event on a bus, as it is: {"detail-type":..., "detail":{...}, ...}
                                 by default on that of its "account" and "region", else on "bus": a name (at home) or an ARN
POST   /_sandbox/speed           have time run faster or slower from now on: {"speed":1000} times real time
GET    /_sandbox/confirmations   subscriptions that wait for somebody to confirm them
POST   /_sandbox/confirmations   confirm those of an endpoint, as if its link were clicked: {"endpoint":"me@example.com"}

Faults of events, all with "times" (default 1) and, as filters, "detailType" and "event" (= detail.event):
  {"kind":"duplicate-event","event":"createSnapshot","seconds":30}
  {"kind":"lose-event"}   {"kind":"delay-event","seconds":600}   {"kind":"reorder-events","times":3}
  {"kind":"fail-delivery","times":2}
Faults of EC2, for example:
  {"kind":"error","action":"CopySnapshot","code":"RequestLimitExceeded","times":3}
  {"kind":"lost-answer","action":"CopySnapshot"}
  {"kind":"copy-error","stateMessage":"Given key ID is not accessible"}
  {"kind":"slow-copy","factor":10}
Faults of other services, which they name (dynamodb, states, sns, kms, cloudformation, …):
  {"service":"dynamodb","kind":"error","action":"PutItem","code":"ThrottlingException","times":3}
  {"service":"states","kind":"lost-answer","action":"StartExecution"}   {"service":"sns","kind":"hang"}
All of them: docs/sandbox.md and docs/sandbox-ec2.md
`;

const kindOnly = z.looseObject({ kind: z.string() });
const withService = z.looseObject({ service: z.string() });

const speedInput = z.strictObject({ speed: z.int().min(1).max(10_000) });

const confirmation = z.strictObject({ endpoint: z.string().min(1) });

const eventInput = z.strictObject({
  'detail-type': z.string(),
  detail: z.record(z.string(), z.unknown()),
  source: z.string().default('aws.ec2'),
  account: z.string().regex(ACCOUNT_ID_PATTERN, 'must be 12 digits').optional(),
  region: z.string().min(1).optional(),
  resources: z.array(z.string()).optional(),
  id: z.string().optional(),
  time: z.string().optional(),
  version: z.literal('0').optional(),
  /** Name of a bus at home, or ARN of any. */
  bus: z.string().min(1).optional(),
});

/** A request that the control endpoints cannot take. The message is for the one who sent it. */
class BadRequest extends Error {}

/** The sandbox's own endpoints, beside those of AWS. */
export class ControlApi {
  readonly #ec2: Pick<Ec2Service, 'faults' | 'calls'>;
  readonly #bus: EventBus;
  readonly #sites: Pick<Sites, 'all'>;
  readonly #home: Home;
  readonly #clock: Pick<VirtualClock, 'mode' | 'setSpeed'>;
  readonly #watched: ReadonlyMap<string, WatchedApi>;

  constructor(options: {
    readonly ec2: Pick<Ec2Service, 'faults' | 'calls'>;
    readonly bus: EventBus;
    readonly sites: Pick<Sites, 'all'>;
    readonly home: Home;
    readonly clock: Pick<VirtualClock, 'mode' | 'setSpeed'>;
    /** By service: the APIs that faults can name. */
    readonly watched: ReadonlyMap<string, WatchedApi>;
  }) {
    this.#ec2 = options.ec2;
    this.#bus = options.bus;
    this.#sites = options.sites;
    this.#home = options.home;
    this.#clock = options.clock;
    this.#watched = options.watched;
  }

  async handle(method: string, url: URL, body: string): Promise<Answer> {
    try {
      switch (`${method} ${url.pathname}`) {
        case 'GET /_sandbox':
        case 'GET /_sandbox/':
          return text(200, HELP);
        case 'GET /_sandbox/faults':
          return json(200, this.#faults());
        case 'POST /_sandbox/faults':
          return json(
            201,
            [parseJson(body)].flat().map((fault) => this.#addFault(fault)),
          );
        case 'DELETE /_sandbox/faults':
          return json(200, { forgotten: this.#clearFaults(url.searchParams.get('id') ?? undefined) });
        case 'GET /_sandbox/executions':
          return json(200, this.#executions(url.searchParams.get('status')));
        case 'GET /_sandbox/logs':
          return json(200, this.#linesOf(url.searchParams.get('function') ?? ''));
        case 'GET /_sandbox/calls':
          return json(200, this.#calls(url.searchParams.get('action')));
        case 'GET /_sandbox/events':
          return json(200, { events: this.#bus.events(), dropped: this.#bus.dropped() });
        case 'POST /_sandbox/events':
          return json(202, this.#putEvent(parseJson(body)));
        case 'POST /_sandbox/speed':
          return json(200, this.#setSpeed(parseJson(body)));
        case 'GET /_sandbox/confirmations':
          return json(
            200,
            this.#all(({ messaging }) => messaging.pendingSubscriptions()),
          );
        case 'POST /_sandbox/confirmations':
          return json(200, { confirmed: await this.#confirm(parseJson(body)) });
        default:
          return text(404, `The sandbox has no ${method} ${url.pathname}. GET /_sandbox says what there is.\n`);
      }
    } catch (error) {
      if (!isForTheSender(error)) throw error;
      return text(400, `${error.message}\n`);
    }
  }

  #faults(): readonly { readonly id: string }[] {
    const others = [...this.#watched].flatMap(([service, { faults }]) =>
      faults.list().map((listed) => ({ ...listed, fault: { service, ...listed.fault } })),
    );
    return [...this.#ec2.faults.list(), ...this.#bus.faults.list(), ...others];
  }

  #addFault(input: unknown): unknown {
    const ofService = withService.safeParse(input);
    if (ofService.success) {
      const { service, ...fault } = ofService.data;
      const api = this.#watched.get(service);
      if (api !== undefined) return api.faults.add(fault);
      throw new BadRequest(
        `"service" can be ${[...this.#watched.keys()].join(', ')}; faults of EC2 and events name none.`,
      );
    }
    const named = kindOnly.safeParse(input);
    return named.success && EVENT_FAULT_KINDS.has(named.data.kind)
      ? this.#bus.faults.add(input)
      : this.#ec2.faults.add(input);
  }

  #clearFaults(id: string | undefined): number {
    const all = [this.#ec2.faults, this.#bus.faults, ...[...this.#watched.values()].map(({ faults }) => faults)];
    const forgotten = all.reduce((sum, faults) => sum + faults.clear(id), 0);
    if (id !== undefined && forgotten === 0) throw new BadRequest(`There is no fault ${id}.`);
    return forgotten;
  }

  #executions(status: string | null): unknown {
    return this.#all(({ stepFunctions }) => stepFunctions.executions())
      .filter((each) => status === null || each.status === status)
      .toSorted((one, other) => one.startDate - other.startDate)
      .map(({ history, startDate, stopDate, input, output, ...rest }) => ({
        ...rest,
        startDate: new Date(startDate).toISOString(),
        stopDate: stopDate === undefined ? undefined : new Date(stopDate).toISOString(),
        stateNow: stopDate === undefined ? history.findLast(isStateEntered)?.details?.['name'] : undefined,
        input: parseJson(input),
        output: output === undefined ? undefined : parseJson(output),
      }));
  }

  #linesOf(functionName: string): unknown {
    return this.#all(({ home, logs }) => logs.lines().map((line) => ({ ...line, ...home })))
      .filter((line) => line.functionName.endsWith(functionName))
      .toSorted((one, other) => one.time.localeCompare(other.time));
  }

  #calls(action: string | null): unknown {
    return this.#ec2.calls
      .filter((call) => action === null || call.action === action)
      .map((call) => ({ ...call, at: new Date(call.at).toISOString() }));
  }

  #setSpeed(input: unknown): unknown {
    const parsed = speedInput.safeParse(input);
    if (!parsed.success) throw new BadRequest(`This is no speed:\n${z.prettifyError(parsed.error)}`);
    if (this.#clock.mode === 'jumping') throw new BadRequest('Time stands still here until a test moves it.');
    this.#clock.setSpeed(parsed.data.speed);
    return parsed.data;
  }

  async #confirm(input: unknown): Promise<number> {
    const parsed = confirmation.safeParse(input);
    if (!parsed.success) throw new BadRequest(`This names no endpoint:\n${z.prettifyError(parsed.error)}`);
    const { endpoint } = parsed.data;
    const confirmations = this.#sites.all().map(({ messaging }) => messaging.confirmSubscriptions(endpoint));
    const confirmed = (await Promise.all(confirmations)).reduce((sum, each) => sum + each, 0);
    if (confirmed === 0) throw new BadRequest(`No subscription waits for ${endpoint}.`);
    return confirmed;
  }

  #putEvent(input: unknown): unknown {
    const parsed = eventInput.safeParse(input);
    if (!parsed.success) throw new BadRequest(`This is not an event:\n${z.prettifyError(parsed.error)}`);
    const { bus, ...rest } = parsed.data;
    const event = this.#bus.fill(rest);
    if (bus === undefined) this.#bus.put(event);
    else {
      const arn = busArnOf(this.#home, bus);
      if (this.#bus.buses.find(arn) === undefined) throw new BadRequest(`There is no event bus ${arn}.`);
      this.#bus.put(event, arn);
    }
    return event;
  }

  #all<T>(of: (site: Site) => readonly T[]): readonly T[] {
    return this.#sites.all().flatMap(of);
  }
}

function isForTheSender(error: unknown): error is Error {
  return [BadRequest, FaultError, EventFaultError, ApiFaultError].some((kind) => error instanceof kind);
}

function isStateEntered({ type }: { readonly type: string }): boolean {
  return type.endsWith('StateEntered');
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new BadRequest('The body is not JSON.');
  }
}
