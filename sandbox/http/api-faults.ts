import * as z from 'zod';
import type { Random } from '../ids.ts';

const common = {
  /** Only calls of this action. */
  action: z.string().min(1).optional(),
  /**
   * How many calls it befalls, 1 by default. With a `share` each call is befallen with that probability, for ever if no
   * `times` are given.
   */
  times: z.int().min(1).optional(),
  share: z.number().positive().max(1).optional(),
};

const faultSchema = z.discriminatedUnion('kind', [
  /** The call is refused before anything is done. */
  z.strictObject({
    kind: z.literal('error'),
    ...common,
    code: z.string().min(1),
    status: z.int().min(400).max(599).optional(),
    message: z.string().optional(),
  }),
  /** The call is done, then the connection is cut. */
  z.strictObject({ kind: z.literal('lost-answer'), ...common }),
  /** Nothing is done, and the call is never answered: the connection stays open. */
  z.strictObject({ kind: z.literal('hang'), ...common }),
]);

/** Something that befalls the calls of one API. */
type ApiFault = z.output<typeof faultSchema>;

/** A fault that waits to happen. */
export interface ListedApiFault {
  readonly id: string;
  readonly fault: ApiFault;
  /** How often it will still happen; undefined = until it is forgotten. */
  readonly left: number | undefined;
}

/** What was asked to go wrong is not something that can. Says what, and how it is written. */
export class ApiFaultError extends Error {
  override readonly name = 'ApiFaultError';
}

/** Trouble with the calls of one API that was asked for, oldest first. */
export class ApiFaults {
  readonly #service: string;
  readonly #random: Random;
  #waiting: { readonly id: string; readonly fault: ApiFault; left: number | undefined }[] = [];
  #added = 0;

  /** @param options.random for the faults that happen by chance */
  constructor(options: { readonly service: string; readonly random: Random }) {
    this.#service = options.service;
    this.#random = options.random;
  }

  /** @throws ApiFaultError if it is not a fault */
  add(input: unknown): ListedApiFault {
    const parsed = faultSchema.safeParse(input);
    if (!parsed.success) {
      throw new ApiFaultError(
        `This is not a fault of ${this.#service}:\n${z.prettifyError(parsed.error)}\n` +
          'A right one: {"service":"dynamodb","kind":"error","action":"PutItem","code":"ThrottlingException","times":3}',
      );
    }
    this.#added += 1;
    const { times, share } = parsed.data;
    const left = times ?? (share === undefined ? 1 : undefined);
    const listed = { id: `${this.#service}-${this.#added}`, fault: parsed.data, left };
    this.#waiting.push(listed);
    return { ...listed };
  }

  list(): readonly ListedApiFault[] {
    return this.#waiting.map((listed) => ({ ...listed }));
  }

  /** Forgets one fault, or all. Answers how many. */
  clear(id?: string): number {
    const before = this.#waiting.length;
    this.#waiting = id === undefined ? [] : this.#waiting.filter((listed) => listed.id !== id);
    return before - this.#waiting.length;
  }

  /** The next fault of a kind for a call of this action, which thereby happens once. */
  take<K extends ApiFault['kind']>(kind: K, action: string): Extract<ApiFault, { kind: K }> | undefined {
    for (const listed of this.#waiting) {
      const { fault } = listed;
      const concerns = isKind(fault, kind) && (fault.action === undefined || fault.action === action);
      if (!concerns || (fault.share !== undefined && this.#random() >= fault.share)) continue;
      if (listed.left !== undefined) listed.left -= 1;
      if (listed.left === 0) this.#waiting = this.#waiting.filter((each) => each !== listed);
      return fault;
    }
    return undefined;
  }
}

function isKind<K extends ApiFault['kind']>(fault: ApiFault, kind: K): fault is Extract<ApiFault, { kind: K }> {
  return fault.kind === kind;
}
