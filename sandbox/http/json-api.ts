import * as z from 'zod';
import type { Caller } from '../accounts.ts';
import type { Answer } from './answer.ts';

/** One call as it comes over HTTP. `target` is the header X-Amz-Target, for example `AWSEvents.ListRules`. */
export interface JsonCall extends Caller {
  readonly target: string;
  readonly body: string;
}

/** Answers one action. @throws {JsonApiError} for whatever the service answers with an error. */
export type JsonAction = (caller: Caller, input: unknown) => Record<string, unknown>;

/** The service refuses. `code` is AWS's. */
export class JsonApiError extends Error {
  override readonly name = 'JsonApiError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Answers a call in the JSON 1.1 protocol; expected trouble is an answer too. An action that is not there is refused by
 * name.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
export function answerJson(actions: ReadonlyMap<string, JsonAction>, call: JsonCall): Answer {
  const name = call.target.split('.').at(-1) ?? '';
  const headers = { 'content-type': 'application/x-amz-json-1.1' };
  try {
    const action = actions.get(name);
    if (action === undefined) throw new JsonApiError('UnknownOperationException', `${name} is not in the sandbox`);
    return { status: 200, headers, body: JSON.stringify(action(call, parseJson(call.body))) };
  } catch (error) {
    if (!(error instanceof JsonApiError)) throw error;
    return { status: 400, headers, body: JSON.stringify({ __type: error.code, message: error.message }) };
  }
}

/** @throws JsonApiError with this code if the input does not fit */
export function readInput<T extends z.ZodType>(schema: T, input: unknown, code: string): z.output<T> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new JsonApiError(code, z.prettifyError(parsed.error));
  return parsed.data;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw new JsonApiError('SerializationException', 'The body is not JSON');
  }
}
