import * as z from 'zod/mini';
import type { CopyRequest } from '../core/copy-request.ts';
import { RequestRefusedError, ServiceTroubleError } from '../core/errors.ts';
import { REQUESTS_AT_ONCE, type RefusedRequest, type RequestAnswer } from '../core/request-answer.ts';
import { type Invoked, invokeFunction } from './invoke-function.ts';
import { parseJson } from './parse-json.ts';

/** Of Lambda's 6 MB, with room for what is around the requests: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LARGEST_BATCH_BYTES = 5_000_000;

const answers = z.object({
  answers: z.array(
    z.union([
      z.object({
        accepted: z.boolean(),
        status: z.literal(['waiting', 'running', 'copied', 'failed', 'skipped']),
        reason: z.string(),
        copyId: z.exactOptional(z.string()),
      }),
      z.object({ refused: z.string() }),
    ]),
  ),
});

type Answer = RequestAnswer | RefusedRequest;

/**
 * Asks the service for copies by hand. One answer for each request, in their order. Asking twice is harmless. If there
 * are many, several calls are made one after the other; an error may come after the first of them, and then those
 * requests wait already.
 *
 * @param functionName of the function `requestCopy` of serverless.yml
 * @param onAnswered is told after each call how many are answered so far
 * @throws ThrottledError, ServiceTroubleError, RequestRefusedError
 */
export async function requestCopies(
  functionName: string,
  requests: readonly CopyRequest[],
  onAnswered: (count: number) => void = () => {},
): Promise<readonly Answer[]> {
  const all: Answer[] = [];
  for (const batch of batches(requests.map((request) => JSON.stringify(request)))) {
    all.push(...(await invoke(functionName, batch)));
    onAnswered(all.length);
  }
  return all;
}

async function invoke(functionName: string, requests: readonly string[]): Promise<readonly Answer[]> {
  const what = `Invoke of ${functionName}`;
  const invoked = await invokeFunction(functionName, `{"requests":[${requests.join(',')}]}`);
  if ('failed' in invoked) throw functionError(what, invoked);
  const parsed = answers.safeParse(parseJson(invoked.answered)).data?.answers;
  if (parsed?.length === requests.length) return parsed;
  throw new RequestRefusedError(
    `${what}: the function answered what this command does not know: ${invoked.answered.slice(0, 200)}. ${VERSIONS}`,
  );
}

const VERSIONS = 'Command and service may be of different versions: deploy this one.';

function functionError(what: string, { failed, error }: Extract<Invoked, { failed: string }>): Error {
  if (error === undefined) return new ServiceTroubleError(`${what}: the function failed: ${failed.slice(0, 500)}`);
  const { errorType, errorMessage } = error;
  const said = `${what}: the function failed with ${errorType}: ${errorMessage}`;
  if (errorType === 'UnreadableInputError') {
    return new RequestRefusedError(`${said} ${VERSIONS}`);
  }
  return new ServiceTroubleError(`${said} Its log says more. Asking again is harmless.`);
}

function batches(requests: readonly string[]): readonly (readonly string[])[] {
  const full: string[][] = [];
  let bytes = 0;
  for (const request of requests) {
    const size = new TextEncoder().encode(request).length + 1;
    const batch = full.at(-1);
    if (batch === undefined || batch.length >= REQUESTS_AT_ONCE || bytes + size > LARGEST_BATCH_BYTES) {
      full.push([request]);
      bytes = size;
    } else {
      batch.push(request);
      bytes += size;
    }
  }
  return full;
}
