/** The server as sender: deliveries to sessions, their windows, queues and acknowledgements. */
import {
  type ProtocolError,
  protocolError,
  type Qos,
  type TopicFilter,
  type TopicName,
} from "../mqtt/mod.ts";
import type { AckGate } from "./ack_gate.ts";
import type { Backlog } from "./backlog.ts";
import type { Connection } from "./connection.ts";
import { Delivery } from "./delivery_queue.ts";
import type { FlowControl } from "./flow_control.ts";
import type { Message } from "./message.ts";
import { QOS_SENDER } from "./qos_sender_states.ts";
import { Replay } from "./replay.ts";
import { mayRead } from "./server_topics.ts";
import type { PacketRun } from "./packet_run.ts";
import type { RetainedMessages } from "./retained.ts";
import type { Session } from "./session.ts";
import type { DropReason } from "./statistics.ts";
import { EMITS_NOTHING, NO_TRANSITION } from "./transition_table.ts";
import type { Turn } from "./turn.ts";

const { states, events, emissions, stride, next, emission } = QOS_SENDER;
const DUP = 0x08;
const RETAIN = 0x01;
const PUBREL_FIRST_BYTE = 0x62;
const WRONG_ACKNOWLEDGEMENT = protocolError(
  "MQTT-4.3.3-1",
  "acknowledgement does not belong to the state of its Packet Identifier",
);

/** Numbers of the acknowledgements in the QoS sender table. */
export const SenderEvent = {
  PUBACK: events.PUBACK,
  PUBREC: events.PUBREC,
  PUBCOMP: events.PUBCOMP,
} as const;

/** Sends Application Messages to sessions. */
export class Sender {
  readonly #turn: Turn;
  readonly #gate: AckGate;
  readonly #flow: FlowControl;
  readonly #retained: RetainedMessages;
  readonly #backlog: Backlog;
  #sequence = 0;

  constructor(
    turn: Turn,
    parts: { gate: AckGate; flow: FlowControl; retained: RetainedMessages; backlog: Backlog },
  ) {
    this.#turn = turn;
    this.#gate = parts.gate;
    this.#flow = parts.flow;
    this.#retained = parts.retained;
    this.#backlog = parts.backlog;
  }

  /** Continues the numbering of deliveries behind what the store holds. */
  startSequenceAt(sequence: number): void {
    this.#sequence = sequence;
  }

  /**
   * Hands a message to a session at `qos`, at once or through its queue: one FIFO for all topics
   * and levels of QoS. [MQTT-4.6.0-6] Positional, because it runs once for each message and session.
   */
  deliver(session: Session, message: Message, qos: Qos, retain: boolean): void {
    const { limits } = this.#turn;
    const connection = session.connection;
    if (connection === null) {
      // QoS 0 is not kept for a client that is away; QoS 1 and 2 are. [MQTT-3.1.2-5]
      if (qos > 0) this.#enqueue(session, new Delivery(message, qos, retain));
      else session.queue.miss(message);
      return;
    }
    if (qos === 0 && this.#turn.shedsQos0 && this.#flow.isBehind(session, connection)) {
      this.#turn.deadLetters.count("shed-qos0", 1); // to keep them would take memory, too
      return;
    }
    const mustWait = !session.queue.isEmpty ||
      (qos > 0 && session.inFlight.size >= limits.inFlightMessagesMax) ||
      (qos > 0 && connection.pendingBytes > limits.outboxHighWaterBytes);
    if (mustWait) this.#enqueue(session, new Delivery(message, qos, retain));
    else if (qos === 0) this.#sendQos0(connection, message, retain); // [MQTT-3.3.1-9]
    else this.#transmit(connection, session, new Delivery(message, qos, retain));
  }

