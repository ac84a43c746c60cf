/** What is to be done when, in virtual time. What is due at the same time runs at the same time. */
export class Agenda {
  #nowMs: number;
  #entries: { readonly at: number; readonly work: () => Promise<void> }[] = [];
  #done = 0;
  readonly #run: (work: Promise<void>) => Promise<void>;

  /** @param run awaits the work that is handed to it, and lets whatever that needs happen */
  constructor(start: string, run: (work: Promise<void>) => Promise<void>) {
    this.#nowMs = Date.parse(start);
    this.#run = run;
  }

  readonly now = (): Date => new Date(this.#nowMs);

  /** `work` deals with its own errors. */
  after(seconds: number, work: () => Promise<void>): void {
    this.#entries.push({ at: this.#nowMs + seconds * 1000, work });
  }

  /** Does all that is due by then, and what that leads to. */
  async advance(seconds: number): Promise<void> {
    const end = this.#nowMs + seconds * 1000;
    for (;;) {
      const next = Math.min(...this.#entries.map(({ at }) => at));
      if (next > end) break;
      this.#nowMs = Math.max(this.#nowMs, next);
      await this.#run(this.#doDue());
    }
    this.#nowMs = end;
  }

  async #doDue(): Promise<void> {
    const busy = new Set<Promise<void>>();
    for (;;) {
      const due = this.#entries.filter(({ at }) => at <= this.#nowMs);
      this.#entries = this.#entries.filter(({ at }) => at > this.#nowMs);
      for (const { work } of due) {
        this.#done += 1;
        if (this.#done > 20_000) throw new Error('endless: 20,000 pieces of work');
        const running: Promise<void> = work().finally(() => busy.delete(running));
        busy.add(running);
      }
      if (busy.size === 0) return;
      await Promise.race(busy);
    }
  }
}
