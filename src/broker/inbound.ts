/** The server as receiver: from the bytes of a connection to the acts they ask for. */
import {
  type ConnectPacket,
  decodeConnect,
  DecodeError,
  decodePacketId,
  decodeSubscribe,
  decodeUnsubscribe,
  firstByteError,
  Frame,
  FrameStatus,
  isProtocolError,
  PACKET_NAMES,
  PacketType,
  type ProtocolError,
  PublishView,
} from "../mqtt/mod.ts";
import type { AckGate } from "./ack_gate.ts";
import type { Connection } from "./connection.ts";
import { CONNECTION } from "./connection_states.ts";
import type { FlowControl } from "./flow_control.ts";
import type { Intake } from "./intake.ts";
import { QOS_RECEIVER, receiverStep } from "./qos_receiver_states.ts";
import {
  FIRST_NOT_CONNECT,
  PUBLISH_REFUSED,
  RECEIVE_LIMIT,
  SECOND_CONNECT,
  UNEXPECTED_PACKET,
  ZERO_LENGTH_REFUSED,
} from "./inbound_errors.ts";
import { oversizeMessage } from "./oversize.ts";
import { type PacketRun, sameTopicEnd } from "./packet_run.ts";
import type { RateControl } from "./rate_control.ts";
import type { Router } from "./router.ts";
import { type Sender, SenderEvent } from "./sender.ts";
import type { SessionRegistry } from "./session_registry.ts";
import type { Subscriptions } from "./subscriptions.ts";
import type { SparkplugTopic } from "./sparkplug_policy.ts";
import type { TopicEntry } from "./topic_cache.ts";
import { NO_TRANSITION } from "./transition_table.ts";
import { runBytesMax, type Turn } from "./turn.ts";

const PUBACK_FIRST_BYTE = 0x40;
const PUBREC_FIRST_BYTE = 0x50;
const PUBCOMP_FIRST_BYTE = 0x70;
const PINGRESP = Uint8Array.of(0xd0, 0);

/** Events of the connection table by Control Packet type. */
const CONNECTION_EVENTS: readonly (number | undefined)[] = PACKET_NAMES.map((name) =>
  (CONNECTION.events as Record<string, number>)[name]
);

/** The parts of the core that packets act on. */
export interface InboundParts {
  readonly gate: AckGate;
  readonly flow: FlowControl;
  readonly rates: RateControl;
  readonly intake: Intake;
  readonly sender: Sender;
  readonly router: Router;
  readonly sessions: SessionRegistry;
  readonly subscriptions: Subscriptions;
}

/** A complete packet: where it begins, where the bytes end, and its type. */
interface Place {
  readonly position: number;
  readonly limit: number;
  readonly type: number;
}

/** Reads packets and carries them out. */
export class Inbound {
  readonly #turn: Turn;
  readonly #parts: InboundParts;
  readonly #frame = new Frame();
  readonly #view = new PublishView();

  constructor(turn: Turn, parts: InboundParts) {
    this.#turn = turn;
    this.#parts = parts;
  }

