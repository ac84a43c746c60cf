import { type Command, InvalidArgumentError, Option } from 'commander';
import { audit as auditOf } from '../../core/audit.ts';
import { parseDuration } from '../../core/duration.ts';
import { shellWord } from '../../core/shell-word.ts';
import { auditAsCsv } from '../audit/audit-csv.ts';
import { auditAsJson } from '../audit/audit-json.ts';
import { auditPage } from '../audit/audit-page.ts';
import { printAudit } from '../audit/audit-text.ts';
import { gatherEvidence } from '../audit/gather.ts';
import type { Report } from '../audit/report.ts';
import { writeReport } from '../audit/write-report.ts';
import { CliProblem, wrongUsage } from '../cli-problem.ts';
import type { Cli } from '../deployed.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { examples, type InstallOptions, installCommand, runs } from '../install-options.ts';
import { sinceOption } from '../plan/estimate-options.ts';
import { ruleLines } from '../plan/rule-lines.ts';
import { readRulesFile } from '../read-rules-file.ts';
import { duration } from '../words.ts';

interface AuditOptions extends InstallOptions {
  readonly since: number;
  readonly rpo: number;
  readonly rules?: string;
  readonly html?: string;
  readonly csv?: string;
}

const USUAL_SINCE_SECONDS = 30 * 86_400;
const USUAL_RPO_SECONDS = 86_400;

export function auditCommand(): Command {
  return installCommand('audit')
    .description(
      'Proves that every snapshot that the rules select has exactly one good copy at every destination: it compares the snapshots with the copies that exist in EC2. Nothing is changed. Exit code 1 if something is not protected.',
    )
    .addOption(sinceOption('snapshots that were taken since then').default(USUAL_SINCE_SECONDS, '30d'))
    .addOption(
      new Option(
        '--rpo <duration>',
        'how old the newest good copy of a volume may be, by its data, and how long a copy may take',
      )
        .argParser(rpo)
        .default(USUAL_RPO_SECONDS, '24h'),
    )
    .option('--rules <file>', 'these rules instead of those that are deployed')
    .option('--html <file>', 'write a page for people, too: complete in itself, with a timeline of each volume')
    .option('--csv <file>', 'write a table for spreadsheets, too: a row for each snapshot and destination')
    .addHelpText(
      'after',
      examples([
        ['snapshot-copier audit', 'the last 30 days, and nothing may be older than 24 hours'],
        ['snapshot-copier audit --since 7d --rpo 4h', 'stricter'],
        ['snapshot-copier audit --html report.html --csv report.csv', 'for the manager, and for the spreadsheet'],
        [`snapshot-copier audit --json | jq '.findings[] | select(.severity == "problem")'`, 'for machines'],
        ['snapshot-copier audit > /dev/null || notify "copies are not as they should be"', 'in a nightly job'],
      ]),
    )
    .action(runs<AuditOptions>(audit));
}

async function audit(cli: Cli, options: AuditOptions): Promise<ExitCode> {
  const { terminal } = cli;
  if (options.html !== undefined && options.html === options.csv) {
    throw wrongUsage(`--html and --csv both name ${options.html}: give each its own file.`);
  }
  if (options.since <= options.rpo) {
    throw wrongUsage(
      `--since ${duration(options.since * 1000)} is not longer than --rpo ${duration(options.rpo * 1000)}: what is older than the RPO would not be looked at. Give, for example, --since 30d.`,
    );
  }
  const own = options.rules === undefined ? undefined : readRulesFile(options.rules);
  const deployed = await cli.deployed();
  const rules = own ?? deployed.rules;
  const progress = terminal.progress();
  const { evidence, troubles } = await gatherEvidence(
    deployed,
    rules,
    { sinceSeconds: options.since, rpoSeconds: options.rpo },
    progress,
  ).finally(() => progress.done());

  const report: Report = {
    audit: auditOf(evidence),
    evidence,
    rules: { file: rules.file, areDeployed: own === undefined, lineOf: ruleLines(rules) },
    troubles,
    options: optionsFor(options),
  };
  if (options.json === true) terminal.json(auditAsJson(report));
  else printAudit(terminal, report);
  for (const trouble of troubles) terminal.tell(trouble);

  const files = [
    { file: options.html, contents: () => auditPage(report) },
    { file: options.csv, contents: () => auditAsCsv(report) },
  ];
  let areWritten = true;
  for (const { file, contents } of files) {
    if (file === undefined) continue;
    try {
      await writeReport(file, contents());
      terminal.tell(`Wrote ${file}`);
    } catch (error) {
      if (!(error instanceof CliProblem)) throw error;
      terminal.tell(error.message);
      areWritten = false;
    }
  }
  return report.audit.isProtected && areWritten ? EXIT.fine : EXIT.problem;
}

/** So that the commands in the report speak to the same install. */
function optionsFor({ stack, region, profile }: AuditOptions): Report['options'] {
  const given = (name: string, value: string | undefined) =>
    value === undefined ? '' : ` --${name} ${shellWord(value)}`;
  const aws = given('profile', profile);
  return { ours: `${given('stack', stack)}${given('region', region)}${aws}`, aws };
}

const LONGEST_RPO_SECONDS = 3650 * 86_400;

function rpo(text: string): number {
  const seconds = parseDuration(text);
  if (seconds !== undefined && seconds > 0 && seconds <= LONGEST_RPO_SECONDS) return seconds;
  throw new InvalidArgumentError('It takes a duration, for example 24h, 90m or 2d.');
}
