import type { UnseenAccount } from '../../core/seen-sources.ts';
import type { Terminal } from '../terminal.ts';

/**
 * Says on stderr which source accounts could not be looked into.
 *
 * @param consequence of that, without a full stop
 */
export function tellUnseen(terminal: Terminal, unseen: readonly UnseenAccount[], consequence: string): void {
  for (const { account, why } of unseen) {
    terminal.tell(
      `Source account ${account} could not be looked into. ${consequence}; \`snapshot-copier doctor\` says what mends it: ${why}`,
    );
  }
}
