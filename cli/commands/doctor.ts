import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { cloudFormationStacks } from '../../aws/stacks.ts';
import { type Finding, type Subject, totalsOf } from '../../core/doctor/finding.ts';
import { chosenRules, type OtherRules } from '../../core/doctor/stack.ts';
import { otherAccounts } from '../../core/other-accounts.ts';
import type { RulesText } from '../../packaging/rules-text.ts';
import { CliProblem, wrongUsage } from '../cli-problem.ts';
import { type Cli, NotDeployed } from '../deployed.ts';
import { checkAlerts } from '../doctor/alert-checks.ts';
import { checkEvents } from '../doctor/event-checks.ts';
import { type Examination, examine, type Patient } from '../doctor/examination.ts';
import { checkInstall } from '../doctor/install-checks.ts';
import { checkKeysOfCopies } from '../doctor/key-checks.ts';
import { lookSideBySide } from '../doctor/look.ts';
import { asJson, hasDeployment, printSubject, totalsInWords } from '../doctor/print.ts';
import { checkRegions } from '../doctor/region-checks.ts';
import { rulesOfDirectory } from '../doctor/rules-of-directory.ts';
import { checkSlotsOfRegions } from '../doctor/slot-checks.ts';
import { checkSourceAccounts } from '../doctor/source-account-checks.ts';
import { checkSources, lookAtSelected, tryCopies } from '../doctor/source-checks.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { examples, type InstallOptions, installCommand, runs } from '../install-options.ts';
import { readRulesFile } from '../read-rules-file.ts';
import type { Progress } from '../terminal.ts';

interface DoctorOptions extends InstallOptions {
  readonly rule?: readonly string[];
  readonly rules?: string;
}

/** `snapshot-copier doctor` */
export function doctorCommand(): Command {
  return installCommand('doctor')
    .description(
      'Checks a set-up before it is needed: what the rules name against what is there. Each finding says what is wrong, why it matters, and the statement or command that mends it. Nothing is changed.',
    )
    .option('--rule <name...>', 'only what these rules need')
    .option('--rules <file>', 'these rules instead of those that are deployed')
    .addHelpText(
      'after',
      examples([
        ['snapshot-copier doctor', 'everything'],
        ['snapshot-copier doctor --rule nightly-to-frankfurt', 'what one rule needs'],
        ['snapshot-copier doctor --rules copy-rules.yml', 'would these rules work? Before the first deployment, too'],
        [
          `snapshot-copier doctor --json | jq -r '.findings[] | select(.status == "problem") | .mend[].run'`,
          'commands alone',
        ],
      ]),
    )
    .action(runs<DoctorOptions>(doctor));
}

async function doctor(cli: Cli, options: DoctorOptions): Promise<ExitCode> {
  const { terminal } = cli;
  const isForMachines = options.json === true;
  const own = options.rules === undefined ? undefined : readRulesFile(options.rules);
  const wait = waitingIn(terminal);
  const found = await findOrNot(cli, own, options.stack);
  const { deployed, deployment } = found;
  const { install } = deployment;
  const { file, rules: allRules } = found.rules;
  const accounts = otherAccounts(found.rules.sourceAccounts.accounts, install.account);
  const sourceAccounts = { ...found.rules.sourceAccounts, accounts };
  const chosen = chosenRules(allRules, options.rule ?? []);
  if ('problem' in chosen) throw wrongUsage(chosen.problem);

  const look = lookSideBySide((done, asked) => wait.tell(`${done} of ${asked} things looked up`));
  const examination = examine({ ...found, allRules, rules: chosen.rules, sourceAccounts }, look);
  const subjects = checkAll(examination, own === undefined ? rulesOfDirectory(file) : { file, rules: own });

  if (!isForMachines) {
    const by = own === undefined ? 'its deployed rules' : file;
    const before = deployed === undefined ? ', before the first deployment' : '';
    terminal.print(`${install.name} in account ${install.account}, ${install.region}, by ${by}${before}\n`);
  }
  const all: Finding[] = [];
  const forMachines: ReturnType<typeof asJson>[] = [];
  for (const { subject, findings } of subjects) {
    const found = await wait.during(findings, subject);
    all.push(...found);
    if (isForMachines) forMachines.push(...found.map((finding) => asJson(subject, finding)));
    else printSubject(terminal, subject, found);
  }
  const totals = totalsOf(all);
  if (isForMachines) {
    terminal.json({
      install: { name: install.name, account: install.account, region: install.region },
      deployed: deployed !== undefined,
      rules: { from: own === undefined ? 'deployed' : 'file', file },
      findings: forMachines,
      totals,
    });
  } else {
    if (hasDeployment(all) && !existsSync('serverless.yml')) {
      terminal.print('Run what deploys in the folder of the service, where serverless.yml is.\n');
    }
    terminal.print(totalsInWords(all));
  }
  return totals.problem > 0 ? EXIT.problem : EXIT.fine;
}

