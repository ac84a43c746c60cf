import * as z from 'zod/mini';
import { UnreadableInputError } from './errors.ts';
import type { FailedExecution } from './execution.ts';
import { parseCopyRequest } from './task-input.ts';

/** An execution that ended without a copy and without having told anybody, and when; or why there is nothing to do. */
export type EndedExecution =
  | { readonly kind: 'untold'; readonly failed: FailedExecution; readonly endedAt?: string }
  | { readonly kind: 'ignored'; readonly reason: string };

const statusChange = z.object({
  detail: z.object({
    executionArn: z.string(),
    stateMachineArn: z.string(),
    name: z.string(),
    status: z.string(),
    startDate: z.number(),
    stopDate: z.nullish(z.number()),
    input: z.nullish(z.string()),
    error: z.nullish(z.string()),
    cause: z.nullish(z.string()),
  }),
});

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
  const { detail } = parsed.data;
  const { status } = detail;
  if (status !== 'FAILED' && status !== 'TIMED_OUT' && status !== 'ABORTED') {
    return { kind: 'ignored', reason: `${detail.name} is ${status}` };
  }
  // State CopyFailed comes right after TellDeadLetterTopic, so this error says that people know.
  if (status === 'FAILED' && detail.error === 'CopyFailed') {
    return { kind: 'ignored', reason: `${detail.name} failed and told the dead-letter topic itself` };
  }
  const error = detail.error ?? undefined;
  const stopDate = detail.stopDate ?? undefined;
  return {
    kind: 'untold',
    ...(stopDate !== undefined && { endedAt: new Date(stopDate).toISOString() }),
    failed: {
      execution: {
        arn: detail.executionArn,
        name: detail.name,
        startTime: new Date(detail.startDate).toISOString(),
        stateMachineArn: detail.stateMachineArn,
      },
      request: parseCopyRequest(parseJson(detail.input ?? '', detail.executionArn)),
      ...(error !== undefined && { error: { Error: error, Cause: detail.cause ?? '' } }),
      endedAs: status,
    },
  };
}

function parseJson(text: string, executionArn: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const found = text === '' ? 'none (Step Functions leaves out more than 248 KiB)' : text.slice(0, 200);
    throw new UnreadableInputError(`The input of ${executionArn} is not JSON. Found: ${found}`, { cause });
  }
}
