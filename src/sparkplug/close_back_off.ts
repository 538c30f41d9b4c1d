/** Keeps a client out for a while that was closed for a breach, so that it does not come at once again. */

/** Times of the back-off. */
const FIRST_MS = 5000;
const LONGEST_MS = 300_000;
const CLIENTS_MAX = 1000;

interface Entry {
  untilMs: number;
  lengthMs: number;
}

/** Doubles with each breach; a client that stays away for as long as it was kept out begins anew. */
export class CloseBackOff {
  readonly #entries = new Map<string, Entry>();

  /** Notes that the client was closed. */
  closed(clientIdentifier: string, nowMs: number): void {
    const last = this.#entries.get(clientIdentifier);
    const again = last !== undefined && nowMs < last.untilMs + last.lengthMs;
    const lengthMs = again ? Math.min(last.lengthMs * 2, LONGEST_MS) : FIRST_MS;
    this.#entries.delete(clientIdentifier);
    this.#entries.set(clientIdentifier, { untilMs: nowMs + lengthMs, lengthMs });
    if (this.#entries.size <= CLIENTS_MAX) return;
    this.#entries.delete(this.#entries.keys().next().value!);
  }

  /** Whether the client is still to be kept out. */
  holds(clientIdentifier: string, nowMs: number): boolean {
    const entry = this.#entries.get(clientIdentifier);
    return entry !== undefined && nowMs < entry.untilMs;
  }
}
