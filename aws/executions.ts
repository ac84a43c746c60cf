import type { CopyRequest } from '../core/copy-request.ts';
import { callStepFunctions } from './step-functions.ts';

/** Executions of the state machine that copies. Every method throws errors of core/errors.ts only. */
export interface ExecutionApi {
  /**
   * Starts the execution of this name, once: a second start of the same name is no error and starts nothing.
   * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
   */
  start(name: string, request: CopyRequest): Promise<'started' | 'alreadyStarted'>;

  /** Undefined if there is none of this name, or none any more: Step Functions forgets them after 90 days. */
  find(name: string): Promise<ExecutionRecord | undefined>;
}

/** An execution as DescribeExecution shows it, in the form of the `detail` of its status events. */
export interface ExecutionRecord {
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: string;
  /** Milliseconds since 1970. */
  readonly startDate: number;
  readonly stopDate?: number;
  readonly input?: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** Executions on Step Functions. */
export function stepFunctionsExecutions(stateMachineArn: string): ExecutionApi {
  return {
    start: (name, request) =>
      callStepFunctions(`StartExecution of ${name}`, async (sdk, client) => {
        try {
          const input = JSON.stringify(request);
          await client.send(new sdk.StartExecutionCommand({ stateMachineArn, name, input }));
          return 'started';
        } catch (error) {
          if (error instanceof sdk.ExecutionAlreadyExists) return 'alreadyStarted';
          throw error;
        }
      }),

    find: (name) =>
      callStepFunctions(`DescribeExecution of ${name}`, async (sdk, client) => {
        const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
        try {
          const { status, startDate, stopDate, input, output, error, cause } = await client.send(
            new sdk.DescribeExecutionCommand({ executionArn }),
          );
          return {
            executionArn,
            stateMachineArn,
            name,
            status: status ?? '',
            startDate: startDate?.getTime() ?? 0,
            ...(stopDate !== undefined && { stopDate: stopDate.getTime() }),
            ...(input !== undefined && { input }),
            ...(output !== undefined && { output }),
            ...(error !== undefined && { error }),
            ...(cause !== undefined && { cause }),
          };
        } catch (error) {
          if (error instanceof sdk.ExecutionDoesNotExist) return undefined;
          throw error;
        }
      }),
  };
}
