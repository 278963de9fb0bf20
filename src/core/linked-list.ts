/** Stands in one list at most, and holds its neighbours itself. */
export class Linked {
  list: object | undefined;
  previous: this | undefined;
  next: this | undefined;
}

/**
 * Of what comes and goes with each connection, in the order of its coming. A Set would make itself a new table for every few
 * dozen that come and go, and each table that V8 has given up holds the next one: once one of them is old, so are all after it, with
 * all that stood in them, until all memory is collected.
 */
export class LinkedList<T extends Linked> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  /** At the end. What stands in a list already is left where it is. */
  add(one: T): void {
    if (one.list !== undefined) return;
    one.list = this;
    one.previous = this.#last;
    if (this.#last === undefined) this.#first = one;
    else this.#last.next = one;
    this.#last = one;
    this.#size += 1;
  }

  /** False: it does not stand here. */
  delete(one: T): boolean {
    if (one.list !== this) return false;
    const { previous, next } = one;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    one.list = undefined;
    one.previous = undefined;
    one.next = undefined;
    this.#size -= 1;
    return true;
  }

  /** The one that is being looked at may be deleted meanwhile, no other. */
  *[Symbol.iterator](): Generator<T, void> {
    for (let one = this.#first; one !== undefined; ) {
      const { next } = one;
      yield one;
      one = next;
    }
  }
}
