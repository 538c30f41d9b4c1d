/** What was usual and what was bad within a second, out of a histogram that only ever grows. */
import type { Histogram } from "../broker/mod.ts";

/** Remembers what a histogram was before. */
export class RecentQuantiles {
  readonly #histogram: Histogram;
  readonly #bounds: readonly number[];
  #before: readonly number[];
  #since: readonly number[];

  constructor(histogram: Histogram) {
    this.#histogram = histogram;
    this.#bounds = histogram.bounds;
    this.#before = histogram.cumulative;
    this.#since = this.#before;
  }

  /** A second has begun: what is told is about the one before, until the next. */
  turn(): void {
    this.#since = this.#before;
    this.#before = this.#histogram.cumulative;
  }

  /**
   * The value that this share of what was measured did not exceed, between the bounds as if evenly
   * spread; null where nothing was measured. Above the last bound it is that bound.
   */
  of(share: number): number | null {
    const counts = this.#before.map((count, index) => count - this.#since[index]!);
    const all = counts.at(-1)!;
    if (all <= 0) return null;
    const wanted = share * all;
    const index = counts.findIndex((count) => count >= wanted);
    const upper = this.#bounds[index];
    if (upper === undefined) return this.#bounds.at(-1)!;
    const lower = index === 0 ? 0 : this.#bounds[index - 1]!;
    const below = index === 0 ? 0 : counts[index - 1]!;
    return lower + (upper - lower) * (wanted - below) / (counts[index]! - below);
  }
}
