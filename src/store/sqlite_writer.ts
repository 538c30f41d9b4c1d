/** Applies changes to the database through prepared statements. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Qos } from "../mqtt/mod.ts";
import { BulkStatement } from "./sqlite_bulk.ts";
import type { ClockRecord } from "../broker/mod.ts";
import type {
  ChangeSink,
  DeadLetterRow,
  DeliveryChange,
  DeliveryRow,
  RetainedRow,
  SessionRow,
  StoredWillRow,
  SubscriptionRow,
} from "./sqlite_changes.ts";

const STATEMENTS = {
  createSession: "INSERT INTO session (key, client, stored_since_ms, owner) VALUES (?, ?, ?, ?)",
  discardSession: "DELETE FROM session WHERE key = ?",
  discardSubscriptions: "DELETE FROM subscription WHERE session = ?",
  discardDeliveries: "DELETE FROM delivery WHERE session = ? RETURNING message",
  discardReceiving: "DELETE FROM receiving WHERE session = ?",
  storeSession: "UPDATE session SET stored_since_ms = ? WHERE key = ?",
  ownSession: "UPDATE session SET owner = ? WHERE key = ?",
  subscribe: "INSERT INTO subscription (session, filter, qos, replay)" +
    " VALUES (?1, ?2, ?3, coalesce(?4, 0)) ON CONFLICT DO UPDATE" +
    " SET qos = excluded.qos, replay = coalesce(?4, replay)",
  setReplay: "UPDATE subscription SET replay = ? WHERE session = ? AND filter = ?",
  unsubscribe: "DELETE FROM subscription WHERE session = ? AND filter = ?",
  restoreMessage: "INSERT OR IGNORE INTO message (id, qos, body) VALUES (?, ?, ?)",
  changeDelivery: "UPDATE delivery SET packet_id = iif(?1 = 0, packet_id, ?1)," +
    " sent = iif(?2 = 0, sent, ?2), released = max(released, ?3)" +
    " WHERE session = ?4 AND sequence = ?5",
  startReceive: "INSERT OR IGNORE INTO receiving (session, packet_id) VALUES (?, ?)",
  finishReceive: "DELETE FROM receiving WHERE session = ? AND packet_id = ?",
  setRetained: "INSERT INTO retained (topic, qos, payload, at_s) VALUES (?, ?, ?, ?)" +
    " ON CONFLICT DO UPDATE" +
    " SET qos = excluded.qos, payload = excluded.payload, at_s = excluded.at_s",
  deleteRetained: "DELETE FROM retained WHERE topic = ?",
  setWill:
    "INSERT OR REPLACE INTO will (client, topic, qos, retain, payload, owner) VALUES (?, ?, ?, ?, ?, ?)",
  deleteWill: "DELETE FROM will WHERE client = ?",
  addDeadLetter: "INSERT INTO dead_letter" +
    " (id, reason, wall_ms, age_s, publisher, session, qos, retain, bytes, body)" +
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  dropDeadLetters: "DELETE FROM dead_letter WHERE id <= ?",
  removeDeadLetter: "DELETE FROM dead_letter WHERE id = ?",
  deletePublication: "DELETE FROM publication WHERE id = ?",
  setBdSeq: "INSERT OR REPLACE INTO edge_node (edge_node, bd_seq) VALUES (?, ?)",
  forgetBdSeq: "DELETE FROM edge_node WHERE edge_node = ?",
  saveClock: "INSERT OR REPLACE INTO clock (one, age_ms, wall_ms) VALUES (1, ?, ?)",
} as const;

const ADD_MESSAGE = "INSERT INTO message (id, qos, body) VALUES (?, ?, ?)";
const REMOVE_MESSAGE = "DELETE FROM message WHERE id IN (?)";
const ADD_DELIVERY = "INSERT INTO delivery" +
  " (session, sequence, message, qos, retain, packet_id, released, sent, queued_s)" +
  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
const FINISH_DELIVERY =
  "DELETE FROM delivery WHERE session = ? AND sequence IN (?) RETURNING message";

type Statements = Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;

/**
 * Writes rows, and keeps count of the deliveries of each message. The changes of a transaction are
 * not written in their order: none may undo another of the same transaction, except that what
 * belongs to a discarded session was there before.
 */
export class RowWriter implements ChangeSink {
  readonly #statements: Statements;
  readonly #addMessage: BulkStatement;
  readonly #removeMessage: BulkStatement;
  readonly #addDelivery: BulkStatement;
  readonly #finishDelivery: BulkStatement;
  /** Committed references of messages that have more than one. */
  readonly #shared = new Map<number, number>();
  /** References of the messages that the present transaction has touched. */
  readonly #touched = new Map<number, number>();
  /** Higher numbers have never been written, or not committed. */
  #lastMessage: number;
  #lastTouched = 0;

