/**
 * How much of the resident memory is free inside the process. Neither V8 nor the allocator of the C
 * library gives all memory back that was freed: after a peak the process stays large, although it
 * holds little. What was freed is used again, so it must not count as pressure for ever.
 */

/** What the runtime says about the process. */
export interface MemoryUse {
  readonly rssBytes: number;
  /** What the runtime has handed out: its heap in use, and buffers beside it. */
  readonly accountedBytes: number;
}

/** Less than this above a peak, and nothing was free at it. */
const NOISE_BYTES = 1_048_576;

/**
 * Estimates the freed part. At its peak a process holds all it has: the base, what is accounted, and
 * an overhead beside that, which shrinks with it. An estimate that is too high is harmless as long as
 * the process stays below its peak, for so much it has had before; what it grows by is not free.
 */
export class FreedMemory {
  /** What the process takes beside what is accounted: code, threads, the store. */
  #baseBytes = Infinity;
  #peak: MemoryUse = { rssBytes: 0, accountedBytes: 0 };
  #overheadBytes = 0;

  /** Takes the facts of a moment; gives how many of the resident bytes are free. */
  update(use: MemoryUse): number {
    const { rssBytes, accountedBytes } = use;
    this.#baseBytes = Math.min(this.#baseBytes, rssBytes - accountedBytes);
    const free = this.#free(use);
    const grownBytes = rssBytes - this.#peak.rssBytes;
    if (grownBytes <= 0) return free;
    if (free - grownBytes < NOISE_BYTES) {
      this.#peak = use;
      this.#overheadBytes = rssBytes - accountedBytes - this.#baseBytes;
    } else {
      // It took more although something was free: that is nothing that would go with the rest.
      this.#baseBytes += grownBytes;
      this.#peak = { ...this.#peak, rssBytes };
    }
    return this.#free(use);
  }

  #free({ rssBytes, accountedBytes }: MemoryUse): number {
    const share = Math.min(1, accountedBytes / Math.max(1, this.#peak.accountedBytes));
    const heldBytes = this.#baseBytes + accountedBytes + this.#overheadBytes * share;
    return Math.max(0, rssBytes - heldBytes);
  }
}
