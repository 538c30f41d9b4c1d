/**
 * Rates. Who has sent more than it may is not read until it may send again: it loses nothing, and
 * its own TCP connection slows it down. The time is told by whoever calls `release`.
 */
import type { Connection } from "./connection.ts";
import type { FlowControl } from "./flow_control.ts";
import type { RateLimiter } from "./rate_limiter.ts";
import { ReleaseQueue } from "./release_queue.ts";
import type { Turn } from "./turn.ts";

/** Asks the limiter, and holds whom it does not let go on. */
export class RateControl {
  readonly #turn: Turn;
  readonly #flow: FlowControl;
  readonly #held = new ReleaseQueue();

  constructor(turn: Turn, { flow }: { flow: FlowControl }) {
    this.#turn = turn;
    this.#flow = flow;
  }

  /** When `release` has to be called, in ms of the monotonic clock; Infinity if nobody waits. */
  get nextReleaseMs(): number {
    return this.#held.nextMs;
  }

  /** A CONNECT was accepted: from now on its client is charged. */
  admit(connection: Connection): void {
    const { rates, nowMs } = this.#turn;
    if (rates === null) return;
    const rate = rates.client(connection.clientIdentifier);
    connection.rate = rate;
    if (rate === null) return;
    const waitMs = rate.debtMs(nowMs);
    if (waitMs > 0) this.#hold(connection, waitMs);
  }

  /** `n` messages of a client were carried out. Gives false if the client is to be closed. */
  published(connection: Connection, n: number): boolean {
    const waitMs = connection.rate!.publishes(n, this.#turn.nowMs);
    return waitMs === 0 || this.#exceeded(connection, waitMs);
  }

  /** `n` bytes of a client were carried out. Gives false if the client is to be closed. */
  read(connection: Connection, n: number): boolean {
    const waitMs = connection.rate!.bytes(n, this.#turn.nowMs);
    return waitMs === 0 || this.#exceeded(connection, waitMs);
  }

  /** Other rates hold from now on, for everybody who is there, too; debts are forgiven. */
  replace(rates: RateLimiter | null, connections: Iterable<Connection>): void {
    const { nowMs } = this.#turn;
    this.#turn.rates = rates;
    for (const connection of connections) {
      const { rate: before, session } = connection;
      before?.leave(nowMs);
      connection.rate = session === null
        ? null
        : rates?.client(connection.clientIdentifier) ?? null;
    }
    this.#releaseUntil(Infinity);
  }

  /** Lets those be read again whose time has come. */
  release(): void {
    this.#releaseUntil(this.#turn.nowMs);
  }

  #releaseUntil(nowMs: number): void {
    for (;;) {
      const connection = this.#held.takeDue(nowMs);
      if (connection === null) return;
      this.#flow.resume(connection);
    }
  }

  /** The connection ended. */
  forget(connection: Connection): void {
    this.#held.remove(connection);
    connection.rate?.leave(this.#turn.nowMs);
    connection.rate = null;
  }

  #exceeded(connection: Connection, waitMs: number): boolean {
    if (waitMs === Infinity) {
      this.#turn.statistics.rateCloses++;
      return false;
    }
    this.#hold(connection, waitMs);
    return true;
  }

  #hold(connection: Connection, waitMs: number): void {
    const { nowMs, statistics, events } = this.#turn;
    const untilMs = nowMs + waitMs;
    if (!connection.heldByRate) statistics.rateHolds++;
    else if (untilMs <= connection.heldUntilMs) return;
    this.#held.hold(connection, untilMs);
    if (connection.rateExceeded) return;
    connection.rateExceeded = true;
    events.add({ kind: "rateExceeded", connection });
  }
}
