/** Accepts TCP connections and does not stop for a client's or the system's fault. */

/** What an accept loop tells. */
export interface AcceptEvents {
  /** A connection was accepted; whoever takes it closes it. */
  readonly accepted: (connection: Deno.TcpConn) => void;
  /**
   * Accepting failed and goes on; `reason` is the system's error. `passing`: it concerned only one
   * connection, which its client had already reset.
   */
  readonly failed: (failure: { reason: string; passing: boolean }) => void;
}

/** Where `TcpListener` gets its connections: `Deno.listen` gives one. */
export type AcceptSource = Pick<Deno.TcpListener, "accept" | "close" | "addr">;

/** Pause after an error that will not go away at once. */
const BACK_OFF_MS = 50;

/** A listening socket with an accept loop of its own. */
export class TcpListener {
  readonly #source: AcceptSource;
  readonly #loop: Promise<void>;
  #closed = false;
  #pausedUntilMs = 0;
  #wake: (() => void) | null = null;

  /** Starts accepting from `source` at once. */
  constructor(source: AcceptSource, events: AcceptEvents) {
    this.#source = source;
    this.#loop = this.#accept(events);
  }

  /** Binds an address. Throws `Deno.errors.AddrInUse` and the like. */
  static listen(address: { host: string; port: number }, events: AcceptEvents): TcpListener {
    return new TcpListener(Deno.listen({ hostname: address.host, port: address.port }), events);
  }

  /** The address it listens on, with the port that was assigned. */
  get address(): Deno.NetAddr {
    return this.#source.addr as Deno.NetAddr;
  }

  /** Stops accepting; resolves when the loop has ended. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#source.close();
      this.#wake?.();
    }
    await this.#loop;
  }

  /**
   * Accepts nothing for so long, from now on; one connection more may come that is being accepted
   * already. The others wait in the kernel's backlog, and when that is full their clients try again.
   */
  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, performance.now() + ms);
  }

  // `for await` over a listener ends at the first error, and a client that connects and resets at
  // once causes one: that would be the end of the service for everybody.
  async #accept(events: AcceptEvents): Promise<void> {
    while (!this.#closed) {
      if (this.#pausedUntilMs > 0) await this.#pauseOver();
      if (this.#closed) return;
      try {
        events.accepted(await this.#source.accept());
      } catch (error) {
        if (this.#closed || error instanceof Deno.errors.BadResource) return;
        const passing = error instanceof Deno.errors.NotConnected ||
          error instanceof Deno.errors.ConnectionAborted;
        const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        events.failed({ reason, passing });
        // Everything else, such as too many open files, would fail again at once.
        if (passing) continue;
        await new Promise((resolve) => setTimeout(resolve, BACK_OFF_MS));
      }
    }
  }

  async #pauseOver(): Promise<void> {
    for (;;) {
      const leftMs = this.#pausedUntilMs - performance.now();
      if (leftMs <= 0 || this.#closed) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#pausedUntilMs = 0;
  }
}