  /**
   * Processes the complete packets of `bytes[start, end)` and gives the offset of the first byte
   * that is not processed: of a packet that is not complete, or of one that has to wait because the
   * connection is no longer readable or the turn has done enough.
   */
  receive(
    connection: Connection,
    bytes: Uint8Array,
    range: { start: number; end: number },
  ): number {
    const turn = this.#turn;
    const frame = this.#frame;
    const options = { limit: range.end, packetBytesMax: turn.limits.packetBytesMax };
    let position = range.start;
    const publishes = turn.statistics.publishReceived;
    turn.publisher = connection;
    while (position < range.end && connection.readable) {
      if (turn.full) break;
      // A packet that its state forbids is refused at its first byte.
      const first = bytes[position]!;
      const type = first >> 4;
      if (firstByteError(first) === null && !this.#allowed(connection, type)) break;
      const status = frame.read(bytes, position, options);
      if (status === FrameStatus.error) {
        const tooLong = type === PacketType.PUBLISH && frame.error === DecodeError.packetTooLarge;
        if (tooLong) {
          const message = oversizeMessage(bytes, { position, limit: range.end }, turn.limits);
          turn.deadLetters.give("oversize", message, { qos: message.qos, retain: false });
        }
        this.#fail(connection, frame.error);
        break;
      }
      if (status === FrameStatus.incomplete) break;
      if (turn.passesOver(type)) {
        position = frame.end;
        continue;
      }
      const at = { position, limit: range.end, type };
      position = connection.rate === null
        ? this.#packet(connection, bytes, at)
        : this.#charged(connection, bytes, at);
    }
    turn.publisher = null;
    this.#parts.flow.limitSelf(connection);
    if (position > range.start) turn.received(connection, position - range.start, publishes);
    return connection.closed ? range.end : position;
  }

  /** Counts a protocol error and ends the connection. [MQTT-4.8.0-1] */
  #fail(connection: Connection, error: ProtocolError): void {
    this.#turn.statistics.countProtocolError(error.tag);
    this.#turn.events.add({ kind: "protocolError", connection, error });
    const { farewell } = error;
    if (farewell !== null) {
      const buffer = this.#parts.gate.acknowledgementBuffer(connection, false);
      buffer.append(farewell, 0, farewell.length);
      this.#turn.statistics.packetsSent++;
    }
    this.#parts.sessions.close(connection, "protocolError");
  }

