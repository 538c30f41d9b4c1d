/** A seeded generator: the same seed gives the same inputs on every machine. */

/** Mulberry32: 32 bits of state, fast, good enough to choose mutations. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Starts again from another seed. */
  reseed(seed: number): void {
    // Neighbouring seeds must not give neighbouring sequences.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0;
  }

  /** 32 random bits, as a number from 0. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** An integer from 0 to below `limit`. */
  below(limit: number): number {
    return this.bits() % limit;
  }

  /** True once in `n`. */
  oneIn(n: number): boolean {
    return this.bits() % n === 0;
  }

  /** One of these. */
  pick<T>(items: readonly T[]): T {
    return items[this.bits() % items.length]!;
  }
}
