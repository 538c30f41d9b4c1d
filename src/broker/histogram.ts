/** How often a measured value fell into which range. */

/** Upper bounds for durations in seconds: from a fast turn to a disk in trouble. */
export const DURATION_BOUNDS_S: readonly number[] = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
];

/** Counts values by fixed upper bounds; to observe one allocates nothing. */
export class Histogram {
  readonly #bounds: Float64Array;
  /** One more than there are bounds: what is above all of them. */
  readonly #counts: Float64Array;
  /** In an array, so that no number is boxed. */
  readonly #sum = new Float64Array(1);

  /** `bounds` rise, and are included in their ranges. */
  constructor(bounds: readonly number[]) {
    for (let i = 1; i < bounds.length; i++) {
      if (!(bounds[i]! > bounds[i - 1]!)) throw new RangeError("Cannot make histogram: no rise");
    }
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** The upper bounds. */
  get bounds(): readonly number[] {
    return [...this.#bounds];
  }

  /** What they sum up to. */
  get sum(): number {
    return this.#sum[0]!;
  }

  /** Values up to each bound, and all of them at the end. */
  get cumulative(): readonly number[] {
    let below = 0;
    return Array.from(this.#counts, (count) => below += count);
  }

  /** A value was measured, for so many things at once. */
  observe(value: number, times = 1): void {
    const bounds = this.#bounds;
    let range = 0;
    while (range < bounds.length && value > bounds[range]!) range++;
    this.#counts[range]! += times;
    this.#sum[0]! += value * times;
  }
}
