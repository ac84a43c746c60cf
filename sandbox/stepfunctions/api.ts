import * as z from 'zod';
import type { Caller } from '../accounts.ts';
import type { Home } from '../home.ts';
import type { HistoryEvent } from './history.ts';
import type { ExecutionRecord, StepFunctions } from './step-functions.ts';
import { StepFunctionsError } from './step-functions-error.ts';

/** One call as it comes over HTTP. `target` is the header X-Amz-Target, for example `AWSStepFunctions.StartExecution`. */
export interface StatesCall extends Caller {
  readonly target: string;
  readonly body: string;
}

export interface StatesAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Action = (input: unknown) => Record<string, unknown> | Promise<Record<string, unknown>>;

const STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;
const page = { maxResults: z.int().min(0).max(1000).optional(), nextToken: z.string().optional() };

/**
 * A few actions of Step Functions in its JSON 1.0 protocol. Parameters that are not imitated are refused.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html
 */
export class StatesApi {
  readonly #stepFunctions: StepFunctions;
  readonly #home: Home;
  readonly #actions: ReadonlyMap<string, Action>;

  constructor(options: { readonly stepFunctions: StepFunctions; readonly home: Home }) {
    this.#stepFunctions = options.stepFunctions;
    this.#home = options.home;
    this.#actions = new Map<string, Action>([
      ['StartExecution', (input) => this.#startExecution(input)],
      ['StopExecution', (input) => this.#stopExecution(input)],
      ['DescribeExecution', (input) => this.#describeExecution(input)],
      ['ListExecutions', (input) => this.#listExecutions(input)],
      ['GetExecutionHistory', (input) => this.#getExecutionHistory(input)],
      ['ListStateMachines', (input) => this.#listStateMachines(input)],
      ['DescribeStateMachine', (input) => this.#describeStateMachine(input)],
    ]);
  }

  /** Expected trouble is an answer. */
  async handle(call: StatesCall): Promise<StatesAnswer> {
    try {
      const name = call.target.replace(/^AWSStepFunctions\./, '');
      const action = this.#actions.get(name);
      if (action === undefined)
        throw new StepFunctionsError('UnknownOperationException', `${name} is not in the sandbox`);
      if (call.account !== this.#home.account || call.region !== this.#home.region) {
        const where = `account ${call.account} in ${call.region}`;
        throw new StepFunctionsError(
          'AccessDeniedException',
          `The sandbox has no state machines in ${where}, only in account ${this.#home.account} in ${this.#home.region}`,
        );
      }
      return answer(200, await action(parseJson(call.body)));
    } catch (error) {
      if (!(error instanceof StepFunctionsError)) throw error;
      return answer(400, { __type: error.code, message: error.message });
    }
  }

  #startExecution(input: unknown): Record<string, unknown> {
    const {
      stateMachineArn,
      name,
      input: text,
    } = read(
      z.strictObject({
        stateMachineArn: z.string(),
        name: z.string().optional(),
        input: z.string().optional(),
        traceHeader: z.string().optional(),
      }),
      input,
    );
    const execution = this.#stepFunctions.start({
      stateMachineArn,
      ...(name === undefined ? {} : { name }),
      ...(text === undefined ? {} : { input: text }),
    });
    return { executionArn: execution.arn, startDate: seconds(execution.startDate) };
  }

  async #stopExecution(input: unknown): Promise<Record<string, unknown>> {
    const { executionArn, error, cause } = read(
      z.strictObject({
        executionArn: z.string(),
        error: z.string().max(256).optional(),
        cause: z.string().max(32_768).optional(),
      }),
      input,
    );
    const { stopDate } = await this.#stepFunctions.stop(executionArn, error, cause);
    return { stopDate: seconds(stopDate) };
  }

  #describeExecution(input: unknown): Record<string, unknown> {
    const { executionArn } = read(
      z.strictObject({ executionArn: z.string(), includedData: z.literal('ALL_DATA').optional() }),
      input,
    );
    const execution = this.#stepFunctions.execution(executionArn);
    return {
      ...listed(execution),
      input: execution.input,
      inputDetails: { included: true },
      output: execution.output,
      outputDetails: execution.output === undefined ? undefined : { included: true },
      error: execution.error,
      cause: execution.cause,
    };
  }

