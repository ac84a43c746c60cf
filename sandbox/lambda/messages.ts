/** What the sandbox and the worker thread of an execution environment say to each other. */

/** Given to the thread when it starts. */
export interface EnvironmentSettings {
  /** Absolute path of the module that exports the handler. */
  readonly file: string;
  /** Name of the export. */
  readonly handler: string;
}

/** To the thread: run the handler once. */
export interface Invoke {
  readonly event: string;
  readonly requestId: string;
  /** Value of `_X_AMZN_TRACE_ID`. */
  readonly traceId: string;
  readonly invokedFunctionArn: string;
  readonly timeoutMs: number;
  /** What `Date` says at the start, milliseconds since 1970. */
  readonly now: number;
  /** Whether `Date` goes on during the invocation, or stands still as the sandbox's own time does. */
  readonly timeRuns: boolean;
}

/** An error as Lambda reports it: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** From the thread. */
export type FromEnvironment =
  | { readonly kind: 'started' }
  /** The module could not be loaded; the thread is of no use any more. */
  | { readonly kind: 'not-started'; readonly error: FunctionError }
  | { readonly kind: 'wrote'; readonly text: string }
  | { readonly kind: 'returned'; readonly payload: string }
  | { readonly kind: 'threw'; readonly error: FunctionError };
