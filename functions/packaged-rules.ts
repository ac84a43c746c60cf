import { readFileSync } from 'node:fs';
import { type CopyRule, parseRulesFile, type SourceAccounts } from '../core/rules.ts';

/**
 * The rules that were packaged beside the function (packaging/bundle.ts writes them), checked again: a package can be
 * made by other means.
 *
 * @throws RulesError
 */
export function readPackagedRules(): readonly CopyRule[] {
  return read().rules;
}

/** The accounts with the companion, from the same file. */
export function readPackagedSourceAccounts(): SourceAccounts {
  return read().sourceAccounts;
}

function read() {
  return parseRulesFile(JSON.parse(readFileSync(new URL('./copy-rules.json', import.meta.url), 'utf8')));
}
