import type { Home } from '../home.ts';
import { hexDigits, type Random, uuid } from '../ids.ts';
import type { AsyncInvoker } from '../lambda/async-invoker.ts';
import type { VirtualClock } from '../virtual-clock.ts';

/** A schedule whose target is a function. */
export interface Schedule {
  readonly arn: string;
  readonly periodMs: number;
  /** It fires at any moment of a window that begins when it is due. 0 = when it is due. */
  readonly windowMs: number;
  readonly functionArn: string;
  /** JSON text, in which EventBridge Scheduler puts values for its keywords. Default: an event that says what is due. */
  readonly input: string | undefined;
}

/**
 * EventBridge Scheduler: has Lambda invoke functions asynchronously at a rate, the first time one period after the
 * schedule was made.
 */
export class Scheduler {
  readonly #clock: VirtualClock;
  readonly #random: Random;
  readonly #home: Home;
  readonly #asyncInvoker: AsyncInvoker;
  readonly #isOn: boolean;

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly home: Home;
    readonly asyncInvoker: AsyncInvoker;
    /** Whether schedules fire at all. */
    readonly isOn: boolean;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#home = options.home;
    this.#asyncInvoker = options.asyncInvoker;
    this.#isOn = options.isOn;
  }

  add(schedule: Schedule): void {
    if (this.#isOn) this.#await(schedule);
  }

  #await(schedule: Schedule): void {
    this.#clock.after(schedule.periodMs, () => {
      this.#await(schedule);
      const dueAt = this.#clock.now();
      const fire = (): void => this.#asyncInvoker.accept(schedule.functionArn, this.#inputOf(schedule, dueAt));
      if (schedule.windowMs === 0) fire();
      else this.#clock.after(Math.floor(this.#random() * schedule.windowMs), fire);
    });
  }

  #inputOf({ arn, input }: Schedule, dueAt: number): string {
    const time = `${new Date(dueAt).toISOString().slice(0, 19)}Z`;
    if (input === undefined) return this.#notification(arn, time);
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    return input
      .replaceAll('<aws.scheduler.schedule-arn>', arn)
      .replaceAll('<aws.scheduler.scheduled-time>', time)
      .replaceAll('<aws.scheduler.execution-id>', hexDigits(this.#random, 16))
      .replaceAll('<aws.scheduler.attempt-number>', '1');
  }

  /** Other than in events of EventBridge, `detail` is a text. */
  #notification(scheduleArn: string, time: string): string {
    return JSON.stringify({
      version: '0',
      id: uuid(this.#random),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      ...this.#home,
      time,
      resources: [scheduleArn],
      detail: '{}',
    });
  }
}
