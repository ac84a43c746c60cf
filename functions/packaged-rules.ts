import { readFileSync } from 'node:fs';
import { type CopyRule, parseRules } from '../core/rules.ts';

/**
 * The rules that were packaged beside the function (packaging/bundle.ts writes them), checked again: a package can be
 * made by other means.
 *
 * @throws RulesError
 */
export function readPackagedRules(): readonly CopyRule[] {
  return parseRules(JSON.parse(readFileSync(new URL('./copy-rules.json', import.meta.url), 'utf8')));
}
