/** A store that commits when the test says so. */
import type { Journal, StoredState } from "../../src/broker/mod.ts";
import { MemoryStore, type Store } from "../../src/store/mod.ts";

/** Batches are sealed by `commit`, and durable after `Core.release`. */
export class DelayedStore implements Store {
  readonly #memory = new MemoryStore();
  /** While false it commits at once. */
  delays = true;
  /** The last batch that was handed over. */
  sealed = 0;

  get journal(): Journal {
    return this.#memory.journal;
  }

  get letterShelf(): Store["letterShelf"] {
    return this.#memory;
  }

  readonly trouble = null;
  readonly statistics = null;

  get dirty(): boolean {
    return this.#memory.dirty;
  }

  load(): StoredState {
    return this.#memory.load();
  }

  commit(): number | Promise<number> {
    this.sealed = this.#memory.commit();
    if (!this.delays) return this.sealed;
    return new Promise(() => {}); // the test releases the batch
  }

  close(): void {
    this.#memory.close();
  }
}
