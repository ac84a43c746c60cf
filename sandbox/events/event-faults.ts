import * as z from 'zod';
import type { Random } from '../ids.ts';
import type { BusEvent } from './event.ts';

const where = {
  /** Only events of this detail-type. */
  detailType: z.string().min(1).optional(),
  /** Only events with this `detail.event`. */
  event: z.string().min(1).optional(),
};

/**
 * How many events it befalls, 1 by default. With a `share` each event is befallen with that probability, for ever if no
 * `times` are given.
 */
const often = { times: z.int().min(1).optional(), share: z.number().positive().max(1).optional() };

const faultSchema = z.discriminatedUnion('kind', [
  /** The event is delivered twice, the second time so much later. */
  z.strictObject({ kind: z.literal('duplicate-event'), ...where, seconds: z.number().min(0).default(1), ...often }),
  z.strictObject({ kind: z.literal('lose-event'), ...where, ...often }),
  z.strictObject({ kind: z.literal('delay-event'), ...where, seconds: z.number().positive(), ...often }),
  /** `times` events are kept back, and go on in the opposite order; after so many seconds it waits for no more. */
  z.strictObject({
    kind: z.literal('reorder-events'),
    ...where,
    seconds: z.number().positive().default(60),
    times: z.int().min(2).default(2),
  }),
  /** So many attempts to deliver to a target fail; the retry policy of the target says what follows. */
  z.strictObject({ kind: z.literal('fail-delivery'), ...where, ...often }),
]);

/** Something that befalls events on their way to the rules and targets. */
export type EventFault = z.output<typeof faultSchema>;

export const EVENT_FAULT_KINDS: ReadonlySet<string> = new Set<EventFault['kind']>([
  'duplicate-event',
  'lose-event',
  'delay-event',
  'reorder-events',
  'fail-delivery',
]);

/** A fault that waits to happen. */
export interface ListedEventFault {
  readonly id: string;
  readonly fault: EventFault;
  /** How often it will still happen; undefined = until it is cleared. */
  readonly left: number | undefined;
}

/** What was asked to go wrong is not something that can. Says what, and how it is written. */
export class EventFaultError extends Error {
  override readonly name = 'EventFaultError';
}

/** Trouble with events that was asked for. Oldest first; each happens as often as its `times` or `share` says. */
export class EventFaults {
  readonly #random: Random;
  #waiting: { readonly id: string; readonly fault: EventFault; left: number | undefined }[] = [];
  #added = 0;

  /** @param random for the faults that befall a share of the events */
  constructor(random: Random) {
    this.#random = random;
  }

  /** @throws EventFaultError if it is not a fault */
  add(input: unknown): ListedEventFault {
    const parsed = faultSchema.safeParse(input);
    if (!parsed.success) {
      throw new EventFaultError(
        `This is not a fault of events:\n${z.prettifyError(parsed.error)}\n` +
          'A right one: {"kind":"duplicate-event","event":"createSnapshot","seconds":30,"times":2}',
      );
    }
    this.#added += 1;
    const fault = parsed.data;
    const left = fault.times ?? (shareOf(fault) === undefined ? 1 : undefined);
    const listed = { id: `event-${this.#added}`, fault, left };
    this.#waiting.push(listed);
    return { ...listed };
  }

  list(): readonly ListedEventFault[] {
    return this.#waiting.map((listed) => ({ ...listed }));
  }

  /** Forgets one fault, or all. Answers how many. */
  clear(id?: string): number {
    const before = this.#waiting.length;
    this.#waiting = id === undefined ? [] : this.#waiting.filter((listed) => listed.id !== id);
    return before - this.#waiting.length;
  }

  /** The first fault that waits for this event on its way to the rules, which thereby happens once. */
  befalls(event: BusEvent): Exclude<EventFault, { kind: 'fail-delivery' }> | undefined {
    const fault = this.#take(event, (kind) => kind !== 'fail-delivery');
    return fault?.kind === 'fail-delivery' ? undefined : fault;
  }

  /** Whether this attempt to deliver the event to a target fails. */
  failsDelivery(event: BusEvent): boolean {
    return this.#take(event, (kind) => kind === 'fail-delivery') !== undefined;
  }

  #take(event: BusEvent, isWanted: (kind: EventFault['kind']) => boolean): EventFault | undefined {
    const listed = this.#waiting.find(
      ({ fault }) => isWanted(fault.kind) && concerns(fault, event) && this.#strikes(fault),
    );
    if (listed === undefined) return undefined;
    if (listed.left !== undefined) listed.left -= 1;
    if (listed.left === 0) this.#waiting = this.#waiting.filter((each) => each !== listed);
    return listed.fault;
  }

  #strikes(fault: EventFault): boolean {
    const share = shareOf(fault);
    return share === undefined || this.#random() < share;
  }
}

function shareOf(fault: EventFault): number | undefined {
  return fault.kind === 'reorder-events' ? undefined : fault.share;
}

function concerns(fault: EventFault, event: BusEvent): boolean {
  return (
    (fault.detailType === undefined || fault.detailType === event['detail-type']) &&
    (fault.event === undefined || fault.event === event.detail['event'])
  );
}