  constructor(database: DatabaseSync) {
    const entries = Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(entries) as Statements;
    this.#addMessage = new BulkStatement(database, ADD_MESSAGE);
    this.#removeMessage = new BulkStatement(database, REMOVE_MESSAGE);
    this.#addDelivery = new BulkStatement(database, ADD_DELIVERY);
    this.#finishDelivery = new BulkStatement(
      database,
      FINISH_DELIVERY,
      ({ message }) => this.#refer(Number(message), -1),
    );
    this.#lastMessage = Number(
      database.prepare("SELECT max(id) AS id FROM message").get()?.id ?? 0,
    );
    const shared =
      "SELECT message, count(*) AS count FROM delivery GROUP BY message HAVING count > 1";
    for (const { message, count } of database.prepare(shared).iterate()) {
      this.#shared.set(Number(message), Number(count));
    }
  }

  /** Before COMMIT: writes what waits, and removes the messages that nothing refers to any more. */
  finish(): void {
    this.#addMessage.flush();
    this.#addDelivery.flush();
    this.#finishDelivery.flush();
    for (const [id, count] of this.#touched) {
      if (count < 0) throw new Error(`Cannot count references: message ${id} has ${count}`);
      if (count === 0) this.#removeMessage.add(id);
    }
    this.#removeMessage.flush();
  }

  /** After COMMIT. */
  committed(): void {
    for (const [id, count] of this.#touched) {
      if (count > 1) this.#shared.set(id, count);
      else this.#shared.delete(id);
    }
    this.#lastMessage = Math.max(this.#lastMessage, this.#lastTouched);
    this.#touched.clear();
  }

  /** After ROLLBACK. */
  rolledBack(): void {
    this.#addMessage.clear();
    this.#addDelivery.clear();
    this.#finishDelivery.clear();
    this.#removeMessage.clear();
    this.#touched.clear();
    this.#lastTouched = 0;
  }

  sessionCreated(key: number, row: SessionRow): void {
    this.#statements.createSession.run(key, row.client, row.storedSinceMs, row.owner);
  }

  sessionDiscarded(key: number): void {
    const statements = this.#statements;
    // All rows at once: a statement that is stepped through sees the deletions that follow.
    for (const { message } of statements.discardDeliveries.all(key)) {
      this.#refer(Number(message), -1);
    }
    statements.discardSubscriptions.run(key);
    statements.discardReceiving.run(key);
    statements.discardSession.run(key);
  }

  sessionStored(key: number, sinceMs: number): void {
    this.#statements.storeSession.run(sinceMs, key);
  }

  sessionOwned(key: number, owner: string): void {
    this.#statements.ownSession.run(owner, key);
  }

  subscribed(key: number, { filter, qos, replayPending }: SubscriptionRow): void {
    const replay = replayPending === null ? null : Number(replayPending);
    this.#statements.subscribe.run(key, filter, qos, replay);
  }

  replayPending(key: number, { filter, pending }: { filter: string; pending: boolean }): void {
    this.#statements.setReplay.run(Number(pending), key, filter);
  }

  unsubscribed(key: number, filter: string): void {
    this.#statements.unsubscribe.run(key, filter);
  }

  message(id: number, row: { qos: Qos; body: Uint8Array }): void {
    if (id > this.#lastMessage) {
      this.#addMessage.add(id, row.qos, row.body);
      this.#touched.set(id, 0);
      this.#lastTouched = Math.max(this.#lastTouched, id);
      return;
    }
    // It was stored once, and may be still, or its deliveries have come to an end meanwhile.
    const { changes } = this.#statements.restoreMessage.run(id, row.qos, row.body);
    if (Number(changes) === 1) this.#touched.set(id, 0);
  }

  deliveryAdded(key: number, row: DeliveryRow): void {
    const { sequence, message, qos, packetId, sent, queuedS } = row;
    this.#refer(message, 1);
    const retain = row.retain ? 1 : 0;
    const released = row.released ? 1 : 0;
    const state = [retain, packetId, released, sent, queuedS] as const;
    this.#addDelivery.add(key, sequence, message, qos, ...state);
  }

  deliveryChanged(key: number, { sequence, packetId, sent, released }: DeliveryChange): void {
    const values = [packetId, sent, released ? 1 : 0, key, sequence] as const;
    const { changes } = this.#statements.changeDelivery.run(...values);
    if (Number(changes) !== 1) throw new Error(`Cannot change delivery: no delivery ${sequence}`);
  }

  deliveryFinished(key: number, sequence: number): void {
    this.#finishDelivery.setHead(key);
    this.#finishDelivery.add(sequence);
  }

  receiveStarted(key: number, packetId: number): void {
    this.#statements.startReceive.run(key, packetId);
  }

  receiveFinished(key: number, packetId: number): void {
    this.#statements.finishReceive.run(key, packetId);
  }

  retainedSet(topic: string, row: RetainedRow): void {
    this.#statements.setRetained.run(topic, row.qos, row.payload, row.atS);
  }

  retainedDeleted(topic: string): void {
    this.#statements.deleteRetained.run(topic);
  }

  willSet(client: string, row: StoredWillRow): void {
    const { topic, qos, retain, payload, owner } = row;
    this.#statements.setWill.run(client, topic, qos, retain ? 1 : 0, payload, owner);
  }

  willDeleted(client: string): void {
    this.#statements.deleteWill.run(client);
  }

  deadLetterAdded(id: number, row: DeadLetterRow): void {
    const { reason, wallMs, ageS, publisher, session, qos, bytes, body } = row;
    const who = [publisher, session] as const;
    const content = [qos, row.retain ? 1 : 0, bytes, body] as const;
    this.#statements.addDeadLetter.run(id, reason, wallMs, ageS, ...who, ...content);
  }

  deadLetterRemoved(id: number): void {
    this.#statements.removeDeadLetter.run(id);
  }

  deadLettersDropped(through: number): void {
    this.#statements.dropDeadLetters.run(through);
  }

  publication(id: number): void {
    throw new Error(`Cannot write publication ${id}: only the command line does that`);
  }

  republished(id: number): void {
    this.#statements.deletePublication.run(id);
  }

  clockSaved({ ageMs, wallMs }: ClockRecord): void {
    this.#statements.saveClock.run(ageMs, wallMs);
  }

  bdSeqSeen(edgeNode: string, bdSeq: number | null): void {
    if (bdSeq === null) this.#statements.forgetBdSeq.run(edgeNode);
    else this.#statements.setBdSeq.run(edgeNode, bdSeq);
  }

  #refer(id: number, change: 1 | -1): void {
    const known = this.#touched.get(id) ?? this.#shared.get(id) ?? 1;
    this.#touched.set(id, known + change);
  }
}
