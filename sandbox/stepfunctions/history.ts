import type { Clock } from '../clock.ts';

/**
 * One entry of an execution's history, as GetExecutionHistory gives it but for the time.
 * https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
 */
export interface HistoryEvent {
  readonly id: number;
  readonly previousEventId: number;
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** Name of the field with the details, for example `stateEnteredEventDetails`. */
  readonly detailsName?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** "The execution history is limited to 25,000 events": https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const LONGEST_HISTORY = 25_000;

/** Takes what happens in an execution. */
export interface History {
  /** @param detailsName defaults to the type with a small first letter and `EventDetails` */
  add(type: string, details?: Readonly<Record<string, unknown>>, detailsName?: string): void;
  events(): readonly HistoryEvent[];
}

/** "Execution history is not captured": https://docs.aws.amazon.com/step-functions/latest/dg/express-at-least-once-execution.html */
export const NO_HISTORY: History = {
  add() {},
  events: () => [],
};

export class ExecutionHistory implements History {
  readonly #clock: Clock;
  readonly #events: HistoryEvent[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(type: string, details?: Readonly<Record<string, unknown>>, detailsName?: string): void {
    const id = this.#events.length + 1;
    this.#events.push({
      id,
      previousEventId: id - 1,
      type,
      timestamp: this.#clock.now(),
      ...(details === undefined
        ? {}
        : { details, detailsName: detailsName ?? `${type.charAt(0).toLowerCase()}${type.slice(1)}EventDetails` }),
    });
  }

  events(): readonly HistoryEvent[] {
    return this.#events;
  }
}
