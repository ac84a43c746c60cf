import type { Fact } from '../../core/doctor/fact.ts';
import { CopierError } from '../../core/errors.ts';
import { readThrown } from '../../core/thrown-error.ts';

/**
 * Looks something up. What AWS refuses, and trouble on the way there, is an answer; a mistake of ours is thrown.
 *
 * @param actions the permissions that it takes, for example `['kms:GetKeyPolicy']`
 */
export type Look = <T>(actions: readonly string[], call: () => Promise<T>) => Promise<Fact<T>>;

/** As many calls at once as do not yet make a service throttle. */
const AT_ONCE = 12;

/** Codes of all services for a permission that is not there; EC2 and SNS have names of their own. */
const NOT_ALLOWED = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationError',
  'AuthorizationErrorException',
  'UnauthorizedOperation',
]);

/**
 * Looks at several things side by side.
 *
 * @param tell told how many of them are done, whenever one is
 */
export function lookSideBySide(tell: (done: number, asked: number) => void): Look {
  let done = 0;
  let asked = 0;
  let running = 0;
  const waiting: (() => void)[] = [];

  return async (actions, call) => {
    asked += 1;
    if (running >= AT_ONCE) await new Promise<void>((start) => waiting.push(start));
    else running += 1;
    try {
      return { value: await call() };
    } catch (error) {
      if (!(error instanceof CopierError)) throw error;
      const { code, words } = readThrown(error.cause ?? error);
      return { unknown: `${code}: ${words}`, ...(NOT_ALLOWED.has(code) && { lacks: actions }) };
    } finally {
      done += 1;
      tell(done, asked);
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
