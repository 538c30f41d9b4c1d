/** What the core asks before it acts: facts in, verdict out, never a callback. */
import type { ConnackCode, ConnectPacket, Qos, TopicFilter, TopicName } from "../mqtt/mod.ts";
import type { ConnectionOrigin } from "./connection.ts";

/** Who asks. */
export interface ClientFacts {
  readonly origin: ConnectionOrigin;
  readonly clientIdentifier: string;
  /** As the client gave it; nobody has verified it but the policy. */
  readonly userName: string | null;
}

/** The answer to a CONNECT; `pending` is answered later by `Broker.authenticated`. */
export type ConnectVerdict =
  | { readonly kind: "accept" }
  | { readonly kind: "refuse"; readonly code: ConnackCode }
  | { readonly kind: "pending" };

/** The answer to a PUBLISH: `drop` acknowledges and forgets, `close` ends the connection. */
export type PublishVerdict = "allow" | "drop" | "close";

/** Decisions of the security room; every method is pure and fast. */
export interface AccessPolicy {
  /** Changes whenever a verdict on a publish may have changed; verdicts are kept until then. */
  readonly generation: number;
  /** `client` is the same object in all questions about one connection. */
  connect(packet: ConnectPacket, client: ClientFacts): ConnectVerdict;
  publish(client: ClientFacts, topic: TopicName): PublishVerdict;
  /** The QoS granted, or null to refuse with SUBACK return code 0x80. */
  subscribe(client: ClientFacts, request: { filter: TopicFilter; qos: Qos }): Qos | null;
  /** Whether a message may be delivered; null if all that is subscribed to may be. */
  readonly read: ((client: ClientFacts, topic: TopicName) => boolean) | null;
}

/** Everything is allowed: for listeners that are open on purpose. */
export const OPEN_ACCESS: AccessPolicy = {
  generation: 0,
  connect: () => ({ kind: "accept" }),
  publish: () => "allow",
  subscribe: (_client, request) => request.qos,
  read: null,
};
