import { basename } from 'node:path';
import type { RulesText } from '../../packaging/rules-text.ts';
import type { RuleLine } from './plan-text.ts';

/** Names each rule by its place, for example `copy-rules.yml:12`. */
export function ruleLines({ file, rules, lineOf }: RulesText): RuleLine {
  const lines = new Map(rules.map(({ name }, index) => [name, `${basename(file)}:${lineOf(['rules', index])}`]));
  return (name) => lines.get(name);
}
