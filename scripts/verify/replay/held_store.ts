/** A store whose commits are answered when a rig says so. */
import type { Journal, StoredState } from "../../../src/broker/mod.ts";
import {
  BatchJournal,
  type JournalRecord,
  type SealedBatch,
} from "../../../src/store/batch_journal.ts";
import { MemoryStore, type Store } from "../../../src/store/mod.ts";
import { StateImage } from "../../../src/store/state_image.ts";

/** Keeps what is committed; a commit is one when it is answered. */
export class HeldStore implements Store {
  readonly trouble = null;
  readonly statistics = null;
  readonly letterShelf = new MemoryStore();
  /** What was carried out. */
  readonly records: JournalRecord[] = [];
  readonly #journal = new BatchJournal();
  readonly #image = new StateImage();
  #waiting: { readonly sealed: SealedBatch; readonly resolve: (batch: number) => void }[] = [];

  get journal(): Journal {
    return this.#journal;
  }

  get dirty(): boolean {
    return this.#journal.dirty;
  }

  /** What a process would find that starts now. */
  load(): StoredState {
    return this.#image.snapshot();
  }

  commit(): Promise<number> {
    const sealed = this.#journal.seal();
    return new Promise((resolve) => this.#waiting.push({ sealed, resolve }));
  }

  /** All commits are carried out. */
  answer(): void {
    for (const { sealed, resolve } of this.#waiting.splice(0)) {
      for (const record of sealed.records) this.#image.apply(record);
      this.records.push(...sealed.records);
      this.#journal.settled(sealed.bytes);
      resolve(sealed.batch);
    }
  }

  close(): void {
    this.answer();
  }
}
