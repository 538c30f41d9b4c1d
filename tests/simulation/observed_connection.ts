/** A Network Connection as its client observes it. */
import type { Qos } from "../../src/mqtt/mod.ts";
import type { AccessRules } from "./access_rules.ts";
import type { ObservedSession } from "./observed_session.ts";
import type { SentMessage } from "./sent_message.ts";
import type { Stored } from "./stored_sessions.ts";

/** A SUBSCRIBE that waits for its answer. */
interface SubscribeSent {
  readonly requests: readonly { filter: string; qos: Qos }[];
  readonly rules: AccessRules;
  readonly sentAt: number;
}

/** A connection as the oracle knows it. */
export class ObservedConnection {
  readonly client: string;
  readonly cleanSession: boolean;
  readonly will: SentMessage | null;
  /** The step of the CONNACK; Infinity before. */
  connectedAt = Infinity;
  /** Why it may end without a fault of the broker; null if there is no reason. */
  mayEnd: string | null = null;
  /** When it ended for the client; Infinity before. */
  endedMs = Infinity;
  /** Whether the broker process that accepted it has crashed. */
  crashed = false;
  /** Whether the client saw that the broker had ended it. */
  endReceived = false;
  /** Messages at QoS 0: nobody says whether they were processed. */
  readonly unacknowledged: SentMessage[] = [];
  /** The order of the last message that was sent again on this connection. */
  lastResent = 0;
  /** Packet Identifiers of PUBLISH packets, by the acknowledgement they wait for, in order. */
  readonly awaited: Record<"PUBACK" | "PUBREC", number[]> = { PUBACK: [], PUBREC: [] };
  readonly subscribes = new Map<number, SubscribeSent>();
  readonly unsubscribes = new Map<number, string>();
  /** Since CONNACK: it may be gone by now. */
  session: ObservedSession | null = null;
  /** What the broker stored for the client when CONNECT was sent. */
  readonly stored: Stored;

  constructor(
    client: string,
    options: { cleanSession: boolean; will: SentMessage | null },
    stored: Stored,
  ) {
    this.client = client;
    this.stored = stored;
    this.cleanSession = options.cleanSession;
    this.will = options.will;
  }
}
