import { existsSync, readFileSync } from 'node:fs';
import type { OtherRules } from '../../core/doctor/stack.ts';
import { checkRulesText } from '../../packaging/rules-text.ts';

/**
 * The rules file that was deployed, as it lies in the working directory now, right or wrong.
 *
 * @param file what it was called
 * @returns undefined if there is none of that name
 */
export function rulesOfDirectory(file: string): OtherRules | undefined {
  if (!existsSync(file)) return undefined;
  return { file, rules: checkRulesText(file, readFileSync(file, 'utf8')).right };
}
