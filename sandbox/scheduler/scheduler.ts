import type { Home } from '../home.ts';
import type { ServiceRoles } from '../iam/service-roles.ts';
import type { Principal } from '../iam/types.ts';
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
  /** EventBridge Scheduler invokes the function with it. */
  readonly roleArn: string;
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
  readonly #roles: ServiceRoles | undefined;

  constructor(options: {
    readonly clock: VirtualClock;
    readonly random: Random;
    readonly home: Home;
    readonly asyncInvoker: AsyncInvoker;
    /** Whether schedules fire at all. */
    readonly isOn: boolean;
    /** Default: every schedule may invoke every function. */
    readonly roles?: ServiceRoles;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#home = options.home;
    this.#asyncInvoker = options.asyncInvoker;
    this.#isOn = options.isOn;
    this.#roles = options.roles;
  }

  /** @throws Error if the role does not let EventBridge Scheduler in */
  add(schedule: Schedule): void {
    if (this.#roles !== undefined && this.#principal(schedule) === undefined) {
      throw new Error('The execution role you provide must allow AWS EventBridge Scheduler to assume the role.');
    }
    if (this.#isOn) this.#await(schedule);
  }

  #await(schedule: Schedule): void {
    this.#clock.after(schedule.periodMs, () => {
      this.#await(schedule);
      const dueAt = this.#clock.now();
      const fire = (): void => this.#fire(schedule, dueAt);
      if (schedule.windowMs === 0) fire();
      else this.#clock.after(Math.floor(this.#random() * schedule.windowMs), fire);
    });
  }

  /** What may not be done is dropped without a word, as on AWS; its dead-letter queues are not imitated. */
  #fire(schedule: Schedule, dueAt: number): void {
    if (this.#mayInvoke(schedule)) this.#asyncInvoker.accept(schedule.functionArn, this.#inputOf(schedule, dueAt));
  }

  #mayInvoke(schedule: Schedule): boolean {
    if (this.#roles === undefined) return true;
    const principal = this.#principal(schedule);
    if (principal === undefined) return false;
    return this.#roles.refusal(principal, 'lambda:InvokeFunction', schedule.functionArn) === undefined;
  }

  /**
   * The source is the schedule's group, not the schedule.
   * https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
   */
  #principal({ arn, roleArn }: Schedule): Principal | undefined {
    const [group = '', name = ''] = arn.split('/').slice(-2);
    const source = { arn: arn.replace(/:schedule\/.*$/, `:schedule-group/${group}`), account: this.#home.account };
    return this.#roles?.take(roleArn, 'scheduler.amazonaws.com', name.slice(0, 64), source);
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
