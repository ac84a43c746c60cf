import type * as errors from '../core/errors.ts';
import type { FunctionInService } from './service-file.ts';
import { functionOf, patienceSeconds, type Retrier, type State, type StateMachine } from './state-machine.ts';

type ErrorName = Exclude<keyof typeof errors, 'CopierError'>;

/** Errors of core/errors.ts that no attempt can cure, by the function that may throw them. */
export const NEVER_RETRIED: Readonly<Record<string, readonly ErrorName[]>> = {
  prepareSource: [
    'SourceNotShareableError',
    'SourceAccountRefusedError',
    'SourceHiddenError',
    'IntermediateFailedError',
    'RequestRefusedError',
    'DeadlinePassedError',
    'UnreadableInputError',
  ],
  startCopy: ['SourceHiddenError', 'RequestRefusedError', 'DeadlinePassedError', 'UnreadableInputError'],
  checkCopy: ['RequestRefusedError', 'DeadlinePassedError', 'UnreadableInputError'],
  returnToQueue: ['RequestRefusedError', 'UnreadableInputError'],
  tagCopy: ['RequestRefusedError', 'UnreadableInputError'],
  removeFailedCopy: ['RequestRefusedError', 'UnreadableInputError'],
  explainFailure: ['UnreadableInputError'],
};

/**
 * A Markdown table of the states: what each does, the file behind it, and which errors it may throw: those that are
 * tried again, with how often and for how long, and those that are not.
 */
export function statesTable({ States }: StateMachine, functions: ReadonlyMap<string, FunctionInService>): string {
  const states = Object.entries(States);
  const rows = states.map(([name, state]) => [
    code(name),
    state.Comment ?? '',
    fileOf(state, functions),
    triedAgain(state, states),
    (NEVER_RETRIED[functionOf(state) ?? ''] ?? []).map(code).join('<br>'),
  ]);
  const head = ['State', 'Does', 'In', 'Tried again', 'Never tried again'];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function triedAgain(state: State, states: readonly (readonly [string, State])[]): string {
  if (state.Type !== 'Task') return '';
  const written = JSON.stringify(state.Retry);
  const [first, same] =
    states.find(([, other]) => other.Type === 'Task' && JSON.stringify(other.Retry) === written) ?? [];
  return first !== undefined && same !== state ? `as ${code(first)}` : state.Retry.map(tries).join('<br>');
}

function fileOf(state: State, functions: ReadonlyMap<string, FunctionInService>): string {
  const file = functions.get(functionOf(state) ?? '')?.file;
  if (file !== undefined) return `[${file}](${file})`;
  if (state.Type === 'Task') return 'SNS';
  return state.Type === 'Choice' || state.Type === 'Wait' ? 'the definition' : 'ends the execution';
}

/** How long is an average over the jitter: one execution may give up a little sooner, another later. */
function tries(retrier: Retrier): string {
  const names = [...new Set(retrier.ErrorEquals.map(inWords))];
  return `${names.join(', ')}: ${count(retrier.MaxAttempts)} times in ${print(patienceSeconds(retrier))}`;
}

function inWords(errorName: string): string {
  if (errorName === 'States.ALL') return 'any error';
  if (errorName === 'Lambda.TooManyRequestsException') return 'throttling by Lambda';
  return errorName.includes('.') ? "Lambda's own trouble" : code(errorName);
}

function count(number: number): string {
  return number.toLocaleString('en-GB');
}

function print(seconds: number): string {
  const [size, unit] = (
    [
      [86_400, 'days'],
      [3600, 'hours'],
      [60, 'minutes'],
    ] as const
  ).find(([of]) => seconds >= 2 * of) ?? [1, 'seconds'];
  return `${Math.round(seconds / size)} ${unit}`;
}

function code(text: string): string {
  return `\`${text}\``;
}
