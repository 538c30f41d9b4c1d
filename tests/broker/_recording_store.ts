/** A store that keeps what is committed, shows every record, and can be slow or cut off. */
import type { DeadLetter, StoredPublication, StoredState } from "../../src/broker/mod.ts";
import type { JournalRecord, Store } from "../../src/store/mod.ts";
import { BatchJournal } from "../../src/store/batch_journal.ts";
import { StateImage } from "../../src/store/state_image.ts";

/** Commits at once; while `slow`, only when the test says so. What is not committed, a crash takes. */
export class RecordingStore implements Store {
  readonly journal = new BatchJournal();
  readonly trouble = null;
  readonly statistics = null;
  /** Everything that was handed over, in order. */
  readonly records: JournalRecord[] = [];
  /** Whether batches wait for `progress`. */
  slow = false;
  /** Whether a batch counts as committed at once, although it is only written later. */
  acknowledgesFirst = false;
  #image = new StateImage();
  #waiting: { batch: number; bytes: number; records: readonly JournalRecord[] }[] = [];
  #publications: readonly StoredPublication[] = [];

  get dirty(): boolean {
    return this.journal.dirty;
  }

  /** What a crash would leave of the dead letters. */
  get letterShelf(): Store["letterShelf"] {
    const image = this.#image;
    return { look: (query) => Promise.resolve(image.look(query)) };
  }

  /** All dead letters that were handed over, those that are dropped again included. */
  get letters(): DeadLetter[] {
    return this.records.flatMap((record) =>
      record.kind === "deadLetterAdded" ? [record.letter] : []
    );
  }

  /** Reasons of the dead letters. */
  get reasons(): string[] {
    return this.letters.map(({ reason }) => reason);
  }

  load(): StoredState {
    return { ...this.#image.snapshot(), publications: this.#publications };
  }

  commit(): number | Promise<number> {
    const sealed = this.journal.seal();
    this.records.push(...sealed.records);
    this.#waiting.push(sealed);
    if (!this.slow) return this.progress();
    return this.acknowledgesFirst ? sealed.batch : new Promise(() => {});
  }

  /** The first `batches` that wait are written; gives the number of the last one. */
  progress(batches = Infinity): number {
    let last = 0;
    for (const { batch, bytes, records } of this.#waiting.splice(0, batches)) {
      for (const record of records) this.#apply(record);
      this.journal.settled(bytes);
      last = batch;
    }
    return last;
  }

  close(): void {}

  /** What another process finds after this one has ended here. */
  afterCrash(): RecordingStore {
    const next = new RecordingStore();
    next.#image = this.#image;
    next.#publications = this.#publications;
    return next;
  }

  /** Puts messages in that are to be published at the start. */
  publish(publications: readonly StoredPublication[]): void {
    this.#publications = publications;
  }

  /** Stricter than a store has to be: what ends must have begun. */
  #apply(record: JournalRecord): void {
    if (record.kind === "republished") {
      this.#publications = this.#publications.filter(({ id }) => id !== record.id);
    }
    if (record.kind === "deliveryFinished") this.#mustHold(record.clientIdentifier, record);
    this.#image.apply(record);
  }

  #mustHold(client: string, { sequence }: { sequence: number }): void {
    const session = this.#image.snapshot().sessions.find((s) => s.clientIdentifier === client);
    const known = session?.deliveries.some((delivery) => delivery.sequence === sequence);
    if (known !== true) throw new Error(`Cannot finish: "${client}" has no delivery ${sequence}`);
  }
}
