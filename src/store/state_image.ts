/** What a sequence of records amounts to: the reference for every store. */
import type { TopicFilter, TopicName } from "../mqtt/mod.ts";
import type {
  ClockRecord,
  DeadLetter,
  DeliveryRecord,
  StoredPublication,
  StoredRetained,
  StoredState,
  StoredSubscription,
  StoredWill,
} from "../broker/mod.ts";
import { type LetterPage, type LetterQuery, type LetterView, pageOf } from "./dead_letter_look.ts";
import type { BrokerRecordKind, JournalRecord } from "./batch_journal.ts";

interface DeliveryImage {
  readonly record: DeliveryRecord;
  packetId: number;
  sent: number;
  released: boolean;
}

interface SessionImage {
  storedSinceMs: number;
  owner: string;
  readonly subscriptions: Map<TopicFilter, StoredSubscription>;
  readonly deliveries: Map<number, DeliveryImage>;
  readonly receiving: Set<number>;
}

/** The state after some records, in memory. */
export class StateImage {
  readonly #sessions = new Map<string, SessionImage>();
  readonly #retained = new Map<TopicName, StoredRetained>();
  readonly #wills = new Map<string, StoredWill>();
  readonly #deadLetters = new Map<number, DeadLetter>();
  readonly #publications = new Map<number, StoredPublication>();
  #clock: ClockRecord | null = null;
  readonly #bdSeqs = new Map<string, number>();

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
        this.#retained.set(record.topic, record);
        return;
      case "retainedDeleted":
        this.#retained.delete(record.topic);
        return;
      case "willSet":
        this.#wills.set(record.clientIdentifier, record);
        return;
      case "willDeleted":
        this.#wills.delete(record.clientIdentifier);
        return;
      case "deadLetterAdded":
        this.#deadLetters.set(record.letter.id, record.letter);
        return;
      case "deadLettersDropped":
        for (const id of this.#deadLetters.keys()) {
          if (id > record.through) break;
          this.#deadLetters.delete(id);
        }
        return;
      case "deadLettersRemoved":
        for (const id of record.ids) this.#deadLetters.delete(id);
        return;
      case "republished":
        this.#publications.delete(record.id);
        return;
      case "clockSaved":
        this.#clock = record.clock;
        return;
      case "bdSeqSeen":
        if (record.bdSeq === null) this.#bdSeqs.delete(record.edgeNode);
        else this.#bdSeqs.set(record.edgeNode, record.bdSeq);
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
        owner: session.owner,
        subscriptions: [...session.subscriptions.values()],
        deliveries: [...session.deliveries].map(([sequence, delivery]) => ({
          sequence,
          message: delivery.record.message,
          qos: delivery.record.qos,
          retain: delivery.record.retain,
          packetId: delivery.packetId,
          sent: delivery.sent,
          queuedS: delivery.record.queuedS,
          released: delivery.released,
        })).sort(bySending),
        receiving: [...session.receiving],
      })),
      retained: [...this.#retained.values()].map(({ topic, message, atS }) => ({
        topic,
        message,
        atS,
      })),
      wills: [...this.#wills.values()].map(({ clientIdentifier, will, owner }) => ({
        clientIdentifier,
        will,
        owner,
      })),
      deadLetters: [...this.#deadLetters.values()].map(({ id, ageS, bytes }) => ({
        id,
        ageS,
        bytes,
      })),
      publications: [...this.#publications.values()],
      clock: this.#clock,
      edgeNodes: [...this.#bdSeqs].map(([edgeNode, bdSeq]) => ({ edgeNode, bdSeq })),
    };
  }

  /** Looks at the dead letters. */
  look(query: LetterQuery): LetterPage {
    const { behind, newestFirst, payloadBytesMax } = query;
    const letters = [...this.#deadLetters.values()];
    if (newestFirst) letters.reverse();
    const rest = letters.filter(({ id }) =>
      behind === null || (newestFirst ? id < behind : id > behind)
    );
    return pageOf(rest.map((letter) => viewOf(letter, payloadBytesMax)), query);
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

function viewOf(letter: DeadLetter, payloadBytesMax: number): LetterView {
  const { id, reason, wallMs, publisher, session, message, qos, retain } = letter;
  const { payload } = message;
  return {
    ...{ id, reason, wallMs, publisher, session, qos, retain },
    topic: message.topic as TopicName,
    payload: payload.slice(0, payloadBytesMax),
    payloadBytes: payload.length,
  };
}

type SessionRecord = Exclude<JournalRecord, { kind: BrokerRecordKind }>;

/** What is in flight comes first, in the order of sending; behind it what waits, in its order. */
export function bySending(
  a: { sent: number; sequence: number },
  b: { sent: number; sequence: number },
): number {
  return (a.sent || Infinity) - (b.sent || Infinity) || a.sequence - b.sequence;
}

function makeSession(): SessionImage {
  return {
    storedSinceMs: 0,
    owner: "",
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
    case "sessionOwned":
      session.owner = record.owner;
      return;
    case "subscribed":
      session.subscriptions.set(record.filter, {
        filter: record.filter,
        qos: record.qos,
        replayPending: session.subscriptions.get(record.filter)?.replayPending ?? false,
      });
      return;
    case "replayPending": {
      const known = session.subscriptions.get(record.filter);
      if (known === undefined) return; // unsubscribed meanwhile
      session.subscriptions.set(record.filter, { ...known, replayPending: record.pending });
      return;
    }
    case "unsubscribed":
      session.subscriptions.delete(record.filter);
      return;
    case "deliveryAdded": {
      const { delivery } = record;
      const { packetId, sent } = delivery;
      const image = { record: delivery, packetId, sent, released: false };
      session.deliveries.set(delivery.sequence, image);
      return;
    }
    case "deliverySent": {
      const image = delivery(session, record.sequence);
      image.packetId = record.packetId;
      image.sent = record.sent;
      return;
    }
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
