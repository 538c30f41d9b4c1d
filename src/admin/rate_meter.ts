/** How fast counters rise: what came in the last second. */

/** Values of counters at one moment, in a fixed order. */
interface Sample {
  readonly nowMs: number;
  readonly values: readonly number[];
}

const WINDOW_MS = 1_000;

/** Remembers what some counters were a second ago. */
export class RateMeter {
  #samples: Sample[] = [];

  /** To be called several times a second, with the same counters in the same order. */
  take(values: readonly number[], nowMs: number): void {
    this.#samples.push({ nowMs, values });
    // The last one that is a second old, or older, stays: the window begins there.
    while (this.#samples.length > 2 && nowMs - this.#samples[1]!.nowMs >= WINDOW_MS) {
      this.#samples.shift();
    }
  }

  /** The rise of a counter in a second; 0 before anything is known. */
  perSecond(index: number): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.nowMs <= first.nowMs) return 0;
    const rise = (last.values[index] ?? 0) - (first.values[index] ?? 0);
    return Math.round(rise * 1000 / (last.nowMs - first.nowMs) * 10) / 10;
  }
}
