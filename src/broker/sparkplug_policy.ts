/** What the core asks of Sparkplug B: facts in, verdict out, never a callback. */
import type { ConnectPacket, Qos, TopicFilter, TopicName, Will } from "../mqtt/mod.ts";
import type { CloseCause } from "./events.ts";
import type { ClientFacts } from "./policy.ts";

/** What the policy has to say of a topic; it gets the same object back in all questions about it. */
export interface SparkplugTopic {
  /**
   * Births are kept as certificates, the time stamp of an NDEATH may be replaced, and whatever its
   * role is, a message goes to the referee if there is one.
   */
  readonly role: "birth" | "nodeDeath" | "other";
}

/** A moment, as the core knows it. */
export interface SparkplugMoment {
  /** Monotonic clock, in ms. */
  readonly nowMs: number;
  /** Wall clock, in ms since 1970. */
  readonly wallMs: number;
}

/** A PUBLISH of a client. One object serves all of them: it is good only during the question. */
export interface SparkplugPublication extends SparkplugMoment {
  readonly client: ClientFacts;
  readonly name: TopicName;
  /** What `classify` gave for it. */
  readonly topic: SparkplugTopic;
  /** The payload is `bytes[payloadStart, payloadEnd)`. */
  readonly bytes: Uint8Array;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly dup: boolean;
}

/** The answer to a PUBLISH: `drop` acknowledges and forgets, `close` ends the connection as well. */
export interface SparkplugVerdict {
  readonly action: "route" | "drop" | "close";
  /** RETAIN to route with; null leaves it. */
  readonly retain: boolean | null;
  /** QoS to route with; null leaves it. */
  readonly qos: Qos | null;
}

/** The answer to a CONNECT that is otherwise accepted: with this Will, or not at all. */
export type SparkplugConnectVerdict =
  | {
    readonly kind: "accept";
    readonly will: Will | null;
    /** Another client that has to go first, and its Will out. */
    readonly rival: ClientFacts | null;
  }
  | { readonly kind: "refuse" };

/** Judges the traffic. `client` is the same object in all questions about one connection. */
export interface SparkplugReferee {
  /** Before a connection with the same Client Identifier is taken over. */
  connect(
    client: ClientFacts,
    packet: ConnectPacket,
    at: SparkplugMoment,
  ): SparkplugConnectVerdict;
  subscribed(client: ClientFacts, subscription: { filter: TopicFilter; qos: Qos }): void;
  unsubscribed(client: ClientFacts, filter: TopicFilter): void;
  /** Asked for every PUBLISH of a client on a topic that `classify` named. */
  publish(publication: SparkplugPublication): SparkplugVerdict;
  /**
   * A client that `connect` accepted is gone; gives whether its Will is to be published even after
   * DISCONNECT.
   */
  closed(client: ClientFacts, cause: CloseCause, at: SparkplugMoment): boolean;
  /** The Will of a client that is gone has been published; always behind `closed`. */
  willPublished(client: ClientFacts, will: Will, at: SparkplugMoment): void;
}

/** Decisions of the Sparkplug room; every method is fast. */
export interface SparkplugPolicy {
  /** Asked once for each Topic Name in the cache; null for topics that are nobody's business here. */
  classify(topic: TopicName): SparkplugTopic | null;
  /**
   * The payload of an NDEATH with this time stamp, null if it cannot be parsed. The member is null
   * if time stamps stay as they are. [tck-id-conformance-mqtt-aware-ndeath-timestamp]
   */
  readonly stampNodeDeath: ((payload: Uint8Array, wallMs: number) => Uint8Array | null) | null;
  /** Whether established subscriptions get certificates with RETAIN 1, too. */
  readonly retainLive: boolean;
  /** Whether who publishes under `$sparkplug/` is closed, and not only passed over. */
  readonly closesForgers?: boolean;
  /** Null if nobody judges. */
  readonly referee: SparkplugReferee | null;
}
