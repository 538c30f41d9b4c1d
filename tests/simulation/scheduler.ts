/** The virtual clock, and everything that is to happen on it. */

/** Something that will happen; it can be called off. */
export interface Appointment {
  readonly atMs: number;
  readonly order: number;
  readonly act: () => void;
  cancelled: boolean;
}

/** Runs one event after the other, in the order of their times. */
export class Scheduler {
  /** The virtual monotonic clock, in ms. It never jumps. */
  nowMs = 0;
  /** Events that have happened. */
  steps = 0;
  #order = 0;
  /** A binary heap, the next appointment first. */
  readonly #heap: Appointment[] = [];

  /** Lets something happen after `delayMs`. */
  after(delayMs: number, act: () => void): Appointment {
    const order = this.#order++;
    const appointment = { atMs: this.nowMs + delayMs, order, act, cancelled: false };
    this.#heap.push(appointment);
    this.#up(this.#heap.length - 1);
    return appointment;
  }

  /** Lets the next event happen; false if there is none. */
  step(): boolean {
    for (;;) {
      const next = this.#pop();
      if (next === undefined) return false;
      if (next.cancelled) continue;
      this.nowMs = next.atMs;
      this.steps++;
      next.act();
      return true;
    }
  }

  #pop(): Appointment | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    this.#down();
    return first;
  }

  #up(start: number): void {
    const heap = this.#heap;
    for (let at = start; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at]!, heap[parent]!)) return;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #down(): void {
    const heap = this.#heap;
    for (let at = 0;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) return;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, heap[at]!)) return;
      [heap[at], heap[child]] = [heap[child]!, heap[at]!];
      at = child;
    }
  }
}

function isBefore(one: Appointment, other: Appointment): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
