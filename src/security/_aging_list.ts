/**
 * Lists in the order of the last touch, for tables with a bound. A `Set` keeps that order, too, but
 * finding its first entry costs a walk over all that were deleted before it.
 */

/** What may stand in one list at a time. */
export class Aging {
  /** Written by `AgingList` only. */
  list: AgingList<Aging> | null = null;
  before: Aging | null = null;
  after: Aging | null = null;
}

/** A doubly linked list; every operation takes the same short time. */
export class AgingList<T extends Aging> {
  #first: Aging | null = null;
  #last: Aging | null = null;
  #length = 0;

  /** Who was touched longest ago. */
  get first(): T | null {
    return this.#first as T | null;
  }

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** Puts an entry at the end, wherever it stood before. */
  touch(entry: T): void {
    entry.list?.remove(entry);
    entry.list = this;
    entry.before = this.#last;
    if (this.#last === null) this.#first = entry;
    else this.#last.after = entry;
    this.#last = entry;
    this.#length++;
  }

  /** Takes an entry out that stands in this list. */
  remove(entry: Aging): void {
    const { before, after } = entry;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    entry.list = null;
    entry.before = null;
    entry.after = null;
    this.#length--;
  }
}
