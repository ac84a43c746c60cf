import type { NewEvent } from '../events/event-bus.ts';
import { type Home, homeArn } from '../home.ts';
import type { ServiceRoles } from '../iam/service-roles.ts';
import { type Random, seededRandom, uuid } from '../ids.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import { type PreparedDefinition, prepareDefinition } from './definition.ts';
import {
  Execution,
  type ExecutionEnd,
  type ExecutionNames,
  type ExecutionState,
  type RunnableTask,
} from './execution.ts';
import { ExpressExecutions, type ExpressTotals, limitedToExpress } from './express-executions.ts';
import { ExecutionHistory, type HistoryEvent, NO_HISTORY } from './history.ts';
import { type MachineDuties, MachineRole, type MayDo } from './machine-role.ts';
import { StepFunctionsError } from './step-functions-error.ts';
import type { Tasks } from './tasks.ts';

/** A state machine as the template describes it. `definition` is JSON text. */
export interface StateMachineConfig {
  readonly name: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  readonly definition: string;
  readonly roleArn: string;
  /** Default: neither logs nor traces. */
  readonly duties?: MachineDuties;
}

export interface KnownStateMachine extends StateMachineConfig {
  readonly arn: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** An execution of a Standard state machine, with all that is kept of it. */
export interface ExecutionRecord extends ExecutionState {
  readonly history: readonly HistoryEvent[];
  /** How many state transitions Step Functions would bill. */
  readonly transitions: number;
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
  execution: Pick<Execution, 'abort' | 'ended' | 'history' | 'transitions'>;
  stopDate?: number;
  end?: ExecutionEnd;
}

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html */
const BAD_NAME = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}\uFFFE\uFFFF]/u;
const LARGEST_INPUT_BYTES = 262_144;
const LARGEST_IN_EVENT_BYTES = 248 * 1024;

