/** Sessions by Client Identifier: CONNECT, take-over, the end of connections, expiry. */
import { ConnackCode, type ConnectPacket } from "../mqtt/mod.ts";
import type { AckGate } from "./ack_gate.ts";
import type { Connection } from "./connection.ts";
import { CONNECTION } from "./connection_states.ts";
import { Delivery } from "./delivery_queue.ts";
import type { CloseCause, ConnectRefusal } from "./events.ts";
import type { FlowControl } from "./flow_control.ts";
import type { StoredSession } from "./journal.ts";
import type { RateControl } from "./rate_control.ts";
import type { Router } from "./router.ts";
import type { Sender } from "./sender.ts";
import { Session } from "./session.ts";
import { QOS_SENDER } from "./qos_sender_states.ts";
import { SESSION } from "./session_states.ts";
import type { DropReason } from "./statistics.ts";
import { NO_TRANSITION } from "./transition_table.ts";
import { UnsettledKeys } from "./unsettled_keys.ts";
import type { Turn } from "./turn.ts";
import type { Wills } from "./wills.ts";

const { states, events, emissions } = SESSION;

/** The parts of the core that sessions work with. */
export interface SessionParts {
  readonly gate: AckGate;
  readonly flow: FlowControl;
  readonly rates: RateControl;
  readonly sender: Sender;
  readonly router: Router;
  readonly wills: Wills;
}

/** Events of the connection table for causes that are not plain `close`. */
const CLOSE_EVENTS: { readonly [C in CloseCause]?: "refuse" | "DISCONNECT" } = {
  disconnect: "DISCONNECT",
  refused: "refuse",
};

/** Keeps the sessions, and ties them to connections. */
export class SessionRegistry {
  readonly #turn: Turn;
  readonly #parts: SessionParts;
  readonly #sessions = new Map<string, Session>();
  /** Those whose clients are away; who left first stands first. */
  readonly #stored = new Set<Session>();
  readonly #discards: UnsettledKeys;

  constructor(turn: Turn, parts: SessionParts) {
    this.#turn = turn;
    this.#parts = parts;
    this.#discards = new UnsettledKeys(turn);
  }

  /** The session of a Client Identifier, if there is one. */
  get(clientIdentifier: string): Session | undefined {
    return this.#sessions.get(clientIdentifier);
  }

