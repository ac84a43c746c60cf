import type { RequestKey } from '../../core/ledger-request.ts';
import { shellWord } from '../../core/shell-word.ts';
import type { Terminal } from '../terminal.ts';

/** What the AWS command line ends with after Ctrl-C: 128 and the number of the signal. */
const INTERRUPTED = 130;

/** From now on Ctrl-C ends the waiting, and says that the copy goes on. Answers how to undo that. */
export function sayOnInterrupt(terminal: Terminal, { snapshotId, destination }: RequestKey, stack: string | undefined) {
  const onInterrupt = (): void => {
    const which = stack === undefined ? '' : ` --stack ${shellWord(stack)}`;
    terminal.tell(
      `\nThe service goes on with the copy of ${snapshotId} to ${destination}. To see it: snapshot-copier status --region ${process.env['AWS_REGION']}${which}`,
    );
    process.exit(INTERRUPTED);
  };
  process.on('SIGINT', onInterrupt);
  return (): void => {
    process.off('SIGINT', onInterrupt);
  };
}
