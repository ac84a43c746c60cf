import { ExecutionError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import type { Clock } from '../clock.ts';
import { DATA_LIMIT_EXCEEDED, type PreparedDefinition, type TaskState } from './definition.ts';
import { type History, LONGEST_HISTORY } from './history.ts';
import { isTooLarge, type JsonValue, type Task, tooLarge } from './tasks.ts';

/** How an execution ended. `output` is JSON text. */
export interface ExecutionEnd {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** An execution as it is now. Times are milliseconds since 1970; input and output are JSON text. */
export interface ExecutionState {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  readonly status: 'RUNNING' | ExecutionEnd['status'];
  readonly startDate: number;
  readonly stopDate?: number;
  readonly input: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

/** What an execution can read of itself in its context object. */
export interface ExecutionNames {
  readonly executionArn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  readonly stateMachineName: string;
  readonly roleArn: string;
}

/** A Task state and what it does. */
export interface RunnableTask {
  readonly state: TaskState;
  readonly task: Task;
}

type Interpreter = ReturnType<StateMachine['run']>;

/** An error that, in the interpreter's terms, no Retry and no Catch may have. */
class ExecutionIsOverError extends Error {
  readonly isRetryable = false;
  readonly isCatchable = false;
}

/** One run of a state machine's definition. */
export class Execution {
  readonly history: History;
  /** Resolves at the end, once the history is complete; never rejects. */
  readonly ended: Promise<ExecutionEnd>;
  readonly #interpreter: Interpreter;
  readonly #announcements = new Announcements();
  #transitions = 0;
  #isOver = false;
  #forcedEnd: ExecutionEnd | undefined;
  /** The try of a Task state that is under way. */
  #attempt: { readonly task: RunnableTask } | undefined;

  /** Starts the run. `input` is JSON text. */
  constructor(options: {
    readonly definition: PreparedDefinition;
    readonly tasks: readonly RunnableTask[];
    readonly names: ExecutionNames;
    readonly input: string;
    readonly clock: Clock;
    readonly history: History;
  }) {
    const { definition, names, input, clock } = options;
    this.history = options.history;
    this.history.add('ExecutionStarted', { input, inputDetails: { truncated: false }, roleArn: names.roleArn });

    const stateNow = { Name: '', EnteredTime: '' };
    const machine = observed(definition.machine, (name) => {
      stateNow.Name = name;
      stateNow.EnteredTime = new Date(clock.now()).toISOString();
    });
    const handlers = options.tasks.map((task) => [task.state.name, (value: JsonValue) => this.#try(task, value)]);
    this.#interpreter = new StateMachine(machine, { validationOptions: { noValidate: true } }).run(JSON.parse(input), {
      overrides: { taskResourceLocalHandlers: Object.fromEntries(handlers) },
      // https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
      context: {
        Execution: { Id: names.executionArn, Name: names.name, RoleArn: names.roleArn, RedriveCount: 0 },
        StateMachine: { Id: names.stateMachineArn, Name: names.stateMachineName },
        State: stateNow,
      },
    });
    this.ended = this.#finish();
  }

  /** How many state transitions Step Functions would bill: every state that was entered, and every retry. */
  transitions(): number {
    return this.#transitions;
  }

  /** Ends it as ABORTED. A task under way runs on, but nobody looks at its answer. */
  abort(error: string | undefined, cause: string | undefined): void {
    this.#force({
      status: 'ABORTED',
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  #force(end: ExecutionEnd): void {
    if (this.#isOver) return;
    this.#forcedEnd = end;
    this.#isOver = true;
    this.#interpreter.abort();
  }

  async #finish(): Promise<ExecutionEnd> {
    const [result] = await Promise.allSettled([this.#interpreter.result, this.#follow()]);
    this.#isOver = true;
    this.#announcements.end();
    const end = this.#forcedEnd ?? endOf(result);
    const details = {
      ...(end.error === undefined ? {} : { error: end.error }),
      ...(end.cause === undefined ? {} : { cause: end.cause }),
    };
    switch (end.status) {
      case 'SUCCEEDED':
        this.history.add('ExecutionSucceeded', { output: end.output, outputDetails: { truncated: false } });
        break;
      case 'FAILED':
        this.history.add('ExecutionFailed', details);
        break;
      case 'TIMED_OUT':
        this.history.add('ExecutionTimedOut', details);
        break;
      case 'ABORTED':
        this.history.add('ExecutionAborted', details);
        break;
      default:
        end.status satisfies never;
    }
    return end;
  }

  /** Writes the history from what the interpreter reports. */
  async #follow(): Promise<void> {
    for await (const event of this.#interpreter.eventLogs) {
      if (this.#isOver) continue;
      if (event.type === 'StateEntered') {
        const { name, type, input } = event.state;
        this.#transitions += 1;
        this.history.add(
          `${type}StateEntered`,
          { name, input: JSON.stringify(input), inputDetails: { truncated: false } },
          'stateEnteredEventDetails',
        );
        if (type === 'Task') this.#announcements.add();
      } else if (event.type === 'StateRetried') {
        this.#transitions += 1;
        this.#announcements.add();
      } else if (event.type === 'StateFailed' && event.Error === 'States.Timeout') {
        this.#taskTimedOut();
      } else if (event.type === 'StateExited' && event.state.type !== 'Fail') {
        const { name, type } = event.state;
        const output = JSON.stringify(event.state.output);
        if (isTooLarge(output)) {
          this.#force({ status: 'FAILED', error: DATA_LIMIT_EXCEEDED, cause: tooLarge(name) });
          continue;
        }
        this.history.add(
          `${type}StateExited`,
          { name, output, outputDetails: { truncated: false } },
          'stateExitedEventDetails',
        );
      }
      if (this.history.events().length >= LONGEST_HISTORY - 1) {
        const cause = `The execution reached the maximum number of history events (${LONGEST_HISTORY}).`;
        this.#force({ status: 'FAILED', error: 'States.Runtime', cause });
      }
    }
  }

  /**
   * One try of a Task state. The interpreter calls this before it reports that the state was entered, so it waits for
   * that: the history is in order, and shows a task while it runs. After a stop the interpreter may still call it.
   */
  async #try(task: RunnableTask, parameters: JsonValue): Promise<JsonValue> {
    if (!this.#isOver) await this.#announcements.next();
    if (this.#isOver) throw new ExecutionIsOverError();
    const attempt = { task };
    this.#attempt = attempt;
    const { state } = task;
    const timeout = state.timeoutSeconds === undefined ? {} : { timeoutInSeconds: state.timeoutSeconds };
    const input = JSON.stringify(parameters);
    if (task.task.integration === undefined) {
      this.history.add('LambdaFunctionScheduled', { resource: state.resource, input, ...timeout });
      this.history.add('LambdaFunctionStarted');
    } else {
      this.history.add('TaskScheduled', { ...task.task.integration, parameters: input, ...timeout });
      this.history.add('TaskStarted', task.task.integration);
    }
    try {
      const output = await task.task.run(parameters);
      if (this.#close(attempt)) this.#taskEvent(task, 'Succeeded', { output: JSON.stringify(output) });
      return output;
    } catch (error) {
      if (error instanceof Error && this.#close(attempt)) {
        this.#taskEvent(task, 'Failed', { error: error.name, cause: error.message });
      }
      throw error;
    }
  }

  #taskTimedOut(): void {
    const attempt = this.#attempt;
    if (attempt !== undefined && this.#close(attempt)) {
      this.#taskEvent(attempt.task, 'TimedOut', { error: 'States.Timeout' });
    }
  }

  /** Whether this try was still the one that counts. */
  #close(attempt: { readonly task: RunnableTask }): boolean {
    if (this.#isOver || this.#attempt !== attempt) return false;
    this.#attempt = undefined;
    return true;
  }

  #taskEvent({ task }: RunnableTask, what: 'Succeeded' | 'Failed' | 'TimedOut', details: Record<string, string>): void {
    if (task.integration === undefined) this.history.add(`LambdaFunction${what}`, details);
    else this.history.add(`Task${what}`, { ...task.integration, ...details });
  }
}

/** How often the interpreter reported a try of a Task state, for the tries to wait for. */
class Announcements {
  #made = 0;
  #ended = false;
  #waiting: (() => void) | undefined;

  add(): void {
    this.#made += 1;
    this.#waiting?.();
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.();
  }

  async next(): Promise<void> {
    if (this.#made === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#made -= 1;
  }
}

/** The same definition, which tells when a state is about to be entered: the interpreter has no other sign of it in time. */
function observed(machine: StateMachineDefinition, entering: (stateName: string) => void): StateMachineDefinition {
  const States: StateMachineDefinition['States'] = {};
  for (const [name, state] of Object.entries(machine.States)) {
    Object.defineProperty(States, name, {
      enumerable: true,
      get: () => {
        entering(name);
        return state;
      },
    });
  }
  return { ...machine, States };
}

function endOf(result: PromiseSettledResult<JsonValue>): ExecutionEnd {
  if (result.status === 'fulfilled') return { status: 'SUCCEEDED', output: JSON.stringify(result.value) };
  const reason: unknown = result.reason;
  if (!(reason instanceof Error)) throw new Error('unreachable: the interpreter throws errors');
  switch (reason.name) {
    case 'ExecutionTimeoutError':
      return { status: 'TIMED_OUT' };
    case 'ExecutionAbortedError':
      return { status: 'ABORTED' };
    default: {
      const error = reason instanceof ExecutionError && reason.cause instanceof Error ? reason.cause : reason;
      // Its own words where Step Functions has none.
      const cause = error.message === error.name ? '' : error.message;
      return {
        status: 'FAILED',
        ...(error.name === '' ? {} : { error: error.name }),
        ...(cause === '' ? {} : { cause }),
      };
    }
  }
}
