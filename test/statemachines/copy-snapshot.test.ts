import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CopyProgress } from '../../core/copy-progress.ts';
import * as errors from '../../core/errors.ts';
import { LIMITS } from '../../core/rules/limits.ts';
import { waitSeconds } from '../../core/wait-schedule.ts';
import { readFunctions } from '../../packaging/service-file.ts';
import {
  delaysOf,
  functionOf,
  parseStateMachine,
  patienceSeconds,
  readDefinition,
  type StateMachine,
  type TaskState,
} from '../../packaging/state-machine.ts';
import { aslValidatorProblems, languageServiceProblems } from '../support/asl-problems.ts';
import { planted } from '../support/planted.ts';

const definition = readDefinition();
const machine = parseStateMachine(definition);
const functions = readFunctions();

/** Those that call EC2, as their functions' imports say. */
const EC2_STATES = ['StartCopy', 'CheckCopy', 'TagCopy', 'RemoveFailedCopy'];

describe('two validators accept the definition', () => {
  it('asl-validator', () => expect(aslValidatorProblems(definition)).toEqual([]));
  it("AWS's language service", async () => expect(await languageServiceProblems(definition)).toEqual([]));

  it.each([
    ['a transition to nowhere', 'States.TagCopy.Next', 'Copid'],
    ['a catch to nowhere', 'States.TagCopy.Catch.0.Next', 'RemoveFailed'],
    ['a state that nothing leads to', 'States.WhatNext.Choices.2.Next', 'Copied'],
    ['a path that cannot be read', 'States.WhatNext.Choices.0.Variable', '$.copy..[action'],
  ])('and asl-validator would notice %s', (_, path, value) => {
    expect(aslValidatorProblems(planted(definition, path, value))).not.toEqual([]);
  });

  it.each([
    ['a back-off that shrinks', 'States.StartCopy.Retry.0.BackoffRate', 0.5],
    ['an unknown jitter', 'States.StartCopy.Retry.0.JitterStrategy', 'SOME'],
    ['a misspelt field of a retrier', 'States.StartCopy.Retry.0.MaxAttemps', 3],
  ])('and the language service would notice %s', async (_, path, value) => {
    expect(await languageServiceProblems(planted(definition, path, value))).not.toEqual([]);
  });
});

describe('what both validators miss', () => {
  it.each([
    ['a longest delay below the first', 'States.StartCopy.Retry.0.MaxDelaySeconds', 30, /MaxDelaySeconds/],
    ['a delay given as text', 'States.CheckCopy.Retry.1.MaxDelaySeconds', '60', /expected number/],
    ['a retrier without jitter strategy', 'States.TagCopy.Retry.0.JitterStrategy', undefined, /JitterStrategy/],
    ['a misspelt field of a catcher', 'States.TagCopy.Catch.0.ResultPth', '$.error', /ResultPth/],
    ['a catcher that replaces the request', 'States.TagCopy.Catch.0.ResultPath', '$', /ResultPath/],
    ['a task without time limit', 'States.CheckCopy.TimeoutSeconds', undefined, /TimeoutSeconds/],
    ['a misspelt field of a state', 'States.CheckCopy.TimeoutSecond', 60, /TimeoutSecond/],
    ['a machine without time limit', 'TimeoutSeconds', undefined, /TimeoutSeconds/],
  ])('is refused: %s', (_, path, value, problem) => {
    expect(() => parseStateMachine(planted(definition, path, value))).toThrow(problem);
  });
});

claim('States.ALL stands alone and last', misplacedCatchAlls, [
  ['States.ALL beside another name', 'States.StartCopy.Catch.0.ErrorEquals', ['States.ALL', 'ThrottledError']],
  ['States.ALL before another', 'States.StartCopy.Retry.0.ErrorEquals', ['States.ALL']],
]);

