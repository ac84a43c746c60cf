import { readFileSync } from 'node:fs';
import type { CopyRule } from '../core/rules.ts';
import { plainError } from './plain-error.ts';
import { type RulesText, readRulesText } from './rules-text.ts';

/**
 * A YAML file of rules, with its text.
 *
 * @throws Error whose message, for people to read as it is, lists every problem with its place in the file.
 */
export function readRulesFileText(file: string): RulesText {
  return readRulesText(file, readText(file));
}

/**
 * The rules in a YAML file.
 *
 * @throws Error as `readRulesFileText`.
 */
export function readRulesFile(file: string): readonly CopyRule[] {
  return readRulesFileText(file).rules;
}

/**
 * The checked contents of a rules file as they stand there, for a package whose function checks them again.
 *
 * @throws Error as `readRulesFileText`.
 */
export function readRulesDocument(file: string): unknown {
  return readRulesFileText(file).document;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw plainError(`Cannot read the rules file ${file} (${why}). docs/rules.md says how to write one.`);
  }
}
