/** What a sequence of records amounts to: the reference for every store. */
import type { Qos, TopicFilter, TopicName, Will } from "../mqtt/mod.ts";
import type { DeliveryRecord, Message, StoredState } from "../broker/mod.ts";
import type { JournalRecord } from "./batch_journal.ts";

interface DeliveryImage {
  readonly record: DeliveryRecord;
  packetId: number;
  released: boolean;
}

interface SessionImage {
  storedSinceMs: number;
  readonly subscriptions: Map<TopicFilter, Qos>;
  readonly deliveries: Map<number, DeliveryImage>;
  readonly receiving: Set<number>;
}

/** The state after some records, in memory. */
export class StateImage {
  readonly #sessions = new Map<string, SessionImage>();
  readonly #retained = new Map<TopicName, Message>();
  readonly #wills = new Map<string, Will>();

  /** Applies one record. A record about a session that is not there is a fault of ours. */
  apply(record: JournalRecord): void {
    switch (record.kind) {
      case "sessionCreated":
        this.#sessions.set(record.clientIdentifier, makeSession());
        return;
      case "sessionDiscarded":
        this.#sessions.delete(record.clientIdentifier);
        return;
      case "retainedSet":
        this.#retained.set(record.topic, record.message);
        return;
      case "retainedDeleted":
        this.#retained.delete(record.topic);
        return;
      case "willSet":
        this.#wills.set(record.clientIdentifier, record.will);
        return;
      case "willDeleted":
        this.#wills.delete(record.clientIdentifier);
        return;
      default:
        applyToSession(this.#session(record), record);
    }
  }

  /** A snapshot; its messages are shared. */
  snapshot(): StoredState {
    return {
      sessions: [...this.#sessions].map(([clientIdentifier, session]) => ({
        clientIdentifier,
        storedSinceMs: session.storedSinceMs,
        subscriptions: [...session.subscriptions].map(([filter, qos]) => ({ filter, qos })),
        deliveries: [...session.deliveries].map(([sequence, delivery]) => ({
          sequence,
          message: delivery.record.message,
          qos: delivery.record.qos,
          retain: delivery.record.retain,
          packetId: delivery.packetId,
          released: delivery.released,
        })),
        receiving: [...session.receiving],
      })),
      retained: [...this.#retained].map(([topic, message]) => ({ topic, message })),
      wills: [...this.#wills].map(([clientIdentifier, will]) => ({ clientIdentifier, will })),
    };
  }

  #session(record: SessionRecord): SessionImage {
    const id = record.kind === "deliveryAdded"
      ? record.delivery.clientIdentifier
      : record.clientIdentifier;
    const session = this.#sessions.get(id);
    if (session === undefined) throw new Error(`Cannot apply ${record.kind}: no session "${id}"`);
    return session;
  }
}

type SessionRecord = Exclude<
  JournalRecord,
  {
    kind:
      | "sessionCreated"
      | "sessionDiscarded"
      | "retainedSet"
      | "retainedDeleted"
      | "willSet"
      | "willDeleted";
  }
>;

function makeSession(): SessionImage {
  return {
    storedSinceMs: 0,
    subscriptions: new Map(),
    deliveries: new Map(),
    receiving: new Set(),
  };
}

function applyToSession(session: SessionImage, record: SessionRecord): void {
  switch (record.kind) {
    case "sessionStored":
      session.storedSinceMs = record.sinceMs;
      return;
    case "subscribed":
      session.subscriptions.set(record.filter, record.qos);
      return;
    case "unsubscribed":
      session.subscriptions.delete(record.filter);
      return;
    case "deliveryAdded": {
      const { delivery } = record;
      const image = { record: delivery, packetId: delivery.packetId, released: false };
      session.deliveries.set(delivery.sequence, image);
      return;
    }
    case "deliverySent":
      delivery(session, record.sequence).packetId = record.packetId;
      return;
    case "deliveryReleased":
      delivery(session, record.sequence).released = true;
      return;
    case "deliveryFinished":
      session.deliveries.delete(record.sequence);
      return;
    case "receiveStarted":
      session.receiving.add(record.packetId);
      return;
    case "receiveFinished":
      session.receiving.delete(record.packetId);
  }
}

function delivery(session: SessionImage, sequence: number): DeliveryImage {
  const image = session.deliveries.get(sequence);
  if (image === undefined) throw new Error(`Cannot apply record: no delivery ${sequence}`);
  return image;
}