  /** Whether the connection table has an entry for this packet; if not, the connection ends. */
  #allowed(connection: Connection, type: number): boolean {
    const event = CONNECTION_EVENTS[type];
    const { state } = connection;
    const target = event === undefined
      ? NO_TRANSITION
      : CONNECTION.next[state * CONNECTION.stride + event];
    if (target !== NO_TRANSITION) return true;
    let error = UNEXPECTED_PACKET;
    if (state === CONNECTION.states.awaitConnect) error = FIRST_NOT_CONNECT; // [MQTT-3.1.0-1]
    else if (type === PacketType.CONNECT) error = SECOND_CONNECT; // [MQTT-3.1.0-2]
    this.#fail(connection, error);
    return false;
  }

  /** As `#packet`, for a client whose rate has limits. */
  #charged(connection: Connection, bytes: Uint8Array, at: Place): number {
    const { statistics } = this.#turn;
    const before = statistics.publishReceived;
    const end = this.#packet(connection, bytes, at);
    if (connection.closed) return end;
    const { rates, sessions } = this.#parts;
    const messages = statistics.publishReceived - before;
    const stays = rates.read(connection, end - at.position) &&
      (messages === 0 || rates.published(connection, messages));
    if (!stays) sessions.close(connection, "rateLimit");
    return end;
  }

  /** Carries out the complete packet in `#frame`; gives the offset behind what was processed. */
  #packet(connection: Connection, bytes: Uint8Array, at: Place): number {
    const frame = this.#frame;
    const { statistics } = this.#turn;
    statistics.packetsReceived++;
    const end = frame.end;
    let error: ProtocolError | null;
    if (at.type === PacketType.PUBLISH) {
      const view = this.#view;
      error = view.read(bytes, frame.first, frame);
      if (error === null) {
        const plain = view.qos === 0 && !view.retain && frame.canonical;
        if (plain) return this.#publishRun(connection, bytes, at);
        error = this.#publish(connection, bytes);
      }
    } else error = this.#other(connection, bytes, at.type);
    if (error !== null) this.#fail(connection, error);
    return end;
  }

  #other(connection: Connection, bytes: Uint8Array, type: number): ProtocolError | null {
    const frame = this.#frame;
    const range = { start: frame.bodyStart, end: frame.end };
    switch (type) {
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBCOMP:
      case PacketType.PUBREL:
        return this.#acknowledgement(connection, bytes, type);
      case PacketType.PINGREQ: { // [MQTT-3.12.4-1]
        if (range.start !== range.end) return DecodeError.wrongLength;
        // It promises nothing, so only a CONNACK at the gate keeps it. [MQTT-3.2.0-1]
        this.#parts.gate.deliveryBuffer(connection, false).append(PINGRESP, 0, 2);
        this.#turn.statistics.packetsSent++;
        return null;
      }
      case PacketType.SUBSCRIBE: {
        const packet = decodeSubscribe(bytes, range, this.#turn.limits);
        if (isProtocolError(packet)) return packet;
        this.#parts.subscriptions.subscribe(connection, packet);
        return null;
      }
      case PacketType.UNSUBSCRIBE: {
        const packet = decodeUnsubscribe(bytes, range, this.#turn.limits);
        if (isProtocolError(packet)) return packet;
        this.#parts.subscriptions.unsubscribe(connection, packet);
        return null;
      }
      case PacketType.DISCONNECT:
        if (range.start !== range.end) return DecodeError.wrongLength;
        this.#parts.sessions.close(connection, "disconnect");
        return null;
      default:
        return this.#connect(connection, decodeConnect(bytes, range, this.#turn.limits));
    }
  }

  #connect(connection: Connection, packet: ConnectPacket | ProtocolError): ProtocolError | null {
    if (isProtocolError(packet)) return packet;
    const { limits, policy } = this.#turn;
    const { sessions } = this.#parts;
    if (packet.clientIdentifier === "" && !limits.zeroLengthClientIdentifiers) {
      return ZERO_LENGTH_REFUSED;
    }
    const { next, stride, events } = CONNECTION;
    connection.state = next[connection.state * stride + events.CONNECT]!;
    connection.clientIdentifier = packet.clientIdentifier;
    connection.userName ??= packet.userName;
    const verdict = policy.connect(packet, connection);
    if (verdict.kind === "accept") sessions.accept(connection, packet);
    else if (verdict.kind === "refuse") sessions.refuse(connection, verdict.code, verdict);
    else this.#turn.authentications.push({ connection, packet });
    return null;
  }

  #acknowledgement(
    connection: Connection,
    bytes: Uint8Array,
    type: number,
  ): ProtocolError | null {
    const frame = this.#frame;
    const packetId = decodePacketId(bytes, frame.bodyStart, frame.end);
    if (typeof packetId !== "number") return packetId;
    if (type === PacketType.PUBREL) return this.#pubrel(connection, packetId);
    const event = type === PacketType.PUBACK
      ? SenderEvent.PUBACK
      : type === PacketType.PUBREC
      ? SenderEvent.PUBREC
      : SenderEvent.PUBCOMP;
    return this.#parts.sender.acknowledged(connection, event, packetId);
  }

  /** Every PUBREL is answered with PUBCOMP. [MQTT-4.3.3-2] */
  #pubrel(connection: Connection, packetId: number): ProtocolError | null {
    const session = connection.session!;
    const step = receiverStep(session, packetId, QOS_RECEIVER.events.PUBREL);
    if (step.to === NO_TRANSITION) return UNEXPECTED_PACKET;
    const durable = step.from !== step.to && session.persistent;
    if (step.from !== step.to) session.receiving!.delete(packetId);
    if (durable) this.#turn.journal.receiveFinished(session.clientIdentifier, packetId);
    this.#parts.gate.acknowledge(connection, PUBCOMP_FIRST_BYTE, packetId, durable);
    return null;
  }

  /**
   * A PUBLISH at QoS 0, and those behind it that have the same topic: one look-up and one copy for
   * each subscriber serve them all. Gives the offset behind the last one.
   */
  #publishRun(connection: Connection, bytes: Uint8Array, at: Place): number {
    const view = this.#view;
    const { statistics, limits: { packetBytesMax }, nowMs } = this.#turn;
    const { rate } = connection;
    const first = this.#frame.end;
    const entry = this.#topic(connection, bytes);
    if (isProtocolError(entry)) {
      this.#fail(connection, entry);
      return first;
    }
    if (entry.sparkplug !== null) { // one by one
      const run = { bytes, start: at.position, end: first, packets: 1 };
      const isJudged = entry.sparkplug.role === "other" && connection.topicAllowed;
      const error = isJudged
        ? this.#publishJudged(connection, entry, { topic: entry.sparkplug, run })
        : this.#publish(connection, bytes);
      if (error !== null) this.#fail(connection, error);
      return first;
    }
    let end = first;
    let packets = 1;
    let most = runBytesMax(entry.sessions.length);
    let packetsMost = most;
    while (end - at.position < most && packets < packetsMost) {
      const next = sameTopicEnd(bytes, { start: end, limit: at.limit, packetBytesMax }, entry);
      if (next === 0) break;
      if (rate !== null && packets === 1) {
        most = Math.min(most, rate.bytesRoom(nowMs));
        packetsMost = rate.publishesRoom(nowMs);
        if (end - at.position >= most || packetsMost === 1) break;
      }
      end = next;
      packets++;
    }
    statistics.packetsReceived += packets - 1;
    statistics.publishReceived += packets;
    statistics.publishBytesReceived += end - at.position;
    const run = { bytes, start: at.position, end, packets };
    if (connection.topicAllowed) this.#parts.router.forward(entry, run, view);
    else this.#parts.intake.refused(entry, run, view);
    return end;
  }

  #publishJudged(
    connection: Connection,
    entry: TopicEntry,
    { topic, run }: { topic: SparkplugTopic; run: PacketRun },
  ): ProtocolError | null {
    const { statistics } = this.#turn;
    statistics.publishReceived++;
    statistics.publishBytesReceived += run.end - run.start;
    return this.#parts.intake.takeJudged(connection, entry, { topic, run, view: this.#view });
  }

  /** The topic of the PUBLISH in `#view`, with the policy's verdict on it left in the connection. */
  #topic(connection: Connection, bytes: Uint8Array): TopicEntry | ProtocolError {
    const { topicStart, topicEnd } = this.#view;
    const last = connection.topic;
    const same = last !== null && last.equals(bytes, topicStart, topicEnd);
    const ticket = this.#turn.ticketOf(connection);
    if (same && connection.topicTicket === ticket) return last;
    const entry = this.#parts.router.topics.resolve(bytes, topicStart, topicEnd);
    if (isProtocolError(entry)) return entry;
    connection.topic = entry;
    connection.topicTicket = ticket;
    const verdict = entry.judge(connection, this.#turn);
    connection.topicAllowed = verdict === "allow";
    if (verdict !== "close") return entry;
    connection.topic = null;
    const { qos, retain } = this.#view;
    const message = this.#parts.router.arena.copy(bytes, this.#view);
    this.#turn.deadLetters.give(entry.refusal, message, { qos, retain });
    this.#turn.denials.publish(connection, entry, 1);
    return PUBLISH_REFUSED; // [MQTT-3.3.5-2]
  }

  /** A PUBLISH at QoS 1 or 2, or to be retained, through the QoS receiver table. */
  #publish(connection: Connection, bytes: Uint8Array): ProtocolError | null {
    const view = this.#view;
    const { statistics, journal, limits } = this.#turn;
    const session = connection.session!;
    const entry = this.#topic(connection, bytes);
    if (isProtocolError(entry)) return entry;
    statistics.publishReceived++;
    statistics.publishBytesReceived += this.#frame.totalBytes;
    const { packetId, qos } = view;
    const recordsBefore = journal.records;
    if (qos === 0) {
      const error = this.#parts.intake.take(connection, entry, { bytes, view });
      if (journal.records !== recordsBefore) this.#parts.flow.limitStore(connection);
      return error;
    }
    const { events, emissions } = QOS_RECEIVER;
    const event = qos === 1 ? events.publishQos1 : events.publishQos2;
    const { from, to, emitted } = receiverStep(session, packetId, event);
    if (to === NO_TRANSITION) return UNEXPECTED_PACKET;
    if (from !== to && from !== QOS_RECEIVER.states.idle) {
      session.receiving?.delete(packetId);
      if (session.persistent) journal.receiveFinished(session.clientIdentifier, packetId);
    } else if (from !== to) {
      const receiving = session.receiving ??= new Set();
      if (receiving.size >= limits.receiveInFlightMax) return RECEIVE_LIMIT;
      receiving.add(packetId);
      if (session.persistent) journal.receiveStarted(session.clientIdentifier, packetId);
    }
    if (emitted !== emissions.PUBREC) {
      const error = this.#parts.intake.take(connection, entry, { bytes, view });
      if (error !== null) return error;
    }
    // [MQTT-3.3.4-1]
    const first = qos === 1 ? PUBACK_FIRST_BYTE : PUBREC_FIRST_BYTE;
    const durable = journal.records !== recordsBefore;
    this.#parts.gate.acknowledge(connection, first, packetId, durable);
    if (durable) this.#parts.flow.limitStore(connection);
    return null;
  }
}
