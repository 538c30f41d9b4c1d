/** A journal whose records can be seen before their batch is sealed. */
import type { Journal } from "../../../src/broker/mod.ts";
import { BatchJournal, type JournalRecord } from "../../../src/store/mod.ts";

/** A batch that was handed over. */
export interface Batch {
  readonly batch: number;
  readonly records: readonly JournalRecord[];
}

/** Hands every call to two journals: one that is sealed by turns, and one that is looked into. */
export class DoubledJournal {
  readonly #main = new BatchJournal();
  readonly #shadow = new BatchJournal();
  #open: JournalRecord[] = [];
  /** What the core writes to. */
  readonly journal: Journal;

  constructor() {
    const shadow = this.#shadow;
    this.journal = new Proxy(this.#main, {
      get(main, name): unknown {
        const value: unknown = Reflect.get(main, name);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          Reflect.apply(Reflect.get(shadow, name) as () => unknown, shadow, args);
          return Reflect.apply(value, main, args);
        };
      },
    });
  }

  get batch(): number {
    return this.#main.batch;
  }

  get dirty(): boolean {
    return this.#main.dirty;
  }

  /** The records of the batch that is being filled. */
  get open(): readonly JournalRecord[] {
    if (this.#shadow.dirty) this.#open.push(...this.#shadow.seal().records);
    return this.#open;
  }

  seal(): Batch {
    this.#shadow.seal();
    this.#open = [];
    return this.#main.seal();
  }
}
