import { type Caller, scopeOf } from './accounts.ts';
import { DynamoDbService } from './dynamodb/dynamodb-service.ts';
import type { EventTargets } from './events/delivery.ts';
import type { NewEvent } from './events/event-bus.ts';
import type { Home } from './home.ts';
import type { ServiceRoles } from './iam/service-roles.ts';
import type { Random } from './ids.ts';
import { AsyncInvoker } from './lambda/async-invoker.ts';
import { FunctionRoles } from './lambda/function-roles.ts';
import { LambdaApi } from './lambda/lambda-api.ts';
import { LambdaService } from './lambda/lambda-service.ts';
import { FunctionLogs } from './lambda/logs.ts';
import { Messaging } from './messaging.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { StatesApi } from './stepfunctions/api.ts';
import { StepFunctions } from './stepfunctions/step-functions.ts';
import { Tasks } from './stepfunctions/tasks.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The services of one account and Region, for the stacks that are deployed there. */
export interface Site extends EventTargets {
  readonly home: Home;
  readonly logs: FunctionLogs;
  readonly lambda: LambdaService;
  readonly lambdaApi: LambdaApi;
  readonly asyncInvoker: AsyncInvoker;
  readonly messaging: Messaging;
  readonly stepFunctions: StepFunctions;
  readonly states: StatesApi;
  readonly dynamodb: DynamoDbService;
  readonly scheduler: Scheduler;
}

export interface SiteOptions {
  readonly clock: VirtualClock;
  readonly random: Random;
  /** For the moments at which schedules fire. */
  readonly scheduleRandom: Random;
  /** Whether schedules fire at all. */
  readonly schedulesAreOn: boolean;
  /** For what Node compiled of bundles. */
  readonly compiledDir: string;
  /** The sandbox's endpoint. */
  readonly endpoint: () => string;
  readonly roles: ServiceRoles;
  /** Takes an event of a service for the default bus of the event's account and Region. */
  readonly emit: (event: NewEvent) => void;
}

/** All sites of a sandbox. One comes into being when it is first asked for. */
export class Sites {
  readonly #options: SiteOptions;
  readonly #sites = new Map<string, Site>();

  constructor(options: SiteOptions) {
    this.#options = options;
  }

  at({ account, region }: Home): Site {
    const home = { account, region };
    const known = this.find(home);
    if (known !== undefined) return known;
    const site = makeSite(home, this.#options);
    this.#sites.set(scopeOf(home), site);
    return site;
  }

  find(place: Caller): Site | undefined {
    return this.#sites.get(scopeOf(place));
  }

  /** Some site of that account, if not in that Region. */
  inAccount(place: Caller): Site | undefined {
    return this.find(place) ?? this.all().find(({ home }) => home.account === place.account);
  }

  all(): readonly Site[] {
    return [...this.#sites.values()];
  }

  async stop(): Promise<void> {
    await Promise.all(this.all().map(({ lambda }) => lambda.stop()));
    await Promise.all(this.all().map(({ messaging }) => messaging.stop()));
  }
}

function makeSite(home: Home, options: SiteOptions): Site {
  const { clock, random, endpoint, roles } = options;
  const functionRoles = new FunctionRoles(roles, home);
  const logs = new FunctionLogs(clock);
  const lambda = new LambdaService({
    clock,
    random,
    home,
    logs,
    compiledDir: options.compiledDir,
    endpoint,
    roles: functionRoles,
  });
  const messaging = new Messaging({ clock, home, endpoint });
  const asyncInvoker = new AsyncInvoker({ clock, random, lambda, messaging, logs, roles: functionRoles });
  const tasks = new Tasks({ lambda, messaging });
  const emit = (event: NewEvent): void => options.emit({ ...home, ...event });
  const stepFunctions = new StepFunctions({ clock, random, home, tasks, emit, roles });
  return {
    home,
    logs,
    lambda,
    lambdaApi: new LambdaApi({ lambda, asyncInvoker, logs, home, deployedAt: clock.now() }),
    asyncInvoker,
    messaging,
    stepFunctions,
    states: new StatesApi({ stepFunctions, home }),
    startExecution: (request) => stepFunctions.start(request),
    dynamodb: new DynamoDbService({ clock, home }),
    scheduler: new Scheduler({
      clock,
      random: options.scheduleRandom,
      home,
      asyncInvoker,
      isOn: options.schedulesAreOn,
      roles,
    }),
  };
}
