import { Recent } from '../recent.ts';
import type { VirtualClock } from '../virtual-clock.ts';
import type { PreparedDefinition } from './definition.ts';
import {
  Execution,
  type ExecutionEnd,
  type ExecutionNames,
  type ExecutionState,
  type RunnableTask,
} from './execution.ts';
import { NO_HISTORY } from './history.ts';

/** What the executions of one Express state machine add up to. */
export interface ExpressTotals {
  readonly started: number;
  readonly running: number;
  /** How many ended in each way. */
  readonly ended: Readonly<Record<ExecutionEnd['status'], number>>;
  /** Sandbox time from start to end, of those that ended. */
  readonly runMs: number;
  /** The same with each one "rounded up to the nearest 100ms": https://aws.amazon.com/step-functions/pricing/ */
  readonly billedMs: number;
}

/** "Maximum execution time": https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const LONGEST_SECONDS = 300;
const REMEMBERED = 1000;
const BILLED_STEP_MS = 100;

/** The definition with the five minutes that an Express execution may take at most. */
export function limitedToExpress({ machine, tasks }: PreparedDefinition): PreparedDefinition {
  const TimeoutSeconds = Math.min(machine.TimeoutSeconds ?? LONGEST_SECONDS, LONGEST_SECONDS);
  return { machine: { ...machine, TimeoutSeconds }, tasks };
}

/** Executions of Express state machines: any number at once, nothing told to EventBridge, soon forgotten. */
export class ExpressExecutions {
  readonly #clock: VirtualClock;
  readonly #recent = new Recent<{ state: ExecutionState }>(REMEMBERED);
  readonly #totals = new Map<string, ExpressTotals>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  start(options: {
    readonly definition: PreparedDefinition;
    readonly tasks: readonly RunnableTask[];
    readonly names: ExecutionNames;
    readonly input: string;
  }): ExecutionState {
    const { names, input } = options;
    const { stateMachineName } = names;
    const startDate = this.#clock.now();
    const started: ExecutionState = {
      arn: names.executionArn,
      name: names.name,
      stateMachineArn: names.stateMachineArn,
      status: 'RUNNING',
      startDate,
      input,
    };
    const entry = { state: started };
    this.#recent.add(entry);
    const before = this.#totalsOf(stateMachineName);
    this.#totals.set(stateMachineName, { ...before, started: before.started + 1, running: before.running + 1 });

    const execution = new Execution({ ...options, clock: this.#clock, history: NO_HISTORY });
    void execution.ended.then((end) => {
      const stopDate = this.#clock.now();
      entry.state = { ...started, ...end, stopDate };
      const totals = this.#totalsOf(stateMachineName);
      const runMs = stopDate - startDate;
      this.#totals.set(stateMachineName, {
        started: totals.started,
        running: totals.running - 1,
        ended: { ...totals.ended, [end.status]: totals.ended[end.status] + 1 },
        runMs: totals.runMs + runMs,
        billedMs: totals.billedMs + Math.ceil(runMs / BILLED_STEP_MS) * BILLED_STEP_MS,
      });
    });
    return started;
  }

  /** The last 1,000 that were started, oldest first. */
  recent(): readonly ExecutionState[] {
    return this.#recent.all().map(({ state }) => state);
  }

  /** By the state machine's name. */
  totals(): ReadonlyMap<string, ExpressTotals> {
    return new Map(this.#totals);
  }

  #totalsOf(stateMachineName: string): ExpressTotals {
    const none = { SUCCEEDED: 0, FAILED: 0, TIMED_OUT: 0, ABORTED: 0 };
    return this.#totals.get(stateMachineName) ?? { started: 0, running: 0, ended: none, runMs: 0, billedMs: 0 };
  }
}
