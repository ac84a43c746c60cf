import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as errors from '../../core/errors.ts';
import { readFunctions } from '../../packaging/service-file.ts';
import {
  functionOf,
  parseStateMachine,
  type State,
  type StateMachine,
  type TaskState,
} from '../../packaging/state-machine.ts';
import { planted } from './planted.ts';

/** A check: it names what offends. */
export type Check = (of: StateMachine) => readonly string[];

type Mistakes = readonly (readonly [what: string, path: string, value: unknown])[];

/** For a definition: one test that the machine keeps a claim, and one for each planted mistake that it is really checked. */
export function claimsAbout(definition: unknown) {
  return (title: string, offences: Check, mistakes: Mistakes): void => {
    describe(title, () => {
      it('in our machine', () => expect(offences(parseStateMachine(definition))).toEqual([]));
      it.each(mistakes)('and would notice %s', (_, path, value) => {
        expect(offences(parseStateMachine(planted(definition, path, value)))).not.toEqual([]);
      });
    });
  };
}

export function tasksOf(of: StateMachine): readonly (readonly [name: string, TaskState])[] {
  return Object.entries(of.States).flatMap(([name, state]) => (state.Type === 'Task' ? [[name, state] as const] : []));
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html and Lambda's own Sandbox.Timedout. */
export const NAMES_OF_AWS: ReadonlySet<string> = new Set([
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

export const ERROR_CLASSES: readonly string[] = Object.keys(errors).filter((name) => name !== 'CopierError');

/** The two halves of core/errors.ts: what may pass, and what somebody has to act on. */
export const { temporary, permanent } = (() => {
  const source = readFileSync(new URL('../../core/errors.ts', import.meta.url), 'utf8');
  const [, first = '', second = ''] = source.split(/^\/\/ --- (?:temporary|permanent): .*$/m);
  const classesIn = (text: string) => [...text.matchAll(/^export class (\w+) extends/gm)].map(([, name = '']) => name);
  return { temporary: classesIn(first), permanent: classesIn(second) };
})();

export function retriedBy({ Retry }: TaskState): readonly string[] {
  return Retry.flatMap(({ ErrorEquals }) => ErrorEquals);
}

export function misplacedCatchAlls(of: StateMachine): readonly string[] {
  return tasksOf(of).flatMap(([name, { Retry, Catch = [] }]) =>
    [Retry, Catch].flatMap((list) =>
      list.flatMap(({ ErrorEquals }, index) =>
        ErrorEquals.includes('States.ALL') && (ErrorEquals.length > 1 || index < list.length - 1) ? [name] : [],
      ),
    ),
  );
}

export function unknownErrorNames(of: StateMachine): readonly string[] {
  return tasksOf(of).flatMap(([, { Retry, Catch = [] }]) =>
    [...Retry, ...Catch]
      .flatMap(({ ErrorEquals }) => ErrorEquals)
      .filter((name) => !NAMES_OF_AWS.has(name) && !ERROR_CLASSES.includes(name)),
  );
}

export function permanentErrorsRetried(of: StateMachine): readonly string[] {
  return tasksOf(of)
    .filter(([, state]) => functionOf(state) !== undefined)
    .flatMap(([name, task]) =>
      retriedBy(task)
        .filter((error) => [...permanent, 'States.ALL', 'States.TaskFailed'].includes(error))
        .map((error) => `${name}: ${error}`),
    );
}

export function lambdaTroubleNotRetried(of: StateMachine): readonly string[] {
  const wanted = [...NAMES_OF_AWS].filter((name) => name !== 'States.ALL');
  return tasksOf(of)
    .filter(([, state]) => functionOf(state) !== undefined)
    .flatMap(([name, task]) =>
      wanted.filter((error) => !retriedBy(task).includes(error)).map((error) => `${name}: ${error}`),
    );
}

const functions = readFunctions();

export function functionsThatOutliveTheirTask(of: StateMachine): readonly string[] {
  return tasksOf(of)
    .filter(([, state]) => {
      const limit = functions.get(functionOf(state) ?? '')?.timeoutSeconds ?? 0;
      return limit >= state.TimeoutSeconds;
    })
    .map(([name]) => name);
}

/** Called by events, schedules and people: no state machine does. */
const CALLED_BY_OTHERS = [
  'onSnapshotEvent',
  'onCopyEnded',
  'sweep',
  'healLostEvents',
  'requestCopy',
  'releaseSource',
  'lookAtSources',
];

/** @param others the tasks of which are there for the other functions */
export function unpairedFunctions(of: StateMachine, others: readonly StateMachine[]): readonly string[] {
  const called = [of, ...others].flatMap((machine) => tasksOf(machine).flatMap(([, state]) => functionOf(state) ?? []));
  const offered = [...functions.keys()].filter((name) => !CALLED_BY_OTHERS.includes(name));
  return [...called, ...offered].filter(
    (name) => called.filter((other) => other === name).length !== 1 || !offered.includes(name),
  );
}

/** Where a choice leads to, by the word that it compares with. */
export function branchesOf({ Choices }: Extract<State, { Type: 'Choice' }>): ReadonlyMap<string, string> {
  return new Map(Choices.flatMap((rule) => ('StringEquals' in rule ? [[rule.StringEquals, rule.Next] as const] : [])));
}
