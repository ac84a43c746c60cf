import { describe, expect, it } from 'vitest';
import { UnreadableInputError } from '../../core/errors.ts';
import { parseWake } from '../../core/wake.ts';
import type { Looked } from '../../functions/admit-copies.ts';
import { parseStateMachine, readDefinition, type StateMachine } from '../../packaging/state-machine.ts';
import { aslValidatorProblems, languageServiceProblems } from '../support/asl-problems.ts';
import {
  branchesOf,
  claimsAbout,
  functionsThatOutliveTheirTask,
  lambdaTroubleNotRetried,
  misplacedCatchAlls,
  permanentErrorsRetried,
  retriedBy,
  tasksOf,
  unknownErrorNames,
  unpairedFunctions,
} from '../support/machine-claims.ts';
import { planted } from '../support/planted.ts';

const definition = readDefinition('admit-copies');
const others = [parseStateMachine(readDefinition('copy-snapshot'))];
const claim = claimsAbout(definition);

describe('two validators accept the definition', () => {
  it('asl-validator', () => expect(aslValidatorProblems(definition)).toEqual([]));
  it("AWS's language service", async () => expect(await languageServiceProblems(definition)).toEqual([]));

  it('and would notice a beat that goes nowhere', () => {
    expect(aslValidatorProblems(planted(definition, 'States.WaitForBeat.Next', 'Admits'))).not.toEqual([]);
  });

  it('and would notice a misspelt retrier', async () => {
    const wrong = planted(definition, 'States.Admit.Retry.0.MaxAttemps', 3);
    expect(await languageServiceProblems(wrong)).not.toEqual([]);
  });
});

claim('States.ALL stands alone and last', misplacedCatchAlls, [
  ['States.ALL beside others', 'States.Admit.Retry.0.ErrorEquals.1', 'States.ALL'],
]);

claim('every Lambda function and Task exists once for the other', (of) => unpairedFunctions(of, others), [
  ['a function that is not there', 'States.Admit.Resource.Fn::GetAtt.0', 'admitCopy'],
  ['a function of the other state machine', 'States.Admit.Resource.Fn::GetAtt.0', 'startCopy'],
]);

claim('every error name is one that can come', unknownErrorNames, [
  ['a misspelt class', 'States.Admit.Retry.0.ErrorEquals.0', 'LegderBusyError'],
]);

claim('every temporary error is tried again', temporaryErrorsNotRetried, [
  ['a ledger that others write to', 'States.Admit.Retry.0.ErrorEquals.0', 'States.Runtime'],
  ['an EC2 or a DynamoDB that throttles', 'States.Admit.Retry.0.ErrorEquals.1', 'States.Runtime'],
]);

claim('no permanent error is ever tried again', permanentErrorsRetried, [
  ['a refused call that is repeated', 'States.Admit.Retry.0.ErrorEquals.0', 'RequestRefusedError'],
]);

claim("trouble of Lambda's own is tried again", lambdaTroubleNotRetried, [
  ['a throttled function', 'States.Admit.Retry.0.ErrorEquals.12', 'States.Runtime'],
]);

claim('retries of many executions at once spread', withoutJitter, [
  ['a thundering herd', 'States.Admit.Retry.0.JitterStrategy', 'NONE'],
]);

claim("the function's own time limit comes before that of its task", functionsThatOutliveTheirTask, [
  ['a task that gives up first', 'States.Admit.TimeoutSeconds', 45],
]);

claim('it ends by itself before Step Functions ends it, after five minutes', lastsTooLong, [
  ['five minutes', 'TimeoutSeconds', 300],
]);

claim('the choice knows every action of a look', actionsWithoutBranch, [
  ['a beat that is not chosen', 'States.WhatNext.Choices.0.StringEquals', 'beats'],
  ['a Default that goes on for ever', 'States.WhatNext.Default', 'WaitForBeat'],
  ['a beat that does not look again', 'States.WaitForBeat.Next', 'Looked'],
]);

it('gives each look what the execution was started with, without what looks before added: only that can be read', () => {
  expect(admit(parseStateMachine(definition)).Parameters).toEqual({
    execution: { 'id.$': '$$.Execution.Id', 'startTime.$': '$$.Execution.StartTime' },
    'wake.$': '$$.Execution.Input',
  });
  const execution = { id: 'arn:e', startTime: '2026-03-02T04:00:00Z' };
  const wake = { region: 'eu-central-1' };
  expect(parseWake({ execution, wake })).toEqual({ ...wake, execution });
  const looked: Looked = { action: 'beat', waitSeconds: 30, reason: 'requests wait' };
  expect(() => parseWake({ execution, wake: { ...wake, looked } })).toThrow(UnreadableInputError);
});

// --- the checks; each names what offends ---

function admit(of: StateMachine) {
  const state = of.States['Admit'];
  if (state?.Type !== 'Task') throw new Error('There is no Task Admit');
  return state;
}

function temporaryErrorsNotRetried(of: StateMachine): readonly string[] {
  // It copies nothing and tags nothing.
  const wanted = ['ThrottledError', 'ServiceTroubleError', 'NotYetVisibleError', 'LedgerBusyError'];
  return wanted.filter((error) => !retriedBy(admit(of)).includes(error));
}

function withoutJitter(of: StateMachine): readonly string[] {
  return tasksOf(of).flatMap(([name, { Retry }]) =>
    Retry.every(({ JitterStrategy }) => JitterStrategy === 'FULL') ? [] : [name],
  );
}

/** "Maximum execution time": https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
function lastsTooLong({ TimeoutSeconds }: StateMachine): readonly string[] {
  return TimeoutSeconds < 300 ? [] : [`${TimeoutSeconds} s`];
}

function actionsWithoutBranch(of: StateMachine): readonly string[] {
  // An action that Looked gains or loses stops the type check here.
  const wanted: Readonly<Record<Looked['action'], string>> = { beat: 'WaitForBeat', end: 'Looked' };
  const { WhatNext: choice, WaitForBeat: wait, Looked: last } = of.States;
  if (choice?.Type !== 'Choice') return ['WhatNext is no choice'];
  const branches = branchesOf(choice);
  const wrong = Object.entries(wanted).filter(([action, next]) => (branches.get(action) ?? choice.Default) !== next);
  return [
    ...wrong.map(([action]) => action),
    ...(wait?.Type === 'Wait' && wait.Next === 'Admit' ? [] : ['a beat does not look again']),
    ...(last?.Type === 'Succeed' ? [] : ['a look does not end green']),
  ];
}
