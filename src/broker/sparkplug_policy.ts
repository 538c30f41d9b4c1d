/** What the core asks of Sparkplug B: facts in, verdict out, never a callback. */
import type { ConnectPacket, Qos, TopicFilter, TopicName, Will } from "../mqtt/mod.ts";
import type { CloseCause } from "./events.ts";
import type { ClientFacts } from "./policy.ts";

/**
 * Why the core asks more about a topic: births are kept as certificates, the time stamp of an NDEATH
 * may be replaced, and all but `null` goes to the referee if there is one.
 */
export type SparkplugTopic = "birth" | "nodeDeath" | "other";

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
  readonly topic: TopicName;
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
  readonly action: "pass" | "drop" | "close";
  /** How it passes; null: as it came. */
  readonly fix: { readonly qos: Qos; readonly retain: boolean } | null;
}

/** The answer to a CONNECT that is otherwise accepted: with this Will, or not at all. */
export type SparkplugConnectVerdict =
  | { readonly kind: "accept"; readonly will: Will | null }
  | { readonly kind: "refuse" };

/** Judges the traffic. `client` is the same object in all questions about one connection. */
export interface SparkplugReferee {
  /** After a take-over has ended the older connection. */
  connect(
    client: ClientFacts,
    packet: ConnectPacket,
    at: SparkplugMoment,
  ): SparkplugConnectVerdict;
  /** A subscription that is granted otherwise; gives whether it stays so. */
  subscribe(client: ClientFacts, request: { filter: TopicFilter; qos: Qos }): boolean;
  unsubscribed(client: ClientFacts, filter: TopicFilter): void;
  /** Asked for every PUBLISH on a topic that `classify` named. */
  publish(publication: SparkplugPublication): SparkplugVerdict;
  /** Whether the Will of a client that is gone is published. */
  will(client: ClientFacts, will: Will, at: SparkplugMoment): boolean;
  /** The connection of a client that was accepted is over; its Will has been published. */
  closed(client: ClientFacts, cause: CloseCause, at: SparkplugMoment): void;
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
  /** Null if nobody judges. */
  readonly referee: SparkplugReferee | null;
}
