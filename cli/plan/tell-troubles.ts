import { tellUnseen } from '../sources/tell-unseen.ts';
import type { Terminal } from '../terminal.ts';
import type { Gathered } from './gather.ts';

/** Says on stderr what the plan does not know. */
export function tellTroubles(terminal: Terminal, { unreadable, troubles, unseen }: Gathered): void {
  tellUnseen(terminal, unseen, 'Nothing of it is in here');
  if (troubles.length > 0) {
    terminal.tell(['The plan takes keys to be the same as before, without these:', ...troubles].join('\n  '));
  }
  for (const { region, item, problem } of unreadable) {
    terminal.tell(`The ledger has an item for ${region} that is left out, ${item}: ${problem}`);
  }
}
