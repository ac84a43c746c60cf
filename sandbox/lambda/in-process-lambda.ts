import type { Home } from '../home.ts';
import { type Random, uuid } from '../ids.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { type FunctionConfig, FunctionRegistry, type FunctionVersion, isNamed } from './function-registry.ts';
import type { FunctionRunner, Invocation } from './function-runner.ts';
import { Life } from './in-process-life.ts';
import type { FunctionError } from './messages.ts';

/** What a function does with an event. */
export type InProcessHandler = (event: unknown) => Promise<unknown>;

/** As `LambdaService` reports a process that was killed. */
const KILLED = 'Runtime exited with error: signal: killed';

/**
 * Lambda for bursts of hundreds of thousands of invocations: it runs given handlers in this process instead of the
 * packaged bundles in threads. Time-outs never pass, and what a handler writes goes where this process writes.
 */
export class InProcessLambda implements FunctionRunner {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #chance: Random;
  readonly #killedShare: number;
  readonly #handlers: ReadonlyMap<string, InProcessHandler>;
  readonly #registry: FunctionRegistry;
  readonly #functions = new Map<string, FunctionFigures & { readonly handler: InProcessHandler }>();

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly home: Home;
    /** By name as in serverless.yml. */
    readonly handlers: ReadonlyMap<string, InProcessHandler>;
    /** This share of all invocations dies, each at a random moment; see `mortal`. Default 0. */
    readonly killedShare?: number;
    /** Decides who dies, and when. */
    readonly chance: Random;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#chance = options.chance;
    this.#killedShare = options.killedShare ?? 0;
    this.#handlers = options.handlers;
    this.#registry = new FunctionRegistry(options.home);
  }

  /** @throws Error if there is no handler of that name */
  add(config: FunctionConfig): void {
    const [, handler] = [...this.#handlers].find(([name]) => isNamed(config.name, name)) ?? [];
    if (handler === undefined) throw new Error(`There is no handler in this process for the function ${config.name}`);
    this.#registry.add(config);
    this.#functions.set(config.name, { handler, invocations: 0, killed: 0, usualCalls: 0 });
  }

  publishVersion(name: string): string {
    return this.#registry.publishVersion(name);
  }

  resolve(nameOrArn: string): FunctionVersion {
    return this.#registry.resolve(nameOrArn);
  }

  /** How often each function was invoked, and killed, by name. */
  figures(): ReadonlyMap<string, Readonly<FunctionFigures>> {
    return this.#functions;
  }

  async invoke(nameOrArn: string, event: string, requestId: string = uuid(this.#random)): Promise<Invocation> {
    const { config, version } = this.resolve(nameOrArn);
    const figures = this.#functions.get(config.name);
    if (figures === undefined) throw new Error('unreachable: every function has figures');
    figures.invocations += 1;
    const about = { requestId, executedVersion: version };
    const life = new Life(this.#doom(figures.usualCalls));
    const end = this.#clock.begin();
    try {
      const payload = await Promise.race([
        life.live(async () => JSON.stringify([await figures.handler(JSON.parse(event))]).slice(1, -1)),
        life.death,
      ]);
      if (payload !== undefined) {
        figures.usualCalls = life.calls;
        if (life.answers()) return { ...about, ok: true, payload };
      }
    } catch (error) {
      if (life.answers()) return { ...about, ok: false, error: inLambdasWords(error) };
    } finally {
      end();
    }
    figures.killed += 1;
    const errorMessage = `RequestId: ${requestId} Error: ${KILLED}`;
    return { ...about, ok: false, error: { errorType: 'Runtime.ExitError', errorMessage } };
  }

  /** The moment at which an invocation dies, if it does: before or after one of the calls that the last one made. */
  #doom(usualCalls: number): number | undefined {
    if (this.#killedShare === 0 || this.#chance() >= this.#killedShare) return undefined;
    return Math.floor(this.#chance() * 2 * Math.max(1, usualCalls));
  }
}

interface FunctionFigures {
  invocations: number;
  killed: number;
  /** How many calls of mortal ports its last invocation made that came to its end. */
  usualCalls: number;
}

/** As Lambda's Node.js runtime does it, without a trace. */
function inLambdasWords(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: [] };
}
