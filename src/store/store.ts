/** The Store interface: where batches become durable, and what is left after a restart. */
import type { Journal, StoredState } from "../broker/mod.ts";
import type { LetterShelf } from "./dead_letter_look.ts";
import type { StoreStatistics } from "./store_statistics.ts";

/** Keeps the durable state of a broker. */
export interface Store {
  /** Where the core writes its records. */
  readonly journal: Journal;
  /** Whether there is anything to commit. */
  readonly dirty: boolean;
  /** Why nothing can be committed at present, or null; acknowledgements wait meanwhile. */
  readonly trouble: string | null;
  /** Counters of what is written; null where nothing is. */
  readonly statistics: StoreStatistics | null;
  /** Where dead letters can be looked at. */
  readonly letterShelf: LetterShelf;
  /** What was there when the store was opened; once, before the first commit. */
  load(): StoredState;
  /**
   * Ends the current batch and commits it. Gives the number of the last batch that is committed
   * then: at once where the store is that fast, else as a promise.
   */
  commit(): number | Promise<number>;
  /** Ends the store when what was handed to `commit` is committed; what was not is lost. */
  close(): void | Promise<void>;
}