  /** All sessions. */
  values(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** Accepts a CONNECT that was found good: take-over, session, CONNACK, redelivery. */
  accept(connection: Connection, packet: ConnectPacket): void {
    const { statistics, journal } = this.#turn;
    const identifier = packet.clientIdentifier || this.#turn.randomId(); // [MQTT-3.1.3-6]
    const known = this.#sessions.get(identifier);
    const owner = this.#ownerFor(connection, known ?? null);
    if (owner === null) return;
    // Before anybody takes note of a client that is not let in after all.
    if (known === undefined && !this.#hasRoom(connection)) return;
    connection.clientIdentifier = identifier;
    const { wills } = this.#parts;
    // What it may not publish makes it nothing: no Edge Node, and nobody's rival.
    const maySay = packet.will === null || wills.permits(connection, packet.will);
    const referee = this.#turn.sparkplug?.referee ?? null;
    const judged = maySay ? packet : { ...packet, will: null };
    const verdict = referee?.connect(connection, judged, this.#turn) ?? null;
    if (verdict?.kind === "refuse") {
      return this.refuse(connection, ConnackCode.notAuthorized, { reason: "sparkplug" });
    }
    const will = verdict === null ? judged.will : verdict.will;
    if (verdict?.rival) this.#takeOver(verdict.rival.clientIdentifier, connection);
    this.#takeOver(identifier, connection); // [MQTT-3.1.4-2]
    if (known === undefined) this.#makeRoom();
    const recordsBefore = journal.records;
    const { session, resumed } = this.#open(identifier, !packet.cleanSession);
    connection.session = session;
    session.connection = connection;
    session.storedSinceMs = 0;
    this.#own(session, owner);
    this.#stored.delete(session);
    connection.keepAliveLimitMs = this.#keepAliveLimit(packet.keepAliveSeconds);
    connection.will = will;
    if (will !== null) journal.willSet(identifier, will, session.owner); // [MQTT-3.1.2-8]
    if (!maySay) wills.deny(connection, packet.will!);
    this.#step(connection, "accept");
    this.#parts.rates.admit(connection);
    connection.connectedAtMs = this.#turn.wallMs;
    statistics.clientsConnected++;
    statistics.clientsConnectedMax = Math.max(
      statistics.clientsConnectedMax,
      statistics.clientsConnected,
    );
    this.#connack(connection, { sessionPresent: resumed, returnCode: 0 }, {
      durable: journal.records !== recordsBefore,
    });
    this.#turn.events.add({ kind: "connected", connection, resumed });
    // The client may be another one than before, with other rights.
    if (resumed && this.#turn.policy.read !== null) this.#parts.router.trie.touch();
    if (resumed) this.#parts.sender.resume(session); // [MQTT-4.4.0-1]
  }

  /** Answers a CONNECT with a refusal and ends the connection. [MQTT-3.2.2-4] [MQTT-3.2.2-5] */
  refuse(
    connection: Connection,
    returnCode: ConnackCode,
    { reason = null }: { readonly reason?: ConnectRefusal["reason"] } = {},
  ): void {
    this.#connack(connection, { sessionPresent: false, returnCode }, { durable: false });
    this.close(connection, "refused", { returnCode, reason });
  }

  /**
   * Whose a session is to be that this client asks for; null if it was refused, before anything was
   * done to who has it now.
   */
  #ownerFor(connection: Connection, known: Session | null): string | null {
    const { policy, statistics, events, takeOvers, nowMs } = this.#turn;
    const present = known?.owner ?? "";
    const verdict = policy.session(connection, present);
    if (verdict.kind === "refuse") {
      const { reason, code } = verdict;
      statistics.identitiesRefused++;
      events.add({ kind: "sessionRefused", connection, reason, owner: present });
      this.refuse(connection, code, { reason });
      return null;
    }
    const older = known?.connection ?? null;
    const places = older === null ? null : { newcomer: connection, holder: older };
    if (places !== null && takeOvers?.allows(places, nowMs) === false) {
      statistics.takeOversRefused++;
      this.refuse(connection, ConnackCode.serverUnavailable, { reason: "take-over-storm" });
      return null;
    }
    return verdict.owner;
  }

  #own(session: Session, owner: string): void {
    if (session.owner === owner) return;
    session.owner = owner;
    if (session.persistent) this.#turn.journal.sessionOwned(session.clientIdentifier, owner);
  }

