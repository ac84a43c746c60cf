import type { Scheduler } from 'fast-check';
import { CopyOutcomeUnknownError, ServiceTroubleError } from '../../../core/errors.ts';

/** What goes wrong at one call of a port, counted over the whole run. */
export interface Fault {
  readonly call: number;
  /** `kill`: the invocation is dead. `trouble`: the call fails, and the invocation goes on. */
  readonly what: 'kill' | 'trouble';
  /** Before the call has had its effect, or after it: then its answer is lost. */
  readonly when: 'before' | 'after';
}

/** An invocation was killed; what is left of it can do nothing more. */
class Killed extends Error {
  override readonly name = 'Runtime.ExitError';
}

/** One invocation of a function. */
export class Life {
  #isOver = false;

  end(): never {
    this.#isOver = true;
    throw new Killed();
  }

  goOn(): void {
    if (this.#isOver) throw new Killed();
  }
}

/** Lets invocations of functions run at the same time, each call of a port in an order that fast-check chooses. */
export class Interleaving {
  readonly #scheduler: Scheduler;
  readonly #afterEach: () => void;
  readonly #faults: ReadonlyMap<number, Fault>;
  #calls = 0;
  /** No more faults. */
  calm = false;

  constructor(scheduler: Scheduler, faults: readonly Fault[], afterEach: () => void) {
    this.#scheduler = scheduler;
    this.#faults = new Map(faults.map((fault) => [fault.call, fault]));
    this.#afterEach = afterEach;
  }

  run(work: Promise<void>): Promise<void> {
    return this.#scheduler.waitFor(work);
  }

  /** The port, for one invocation. Every method of it must have all its effect at once, and answer with a promise. */
  port<Port extends object>(life: Life, port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => this.#call(life, String(name), () => Reflect.apply(member, target, args));
      },
    });
  }

  async #call(life: Life, name: string, make: () => unknown): Promise<unknown> {
    this.#calls += 1;
    const fault = this.calm ? undefined : this.#faults.get(this.#calls);
    await this.#scheduler.schedule(Promise.resolve(), name);
    life.goOn();
    if (fault?.when === 'before') strike(life, name, fault);
    try {
      const answer = await make();
      if (fault?.when === 'after') strike(life, name, fault);
      return answer;
    } finally {
      this.#afterEach();
    }
  }
}

function strike(life: Life, name: string, { what }: Fault): never {
  if (what === 'kill') life.end();
  if (name === 'copy') throw new CopyOutcomeUnknownError('no answer came');
  throw new ServiceTroubleError(`${name} is in trouble`);
}