  /** "Results are sorted by time, with the most recent execution first." */
  #listExecutions(input: unknown): Record<string, unknown> {
    const { stateMachineArn, statusFilter, ...wanted } = read(
      z.strictObject({ stateMachineArn: z.string(), statusFilter: z.enum(STATUSES).optional(), ...page }),
      input,
    );
    const { arn, type } = this.#stepFunctions.stateMachine(stateMachineArn);
    // https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
    if (type === 'EXPRESS') {
      throw new StepFunctionsError(
        'StateMachineTypeNotSupported',
        'This operation is not supported by this type of state machine',
      );
    }
    const executions = this.#stepFunctions
      .executions()
      .filter((each) => each.stateMachineArn === arn && (statusFilter ?? each.status) === each.status)
      .toReversed();
    const { items, rest } = pageOf(executions, wanted, 100);
    return { executions: items.map(listed), ...rest };
  }

  #getExecutionHistory(input: unknown): Record<string, unknown> {
    const { executionArn, reverseOrder, includeExecutionData, ...wanted } = read(
      z.strictObject({
        executionArn: z.string(),
        reverseOrder: z.boolean().optional(),
        includeExecutionData: z.boolean().optional(),
        ...page,
      }),
      input,
    );
    const { history } = this.#stepFunctions.execution(executionArn);
    const { items, rest } = pageOf(reverseOrder === true ? history.toReversed() : history, wanted, 100);
    return { events: items.map((event) => historyEvent(event, includeExecutionData ?? true)), ...rest };
  }

  #listStateMachines(input: unknown): Record<string, unknown> {
    const { items, rest } = pageOf(this.#stepFunctions.stateMachines(), read(z.strictObject(page), input), 100);
    const stateMachines = items.map(({ arn, name, type, createdAt }) => ({
      stateMachineArn: arn,
      name,
      type,
      creationDate: seconds(createdAt),
    }));
    return { stateMachines, ...rest };
  }

  #describeStateMachine(input: unknown): Record<string, unknown> {
    const { stateMachineArn } = read(
      z.strictObject({ stateMachineArn: z.string(), includedData: z.literal('ALL_DATA').optional() }),
      input,
    );
    const { arn, name, type, definition, roleArn, createdAt } = this.#stepFunctions.stateMachine(stateMachineArn);
    return {
      stateMachineArn: arn,
      name,
      definition,
      roleArn,
      type,
      status: 'ACTIVE',
      creationDate: seconds(createdAt),
    };
  }
}

function listed(execution: ExecutionRecord): Record<string, unknown> {
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.stateMachineArn,
    name: execution.name,
    status: execution.status,
    startDate: seconds(execution.startDate),
    stopDate: seconds(execution.stopDate),
    redriveCount: 0,
  };
}

function historyEvent(event: HistoryEvent, withData: boolean): Record<string, unknown> {
  const data = ['input', 'output', 'parameters', 'inputDetails', 'outputDetails'];
  const details = Object.entries(event.details ?? {}).filter(([name]) => withData || !data.includes(name));
  return {
    id: event.id,
    previousEventId: event.previousEventId,
    type: event.type,
    timestamp: seconds(event.timestamp),
    ...(event.detailsName === undefined ? {} : { [event.detailsName]: Object.fromEntries(details) }),
  };
}

function pageOf<T>(
  items: readonly T[],
  { maxResults, nextToken }: { readonly maxResults?: number | undefined; readonly nextToken?: string | undefined },
  defaultSize: number,
): { items: readonly T[]; rest: Record<string, unknown> } {
  const start = nextToken === undefined ? 0 : Number(Buffer.from(nextToken, 'base64url').toString());
  if (!Number.isInteger(start) || start < 0) throw new StepFunctionsError('InvalidToken', 'Invalid Token');
  // "Setting maxResults to 0 uses the default".
  const end = start + (maxResults === undefined || maxResults === 0 ? defaultSize : maxResults);
  const rest = end < items.length ? { nextToken: Buffer.from(String(end)).toString('base64url') } : {};
  return { items: items.slice(start, end), rest };
}

function read<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw new StepFunctionsError('ValidationException', z.prettifyError(parsed.error));
  return parsed.data;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body === '' ? '{}' : body);
  } catch {
    throw new StepFunctionsError('SerializationException', 'The body is not JSON');
  }
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

function answer(status: number, body: Record<string, unknown>): StatesAnswer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body: JSON.stringify(body) };
}
