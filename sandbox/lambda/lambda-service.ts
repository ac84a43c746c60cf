import { devNull } from 'node:os';
import type { Home } from '../home.ts';
import { hexDigits, type Random, uuid } from '../ids.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { type Environment, type Run, startEnvironment } from './environment.ts';
import {
  type FunctionConfig,
  FunctionNotFoundError,
  FunctionRegistry,
  type FunctionVersion,
  isNamed,
} from './function-registry.ts';
import type { FunctionRoles, FunctionSession } from './function-roles.ts';
import type { FunctionRunner, Invocation } from './function-runner.ts';
import type { FunctionLogs } from './logs.ts';

export { FunctionNotFoundError } from './function-registry.ts';

/** The end that a test prepares for one coming invocation. */
export interface Interruption {
  /** The function's name, or what its name ends with after a `-`. */
  readonly functionName: string;
  /**
   * `start`: before any of its code ran. `answer`: it did its work, and its answer is lost. `afterCall`: once the
   * sandbox has carried out that API action (`CopySnapshot`) for it, for the `nth` time (default 1), and before it
   * gets the answer.
   */
  readonly moment: 'start' | 'answer' | { readonly afterCall: string; readonly nth?: number };
  /** `crash`: the process dies. `timeout`: nothing more happens until the function's time-out, in sandbox time. */
  readonly as: 'crash' | 'timeout';
}

/**
 * Threads of one version of one function; more invocations than that wait for a free one. While time stands still
 * waiting costs nothing, and one at a time makes a run repeatable: the same calls in the same order.
 */
const ENVIRONMENTS_PER_VERSION = { jumping: 1, paced: 4 };

const KILLED = { errorType: 'Runtime.ExitError', errorMessage: 'Runtime exited with error: signal: killed' };

/** Of a function whose role was taken away. */
const WITHOUT_ROLE: Environment = {
  run: async () => ({
    kind: 'lost',
    error: {
      errorType: 'AccessDeniedException',
      errorMessage: 'The role defined for the function cannot be assumed by Lambda.',
    },
  }),
  kill: async () => {},
};

interface Pool {
  readonly config: FunctionConfig;
  readonly version: string;
  readonly idle: PooledEnvironment[];
  started: number;
  /** They get no environment when Lambda has been stopped. */
  readonly waiting: ((environment: PooledEnvironment | undefined) => void)[];
}

interface PooledEnvironment {
  readonly environment: Environment;
  /** When the keys in it are of no use any more, milliseconds since 1970. */
  readonly expiresAt: number;
  /** The invocation that its output belongs to. */
  requestId: string;
}

interface RunningInvocation {
  readonly interruption: Interruption | undefined;
  interrupted: boolean;
  /** How often the action that ends it was carried out. */
  calls: number;
  readonly kill: () => Promise<void>;
}

/**
 * Lambda: runs the functions of the stack in worker threads, each with its own environment variables and its own
 * instance of the bundle, kept warm for the next invocation.
 */
