import { Command } from 'commander';
import { wrongUsage } from '../cli-problem.ts';
import { examples, installCommand, runs } from '../install-options.ts';
import { checkTheRules } from '../rules/check.ts';
import { explainTheRules } from '../rules/explain.ts';

const CHECKS = [
  ['snapshot-copier rules check', 'copy-rules.yml of this folder: is it right?'],
  ['snapshot-copier rules check rules/prod.yml --json', 'another file, for a machine'],
  ['git show main:copy-rules.yml | snapshot-copier rules check -', 'what comes on standard input'],
] as const;

const EXPLANATIONS = [
  ['snapshot-copier rules explain', 'copy-rules.yml of this folder in plain sentences'],
  ['snapshot-copier rules explain --deployed --region eu-west-1', 'the same of the rules that are deployed there'],
] as const;

/** `snapshot-copier rules check|explain` */
export function rulesCommand(): Command {
  return new Command('rules')
    .description(
      'Checks the rules file, or says it in plain sentences. A file on this machine needs neither credentials nor network.',
    )
    .addCommand(
      subcommand('check', 'every problem of the rules file at once, and what is right but may surprise')
        .action(runs(checkTheRules))
        .addHelpText('after', examples(CHECKS)),
    )
    .addCommand(
      subcommand('explain', 'the rules file in plain sentences')
        .action(runs(explainTheRules))
        .addHelpText('after', examples(EXPLANATIONS)),
    )
    .addHelpText('after', examples([...CHECKS.slice(0, 1), ...EXPLANATIONS]));
}

function subcommand(name: string, summary: string): Command {
  return installCommand(name)
    .summary(summary)
    .description(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`)
    .argument('[file]', 'rules file; - is standard input; without one, copy-rules.yml of this folder')
    .option('--deployed', 'the rules that are deployed, which the stack tells')
    .hook('preAction', (command) => {
      const given = ['stack', 'region', 'profile'].find((name) => command.getOptionValueSource(name) === 'cli');
      if (given !== undefined && command.getOptionValue('deployed') !== true) {
        throw wrongUsage(`--${given} means nothing for a file. For the rules that are deployed, add --deployed.`);
      }
    });
}
