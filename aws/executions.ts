import type { SFNClient } from '@aws-sdk/client-sfn';
import type { CopyRequest } from '../core/copy-request.ts';
import { requestHandler } from './request-handler.ts';

/** Starts executions of the state machine. */
export interface ExecutionApi {
  /**
   * Starts the execution of this name, once: a second start of the same name is no error and starts nothing.
   * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
   */
  start(name: string, request: CopyRequest): Promise<'started' | 'alreadyStarted'>;
}

/** Executions on Step Functions. */
export function stepFunctionsExecutions(stateMachineArn: string): ExecutionApi {
  let client: SFNClient | undefined;
  return {
    async start(name, request) {
      // Loaded for the first snapshot that a rule selects: most events are of others.
      const { ExecutionAlreadyExists, SFNClient, StartExecutionCommand } = await import('@aws-sdk/client-sfn');
      client ??= new SFNClient({ requestHandler });
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(request) }));
        return 'started';
      } catch (error) {
        if (error instanceof ExecutionAlreadyExists) return 'alreadyStarted';
        throw error;
      }
    },
  };
}