export class LambdaService implements FunctionRunner {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #home: Home;
  readonly #logs: FunctionLogs;
  readonly #compiledDir: string;
  readonly #endpoint: () => string;
  readonly #roles: FunctionRoles | undefined;
  readonly #registry: FunctionRegistry;
  readonly #pools = new Map<string, Pool>();
  readonly #interruptions: Interruption[] = [];
  readonly #running = new Map<string, RunningInvocation>();
  readonly #environments = new Set<Environment>();
  readonly #counts = new Map<string, number>();
  #stopped = false;

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly home: Home;
    readonly logs: FunctionLogs;
    /** For what Node compiled of the bundles. */
    readonly compiledDir: string;
    /** The sandbox's endpoint, asked for when an environment starts. */
    readonly endpoint: () => string;
    /** Default: functions are the administrator of their account. */
    readonly roles?: FunctionRoles;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#home = options.home;
    this.#registry = new FunctionRegistry(options.home);
    this.#logs = options.logs;
    this.#compiledDir = options.compiledDir;
    this.#endpoint = options.endpoint;
    this.#roles = options.roles;
  }

  /** @throws Error if its role is of no use to Lambda */
  add(config: FunctionConfig): void {
    this.#roles?.check(config);
    this.#registry.add(config);
  }

  publishVersion(name: string): string {
    return this.#registry.publishVersion(name);
  }

  functions(): readonly FunctionConfig[] {
    return this.#registry.functions();
  }

  /** How often each function was invoked, by name. */
  invocationCounts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  resolve(nameOrArn: string): FunctionVersion {
    return this.#registry.resolve(nameOrArn);
  }

  async invoke(nameOrArn: string, event: string, requestId: string = uuid(this.#random)): Promise<Invocation> {
    const { config, version, arn } = this.resolve(nameOrArn);
    this.#counts.set(config.name, (this.#counts.get(config.name) ?? 0) + 1);
    const interruption = this.#takeInterruption(config.name);
    const end = this.#clock.begin();
    try {
      const run =
        interruption?.moment === 'start'
          ? undefined
          : await this.#run(this.#poolOf(config, version), arn, event, requestId, interruption);
      if (run?.interrupted === false) return answerOf(run.ended, requestId, version, config);
    } finally {
      // A time-out that a test prepared passes in sandbox time, so the clock must not wait for it.
      end();
    }
    if (interruption?.as === 'timeout') {
      await new Promise<void>((resolve) => {
        this.#clock.after(config.timeoutSeconds * 1000, resolve);
      });
      return answerOf({ kind: 'timed-out' }, requestId, version, config);
    }
    return answerOf({ kind: 'lost', error: KILLED }, requestId, version, config);
  }

  /** Prepares the end of one coming invocation. Several for one function are used one after the other. */
  interruptNext(interruption: Interruption): void {
    const known = this.functions().some(({ name }) => isNamed(name, interruption.functionName));
    if (!known) throw new FunctionNotFoundError(`Function not found: ${interruption.functionName}`);
    this.#interruptions.push(interruption);
  }

  /**
   * Told by the HTTP front when an API call was carried out and its answer is about to leave. Answers true if the
   * function that called has been ended by that.
   * @param traceHeader header X-Amzn-Trace-Id, which the SDK sends from within Lambda
   */
  answering(traceHeader: string | undefined, action: string): boolean {
    const root = /Root=([^;]+)/.exec(traceHeader ?? '')?.[1];
    const running = root === undefined ? undefined : this.#running.get(root);
    const moment = running?.interruption?.moment;
    if (running === undefined || typeof moment !== 'object' || moment.afterCall !== action) return false;
    running.calls += 1;
    if (running.calls < (moment.nth ?? 1)) return false;
    running.interrupted = true;
    void running.kill();
    return true;
  }

  /** Ends all threads, and every invocation: also those that wait for a thread, and later ones, are lost. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { waiting } of this.#pools.values()) {
      for (const give of waiting.splice(0)) give(undefined);
    }
    await Promise.all([...this.#environments].map((environment) => environment.kill()));
    this.#environments.clear();
  }

  #takeInterruption(name: string): Interruption | undefined {
    const index = this.#interruptions.findIndex(({ functionName }) => isNamed(name, functionName));
    return index === -1 ? undefined : this.#interruptions.splice(index, 1)[0];
  }

  async #run(
    pool: Pool,
    invokedFunctionArn: string,
    event: string,
    requestId: string,
    interruption: Interruption | undefined,
  ): Promise<{ readonly ended: Run; readonly interrupted: boolean }> {
    const pooled = await this.#acquire(pool);
    if (pooled === undefined) return { ended: { kind: 'lost', error: KILLED }, interrupted: false };
    pooled.requestId = requestId;
    const root = `1-${hexDigits(this.#random, 8)}-${hexDigits(this.#random, 24)}`;
    const running: RunningInvocation = {
      interruption,
      interrupted: false,
      calls: 0,
      kill: () => pooled.environment.kill(),
    };
    this.#running.set(root, running);
    const ended = await pooled.environment.run({
      event,
      requestId,
      traceId: `Root=${root};Parent=${hexDigits(this.#random, 16)};Sampled=0`,
      invokedFunctionArn,
      timeoutMs: pool.config.timeoutSeconds * 1000,
      now: this.#clock.now(),
      timeRuns: this.#clock.mode === 'paced',
    });
    this.#running.delete(root);
    const interrupted = running.interrupted || interruption?.moment === 'answer';
    const usable = !interrupted && (ended.kind === 'returned' || ended.kind === 'threw');
    this.#release(pool, pooled, usable);
    return { ended, interrupted };
  }

  #poolOf(config: FunctionConfig, version: string): Pool {
    const key = `${config.name}:${version}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const fresh: Pool = { config, version, idle: [], started: 0, waiting: [] };
    this.#pools.set(key, fresh);
    return fresh;
  }

  async #acquire(pool: Pool): Promise<PooledEnvironment | undefined> {
    if (this.#stopped) return undefined;
    for (let idle = pool.idle.pop(); idle !== undefined; idle = pool.idle.pop()) {
      if (this.#lasts(idle, pool.config)) return idle;
      this.#end(pool, idle);
    }
    if (pool.started < ENVIRONMENTS_PER_VERSION[this.#clock.mode]) return this.#start(pool);
    return new Promise((resolve) => pool.waiting.push(resolve));
  }

  #release(pool: Pool, pooled: PooledEnvironment, usable: boolean): void {
    if (!usable) this.#end(pool, pooled);
    const next = pool.waiting.shift();
    if (next === undefined) {
      if (usable) pool.idle.push(pooled);
    } else if (usable && this.#lasts(pooled, pool.config)) next(pooled);
    else {
      if (usable) this.#end(pool, pooled);
      next(this.#start(pool));
    }
  }

  /** Whether its keys outlive another invocation. */
  #lasts({ expiresAt }: PooledEnvironment, { timeoutSeconds }: FunctionConfig): boolean {
    return this.#clock.now() + timeoutSeconds * 1000 < expiresAt;
  }

  #end(pool: Pool, { environment }: PooledEnvironment): void {
    pool.started -= 1;
    void environment.kill();
    this.#environments.delete(environment);
  }

  #start(pool: Pool): PooledEnvironment {
    pool.started += 1;
    const { config, version } = pool;
    const day = new Date(this.#clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
    const logStream = `${day}/[${version}]${hexDigits(this.#random, 32)}`;
    const session = this.#roles?.open(config);
    let mayLog: boolean | undefined;
    const pooled: PooledEnvironment = {
      requestId: '',
      expiresAt: session?.expiresAt ?? Number.POSITIVE_INFINITY,
      environment:
        this.#roles !== undefined && session === undefined
          ? WITHOUT_ROLE
          : startEnvironment({
              settings: config.code,
              env: { ...this.#variables(config, version, session), AWS_LAMBDA_LOG_STREAM_NAME: logStream },
              clock: this.#clock,
              onWrite: (text) => {
                mayLog ??= session?.mayLog(logStream) ?? true;
                if (mayLog) this.#logs.write(config.name, pooled.requestId, text);
              },
            }),
    };
    this.#environments.add(pooled.environment);
    return pooled;
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
  #variables(config: FunctionConfig, version: string, session: FunctionSession | undefined): Record<string, string> {
    const { account, region } = this.#home;
    return {
      ...config.environment,
      _HANDLER: config.code.handler,
      LAMBDA_TASK_ROOT: '/var/task',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_LAMBDA_FUNCTION_NAME: config.name,
      AWS_LAMBDA_FUNCTION_VERSION: version,
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(config.memoryMegabytes),
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${config.name}`,
      // The front takes a key id of 12 digits for the account's administrator.
      AWS_ACCESS_KEY_ID: session?.accessKeyId ?? account,
      AWS_SECRET_ACCESS_KEY: session?.secretAccessKey ?? 'sandbox',
      AWS_SESSION_TOKEN: session?.sessionToken ?? 'sandbox',
      AWS_ENDPOINT_URL: this.#endpoint(),
      // Nothing of the machine's own AWS settings may reach a function.
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
      // A thread starts in half the time when Node finds what it compiled before.
      NODE_COMPILE_CACHE: this.#compiledDir,
    };
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
function answerOf(run: Run, requestId: string, executedVersion: string, config: FunctionConfig): Invocation {
  const about = { requestId, executedVersion };
  switch (run.kind) {
    case 'returned':
      return { ...about, ok: true, payload: run.payload };
    case 'threw':
      return { ...about, ok: false, error: run.error };
    case 'lost': {
      const { error } = run;
      const errorMessage =
        error.trace === undefined ? `RequestId: ${requestId} Error: ${error.errorMessage}` : error.errorMessage;
      return { ...about, ok: false, error: { ...error, errorMessage } };
    }
    case 'timed-out': {
      const errorMessage = `RequestId: ${requestId} Error: Task timed out after ${config.timeoutSeconds.toFixed(2)} seconds`;
      return { ...about, ok: false, error: { errorType: 'Sandbox.Timedout', errorMessage } };
    }
    default:
      return run satisfies never;
  }
}
