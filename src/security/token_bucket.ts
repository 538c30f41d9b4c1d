/** Token buckets: so much a second on the average, and so much at once. */

/** A rate with its burst; many buckets may share one. */
export interface Rate {
  /** What one token takes to come back. */
  readonly tokenMs: number;
  /** What the whole burst takes to come back. */
  readonly burstMs: number;
}

/**
 * The rate of `perSecond` tokens with a burst of `burst`; null, which is no limit, for 0 a second.
 * Throws RangeError for a burst below one token, which would let nothing pass.
 */
export function makeRate(perSecond: number, burst: number): Rate | null {
  if (perSecond === 0) return null;
  if (!(perSecond > 0) || !(burst >= 1)) {
    throw new RangeError(`Cannot limit rate: ${perSecond} per second with a burst of ${burst}`);
  }
  const tokenMs = 1000 / perSecond;
  return { tokenMs, burstMs: tokenMs * burst };
}

/**
 * One bucket, kept as the moment at which it will be full again: one number, no timer, nothing to
 * fill up, and no allocation when it is asked.
 */
export class TokenBucket {
  readonly #rate: Rate;
  #fullAtMs = 0;

  /** A full bucket. */
  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** From when on it is full, and as good as a new one. */
  get fullAtMs(): number {
    return this.#fullAtMs;
  }

  /**
   * Takes `n` tokens if they are there and gives 0; takes none if they are not, and gives the time
   * in ms after which they will be. More than the burst never are: then it gives Infinity.
   */
  take(n: number, nowMs: number): number {
    const { tokenMs, burstMs } = this.#rate;
    const startMs = this.#fullAtMs > nowMs ? this.#fullAtMs : nowMs;
    const fullAtMs = startMs + n * tokenMs;
    // A token is not refused for the rounding of 1 / rate.
    const overMs = fullAtMs - nowMs - burstMs - ROUNDING_MS;
    if (overMs <= 0) {
      this.#fullAtMs = fullAtMs;
      return 0;
    }
    return n * tokenMs > burstMs + ROUNDING_MS ? Infinity : Math.ceil(overMs);
  }

  /**
   * Takes `n` tokens even if they are not there, for what has happened already, and gives the time
   * in ms after which the debt is paid; 0 if there is none. Debts add up, so that the average holds
   * however large the pieces are.
   */
  charge(n: number, nowMs: number): number {
    const startMs = this.#fullAtMs > nowMs ? this.#fullAtMs : nowMs;
    this.#fullAtMs = startMs + n * this.#rate.tokenMs;
    const overMs = this.#fullAtMs - nowMs - this.#rate.burstMs - ROUNDING_MS;
    return overMs > 0 ? Math.ceil(overMs) : 0;
  }

  /** The whole tokens that are there. */
  left(nowMs: number): number {
    const { tokenMs, burstMs } = this.#rate;
    const missingMs = this.#fullAtMs > nowMs ? this.#fullAtMs - nowMs : 0;
    const left = Math.floor((burstMs - missingMs + ROUNDING_MS) / tokenMs);
    return left > 0 ? left : 0;
  }
}

const ROUNDING_MS = 1e-6;
