/** Keys whose last record no commit has covered yet. */
import type { Turn } from "./turn.ts";

/**
 * An acknowledgement that needs no record, because what it asks for is already so, must still wait
 * if it became so by a record that a crash could take back.
 */
export class UnsettledKeys {
  readonly #turn: Turn;
  /** The batch of the last record of each key, oldest first. */
  readonly #batches = new Map<string, number>();

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** A record about this key goes into the current batch. */
  note(key: string): void {
    const { committedBatch, journal } = this.#turn;
    for (const [settled, batch] of this.#batches) {
      if (batch > committedBatch) break;
      this.#batches.delete(settled);
    }
    this.#batches.delete(key);
    this.#batches.set(key, journal.batch);
  }

  /** Whether the last record of this key could still be lost. */
  has(key: string): boolean {
    const batch = this.#batches.get(key);
    return batch !== undefined && batch > this.#turn.committedBatch;
  }
}
