/** Durable record types: what the core writes down so that nothing acknowledged is lost. */
import type { Qos, TopicFilter, TopicName, Will } from "../mqtt/mod.ts";
import type { Message } from "./message.ts";

/** A delivery of a persistent session, as it is first written. */
export interface DeliveryRecord {
  readonly clientIdentifier: string;
  /** Grows over all deliveries of a broker; names this one from now on. */
  readonly sequence: number;
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  /** 0 while the delivery waits in the queue, else it is in flight with this identifier. */
  readonly packetId: number;
}

/**
 * The write batch of the turn. Writing never blocks and never fails here: what cannot be committed
 * is not acknowledged, because acknowledgements wait at the gate for their batch.
 */
export interface Journal {
  /** The batch that is being filled. */
  readonly batch: number;
  /** Number of records written so far; it grows with every call below. */
  readonly records: number;
  /** Bytes of the records that are not committed, about. */
  readonly backlogBytes: number;

  sessionCreated(clientIdentifier: string): void;
  /** The session and all that belongs to it. */
  sessionDiscarded(clientIdentifier: string): void;
  /** The client left, at this time on the wall clock, or came back (0). */
  sessionStored(clientIdentifier: string, sinceMs: number): void;
  subscribed(clientIdentifier: string, filter: TopicFilter, qos: Qos): void;
  unsubscribed(clientIdentifier: string, filter: TopicFilter): void;
  deliveryAdded(record: DeliveryRecord): void;
  /** Out of the queue, into flight. */
  deliverySent(clientIdentifier: string, sequence: number, packetId: number): void;
  /** PUBREC came: from now on PUBREL is what is sent again. */
  deliveryReleased(clientIdentifier: string, sequence: number): void;
  /** Acknowledged or given up. */
  deliveryFinished(clientIdentifier: string, sequence: number): void;
  /** A QoS 2 PUBLISH of the client was taken over; `finished` when its PUBREL came. */
  receiveStarted(clientIdentifier: string, packetId: number): void;
  receiveFinished(clientIdentifier: string, packetId: number): void;
  retainedSet(topic: TopicName, message: Message): void;
  retainedDeleted(topic: TopicName): void;
  willSet(clientIdentifier: string, will: Will): void;
  willDeleted(clientIdentifier: string): void;
}

/** A delivery as it is read back. */
export interface StoredDelivery {
  readonly sequence: number;
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly packetId: number;
  readonly released: boolean;
}

/** A persistent session as it is read back; deliveries in order of their sequence. */
export interface StoredSession {
  readonly clientIdentifier: string;
  readonly storedSinceMs: number;
  readonly subscriptions: readonly { readonly filter: TopicFilter; readonly qos: Qos }[];
  readonly deliveries: readonly StoredDelivery[];
  readonly receiving: readonly number[];
}

/** Everything that survives the process. */
export interface StoredState {
  readonly sessions: readonly StoredSession[];
  readonly retained: readonly { readonly topic: TopicName; readonly message: Message }[];
  readonly wills: readonly { readonly clientIdentifier: string; readonly will: Will }[];
}
