// Makes the files of functions/ loadable in a test: import this before them.
import './function-settings.ts';
import { vi } from 'vitest';

/** Only a package has rules beside the functions; tests hand over their own. */
vi.mock('../../functions/packaged-rules.ts', () => ({
  readPackagedRules: () => [],
  readPackagedSourceAccounts: () => ({ accounts: [] }),
}));
