import type { CopyRequest } from '../copy-request.ts';
import { destinationId, regionOfDestination } from '../destination.ts';
import { parseExecutionName } from '../execution-name.ts';
import { itemOf, type LedgerRequest, type RequestKey, requestKey } from '../ledger-request.ts';

/** An execution that ended without a copy, as Step Functions lists it. */
export interface FailedExecutionEntry {
  readonly name: string;
  readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  /** ISO 8601. */
  readonly endedAt: string;
  /** Its input, where the name does not tell: it was given by hand, or is that of a dry run. */
  readonly asked?: CopyRequest;
  /** What it ended with, where it was looked up. */
  readonly cause?: string;
}

/** A copy that failed, and that nobody has started again. */
export interface OpenFailure {
  readonly execution: string;
  readonly endedAs: FailedExecutionEntry['status'];
  /** ISO 8601. */
  readonly endedAt: string;
  /** Null if its name does not tell, and its input is not known either. */
  readonly snapshotId: string | null;
  readonly destination: string | null;
  readonly rule: string | null;
  readonly isDryRun: boolean;
  readonly reason: string;
}

export interface Failures {
  /** Latest first; each request once. */
  readonly open: readonly OpenFailure[];
  /** What became of those that were started again since, or whose copy was found after all. */
  readonly since: Readonly<Record<'waiting' | 'running' | 'copied' | 'skipped', number>>;
}

/** Where the request of an execution is in the ledger; undefined if that cannot be told, or if it is a dry run. */
export function keyOfExecution({ name, asked }: Pick<FailedExecutionEntry, 'name' | 'asked'>): RequestKey | undefined {
  if (asked !== undefined) return asked.dryRun ? undefined : requestKey(asked.source, asked.destination);
  const parts = parseExecutionName(name);
  const region = parts === undefined ? undefined : regionOfDestination(parts.destination);
  if (parts === undefined || region === undefined) return undefined;
  return { region, destination: parts.destination, snapshotId: parts.snapshotId };
}

/**
 * The failures that somebody has to look at.
 *
 * @param entries executions that failed, in any order
 * @param requests what the ledger has of their keys
 */
export function failuresOf(entries: readonly FailedExecutionEntry[], requests: readonly LedgerRequest[]): Failures {
  const byItem = new Map(
    requests.map((each) => [itemOf(requestKey(each.request.source, each.request.destination)), each]),
  );
  const open: OpenFailure[] = [];
  const since = { waiting: 0, running: 0, copied: 0, skipped: 0 };
  const seen = new Set<string>();
  for (const entry of entries.toSorted((a, b) => (a.endedAt < b.endedAt ? 1 : -1))) {
    const key = keyOfExecution(entry);
    const item = key === undefined ? entry.name : itemOf(key);
    if (seen.has(item)) continue;
    seen.add(item);
    const request = byItem.get(item);
    // Its end may not be written into the ledger yet.
    const isOpen =
      request === undefined ||
      request.status === 'failed' ||
      (request.status === 'running' && request.execution === entry.name);
    if (isOpen) open.push(openFailure(entry, key, request));
    else since[request.status] += 1;
  }
  return { open, since };
}

function openFailure(
  { name, status, endedAt, asked, cause }: FailedExecutionEntry,
  key: RequestKey | undefined,
  request: LedgerRequest | undefined,
): OpenFailure {
  const { source, destination, rule } = request?.request ?? asked ?? {};
  const said = request?.status === 'failed' ? request.reason : cause;
  return {
    execution: name,
    endedAs: status,
    endedAt,
    snapshotId: source?.snapshotId ?? key?.snapshotId ?? null,
    destination: (destination === undefined ? key?.destination : destinationId(destination)) ?? null,
    rule: rule ?? null,
    isDryRun: asked?.dryRun === true,
    reason: said ?? `the execution ended ${status}; its alert says why`,
  };
}
