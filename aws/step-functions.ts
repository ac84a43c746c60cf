import type { SFNClient } from '@aws-sdk/client-sfn';
import { classify } from '../core/ec2-error-codes.ts';
import { RequestRefusedError, ServiceTroubleError, ThrottledError } from '../core/errors.ts';
import { isOurs, readThrown } from '../core/thrown-error.ts';
import { requestHandler } from './request-handler.ts';

type Sdk = typeof import('@aws-sdk/client-sfn');

let client: SFNClient | undefined;

/**
 * Calls Step Functions. The SDK is loaded at the first call: many invocations have nothing to start.
 *
 * @param what the call and what for, for errors
 * @throws ThrottledError, ServiceTroubleError, RequestRefusedError
 */
export async function callStepFunctions<Answer>(
  what: string,
  call: (sdk: Sdk, client: SFNClient) => Promise<Answer>,
): Promise<Answer> {
  const sdk = await import('@aws-sdk/client-sfn');
  client ??= new sdk.SFNClient({ requestHandler });
  try {
    return await call(sdk, client);
  } catch (error) {
    throw inOurWords(error, what);
  }
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#API_StartExecution_Errors */
function inOurWords(error: unknown, what: string): Error {
  if (isOurs(error)) return error;
  const { code, words, status } = readThrown(error);
  const said = `${what}: ${status === undefined ? 'no answer from Step Functions but' : 'Step Functions says'} ${code}: ${words}`;
  const options = { cause: error };
  // A function that was frozen in the middle of a call wakes with an old signature.
  if (code === 'InvalidSignatureException') return new ServiceTroubleError(said, options);
  // Open executions end by themselves, so that limit clears by waiting.
  if (code === 'ExecutionLimitExceeded') return new ThrottledError(said, options);
  switch (classify(code, status)) {
    case 'throttled':
      return new ThrottledError(`Step Functions throttles. ${said}`, options);
    case 'permanent':
      return new RequestRefusedError(`Step Functions refuses a call and would refuse it again. ${said}`, options);
    default:
      return new ServiceTroubleError(`Step Functions, or the way to it, is in trouble. ${said}`, options);
  }
}
