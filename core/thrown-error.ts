import * as z from 'zod/mini';
import { CopierError } from './errors.ts';
import { redact } from './redact.ts';

/** What a call of an AWS service threw, read without trust: an SDK error, a system error of Node, or anything. */
export interface ThrownError {
  /** The service's code, or the name of what happened on the way to the service, for example `TimeoutError`. */
  readonly code: string;
  /** In one line, without secrets. */
  readonly words: string;
  /** HTTP status; absent if no answer came, and then the words are the SDK's or Node's. */
  readonly status?: number;
}

/** Services say a sentence or two. */
const LONGEST_WORDS = 1000;

const anything = z.optional(z.unknown());
const fields = z.object({ name: anything, message: anything, code: anything, $metadata: anything });
const metadata = z.object({ httpStatusCode: z.optional(z.number()) });

export function readThrown(error: unknown): ThrownError {
  const found = fields.safeParse(error);
  if (!found.success) return { code: codeOf('', ''), words: readable(String(error)) };
  const { name, message, code, $metadata } = found.data;
  const status = metadata.safeParse($metadata).data?.httpStatusCode;
  return {
    code: codeOf(asText(name), asText(code)),
    words: readable(asText(message)),
    ...(status !== undefined && { status }),
  };
}

/**
 * Whether an error says all that there is to say: one of core/errors.ts, or a mistake in our own code (TypeError and
 * the like), which is no service's. The SDK gives a `$metadata` to all that went wrong on the way to a service; only
 * code that never called one throws without.
 */
export function isOurs(error: unknown): error is Error {
  if (error instanceof CopierError) return true;
  const isMistake =
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError ||
    error instanceof URIError;
  return isMistake && !metadata.safeParse(fields.safeParse(error).data?.$metadata).success;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The SDK names an error by the service's code. Node's errors are all named Error and have the code beside. */
function codeOf(name: string, systemCode: string): string {
  const code = name === '' || name === 'Error' || name === 'AggregateError' ? systemCode || name : name;
  return /^[\w.:-]{1,100}$/.test(code) ? code : 'UnknownError';
}

function readable(message: string): string {
  return redact(message).replaceAll(/\s+/g, ' ').trim().slice(0, LONGEST_WORDS);
}
