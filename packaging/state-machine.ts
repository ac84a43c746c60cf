import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';

/**
 * The parts of Amazon States Language that the files of statemachines/ use. Stricter than the language: what
 * has a default that nobody remembers must be written out.
 * https://states-language.net/spec.html and
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
const seconds = z.int().min(1).max(99_999_999);
const resultPath = z.string().regex(/^\$\.\w+$/);
const errorNames = z.array(z.string().min(1)).min(1);

const retrier = z
  .strictObject({
    ErrorEquals: errorNames,
    IntervalSeconds: seconds,
    BackoffRate: z.number().min(1),
    MaxDelaySeconds: seconds.max(31_622_399),
    MaxAttempts: z.int().min(1).max(99_999_999),
    JitterStrategy: z.enum(['FULL', 'NONE']),
  })
  .refine(({ IntervalSeconds, MaxDelaySeconds }) => MaxDelaySeconds > IntervalSeconds, {
    error: 'MaxDelaySeconds must be greater than IntervalSeconds',
  });

const catcher = z.strictObject({ ErrorEquals: errorNames, ResultPath: resultPath, Next: z.string() });

const comment = z.string().optional();

const task = z.strictObject({
  Type: z.literal('Task'),
  Comment: comment,
  Resource: z.union([
    z.string(),
    z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
    z.strictObject({ 'Fn::Sub': z.string() }),
  ]),
  Parameters: z.record(z.string(), z.unknown()),
  ResultPath: resultPath,
  TimeoutSeconds: seconds,
  Retry: z.array(retrier).min(1),
  Catch: z.array(catcher).min(1).optional(),
  Next: z.string(),
});

const choice = z.strictObject({
  Type: z.literal('Choice'),
  Comment: comment,
  Choices: z
    .array(
      z.union([
        z.strictObject({ Variable: z.string(), StringEquals: z.string(), Next: z.string() }),
        z.strictObject({ Variable: z.string(), IsPresent: z.literal(true), Next: z.string() }),
      ]),
    )
    .min(1),
  Default: z.string(),
});

const wait = z.strictObject({
  Type: z.literal('Wait'),
  Comment: comment,
  SecondsPath: z.string(),
  Next: z.string(),
});

const succeed = z.strictObject({ Type: z.literal('Succeed'), Comment: comment });

const fail = z.strictObject({
  Type: z.literal('Fail'),
  Comment: comment,
  Error: z.string(),
  CausePath: z.string(),
});

const stateMachine = z.strictObject({
  Comment: z.string(),
  StartAt: z.string(),
  TimeoutSeconds: seconds,
  States: z.record(z.string(), z.discriminatedUnion('Type', [task, choice, wait, succeed, fail])),
});

export type StateMachine = z.infer<typeof stateMachine>;
export type State = StateMachine['States'][string];
export type TaskState = z.infer<typeof task>;
export type Retrier = z.infer<typeof retrier>;

/** A definition as data, `!GetAtt`, `!Ref` and `!Sub` as CloudFormation's long forms. Nothing is checked. */
export function readDefinition(name: 'copy-snapshot' | 'admit-copies'): unknown {
  const file = new URL(`../statemachines/${name}.asl.yml`, import.meta.url);
  return parse(readFileSync(file, 'utf8'), {
    customTags: [
      { tag: '!GetAtt', resolve: (text: string) => ({ 'Fn::GetAtt': text.split('.') }) },
      { tag: '!Ref', resolve: (text: string) => ({ Ref: text }) },
      { tag: '!Sub', resolve: (text: string) => ({ 'Fn::Sub': text }) },
    ],
  });
}

/** @throws Error that lists every field that is unknown, missing or wrong. */
export function parseStateMachine(definition: unknown): StateMachine {
  const parsed = stateMachine.safeParse(definition);
  if (parsed.success) return parsed.data;
  throw new Error(`The state machine is wrong:\n${z.prettifyError(parsed.error)}`);
}

/** Logical name in serverless.yml of the function that a state calls; undefined if it calls none. */
export function functionOf(state: State): string | undefined {
  if (state.Type !== 'Task' || typeof state.Resource === 'string') return undefined;
  return 'Fn::GetAtt' in state.Resource ? state.Resource['Fn::GetAtt'][0] : undefined;
}

/** Seconds between the attempts of a retrier, without jitter. FULL jitter halves them on average. */
export function delaysOf({ IntervalSeconds, BackoffRate, MaxDelaySeconds, MaxAttempts }: Retrier): readonly number[] {
  return Array.from({ length: MaxAttempts }, (_, attempt) =>
    Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds),
  );
}

/** How long a retrier goes on, in seconds, on average over its jitter and without the attempts themselves. */
export function patienceSeconds(of: Retrier): number {
  const longest = delaysOf(of).reduce((sum, delay) => sum + delay, 0);
  return of.JitterStrategy === 'FULL' ? longest / 2 : longest;
}
