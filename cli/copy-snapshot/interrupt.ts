import type { RequestKey } from '../../core/ledger-request.ts';
import type { Terminal } from '../terminal.ts';
import { sameInstall } from './same-install.ts';

/** What the AWS command line ends with after Ctrl-C: 128 and the number of the signal. */
const INTERRUPTED = 130;

/**
 * From now on Ctrl-C ends the waiting, and says that the copy goes on. Answers how to undo that.
 *
 * @param how sure it is that the service has the request
 */
export function sayOnInterrupt(
  terminal: Terminal,
  { snapshotId, destination }: RequestKey,
  stack: string | undefined,
  how: 'goes on' | 'may go on',
) {
  const onInterrupt = (): void => {
    terminal.tell(
      `\nThe service ${how} with the copy of ${snapshotId} to ${destination}. To see it: snapshot-copier status${sameInstall(stack)}`,
    );
    process.exit(INTERRUPTED);
  };
  process.on('SIGINT', onInterrupt);
  return (): void => {
    process.off('SIGINT', onInterrupt);
  };
}
