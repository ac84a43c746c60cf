import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import * as z from 'zod';

/** A definition has something that the sandbox, or Step Functions, does not understand. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
}

/** Something is larger than the payloads of Step Functions may be. `States.ALL` does not stand for this error. */
export const DATA_LIMIT_EXCEEDED = 'States.DataLimitExceeded';

/** A Task state, as far as the one who runs it must know it. */
export interface TaskState {
  readonly name: string;
  readonly resource: string;
  readonly parameters: unknown;
  readonly timeoutSeconds: number | undefined;
}

/** A checked definition, in the form in which the interpreter runs it as Step Functions would. */
export interface PreparedDefinition {
  readonly machine: StateMachineDefinition;
  readonly tasks: readonly TaskState[];
}

/** Step Functions' longest wait, time-out and interval: more than three years. */
const LONGEST_SECONDS = 99_999_999;

const seconds = z.int().min(1).max(LONGEST_SECONDS);
const path = z.string().startsWith('$');
const pathOrNull = z.union([path, z.null()]);
const name = z.string().min(1).max(80);

/** Packaging writes it out in every state. */
const queryLanguage = z.literal('JSONPath', 'the sandbox runs JSONPath only').optional();
const common = {
  Comment: z.string().optional(),
  QueryLanguage: queryLanguage,
  InputPath: pathOrNull.optional(),
  OutputPath: pathOrNull.optional(),
};
const next = { Next: name.optional(), End: z.literal(true).optional() };

const errorNames = z
  .array(z.string().refine((each) => each !== DATA_LIMIT_EXCEEDED, `the sandbox always ends an execution with it`))
  .min(1);

const retrier = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: errorNames,
  IntervalSeconds: seconds.optional(),
  MaxAttempts: z.int().min(0).max(99_999_999).optional(),
  BackoffRate: z.number().min(1).optional(),
  MaxDelaySeconds: z.int().min(1).max(31_622_399).optional(),
  JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
});

const catcher = z.strictObject({
  Comment: z.string().optional(),
  ErrorEquals: errorNames,
  Next: name,
  ResultPath: pathOrNull.optional(),
});

/** The rule's own operators are checked by the interpreter's validator. */
const choice = z.looseObject({ Next: name });

const state = z.discriminatedUnion('Type', [
  z.strictObject({
    Type: z.literal('Task'),
    ...common,
    ...next,
    Resource: z.string(),
    Parameters: z.unknown().optional(),
    ResultSelector: z.record(z.string(), z.unknown()).optional(),
    ResultPath: pathOrNull.optional(),
    TimeoutSeconds: seconds.optional(),
    TimeoutSecondsPath: path.optional(),
    Retry: z.array(retrier).optional(),
    Catch: z.array(catcher).optional(),
  }),
  z.strictObject({
    Type: z.literal('Wait'),
    ...common,
    ...next,
    Seconds: z.int().min(0).max(LONGEST_SECONDS).optional(),
    SecondsPath: path.optional(),
    Timestamp: z.string().optional(),
    TimestampPath: path.optional(),
  }),
  z.strictObject({ Type: z.literal('Choice'), ...common, Choices: z.array(choice).min(1), Default: name.optional() }),
  z.strictObject({
    Type: z.literal('Pass'),
    ...common,
    ...next,
    Parameters: z.unknown().optional(),
    // The interpreter takes an empty Result for none.
    Result: z
      .unknown()
      .refine((value) => value === undefined || Boolean(value), 'an empty Result is not in the sandbox')
      .optional(),
    ResultPath: pathOrNull.optional(),
  }),
  z.strictObject({ Type: z.literal('Succeed'), ...common }),
  z.strictObject({
    Type: z.literal('Fail'),
    Comment: z.string().optional(),
    QueryLanguage: queryLanguage,
    Error: z.string().optional(),
    ErrorPath: path.optional(),
    Cause: z.string().optional(),
    CausePath: path.optional(),
  }),
]);

const definition = z.strictObject({
  Comment: z.string().optional(),
  Version: z.literal('1.0').optional(),
  QueryLanguage: queryLanguage,
  StartAt: name,
  TimeoutSeconds: seconds.optional(),
  States: z.record(name, state),
});