  /** Ends a connection, whoever wanted it; the Will goes out unless the cause is DISCONNECT. */
  close(connection: Connection, cause: CloseCause, refusal: ConnectRefusal | null = null): void {
    if (connection.closed) return;
    const { statistics, journal } = this.#turn;
    const emission = this.#step(connection, CLOSE_EVENTS[cause] ?? "close");
    this.#turn.touch(connection);
    this.#turn.events.add({ kind: "closed", connection, cause, refusal });
    this.#parts.flow.forget(connection);
    this.#parts.rates.forget(connection);
    const session = connection.session;
    if (session !== null) {
      statistics.clientsConnected--;
      this.#detach(session, cause === "takenOver" ? events.takeOver : events.disconnect);
    }
    const referee = session === null ? null : this.#turn.sparkplug?.referee;
    const isMissed = referee?.closed(connection, cause, this.#turn) === true;
    const will = connection.will;
    connection.will = null;
    if (will === null) return; // [MQTT-3.1.2-12]
    journal.willDeleted(connection.clientIdentifier); // [MQTT-3.1.2-10]
    const isDue = emission === CONNECTION.emissions.publishWill;
    if (isDue || isMissed) this.#parts.wills.publishDue(connection, will);
  }

  /** Discards sessions whose client stayed away for too long, and messages that waited for too long. */
  expire(): void {
    const { limits, statistics, ageMs } = this.#turn;
    if (limits.queueMessageExpiryMs > 0) {
      for (const session of this.#sessions.values()) this.#parts.sender.expire(session);
    }
    if (limits.sessionExpiryMs === 0) return;
    for (const session of this.#stored) {
      if (ageMs - session.storedSinceMs < limits.sessionExpiryMs) return;
      statistics.sessionsExpired++;
      this.#expire(session, "session-expired");
    }
  }

  /** The operator ends a session, after the connection of its client. */
  remove(session: Session): void {
    if (session.connection !== null) this.close(session.connection, "operator");
    // One with Clean Session 1 has ended with the connection.
    if (this.get(session.clientIdentifier) === session) this.#expire(session, "session-removed");
  }

  /** Whether one more session may be made; if not, the client is refused. */
  #hasRoom(connection: Connection): boolean {
    const { limits, statistics, refusesConnections: isShort } = this.#turn; // of memory
    const isFull = this.#sessions.size >= limits.sessionsMax &&
      (limits.sessionsFull === "drop_newest" || this.#stored.size === 0);
    if (!isShort && !isFull) return true;
    statistics.sessionsRefused++;
    const reason = isShort ? "memory" : "sessions-max";
    this.refuse(connection, ConnackCode.serverUnavailable, { reason });
    return false;
  }

  /** An older session goes where there are as many as there may be. */
  #makeRoom(): void {
    const [oldest] = this.#stored;
    if (this.#sessions.size < this.#turn.limits.sessionsMax || oldest === undefined) return;
    this.#turn.statistics.sessionsEvicted++;
    this.#expire(oldest, "session-limit");
  }

  #expire(session: Session, reason: DropReason): void {
    this.#sessionStep(session, events.expire);
    this.#discard(session, reason);
  }

  /** Puts a stored session back. */
  restore(stored: StoredSession): void {
    const session = new Session(stored.clientIdentifier, true);
    session.state = states.stored;
    session.owner = stored.owner;
    // A session that was connected when the process ended has been away since now.
    session.storedSinceMs = stored.storedSinceMs;
    if (stored.storedSinceMs === 0) {
      session.storedSinceMs = this.#turn.ageMs;
      this.#turn.journal.sessionStored(stored.clientIdentifier, session.storedSinceMs);
    }
    // Elsewhere than before: with store.durability "interval" a client may still hold identifiers of
    // exchanges that were lost here.
    session.continuePacketIdsAt(Math.floor(this.#turn.ageMs / 16) % 65_536);
    this.#add(session);
    this.#stored.add(session);
    for (const { filter, qos } of stored.subscriptions) {
      session.subscriptions.set(filter, qos);
      this.#parts.router.trie.add(filter, session, qos);
      this.#turn.statistics.subscriptions++;
    }
    for (const record of stored.deliveries) {
      const delivery = new Delivery(record.message, record.qos, record.retain);
      delivery.sequence = record.sequence;
      delivery.packetId = record.packetId;
      delivery.queuedS = record.queuedS > 0 ? record.queuedS : this.#turn.ageS;
      delivery.state = senderState(record);
      this.#parts.sender.restore(session, delivery);
    }
    for (const { filter, qos, replayPending } of stored.subscriptions) {
      // Last: what is retained now may be younger than what waits.
      if (replayPending) this.#parts.sender.restoreReplay(session, filter, qos);
    }
    if (stored.receiving.length > 0) session.receiving = new Set(stored.receiving);
  }

  /** [MQTT-3.1.4-3] */
  #open(identifier: string, persistent: boolean): { session: Session; resumed: boolean } {
    const known = this.#sessions.get(identifier) ?? new Session(identifier, persistent);
    const event = persistent ? events.connectPersistent : events.connectClean;
    const emission = this.#sessionStep(known, event);
    if (emission === emissions.resume) {
      this.#turn.journal.sessionStored(identifier, 0);
      return { session: known, resumed: true };
    }
    let session = known;
    if (emission === emissions.replace) {
      this.#discard(known, null); // its client has said that it does not want it
      session = new Session(identifier, persistent);
      session.state = known.state;
    }
    this.#add(session);
    if (persistent) this.#turn.journal.sessionCreated(identifier);
    // The end of an older session may be on its way to the disk: the CONNACK waits for it, too.
    else if (this.#discards.has(identifier)) this.#turn.journal.sessionDiscarded(identifier);
    return { session, resumed: false };
  }

  #takeOver(identifier: string, newer: Connection): void {
    const older = this.#sessions.get(identifier)?.connection ?? null;
    if (older === null) return;
    this.#turn.statistics.takeOvers++;
    this.#turn.events.add({ kind: "takenOver", connection: newer, from: older });
    this.close(older, "takenOver");
  }

  /** The client of a session is gone: keep the session or discard it. [MQTT-4.1.0-2] */
  #detach(session: Session, event: number): void {
    session.connection = null;
    if (this.#sessionStep(session, event) === emissions.discard) {
      this.#discard(session, null);
      return;
    }
    this.#stored.add(session);
    session.storedSinceMs = this.#turn.ageMs;
    this.#turn.journal.sessionStored(session.clientIdentifier, session.storedSinceMs);
    this.#parts.sender.detachOld(session, Infinity);
  }

  /** Steps the session table; gives what the transition emits. */
  #sessionStep(session: Session, event: number): number {
    const at = session.state * SESSION.stride + event;
    const target = SESSION.next[at]!;
    if (target === NO_TRANSITION) {
      throw new Error(`Cannot step session: no event ${event} in state ${session.state}`);
    }
    session.state = target;
    return SESSION.emission[at]!;
  }