claim('every Lambda function and Task exists once for the other', unpairedFunctions, [
  ['a function that is not there', 'States.TagCopy.Resource.Fn::GetAtt.0', 'tagCopies'],
  ['a function called by two states', 'States.TagCopy.Resource.Fn::GetAtt.0', 'checkCopy'],
]);

claim('every error name is one that can come', unknownErrorNames, [
  ['a misspelt class', 'States.CheckCopy.Retry.0.ErrorEquals.0', 'ThrotledError'],
  ['a misspelt name of Lambda', 'States.CheckCopy.Retry.2.ErrorEquals.4', 'Lambda.ServiceExeption'],
]);

claim('every temporary error is tried again, wherever it can come', temporaryErrorsNotRetried, [
  ['a full Region that is no longer waited for', 'States.StartCopy.Retry.0.ErrorEquals', ['States.Timeout']],
  ['a look that gives up on the first throttle', 'States.CheckCopy.Retry.0.ErrorEquals.0', 'States.Timeout'],
]);

claim('no permanent error is ever tried again', permanentErrorsRetried, [
  ['a refused request that is repeated', 'States.CheckCopy.Retry.0.ErrorEquals.0', 'RequestRefusedError'],
  ['all errors repeated', 'States.CheckCopy.Retry.2.ErrorEquals', ['States.ALL']],
  ['all errors of tasks repeated', 'States.CheckCopy.Retry.2.ErrorEquals', ['States.TaskFailed']],
]);

claim("trouble of Lambda's own is tried again by every task that calls a function", lambdaTroubleNotRetried, [
  ['a task that does not', 'States.ExplainFailure.Retry.3.ErrorEquals', ['States.Timeout']],
]);

claim('retries spread by FULL jitter, but for the lost answers of CopySnapshot', retriesInStep, [
  ['a thundering herd', 'States.TagCopy.Retry.0.JitterStrategy', 'NONE'],
]);

claim('a lost answer is looked for no earlier than EC2 surely lists the copy', lostAnswersRetriedTooSoon, [
  ['jitter, which may be no delay at all', 'States.StartCopy.Retry.1.JitterStrategy', 'FULL'],
  ['four minutes', 'States.StartCopy.Retry.1.IntervalSeconds', 240],
  ['a lost answer of Lambda that is tried again at once', 'States.StartCopy.Retry.3.ErrorEquals.1', 'Lambda.Unknown'],
]);

claim('every task has a way on when all retries have failed, or stands last of all', tasksWithoutWayOn, [
  ['a task without Catch', 'States.CheckCopy.Catch', undefined],
  ['a Catch for some errors only', 'States.CheckCopy.Catch.0.ErrorEquals', ['ThrottledError']],
  ['a failure that ends green', 'States.TagCopy.Catch.1.Next', 'Copied'],
]);

claim('a failed copy ends red, after the dead-letter topic was told', failuresThatEndOtherwise, [
  ['an alert that ends green', 'States.TellDeadLetterTopic.Next', 'Copied'],
  ['an alert that is not sent', 'States.ExplainFailure.Next', 'CopyFailed'],
]);

claim('the choice knows every action of CopyProgress', actionsWithoutBranch, [
  ['an action that is not chosen', 'States.WhatNext.Choices.0.StringEquals', 'waits'],
  ['a Default that takes an unknown action for success', 'States.WhatNext.Default', 'TagCopy'],
]);

claim("a function's own time limit comes before that of its task", functionsThatOutliveTheirTask, [
  ['a task that gives up first', 'States.StartCopy.TimeoutSeconds', 45],
]);

claim('the deadline of a copy comes before the time limit of the machine', timeLimitTooShort, [
  ['14 days', 'TimeoutSeconds', 14 * 86_400],
  ['14 days and the longest wait', 'TimeoutSeconds', 14 * 86_400 + 1800],
]);

claim("no execution reaches Step Functions' limit of 25,000 events", tooMuchHistory, [
  ['twice the attempts', 'States.StartCopy.Retry.0.MaxAttempts', 8000],
]);

