import type { Values } from './pattern.ts';
import type { Context } from './types.ts';

/** The virtual clock puts a Date in its place that is several times slower. */
const PlainDate = Date;

/**
 * What a request has for each condition key, without regard to the case of keys.
 * @param at milliseconds since 1970: few policies ask for the time, so it is written only when one does
 */
export function valuesOf(context: Context, at: number): Values {
  const values = new Map(
    Object.entries(context).map(([key, value]) => [key.toLowerCase(), typeof value === 'string' ? [value] : value]),
  );
  return (key) => {
    switch (key) {
      case 'aws:currenttime':
        return [new PlainDate(at).toISOString()];
      case 'aws:epochtime':
        return [String(Math.floor(at / 1000))];
      default:
        return values.get(key);
    }
  };
}
