/** Values in the order of their places, which are texts. */
export class Places<Value> {
  readonly #sorted: { readonly place: string; readonly value: Value }[] = [];

  set(place: string, value: Value): void {
    const index = this.#indexFrom(place);
    this.#sorted.splice(index, this.#sorted[index]?.place === place ? 1 : 0, { place, value });
  }

  delete(place: string): void {
    const index = this.#indexFrom(place);
    if (this.#sorted[index]?.place === place) this.#sorted.splice(index, 1);
  }

  /** At most `limit`, from the first place after this one. */
  after(place: string, limit: number = this.#sorted.length) {
    const index = this.#indexFrom(place);
    const start = this.#sorted[index]?.place === place ? index + 1 : index;
    return this.#sorted.slice(start, start + limit);
  }

  /** Where the first place is that is not before this one. */
  #indexFrom(place: string): number {
    let from = 0;
    let to = this.#sorted.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#sorted[middle]?.place ?? '') < place) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
