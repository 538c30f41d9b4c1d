/**
 * Durable record types: what the core writes down so that nothing acknowledged is lost. Moments are
 * told on the age clock (`Turn.ageMs`), in seconds where a name ends in `S`.
 */
import type { Qos, TopicFilter, TopicName, Will } from "../mqtt/mod.ts";
import type { DropReason } from "./statistics.ts";
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
  /** Its place in the order of sending; 0 while it waits. */
  readonly sent: number;
  /** When it began to wait; 0 if it did not. */
  readonly queuedS: number;
}

/** A message that was given up. */
export interface DeadLetter {
  /** Grows; names this one from now on. */
  readonly id: number;
  readonly reason: DropReason;
  /** On the wall clock of that moment, in ms since 1970. */
  readonly wallMs: number;
  readonly ageS: number;
  /** Client Identifier of the publisher; empty if it is not known any more. */
  readonly publisher: string;
  /** Client Identifier of the session that does not get it; empty if nobody does. */
  readonly session: string;
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  /** What it counts against the bound of dead letters. */
  readonly bytes: number;
}

/** The age clock at a moment on the wall clock, in ms. */
export interface ClockRecord {
  readonly ageMs: number;
  readonly wallMs: number;
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
  /** Something at the gate waits for the batch that is being filled. */
  awaitCommit(): void;

  sessionCreated(clientIdentifier: string): void;
  /** The session and all that belongs to it. */
  sessionDiscarded(clientIdentifier: string): void;
  /** The client left, at this time on the age clock in ms, or came back (0). */
  sessionStored(clientIdentifier: string, sinceMs: number): void;
  /** The session belongs to this identity from now on; one that is created belongs to nobody. */
  sessionOwned(clientIdentifier: string, owner: string): void;
  subscribed(clientIdentifier: string, filter: TopicFilter, qos: Qos): void;
  unsubscribed(clientIdentifier: string, filter: TopicFilter): void;
  /** Whether retained messages for this subscription have still to be sent. */
  replayPending(clientIdentifier: string, filter: TopicFilter, pending: boolean): void;
  deliveryAdded(record: DeliveryRecord): void;
  /** Out of the queue, into flight; `sent` is its place in the order of sending. */
  deliverySent(
    clientIdentifier: string,
    sequence: number,
    flight: { packetId: number; sent: number },
  ): void;
  /** PUBREC came: from now on PUBREL is what is sent again. */
  deliveryReleased(clientIdentifier: string, sequence: number): void;
  /** Acknowledged or given up. */
  deliveryFinished(clientIdentifier: string, sequence: number): void;
  /** A QoS 2 PUBLISH of the client was taken over; `finished` when its PUBREL came. */
  receiveStarted(clientIdentifier: string, packetId: number): void;
  receiveFinished(clientIdentifier: string, packetId: number): void;
  retainedSet(topic: TopicName, message: Message, atS: number): void;
  retainedDeleted(topic: TopicName): void;
  /** `owner`: whose Will it is, as the policy writes it. */
  willSet(clientIdentifier: string, will: Will, owner: string): void;
  willDeleted(clientIdentifier: string): void;
  deadLetterAdded(letter: DeadLetter): void;
  /** Dead letters up to this one are forgotten. */
  deadLettersDropped(through: number): void;
  /** These dead letters are forgotten; each was added before and is not dropped. */
  deadLettersRemoved(ids: readonly number[]): void;
  /** A message that was put into the store to be published at the start has been published. */
  republished(id: number): void;
  clockSaved(clock: ClockRecord): void;
  /** The bdSeq of the last CONNECT of a Sparkplug Edge Node, `G/E`; null: it is forgotten. */
  bdSeqSeen(edgeNode: string, bdSeq: number | null): void;
}

/** A delivery as it is read back. */
export interface StoredDelivery {
  readonly sequence: number;
  readonly message: Message;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly packetId: number;
  readonly sent: number;
  readonly queuedS: number;
  readonly released: boolean;
}

/** A subscription as it is read back. */
export interface StoredSubscription {
  readonly filter: TopicFilter;
  readonly qos: Qos;
  /** Whether retained messages for it have still to be sent. */
  readonly replayPending: boolean;
}

/** A retained message as it is read back. */
export interface StoredRetained {
  readonly topic: TopicName;
  readonly message: Message;
  readonly atS: number;
}

/** A message that is to be published at the start: a dead letter that was replayed offline. */
export interface StoredPublication {
  readonly id: number;
  readonly topic: TopicName;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payload: Uint8Array;
}

/** What the core has to know of a dead letter to keep their bounds. */
export type StoredDeadLetter = Pick<DeadLetter, "id" | "ageS" | "bytes">;

/** A persistent session as it is read back; first what is in flight, in the order of sending. */
export interface StoredSession {
  readonly clientIdentifier: string;
  readonly storedSinceMs: number;
  /** Whom it belongs to, as the policy writes it; empty for nobody in particular. */
  readonly owner: string;
  readonly subscriptions: readonly StoredSubscription[];
  readonly deliveries: readonly StoredDelivery[];
  readonly receiving: readonly number[];
}

/** A Will as it is read back. */
export interface StoredWill {
  readonly clientIdentifier: string;
  readonly will: Will;
  /** Whose Will it is, as the policy writes it; null if that was not written down. */
  readonly owner: string | null;
}

/** What is known of a Sparkplug Edge Node, `G/E`. */
export interface StoredEdgeNode {
  readonly edgeNode: string;
  readonly bdSeq: number;
}

/** Everything that survives the process. */
export interface StoredState {
  readonly sessions: readonly StoredSession[];
  readonly retained: readonly StoredRetained[];
  readonly wills: readonly StoredWill[];
  /** In order. */
  readonly deadLetters: readonly StoredDeadLetter[];
  /** In order. */
  readonly publications: readonly StoredPublication[];
  /** Null if it was never saved. */
  readonly clock: ClockRecord | null;
  readonly edgeNodes: readonly StoredEdgeNode[];
}
