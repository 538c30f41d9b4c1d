/** The figures of the last hour, as long as this page has been open. */

/** @typedef {import("./types.d.ts").Statistics} Statistics */

const SAMPLES_MAX = 3_600;

/**
 * What is kept, by name.
 * @type {Readonly<Record<string, (statistics: Statistics) => number | null | undefined>>}
 */
const SERIES = {
  messagesIn: (now) => now.rates.messages_in_per_s,
  messagesOut: (now) => now.rates.messages_out_per_s,
  bytesIn: (now) => now.rates.bytes_in_per_s,
  bytesOut: (now) => now.rates.bytes_out_per_s,
  clients: (now) => now.counts.clients_connected,
  sessions: (now) => now.counts.sessions,
  queued: (now) => now.counts.queued_messages,
  deadLetters: (now) => now.counts.dead_letters,
  publishP50: (now) => now.latency.publish_p50_ms,
  publishP99: (now) => now.latency.publish_p99_ms,
  commit: (now) => now.store.latency_ms,
  loopLagP99: (now) => now.latency.loop_lag_p99_ms,
  resident: (now) => now.memory.resident_bytes,
  heap: (now) => now.memory.heap_used_bytes,
};

/** Columns of samples, one a second. */
export class History {
  /** Seconds since 1970. @type {number[]} */
  times = [];
  /** @type {Record<string, (number | null)[]>} */
  #columns = Object.fromEntries(Object.keys(SERIES).map((name) => [name, []]));

  /** @param {Statistics} statistics */
  add(statistics) {
    this.times.push(Date.now() / 1_000);
    for (const [name, of] of Object.entries(SERIES)) {
      this.#columns[name]?.push(of(statistics) ?? null);
    }
    this.#forget();
  }

  /** Nothing is known for a while: the lines are interrupted. */
  gap() {
    if (this.times.length === 0) return;
    this.times.push(Date.now() / 1_000);
    for (const column of Object.values(this.#columns)) column.push(null);
    this.#forget();
  }

  /**
   * Times and the columns of these names, for a plot.
   * @param {readonly string[]} names
   * @param {number} seconds how far back
   */
  view(names, seconds) {
    const from = Date.now() / 1_000 - seconds;
    let start = this.times.length;
    while (start > 0 && /** @type {number} */ (this.times[start - 1]) >= from) {
      start--;
    }
    return [
      this.times.slice(start),
      ...names.map((name) => (this.#columns[name] ?? []).slice(start)),
    ];
  }

  #forget() {
    if (this.times.length <= SAMPLES_MAX) return;
    this.times.shift();
    for (const column of Object.values(this.#columns)) column.shift();
  }
}
