/** Bounds the rate of fsyncs: flash memory wears with each of them. */

/** How much of a second's allowance may be used at once after a quiet time. */
const BURST_SECONDS = 0.1;

/** A token bucket; what was used too much is paid back by waiting. */
export class SyncAllowance {
  readonly #perMs: number;
  readonly #burst: number;
  #left: number;
  #updatedMs = 0;

  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000;
    this.#burst = Math.max(1, perSecond * BURST_SECONDS);
    this.#left = this.#burst;
  }

  /** Time until the next fsync is allowed; 0 if it is now. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#left >= 1 ? 0 : Math.ceil((1 - this.#left) / this.#perMs);
  }

  /** Counts fsyncs that were called. */
  use(syncs: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#left -= syncs;
  }

  #refill(nowMs: number): void {
    const passedMs = nowMs - this.#updatedMs;
    this.#updatedMs = nowMs;
    this.#left = Math.min(this.#burst, this.#left + passedMs * this.#perMs);
  }
}
