/** The last so many of all that was added, so that a long run does not fill the memory. */
export class Recent<T> {
  readonly #limit: number;
  #items: T[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(item: T): void {
    this.#items.push(item);
    // Room for as many again: to move all of them up at each one would be slow.
    if (this.#items.length >= 2 * this.#limit) this.#items = this.#items.slice(-this.#limit);
  }

  /** Oldest first. */
  all(): readonly T[] {
    return this.#items.slice(-this.#limit);
  }
}
