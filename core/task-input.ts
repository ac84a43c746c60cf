import * as z from 'zod/mini';
import { readCaughtError } from './caught-error.ts';
import type { CopyProgress, Removal } from './copy-progress.ts';
import type { CopyRequest } from './copy-request.ts';
import { UnreadableInputError } from './errors.ts';
import type { CaughtError, ExecutionIdentity } from './execution.ts';
import type { PreparedSource } from './prepare-source.ts';

/** What every Task state of the state machine hands to its function. */
export interface TaskInput {
  readonly execution: ExecutionIdentity;
  readonly request: CopyRequest;
  /** What PrepareSource reported last; only for sources whose owner has the companion. */
  readonly prepared?: PreparedSource;
  /** What StartCopy or CheckCopy reported last. */
  readonly copy?: CopyProgress;
  readonly error?: CaughtError;
  /** CopySlotsTakenError of StartCopy. */
  readonly refused?: CaughtError;
  readonly removal?: Removal;
}

const text = z.string().check(z.minLength(1));
const tags = z.record(z.string(), z.string());

const requestFields = {
  rule: text,
  dryRun: z.boolean(),
  source: z.object({
    snapshotId: text,
    region: text,
    ownerId: text,
    volumeId: z.string(),
    startTime: text,
    sizeGiB: z.number(),
    encrypted: z.boolean(),
    kmsKeyId: z.exactOptional(text),
    description: z.string(),
    tags,
    companion: z.exactOptional(z.object({ reencrypt: z.boolean() })),
  }),
  destination: z.object({
    region: text,
    outpost: z.exactOptional(text),
    localZone: z.exactOptional(text),
    encryption: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('key'), kmsKey: text }),
      z.object({ kind: z.literal('account-default') }),
      z.object({ kind: z.literal('as-source') }),
    ]),
    description: z.string(),
    tags: z.object({ copy: z.union([z.literal(['all', 'none']), z.array(z.string())]), add: tags }),
    slots: z.number(),
    deadlineSeconds: z.number(),
    completionDurationMinutes: z.exactOptional(z.number()),
  }),
};

const progress = z.object({
  copyId: z.exactOptional(text),
  state: z.exactOptional(z.literal(['pending', 'completed', 'error', 'recoverable', 'recovering'])),
  progressPercent: z.number(),
  copyStartTime: z.exactOptional(text),
  missingSince: z.exactOptional(text),
  kmsKeyId: z.exactOptional(text),
  adopted: z.boolean(),
  basis: z.exactOptional(z.object({ copyId: text, kmsKeyId: z.exactOptional(text) })),
  action: z.literal(['wait', 'tag', 'reportDryRun', 'skip', 'giveUp']),
  waitSeconds: z.number(),
  reason: z.string(),
  failure: z.exactOptional(
    z.object({ name: z.literal(['CopyEndedInError', 'CopyDisappeared', 'DeadlinePassed']), message: z.string() }),
  ),
});

const prepared = z.object({
  action: z.literal(['wait', 'ready', 'skip']),
  waitSeconds: z.number(),
  reason: z.string(),
  copyFrom: z.exactOptional(text),
  sharedSince: z.exactOptional(text),
  missingSince: z.exactOptional(text),
  begun: z.exactOptional(z.object({ copyId: text, at: text })),
});

const removal = z.object({
  outcome: z.literal(['removed', 'nothingToRemove', 'keptComplete', 'notOurs', 'couldNotRemove']),
  copyId: z.exactOptional(text),
  detail: z.string(),
});

const caughtError = z.object({ Error: z.string(), Cause: z.string() });

const request = z.object(requestFields);

const taskInput = z.object({
  execution: z.object({ arn: text, name: text, startTime: text, stateMachineArn: text }),
  data: z.object({
    ...requestFields,
    prepared: z.exactOptional(prepared),
    copy: z.exactOptional(progress),
    error: z.exactOptional(caughtError),
    refused: z.exactOptional(caughtError),
    removal: z.exactOptional(removal),
    removalError: z.exactOptional(caughtError),
  }),
});

/**
 * Reads `{execution, data}`, where `data` is the whole state of the execution: its input and what states added.
 *
 * @throws UnreadableInputError with every problem and its path; a hand-started execution is the usual cause.
 */
export function parseTaskInput(input: unknown): TaskInput {
  const parsed = taskInput.safeParse(input);
  if (!parsed.success) throw unreadable('input of this state', parsed.error);
  const { execution, data } = parsed.data;
  const { prepared, copy, error, refused, removal: reported, removalError, ...request } = data;
  const removal = removalError === undefined ? reported : couldNotRemove(copy?.copyId, removalError);
  return {
    execution,
    request,
    ...(prepared !== undefined && { prepared }),
    ...(copy !== undefined && { copy }),
    ...(error !== undefined && { error }),
    ...(refused !== undefined && { refused }),
    ...(removal !== undefined && { removal }),
  };
}

function couldNotRemove(copyId: string | undefined, error: CaughtError): Removal {
  const { name, message } = readCaughtError(error);
  const detail = `What the copy left behind could not be removed: ${name}: ${message}`;
  return { outcome: 'couldNotRemove', detail, ...(copyId !== undefined && { copyId }) };
}

/**
 * Reads the input of an execution.
 *
 * @throws UnreadableInputError with every problem and its path.
 */
export function parseCopyRequest(input: unknown): CopyRequest {
  const parsed = request.safeParse(input);
  if (!parsed.success) throw unreadable('execution input', parsed.error);
  return parsed.data;
}

function unreadable(what: string, error: z.core.$ZodError): UnreadableInputError {
  return new UnreadableInputError(
    `Cannot read the ${what}:\n${z.prettifyError(error)}\nThe input of a finished execution of the state machine is an example of a right one.`,
  );
}
