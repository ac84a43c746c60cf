import * as z from 'zod/mini';
import type { CaughtError } from './execution.ts';

/** What a Catch of Step Functions caught, in two words: whose error it is and what it says. */
export interface ReadError {
  readonly name: string;
  readonly message: string;
}

const lambdaCause = z.object({ errorMessage: z.string() });

/** Reads `Error` and `Cause`. Of a Lambda function's error the message is the one that the function threw. */
export function readCaughtError({ Error: name, Cause: cause }: CaughtError): ReadError {
  const thrown = lambdaCause.safeParse(parseJson(cause));
  return { name, message: thrown.success ? thrown.data.errorMessage : cause };
}

/** Undefined for what is no JSON: the causes of AWS itself are plain text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
