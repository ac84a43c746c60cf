import { requestCopies } from '../../aws/request-copy-function.ts';
import type { CopyRequest } from '../../core/copy-request.ts';
import { destinationId } from '../../core/destination.ts';
import { REQUESTS_AT_ONCE } from '../../core/request-answer.ts';
import type { Terminal } from '../terminal.ts';
import { count } from '../words.ts';

/** What became of requests that were made one batch after the other. */
export interface Asked {
  /** They wait in the queue now. */
  readonly accepted: number;
  /** Nothing to do: somebody else had asked for them meanwhile. */
  readonly known: number;
  readonly refused: readonly RefusedCopy[];
  /** Those that it did not come to, as somebody interrupted it. */
  readonly left: number;
}

interface RefusedCopy {
  readonly snapshotId: string;
  readonly destination: string;
  readonly reason: string;
}

/**
 * Asks for the copies in this order. Ctrl-C ends it after the batch that is under way.
 *
 * @throws what `requestCopies` throws, after saying how far it had come
 */
export async function askForCopies(
  terminal: Terminal,
  functionName: string,
  requests: readonly CopyRequest[],
): Promise<Asked> {
  const progress = terminal.progress();
  const interrupted = { yet: false };
  const interrupt = (): void => {
    interrupted.yet = true;
  };
  // Once: the second Ctrl-C ends the process at once, which does no harm either.
  process.once('SIGINT', interrupt);
  let accepted = 0;
  let asked = 0;
  const refused: RefusedCopy[] = [];
  try {
    while (asked < requests.length && !interrupted.yet) {
      progress.show(`asked for ${asked} of ${count(requests.length, 'copy', 'copies')}`);
      const batch = requests.slice(asked, asked + REQUESTS_AT_ONCE);
      const answers = await requestCopies(functionName, batch);
      for (const [index, answer] of answers.entries()) {
        const request = batch[index];
        if ('refused' in answer && request !== undefined) refused.push(refusalOf(request, answer.refused));
        else if ('accepted' in answer && answer.accepted) accepted += 1;
      }
      asked += batch.length;
    }
  } catch (error) {
    progress.done();
    terminal.tell(`${asked} of ${count(requests.length, 'copy', 'copies')} were asked for. ${GO_ON}`);
    throw error;
  } finally {
    progress.done();
    process.off('SIGINT', interrupt);
  }
  return { accepted, known: asked - accepted - refused.length, refused, left: requests.length - asked };
}

/** For people. */
export function tellAsked(terminal: Terminal, { accepted, known, refused, left }: Asked): void {
  const parts = [
    `${count(accepted, 'copy', 'copies')} asked for`,
    ...(known === 0 ? [] : [`${known} had been asked for by others meanwhile`]),
    ...(refused.length === 0 ? [] : [`${refused.length} refused`]),
    ...(left === 0 ? [] : [`${left} left, as it was interrupted`]),
  ];
  terminal.print(`${parts.join(', ')}. \`snapshot-copier status\` shows the queue.`);
  for (const [reason, those] of Map.groupBy(refused, (each) => each.reason)) {
    const names = those.slice(0, NAMED).map(({ snapshotId, destination }) => `${snapshotId} to ${destination}`);
    const more = those.length - names.length;
    terminal.tell(`Refused: ${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}: ${reason}`);
  }
  if (left > 0 || refused.length > 0) terminal.tell(GO_ON);
}

const GO_ON = 'The same command again goes on with what is left; nothing is copied twice.';
const NAMED = 5;

function refusalOf({ source, destination }: CopyRequest, reason: string): RefusedCopy {
  return { snapshotId: source.snapshotId, destination: destinationId(destination), reason };
}
