import type { Step } from '../alert-layout.ts';
import { didYouMean } from '../rules/did-you-mean.ts';
import type { CopyRule, SourceAccounts } from '../rules.ts';
import { type Deployment, deployCommand } from './deploy-command.ts';
import { couldNotCheck, type Fact, isKnown } from './fact.ts';
import { type Finding, fine } from './finding.ts';

/** Whether the last deployment went well: the status of the stack is what CloudFormation made of it. */
export function checkStack(stack: string, status: string, deployment: Deployment): Finding {
  const { account, region } = deployment.install;
  const about = `stack ${stack} in account ${account}, ${region}`;
  const check = 'stack';
  const verdict = verdictOn(status);
  if (verdict === 'fine') return fine({ check, about, found: status });
  const events: Step = {
    say: 'See what went wrong:',
    run: [
      `aws cloudformation describe-stack-events --region ${region} --stack-name ${stack}`,
      `--query "StackEvents[?ends_with(ResourceStatus, 'FAILED')].[Timestamp,LogicalResourceId,ResourceStatusReason]" --output text`,
    ],
  };
  const deploy: Step = { say: 'Remove the cause, and deploy:', run: deployCommand(deployment) };
  switch (verdict) {
    case 'underWay':
      return {
        check,
        about,
        status: 'warning',
        found: `${status}: a deployment is under way`,
        why: 'Until it has ended, what is found here may be of the old or of the new version.',
        mend: [
          {
            say: 'Wait for its end, and check again:',
            run: [
              `aws cloudformation describe-stacks --region ${region} --stack-name ${stack}`,
              '--query Stacks[0].StackStatus',
            ],
          },
        ],
      };
    case 'rolledBack':
      return {
        check,
        about,
        status: 'warning',
        found: `${status}: the last deployment failed, and what was there before runs`,
        why: 'Whatever that deployment was to change is not in force.',
        mend: [events, deploy],
      };
    case 'broken':
      return {
        check,
        about,
        status: 'problem',
        found: `${status}: parts of the service may be missing`,
        why: 'Copies may not start, or not be watched, and the next deployment may be refused.',
        mend: [
          events,
          ...(status === 'UPDATE_ROLLBACK_FAILED'
            ? [
                {
                  say: 'Remove the cause, and let the rollback go on:',
                  run: [`aws cloudformation continue-update-rollback --region ${region} --stack-name ${stack}`],
                },
              ]
            : []),
          ...(status === 'ROLLBACK_COMPLETE'
            ? [
                {
                  say: 'A stack whose first deployment failed can only be deleted:',
                  run: [`aws cloudformation delete-stack --region ${region} --stack-name ${stack}`],
                },
              ]
            : []),
          deploy,
        ],
      };
  }
}

