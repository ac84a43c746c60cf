import { readFileSync } from 'node:fs';
import { type RulesText, readRulesText } from '../packaging/rules-text.ts';
import { wrongUsage } from './cli-problem.ts';

/**
 * The rules in a file that an option names.
 *
 * @throws CliProblem (wrong usage) if it cannot be read
 * @throws Error with every problem of the rules, as `readRulesText`
 */
export function readRulesFile(file: string): RulesText {
  return readRulesText(file, readTextFile(file, 'docs/rules.md says how to write one.'));
}

/**
 * @param help what to do if there is no such file
 * @throws CliProblem (wrong usage) if it cannot be read
 */
export function readTextFile(file: string, help?: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw wrongUsage([`Cannot read the rules file ${file} (${why}).`, help ?? ''].join(' ').trim());
  }
}
