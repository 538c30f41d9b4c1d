/** A queue in which every source gets its turn, however much others have put in. */
export class FairQueue<T> {
  readonly #max: number;
  /** What waits, by source; whose turn comes first stands first. */
  readonly #queues = new Map<string, T[]>();
  #size = 0;

  /** `max`: most items of all sources together. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds an item. Where there is no room, the youngest item of the source that has most goes for it
   * and is given back: the new one itself, unless another source has more than its own.
   */
  push(source: string, item: T): T | null {
    const own = this.#queues.get(source);
    let evicted: T | null = null;
    if (this.#size >= this.#max) {
      const longest = this.#longest();
      if (longest === null || longest[1].length <= (own?.length ?? 0) + 1) return item;
      evicted = longest[1].pop()!;
      this.#size--;
    }
    if (own === undefined) this.#queues.set(source, [item]);
    else own.push(item);
    this.#size++;
    return evicted;
  }

  /** The next item, one of each source in turn; null if nothing waits. */
  shift(): T | null {
    for (const [source, queue] of this.#queues) {
      const item = queue.shift();
      this.#queues.delete(source);
      if (item === undefined) continue;
      if (queue.length > 0) this.#queues.set(source, queue); // behind all others
      this.#size--;
      return item;
    }
    return null;
  }

  #longest(): [source: string, queue: T[]] | null {
    let longest: [string, T[]] | null = null;
    for (const entry of this.#queues) {
      if (longest === null || entry[1].length > longest[1].length) longest = entry;
    }
    return longest;
  }
}
