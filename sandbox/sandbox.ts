import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type Companion, deployCompanion } from './companions.ts';
import { DynamoDbService } from './dynamodb/dynamodb-service.ts';
import { type Ec2Options, Ec2Service } from './ec2/ec2-service.ts';
import { EventBus } from './events/event-bus.ts';
import { EventsApi } from './events/events-api.ts';
import { HOME_ACCOUNT, type Home } from './home.ts';
import { ControlApi } from './http/control-api.ts';
import { HttpFront } from './http/front.ts';
import { WatchedApi } from './http/watched-api.ts';
import { seededRandom } from './ids.ts';
import { KeyStore } from './kms/key-store.ts';
import { KmsService } from './kms/kms-service.ts';
import { AsyncInvoker } from './lambda/async-invoker.ts';
import { LambdaApi } from './lambda/lambda-api.ts';
import { LambdaService } from './lambda/lambda-service.ts';
import { FunctionLogs, type LogLine, type MetricValue } from './lambda/logs.ts';
import { type Message, Messaging } from './messaging.ts';
import { ResourcePolicies } from './resource-policies.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { ServiceQuotasApi } from './service-quotas.ts';
import { CloudFormationApi } from './stack/cloudformation-api.ts';
import { deployStack, type Stack } from './stack/deploy.ts';
import { DeployedStacks } from './stack/deployed-stacks.ts';
import { StatesApi } from './stepfunctions/api.ts';
import { StepFunctions } from './stepfunctions/step-functions.ts';
import { Tasks } from './stepfunctions/tasks.ts';
import { installVirtualClock, type TimeMode, type VirtualClock } from './virtual-clock.ts';
import { compiledIn, functionsIn, markAsUsed, removeLeftOvers, WORK_DIR } from './work-dir.ts';

export interface SandboxOptions {
  /** What `serverless package` wrote: the template, and the functions' zip files. */
  readonly packageDir: string;
  /** Of the endpoint, on the loopback address. Default 0: any free one. */
  readonly port?: number;
  readonly time: TimeMode;
  /** The sandbox's time at the start. Default: with `jumping` 2026-01-05 09:00 UTC, with `paced` the real time. */
  readonly start?: Date;
  /** Where the service is deployed. Default eu-west-1. */
  readonly home?: { readonly region: string };
  /** Copies that may run at once per destination Region. Default 20. */
  readonly slots?: number;
  /** For ids and jitter. Default 1. */
  readonly seed?: number;
  readonly ec2?: Partial<Omit<Ec2Options, 'clock' | 'emit' | 'keys'>>;
  /** Values of the template's parameters, instead of their defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** `off`: the schedules of the template never fire. Default `on`. */
  readonly schedules?: 'on' | 'off';
  /** Templates of companions/, and the Regions of the home account that they are deployed to. */
  readonly companions?: readonly Companion[];
  /** How many events `bus.events()` remembers. Default 100,000. */
  readonly eventsKept?: number;
}

/** A running sandbox: a local AWS with the packaged service deployed in it. */
export interface Sandbox {
  readonly clock: VirtualClock;
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly home: Home;
  readonly ec2: Ec2Service;
  readonly keys: KeyStore;
  readonly kms: KmsService;
  readonly bus: EventBus;
  readonly lambda: LambdaService;
  readonly asyncInvoker: AsyncInvoker;
  readonly stepFunctions: StepFunctions;
  readonly messaging: Messaging;
  /** The calls of these services that come over HTTP, and what is to go wrong with them. */
  readonly dynamodb: WatchedApi;
  readonly states: WatchedApi;
  readonly sns: WatchedApi;
  /**
   * The same of any of them and of `cloudformation`, `events`, `kms`, `lambda`, `servicequotas` and `sts`, by signing
   * name.
   */
  api(service: string): WatchedApi;
  /** Outputs of the stack. */
  readonly outputs: Readonly<Record<string, string>>;
  /** What `Ref` gives for each resource of the stack, by logical id. */
  readonly physicalIds: ReadonlyMap<string, string>;
  /** See `VirtualClock.advance`. */
  advance(ms: number): Promise<void>;
  /** See `VirtualClock.advanceUntil`. */
  advanceUntil(reached: () => boolean | Promise<boolean>, limitMs: number): Promise<void>;
  /** What is on a queue, or was published to a topic; by name, ARN or logical id. */
  messages(queueOrTopic: string): Promise<readonly Message[]>;
  logs(): readonly LogLine[];
  metrics(): readonly MetricValue[];
  /** Ends everything and gives the process its own time back. */
  stop(): Promise<void>;
}

const TEMPLATE_FILE = 'cloudformation-template-update-stack.json';
const STATE_FILE = 'serverless-state.json';
const HOUR_MS = 3_600_000;

const state = z.object({
  service: z.object({
    service: z.string(),
    provider: z.object({
      stage: z.string(),
      stackName: z.string().optional(),
      stackTags: z.record(z.string(), z.string()).default({}),
    }),
  }),
});

