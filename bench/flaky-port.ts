import { ServiceTroubleError, ThrottledError } from '../core/errors.ts';
import type { Random } from '../sandbox/ids.ts';

/** How often the calls of a port fail, and how patient the SDK under it is. */
export interface Flakiness {
  /** Of all attempts. */
  readonly share: number;
  /** The SDK makes so many attempts of one call, here without pauses. */
  readonly attempts: number;
  readonly random: Random;
}

/**
 * The same port, of whose API calls a share fails: one in three is throttled, one in three meets a service in trouble,
 * and one in three is done but its answer is lost. The SDK then calls again, as often as it does. Every method must be
 * one API call, as near as makes no difference, and answer with a promise.
 */
export function flaky<Port extends object>(port: Port, { share, attempts, random }: Flakiness): Port {
  if (share === 0) return port;
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      const attempt = async (args: unknown[]): Promise<unknown> => {
        const chance = random() / share;
        if (chance < 1 / 3) throw new ThrottledError(`${String(name)} was throttled, as asked for`);
        if (chance < 2 / 3) throw new ServiceTroubleError(`${String(name)} met a service in trouble, as asked for`);
        const answer: unknown = await Reflect.apply(member, target, args);
        if (chance < 1) throw new ServiceTroubleError(`The answer to ${String(name)} was lost, as asked for`);
        return answer;
      };
      return async (...args: unknown[]): Promise<unknown> => {
        for (let made = 1; made < attempts; made++) {
          try {
            return await attempt(args);
          } catch (error) {
            if (!(error instanceof ThrottledError || error instanceof ServiceTroubleError)) throw error;
          }
        }
        return attempt(args);
      };
    },
  });
}
