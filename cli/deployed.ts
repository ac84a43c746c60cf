import { type Caller, whoCalls } from '../aws/caller.ts';
import { cloudFormationStacks, type Stack } from '../aws/stacks.ts';
import type { Install } from '../core/install.ts';
import { readRulesOfTemplate } from '../packaging/rules-of-template.ts';
import type { RulesText } from '../packaging/rules-text.ts';
import { CliProblem, wrongUsage } from './cli-problem.ts';
import type { Terminal } from './terminal.ts';

/** What every command works with. */
export interface Cli {
  readonly terminal: Terminal;
  /**
   * The install that the options name. It is looked for once.
   *
   * @throws CliProblem if there is none, or more than one
   */
  deployed(): Promise<Deployed>;
}

/** There is no install where it was looked for. */
export class NotDeployed extends CliProblem {
  readonly caller: Caller;

  constructor(message: string, caller: Caller) {
    super(message);
    this.caller = caller;
  }
}

/** An install of the service, as its stack tells of it. */
export interface Deployed {
  readonly stack: string;
  readonly stackStatus: string;
  readonly install: Install;
  readonly ledgerTable: string;
  readonly stateMachineArn: string;
  readonly topicArn: string;
  readonly stuckEventsQueueUrl: string;
  readonly requestCopyFunction: string;
  readonly lookAtSourcesFunction: string;
  /** Those that are deployed, not those that lie in a working directory. */
  readonly rules: RulesText;
  /** AWS's clock. */
  readonly now: () => Date;
}

/** What serverless calls a stack of ours: service and stage. */
const USUAL_NAME = 'ebs-snapshot-copier-';
const OUTPUT = {
  ledgerTable: 'LedgerTableName',
  stateMachineArn: 'CopySnapshotMachineArn',
  topicArn: 'DeadLetterTopicArn',
  stuckEventsQueueUrl: 'StuckEventsQueueUrl',
  roleArn: 'CopierRoleArn',
} as const;

/**
 * The install in the account and Region of the caller.
 *
 * @param name of its stack; undefined = the only one that there is
 * @throws NotDeployed if there is none
 * @throws CliProblem if there is more than one, or one of a version that has not all that is needed
 */
export async function findDeployed(name: string | undefined): Promise<Deployed> {
  const stacks = cloudFormationStacks();
  const caller = await whoCalls();
  const place = `account ${caller.account}, ${caller.region}`;
  const stack = name === undefined ? theOnlyInstall(await stacks.list(), place) : await stacks.find(name);
  if (stack === undefined) {
    const what = name === undefined ? `${USUAL_NAME}…` : name;
    const deploy = name === undefined ? ' To deploy one: npx serverless deploy' : '';
    throw new NotDeployed(`There is no stack ${what} in ${place}. ${OTHER_PLACE}${deploy}`, caller);
  }

  const output = (key: keyof typeof OUTPUT): string => {
    const value = stack.outputs.get(OUTPUT[key]);
    if (value !== undefined) return value;
    throw new CliProblem(
      `The stack ${stack.name} in ${place} has no output ${OUTPUT[key]}: it is no EBS Snapshot Copier, or one of an older version. Deploy this version, or name another stack with --stack.`,
    );
  };
  const stateMachineArn = output('stateMachineArn');
  const rules = readRulesOfTemplate(await stacks.template(stack.name));
  if (rules === undefined) {
    throw new CliProblem(
      `The template of the stack ${stack.name} in ${place} does not hold its rules: it is of an older version. Deploy this version.`,
    );
  }
  const installName = stateMachineArn.split(':').at(-1) ?? '';
  return {
    stack: stack.name,
    stackStatus: stack.status,
    install: { name: installName, account: caller.account, region: caller.region, roleArn: output('roleArn') },
    ledgerTable: output('ledgerTable'),
    stateMachineArn,
    topicArn: output('topicArn'),
    stuckEventsQueueUrl: output('stuckEventsQueueUrl'),
    // As serverless.yml names them.
    requestCopyFunction: `${installName}-requestCopy`,
    lookAtSourcesFunction: `${installName}-lookAtSources`,
    rules,
    now: caller.now,
  };
}

const OTHER_PLACE = 'Another Region: --region; another account: --profile; another name: --stack.';

/**
 * The install among the stacks of an account and Region.
 *
 * @param place for people
 * @returns undefined if there is none
 * @throws CliProblem if there is more than one
 */
export function theOnlyInstall(stacks: readonly Stack[], place: string): Stack | undefined {
  const ours = stacks.filter(({ name, outputs }) => name.startsWith(USUAL_NAME) && outputs.has(OUTPUT.ledgerTable));
  const [first, ...others] = ours.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (first !== undefined && others.length > 0) {
    const names = [first, ...others].map(({ name }) => name);
    throw wrongUsage(
      `There are ${names.length} installs in ${place}: ${names.join(', ')}. Say which: --stack ${first.name}`,
    );
  }
  return first;
}
