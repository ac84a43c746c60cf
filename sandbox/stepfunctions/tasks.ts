import * as z from 'zod';
import type { FunctionRunner } from '../lambda/function-runner.ts';
import { type Messaging, MessagingError } from '../messaging.ts';
import { DATA_LIMIT_EXCEEDED, DefinitionError, type TaskState } from './definition.ts';
import type { MayDo } from './machine-role.ts';

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** What a Task state does. */
export interface Task {
  /** Words of the history: `lambda`/`invoke`, `sns`/`publish`; undefined for a function named by its own ARN. */
  readonly integration: { readonly resourceType: string; readonly resource: string } | undefined;
  /** @throws TaskFailure */
  readonly run: (input: JsonValue) => Promise<JsonValue>;
}

/** A task failed. `name` and `message` are the Error and the Cause that Retry, Catch and the history see. */
class TaskFailure extends Error {
  override readonly name: string;
  /** The interpreter asks for these. */
  readonly isRetryable: boolean;
  readonly isCatchable: boolean;
  constructor(error: string, cause: string) {
    super(cause);
    this.name = error;
    this.isRetryable = !FINAL_ERRORS.has(error);
    this.isCatchable = this.isRetryable;
  }
}

/**
 * What no `States.ALL` retries or catches.
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
const FINAL_ERRORS = new Set([DATA_LIMIT_EXCEEDED, 'States.Runtime']);

const staticInvoke = z.looseObject({ FunctionName: z.string() });
const invokeInput = z.strictObject({ FunctionName: z.string(), Payload: z.unknown().optional() });
const publishInput = z.strictObject({
  TopicArn: z.string(),
  Message: z.unknown(),
  Subject: z.string().optional(),
  MessageAttributes: z.record(z.string(), z.strictObject({ DataType: z.string(), StringValue: z.string() })).optional(),
});

/** "The maximum input or output size": https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const LARGEST_PAYLOAD_BYTES = 262_144;

/** @param json an input or output, as JSON text */
export function isTooLarge(json: string): boolean {
  return Buffer.byteLength(json) > LARGEST_PAYLOAD_BYTES;
}

/** The Cause of `States.DataLimitExceeded`. */
export function tooLarge(name: string): string {
  return `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`;
}

/** Knows which Task resources the sandbox can run: functions of the stack and its topics. */
export class Tasks {
  readonly #lambda: FunctionRunner;
  readonly #messaging: Messaging;

  constructor(options: {
    readonly lambda: FunctionRunner;
    readonly messaging: Messaging;
  }) {
    this.#lambda = options.lambda;
    this.#messaging = options.messaging;
  }

  /**
   * @param refusalOf asks what the state machine's role may do
   * @throws DefinitionError if the sandbox cannot run it
   */
  find(state: TaskState, refusalOf: MayDo): Task {
    const { resource } = state;
    if (/^arn:[\w-]+:lambda:/.test(resource)) {
      this.#checkFunction(state.name, resource);
      return {
        integration: undefined,
        run: async (input) => JSON.parse((await this.#invoke(resource, input, refusalOf)).payload),
      };
    }
    switch (resource) {
      case 'arn:aws:states:::lambda:invoke': {
        const parameters = staticInvoke.safeParse(state.parameters);
        if (!parameters.success)
          throw new DefinitionError(`${state.name}: lambda:invoke needs a FunctionName that is no path`);
        checkParameters(state, ['FunctionName', 'Payload']);
        this.#checkFunction(state.name, parameters.data.FunctionName);
        return {
          integration: { resourceType: 'lambda', resource: 'invoke' },
          run: (input) => this.#invokeByParameters(input, refusalOf),
        };
      }
      case 'arn:aws:states:::sns:publish':
        checkParameters(state, ['TopicArn', 'Message', 'Subject', 'MessageAttributes']);
        return {
          integration: { resourceType: 'sns', resource: 'publish' },
          run: (input) => this.#publish(input, refusalOf),
        };
      default:
        throw new DefinitionError(`${state.name}: the resource ${resource} is not in the sandbox`);
    }
  }

  #checkFunction(stateName: string, nameOrArn: string): void {
    try {
      this.#lambda.resolve(nameOrArn);
    } catch (error) {
      throw new DefinitionError(`${stateName}: ${String(error)}`);
    }
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html */
  async #invokeByParameters(input: JsonValue, refusalOf: MayDo): Promise<JsonValue> {
    const { FunctionName, Payload } = read(invokeInput, input);
    const { payload, executedVersion } = await this.#invoke(FunctionName, Payload ?? {}, refusalOf);
    return { ExecutedVersion: executedVersion, Payload: JSON.parse(payload), StatusCode: 200 };
  }

  async #invoke(
    nameOrArn: string,
    input: unknown,
    refusalOf: MayDo,
  ): Promise<{ readonly payload: string; readonly executedVersion: string }> {
    const refusal = refusalOf('lambda:InvokeFunction', this.#lambda.resolve(nameOrArn).arn);
    if (refusal !== undefined) {
      // https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
      const details = '(Service: AWSLambda; Status Code: 403; Error Code: AccessDeniedException)';
      throw new TaskFailure('Lambda.AWSLambdaException', `${refusal} ${details}`);
    }
    const result = await this.#lambda.invoke(nameOrArn, JSON.stringify(input));
    if (!result.ok) throw new TaskFailure(result.error.errorType, JSON.stringify(result.error));
    if (isTooLarge(result.payload)) throw new TaskFailure(DATA_LIMIT_EXCEEDED, tooLarge(nameOrArn));
    return result;
  }

  /** https://docs.aws.amazon.com/step-functions/latest/dg/connect-sns.html */
  async #publish(input: JsonValue, refusalOf: MayDo): Promise<JsonValue> {
    const { TopicArn, Message, Subject, MessageAttributes } = read(publishInput, input);
    const publication = {
      topicArn: TopicArn,
      message: typeof Message === 'string' ? Message : JSON.stringify(Message),
      ...(Subject === undefined ? {} : { subject: Subject }),
      ...(MessageAttributes === undefined ? {} : { attributes: MessageAttributes }),
    };
    try {
      const refusal = refusalOf('sns:Publish', TopicArn);
      if (refusal !== undefined) throw new MessagingError('AuthorizationError', refusal, 403);
      return { MessageId: await this.#messaging.publish(publication) };
    } catch (error) {
      if (!(error instanceof MessagingError)) throw error;
      throw new TaskFailure(
        `SNS.${error.code}Exception`,
        `${error.message} (Service: AmazonSNS; Status Code: ${error.status}; Error Code: ${error.code})`,
      );
    }
  }
}

/** Names of parameters are known at the start, be their values paths or not. */
function checkParameters({ name, parameters }: TaskState, known: readonly string[]): void {
  const given = Object.keys(z.record(z.string(), z.unknown()).parse(parameters ?? {}));
  const unknown = given.find((key) => !known.includes(key.replace(/\.\$$/, '')));
  if (unknown !== undefined) throw new DefinitionError(`${name}: the parameter ${unknown} is not in the sandbox`);
}

function read<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const parsed = schema.safeParse(input);
  if (!parsed.success)
    throw new TaskFailure(
      'States.Runtime',
      `The Parameters are not what the sandbox knows: ${z.prettifyError(parsed.error)}`,
    );
  return parsed.data;
}
