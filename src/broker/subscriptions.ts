/** SUBSCRIBE and UNSUBSCRIBE (sections 3.8.4 and 3.10.4). */
import {
  appendAcknowledgement,
  encodePacket,
  type Qos,
  SUBACK_FAILURE,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from "../mqtt/mod.ts";
import type { AckGate } from "./ack_gate.ts";
import type { Connection } from "./connection.ts";
import type { Router } from "./router.ts";
import type { Sender } from "./sender.ts";
import type { Session } from "./session.ts";
import type { Turn } from "./turn.ts";

const UNSUBACK_FIRST_BYTE = 0xb0;
/** Levels that the filters of all sessions may have on the average, when they are at their limit. */
const LEVELS_PER_SUBSCRIPTION = 8;

/** Adds and removes subscriptions. */
export class Subscriptions {
  readonly #turn: Turn;
  readonly #parts: { gate: AckGate; sender: Sender; router: Router };

  constructor(
    turn: Turn,
    parts: { gate: AckGate; sender: Sender; router: Router },
  ) {
    this.#turn = turn;
    this.#parts = parts;
  }

  /** Handles the filters one after the other, answers them together. [MQTT-3.8.4-4] */
  subscribe(connection: Connection, packet: SubscribePacket): void {
    const session = connection.session!;
    const { journal, statistics } = this.#turn;
    const recordsBefore = journal.records;
    const returnCodes = packet.subscriptions.map((request) =>
      this.#grant(connection, session, request)
    );
    const bytes = encodePacket({ type: "SUBACK", packetId: packet.packetId, returnCodes });
    const durable = journal.records !== recordsBefore;
    const buffer = this.#parts.gate.acknowledgementBuffer(connection, durable);
    buffer.append(bytes, 0, bytes.length); // [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.9.3-1]
    statistics.packetsSent++;
    // Retained messages go out at every SUBSCRIBE. [MQTT-3.3.1-6] [MQTT-3.8.4-3]
    // A filter that stands there twice is answered once, at the QoS it has in the end.
    const granted = new Map(packet.subscriptions.map(({ filter }, i) => [filter, returnCodes[i]!]));
    for (const [filter, code] of granted) {
      if (code !== SUBACK_FAILURE) this.#parts.sender.replay(session, filter, code as Qos);
    }
  }

  /** [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] */
  unsubscribe(connection: Connection, packet: UnsubscribePacket): void {
    const session = connection.session!;
    const { journal, statistics, sparkplug } = this.#turn;
    const recordsBefore = journal.records;
    for (const filter of packet.filters) {
      if (!session.subscriptions.delete(filter)) continue;
      session.queue.cancelReplay(filter);
      // What is queued or in flight is still delivered. [MQTT-3.10.4-2] [MQTT-3.10.4-3]
      this.#parts.router.trie.remove(filter, session);
      statistics.subscriptions--;
      sparkplug?.referee?.unsubscribed(connection, filter);
      if (session.persistent) journal.unsubscribed(session.clientIdentifier, filter);
    }
    const durable = journal.records !== recordsBefore;
    const buffer = this.#parts.gate.acknowledgementBuffer(connection, durable);
    appendAcknowledgement(buffer, UNSUBACK_FIRST_BYTE, packet.packetId);
    statistics.packetsSent++;
  }

  /** The SUBACK return code for one Topic Filter. [MQTT-3.8.4-5] [MQTT-3.9.3-2] */
  #grant(connection: Connection, session: Session, request: SubscriptionRequest): number {
    const { limits, statistics, policy, journal, sparkplug } = this.#turn;
    const { filter } = request;
    const granted = policy.subscribe(connection, request);
    if (granted === null) {
      const denied = { action: "subscribe", topic: filter, serverOwned: false, count: 1 } as const;
      this.#turn.denials.note(connection, denied);
      return SUBACK_FAILURE;
    }
    const isNew = !session.subscriptions.has(filter);
    const full = session.subscriptions.size >= limits.subscriptionsPerSessionMax ||
      statistics.subscriptions >= limits.subscriptionsMax ||
      this.#parts.router.trie.levels >= limits.subscriptionsMax * LEVELS_PER_SUBSCRIPTION;
    if (isNew && full) {
      statistics.subscriptionsRefused++;
      return SUBACK_FAILURE;
    }
    session.subscriptions.set(filter, granted); // [MQTT-3.8.4-3]
    this.#parts.router.trie.add(filter, session, granted);
    if (isNew) statistics.subscriptions++;
    if (session.persistent) journal.subscribed(session.clientIdentifier, filter, granted);
    sparkplug?.referee?.subscribed(connection, { filter, qos: granted });
    return granted;
  }
}
