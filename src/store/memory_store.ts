/** A store that lives as long as the process. */
import type { Journal, StoredState } from "../broker/mod.ts";
import { BatchJournal } from "./batch_journal.ts";
import type { LetterPage, LetterQuery, LetterShelf } from "./dead_letter_look.ts";
import { StateImage } from "./state_image.ts";
import type { Store } from "./store.ts";

/** Commits at once, to memory: sessions survive their connections, not the process. */
export class MemoryStore implements Store, LetterShelf {
  readonly #journal = new BatchJournal();
  readonly #image = new StateImage();

  get journal(): Journal {
    return this.#journal;
  }

  get letterShelf(): LetterShelf {
    return this;
  }

  look(query: LetterQuery): Promise<LetterPage> {
    return Promise.resolve(this.#image.look(query));
  }

  get dirty(): boolean {
    return this.#journal.dirty;
  }

  get trouble(): null {
    return null;
  }

  get statistics(): null {
    return null;
  }

  load(): StoredState {
    return this.#image.snapshot();
  }

  commit(): number {
    const { batch, records, bytes } = this.#journal.seal();
    for (const record of records) this.#image.apply(record);
    this.#journal.settled(bytes);
    return batch;
  }

  close(): void {}
}