type State = z.output<typeof state>;

/** Definitions that are known to be right: the validator takes more than 100 ms, and a process starts many sandboxes. */
const known = new Map<string, PreparedDefinition>();

/**
 * Reads a definition in Amazon States Language. What the interpreter does not do, or does otherwise than Step
 * Functions without saying so, is an error or is put in another form here.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
 * @throws DefinitionError
 */
export function prepareDefinition(text: string): PreparedDefinition {
  const prepared = known.get(text) ?? prepare(text);
  known.set(text, prepared);
  return prepared;
}

function prepare(text: string): PreparedDefinition {
  const parsed = definition.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new DefinitionError(`the sandbox cannot run this state machine:\n${z.prettifyError(parsed.error)}`);
  }
  const { QueryLanguage: _, States, ...rest } = parsed.data;
  const machine: unknown = {
    ...rest,
    States: Object.fromEntries(Object.entries(States).map(([each, from]) => [each, prepareState(from)])),
  };
  if (!isDefinition(machine)) throw new DefinitionError('unreachable: a prepared definition is one');
  try {
    // Its constructor validates, and changes what it validates.
    new StateMachine(structuredClone(machine), { validationOptions: { checkArn: false } });
  } catch (error) {
    throw new DefinitionError(error instanceof Error ? error.message : String(error));
  }
  const tasks = Object.entries(States).flatMap(([each, from]) =>
    from.Type === 'Task'
      ? [{ name: each, resource: from.Resource, parameters: from.Parameters, timeoutSeconds: from.TimeoutSeconds }]
      : [],
  );
  return { machine, tasks };
}

function isDefinition(value: unknown): value is StateMachineDefinition {
  return definition.safeParse(value).success;
}

function prepareState(from: State): unknown {
  switch (from.Type) {
    case 'Task':
      return withoutRootPaths({
        ...from,
        // The interpreter's default is 60 s; Step Functions' is three years.
        ...((from.TimeoutSeconds ?? from.TimeoutSecondsPath) === undefined ? { TimeoutSeconds: LONGEST_SECONDS } : {}),
        ...(from.Catch === undefined ? {} : { Catch: from.Catch.map(withoutRootPaths) }),
      });
    case 'Choice':
      return withoutRootPaths({ ...from, Choices: from.Choices.map(prepareRule) });
    case 'Fail':
      // Without these the interpreter makes up its own words.
      return {
        ...from,
        ...((from.Error ?? from.ErrorPath) === undefined ? { Error: '' } : {}),
        ...((from.Cause ?? from.CausePath) === undefined ? { Cause: '' } : {}),
      };
    case 'Wait':
    case 'Pass':
    case 'Succeed':
      return withoutRootPaths(from);
    default:
      return from satisfies never;
  }
}

/** The interpreter takes `ResultPath: $`, which is the default, for a field of that name. */
function withoutRootPaths(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const paths = ['InputPath', 'OutputPath', 'ResultPath'];
  return Object.fromEntries(Object.entries(fields).filter(([key, value]) => !(paths.includes(key) && value === '$')));
}

/** The interpreter's type tests know `true` only: `IsPresent: false` becomes not `IsPresent: true`. */
function prepareRule(rule: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { Next, Comment: _, ...test } = rule;
  return { ...prepareTest(test), ...(Next === undefined ? {} : { Next }) };
}

function prepareTest(test: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const prepared = Object.fromEntries(
    Object.entries(test).map(([key, value]) => {
      if (['And', 'Or'].includes(key) && Array.isArray(value)) return [key, value.map((each) => prepareTest(each))];
      if (key === 'Not') return [key, prepareTest(z.record(z.string(), z.unknown()).parse(value))];
      return [key, value];
    }),
  );
  const negated = Object.keys(prepared).find((key) => key.startsWith('Is') && prepared[key] === false);
  return negated === undefined ? prepared : { Not: { ...prepared, [negated]: true } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DefinitionError(`the definition is not JSON: ${String(error)}`);
  }
}
