import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deployCommand, USUAL_PARAMETERS } from '../../../core/doctor/deploy-command.ts';
import {
  checkDeployedRules,
  checkFunctions,
  checkOptions,
  checkStack,
  chosenRules,
  type FunctionState,
  notDeployedYet,
} from '../../../core/doctor/stack.ts';
import type { SourceAccounts } from '../../../core/rules.ts';
import { brief, briefs, DEPLOYMENT, INSTALL, rules } from './examples.ts';

it('before the first deployment there is nothing to judge, and deploying comes next', () => {
  const finding = notDeployedYet('ebs-snapshot-copier-prod', { ...DEPLOYMENT, parameters: new Map() });
  expect(brief(finding)).toBe(
    'unchecked: not deployed yet, so there are no role, functions, event rules, topic and queue to look at\nnpx serverless deploy --region eu-west-1 --stage prod --param=alertEmail=oncall@example.com',
  );
});

describe('the command that deploys', () => {
  it('names what was given at the last deployment, for what is left out goes back to its default', () => {
    expect(deployCommand(DEPLOYMENT)).toEqual([
      'npx serverless deploy --region eu-west-1 --stage prod',
      '--param=alertEmail=oncall@example.com',
    ]);
  });

  it('names the rules file, and text as bash takes it', () => {
    const deployment = {
      install: { ...INSTALL, name: 'copies-of-ours' },
      rulesFile: 'our rules.yml',
      parameters: new Map([['AlertEmail', "o'hara@example.com"]]),
    };
    expect(deployCommand(deployment, { region: 'us-west-2' })).toEqual([
      "COPY_RULES='our rules.yml' npx serverless deploy --region us-west-2 --stage copies-of-ours",
      String.raw`--param='alertEmail=o'\''hara@example.com'`,
    ]);
  });

  it('knows the defaults of serverless.yml', () => {
    const text = readFileSync('serverless.yml', 'utf8');
    const defaults = [...text.matchAll(/Default: \$\{param:(\w)(\w+), '([^']*)'\}/g)].map(
      ([, initial = '', name = '', value]) => [initial.toUpperCase() + name, value],
    );
    expect(Object.fromEntries(defaults)).toEqual(USUAL_PARAMETERS);
  });
});

describe('the stack', () => {
  it.each([
    ['CREATE_COMPLETE', 'ok'],
    ['UPDATE_COMPLETE', 'ok'],
    ['UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', 'warning'],
    ['UPDATE_IN_PROGRESS', 'warning'],
    ['UPDATE_ROLLBACK_COMPLETE', 'warning'],
    ['UPDATE_ROLLBACK_FAILED', 'problem'],
    ['ROLLBACK_COMPLETE', 'problem'],
    ['CREATE_FAILED', 'problem'],
    ['DELETE_IN_PROGRESS', 'problem'],
    ['REVIEW_IN_PROGRESS', 'problem'],
  ])('%s is %s', (status, expected) => {
    expect(checkStack('our-stack', status, DEPLOYMENT).status).toBe(expected);
  });

  it('whose rollback failed is told how that goes on', () => {
    expect(brief(checkStack('our-stack', 'UPDATE_ROLLBACK_FAILED', DEPLOYMENT))).toContain(
      'aws cloudformation continue-update-rollback --region eu-west-1 --stack-name our-stack\n',
    );
    expect(brief(checkStack('our-stack', 'ROLLBACK_COMPLETE', DEPLOYMENT))).toContain(
      'aws cloudformation delete-stack --region eu-west-1 --stack-name our-stack\n',
    );
  });
});