/** Before the first deployment: what that makes cannot be looked at. */
export function notDeployedYet(stack: string, deployment: Deployment): Finding {
  const { account, region } = deployment.install;
  return {
    check: 'stack',
    about: `stack ${stack} in account ${account}, ${region}`,
    status: 'unchecked',
    found: 'not deployed yet, so there are no role, functions, event rules, topic and queue to look at',
    why: 'Nothing is copied before that, and what it makes can be checked only then.',
    mend: [
      {
        say: 'When nothing else is to be mended, deploy, confirm the mail that comes, and check again:',
        run: deployCommand(deployment, { parameters: { AlertEmail: 'oncall@example.com' } }),
      },
    ],
  };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html, status codes */
function verdictOn(status: string): 'fine' | 'underWay' | 'rolledBack' | 'broken' {
  if (/^(?:CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status)) return 'fine';
  if (/^(?:UPDATE|IMPORT)_ROLLBACK_COMPLETE$/.test(status)) return 'rolledBack';
  return /^(?:CREATE|UPDATE|IMPORT)_.*IN_PROGRESS$/.test(status) ? 'underWay' : 'broken';
}

/** A function of the install, as Lambda tells of it. */
export interface FunctionState {
  readonly name: string;
  /** `Active`, `Inactive`, `Pending` or `Failed`; undefined if there is no such function. */
  readonly state: string | undefined;
  /** `Successful`, `InProgress` or `Failed`. */
  readonly lastUpdate?: string;
  /** Why state or update failed, in Lambda's words. */
  readonly reason?: string;
}

/**
 * Whether the functions can run. One that was not called for weeks is `Inactive`, and wakes at the next call:
 * https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
 */
export function checkFunctions(
  functions: readonly { readonly name: string; readonly fact: Fact<FunctionState> }[],
  deployment: Deployment,
): readonly Finding[] {
  const check = 'function';
  const why = 'The state machine and the events need each of the functions; without one, copies fail or never begin.';
  const findings = functions.flatMap(({ name, fact }): Finding[] => {
    const about = `function ${name}`;
    if (!isKnown(fact)) return [couldNotCheck(fact, { check, about, why })];
    const { state, lastUpdate, reason = 'Lambda gives no reason' } = fact.value;
    const isWaiting = state === 'Pending' || lastUpdate === 'InProgress';
    if (state === undefined || state === 'Failed' || lastUpdate === 'Failed') {
      const found =
        state === undefined
          ? 'it is not there'
          : state === 'Failed'
            ? `Failed: ${reason}`
            : `its last update failed: ${reason}`;
      const deploy = { say: 'Deploy again; that makes what is missing:', run: deployCommand(deployment) };
      return [{ check, about, status: 'problem', found, why, mend: [deploy] }];
    }
    if (!isWaiting) return [];
    const found = `not ready yet (${state}): ${reason}`;
    return [{ check, about, status: 'warning', found, why, mend: [{ say: 'Check again in a minute.' }] }];
  });
  const well = functions.length - findings.length;
  const found = `${well} of ${functions.length} are ready`;
  return well === 0 ? findings : [fine({ check, about: 'functions', found }), ...findings];
}

/** A rules file beside what is deployed. */
export interface OtherRules {
  readonly file: string;
  /** Undefined if the file is wrong. */
  readonly rules: RulesOfFile | undefined;
}

/** What a rules file says. */
interface RulesOfFile {
  readonly rules: readonly CopyRule[];
  readonly sourceAccounts: SourceAccounts;
}

/** Whether a rules file says what is deployed. */
export function checkDeployedRules(
  deployed: RulesOfFile,
  { file, rules }: OtherRules,
  deployment: Deployment,
): Finding {
  const check = 'rules-deployed';
  const about = `${file} and the rules that are deployed`;
  const why = 'The service works by what was deployed, whatever the file says since then.';
  if (rules === undefined) {
    return {
      check,
      about,
      status: 'warning',
      found: `${file} is wrong, and cannot be deployed`,
      why,
      mend: [{ say: 'See what is wrong:', run: [`snapshot-copier rules check ${file}`] }],
    };
  }
  const isSame = JSON.stringify(deployed.sourceAccounts) === JSON.stringify(rules.sourceAccounts);
  const differences = [...differencesOf(deployed.rules, rules.rules), ...(isSame ? [] : ['sourceAccounts are others'])];
  if (differences.length === 0) return fine({ check, about, found: 'the same' });
  return {
    check,
    about,
    status: 'warning',
    found: `not deployed yet: ${differences.join('; ')}`,
    why,
    mend: [{ say: 'If the file is right, deploy it:', run: deployCommand({ ...deployment, rulesFile: file }) }],
  };
}

/** What rules differ in, in words; the same rules in another order count, for the first one wins. */
function differencesOf(deployed: readonly CopyRule[], rules: readonly CopyRule[]): readonly string[] {
  const before = new Map(deployed.map((rule) => [rule.name, JSON.stringify(rule)]));
  const after = new Map(rules.map((rule) => [rule.name, JSON.stringify(rule)]));
  const added = [...after.keys()].filter((name) => !before.has(name));
  const removed = [...before.keys()].filter((name) => !after.has(name));
  const changed = [...after]
    .filter(([name, text]) => before.has(name) && before.get(name) !== text)
    .map(([name]) => name);
  const isMoved =
    added.length + removed.length + changed.length === 0 && [...before.keys()].join() !== [...after.keys()].join();
  return [
    ...said('added', added),
    ...said('changed', changed),
    ...said('removed', removed),
    ...(isMoved ? ['the rules are in another order'] : []),
  ];
}

function said(what: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`${what} ${names.join(', ')}`];
}

/** What was switched off when the install was deployed. */
export function checkOptions(deployment: Deployment): readonly Finding[] {
  const { parameters } = deployment;
  const off: Finding[] = [];
  if (parameters.get('LookbackHours') === '0') {
    off.push({
      check: 'look-back',
      about: 'look-back for lost events',
      status: 'hint',
      found: 'off (lookbackHours is 0)',
      why: 'EC2 may lose an event, and then nobody asks for a copy of that snapshot.',
      mend: [{ say: 'Switch it on:', run: deployCommand(deployment, { parameters: { LookbackHours: '24' } }) }],
    });
  }
  if (parameters.get('Monitoring') === 'off') {
    off.push({
      check: 'monitoring',
      about: 'alarms and dashboard',
      status: 'hint',
      found: 'off (monitoring is off)',
      why: 'Nobody hears when requests wait for too long, or when a destination gets no copies any more.',
      mend: [{ say: 'Switch them on:', run: deployCommand(deployment, { parameters: { Monitoring: 'on' } }) }],
    });
  }
  return off;
}

/** The rules of these names. */
export function chosenRules(
  rules: readonly CopyRule[],
  names: readonly string[],
): { readonly rules: readonly CopyRule[] } | { readonly problem: string } {
  if (names.length === 0) return { rules };
  const known = rules.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return { rules: rules.filter(({ name }) => names.includes(name)) };
  const meant = didYouMean(unknown, known);
  const help = meant === undefined ? `There are: ${known.join(', ')}.` : `Did you mean ${meant}?`;
  return { problem: `There is no rule ${unknown}. ${help}` };
}