/**
 * Starts a sandbox. One at a time in a process, for its clock replaces the process's own.
 * @throws TemplateError if the package has something that the sandbox does not honour
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { packageDir, time, seed = 1 } = options;
  removeLeftOvers(WORK_DIR);
  const home = { account: HOME_ACCOUNT, region: options.home?.region ?? 'eu-west-1' };
  const template = readJson(packageDir, TEMPLATE_FILE);
  const { service } = state.parse(readJson(packageDir, STATE_FILE));
  const stackName = service.provider.stackName ?? `${service.service}-${service.provider.stage}`;

  const start = options.start ?? (time.mode === 'jumping' ? new Date('2026-01-05T09:00:00Z') : new Date());
  const clock = installVirtualClock({ start, time });
  const random = seededRandom(seed);
  const systemRandom = Math.random;
  // The interpreter of state machines takes its jitter from here.
  Math.random = seededRandom(seed + 1);

  let endpoint = '';
  const logs = new FunctionLogs(clock);
  const lambda = new LambdaService({
    clock,
    random,
    home,
    logs,
    compiledDir: compiledIn(WORK_DIR),
    endpoint: () => endpoint,
  });
  const messaging = new Messaging({ clock, home, endpoint: () => endpoint });
  const asyncInvoker = new AsyncInvoker({ clock, random, lambda, messaging, logs });
  const policies = new ResourcePolicies();
  const bus: EventBus = new EventBus({
    clock,
    random,
    home,
    asyncInvoker,
    messaging,
    policies,
    startExecution: (request) => stepFunctions.start(request),
    eventsKept: options.eventsKept,
  });
  const tasks = new Tasks({ lambda, messaging });
  const stepFunctions = new StepFunctions({ clock, random, home, tasks, emit: (event) => bus.put(bus.fill(event)) });
  const keys = new KeyStore({ clock, random: seededRandom(seed + 2) });
  const kms = new KmsService({ keys });
  const ec2 = new Ec2Service({
    random: seededRandom(seed + 3),
    ...(options.slots === undefined ? {} : { slotsPerRegion: options.slots }),
    ...options.ec2,
    clock,
    keys,
    emit: (event) => bus.put(event),
  });
  const tables = new DynamoDbService({ clock, home });
  const scheduler = new Scheduler({
    clock,
    random: seededRandom(seed + 4),
    home,
    asyncInvoker,
    isOn: options.schedules !== 'off',
  });
  const chance = seededRandom(seed + 5);
  const watch = (service: string): WatchedApi => new WatchedApi({ service, clock, random: chance });
  const apis = { dynamodb: watch('dynamodb'), states: watch('states'), sns: watch('sns') };
  const watched = new Map([
    ...Object.entries(apis),
    ...['cloudformation', 'events', 'kms', 'lambda', 'servicequotas', 'sts'].map(
      (service) => [service, watch(service)] as const,
    ),
  ]);
  const stacks = new DeployedStacks();
  const control = new ControlApi({ ec2, bus, stepFunctions, logs, watched, messaging });
  const front = new HttpFront({
    clock,
    home,
    ec2,
    kms,
    states: new StatesApi({ stepFunctions, home }),
    dynamodb: tables,
    messaging,
    lambda,
    lambdaApi: new LambdaApi({ lambda, asyncInvoker, logs, home, deployedAt: clock.now() }),
    events: new EventsApi({ bus, home }),
    quotas: new ServiceQuotasApi({ ec2 }),
    cloudformation: new CloudFormationApi({ stacks, random: seededRandom(seed + 6) }),
    control,
    watched,
  });

  let forgetBundles = (): void => {};
  /** A sandbox that runs for days may still have to load a bundle again. */
  function keepBundles(codeDirs: readonly string[]): void {
    forgetBundles = clock.afterReal(HOUR_MS, () => {
      for (const directory of codeDirs) markAsUsed(directory);
      keepBundles(codeDirs);
    });
  }

  function api(service: string): WatchedApi {
    const found = watched.get(service);
    if (found === undefined)
      throw new Error(`No service ${service} is watched: ${[...watched.keys()].join(', ')} are.`);
    return found;
  }

  async function stop(): Promise<void> {
    forgetBundles();
    clock.uninstall();
    Math.random = systemRandom;
    await front.close();
    await lambda.stop();
    await messaging.stop();
  }

  let stack: Stack;
  try {
    endpoint = `http://127.0.0.1:${await front.listen(options.port ?? 0)}`;
    stack = await deployStack(
      {
        template,
        stackName,
        home,
        seed,
        packageDir,
        codeDir: functionsIn(WORK_DIR),
        parameters: options.parameters ?? {},
      },
      { lambda, asyncInvoker, messaging, bus, policies, stepFunctions, dynamodb: tables, scheduler },
    );
    stacks.add({
      ...stack.contents,
      createdAt: clock.now(),
      // Serverless uploads the template without spaces, and tags the stack with its stage.
      template: JSON.stringify(template),
      tags: { STAGE: service.provider.stage, ...service.provider.stackTags },
    });
    for (const [index, companion] of (options.companions ?? []).entries()) {
      const place = { account: home.account, region: companion.region };
      const { stackName: name = `companion-${index + 1}` } = companion;
      const contents = deployCompanion(companion, { place, stackName: name, seed }, bus);
      stacks.add({ ...contents, createdAt: clock.now(), tags: {} });
    }
    keepBundles(stack.codeDirs);
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    clock,
    endpoint,
    home,
    ec2,
    keys,
    kms,
    bus,
    lambda,
    asyncInvoker,
    stepFunctions,
    messaging,
    ...apis,
    api,
    outputs: stack.outputs,
    physicalIds: stack.physicalIds,
    advance: (ms) => clock.advance(ms),
    advanceUntil: (reached, limitMs) => clock.advanceUntil(reached, limitMs),
    messages: (queueOrTopic) =>
      messaging.messages(stack.physicalIds.get(queueOrTopic)?.split('/').at(-1) ?? queueOrTopic),
    logs: () => logs.lines(),
    metrics: () => logs.metrics(),
    stop,
  };
}

function readJson(packageDir: string, name: string): unknown {
  const file = join(packageDir, name);
  if (!existsSync(file))
    throw new Error(`There is no ${file}: \`npx serverless package --package ${packageDir}\` makes it.`);
  return JSON.parse(readFileSync(file, 'utf8'));
}
