import * as z from 'zod/mini';
import { readCaughtError } from './caught-error.ts';
import { UnreadableInputError } from './errors.ts';

/** How an execution ended, for the request that it served. */
export type ExecutionOutcome =
  | { readonly kind: 'copied'; readonly copyId: string; readonly reason: string }
  /** There was nothing left to copy. */
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The request waits again; the state ReturnToQueue has written that. */
  | { readonly kind: 'returned' }
  /** A dry run is no request. */
  | { readonly kind: 'rehearsed' };

export interface ExecutionEnd {
  /** Any but RUNNING. */
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  /** JSON text; only of SUCCEEDED. */
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** The states that end green leave this; see statemachines/copy-snapshot.asl.yml. */
const output = z.object({
  copy: z.exactOptional(z.object({ action: z.string(), reason: z.string(), copyId: z.exactOptional(z.string()) })),
  prepared: z.exactOptional(z.object({ action: z.string(), reason: z.string() })),
  returned: z.exactOptional(z.unknown()),
});

/** @throws UnreadableInputError if it succeeded and its output is none of the state machine. */
export function outcomeOf(
  { status, output: text, error, cause }: ExecutionEnd,
  executionArn: string,
): ExecutionOutcome {
  if (status !== 'SUCCEEDED') return { kind: 'failed', reason: whyFailed(status, error, cause) };
  const parsed = output.safeParse(parseJson(text ?? 'null', executionArn));
  if (!parsed.success) {
    throw new UnreadableInputError(`The output of ${executionArn} cannot be read:\n${z.prettifyError(parsed.error)}`);
  }
  const { copy, prepared, returned } = parsed.data;
  if (returned !== undefined) return { kind: 'returned' };
  if (prepared?.action === 'skip') return { kind: 'skipped', reason: prepared.reason };
  switch (copy?.action) {
    case 'reportDryRun':
      return { kind: 'rehearsed' };
    case 'skip':
      return { kind: 'skipped', reason: copy.reason };
    default:
      if (copy?.copyId === undefined) {
        throw new UnreadableInputError(`The output of ${executionArn} names no copy. Found: ${text}`);
      }
      return { kind: 'copied', copyId: copy.copyId, reason: `copied as ${copy.copyId}` };
  }
}

function whyFailed(status: string, error: string | undefined, cause: string | undefined): string {
  // State CopyFailed ends with the subject of the alert.
  if (error === 'CopyFailed') return cause ?? 'see the alert';
  const ended = `the execution ended ${status}`;
  const { name, message } = readCaughtError({ Error: error ?? '', Cause: cause ?? '' });
  return [ended, name, message].filter((part) => part !== '').join(': ');
}

function parseJson(text: string, executionArn: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnreadableInputError(`The output of ${executionArn} is not JSON. Found: ${text.slice(0, 200)}`, {
      cause,
    });
  }
}