it('tells of what ends without a Catch by the event of its end', () => {
  // ExplainFailure and TellDeadLetterTopic have no Catch: their failure is the execution's, and this rule hears of it.
  const service = readFileSync(new URL('../../serverless.yml', import.meta.url), 'utf8');
  expect(service).toMatch(
    /status: \[FAILED, TIMED_OUT, ABORTED\]\n\s+stateMachineArn: \[\{ Ref: CopySnapshotMachine \}\]/,
  );
});

/** One test that the machine keeps the claim, and one for each planted mistake that the claim is really checked. */
function claim(
  title: string,
  offences: (of: StateMachine) => readonly string[],
  mistakes: readonly (readonly [what: string, path: string, value: unknown])[],
) {
  describe(title, () => {
    it('in our machine', () => expect(offences(machine)).toEqual([]));
    it.each(mistakes)('and would notice %s', (_, path, value) => {
      expect(offences(parseStateMachine(planted(definition, path, value)))).not.toEqual([]);
    });
  });
}

// --- the checks; each names what offends ---

function tasksOf(of: StateMachine): readonly (readonly [name: string, TaskState])[] {
  return Object.entries(of.States).flatMap(([name, state]) => (state.Type === 'Task' ? [[name, state] as const] : []));
}

function misplacedCatchAlls(of: StateMachine): readonly string[] {
  return tasksOf(of).flatMap(([name, { Retry, Catch = [] }]) =>
    [Retry, Catch].flatMap((list) =>
      list.flatMap(({ ErrorEquals }, index) =>
        ErrorEquals.includes('States.ALL') && (ErrorEquals.length > 1 || index < list.length - 1) ? [name] : [],
      ),
    ),
  );
}

