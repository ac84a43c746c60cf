import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CopyProgress } from '../../core/copy-progress.ts';
import type { PreparedSource } from '../../core/prepare-source.ts';
import { LIMITS } from '../../core/rules/limits.ts';
import { decideWithoutSource } from '../../core/source-readiness.ts';
import { waitSeconds } from '../../core/wait-schedule.ts';
import {
  delaysOf,
  parseStateMachine,
  patienceSeconds,
  readDefinition,
  type StateMachine,
} from '../../packaging/state-machine.ts';
import { aslValidatorProblems, languageServiceProblems } from '../support/asl-problems.ts';
import {
  branchesOf,
  claimsAbout,
  ERROR_CLASSES,
  functionsThatOutliveTheirTask,
  lambdaTroubleNotRetried,
  misplacedCatchAlls,
  NAMES_OF_AWS,
  permanent,
  permanentErrorsRetried,
  retriedBy,
  tasksOf,
  temporary,
  unknownErrorNames,
  unpairedFunctions,
} from '../support/machine-claims.ts';
import { planted } from '../support/planted.ts';

const definition = readDefinition('copy-snapshot');
const others = [parseStateMachine(readDefinition('admit-copies'))];
const claim = claimsAbout(definition);

/** What may pass, and where it can come. A full Region is no trouble: see below. */
const TEMPORARY_ERRORS: Readonly<Record<string, readonly string[]>> = {
  // It copies as well, in the source account.
  PrepareSource: ['ThrottledError', 'ServiceTroubleError', 'NotYetVisibleError', 'CopyOutcomeUnknownError'],
  StartCopy: ['ThrottledError', 'ServiceTroubleError', 'NotYetVisibleError', 'CopyOutcomeUnknownError'],
  CheckCopy: ['ThrottledError', 'ServiceTroubleError', 'NotYetVisibleError'],
  TagCopy: ['ThrottledError', 'ServiceTroubleError', 'NotYetVisibleError', 'SourceNotMarkedError'],
  RemoveFailedCopy: ['ThrottledError', 'ServiceTroubleError', 'NotYetVisibleError'],
  ReturnToQueue: ['ThrottledError', 'ServiceTroubleError', 'LedgerBusyError'],
};

