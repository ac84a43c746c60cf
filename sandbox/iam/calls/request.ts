import type * as z from 'zod';
import type { Caller } from '../../accounts.ts';

/** A call of an API, as it came over HTTP. */
export interface ApiRequest extends Caller {
  /** As in the API reference, `StartExecution`. */
  readonly action: string;
  readonly url: URL;
  /** Of a service with JSON. */
  readonly body: string;
  /** Of a service with the Query protocol. */
  readonly params: URLSearchParams;
}

/**
 * What of a request's JSON a permission can depend on.
 * @throws NotReadable if it is wrong: the service itself says so, and does nothing
 */
export function inputOf<T extends z.ZodType>(schema: T, { body }: ApiRequest): z.output<T> {
  let input: unknown;
  try {
    input = JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw new NotReadable();
  }
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new NotReadable();
  return parsed.data;
}

/** A request that no service carries out. */
export class NotReadable extends Error {
  override readonly name = 'NotReadable';
}

/** A text that should be an ARN of this service. @throws NotReadable */
export function arnIn(text: string | null | undefined, service: string): string {
  if (text?.startsWith(`arn:aws:${service}:`) !== true || text.split(':').length < 6) throw new NotReadable();
  return text;
}

/** ARN of something of the caller's. */
export function ownArn({ account, region }: Caller, service: string, resource: string): string {
  return `arn:aws:${service}:${region}:${account}:${resource}`;
}
