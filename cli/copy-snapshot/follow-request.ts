import type { Ledger } from '../../aws/ledger.ts';
import type { LedgerListing } from '../../aws/ledger-listing.ts';
import type { SnapshotApi } from '../../aws/snapshot-api.ts';
import { whatHoldsUp } from '../../core/hand-progress.ts';
import type { LedgerRequest, RequestKey } from '../../core/ledger-request.ts';
import { CliProblem } from '../cli-problem.ts';
import type { Terminal } from '../terminal.ts';
import { duration } from '../words.ts';
import { sayProgress } from './copy-progress.ts';
import { lookAgain } from './look-again.ts';
import { type Reporter, reporter } from './reporter.ts';
import { sameInstall } from './same-install.ts';

interface FollowedRequest {
  readonly key: RequestKey;
  readonly ledger: Pick<Ledger, 'request'>;
  /** As it was named. */
  readonly stack: string | undefined;
}

/** The queue is read as a whole, so it is looked at in every third round only. */
const ROUNDS_PER_LOOK = 3;

/**
 * Waits for EC2 to begin the copy, and says what holds it up.
 *
 * @returns the id of the copy
 * @throws CliProblem if it failed before
 */
export async function untilCopyExists(
  followed: FollowedRequest,
  listing: Pick<LedgerListing, 'queue'>,
  meanwhile: Reporter,
): Promise<string> {
  const { key } = followed;
  return lookAgain(async (round) => {
    const request = await current(followed);
    if (request.copyId === undefined && round % ROUNDS_PER_LOOK === 0) {
      meanwhile.say(whatHoldsUp(request, key, await listing.queue([key.region])));
    }
    return request.copyId;
  });
}

/**
 * Follows the copy until the service has finished with it.
 *
 * @throws CliProblem if it fails
 */
export async function followRequest(
  followed: FollowedRequest,
  snapshots: Pick<SnapshotApi, 'find'>,
  now: () => Date,
  terminal: Terminal,
): Promise<void> {
  const { key } = followed;
  const meanwhile = reporter(terminal);
  try {
    const { copyId, copyBegunAt, changedAt } = await lookAgain(async () => {
      const request = await current(followed);
      if (request.status === 'copied') return request;
      const copy = request.copyId === undefined ? undefined : await snapshots.find(key.region, request.copyId);
      if (copy !== undefined) sayProgress(meanwhile, copy, now());
      return undefined;
    });
    meanwhile.done();
    const took =
      copyBegunAt === undefined ? '' : `, after ${duration(Date.parse(changedAt) - Date.parse(copyBegunAt))}`;
    terminal.tell(`${copyId} is complete${took}.`);
  } finally {
    meanwhile.done();
  }
}

/** @throws CliProblem if there is nothing more to wait for */
async function current({ key, ledger, stack }: FollowedRequest): Promise<LedgerRequest> {
  const { snapshotId, destination } = key;
  const request = await ledger.request(key);
  if (request === undefined) {
    throw new CliProblem(`The request for ${snapshotId} to ${destination} was deleted from the ledger.`);
  }
  const { status, reason } = request;
  if (status === 'failed') {
    throw new CliProblem(
      `The copy of ${snapshotId} to ${destination} failed: ${reason}\nThe alert says what to do. To start it again: snapshot-copier retry ${snapshotId} --destination ${destination}${sameInstall(stack)}`,
    );
  }
  if (status === 'skipped') throw new CliProblem(`${snapshotId} was not copied to ${destination}: ${reason}`);
  return request;
}