/** Step Functions: the state machines of the home account and Region. */
export class StepFunctions {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #home: Home;
  readonly #tasks: Tasks;
  readonly #emit: (event: NewEvent) => void;
  readonly #keepsHistories: boolean;
  /** By chance of their own, so that they change no ids. */
  readonly #sessionNames = seededRandom(1);
  readonly #roles: ServiceRoles | undefined;
  readonly #machines = new Map<string, Machine>();
  readonly #executions = new Map<string, Entry>();
  readonly #express: ExpressExecutions;

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly home: Home;
    readonly tasks: Tasks;
    /** Takes the status events, for the bus of the home account and Region. */
    readonly emit: (event: NewEvent) => void;
    /** Whether histories outlive their executions. Default true; those of a burst would fill the memory. */
    readonly keepsHistories?: boolean;
    /** Default: every state machine may do everything. */
    readonly roles?: ServiceRoles;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#home = options.home;
    this.#tasks = options.tasks;
    this.#emit = options.emit;
    this.#keepsHistories = options.keepsHistories ?? true;
    this.#roles = options.roles;
    this.#express = new ExpressExecutions(options.clock);
  }

  /**
   * @throws DefinitionError
   * @throws Error if its role is of no use to Step Functions
   */
  addStateMachine(config: StateMachineConfig): void {
    const arn = homeArn(this.#home, 'states', `stateMachine:${config.name}`);
    const definition = prepareDefinition(config.definition);
    const prepared = config.type === 'EXPRESS' ? limitedToExpress(definition) : definition;
    const refusalOf = this.#mayDo(config, arn);
    const tasks = prepared.tasks.map((state) => ({ state, task: this.#tasks.find(state, refusalOf) }));
    this.#machines.set(arn, { known: { ...config, arn, createdAt: this.#clock.now() }, prepared, tasks });
  }

  #mayDo({ roleArn, duties = { logs: false, traces: false } }: StateMachineConfig, arn: string): MayDo {
    if (this.#roles === undefined) return () => undefined;
    const role = new MachineRole(this.#roles, { arn, roleArn, account: this.#home.account }, this.#sessionNames);
    role.check(duties);
    return role.refusal;
  }

  stateMachines(): readonly KnownStateMachine[] {
    return [...this.#machines.values()].map(({ known }) => known);
  }

  /** @throws StepFunctionsError */
  stateMachine(arn: string): KnownStateMachine {
    return this.#machine(arn).known;
  }

  /**
   * Starts an execution. Standard: the same name and input while the first one runs is the first one; otherwise a name
   * can be used once. Express: "Starting multiple workflows with the same name results in concurrent executions".
   * https://docs.aws.amazon.com/step-functions/latest/dg/express-at-least-once-execution.html
   * @param request.input JSON text; default `{}`
   * @throws StepFunctionsError
   */
  start(request: {
    readonly stateMachineArn: string;
    readonly name?: string;
    readonly input?: string;
  }): ExecutionState {
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
    return machine.known.type === 'EXPRESS'
      ? this.#startExpress(machine, name, input)
      : recordOf(this.#startStandard(machine, name, input));
  }

  #startStandard(machine: Machine, name: string, input: string): Entry {
    const arn = homeArn(this.#home, 'states', `execution:${machine.known.name}:${name}`);
    const earlier = this.#executions.get(arn);
    if (earlier !== undefined) {
      if (earlier.end === undefined && earlier.input === input) return earlier;
      throw new StepFunctionsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const execution = new Execution({
      definition: machine.prepared,
      tasks: machine.tasks,
      names: namesOf(machine, arn, name),
      input,
      clock: this.#clock,
      history: new ExecutionHistory(this.#clock),
    });
    const entry: Entry = { machine, arn, name, input, startDate: this.#clock.now(), execution };
    this.#executions.set(arn, entry);
    this.#tell(entry);
    void execution.ended.then((end) => {
      entry.end = end;
      entry.stopDate = this.#clock.now();
      if (!this.#keepsHistories) entry.execution = withoutHistory(execution);
      this.#tell(entry);
    });
    return entry;
  }

  #startExpress(machine: Machine, name: string, input: string): ExecutionState {
    // The documentation shows no such ARN, recorded answers of AWS do:
    // https://github.com/localstack/localstack/blob/main/tests/aws/services/stepfunctions/v2/test_sfn_api_express.snapshot.json
    const arn = homeArn(this.#home, 'states', `express:${machine.known.name}:${name}:${uuid(this.#random)}`);
    return this.#express.start({
      definition: machine.prepared,
      tasks: machine.tasks,
      names: namesOf(machine, arn, name),
      input,
    });
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

  /** All executions of Standard state machines, in the order of their start. */
  executions(): readonly ExecutionRecord[] {
    return [...this.#executions.values()].map(recordOf);
  }

  /** The last 1,000 executions of Express state machines, in the order of their start. */
  expressExecutions(): readonly ExecutionState[] {
    return this.#express.recent();
  }

  /** What all executions of each Express state machine add up to, by its name. */
  expressTotals(): ReadonlyMap<string, ExpressTotals> {
    return this.#express.totals();
  }

  #machine(arn: string): Machine {
    const machine = this.#machines.get(arn);
    if (machine === undefined)
      throw new StepFunctionsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    return machine;
  }

  #entry(arn: string): Entry {
    const kind = arn.split(':')[5];
    // "not supported by EXPRESS state machines"; the code and message are from the same recorded answers as the ARN.
    // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
    if (kind === 'express') {
      throw new StepFunctionsError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${kind}'`);
    }
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

/** What is left of an execution that ended. */
function withoutHistory(execution: Execution): Entry['execution'] {
  const { ended } = execution;
  const transitions = execution.transitions();
  return { abort: () => {}, ended, history: NO_HISTORY, transitions: () => transitions };
}

function namesOf({ known }: Machine, executionArn: string, name: string): ExecutionNames {
  return {
    executionArn,
    name,
    stateMachineArn: known.arn,
    stateMachineName: known.name,
    roleArn: known.roleArn,
  };
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
