import { Help } from 'commander';
import { destinationId } from '../../core/destination.ts';
import { explainRules, type RulesExplained } from '../../core/rules-explained.ts';
import { checkRulesText, type RulesText } from '../../packaging/rules-text.ts';
import { CliProblem } from '../cli-problem.ts';
import type { Cli } from '../deployed.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { count } from '../words.ts';
import { type RulesOptions, rulesSource } from './source.ts';

/** Longer lines are hard to read. */
const WIDEST = 100;

/** `snapshot-copier rules explain` */
export async function explainTheRules(cli: Cli, options: RulesOptions, args: readonly string[]): Promise<ExitCode> {
  const { terminal } = cli;
  const { file, text, title, place } = await rulesSource(cli, options, args);
  const { right, wrong } = checkRulesText(file, text);
  if (right === undefined) throw new CliProblem(wrong.report);

  const explained = explainRules(right.rules, right.sourceAccounts, place);
  if (options.json === true) {
    terminal.json(asJson(right, explained));
  } else {
    const head = `${title} has ${count(right.rules.length, 'rule')}.`;
    terminal.print([head, ...paragraphs(right, explained, Math.min(terminal.width, WIDEST))].join('\n\n'));
  }
  return EXIT.fine;
}

function asJson({ file, rules, sourceAccounts, lineOf }: RulesText, explained: RulesExplained) {
  return {
    file,
    rules: rules.map((rule, r) => ({
      line: lineOf(['rules', r]),
      rule,
      selects: explained.rules[r]?.selects,
      copies: rule.destinations.map((destination, d) => ({
        line: lineOf(['rules', r, 'destinations', d]),
        destination: destinationId(destination),
        sentences: explained.rules[r]?.copies[d],
      })),
    })),
    sourceAccounts,
    inCommon: explained.inCommon,
  };
}

function paragraphs({ file, rules, lineOf }: RulesText, explained: RulesExplained, width: number): readonly string[] {
  const ofRules = explained.rules.map(({ selects, copies }, r) => [
    `${rules[r]?.name} (${file}:${lineOf(['rules', r])})`,
    wrapped(selects.join(' '), width, '  '),
    ...copies.map((sentences) => wrapped(sentences.join(' '), width, '  - ')),
  ]);
  const inCommon = ['In general', ...explained.inCommon.map((sentence) => wrapped(sentence, width, '  - '))];
  return [...ofRules, inCommon].map((lines) => lines.join('\n'));
}

/** @param start of the first line; those that follow are as far to the right */
function wrapped(text: string, width: number, start: string): string {
  const lines = new Help().boxWrap(text, width - start.length).split('\n');
  return lines.map((line, index) => (index === 0 ? start : ' '.repeat(start.length)) + line).join('\n');
}
