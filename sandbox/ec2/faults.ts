import * as z from 'zod';
import { ACCOUNT_ID_PATTERN } from '../accounts.ts';
import type { Random } from '../ids.ts';

/** Which calls, copies or snapshots a fault is for: all that is given must be the same. */
const where = {
  account: z.string().regex(ACCOUNT_ID_PATTERN, 'must be 12 digits').optional(),
  /** Of the endpoint that is called. */
  region: z.string().min(1).optional(),
  sourceSnapshotId: z.string().startsWith('snap-', 'must begin with snap-').optional(),
  /** Only CopySnapshot has one: the Region of the endpoint. */
  destinationRegion: z.string().min(1).optional(),
};

/** How often it happens. */
const count = z.int().min(1);
const times = count.default(1);

/**
 * How often it happens, once by default. With a `share` to each call with that probability, until it is cleared if no
 * `times` are given.
 */
const often = { times: count.optional(), share: z.number().positive().max(1).optional() };

interface Often {
  readonly times?: number | undefined;
  readonly share?: number | undefined;
}

const onceByDefault = <T extends Often>(fault: T): T => ({
  ...fault,
  ...(fault.share === undefined && { times: fault.times ?? 1 }),
});

const faultSchema = z.discriminatedUnion('kind', [
  /** The call is refused before anything is done. */
  z
    .strictObject({
      kind: z.literal('error'),
      ...where,
      action: z.string().min(1).optional(),
      code: z.string().min(1),
      status: z.int().min(400).max(599).optional(),
      message: z.string().optional(),
      ...often,
    })
    .transform((fault) => onceByDefault(fault)),
  /** The call is done, then the connection is cut. */
  z
    .strictObject({ kind: z.literal('lost-answer'), ...where, action: z.string().min(1).optional(), ...often })
    .transform((fault) => onceByDefault(fault)),
  /** Nothing is done, and the call is never answered: the connection stays open. */
  z.strictObject({ kind: z.literal('hang'), ...where, action: z.string().min(1).optional(), times }),
  /** The copy ends in `error` after a share of its time. */
  z.strictObject({
    kind: z.literal('copy-error'),
    ...where,
    stateMessage: z.string(),
    afterShare: z.number().min(0).max(1).default(0.5),
    times,
  }),
  /** The copy takes `factor` times as long, or so many seconds. */
  z
    .strictObject({
      kind: z.literal('slow-copy'),
      ...where,
      factor: z.number().positive().optional(),
      seconds: z.number().nonnegative().optional(),
      times,
    })
    .refine((fault) => (fault.factor === undefined) !== (fault.seconds === undefined), 'needs factor or seconds'),
  /** A snapshot of a volume ends in `error`. */
  z.strictObject({
    kind: z.literal('snapshot-error'),
    account: where.account,
    region: where.region,
    volumeId: z.string().startsWith('vol-', 'must begin with vol-').optional(),
    stateMessage: z.string(),
    times,
  }),
]);

export type Ec2Fault = z.output<typeof faultSchema>;
export type Ec2FaultKind = Ec2Fault['kind'];

/** A fault that waits to happen. */
export interface ListedFault {
  readonly id: string;
  readonly fault: Ec2Fault;
  /** How often it will still happen; undefined = until it is cleared. */
  readonly left: number | undefined;
}

/** What was asked to go wrong is not something that can. Says what, and how it is written. */
export class FaultError extends Error {
  override readonly name = 'FaultError';
}

/** What a call or a copy is, to find the faults for it. */
export interface FaultSubject {
  readonly account: string;
  readonly region: string;
  readonly action?: string | undefined;
  readonly sourceSnapshotId?: string | undefined;
  readonly destinationRegion?: string | undefined;
  readonly volumeId?: string | undefined;
}

/** Trouble that was asked for. Oldest first; each happens as often as its `times` or `share` says. */
export class Ec2Faults {
  readonly #random: Random;
  readonly #waiting: { readonly id: string; readonly fault: Ec2Fault; left: number | undefined }[] = [];
  #added = 0;

  /** @param random for the faults that happen by chance */
  constructor(random: Random) {
    this.#random = random;
  }

  /** @throws {FaultError} if it is not a fault. */
  add(input: unknown): ListedFault {
    const parsed = faultSchema.safeParse(input);
    if (!parsed.success) {
      throw new FaultError(
        `This is not a fault of EC2:\n${z.prettifyError(parsed.error)}\n` +
          'A right one: {"kind":"error","action":"CopySnapshot","code":"RequestLimitExceeded","status":503,"times":3}',
      );
    }
    this.#added += 1;
    const listed = { id: `ec2-${this.#added}`, fault: parsed.data, left: parsed.data.times };
    this.#waiting.push(listed);
    return { ...listed };
  }

  list(): readonly ListedFault[] {
    return this.#waiting.map((listed) => ({ ...listed }));
  }

  /** Forgets one fault, or all. Answers how many. */
  clear(id?: string): number {
    const before = this.#waiting.length;
    const kept = id === undefined ? [] : this.#waiting.filter((listed) => listed.id !== id);
    this.#waiting.splice(0, before, ...kept);
    return before - kept.length;
  }

  /** The next fault of a kind for this subject, which thereby happens once. */
  take<K extends Ec2FaultKind>(kind: K, subject: FaultSubject): Extract<Ec2Fault, { kind: K }> | undefined {
    const index = this.#waiting.findIndex(
      ({ fault }) => isKind(fault, kind) && isFor(fault, subject) && this.#happens(fault),
    );
    const listed = this.#waiting[index];
    if (listed === undefined) return undefined;
    if (listed.left !== undefined) listed.left -= 1;
    if (listed.left === 0) this.#waiting.splice(index, 1);
    return isKind(listed.fault, kind) ? listed.fault : undefined;
  }

  #happens(fault: Ec2Fault): boolean {
    const share = 'share' in fault ? fault.share : undefined;
    return share === undefined || this.#random() < share;
  }
}

function isKind<K extends Ec2FaultKind>(fault: Ec2Fault, kind: K): fault is Extract<Ec2Fault, { kind: K }> {
  return fault.kind === kind;
}

function isFor(fault: Ec2Fault, subject: FaultSubject): boolean {
  const wanted: { readonly [K in keyof FaultSubject]?: FaultSubject[K] | undefined } = fault;
  return (['account', 'region', 'action', 'sourceSnapshotId', 'destinationRegion', 'volumeId'] as const).every(
    (name) => wanted[name] === undefined || wanted[name] === subject[name],
  );
}
