import type { ExecutionApi, ExecutionRecord } from '../../../aws/executions.ts';
import type { CopyProgress } from '../../../core/copy-progress.ts';
import type { CopyRequest } from '../../../core/copy-request.ts';
import { itemOf, requestKey } from '../../../core/ledger-request.ts';
import type { Agenda } from './agenda.ts';

/** The functions of the state machine, each call an invocation of its own. */
export interface CopyFunctions {
  startCopy(input: unknown): Promise<CopyProgress>;
  checkCopy(input: unknown): Promise<CopyProgress>;
  removeFailedCopy(input: unknown): Promise<unknown>;
  returnToQueue(input: unknown): Promise<unknown>;
}

export interface CopyExecution {
  readonly name: string;
  readonly request: CopyRequest;
  readonly startedAt: Date;
  /** May still begin a copy. */
  isStarting: boolean;
  /** EC2 refused the copy: only the ledger remains to be told. */
  isReturning: boolean;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  stoppedAt?: Date;
  copy?: CopyProgress;
  output?: string;
  error?: string;
  cause?: string;
}

const MACHINE = 'arn:aws:states:eu-west-1:444455556666:stateMachine:ebs-snapshot-copier-test';

/** Seconds after which the state StartCopy tries again, see statemachines/copy-snapshot.asl.yml: the least that it may be. */
const START_AGAIN_AFTER: Readonly<Record<string, number>> = {
  CopyOutcomeUnknownError: 300,
  'Runtime.ExitError': 300,
  ThrottledError: 0,
  ServiceTroubleError: 0,
  NotYetVisibleError: 30,
};

/**
 * Executions of the state machine that copies, with its states in short: StartCopy, CheckCopy, ReturnToQueue and
 * RemoveFailedCopy are the real functions, tried again as the state machine would; the others cannot fail.
 */
export class CopyExecutions implements ExecutionApi {
  readonly all = new Map<string, CopyExecution>();
  readonly #agenda: Agenda;
  readonly #functions: CopyFunctions;
  readonly #onEnded: (execution: CopyExecution) => void;
  readonly #onWrong: (what: string) => void;

  constructor(options: {
    readonly agenda: Agenda;
    readonly functions: CopyFunctions;
    readonly onEnded: (execution: CopyExecution) => void;
    /** Told of what must never be. */
    readonly onWrong: (what: string) => void;
  }) {
    this.#agenda = options.agenda;
    this.#functions = options.functions;
    this.#onEnded = options.onEnded;
    this.#onWrong = options.onWrong;
  }

  running(): readonly CopyExecution[] {
    return [...this.all.values()].filter(({ status }) => status === 'RUNNING');
  }

  async start(name: string, request: CopyRequest): Promise<'started' | 'alreadyStarted'> {
    const item = itemOfRequest(request);
    const known = this.all.get(name);
    if (known !== undefined) {
      if (JSON.stringify(known.request) !== JSON.stringify(request))
        this.#onWrong(`${name} was started for two requests`);
      return known.status === 'RUNNING' ? 'started' : 'alreadyStarted';
    }
    const other = this.running().find((each) => itemOfRequest(each.request) === item && !each.isReturning);
    if (other !== undefined) this.#onWrong(`${name} was started while ${other.name} runs`);
    const started: CopyExecution = {
      name,
      request,
      startedAt: this.#agenda.now(),
      isStarting: true,
      isReturning: false,
      status: 'RUNNING',
    };
    this.all.set(name, started);
    this.#agenda.after(0, () => this.#startCopy(started));
    return 'started';
  }

  async find(name: string): Promise<ExecutionRecord | undefined> {
    const found = this.all.get(name);
    return found && recordOf(found);
  }

  /** Somebody stops it in the console. */
  abort(execution: CopyExecution): void {
    this.#end(execution, 'ABORTED', {});
  }

  async #startCopy(execution: CopyExecution): Promise<void> {
    if (execution.status !== 'RUNNING') return;
    try {
      this.#next(execution, await this.#functions.startCopy(taskInput(execution)));
    } catch (error) {
      const { name, message } = thrown(error);
      const pause = START_AGAIN_AFTER[name];
      if (pause !== undefined) this.#agenda.after(pause, () => this.#startCopy(execution));
      else if (name === 'CopySlotsTakenError') await this.#returnToQueue(execution);
      else await this.#fail(execution, `${name}: ${message}`);
    }
  }

  #next(execution: CopyExecution, copy: CopyProgress): void {
    execution.isStarting = false;
    if (execution.status !== 'RUNNING') return;
    execution.copy = copy;
    const output = JSON.stringify({ ...execution.request, copy });
    if (copy.action === 'wait') this.#agenda.after(copy.waitSeconds, () => this.#checkCopy(execution));
    else if (copy.action === 'giveUp') this.#agenda.after(0, () => this.#fail(execution, copy.reason));
    else this.#end(execution, 'SUCCEEDED', { output });
  }

  async #checkCopy(execution: CopyExecution): Promise<void> {
    if (execution.status !== 'RUNNING') return;
    try {
      this.#next(execution, await this.#functions.checkCopy(taskInput(execution)));
    } catch {
      this.#agenda.after(10, () => this.#checkCopy(execution));
    }
  }

  async #returnToQueue(execution: CopyExecution): Promise<void> {
    execution.isStarting = false;
    execution.isReturning = true;
    if (execution.status !== 'RUNNING') return;
    try {
      const returned = await this.#functions.returnToQueue(taskInput(execution));
      this.#end(execution, 'SUCCEEDED', { output: JSON.stringify({ ...execution.request, returned }) });
    } catch {
      this.#agenda.after(10, () => this.#returnToQueue(execution));
    }
  }

  async #fail(execution: CopyExecution, cause: string): Promise<void> {
    execution.isStarting = false;
    if (execution.status !== 'RUNNING') return;
    try {
      await this.#functions.removeFailedCopy(taskInput(execution));
      this.#end(execution, 'FAILED', { error: 'CopyFailed', cause });
    } catch {
      this.#agenda.after(10, () => this.#fail(execution, cause));
    }
  }

  #end(
    execution: CopyExecution,
    status: CopyExecution['status'],
    end: Pick<CopyExecution, 'output' | 'error' | 'cause'>,
  ): void {
    if (execution.status !== 'RUNNING') return;
    Object.assign(execution, end, { status, isStarting: false, stoppedAt: this.#agenda.now() });
    this.#onEnded(execution);
  }
}

/** As DescribeExecution shows it, and its status events. */
export function recordOf({ name, request, startedAt, stoppedAt, status, output, error, cause }: CopyExecution) {
  return {
    executionArn: `${MACHINE.replace(':stateMachine:', ':execution:')}:${name}`,
    stateMachineArn: MACHINE,
    name,
    status,
    startDate: startedAt.getTime(),
    input: JSON.stringify(request),
    ...(stoppedAt !== undefined && { stopDate: stoppedAt.getTime() }),
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
  } satisfies ExecutionRecord;
}

function taskInput(execution: CopyExecution) {
  const { executionArn: arn, name, stateMachineArn, startDate } = recordOf(execution);
  const { request, copy } = execution;
  return {
    execution: { arn, name, stateMachineArn, startTime: new Date(startDate).toISOString() },
    data: { ...request, ...(copy !== undefined && { copy }) },
  };
}

function itemOfRequest({ source, destination }: CopyRequest): string {
  return itemOf(requestKey(source, destination));
}

function thrown(error: unknown): { readonly name: string; readonly message: string } {
  return error instanceof Error ? error : { name: 'unknown', message: String(error) };
}
