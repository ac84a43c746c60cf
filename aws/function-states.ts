import { GetFunctionConfigurationCommand, LambdaClient, ResourceNotFoundException } from '@aws-sdk/client-lambda';
import type { FunctionState } from '../core/doctor/stack.ts';
import { requestHandler } from './request-handler.ts';
import { inWordsOf } from './service-errors.ts';

/**
 * Looks up what state functions are in.
 *
 * @returns a function that throws errors of core/errors.ts only
 */
export function lambdaFunctionStates(): (name: string) => Promise<FunctionState> {
  const client = new LambdaClient({ requestHandler });
  return async (name) => {
    try {
      const found = await client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      const reason = found.LastUpdateStatusReason ?? found.StateReason;
      return {
        name,
        state: found.State ?? 'Active',
        ...(found.LastUpdateStatus !== undefined && { lastUpdate: found.LastUpdateStatus }),
        ...(reason !== undefined && { reason }),
      };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return { name, state: undefined };
      throw inWordsOf('Lambda', `GetFunctionConfiguration of ${name}`, error);
    }
  };
}
