/** Builds the stored state from the changes that would make it. */
import type { Qos, TopicFilter, TopicName } from "../mqtt/mod.ts";
import {
  type ClockRecord,
  makeMessage,
  Message,
  type StoredDeadLetter,
  type StoredDelivery,
  type StoredEdgeNode,
  type StoredPublication,
  type StoredRetained,
  type StoredState,
  type StoredSubscription,
  type StoredWill,
} from "../broker/mod.ts";
import { readChanges } from "./sqlite_change_reader.ts";
import { bySending } from "./state_image.ts";
import type {
  ChangeSink,
  DeadLetterRow,
  DeliveryRow,
  RetainedRow,
  SessionRow,
  StoredWillRow,
  SubscriptionRow,
  WillRow,
} from "./sqlite_changes.ts";

interface LoadedSession {
  readonly clientIdentifier: string;
  readonly storedSinceMs: number;
  readonly owner: string;
  readonly subscriptions: StoredSubscription[];
  readonly deliveries: StoredDelivery[];
  readonly receiving: number[];
}

/** What a load gives: the state, and the numbers by which the store knows it. */
export interface LoadedState {
  readonly state: StoredState;
  /** Client Identifiers and keys of the sessions. */
  readonly keys: readonly (readonly [client: string, key: number])[];
  /** The highest number of a message; 0 if there is none. */
  readonly messageId: number;
}

/** Reads the chunks of a load; throws on what makes no sense. Messages share memory of a chunk. */
export function readState(chunks: Iterable<Uint8Array>): LoadedState {
  const reader = new StateReader();
  for (const chunk of chunks) readChanges(chunk, reader);
  for (const { deliveries } of reader.sessions.values()) deliveries.sort(bySending);
  const { sessions, retained, wills, deadLetters, publications, clock, messageId } = reader;
  const { edgeNodes } = reader;
  const rest = { retained, wills, deadLetters, publications, clock, edgeNodes };
  return {
    state: { sessions: [...sessions.values()], ...rest },
    keys: [...sessions].map(([key, session]) => [session.clientIdentifier, key] as const),
    messageId,
  };
}

/** Takes only changes that add something: a load has no others. */
class StateReader implements ChangeSink {
  readonly sessions = new Map<number, LoadedSession>();
  readonly retained: StoredRetained[] = [];
  readonly wills: StoredWill[] = [];
  readonly deadLetters: StoredDeadLetter[] = [];
  readonly publications: StoredPublication[] = [];
  clock: ClockRecord | null = null;
  readonly edgeNodes: StoredEdgeNode[] = [];
  messageId = 0;
  readonly #messages = new Map<number, Message>();

  sessionCreated(key: number, row: SessionRow): void {
    const { client: clientIdentifier, storedSinceMs, owner } = row;
    const session = { clientIdentifier, storedSinceMs, owner, subscriptions: [], deliveries: [] };
    this.sessions.set(key, { ...session, receiving: [] });
  }

  subscribed(key: number, { filter, qos, replayPending }: SubscriptionRow): void {
    this.#session(key).subscriptions.push({
      filter: filter as TopicFilter,
      qos,
      replayPending: replayPending === true,
    });
  }

  message(id: number, { qos, body }: { qos: Qos; body: Uint8Array }): void {
    const start = body.byteOffset;
    const end = start + body.length;
    const topicEnd = start + 2 + ((body[0] ?? 0) << 8) + (body[1] ?? 0);
    if (topicEnd > end) throw new Error(`Cannot load message ${id}: Topic Name cut off`);
    const message = new Message(new Uint8Array(body.buffer), { start, topicEnd, end, qos });
    message.storeId = id;
    this.#messages.set(id, message);
    this.messageId = Math.max(this.messageId, id);
  }

  deliveryAdded(key: number, row: DeliveryRow): void {
    const { message: id, ...delivery } = row;
    const message = this.#messages.get(id);
    if (message === undefined) throw new Error(`Cannot load delivery: no message ${id}`);
    this.#session(key).deliveries.push({ ...delivery, message });
  }

  receiveStarted(key: number, packetId: number): void {
    this.#session(key).receiving.push(packetId);
  }

  retainedSet(topic: string, { qos, payload, atS }: RetainedRow): void {
    const message = makeMessage(topic, payload, qos);
    this.retained.push({ topic: topic as TopicName, message, atS });
  }

  willSet(clientIdentifier: string, row: StoredWillRow): void {
    const { qos, retain, owner } = row;
    const will = { topic: row.topic as TopicName, qos, retain, payload: row.payload.slice() };
    this.wills.push({ clientIdentifier, will, owner });
  }

  deadLetterAdded(id: number, { ageS, bytes }: DeadLetterRow): void {
    this.deadLetters.push({ id, ageS, bytes });
  }

  publication(id: number, row: WillRow): void {
    const { topic, qos, retain, payload } = row;
    const publication = { id, qos, retain, payload: payload.slice() };
    this.publications.push({ ...publication, topic: topic as TopicName });
  }

  clockSaved(clock: ClockRecord): void {
    this.clock = clock;
  }

  bdSeqSeen(edgeNode: string, bdSeq: number | null): void {
    if (bdSeq === null) return unexpected("bdSeqSeen");
    this.edgeNodes.push({ edgeNode, bdSeq });
  }

  replayPending(): void {
    unexpected("replayPending");
  }

  deadLettersDropped(): void {
    unexpected("deadLettersDropped");
  }

  deadLetterRemoved(): void {
    unexpected("deadLetterRemoved");
  }

  republished(): void {
    unexpected("republished");
  }

  sessionDiscarded(): void {
    unexpected("sessionDiscarded");
  }

  sessionStored(): void {
    unexpected("sessionStored");
  }

  sessionOwned(): void {
    unexpected("sessionOwned");
  }

  unsubscribed(): void {
    unexpected("unsubscribed");
  }

  deliveryChanged(): void {
    unexpected("deliveryChanged");
  }

  deliveryFinished(): void {
    unexpected("deliveryFinished");
  }

  receiveFinished(): void {
    unexpected("receiveFinished");
  }

  retainedDeleted(): void {
    unexpected("retainedDeleted");
  }

  willDeleted(): void {
    unexpected("willDeleted");
  }

  #session(key: number): LoadedSession {
    const session = this.sessions.get(key);
    if (session === undefined) throw new Error(`Cannot load state: no session ${key}`);
    return session;
  }
}

function unexpected(change: string): never {
  throw new Error(`Cannot load state: ${change} in it`);
}