function unpairedFunctions(of: StateMachine): readonly string[] {
  const called = tasksOf(of).flatMap(([, state]) => functionOf(state) ?? []);
  const offered = [...functions.keys()].filter((name) => !name.startsWith('on'));
  return [...called, ...offered].filter(
    (name) => called.filter((other) => other === name).length !== 1 || !offered.includes(name),
  );
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html and Lambda's own Sandbox.Timedout. */
const NAMES_OF_AWS = new Set([
  'States.ALL',
  'States.Timeout',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'Lambda.Unknown',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
]);

/** After these, nobody knows whether StartCopy has called CopySnapshot. Throttled by Lambda means: was not run. */
const LEAVE_OUTCOME_UNKNOWN = new Set([...NAMES_OF_AWS, 'CopyOutcomeUnknownError']).difference(
  new Set(['Lambda.TooManyRequestsException']),
);

function unknownErrorNames(of: StateMachine): readonly string[] {
  return tasksOf(of).flatMap(([, { Retry, Catch = [] }]) =>
    [...Retry, ...Catch]
      .flatMap(({ ErrorEquals }) => ErrorEquals)
      .filter((name) => !NAMES_OF_AWS.has(name) && !ERROR_CLASSES.includes(name)),
  );
}

const ERROR_CLASSES = Object.keys(errors).filter((name) => name !== 'CopierError');

/** The two halves of core/errors.ts: what may pass, and what somebody has to act on. */
const { temporary, permanent } = (() => {
  const source = readFileSync(new URL('../../core/errors.ts', import.meta.url), 'utf8');
  const [, first = '', second = ''] = source.split(/^\/\/ --- (?:temporary|permanent): .*$/m);
  const classesIn = (text: string) => [...text.matchAll(/^export class (\w+) extends/gm)].map(([, name = '']) => name);
  return { temporary: classesIn(first), permanent: classesIn(second) };
})();

it('knows of every error class whether it is temporary or permanent', () => {
  expect([...temporary, ...permanent].toSorted()).toEqual(ERROR_CLASSES.toSorted());
  expect(temporary).toContain('CopySlotsTakenError');
  expect(permanent).toContain('RequestRefusedError');
});

function temporaryErrorsNotRetried(of: StateMachine): readonly string[] {
  const onlyOfCopySnapshot = ['CopySlotsTakenError', 'CopyOutcomeUnknownError'];
  return tasksOf(of)
    .filter(([name]) => EC2_STATES.includes(name))
    .flatMap(([name, { Retry }]) => {
      const retried = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
      return temporary
        .filter((error) => name === 'StartCopy' || !onlyOfCopySnapshot.includes(error))
        .filter((error) => name === 'TagCopy' || error !== 'SourceNotMarkedError')
        .filter((error) => !retried.includes(error))
        .map((error) => `${name}: ${error}`);
    });
}

function permanentErrorsRetried(of: StateMachine): readonly string[] {
  return tasksOf(of)
    .filter(([, state]) => functionOf(state) !== undefined)
    .flatMap(([name, { Retry }]) =>
      Retry.flatMap(({ ErrorEquals }) => ErrorEquals)
        .filter((error) => [...permanent, 'States.ALL', 'States.TaskFailed'].includes(error))
        .map((error) => `${name}: ${error}`),
    );
}

function lambdaTroubleNotRetried(of: StateMachine): readonly string[] {
  const wanted = [...NAMES_OF_AWS].filter((name) => name !== 'States.ALL');
  return tasksOf(of)
    .filter(([, state]) => functionOf(state) !== undefined)
    .flatMap(([name, { Retry }]) => {
      const retried = Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
      return wanted.filter((error) => !retried.includes(error)).map((error) => `${name}: ${error}`);
    });
}

function retriesInStep(of: StateMachine): readonly string[] {
  return tasksOf(of).flatMap(([name, { Retry }]) =>
    Retry.filter(
      ({ JitterStrategy, ErrorEquals }) =>
        JitterStrategy !== 'FULL' &&
        !(name === 'StartCopy' && ErrorEquals.every((error) => LEAVE_OUTCOME_UNKNOWN.has(error))),
    ).map(({ ErrorEquals }) => `${name}: ${ErrorEquals.join()}`),
  );
}

function lostAnswersRetriedTooSoon(of: StateMachine): readonly string[] {
  return (
    tasksOf(of)
      .find(([name]) => name === 'StartCopy')?.[1]
      .Retry.filter(({ ErrorEquals }) => ErrorEquals.some((error) => LEAVE_OUTCOME_UNKNOWN.has(error)))
      .filter(({ IntervalSeconds, JitterStrategy }) => IntervalSeconds < 300 || JitterStrategy !== 'NONE')
      .map(({ ErrorEquals }) => ErrorEquals.join()) ?? ['there is no StartCopy']
  );
}

function tasksWithoutWayOn(of: StateMachine): readonly string[] {
  const saidByTheEndOfTheExecution = ['ExplainFailure', 'TellDeadLetterTopic'];
  return tasksOf(of)
    .filter(([name]) => !saidByTheEndOfTheExecution.includes(name))
    .filter(([name, { Catch = [] }]) => {
      const last = Catch.at(-1);
      const next = name === 'RemoveFailedCopy' ? 'ExplainFailure' : 'RemoveFailedCopy';
      const wrong = Catch.filter(({ Next }) => Next !== next).map(({ ErrorEquals }) => ErrorEquals.join());
      // The one failure that leaves nothing to be mended: a good copy whose source has no mark.
      const allowed = name === 'TagCopy' ? ['SourceNotMarkedError'] : [];
      return last?.ErrorEquals.join() !== 'States.ALL' || wrong.join() !== allowed.join();
    })
    .map(([name]) => name);
}

function failuresThatEndOtherwise(of: StateMachine): readonly string[] {
  const path: string[] = [];
  for (let name: string | undefined = 'RemoveFailedCopy'; name !== undefined; ) {
    const state: StateMachine['States'][string] | undefined = of.States[name];
    path.push(`${name}: ${state?.Type ?? 'missing'}`);
    name = state !== undefined && 'Next' in state && path.length < 10 ? state.Next : undefined;
  }
  const wanted = ['RemoveFailedCopy: Task', 'ExplainFailure: Task', 'TellDeadLetterTopic: Task', 'CopyFailed: Fail'];
  return path.join() === wanted.join() ? [] : path;
}

function actionsWithoutBranch(of: StateMachine): readonly string[] {
  // An action that CopyProgress gains or loses stops the type check here.
  const wanted: Readonly<Record<CopyProgress['action'], string>> = {
    wait: 'WaitForCopy',
    tag: 'TagCopy',
    reportDryRun: 'DryRunReported',
    giveUp: 'RemoveFailedCopy',
  };
  const choice = of.States['WhatNext'];
  if (choice?.Type !== 'Choice') return ['WhatNext is no choice'];
  const branches = new Map(choice.Choices.map(({ StringEquals, Next }) => [StringEquals, Next]));
  const wrong = Object.entries(wanted).filter(([action, next]) => (branches.get(action) ?? choice.Default) !== next);
  const unknown = [...branches.keys()].filter((action) => !Object.hasOwn(wanted, action));
  return [...wrong.map(([action]) => action), ...unknown, ...(choice.Default === wanted.giveUp ? [] : ['Default'])];
}

function functionsThatOutliveTheirTask(of: StateMachine): readonly string[] {
  return tasksOf(of)
    .filter(([, state]) => {
      const limit = functions.get(functionOf(state) ?? '')?.timeoutSeconds ?? 0;
      return limit >= state.TimeoutSeconds;
    })
    .map(([name]) => name);
}

const LONGEST_DEADLINE = LIMITS.deadlineSeconds.most;
const LONGEST_WAIT = waitSeconds(LONGEST_DEADLINE, LONGEST_DEADLINE);

/** After the deadline there may be one more wait, one look and the way to the alert, each with patient retries. */
function timeLimitTooShort(of: StateMachine): readonly string[] {
  const afterDeadline = ['CheckCopy', 'RemoveFailedCopy', 'ExplainFailure', 'TellDeadLetterTopic']
    .flatMap((name) => retriersOf(of, name))
    // Of EC2's trouble CheckCopy itself makes an end at the first look after the deadline.
    .map((retrier) => (retrier.MaxAttempts === 1000 ? LONGEST_WAIT : patienceSeconds(retrier)))
    .reduce((sum, seconds) => sum + seconds, 0);
  const needed = LONGEST_DEADLINE + LONGEST_WAIT + afterDeadline;
  return of.TimeoutSeconds > needed ? [] : [`${of.TimeoutSeconds} s are fewer than ${Math.ceil(needed)} s`];
}

/**
 * https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. Events: entering and leaving a state, and
 * for each attempt of a task scheduled, started and ended. Room is left for every look to be tried again twice.
 */
function tooMuchHistory(of: StateMachine): readonly string[] {
  const [inAndOut, attempt, startAndEnd] = [2, 3, 2];
  let looks = 0;
  for (let elapsed = 0; elapsed < LONGEST_DEADLINE; looks++)
    elapsed += waitSeconds(elapsed, LONGEST_DEADLINE - elapsed);
  const perLook = inAndOut + (inAndOut + attempt + 2 * attempt) + inAndOut; // WaitForCopy, CheckCopy, WhatNext
  const retries = ['StartCopy', 'RemoveFailedCopy', 'ExplainFailure', 'TellDeadLetterTopic']
    .flatMap((name) => retriersOf(of, name))
    .reduce((sum, retrier) => sum + delaysOf(retrier).length, 0);
  const states = 6 * (inAndOut + attempt);
  const events = startAndEnd + states + looks * perLook + retries * attempt;
  return events < 25_000 ? [] : [`${events} events`];
}

function retriersOf(of: StateMachine, name: string) {
  const state = of.States[name];
  if (state?.Type !== 'Task') throw new Error(`${name} is no Task`);
  return state.Retry;
}
