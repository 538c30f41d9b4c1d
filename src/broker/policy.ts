/** What the core asks before it acts: facts in, verdict out, never a callback. */
import type { ConnackCode, ConnectPacket, Qos, TopicFilter, TopicName } from "../mqtt/mod.ts";
import type { ConnectionOrigin } from "./connection.ts";

/** Who asks. */
export interface ClientFacts {
  readonly origin: ConnectionOrigin;
  readonly clientIdentifier: string;
  /** Of the client certificate, or else as the client gave it: that only the policy has verified. */
  readonly userName: string | null;
}

/** The answer to a CONNECT; `pending` is answered later by `Broker.authenticated`. */
export type ConnectVerdict =
  | { readonly kind: "accept" }
  | { readonly kind: "refuse"; readonly code: ConnackCode; readonly reason?: "banned" }
  | { readonly kind: "pending" };

/** The answer to a PUBLISH: `drop` acknowledges and forgets, `close` ends the connection. */
export type PublishVerdict = "allow" | "drop" | "close";

/**
 * Why a client that was let in gets no session. `foreignSession`: the one of its Client Identifier
 * belongs to another; `foreignIdentifier`: that is not a Client Identifier for this client;
 * `unpinned`: whoever has this name or Client Identifier must show a certificate that it did not.
 */
export type SessionRefusal = "foreignSession" | "foreignIdentifier" | "unpinned";

/**
 * The answer to who may have the session of a Client Identifier: whom it belongs to from now on, in
 * a form of the policy's own that the core only keeps (empty for nobody in particular), or why the
 * client may not have it.
 */
export type SessionVerdict =
  | { readonly kind: "grant"; readonly owner: string }
  | { readonly kind: "refuse"; readonly code: ConnackCode; readonly reason: SessionRefusal };

/** Decisions of the security room; every method is pure and fast. */
export interface AccessPolicy {
  /** Changes whenever a verdict on a publish may have changed; verdicts are kept until then. */
  readonly generation: number;
  /** `client` is the same object in all questions about one connection. */
  connect(packet: ConnectPacket, client: ClientFacts): ConnectVerdict;
  /**
   * Asked when a client that was let in is about to get a session; `owner` is whom the one with its
   * Client Identifier belongs to, empty for nobody or where there is none. The Client Identifier is
   * empty where the server is going to assign one.
   */
  session(client: ClientFacts, owner: string): SessionVerdict;
  publish(client: ClientFacts, topic: TopicName): PublishVerdict;
  /** The same for the Will of a client that is gone since before the process began. */
  will(gone: { clientIdentifier: string; owner: string }, topic: TopicName): PublishVerdict;
  /** The QoS granted, or null to refuse with SUBACK return code 0x80. */
  subscribe(client: ClientFacts, request: { filter: TopicFilter; qos: Qos }): Qos | null;
  /** Whether a message may be delivered; null if all that is subscribed to may be. */
  readonly read: ((client: ClientFacts, topic: TopicName) => boolean) | null;
}

/** Whether Client Identifiers may go from one connection to another. [MQTT-3.1.4-2] */
export interface TakeOverPolicy {
  /** Asked before a take-over; one that is allowed counts as happened. */
  allows(
    takeOver: { readonly newcomer: ClientFacts; readonly holder: ClientFacts },
    nowMs: number,
  ): boolean;
}

/** Everything is allowed: for listeners that are open on purpose. */
export const OPEN_ACCESS: AccessPolicy = {
  generation: 0,
  connect: () => ({ kind: "accept" }),
  session: (_client, owner) => ({ kind: "grant", owner }),
  will: () => "allow",
  publish: () => "allow",
  subscribe: (_client, request) => request.qos,
  read: null,
};