  /**
   * Appends whole QoS 0 packets as they came, if nothing is in their way, or drops them all if there
   * is no room for any; else gives false.
   */
  forward(session: Session, connection: Connection, run: PacketRun): boolean {
    const { limits, statistics, deadLetters, shedsQos0 } = this.#turn;
    if (shedsQos0 && this.#flow.isBehind(session, connection)) {
      deadLetters.count("shed-qos0", run.packets);
      return true;
    }
    if (!session.queue.isEmpty) return false;
    const size = run.end - run.start;
    const pending = connection.pendingBytes;
    if (pending + size > limits.outboxBytesMax) {
      const someFit = pending + size / run.packets <= limits.outboxBytesMax ||
        pending <= limits.outboxHighWaterBytes;
      if (someFit || deadLetters.open) return false;
      deadLetters.count("stalled-consumer", run.packets); // not even one would fit
      return true;
    }
    this.#gate.deliveryBuffer(connection, false).append(run.bytes, run.start, run.end);
    statistics.packetsSent += run.packets;
    statistics.publishSent += run.packets;
    statistics.publishBytesSent += size;
    if (pending + size > limits.outboxHighWaterBytes) this.#flow.press(connection);
    return true;
  }

  /** Sends the retained messages of a new subscription, at once or when it is their turn. */
  replay(session: Session, filter: TopicFilter, granted: Qos): void {
    const replay = new Replay(filter, granted, this.#retained);
    session.queue.pushReplay(replay);
    this.pump(session);
    const waits = session.persistent && session.queue.hasReplay(filter);
    if (!waits || replay.stored) return;
    replay.stored = true;
    this.#turn.journal.replayPending(session.clientIdentifier, filter, true);
  }

  /** A replay was not finished when the process ended: it begins anew. */
  restoreReplay(session: Session, filter: TopicFilter, granted: Qos): void {
    const replay = new Replay(filter, granted, this.#retained);
    replay.stored = true;
    session.queue.pushReplay(replay);
  }

  /** Gives up what has waited for too long; what stood behind it may be able to go. */
  expire(session: Session): void {
    this.#backlog.expire(session);
    this.pump(session);
  }

  /** PUBACK, PUBREC or PUBCOMP of a client, as an event of the QoS sender table. */
  acknowledged(connection: Connection, event: number, packetId: number): ProtocolError | null {
    const session = connection.session!;
    const delivery = session.inFlight.get(packetId);
    const at = (delivery === undefined ? states.idle : delivery.state) * stride + event;
    const target = next[at]!;
    if (target === NO_TRANSITION) return WRONG_ACKNOWLEDGEMENT;
    const emitted = emission[at]!;
    if (delivery !== undefined) delivery.state = target;
    if (emitted === emissions.finish) {
      this.#finish(session, delivery!);
      this.#flow.progress(connection);
      this.pump(session);
    } else if (emitted !== EMITS_NOTHING) {
      const durable = delivery !== undefined && delivery.sequence > 0;
      if (durable) {
        this.#turn.journal.deliveryReleased(session.clientIdentifier, delivery.sequence);
      }
      this.#gate.acknowledge(connection, PUBREL_FIRST_BYTE, packetId, durable);
    }
    return null;
  }

  /** Sends what is unacknowledged again, in the old order, then what waits. [MQTT-4.6.0-1] */
  resume(session: Session): void {
    const connection = session.connection!;
    const head = session.queue.peek();
    if (head instanceof Replay) head.refresh();
    for (const delivery of session.inFlight.values()) {
      if (!this.#mayRead(connection, delivery.message)) this.#withdraw(connection, delivery);
      else this.#sendAgain(connection, delivery);
    }
    this.pump(session);
  }

  /** Sends what waits in the queue as far as window and outbox allow. */
  pump(session: Session): void {
    const { limits } = this.#turn;
    const connection = session.connection;
    if (connection === null) return;
    for (;;) {
      if (connection.pendingBytes > limits.outboxHighWaterBytes) return;
      const delivery = session.queue.peek();
      if (delivery === undefined) return;
      if (delivery instanceof Replay) {
        // A client that has unsubscribed gets no more of it. [MQTT-3.10.4-2]
        const wanted = session.subscriptions.has(delivery.filter);
        if (wanted && !this.#pumpReplay(connection, session, delivery)) return;
        session.queue.shift();
        this.#replayed(session, delivery);
        continue;
      }
      if (this.#backlog.isExpired(delivery)) {
        this.#backlog.expire(session);
        continue;
      }
      const known = delivery.readableBy === this.#turn.ticketOf(connection);
      if (!known && !this.#mayRead(connection, delivery.message)) {
        this.#turn.denials.read(connection, delivery.message);
        this.#backlog.giveUp(session, this.#backlog.shift(session), "read-refused");
        continue;
      }
      if (delivery.qos > 0 && session.inFlight.size >= limits.inFlightMessagesMax) return;
      this.#backlog.shift(session);
      if (delivery.qos === 0) this.#sendQos0(connection, delivery.message, delivery.retain);
      else this.#transmit(connection, session, delivery);
    }
  }

  /** Moves what has waited for a while out of the memory it shares with newer messages. */
  detachOld(session: Session, sentBeforeMs: number): void {
    for (const delivery of session.inFlight.values()) {
      if (delivery.sentAtMs > sentBeforeMs) break;
      delivery.message.detach();
    }
    this.#backlog.detachOld(session);
  }

  /**
   * Forgets everything a session holds. `reason`: why the broker gives it up; null if its client
   * does not want it any more.
   */
  discard(session: Session, reason: DropReason | null): void {
    const { statistics, deadLetters } = this.#turn;
    statistics.inFlightMessages -= session.inFlight.size;
    for (const delivery of session.inFlight.values()) {
      statistics.inFlightBytes -= delivery.cost;
      // Behind PUBREC the client has it.
      if (reason === null || delivery.state === states.awaitPubcomp) continue;
      const { message, qos, retain } = delivery;
      const lost = { qos, retain, session: session.clientIdentifier, publisher: "" };
      deadLetters.give(reason, message, lost);
    }
    session.inFlight.clear();
    this.#backlog.clear(session, reason);
  }

  /** Puts a stored delivery back, in flight or in the queue. */
  restore(session: Session, delivery: Delivery): void {
    const { statistics } = this.#turn;
    if (delivery.packetId === 0) return this.#backlog.restore(session, delivery);
    session.inFlight.set(delivery.packetId, delivery);
    statistics.inFlightMessages++;
    statistics.inFlightBytes += delivery.cost;
  }

  /** All of a replay is sent, or not wanted any more. */
  #replayed(session: Session, replay: Replay): void {
    const { filter, stored } = replay;
    const over = stored && !session.queue.hasReplay(filter) && session.subscriptions.has(filter);
    if (over) this.#turn.journal.replayPending(session.clientIdentifier, filter, false);
  }

  /** Sends retained messages as far as there is room; gives whether all are sent. */
  #pumpReplay(connection: Connection, session: Session, replay: Replay): boolean {
    const { limits } = this.#turn;
    for (;;) {
      const message = replay.peek(this.#turn);
      if (message === null) return true;
      if (message === "later") {
        this.#turn.walking.add(session);
        return false;
      }
      if (!this.#mayRead(connection, message)) {
        replay.advance();
        continue;
      }
      const qos = replay.granted < message.qos ? replay.granted : message.qos;
      if (connection.pendingBytes > limits.outboxHighWaterBytes) return false;
      if (qos > 0 && session.inFlight.size >= limits.inFlightMessagesMax) return false;
      replay.advance();
      if (qos === 0) this.#sendQos0(connection, message, true); // [MQTT-3.3.1-8]
      else this.#transmit(connection, session, new Delivery(message, qos, true));
    }
  }

  #sendAgain(connection: Connection, delivery: Delivery): void {
    const emitted = emission[delivery.state * stride + events.resume]!;
    if (emitted === emissions.PUBLISH_DUP) {
      this.#write(connection, delivery, { durable: false, dup: true });
    } else if (emitted === emissions.PUBREL) {
      this.#gate.acknowledge(connection, PUBREL_FIRST_BYTE, delivery.packetId, false);
    }
  }

  /** What was on its way may not be read any more: it is not sent again, and its exchange ends. */
  #withdraw(connection: Connection, delivery: Delivery): void {
    const session = connection.session!;
    const { clientIdentifier } = session;
    const { state, message, qos, retain, packetId, sequence } = delivery;
    const at = state * stride + events.withdraw;
    delivery.state = next[at]!;
    if (state !== states.awaitPubcomp) {
      const lost = { qos, retain, session: clientIdentifier, publisher: "" };
      this.#turn.deadLetters.give("read-refused", message, lost);
      this.#turn.denials.read(connection, message);
    }
    if (emission[at] === emissions.finish) return this.#finish(session, delivery);
    const durable = sequence > 0 && state !== delivery.state;
    if (durable) this.#turn.journal.deliveryReleased(clientIdentifier, sequence);
    this.#gate.acknowledge(connection, PUBREL_FIRST_BYTE, packetId, durable);
  }

  /** Whether the policy lets a message that has waited pass: rules may have changed meanwhile. */
  #mayRead(connection: Connection, message: Message): boolean {
    const { policy } = this.#turn;
    // Only then is a string of the topic worth its price.
    return policy.read === null || mayRead(policy, connection, message.topic as TopicName);
  }

