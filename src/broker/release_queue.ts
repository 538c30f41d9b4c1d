/** Connections that are not read until a given moment, the next one to be released first. */
import type { Connection } from "./connection.ts";

/** A binary heap by `heldUntilMs`; each connection knows its place, so that any can be taken out. */
export class ReleaseQueue {
  readonly #heap: Connection[] = [];

  /** When the next one is due, in ms of the monotonic clock; Infinity if nobody waits. */
  get nextMs(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0]!.heldUntilMs;
  }

  /** Puts a connection in that is not there, or gives one that is there another moment. */
  hold(connection: Connection, untilMs: number): void {
    connection.heldUntilMs = untilMs;
    if (connection.releaseIndex < 0) {
      connection.releaseIndex = this.#heap.length;
      this.#heap.push(connection);
    }
    this.#settle(connection);
  }

  /** Takes out the next one that is due; null if none is. */
  takeDue(nowMs: number): Connection | null {
    const first = this.#heap[0];
    if (first === undefined || first.heldUntilMs > nowMs) return null;
    this.remove(first);
    return first;
  }

  /** Takes a connection out, if it is there. */
  remove(connection: Connection): void {
    const index = connection.releaseIndex;
    if (index < 0) return;
    connection.releaseIndex = -1;
    const last = this.#heap.pop()!;
    if (last === connection) return;
    this.#put(last, index);
    this.#settle(last);
  }

  /** Moves a connection up or down to where it belongs. */
  #settle(connection: Connection): void {
    const heap = this.#heap;
    const { heldUntilMs } = connection;
    let index = connection.releaseIndex;
    while (index > 0) {
      const parent = heap[(index - 1) >> 1]!;
      if (parent.heldUntilMs <= heldUntilMs) break;
      this.#put(parent, index);
      index = (index - 1) >> 1;
    }
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const second = right < heap.length && heap[right]!.heldUntilMs < heap[left]!.heldUntilMs;
      const child = heap[second ? right : left]!;
      if (child.heldUntilMs >= heldUntilMs) break;
      this.#put(child, index);
      index = second ? right : left;
    }
    this.#put(connection, index);
  }

  #put(connection: Connection, index: number): void {
    this.#heap[index] = connection;
    connection.releaseIndex = index;
  }
}