describe('functions', () => {
  const state = (name: string, over: Partial<FunctionState> = {}) => ({
    name,
    fact: { value: { name, state: 'Active', lastUpdate: 'Successful', ...over } },
  });

  it('are ready together, in one line, those that sleep too', () => {
    expect(briefs(checkFunctions([state('a'), state('b', { state: 'Inactive' })], DEPLOYMENT))).toEqual([
      'ok: 2 of 2 are ready',
    ]);
  });

  it.each([
    [{ state: undefined }, 'problem: it is not there'],
    [{ state: 'Failed', reason: 'no such role' }, 'problem: Failed: no such role'],
    [{ lastUpdate: 'Failed' }, 'problem: its last update failed: Lambda gives no reason'],
    [
      { state: 'Pending', reason: 'The function is being created.' },
      'warning: not ready yet (Pending): The function is being created.',
    ],
    [{ lastUpdate: 'InProgress' }, 'warning: not ready yet (Active)'],
  ])('%j', (over, expected) => {
    const [first, second] = briefs(checkFunctions([state('a'), state('b', over)], DEPLOYMENT));
    expect(first).toBe('ok: 1 of 2 are ready');
    expect(second).toContain(expected);
  });

  it('that nobody may look at are not counted as ready', () => {
    const fact = { unknown: 'AccessDenied: no', lacks: ['lambda:GetFunctionConfiguration'] };
    expect(checkFunctions([{ name: 'a', fact }], DEPLOYMENT).map(({ status }) => status)).toEqual(['unchecked']);
  });
});

describe('a rules file beside what is deployed', () => {
  const none: SourceAccounts = { accounts: [] };
  const deployed = { rules: rules({ name: 'nightly' }, { name: 'weekly' }), sourceAccounts: none };
  const compare = (file: ReturnType<typeof rules> | undefined, sourceAccounts = none) => {
    const of = { file: 'copy-rules.yml', rules: file && { rules: file, sourceAccounts } };
    return brief(checkDeployedRules(deployed, of, DEPLOYMENT));
  };

  it('is the same, or not deployed yet', () => {
    expect(compare(rules({ name: 'nightly' }, { name: 'weekly' }))).toBe('ok: the same');
    expect(compare(rules({ name: 'nightly', dryRun: true }, { name: 'hourly' }))).toBe(
      'warning: not deployed yet: added hourly; changed nightly; removed weekly\nnpx serverless deploy --region eu-west-1 --stage prod --param=alertEmail=oncall@example.com',
    );
  });

  it('matters in its order too, for the first rule wins', () => {
    expect(compare(rules({ name: 'weekly' }, { name: 'nightly' }))).toContain('the rules are in another order');
  });

  it('may list other source accounts', () => {
    expect(compare(deployed.rules, { accounts: ['111122223333'] })).toContain(
      'warning: not deployed yet: sourceAccounts are others\n',
    );
  });

  it('may be wrong', () => {
    expect(compare(undefined)).toBe(
      'warning: copy-rules.yml is wrong, and cannot be deployed\nsnapshot-copier rules check copy-rules.yml',
    );
  });
});

describe('what was switched off', () => {
  it('is worth a hint, and one command away', () => {
    const parameters = new Map([
      ['LookbackHours', '0'],
      ['Monitoring', 'off'],
    ]);
    expect(briefs(checkOptions({ ...DEPLOYMENT, parameters }))).toEqual([
      'hint: off (lookbackHours is 0)\nnpx serverless deploy --region eu-west-1 --stage prod --param=monitoring=off',
      'hint: off (monitoring is off)\nnpx serverless deploy --region eu-west-1 --stage prod --param=lookbackHours=0',
    ]);
    expect(checkOptions(DEPLOYMENT)).toEqual([]);
  });
});

describe('choosing rules', () => {
  const all = rules({ name: 'nightly' }, { name: 'weekly' });

  it('takes those that are named, or all', () => {
    expect(chosenRules(all, [])).toEqual({ rules: all });
    expect(chosenRules(all, ['weekly'])).toEqual({ rules: all.slice(1) });
  });

  it('knows what was meant', () => {
    expect(chosenRules(all, ['nigthly'])).toEqual({ problem: 'There is no rule nigthly. Did you mean nightly?' });
    expect(chosenRules(all, ['x'.repeat(20)])).toEqual({
      problem: `There is no rule ${'x'.repeat(20)}. There are: nightly, weekly.`,
    });
  });
});
