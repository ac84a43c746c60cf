import type { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod/mini';
import { parseJson } from './parse-json.ts';
import { inWordsOf } from './service-errors.ts';

/** A function ends after 45 seconds; the SDK must not give up and ask again before that. */
const requestHandler = { connectionTimeout: 3000, requestTimeout: 60_000, throwOnRequestTimeout: true };

/** What Lambda hands back of an error that a function threw. */
const thrown = z.object({ errorType: z.string(), errorMessage: z.string() });

/** What a function of the service answered, or how it failed. */
export type Invoked =
  | { readonly answered: string }
  /** `error` is absent if it ended otherwise than by throwing. */
  | { readonly failed: string; readonly error?: z.infer<typeof thrown> };

let client: LambdaClient | undefined;

/**
 * Calls a function of the service and waits for its answer.
 *
 * @param payload JSON
 * @throws errors of core/errors.ts if Lambda does not call it
 */
export async function invokeFunction(functionName: string, payload: string): Promise<Invoked> {
  const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  client ??= new LambdaClient({ requestHandler });
  const { FunctionError, Payload } = await client
    .send(new InvokeCommand({ FunctionName: functionName, Payload: payload }))
    .catch((error: unknown) => {
      throw inWordsOf('Lambda', `Invoke of ${functionName}`, error);
    });
  const text = Payload === undefined ? '' : new TextDecoder().decode(Payload);
  if (FunctionError === undefined) return { answered: text };
  const error = thrown.safeParse(parseJson(text)).data;
  return { failed: text, ...(error !== undefined && { error }) };
}