describe('two validators accept the definition', () => {
  it('asl-validator', () => expect(aslValidatorProblems(definition)).toEqual([]));
  it("AWS's language service", async () => expect(await languageServiceProblems(definition)).toEqual([]));

  it.each([
    ['a transition to nowhere', 'States.TagCopy.Next', 'Copid'],
    ['a catch to nowhere', 'States.TagCopy.Catch.0.Next', 'RemoveFailed'],
    ['a state that nothing leads to', 'States.WhatNext.Choices.3.Next', 'Copied'],
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

claim('every Lambda function and Task exists once for the other', (of) => unpairedFunctions(of, others), [
  ['a function that is not there', 'States.TagCopy.Resource.Fn::GetAtt.0', 'tagCopies'],
  ['a function called by two states', 'States.TagCopy.Resource.Fn::GetAtt.0', 'checkCopy'],
]);

claim('every error name is one that can come', unknownErrorNames, [
  ['a misspelt class', 'States.CheckCopy.Retry.0.ErrorEquals.0', 'ThrotledError'],
  ['a misspelt name of Lambda', 'States.CheckCopy.Retry.2.ErrorEquals.4', 'Lambda.ServiceExeption'],
]);

claim('every temporary error is tried again, wherever it can come', temporaryErrorsNotRetried, [
  ['a lost answer that is no longer looked for', 'States.StartCopy.Retry.0.ErrorEquals', ['States.Timeout']],
  ['a ledger that others write to', 'States.ReturnToQueue.Retry.3.ErrorEquals', ['States.Timeout']],
  ['a look that gives up on the first throttle', 'States.CheckCopy.Retry.0.ErrorEquals.0', 'States.Timeout'],
]);

claim('no permanent error is ever tried again', permanentErrorsRetried, [
  ['a refused request that is repeated', 'States.CheckCopy.Retry.0.ErrorEquals.0', 'RequestRefusedError'],
  ['all errors repeated', 'States.CheckCopy.Retry.2.ErrorEquals', ['States.ALL']],
  ['all errors of tasks repeated', 'States.CheckCopy.Retry.2.ErrorEquals', ['States.TaskFailed']],
]);

claim('a full Region is waited for in the queue, where that costs nothing', slotsWaitedFor, [
  ['one that is waited for here', 'States.StartCopy.Retry.3.ErrorEquals.0', 'CopySlotsTakenError'],
  ['one that is taken for a failure', 'States.StartCopy.Catch.0.ErrorEquals', ['ThrottledError']],
  ['one that goes on as if a copy had begun', 'States.StartCopy.Catch.0.Next', 'WhatNext'],
  ['a refusal that hides why it could not be put back', 'States.StartCopy.Catch.0.ResultPath', '$.error'],
  ['a request that is put back and then copied here', 'States.ReturnToQueue.Next', 'WhatNext'],
  ['a request that waits again without a word of it', 'States.ReturnToQueue.ResultPath', '$.result'],
]);

claim('a source that EC2 does not show is asked for until its five minutes are surely over', sourceGivenUpTooSoon, [
  ['fewer looks', 'States.StartCopy.Retry.3.MaxAttempts', 15],
  ['no looks', 'States.StartCopy.Retry.3.ErrorEquals', ['Lambda.Unknown']],
]);

claim("trouble of Lambda's own is tried again by every task that calls a function", lambdaTroubleNotRetried, [
  ['a task that does not', 'States.ExplainFailure.Retry.3.ErrorEquals', ['States.Timeout']],
]);

claim('retries spread by FULL jitter, but for the lost answers of CopySnapshot', retriesInStep, [
  ['a thundering herd', 'States.TagCopy.Retry.0.JitterStrategy', 'NONE'],
]);

claim('a source whose owner has the companion is prepared first, and no other', sourcesNotPrepared, [
  ['a copy that begins before its source is shared', 'States.WhoseSource.Choices.0.Next', 'StartCopy'],
  ['every source taken for one of a companion', 'States.WhoseSource.Default', 'PrepareSource'],
  ['another field than that of the request', 'States.WhoseSource.Choices.0.Variable', '$.companion'],
  ['an unknown action taken for ready', 'States.IsSourceReady.Default', 'StartCopy'],
  ['a share that is not waited for', 'States.IsSourceReady.Choices.1.StringEquals', 'waits'],
  ['a wait that does not look again', 'States.WaitForSource.Next', 'StartCopy'],
]);

claim('a lost answer is looked for no earlier than EC2 surely lists the copy', lostAnswersRetriedTooSoon, [
  ['jitter, which may be no delay at all', 'States.StartCopy.Retry.0.JitterStrategy', 'FULL'],
  ['four minutes', 'States.StartCopy.Retry.0.IntervalSeconds', 240],
  ['a lost answer of Lambda that is tried again at once', 'States.StartCopy.Retry.2.ErrorEquals.1', 'Lambda.Unknown'],
]);

claim('every task has a way on when all retries have failed, or stands last of all', tasksWithoutWayOn, [
  ['a task without Catch', 'States.CheckCopy.Catch', undefined],
  ['a Catch for some errors only', 'States.CheckCopy.Catch.0.ErrorEquals', ['ThrottledError']],
  ['a failure that ends green', 'States.TagCopy.Catch.1.Next', 'Copied'],
  ['a request that may be lost from the queue', 'States.ReturnToQueue.Catch', undefined],
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
  ['thousands of attempts', 'States.StartCopy.Retry.0.MaxAttempts', 5000],
]);

it('is heard of at each of its ends: for the ledger, and to tell of what ends without a Catch', () => {
  // ExplainFailure and TellDeadLetterTopic have no Catch: their failure is the execution's.
  const service = readFileSync(new URL('../../serverless.yml', import.meta.url), 'utf8');
  expect(service).toMatch(
    /status: \[SUCCEEDED, FAILED, TIMED_OUT, ABORTED\]\n\s+stateMachineArn: \[\{ Ref: CopySnapshotMachine \}\]/,
  );
});

// --- the checks; each names what offends ---

/** After these, nobody knows whether StartCopy has called CopySnapshot. Throttled by Lambda means: was not run. */
const LEAVE_OUTCOME_UNKNOWN = new Set([...NAMES_OF_AWS, 'CopyOutcomeUnknownError']).difference(
  new Set(['Lambda.TooManyRequestsException']),
);

it('knows of every error class whether it is temporary or permanent', () => {
  expect([...temporary, ...permanent].toSorted()).toEqual(ERROR_CLASSES.toSorted());
  expect(temporary).toContain('CopySlotsTakenError');
  expect(permanent).toContain('RequestRefusedError');
});

it('knows of every temporary error where it can come', () => {
  const known = new Set(Object.values(TEMPORARY_ERRORS).flat());
  // The only one that is no reason to try again.
  expect([...known, 'CopySlotsTakenError'].toSorted()).toEqual(temporary.toSorted());
});

function temporaryErrorsNotRetried(of: StateMachine): readonly string[] {
  return tasksOf(of).flatMap(([name, task]) =>
    (TEMPORARY_ERRORS[name] ?? [])
      .filter((error) => !retriedBy(task).includes(error))
      .map((error) => `${name}: ${error}`),
  );
}

function slotsWaitedFor(of: StateMachine): readonly string[] {
  const retried = tasksOf(of).filter(([, task]) => retriedBy(task).includes('CopySlotsTakenError'));
  const { StartCopy, ReturnToQueue, WaitsAgain } = of.States;
  if (StartCopy?.Type !== 'Task' || ReturnToQueue?.Type !== 'Task') return ['StartCopy or ReturnToQueue is missing'];
  const [first] = StartCopy.Catch ?? [];
  // Not $.error: that says why ReturnToQueue failed, if it does.
  const wanted = { ErrorEquals: ['CopySlotsTakenError'], ResultPath: '$.refused', Next: 'ReturnToQueue' };
  return [
    ...retried.map(([name]) => `${name} waits for a slot`),
    ...(JSON.stringify(first) === JSON.stringify(wanted) ? [] : ['StartCopy has no Catch for it']),
    // core/execution-outcome.ts reads that in the output.
    ...(ReturnToQueue.ResultPath === '$.returned' ? [] : ['the output does not say that it was put back']),
    ...(ReturnToQueue.Next === 'WaitsAgain' && WaitsAgain?.Type === 'Succeed' ? [] : ['ReturnToQueue is not the end']),
  ];
}

/** FULL jitter makes each delay anything from nothing to all of it: less than five standard deviations is not sure. */
function sourceGivenUpTooSoon(of: StateMachine): readonly string[] {
  // A source that is new is asked for longest.
  const begun = new Date('2026-03-02T04:00:00Z');
  const skippedAfter = (seconds: number) =>
    decideWithoutSource(begun, begun, new Date(begun.getTime() + seconds * 1000)).action === 'skip';
  const retrier = retriersOf(of, 'StartCopy').find(({ ErrorEquals }) => ErrorEquals.includes('NotYetVisibleError'));
  if (retrier === undefined) return ['StartCopy gives up at once'];
  const deviation = Math.sqrt(delaysOf(retrier).reduce((sum, delay) => sum + delay ** 2 / 12, 0));
  const surely = patienceSeconds(retrier) - 5 * deviation;
  return skippedAfter(surely) ? [] : [`${Math.round(surely)} s are not enough`];
}

function retriesInStep(of: StateMachine): readonly string[] {
  return tasksOf(of).flatMap(([name, { Retry }]) =>
    Retry.filter(
      ({ JitterStrategy, ErrorEquals }) =>
        JitterStrategy !== 'FULL' &&
        !(COPYING.has(name) && ErrorEquals.every((error) => LEAVE_OUTCOME_UNKNOWN.has(error))),
    ).map(({ ErrorEquals }) => `${name}: ${ErrorEquals.join()}`),
  );
}

/** What asks EC2 for copies: in the account of the service, and in a source account. */
const COPYING = new Set(['StartCopy', 'PrepareSource']);

function lostAnswersRetriedTooSoon(of: StateMachine): readonly string[] {
  const copying = tasksOf(of).filter(([name]) => COPYING.has(name));
  if (copying.length !== COPYING.size) return ['StartCopy or PrepareSource is missing'];
  return copying.flatMap(([, { Retry }]) =>
    Retry.filter(({ ErrorEquals }) => ErrorEquals.some((error) => LEAVE_OUTCOME_UNKNOWN.has(error)))
      .filter(({ IntervalSeconds, JitterStrategy }) => IntervalSeconds < 300 || JitterStrategy !== 'NONE')
      .map(({ ErrorEquals }) => ErrorEquals.join()),
  );
}

function sourcesNotPrepared(of: StateMachine): readonly string[] {
  // An action that PreparedSource gains or loses stops the type check here.
  const wanted: Readonly<Record<PreparedSource['action'], string>> = {
    ready: 'StartCopy',
    wait: 'WaitForSource',
    skip: 'SourceGone',
  };
  const { WhoseSource: whose, IsSourceReady: choice, WaitForSource: wait } = of.States;
  if (whose?.Type !== 'Choice' || choice?.Type !== 'Choice') return ['WhoseSource or IsSourceReady is no choice'];
  const branches = branchesOf(choice);
  const first = JSON.stringify(whose.Choices);
  return [
    ...(first === '[{"Variable":"$.source.companion","IsPresent":true,"Next":"PrepareSource"}]' ? [] : [first]),
    ...(whose.Default === 'StartCopy' && of.StartAt === 'WhoseSource' ? [] : ['other sources are not copied at once']),
    ...Object.entries(wanted).flatMap(([action, next]) => (branches.get(action) === next ? [] : [action])),
    ...(choice.Default === 'RemoveFailedCopy' ? [] : ['an unknown action']),
    ...(wait?.Type === 'Wait' && wait.Next === 'PrepareSource' ? [] : ['a wait does not look again']),
  ];
}

/** Leave nothing to be mended: a good copy whose source has no mark, and a request that waits for a slot. */
const NO_FAILURES: Readonly<Record<string, readonly string[]>> = {
  TagCopy: ['SourceNotMarkedError'],
  StartCopy: ['CopySlotsTakenError'],
};

function tasksWithoutWayOn(of: StateMachine): readonly string[] {
  const saidByTheEndOfTheExecution = ['ExplainFailure', 'TellDeadLetterTopic'];
  return tasksOf(of)
    .filter(([name]) => !saidByTheEndOfTheExecution.includes(name))
    .filter(([name, { Catch = [] }]) => {
      const last = Catch.at(-1);
      const next = name === 'RemoveFailedCopy' ? 'ExplainFailure' : 'RemoveFailedCopy';
      const wrong = Catch.filter(({ Next }) => Next !== next).map(({ ErrorEquals }) => ErrorEquals.join());
      const allowed = NO_FAILURES[name] ?? [];
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
    skip: 'SourceGone',
    reportDryRun: 'DryRunReported',
    giveUp: 'RemoveFailedCopy',
  };
  const choice = of.States['WhatNext'];
  if (choice?.Type !== 'Choice') return ['WhatNext is no choice'];
  const branches = branchesOf(choice);
  const wrong = Object.entries(wanted).filter(([action, next]) => (branches.get(action) ?? choice.Default) !== next);
  const unknown = [...branches.keys()].filter((action) => !Object.hasOwn(wanted, action));
  return [...wrong.map(([action]) => action), ...unknown, ...(choice.Default === wanted.giveUp ? [] : ['Default'])];
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
