import type { NewEvent } from '../events/event-bus.ts';
import { type Home, homeArn } from '../home.ts';
import { type Random, uuid } from '../ids.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { type PreparedDefinition, prepareDefinition } from './definition.ts';
import { Execution, type ExecutionEnd, type RunnableTask } from './execution.ts';
import type { HistoryEvent } from './history.ts';
import type { Tasks } from './tasks.ts';

/** A Standard state machine as the template describes it. `definition` is JSON text. */
export interface StateMachineConfig {
  readonly name: string;
  readonly definition: string;
  readonly roleArn: string;
}

export interface KnownStateMachine extends StateMachineConfig {
  readonly arn: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

type ExecutionStatus = 'RUNNING' | ExecutionEnd['status'];

/** An execution as it is now. Times are milliseconds since 1970; input and output are JSON text. */
export interface ExecutionRecord {
  readonly arn: string;
  readonly name: string;
  readonly stateMachineArn: string;
  readonly status: ExecutionStatus;
  readonly startDate: number;
  readonly stopDate?: number;
  readonly input: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
  readonly history: readonly HistoryEvent[];
  /** How many state transitions Step Functions would bill. */
  readonly transitions: number;
}

/** Step Functions refuses. `code` is AWS's. */
export class StepFunctionsError extends Error {
  override readonly name = 'StepFunctionsError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Machine {
  readonly known: KnownStateMachine;
  readonly prepared: PreparedDefinition;
  readonly tasks: readonly RunnableTask[];
}

interface Entry {
  readonly machine: Machine;
  readonly arn: string;
  readonly name: string;
  readonly input: string;
  readonly startDate: number;
  readonly execution: Execution;
  stopDate?: number;
  end?: ExecutionEnd;
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
const BAD_NAME = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\uFFFE\uFFFF]/u;
const LARGEST_INPUT_BYTES = 262_144;
const LARGEST_IN_EVENT_BYTES = 248 * 1024;

/** Step Functions: Standard state machines of the home account and Region. */
export class StepFunctions {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #home: Home;
  readonly #tasks: Tasks;
  readonly #emit: (event: NewEvent) => void;
  readonly #machines = new Map<string, Machine>();
  readonly #executions = new Map<string, Entry>();

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly home: Home;
    readonly tasks: Tasks;
    /** Takes the status events, for the bus of the home account and Region. */
    readonly emit: (event: NewEvent) => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#home = options.home;
    this.#tasks = options.tasks;
    this.#emit = options.emit;
  }

