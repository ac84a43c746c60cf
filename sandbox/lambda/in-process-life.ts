import { AsyncLocalStorage } from 'node:async_hooks';

const lives = new AsyncLocalStorage<Life>();

/**
 * One invocation of a function, which may be doomed: it then dies at one of its moments. Each call of a mortal port has
 * two, just before it and just after it; the last moment is that of the answer. What runs on after its death can do
 * nothing more.
 */
export class Life {
  /** Resolves at its death, never of one that is not doomed. */
  readonly death: Promise<void>;
  readonly #doom: number | undefined;
  readonly #die: () => void;
  #calls = 0;
  #moments = 0;
  #isDead = false;

  /** @param doom after so many moments it dies, or at its answer if it has fewer; undefined = it is not doomed */
  constructor(doom: number | undefined) {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#doom = doom;
    this.death = promise;
    this.#die = () => resolve(undefined);
  }

  /** How many calls of mortal ports it has made. */
  get calls(): number {
    return this.#calls;
  }

  /** Runs the function: the calls of mortal ports that follow from it belong to this life. */
  live<Answer>(run: () => Promise<Answer>): Promise<Answer> {
    return lives.run(this, run);
  }

  /** Its answer is about to leave. Answers whether it does. */
  answers(): boolean {
    if (this.#doom !== undefined) this.#isDead = true;
    return !this.#isDead;
  }

  /** Makes one call of a mortal port, unless it dies of it: the answer then never comes. */
  call(make: () => unknown): unknown {
    this.#calls += 1;
    return this.#doom === undefined ? make() : this.#callDoomed(make, this.#doom);
  }

  async #callDoomed(make: () => unknown, doom: number): Promise<unknown> {
    await this.#moment(doom);
    try {
      return await make();
    } finally {
      await this.#moment(doom);
    }
  }

  async #moment(doom: number): Promise<void> {
    if (this.#moments === doom) {
      this.#isDead = true;
      this.#die();
    }
    this.#moments += 1;
    if (this.#isDead) await new Promise<never>(() => {});
  }
}

/**
 * The same port for functions that can be killed at its calls, without their noticing. Every method must answer with
 * a promise.
 */
export function mortal<Port extends object>(port: Port): Port {
  const methods = new Map<PropertyKey, (...args: unknown[]) => unknown>();
  return new Proxy(port, {
    get(target, name) {
      const known = methods.get(name);
      if (known !== undefined) return known;
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      const method = (...args: unknown[]): unknown => {
        const make = (): unknown => Reflect.apply(member, target, args);
        const life = lives.getStore();
        return life === undefined ? make() : life.call(make);
      };
      methods.set(name, method);
      return method;
    },
  });
}
