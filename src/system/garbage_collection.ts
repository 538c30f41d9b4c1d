/** Garbage collections on demand, so that what could be collected does not count as pressure. */

/** Options of the function that V8 offers with `--expose-gc`. */
type Collect = (options: { type: "major" | "minor"; execution: "sync" }) => void;

/** How much a collection is worth: to see whether all is over, to avoid worse, or to survive. */
export type Urgency = "low" | "high" | "highest";

/** Time between two collections, at least, and in multiples of what the last one took. */
const PAUSES: Readonly<Record<Urgency, { readonly ms: number; readonly times: number }>> = {
  low: { ms: 2_000, times: 100 },
  high: { ms: 1_000, times: 20 },
  highest: { ms: 300, times: 4 },
};

/** Collects garbage, but not more often than it is worth: 1, 5 or 20 % of the time. */
export class GarbageCollection {
  readonly #collect: Collect | null;
  readonly #nowMs: () => number;
  #endedMs = -Infinity;
  #tookMs = 0;
  /** Collections so far. */
  count = 0;

  /** `collect` is there only if V8 was started with `--expose-gc`. */
  constructor(
    nowMs: () => number,
    collect = (globalThis as { gc?: Collect }).gc ?? null,
  ) {
    this.#nowMs = nowMs;
    this.#collect = collect;
  }

  /** Whether garbage can be collected at all. */
  get available(): boolean {
    return this.#collect !== null;
  }

  /** Whether enough time has passed since the last one. */
  due(urgency: Urgency): boolean {
    const { ms, times } = PAUSES[urgency];
    return this.#nowMs() - this.#endedMs >= Math.max(ms, times * this.#tookMs);
  }

  /** Collects, as far as that is possible. */
  run(): void {
    const startedMs = this.#nowMs();
    this.#collect?.({ type: "major", execution: "sync" });
    // Buffers that the first one has found are freed by the next.
    this.#collect?.({ type: "minor", execution: "sync" });
    this.#endedMs = this.#nowMs();
    this.#tookMs = this.#endedMs - startedMs;
    if (this.#collect !== null) this.count++;
  }
}
