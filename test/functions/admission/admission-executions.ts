import type { Agenda } from './agenda.ts';

/** The function admitCopies, each call an invocation of its own. */
type Admit = (input: unknown) => Promise<{ readonly action: 'end' | 'beat'; readonly waitSeconds: number }>;

interface AdmissionExecution {
  readonly id: string;
  readonly startedAt: Date;
  readonly wake: unknown;
  retries: number;
  isOver: boolean;
}

/** Errors that the state Admit tries again, see statemachines/admit-copies.asl.yml. */
const TRIED_AGAIN = ['LedgerBusyError', 'ThrottledError', 'ServiceTroubleError', 'Runtime.ExitError'];
const RETRIES = 8;
const LONGEST_SECONDS = 295;

/** Executions of the state machine that admits requests. */
export class AdmissionExecutions {
  readonly #agenda: Agenda;
  readonly #admit: Admit;
  #all: AdmissionExecution[] = [];
  #started = 0;
  /** How often a Region was looked at. */
  looks = 0;

  constructor(agenda: Agenda, admit: Admit) {
    this.#agenda = agenda;
    this.#admit = admit;
  }

  /** How many there are now. */
  get running(): number {
    return this.#all.length;
  }

  /** @param wake `{region}`, or an event */
  start(wake: unknown): void {
    this.#started += 1;
    const id = `arn:aws:states:eu-west-1:444455556666:express:copier-admission:${this.#started}`;
    const execution = { id, startedAt: this.#agenda.now(), wake, retries: 0, isOver: false };
    this.#all.push(execution);
    this.#agenda.after(0, () => this.#look(execution));
  }

  /** All of them end, as if Step Functions was gone. */
  kill(): void {
    for (const execution of this.#all) this.#end(execution);
  }

  async #look(execution: AdmissionExecution): Promise<void> {
    const age = (this.#agenda.now().getTime() - execution.startedAt.getTime()) / 1000;
    if (age >= LONGEST_SECONDS) this.#end(execution);
    if (execution.isOver) return;
    this.looks += 1;
    const { id, wake, startedAt } = execution;
    try {
      const looked = await this.#admit({ execution: { id, startTime: startedAt.toISOString() }, wake });
      execution.retries = 0;
      if (looked.action === 'beat') this.#agenda.after(looked.waitSeconds, () => this.#look(execution));
      else this.#end(execution);
    } catch (error) {
      execution.retries += 1;
      const isTriedAgain = error instanceof Error && TRIED_AGAIN.includes(error.name) && execution.retries <= RETRIES;
      if (!isTriedAgain) return this.#end(execution);
      this.#agenda.after(Math.min(30, 2 ** execution.retries), () => this.#look(execution));
    }
  }

  #end(execution: AdmissionExecution): void {
    execution.isOver = true;
    this.#all = this.#all.filter((each) => each !== execution);
  }
}