  #sendQos0(connection: Connection, message: Message, retain: boolean): void {
    const { limits, statistics } = this.#turn;
    const size = message.packetBytes(0);
    const pending = connection.pendingBytes;
    // Below the high-water mark any message fits, even one that is larger than the rest.
    const full = pending + size > limits.outboxBytesMax && pending > limits.outboxHighWaterBytes;
    if (full) {
      const lost = { qos: 0, retain, session: connection.clientIdentifier } as const;
      this.#turn.deadLetters.give("stalled-consumer", message, lost);
      return;
    }
    message.appendTo(this.#gate.deliveryBuffer(connection, false), retain ? RETAIN : 0, 0);
    statistics.packetsSent++;
    statistics.publishSent++;
    statistics.publishBytesSent += size;
    if (pending + size > limits.outboxHighWaterBytes) this.#flow.press(connection);
  }

  #transmit(connection: Connection, session: Session, delivery: Delivery): void {
    const { journal, statistics, nowMs } = this.#turn;
    const packetId = session.allocatePacketId();
    const event = delivery.qos === 1 ? events.sendQos1 : events.sendQos2;
    delivery.state = next[states.idle * stride + event]!;
    delivery.packetId = packetId;
    delivery.sentAtMs = nowMs;
    session.inFlight.set(packetId, delivery);
    statistics.inFlightMessages++;
    statistics.inFlightBytes += delivery.cost;
    if (session.persistent) {
      if (delivery.sequence === 0) this.#journal(session, delivery);
      else {
        const flight = { packetId, sent: ++this.#sequence };
        journal.deliverySent(session.clientIdentifier, delivery.sequence, flight);
      }
    }
    // A client remembers the identifier of a QoS 2 message: it must not see one that is forgotten
    // here by a crash and given to another message afterwards.
    const durable = session.persistent && delivery.qos === 2;
    this.#write(connection, delivery, { durable, dup: false });
  }

