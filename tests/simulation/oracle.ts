/**
 * What the broker promises, checked from outside: the oracle sees what clients send and receive, and
 * the faults of the world, and never looks into the broker. Where something is in doubt it knows
 * that it is, and demands only what holds in either case.
 */
import type { ConnackPacket, PublishPacket, Qos, SubackPacket } from "../../src/mqtt/mod.ts";
import type { AccessRules } from "./access_rules.ts";
import { BrokenPromise } from "./broken_promise.ts";
import { MessageLedger } from "./message_ledger.ts";
import { checkContent, checkVerdict } from "./message_checks.ts";
import { ObservedConnection } from "./observed_connection.ts";
import { ObservedSession } from "./observed_session.ts";
import type { QueueBounds } from "./possible_backlog.ts";
import { RetainedLedger } from "./retained_ledger.ts";
import { BIRTH_TOPICS } from "./scenario.ts";
import { keyOf, type SentMessage } from "./sent_message.ts";
import { StoredSessions } from "./stored_sessions.ts";
import { WillLedger } from "./will_ledger.ts";

const TEXT = new TextDecoder();
/** In front of the topic of a birth that is kept. */
const CERTIFICATES = "$sparkplug/certificates/";

/** After this time nothing of a connection that has ended is in doubt. */
const SETTLED_AFTER_MS = 1_500;

/** What the oracle is told about the broker under test. */
export interface OracleOptions {
  readonly rules: AccessRules;
  /** How much of what was acknowledged a crash may take back, in ms. */
  readonly forgetsMs: number;
  /** How long the broker keeps a session whose client is away, in ms; 0 for ever. */
  readonly sessionExpiryMs: number;
  /** What may wait for one session. */
  readonly queue: QueueBounds;
  /** Whether the limits do not leave room for the retained messages of all topics. */
  readonly retainedMayGo: boolean;
  nowMs(): number;
}

/** Follows everything, and throws `BrokenPromise`. */
export class Oracle {
  readonly #options: OracleOptions;
  readonly #messages: MessageLedger;
  readonly #retained: RetainedLedger;
  /** Births, by the topic that they were published on. */
  readonly #certificates = new RetainedLedger({ mayGiveUp: false });
  readonly #wills: WillLedger;
  /** The session that each client has for sure. */
  readonly #sessions = new Map<string, ObservedSession>();
  readonly #stored: StoredSessions;
  readonly #connections = new Set<ObservedConnection>();
  #step = 0;
  /** Messages that clients have received. */
  received = 0;

