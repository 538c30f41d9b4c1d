/** Latencies in little memory, however many: buckets that grow by 2 %. */

const FIRST_MS = 0.001;
const GROWTH = Math.log(1.02);
/** Up to some ten minutes. */
const BUCKETS = 1024;

/** Percentiles in milliseconds; NaN of nothing. */
export interface LatencyFigures {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Notes latencies one by one. */
export class Latencies {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #maxMs = NaN;

  /** Notes one. */
  note(ms: number): void {
    const bucket = ms <= FIRST_MS ? 0 : Math.ceil(Math.log(ms / FIRST_MS) / GROWTH);
    this.#counts[Math.min(bucket, BUCKETS - 1)]! += 1;
    this.#total++;
    if (!(ms <= this.#maxMs)) this.#maxMs = ms;
  }

  /** What there is so far; each percentile is at most 2 % too high. */
  figures(): LatencyFigures {
    return {
      p50Ms: this.#rank(0.5),
      p90Ms: this.#rank(0.9),
      p99Ms: this.#rank(0.99),
      p999Ms: this.#rank(0.999),
      maxMs: this.#maxMs,
    };
  }

  #rank(share: number): number {
    if (this.#total === 0) return NaN;
    let left = Math.max(1, Math.ceil(share * this.#total));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) return Math.min(FIRST_MS * Math.exp(bucket * GROWTH), this.#maxMs);
    }
    return this.#maxMs;
  }
}
