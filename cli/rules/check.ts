import { destinations } from '../../core/rule-destinations.ts';
import { rulesWarnings } from '../../core/rules/warnings.ts';
import { whyNotDeployable } from '../../packaging/deployable-rules.ts';
import { checkRulesText, type RulesText, type TextProblem } from '../../packaging/rules-text.ts';
import type { Cli } from '../deployed.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { count } from '../words.ts';
import { type RulesOptions, rulesSource } from './source.ts';

/** `snapshot-copier rules check` */
export async function checkTheRules(cli: Cli, options: RulesOptions, args: readonly string[]): Promise<ExitCode> {
  const { terminal } = cli;
  const { file, text, title } = await rulesSource(cli, options, args);
  const { right, wrong } = checkRulesText(file, text);
  const undeployable = right === undefined ? [] : whyNotDeployable(right);
  const problems: readonly TextProblem[] =
    wrong?.problems ?? undeployable.map((problem) => ({ path: '', line: 1, problem }));
  const warnings = right === undefined ? [] : warningsOf(right);

  if (options.json === true) {
    terminal.json({
      file,
      right: problems.length === 0,
      rules: right?.rules.length ?? null,
      destinations: right === undefined ? null : destinations(right.rules).length,
      sourceAccounts: right?.sourceAccounts.accounts.length ?? null,
      problems: problems.map(asJson),
      warnings,
    });
  } else if (right === undefined) {
    terminal.print(wrong.report);
  } else {
    if (undeployable.length > 0) terminal.print(`${title} cannot be deployed.\n\n${undeployable.join('\n\n')}`);
    else terminal.print(`${title} is right: ${countsOf(right)}.`);
    if (warnings.length > 0) terminal.print(`\n${inWords(warnings)}`);
  }
  return problems.length === 0 ? EXIT.fine : EXIT.problem;
}

interface Warning {
  readonly path: string;
  readonly line: number;
  readonly warning: string;
}

function warningsOf({ rules, sourceAccounts, lineOf }: RulesText): readonly Warning[] {
  return rulesWarnings(rules, sourceAccounts)
    .map(({ path, segments, warning }) => ({ path, line: lineOf(segments), warning }))
    .toSorted((a, b) => a.line - b.line);
}

function asJson({ path, line, problem, found, example }: TextProblem) {
  return { path, line, problem, found: found ?? null, example: example ?? null };
}

function countsOf({ rules, sourceAccounts: { accounts } }: RulesText): string {
  return [
    count(rules.length, 'rule'),
    count(destinations(rules).length, 'destination'),
    ...(accounts.length === 0 ? [] : [count(accounts.length, 'source account')]),
  ].join(', ');
}

function inWords(warnings: readonly Warning[]): string {
  const blocks = warnings.map(({ path, line, warning }) => `  ${path} (line ${line})\n    warning  ${warning}`);
  return [`${count(warnings.length, 'warning')}, about what is right but may surprise:`, ...blocks].join('\n\n');
}