  constructor(options: OracleOptions) {
    this.#options = options;
    this.#messages = new MessageLedger(options.rules);
    this.#retained = new RetainedLedger({ mayGiveUp: options.retainedMayGo });
    this.#stored = new StoredSessions(options.sessionExpiryMs, options.nowMs);
    this.#wills = new WillLedger({
      messages: this.#messages,
      mayBeRetained: (message) => this.#mayBeRetained(message),
      sessions: () => [...this.#sessions.values()],
      step: () => this.#step,
    });
  }

  // What clients send.

  connectSent(
    client: string,
    options: { cleanSession: boolean; will: SentMessage | null },
  ): ObservedConnection {
    this.#step++;
    for (const older of this.#connections) {
      if (older.client === client && !older.endReceived) this.#mayEnd(older, "taken over");
    }
    const stored = this.#stored.connectSent(client, options.cleanSession);
    const connection = new ObservedConnection(client, options, stored);
    this.#connections.add(connection);
    if (options.will !== null) this.#wills.registered(options.will, client);
    const session = this.#sessions.get(client);
    if (options.cleanSession || session?.persistent === false) this.#endSession(client);
    return connection;
  }

  publishSent(connection: ObservedConnection, message: SentMessage, packetId: number): void {
    this.#step++;
    this.#messages.opened(message, [...this.#sessions.values()], this.#step);
    if (message.retain) this.#mayBeRetained(message);
    if (BIRTH_TOPICS.includes(message.topic) && message.key !== "") {
      this.#certificates.sent(message);
    }
    if (message.qos === 0) connection.unacknowledged.push(message);
    else connection.awaited[message.qos === 1 ? "PUBACK" : "PUBREC"].push(packetId);
    const { rules } = this.#messages;
    const denied = rules.deniedPublishes.has(`${message.publisher} ${message.topic}`);
    if (denied && rules.denial === "close") this.#mayEnd(connection, "publish denied");
  }

  /** The client gives a message up: it is not sent again, and what was sent is over. */
  publishAbandoned(message: SentMessage): void {
    this.#messages.over(message, ++this.#step);
  }

  subscribeSent(
    connection: ObservedConnection,
    packetId: number,
    requests: readonly { filter: string; qos: Qos }[],
  ): void {
    this.#step++;
    connection.subscribes.set(packetId, {
      requests,
      rules: this.#messages.rules,
      sentAt: this.#step,
    });
    const session = this.#session(connection);
    for (const { filter, qos } of requests) session.subscribeSent(filter, qos, this.#at());
    this.#messages.mayReach(session);
    this.#messages.weakened(session);
  }

  unsubscribeSent(connection: ObservedConnection, packetId: number, filter: string): void {
    this.#step++;
    connection.unsubscribes.set(packetId, filter);
    const session = this.#session(connection);
    session.unsubscribeSent(filter, this.#options.nowMs());
    this.#messages.weakened(session);
  }

  /** PUBACK or PUBCOMP was sent. */
  finished(connection: ObservedConnection, packetId: number): void {
    this.#step++;
    this.#session(connection).finished(packetId, this.#options.nowMs());
  }

  disconnectSent(connection: ObservedConnection): void {
    this.#step++;
    connection.mayEnd ??= "disconnected";
    if (connection.will !== null) this.#wills.discarded(connection.will);
  }

  // What clients receive.

  connackReceived(connection: ObservedConnection, packet: ConnackPacket): void {
    this.#step++;
    const { client, cleanSession, will } = connection;
    if (packet.returnCode !== 0) {
      throw new BrokenPromise(
        "connection refused without reason",
        `${client}: ${packet.returnCode}`,
      );
    }
    connection.connectedAt = this.#step;
    this.#stored.check(connection, packet.sessionPresent);
    if (this.#isDoubtful(connection)) {
      this.#stored.accepted(client, "unknown");
      connection.session = this.#newSession(connection, packet); // nobody will come back to it
      return;
    }
    let session = this.#sessions.get(client);
    if (session === undefined || !packet.sessionPresent) {
      this.#endSession(client);
      session = this.#newSession(connection, packet);
      this.#sessions.set(client, session);
    }
    connection.session = session;
    session.resumed(this.#step);
    this.#stored.accepted(client, cleanSession ? "absent" : "present");
    if (will !== null) this.#wills.accepted(will, this.#options.nowMs());
    for (const older of this.#connections) {
      if (older.client === client && older !== connection) this.brokerSawEnd(older);
    }
  }

  /** "acknowledgement out of order", "acknowledgement nobody asked for" */
  acknowledgementReceived(
    connection: ObservedConnection,
    type: "PUBACK" | "PUBREC",
    acknowledged: { packetId: number; message: SentMessage | null },
  ): void {
    this.#step++;
    const { packetId, message } = acknowledged;
    const awaited = connection.awaited[type];
    const at = awaited.indexOf(packetId);
    const what = `${type} ${packetId} at ${connection.client}`;
    if (at < 0) throw new BrokenPromise("acknowledgement nobody asked for", what);
    if (at > 0) throw new BrokenPromise("acknowledgement out of order", what);
    awaited.shift();
    if (message === null || this.#isDoubtful(connection)) return;
    this.#messages.acknowledged(message, this.#at());
  }

  /** "subscription granted against the ACL", "subscription refused without reason" */
  subackReceived(connection: ObservedConnection, packet: SubackPacket): void {
    this.#step++;
    const sent = connection.subscribes.get(packet.packetId);
    const what = `SUBACK ${packet.packetId} at ${connection.client}`;
    if (sent === undefined) throw new BrokenPromise("acknowledgement nobody asked for", what);
    connection.subscribes.delete(packet.packetId);
    const session = this.#session(connection);
    sent.requests.forEach(({ filter, qos }, i) => {
      const code = packet.returnCodes[i]!;
      const { rules } = this.#messages;
      if (sent.rules === rules) {
        checkVerdict(rules, connection, { filter, qos, code });
      }
      if (this.#isDoubtful(connection)) return;
      session.subscribeAnswered(filter, code < 3 ? code as Qos : null, this.#at());
      const brings = code > 0 && code < 3;
      if (brings) session.awaitReplay(filter, this.#retained.sure(), sent.sentAt);
    });
    this.#messages.weakened(session);
  }

  unsubackReceived(connection: ObservedConnection, packetId: number): void {
    this.#step++;
    const filter = connection.unsubscribes.get(packetId);
    const what = `UNSUBACK ${packetId} at ${connection.client}`;
    if (filter === undefined) throw new BrokenPromise("acknowledgement nobody asked for", what);
    connection.unsubscribes.delete(packetId);
    if (this.#isDoubtful(connection)) return;
    this.#session(connection).unsubscribeAnswered(filter, this.#at());
  }

  publishReceived(connection: ObservedConnection, packet: PublishPacket): void {
    this.#step++;
    this.received++;
    this.#stored.heard(connection.client);
    const session = this.#session(connection);
    const payload = TEXT.decode(packet.payload);
    const key = keyOf(payload);
    const message = key === "" ? undefined : this.#messages.get(key);
    if (message === undefined && key !== "") {
      throw new BrokenPromise("message nobody published", `"${key}" at ${session}`);
    }
    const sentAt = message?.sentAt[0] ?? -1;
    const { connectedAt, lastResent } = connection;
    const nowMs = this.#options.nowMs();
    const isDoubtful = this.#isDoubtful(connection);
    const circumstances = { connectedAt, lastResent, sentAt, nowMs, isDoubtful };
    const name = key === "" ? `empty ${packet.topic}` : key;
    const known = session.checkPacketId(packet, name, circumstances);
    connection.lastResent = circumstances.lastResent;
    if (message === undefined) return;
    checkContent(message, packet, payload);
    if (message.isWill) this.#wills.checkReceived(message);
    session.checkSubscribed(message, packet, connection.connectedAt);
    if (packet.retain && session.isVague) {
      // When it subscribed is not known.
    } else if (packet.retain) {
      const subscribedAt = session.firstSubscribedAt(message.topic);
      this.#retained.checkReplay(message, subscribedAt, `${session}`);
    } else session.checkCopy(message, packet, { ...this.#at(), known, isDoubtful });
    session.received(message, packet);
    if (packet.retain) session.replays.received(message, this.#step);
  }

  // What happens to the world.

  /** The client does not answer, or does not read: the broker may give it up. */
  silent(connection: ObservedConnection, reason: string): void {
    this.#step++;
    this.#mayEnd(connection, reason);
  }

  /** The client has ended the connection, or the network has. */
  cut(connection: ObservedConnection): void {
    this.#step++;
    connection.endedMs = this.#options.nowMs();
    this.#mayEnd(connection, "cut");
    if (connection.cleanSession) this.#endSession(connection.client);
  }

  /** "connection ended without cause": the client sees the end of a connection it has not ended. */
  endReceived(connection: ObservedConnection): void {
    this.#step++;
    connection.endedMs = this.#options.nowMs();
    connection.endReceived = true;
    if (connection.mayEnd === null) {
      throw new BrokenPromise("connection ended without cause", connection.client);
    }
    if (connection.cleanSession) this.#endSession(connection.client);
    if (connection.mayEnd !== "disconnected") this.brokerSawEnd(connection);
  }

  /** The end of a connection has arrived at the broker. */
  brokerSawEnd(connection: ObservedConnection): void {
    if (connection.mayEnd === "disconnected" || !this.#connections.delete(connection)) return;
    this.#step++;
    if (connection.will !== null) this.#wills.due(connection.will, this.#options.nowMs());
    for (const message of connection.unacknowledged) this.#messages.over(message, this.#step);
  }

  /** The client has sent DISCONNECT and closed the connection, and knows that all arrives. */
  closed(connection: ObservedConnection): void {
    this.#step++;
    connection.endedMs = this.#options.nowMs();
    if (connection.cleanSession) this.#endSession(connection.client);
  }

  /**
   * The broker process is gone. What it acknowledged first it may have been unable to write since
   * `writtenMs`: the window of `interval` ends there.
   */
  crashed(writtenMs: number): void {
    this.#step++;
    const nowMs = this.#options.nowMs();
    const since = Math.min(nowMs, writtenMs) - this.#options.forgetsMs;
    for (const connection of [...this.#connections]) {
      connection.crashed = true;
      this.#mayEnd(connection, "crashed");
      this.brokerSawEnd(connection);
    }
    this.#wills.crashed(nowMs, this.#options.forgetsMs > 0 ? since : Infinity);
    if (this.#options.forgetsMs > 0) {
      this.#messages.crashed(since);
      this.#stored.crashed(since);
    }
    for (const session of [...this.#sessions.values()]) {
      const mayBeOlder = this.#options.forgetsMs > 0 && session.beganMs >= since;
      if (!session.persistent || mayBeOlder) this.#endSession(session.client);
      if (this.#options.forgetsMs > 0) session.replays.clear();
      session.crashed(this.#step, this.#options.forgetsMs > 0 ? since : Infinity);
      this.#messages.weakened(session);
    }
  }

  /** The wall clock was set. */
  clockJumped(byMs: number): void {
    this.#stored.clockJumped(byMs);
  }

  /** A new broker process runs. */
  restarted(): void {
    this.#stored.restarted();
    this.#wills.delayed(this.#options.nowMs());
  }

  reloaded(rules: AccessRules): void {
    this.#step++;
    this.#messages.reloaded(rules);
    // What was refused may be retained from now on.
    for (const message of this.#messages.open) if (message.retain) this.#mayBeRetained(message);
    if (rules.denial === "drop") return;
    for (const connection of this.#connections) {
      const { awaited, unacknowledged } = connection;
      const isPublishing =
        awaited.PUBACK.length + awaited.PUBREC.length + unacknowledged.length > 0;
      if (isPublishing) this.#mayEnd(connection, "publish denied");
    }
  }

  /** Time passed; `healthy`: the disk has taken everything of late. */
  elapsed(healthy: boolean): void {
    const nowMs = this.#options.nowMs();
    if (!healthy) {
      this.#wills.delayed(nowMs);
      for (const connection of this.#connections) {
        if (connection.endedMs < nowMs) connection.endedMs = nowMs;
      }
      return;
    }
    this.#wills.elapsed(nowMs);
    for (const connection of this.#connections) {
      if (nowMs - connection.endedMs < SETTLED_AFTER_MS) continue;
      if (connection.mayEnd !== "disconnected") continue;
      this.#connections.delete(connection);
      for (const message of connection.unacknowledged) this.#messages.over(message, this.#step);
    }
  }

  // The end.

  /** Acknowledged and retained messages that have not arrived yet. */
  get owed(): number {
    let owed = 0;
    for (const { owed: own, replays } of this.#sessions.values()) owed += own.size + replays.count;
    return owed;
  }

  /** "acknowledged QoS 1 message lost", "acknowledged QoS 2 message lost", "Will lost" */
  checkNothingOwed(): void {
    for (const session of this.#sessions.values()) {
      for (const message of session.owed.values()) {
        const promise = message.isWill
          ? "Will lost"
          : message.qos === 1
          ? "acknowledged QoS 1 message lost"
          : "acknowledged QoS 2 message lost";
        throw new BrokenPromise(promise, `${message} for ${session}`);
      }
      session.replays.checkAllCame(`${session}`);
    }
  }

  /** "retained message lost": `found` holds the payloads by topic, those of certificates, too. */
  checkRetained(found: ReadonlyMap<string, string>): void {
    const retained = new Map<string, string>();
    const certificates = new Map<string, string>();
    for (const [topic, payload] of found) {
      const [, birth] = topic.split(CERTIFICATES);
      if (birth === undefined) retained.set(topic, keyOf(payload));
      else certificates.set(birth, keyOf(payload));
    }
    this.#retained.checkAll(retained);
    this.#certificates.checkAll(certificates);
  }

  #at(): { step: number; nowMs: number } {
    return { step: this.#step, nowMs: this.#options.nowMs() };
  }

  #newSession(connection: ObservedConnection, { sessionPresent }: ConnackPacket): ObservedSession {
    const session = new ObservedSession(connection.client, {
      persistent: !connection.cleanSession,
      beganMs: this.#options.nowMs(),
      queue: this.#options.queue,
    });
    session.isVague = sessionPresent && this.#options.forgetsMs > 0;
    return session;
  }

  /** What an `interval` broker said before its crash may come true or not. */
  #isDoubtful(connection: ObservedConnection): boolean {
    return this.#options.forgetsMs > 0 && connection.crashed;
  }

  #session(connection: ObservedConnection): ObservedSession {
    if (connection.session !== null) return connection.session;
    throw new BrokenPromise("packet before CONNACK", connection.client);
  }

  #mayEnd(connection: ObservedConnection, reason: string): void {
    if (connection.mayEnd === null || connection.mayEnd === "disconnected") {
      connection.mayEnd = reason;
    }
    if (connection.will !== null) this.#wills.possible(connection.will);
  }

  /** Whatever was retained on the topic may be replaced. */
  #mayBeRetained(message: SentMessage): void {
    this.#retained.sent(message);
    for (const session of this.#sessions.values()) session.replays.forget(message.topic);
  }

  #endSession(client: string): void {
    this.#sessions.get(client)?.end();
    this.#sessions.delete(client);
  }
}
