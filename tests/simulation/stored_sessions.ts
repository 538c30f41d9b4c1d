/** Which clients the broker must have a stored session for, and which it must not. */
import { BrokenPromise } from "./broken_promise.ts";
import type { ObservedConnection } from "./observed_connection.ts";

/** What is known of the session that the broker stores for a client. */
export type Stored = "present" | "absent" | "unknown";

interface StoredSession {
  state: Stored;
  changedMs: number;
  /** When the client last heard of the broker. */
  heardMs: number;
}

/** The stored sessions, as far as they can be known. */
export class StoredSessions {
  readonly #sessions = new Map<string, StoredSession>();
  readonly #expiryMs: number;
  readonly #nowMs: () => number;
  /** What all jumps of the wall clock together have put it forward. */
  #clockJumpedMs = 0;
  #restartedMs = 0;

  /** `expiryMs`: how long the broker keeps a session whose client is away; 0 for ever. */
  constructor(expiryMs: number, nowMs: () => number) {
    this.#expiryMs = expiryMs;
    this.#nowMs = nowMs;
  }

  /** CONNECT was sent: gives what is known before it is processed. */
  connectSent(client: string, cleanSession: boolean): Stored {
    const session = this.#session(client);
    const { state } = session;
    if (cleanSession || state === "absent") session.state = "unknown";
    return state;
  }

  /** CONNACK came and was found good. */
  accepted(client: string, state: Stored): void {
    const session = this.#session(client);
    if (session.state !== state) session.changedMs = this.#nowMs();
    session.state = state;
    session.heardMs = this.#nowMs();
  }

  /** The client has heard of the broker. */
  heard(client: string): void {
    this.#session(client).heardMs = this.#nowMs();
  }

  /** The wall clock was set. */
  clockJumped(byMs: number): void {
    this.#clockJumpedMs += Math.max(0, byMs);
  }

  /** A new broker process runs. */
  restarted(): void {
    this.#restartedMs = this.#nowMs();
  }

  /** The broker may have forgotten what it acknowledged since then. */
  crashed(forgottenSinceMs: number): void {
    for (const session of this.#sessions.values()) {
      if (session.changedMs >= forgottenSinceMs) session.state = "unknown"; // old or new
    }
  }

  /** "acknowledged session lost", "discarded session came back" */
  check({ client, cleanSession, stored }: ObservedConnection, sessionPresent: boolean): void {
    const isThere = stored === "present" && this.#session(client).state === "present";
    if (!cleanSession && isThere && !sessionPresent && !this.#mayHaveExpired(client)) {
      throw new BrokenPromise("acknowledged session lost", client);
    }
    const isGone = cleanSession || stored === "absent";
    if (isGone && sessionPresent) throw new BrokenPromise("discarded session came back", client);
  }

  /**
   * Time on the monotonic clock counts, and over a restart what the wall clock says, because that is
   * all there is.
   */
  #mayHaveExpired(client: string): boolean {
    if (this.#expiryMs === 0) return false;
    const { heardMs } = this.#session(client);
    const jumpedMs = this.#restartedMs > heardMs ? this.#clockJumpedMs : 0;
    return this.#nowMs() - heardMs + jumpedMs >= this.#expiryMs;
  }

  #session(client: string): StoredSession {
    let session = this.#sessions.get(client);
    if (session === undefined) {
      session = { state: "absent", changedMs: -Infinity, heardMs: 0 };
      this.#sessions.set(client, session);
    }
    return session;
  }
}
