/**
 * Changes of the durable state as bytes: what a write group says to the store worker, and in what
 * form the worker gives back what it holds. One buffer that is handed over, no object for each row.
 */
import type { Qos } from "../mqtt/mod.ts";
import type { ClockRecord } from "../broker/mod.ts";

/** A delivery as it is written: with all that has happened to it until then. */
export interface DeliveryRow {
  readonly sequence: number;
  /** Number of its message, which was written before. */
  readonly message: number;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly packetId: number;
  readonly sent: number;
  readonly queuedS: number;
  readonly released: boolean;
}

/** A subscription as it is written. */
export interface SubscriptionRow {
  readonly filter: string;
  readonly qos: Qos;
  /** Null: as it is, or false for a new one. */
  readonly replayPending: boolean | null;
}

/** A retained message as it is written. */
export interface RetainedRow {
  readonly qos: Qos;
  readonly atS: number;
  readonly payload: Uint8Array;
}

/** A dead letter as it is written. */
export interface DeadLetterRow {
  readonly reason: string;
  readonly wallMs: number;
  readonly ageS: number;
  readonly publisher: string;
  readonly session: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly bytes: number;
  /** As in `message`; empty in a load, which is about the bounds only. */
  readonly body: Uint8Array;
}

/** A message that is published without its publisher. */
export interface WillRow {
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payload: Uint8Array;
}

/** A session as it is written. */
export interface SessionRow {
  readonly client: string;
  readonly storedSinceMs: number;
  readonly owner: string;
}

/** A Will as it is written. */
export interface StoredWillRow extends WillRow {
  /** Null: not known. */
  readonly owner: string | null;
}

/** Takes changes, one call each. Sessions go by their key. */
export interface ChangeSink {
  sessionCreated(key: number, row: SessionRow): void;
  sessionDiscarded(key: number): void;
  sessionStored(key: number, sinceMs: number): void;
  sessionOwned(key: number, owner: string): void;
  subscribed(key: number, row: SubscriptionRow): void;
  /** The subscription is there. */
  replayPending(key: number, change: { filter: string; pending: boolean }): void;
  unsubscribed(key: number, filter: string): void;
  /** A message that deliveries behind this refer to; it may be known already. */
  message(id: number, row: { qos: Qos; body: Uint8Array }): void;
  deliveryAdded(key: number, row: DeliveryRow): void;
  deliveryChanged(key: number, change: DeliveryChange): void;
  deliveryFinished(key: number, sequence: number): void;
  receiveStarted(key: number, packetId: number): void;
  receiveFinished(key: number, packetId: number): void;
  retainedSet(topic: string, row: RetainedRow): void;
  retainedDeleted(topic: string): void;
  willSet(client: string, row: StoredWillRow): void;
  willDeleted(client: string): void;
  deadLetterAdded(id: number, row: DeadLetterRow): void;
  deadLettersDropped(through: number): void;
  deadLetterRemoved(id: number): void;
  /** To be published at the start; only in a load. */
  publication(id: number, row: WillRow): void;
  republished(id: number): void;
  clockSaved(clock: ClockRecord): void;
  /** Null: it is forgotten. */
  bdSeqSeen(edgeNode: string, bdSeq: number | null): void;
}

/** What happened to a delivery; `packetId` and `sent` 0: they stay as they are. */
export interface DeliveryChange {
  readonly sequence: number;
  readonly packetId: number;
  readonly sent: number;
  readonly released: boolean;
}

/** First byte of a change. */
export const ChangeKind = {
  sessionCreated: 1,
  sessionDiscarded: 2,
  sessionStored: 3,
  subscribed: 4,
  unsubscribed: 5,
  message: 6,
  deliveryAdded: 7,
  deliveryChanged: 8,
  deliveryFinished: 9,
  receiveStarted: 10,
  receiveFinished: 11,
  retainedSet: 12,
  retainedDeleted: 13,
  willSet: 14,
  willDeleted: 15,
  replayPending: 16,
  deadLetterAdded: 17,
  deadLettersDropped: 18,
  publication: 19,
  republished: 20,
  clockSaved: 21,
  sessionOwned: 22,
  bdSeqSeen: 23,
  deadLetterRemoved: 24,
} as const;

/** Bits of a byte of flags. */
export const QOS_BITS = 0x03;
export const RETAIN_BIT = 0x04;
export const RELEASED_BIT = 0x08;
/** Stands for null where a flag may be null. */
export const NEITHER = 2;
/** Stands for null where a bdSeq may be null. */
export const FORGOTTEN = -1;