/** What serverless.yml calls the stack if it is told no stage. */
const USUAL_STACK = 'ebs-snapshot-copier-dev';
const STACK_OF_STAGE = /^ebs-snapshot-copier-[\w-]+$/;

/**
 * The install; if there is none yet, the one that the rules of a file are meant for.
 *
 * @throws CliProblem if there is neither
 */
async function findOrNot(
  cli: Cli,
  own: RulesText | undefined,
  named: string | undefined,
): Promise<Omit<Patient, 'allRules' | 'rules' | 'sourceAccounts'> & { readonly rules: RulesText }> {
  try {
    const deployed = await cli.deployed();
    const { stack, install, now } = deployed;
    const rules = own ?? deployed.rules;
    const parameters = (await cloudFormationStacks().find(stack))?.parameters ?? new Map();
    return { deployed, stack, deployment: { install, rulesFile: rules.file, parameters }, now, rules };
  } catch (error) {
    const stack = named ?? USUAL_STACK;
    if (!(error instanceof NotDeployed) || !STACK_OF_STAGE.test(stack)) throw error;
    if (own === undefined) {
      throw new CliProblem(
        `${error.message.replace(/\.$/, '')}. To check rules before that: snapshot-copier doctor --rules copy-rules.yml`,
      );
    }
    const { account, region, now } = error.caller;
    const install = { name: stack, account, region, roleArn: undefined };
    const deployment = { install, rulesFile: own.file, parameters: new Map() };
    return { deployed: undefined, stack, deployment, now, rules: own };
  }
}

/** Says what is waited for, and how far all is. */
function waitingIn(terminal: Cli['terminal']) {
  let current: { readonly progress: Progress; readonly name: string } | undefined;
  return {
    tell: (howFar: string): void => current?.progress.show(`${current.name} … ${howFar}`),
    async during<T>(work: Promise<T>, name: string): Promise<T> {
      const progress = terminal.progress();
      current = { progress, name };
      progress.show(`${name} …`);
      try {
        return await work;
      } finally {
        current = undefined;
        progress.done();
      }
    },
  };
}

/** All checks at once; they are told in this order, each subject as soon as it is known. */
function checkAll(
  examination: Examination,
  otherRules: OtherRules | undefined,
): readonly { readonly subject: Subject; readonly findings: Promise<readonly Finding[]> }[] {
  const selected = lookAtSelected(examination);
  const subjects = [
    { subject: 'install', findings: checkInstall(examination, otherRules) },
    { subject: 'regions', findings: checkRegions(examination) },
    { subject: 'keys', findings: checkKeysOfCopies(examination) },
    { subject: 'source accounts', findings: checkSourceAccounts(examination, selected) },
    { subject: 'source keys', findings: checkSources(examination, selected) },
    { subject: 'events', findings: checkEvents(examination) },
    { subject: 'alerts', findings: checkAlerts(examination) },
    { subject: 'slots', findings: checkSlotsOfRegions(examination) },
    { subject: 'permission to copy', findings: tryCopies(examination, selected) },
  ] as const;
  // What goes wrong with one is thrown where it is waited for, even if it goes wrong before.
  for (const { findings } of subjects) findings.catch(() => undefined);
  return subjects;
}
