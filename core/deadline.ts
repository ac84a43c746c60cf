import type { CopyRequest } from './copy-request.ts';
import type { ExecutionIdentity } from './execution.ts';

/** When somebody is told if the copy is not complete: counted from the start of the execution; the time in the queue is not included. */
export function deadlineOf(execution: Pick<ExecutionIdentity, 'startTime'>, { destination }: CopyRequest): Date {
  return new Date(Date.parse(execution.startTime) + destination.deadlineSeconds * 1000);
}