  #write(
    connection: Connection,
    delivery: Delivery,
    { durable, dup }: { durable: boolean; dup: boolean },
  ): void {
    const { limits, statistics } = this.#turn;
    const flags = (dup ? DUP : 0) | (delivery.qos << 1) | (delivery.retain ? RETAIN : 0);
    const buffer = this.#gate.deliveryBuffer(connection, durable);
    delivery.message.appendTo(buffer, flags, delivery.packetId);
    statistics.packetsSent++;
    statistics.publishSent++;
    statistics.publishBytesSent += delivery.message.packetBytes(delivery.qos);
    if (connection.pendingBytes > limits.outboxHighWaterBytes) this.#flow.press(connection);
  }

  #enqueue(session: Session, delivery: Delivery): void {
    const { connection } = session;
    // Its topic would not have led here.
    if (connection !== null) delivery.readableBy = this.#turn.ticketOf(connection);
    const added = this.#backlog.add(session, delivery);
    if (added && session.persistent && delivery.qos > 0) this.#journal(session, delivery);
  }

  #journal(session: Session, delivery: Delivery): void {
    const { message, qos, retain, packetId, queuedS } = delivery;
    const sequence = ++this.#sequence;
    delivery.sequence = sequence;
    this.#turn.journal.deliveryAdded({
      clientIdentifier: session.clientIdentifier,
      sequence,
      message,
      qos,
      retain,
      packetId,
      sent: packetId === 0 ? 0 : sequence,
      queuedS,
    });
  }

  #finish(session: Session, delivery: Delivery): void {
    session.inFlight.delete(delivery.packetId);
    this.#turn.statistics.inFlightMessages--;
    this.#turn.statistics.inFlightBytes -= delivery.cost;
    if (delivery.sequence === 0) return;
    this.#turn.journal.deliveryFinished(session.clientIdentifier, delivery.sequence);
  }
}
