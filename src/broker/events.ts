/** What happened that an operator may want to read; collected by the core, logged by others. */
import type { ConnackCode, ProtocolError } from "../mqtt/mod.ts";
import type { Connection } from "./connection.ts";
import type { SessionRefusal } from "./policy.ts";
import type { Statistics } from "./statistics.ts";

/** Why a Network Connection ended. */
export type CloseCause =
  | "disconnect"
  | "peerClosed"
  | "protocolError"
  | "refused"
  | "takenOver"
  | "keepAlive"
  | "connectTimeout"
  | "stalledWrite"
  | "revoked"
  | "rateLimit"
  | "passwordChanged"
  | "certificateRevoked"
  | "unpinned"
  | "operator"
  | "banned"
  | "shutdown";

/** Why a CONNECT is answered with another return code than 0. */
export interface ConnectRefusal {
  readonly returnCode: ConnackCode;
  /** What the return code does not say; null if it says all. */
  readonly reason:
    | SessionRefusal
    | "sessions-max"
    | "memory"
    | "take-over-storm"
    | "sparkplug"
    | "banned"
    | null;
}

/** One event. */
export type BrokerEvent =
  | { readonly kind: "connected"; readonly connection: Connection; readonly resumed: boolean }
  | {
    readonly kind: "closed";
    readonly connection: Connection;
    readonly cause: CloseCause;
    /** Null unless the cause is "refused". */
    readonly refusal: ConnectRefusal | null;
  }
  | {
    readonly kind: "takenOver";
    /** Whose Client Identifier it is now. */
    readonly connection: Connection;
    readonly from: Connection;
  }
  | {
    readonly kind: "protocolError";
    readonly connection: Connection;
    readonly error: ProtocolError;
  }
  | {
    readonly kind: "sessionRefused";
    readonly connection: Connection;
    readonly reason: SessionRefusal;
    /** Whom the session belongs to; empty for nobody. */
    readonly owner: string;
  }
  | { readonly kind: "slowConsumer"; readonly connection: Connection; readonly caughtUp: boolean }
  | { readonly kind: "rateExceeded"; readonly connection: Connection };

/** How many events a turn may collect; more are counted, not kept. */
const EVENTS_MAX = 4096;

/** Events since they were last taken. */
export class EventLog {
  readonly #statistics: Statistics;
  #events: BrokerEvent[] = [];

  constructor(statistics: Statistics) {
    this.#statistics = statistics;
  }

  add(event: BrokerEvent): void {
    if (this.#events.length < EVENTS_MAX) this.#events.push(event);
    else this.#statistics.eventsLost++;
  }

  /** Hands the events over, oldest first. */
  take(): readonly BrokerEvent[] {
    if (this.#events.length === 0) return NONE;
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

const NONE: readonly BrokerEvent[] = [];
