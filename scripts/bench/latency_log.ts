/** Latencies of single messages, kept one by one so that the far percentiles are exact. */

/** Percentiles of one kind of latency, in milliseconds. */
export interface LatencySummary {
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
  samples: number;
}

/** Notes the latencies of the messages that were due inside the window; others are left out. */
export class LatencyLog {
  readonly #sinceDue: Float64Array;
  readonly #sinceWrite: Float64Array;
  #count = 0;
  #windowStartMs = Infinity;
  #windowEndMs = Infinity;

  constructor(samplesMax: number) {
    this.#sinceDue = new Float64Array(samplesMax);
    this.#sinceWrite = new Float64Array(samplesMax);
  }

  /** Counts only messages that were due from `startMs` until before `endMs` of the shared clock. */
  open(startMs: number, endMs: number): void {
    this.#windowStartMs = startMs;
    this.#windowEndMs = endMs;
  }

  /** Notes one message that arrived at `nowMs`. Beyond the capacity messages are left out. */
  note(nowMs: number, sent: { dueMs: number; writtenMs: number }): void {
    if (sent.dueMs < this.#windowStartMs || sent.dueMs >= this.#windowEndMs) return;
    if (this.#count === this.#sinceDue.length) return;
    this.#sinceDue[this.#count] = nowMs - sent.dueMs;
    this.#sinceWrite[this.#count] = nowMs - sent.writtenMs;
    this.#count++;
  }

  /** From the moment the message was due: a generator held up by the broker counts against it. */
  sinceDue(): LatencySummary {
    return summarise(this.#sinceDue.slice(0, this.#count));
  }

  /** From the moment of the write. */
  sinceWrite(): LatencySummary {
    return summarise(this.#sinceWrite.slice(0, this.#count));
  }
}

function summarise(samples: Float64Array): LatencySummary {
  samples.sort();
  return {
    p50Ms: rank(samples, 0.5),
    p99Ms: rank(samples, 0.99),
    p999Ms: rank(samples, 0.999),
    maxMs: rank(samples, 1),
    samples: samples.length,
  };
}

function rank(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}
