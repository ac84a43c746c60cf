import type { CopyProgress, Removal } from './copy-progress.ts';
import type { CopyRequest } from './copy-request.ts';
import type { PreparedSource } from './prepare-source.ts';

/** What identifies one execution of the state machine. */
export interface ExecutionIdentity {
  readonly arn: string;
  /** `<snapshot-id>-<destination-id>-<attempt>`, see `executionName`. */
  readonly name: string;
  /** ISO 8601. */
  readonly startTime: string;
  readonly stateMachineArn: string;
}

/** An execution that ends without a good copy, as ExplainFailure and on-copy-ended know it. */
export interface FailedExecution {
  readonly execution: ExecutionIdentity;
  readonly request: CopyRequest;
  /** Only for sources whose owner has the companion. */
  readonly prepared?: PreparedSource;
  /** Absent if StartCopy never succeeded, or if only the end of the execution is known. */
  readonly copy?: CopyProgress;
  /** What a Catch caught, or the error and cause that ended the execution. */
  readonly error?: CaughtError;
  /** EC2 had no slot, and then, as there is an error beside this, the request could not be put back into the queue. */
  readonly refused?: CaughtError;
  readonly removal?: Removal;
  /** How the execution ended, where ExplainFailure was not reached: no Catch sees TIMED_OUT and ABORTED. */
  readonly endedAs?: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
}

/**
 * `Error` and `Cause` as Step Functions writes them. For a Lambda function, Cause is the JSON text
 * `{"errorType":…,"errorMessage":…,"trace":[…]}`; for other errors it is plain text.
 */
export interface CaughtError {
  readonly Error: string;
  readonly Cause: string;
}
