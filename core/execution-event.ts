import * as z from 'zod/mini';
import type { CopyRequest } from './copy-request.ts';
import { UnreadableInputError } from './errors.ts';
import type { FailedExecution } from './execution.ts';
import { type ExecutionOutcome, outcomeOf } from './execution-outcome.ts';
import { parseCopyRequest } from './task-input.ts';

/** An execution that is over, or why there is nothing to do. */
export type EndedExecution =
  | {
      readonly kind: 'ended';
      readonly name: string;
      readonly request: CopyRequest;
      readonly outcome: ExecutionOutcome;
      /** Only if it failed and could not tell the dead-letter topic itself. */
      readonly untold?: Untold;
    }
  | { readonly kind: 'ignored'; readonly reason: string };

/** A failure that nobody has heard of. */
export interface Untold {
  readonly failed: FailedExecution;
  /** ISO 8601. */
  readonly endedAt?: string;
}

/** The same in events and, once dates are numbers, in DescribeExecution. */
const record = z.object({
  executionArn: z.string(),
  stateMachineArn: z.string(),
  name: z.string(),
  status: z.string(),
  startDate: z.number(),
  stopDate: z.nullish(z.number()),
  input: z.nullish(z.string()),
  output: z.nullish(z.string()),
  error: z.nullish(z.string()),
  cause: z.nullish(z.string()),
});

const statusChange = z.object({ detail: record });

/**
 * Reads an event `Step Functions Execution Status Change`.
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 *
 * @throws UnreadableInputError if it is none, or its input is no copy request: it then goes to the stuck-events queue.
 */
export function readExecutionEvent(event: unknown): EndedExecution {
  const parsed = statusChange.safeParse(event);
  if (!parsed.success) {
    throw new UnreadableInputError(`Not an execution status change:\n${z.prettifyError(parsed.error)}`);
  }
  return readExecution(parsed.data.detail);
}

/**
 * Reads what Step Functions says of an execution, in the form of the `detail` of its status events.
 *
 * @throws UnreadableInputError if its input is no copy request, or its output none of the state machine
 */
export function readExecution(detail: z.infer<typeof record>): EndedExecution {
  const { status, name, executionArn } = detail;
  if (status !== 'SUCCEEDED' && status !== 'FAILED' && status !== 'TIMED_OUT' && status !== 'ABORTED') {
    return { kind: 'ignored', reason: `${name} is ${status}` };
  }
  const request = parseCopyRequest(parseJson(detail.input ?? '', executionArn));
  const output = detail.output ?? undefined;
  const error = detail.error ?? undefined;
  const cause = detail.cause ?? undefined;
  const outcome = outcomeOf(
    {
      status,
      ...(output !== undefined && { output }),
      ...(error !== undefined && { error }),
      ...(cause !== undefined && { cause }),
    },
    executionArn,
  );
  // State CopyFailed comes right after TellDeadLetterTopic, so this error says that people know.
  const isTold = status === 'SUCCEEDED' || (status === 'FAILED' && error === 'CopyFailed');
  if (isTold) return { kind: 'ended', name, request, outcome };
  const stopDate = detail.stopDate ?? undefined;
  const untold: Untold = {
    ...(stopDate !== undefined && { endedAt: new Date(stopDate).toISOString() }),
    failed: {
      execution: {
        arn: executionArn,
        name,
        startTime: new Date(detail.startDate).toISOString(),
        stateMachineArn: detail.stateMachineArn,
      },
      request,
      // Whoever stops an execution may give a cause alone.
      ...((error ?? cause) !== undefined && { error: { Error: error ?? '', Cause: cause ?? '' } }),
      endedAs: status,
    },
  };
  return { kind: 'ended', name, request, outcome, untold };
}

function parseJson(text: string, executionArn: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = text === '' ? 'none (Step Functions leaves out more than 248 KiB)' : text.slice(0, 200);
    throw new UnreadableInputError(`The input of ${executionArn} is not JSON. Found: ${found}`, { cause });
  }
}