  /** @throws DefinitionError */
  addStateMachine(config: StateMachineConfig): void {
    const arn = homeArn(this.#home, 'states', `stateMachine:${config.name}`);
    const prepared = prepareDefinition(config.definition);
    const tasks = prepared.tasks.map((state) => ({ state, task: this.#tasks.find(state) }));
    this.#machines.set(arn, { known: { ...config, arn, createdAt: this.#clock.now() }, prepared, tasks });
  }

  stateMachines(): readonly KnownStateMachine[] {
    return [...this.#machines.values()].map(({ known }) => known);
  }

  /** @throws StepFunctionsError */
  stateMachine(arn: string): KnownStateMachine {
    return this.#machine(arn).known;
  }

  /**
   * Starts an execution. The same name and input while the first one runs is the first one; otherwise a name can be
   * used once.
   * @param request.input JSON text; default `{}`
   * @throws StepFunctionsError
   */
  start(request: {
    readonly stateMachineArn: string;
    readonly name?: string;
    readonly input?: string;
  }): ExecutionRecord {
    const machine = this.#machine(request.stateMachineArn);
    const name = request.name ?? uuid(this.#random);
    const input = request.input ?? '{}';
    if (name.length === 0 || name.length > 80 || BAD_NAME.test(name)) {
      throw new StepFunctionsError('InvalidName', `Invalid Name: '${name}'`);
    }
    if (!isJson(input) || Buffer.byteLength(input) > LARGEST_INPUT_BYTES) {
      throw new StepFunctionsError(
        'InvalidExecutionInput',
        'Invalid State Machine Execution Input: not JSON, or larger than 256 KiB',
      );
    }
    const arn = homeArn(this.#home, 'states', `execution:${machine.known.name}:${name}`);
    const earlier = this.#executions.get(arn);
    if (earlier !== undefined) {
      if (earlier.end === undefined && earlier.input === input) return recordOf(earlier);
      throw new StepFunctionsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const execution = new Execution({
      definition: machine.prepared,
      tasks: machine.tasks,
      names: {
        executionArn: arn,
        name,
        stateMachineArn: machine.known.arn,
        stateMachineName: machine.known.name,
        roleArn: machine.known.roleArn,
      },
      input,
      clock: this.#clock,
    });
    const entry: Entry = { machine, arn, name, input, startDate: this.#clock.now(), execution };
    this.#executions.set(arn, entry);
    this.#tell(entry);
    void execution.ended.then((end) => {
      entry.end = end;
      entry.stopDate = this.#clock.now();
      this.#tell(entry);
    });
    return recordOf(entry);
  }

  /**
   * Resolves when the execution is over.
   * @throws StepFunctionsError
   */
  async stop(arn: string, error: string | undefined, cause: string | undefined): Promise<ExecutionRecord> {
    const entry = this.#entry(arn);
    entry.execution.abort(error, cause);
    await entry.execution.ended;
    return recordOf(entry);
  }

  /** @throws StepFunctionsError */
  execution(arn: string): ExecutionRecord {
    return recordOf(this.#entry(arn));
  }

  /** All executions, in the order of their start. */
  executions(): readonly ExecutionRecord[] {
    return [...this.#executions.values()].map(recordOf);
  }

  #machine(arn: string): Machine {
    const machine = this.#machines.get(arn);
    if (machine === undefined)
      throw new StepFunctionsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    return machine;
  }

  #entry(arn: string): Entry {
    const entry = this.#executions.get(arn);
    if (entry === undefined)
      throw new StepFunctionsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return entry;
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
  #tell(entry: Entry): void {
    const { arn, name, status, startDate, stopDate, input, output, error, cause, stateMachineArn } = recordOf(entry);
    const included = includedIn(input, output);
    const canRedrive = status !== 'RUNNING' && status !== 'SUCCEEDED';
    this.#emit({
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      resources: [arn],
      detail: {
        executionArn: arn,
        stateMachineArn,
        name,
        status,
        startDate,
        stopDate: stopDate ?? null,
        input: included.input ? input : null,
        output: included.output ? (output ?? null) : null,
        stateMachineVersionArn: null,
        stateMachineAliasArn: null,
        redriveCount: 0,
        redriveDate: null,
        redriveStatus: canRedrive ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
        redriveStatusReason: canRedrive ? null : `Execution is ${status} and cannot be redriven`,
        inputDetails: { included: included.input },
        outputDetails: output === undefined ? null : { included: included.output },
        error: error ?? null,
        cause: cause ?? null,
      },
    });
  }
}

/**
 * What of them has room in a status event, in which they are escaped.
 * https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
 */
function includedIn(input: string, output: string | undefined): { readonly input: boolean; readonly output: boolean } {
  const outputBytes = output === undefined ? 0 : Buffer.byteLength(JSON.stringify(output));
  return {
    input: Buffer.byteLength(JSON.stringify(input)) + outputBytes <= LARGEST_IN_EVENT_BYTES,
    output: outputBytes <= LARGEST_IN_EVENT_BYTES,
  };
}

function recordOf({ machine, arn, name, input, startDate, stopDate, end, execution }: Entry): ExecutionRecord {
  return {
    arn,
    name,
    stateMachineArn: machine.known.arn,
    status: end?.status ?? 'RUNNING',
    startDate,
    ...(stopDate === undefined ? {} : { stopDate }),
    input,
    ...(end?.output === undefined ? {} : { output: end.output }),
    ...(end?.error === undefined ? {} : { error: end.error }),
    ...(end?.cause === undefined ? {} : { cause: end.cause }),
    history: execution.history.events(),
    transitions: execution.transitions(),
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
