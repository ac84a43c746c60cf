import { type Destination, destinationId } from './destination.ts';
import { UnreadableInputError } from './errors.ts';

export interface ExecutionNameParts {
  readonly snapshotId: string;
  /** See `destinationId`. */
  readonly destination: string;
  /** 1 for the first execution; each that EC2 sends back to the queue, and each start by hand, adds one. A dry run has 0, which does not count. */
  readonly attempt: number;
}

/** Step Functions takes no longer one: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const LONGEST = 80;

/**
 * The name of an execution. The same snapshot, destination and attempt have the same name, so that Step Functions
 * takes a second delivery of an event for the same execution, for 90 days:
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 *
 * @throws UnreadableInputError if Step Functions would not take the name. Snapshot ids and destinations are never so.
 */
export function executionName(
  snapshotId: string,
  destination: Pick<Destination, 'region' | 'outpost' | 'localZone'>,
  attempt: number,
): string {
  const name = `${snapshotId}-${destinationId(destination)}-${attempt}`;
  if (!isExecutionName(name)) {
    throw new UnreadableInputError(
      `"${name}" cannot name an execution: at most ${LONGEST} characters of 0-9 A-Z a-z _ -, for example snap-0123456789abcdef0-eu-central-1-1.`,
    );
  }
  return name;
}

/** Whether Step Functions takes it, whoever made it. */
export function isExecutionName(name: string): boolean {
  return /^[0-9A-Za-z_-]+$/.test(name) && name.length <= LONGEST;
}

/** The parts of a name that `executionName` made; undefined for any other, as people give to executions by hand. */
export function parseExecutionName(name: string): ExecutionNameParts | undefined {
  const parts = /^(snap-[0-9a-f]+)-([a-z]{2,4}(?:-[a-z]+)+-\d(?:-[a-z0-9-]+)?)-([1-9]\d*)$/.exec(name);
  if (parts === null) return undefined;
  const [, snapshotId = '', destination = '', attempt] = parts;
  return { snapshotId, destination, attempt: Number(attempt) };
}

/** The name for starting an execution again: the next attempt, or for a name that was given by hand, that name and `-2`. */
export function nextAttemptName(name: string): string {
  const parts = parseExecutionName(name);
  if (parts === undefined) return `${name.slice(0, LONGEST - 2)}-2`;
  return `${parts.snapshotId}-${parts.destination}-${parts.attempt + 1}`;
}