  /** `reason`: why the broker gives up what waits in it; null if its client does. */
  #discard(session: Session, reason: DropReason | null): void {
    const { trie } = this.#parts.router;
    this.#parts.sender.discard(session, reason);
    this.#stored.delete(session);
    for (const filter of session.subscriptions.keys()) trie.remove(filter, session);
    this.#turn.statistics.subscriptions -= session.subscriptions.size;
    session.subscriptions.clear();
    this.#sessions.delete(session.clientIdentifier);
    this.#turn.statistics.sessions = this.#sessions.size;
    if (!session.persistent) return;
    this.#turn.journal.sessionDiscarded(session.clientIdentifier);
    this.#discards.note(session.clientIdentifier);
  }

  #add(session: Session): void {
    this.#sessions.set(session.clientIdentifier, session);
    this.#turn.statistics.sessions = this.#sessions.size;
  }

  /** One and a half times the keep alive, in ms; 0 for none. [MQTT-3.1.2-24] */
  #keepAliveLimit(seconds: number): number {
    const longest = this.#turn.limits.keepAliveMaxMs;
    const wanted = seconds * 1000;
    const granted = longest > 0 && (wanted === 0 || wanted > longest) ? longest : wanted;
    return granted * 1.5;
  }

  #connack(
    connection: Connection,
    fields: { sessionPresent: boolean; returnCode: ConnackCode },
    { durable }: { durable: boolean },
  ): void {
    const bytes = Uint8Array.of(0x20, 2, fields.sessionPresent ? 1 : 0, fields.returnCode);
    const buffer = this.#parts.gate.acknowledgementBuffer(connection, durable);
    buffer.append(bytes, 0, bytes.length);
    // Nothing overtakes the CONNACK. [MQTT-3.2.0-1]
    if (durable) this.#parts.gate.holdDeliveries(connection);
    this.#turn.statistics.packetsSent++;
  }

  /** Steps the connection table; gives what the transition emits. */
  #step(connection: Connection, event: "accept" | "refuse" | "DISCONNECT" | "close"): number {
    const at = connection.state * CONNECTION.stride + CONNECTION.events[event];
    const target = CONNECTION.next[at]!;
    if (target === NO_TRANSITION) {
      throw new Error(`Cannot step connection: no ${event} in state ${connection.state}`);
    }
    connection.state = target;
    return CONNECTION.emission[at]!;
  }
}

function senderState(record: StoredSession["deliveries"][number]): number {
  const { states: senders } = QOS_SENDER;
  if (record.packetId === 0) return senders.idle;
  if (record.released) return senders.awaitPubcomp;
  return record.qos === 1 ? senders.awaitPuback : senders.awaitPubrec;
}
