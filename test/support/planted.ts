import * as z from 'zod';

const keyed = z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]);

/**
 * A deep copy of `data` with one mistake in it: the value at `path` (keys and indexes, joined by dots) replaced, or
 * removed if `value` is undefined. Throws if the path leads nowhere, so a mistake cannot fail to be planted.
 */
export function planted(data: unknown, path: string, value: unknown): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(data));
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let place = copy;
  for (const key of keys) {
    place = get(place, key);
    if (place === undefined) throw new Error(`There is no ${key} on the way to ${path}`);
  }
  if (typeof place !== 'object' || place === null) throw new Error(`There is nothing to change at ${path}`);
  if (get(place, last) === value) throw new Error(`${path} has that value already`);
  if (value === undefined) Reflect.deleteProperty(place, last);
  else Reflect.set(place, last, value);
  return copy;
}

function get(of: unknown, key: string): unknown {
  const data = keyed.parse(of);
  return Array.isArray(data) ? data[Number(key)] : data[key];
}
