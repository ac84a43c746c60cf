/**
 * Every error that the service throws on purpose. Lambda reports `error.name` as the error type and Step Functions
 * compares it letter by letter with ErrorEquals, so names are written out: minifying renames classes.
 * Each message says what is wrong, for which snapshot and destination, and what to do.
 */
export abstract class CopierError extends Error {
  abstract override readonly name: string;
}

// --- temporary: the state machine tries again, see `Retry` in statemachines/copy-snapshot.asl.yml ---

/** The destination Region runs as many copies as it allows. Caught: the request waits again, in the ledger. */
export class CopySlotsTakenError extends CopierError {
  override readonly name = 'CopySlotsTakenError';
}

/** Too many API calls in this account and Region. A later attempt gets through, within minutes. */
export class ThrottledError extends CopierError {
  override readonly name = 'ThrottledError';
}

/** EC2, or the way to it, is in trouble, and the call changed nothing. A later attempt usually gets through. */
export class ServiceTroubleError extends CopierError {
  override readonly name = 'ServiceTroubleError';
}

/**
 * CopySnapshot was sent and no answer came: the copy may have begun. The next attempt looks for it first, and comes
 * no earlier than five minutes later, for EC2 may leave a new snapshot out of its listings for so long.
 */
export class CopyOutcomeUnknownError extends CopierError {
  override readonly name = 'CopyOutcomeUnknownError';
}

/** EC2 does not show yet what was just made, shared or changed. Clears within five minutes. */
export class NotYetVisibleError extends CopierError {
  override readonly name = 'NotYetVisibleError';
}

/**
 * The copy is complete and tagged, but its source could not be marked with the copy's id just now. After some attempts
 * the execution ends green without the mark.
 */
export class SourceNotMarkedError extends CopierError {
  override readonly name = 'SourceNotMarkedError';
}

/** Others were quicker each time: what was read of the ledger had changed before it could be written. */
export class LedgerBusyError extends CopierError {
  override readonly name = 'LedgerBusyError';
}

// --- permanent: somebody has to act ---

/** EC2 refuses the call and would refuse it again: permission, quota or a wrong parameter. */
export class RequestRefusedError extends CopierError {
  override readonly name = 'RequestRefusedError';
}

/** The companion's role cannot be assumed, answers as somebody else, or refuses a call in the source account. */
export class SourceAccountRefusedError extends CopierError {
  override readonly name = 'SourceAccountRefusedError';
  /** The first two of these: nothing at all can be done in that account. */
  readonly isClosed: boolean;

  constructor(
    message: string,
    { isClosed = false, cause }: { readonly isClosed?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.isClosed = isClosed;
  }
}

/** The source is under `aws/ebs`, which serves its own account alone, and nothing was told to copy it under another key. */
export class SourceNotShareableError extends CopierError {
  override readonly name = 'SourceNotShareableError';
}

/** EC2 does not show the source, of another account, to this one: it is gone, its share is, or the share has no effect. */
export class SourceHiddenError extends CopierError {
  override readonly name = 'SourceHiddenError';
}

/** The copy under a shareable key, in the source account, ended in state `error`, or was refused for that key. */
export class IntermediateFailedError extends CopierError {
  override readonly name = 'IntermediateFailedError';
}

/** The deadline of the destination passed before the copy could begin. */
export class DeadlinePassedError extends CopierError {
  override readonly name = 'DeadlinePassedError';
}

/** What came in is not what this function takes. Nothing was done with it. */
export class UnreadableInputError extends CopierError {
  override readonly name = 'UnreadableInputError';
}

/** `copy-rules.yml` is wrong. Lists every problem with its path, what was found and an example. */
export class RulesError extends CopierError {
  override readonly name = 'RulesError';
}
