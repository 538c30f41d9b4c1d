/**
 * The few MQTT 3.1.1 packets a load generator sends. Written apart from `src/mqtt` on purpose: a
 * generator that shared the broker's encoder would share its mistakes and see none of them.
 */

import { birthsBefore, dataPrefix, SEQ_BEFORE_BODY } from "./sparkplug_data.ts";

/** Bytes of every Application Message the rig sends, or of its end if it is one of Sparkplug. */
export const PAYLOAD_BYTES = 64;

/** Where the 8-byte big-endian sequence number stands in the payload. */
export const SEQUENCE_AT = 0;
/** Where the time a message was due stands: float64, milliseconds since the epoch. */
export const DUE_AT = 8;
/** Where the time of the write stands: float64, milliseconds since the epoch. */
export const WRITTEN_AT = 16;
/** Where the publisher's number stands: uint16. */
export const PUBLISHER_AT = 24;
/** What fills the payload behind the publisher's number. */
export const FILLING = 0x2e;

/** PINGREQ, ready to send. */
export const PINGREQ: Uint8Array<ArrayBuffer> = Uint8Array.of(0xc0, 0);
/** PINGRESP, ready to send. */
export const PINGRESP: Uint8Array<ArrayBuffer> = Uint8Array.of(0xd0, 0);
/** DISCONNECT, ready to send. */
export const DISCONNECT: Uint8Array<ArrayBuffer> = Uint8Array.of(0xe0, 0);

/** The Quality of Service levels. */
export type Qos = 0 | 1 | 2;

const encoder = new TextEncoder();

/** User name and password. */
export interface Login {
  userName: string;
  password: string;
}

/** A Will at QoS 1, not retained. */
export interface RigWill {
  topic: string;
  payload: Uint8Array;
}

/** CONNECT; `keepAliveS` 0 turns Keep Alive off. */
export function encodeConnect(
  clientId: string,
  client: { keepAliveS: number; cleanSession: boolean; login?: Login; will?: RigWill },
): Uint8Array<ArrayBuffer> {
  const { keepAliveS, cleanSession, login, will } = client;
  const flags = (cleanSession ? 0x02 : 0) | (login === undefined ? 0 : 0xc0) |
    (will === undefined ? 0 : 0x0c);
  const body = [...lengthPrefixed("MQTT"), 4, flags, keepAliveS >> 8, keepAliveS & 255];
  body.push(...lengthPrefixed(clientId));
  if (will !== undefined) {
    const { length } = will.payload;
    body.push(...lengthPrefixed(will.topic), length >> 8, length & 255, ...will.payload);
  }
  if (login !== undefined) {
    body.push(...lengthPrefixed(login.userName), ...lengthPrefixed(login.password));
  }
  return withFixedHeader(0x10, body);
}

/** PUBLISH at QoS 0. */
export function encodeMessage(topic: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return withFixedHeader(0x30, [...lengthPrefixed(topic), ...payload]);
}

/** SUBSCRIBE to all of `filters` with one QoS. */
export function encodeSubscribe(
  packetId: number,
  request: { filters: readonly string[]; qos: Qos },
): Uint8Array<ArrayBuffer> {
  const body = [packetId >> 8, packetId & 255];
  for (const filter of request.filters) body.push(...lengthPrefixed(filter), request.qos);
  return withFixedHeader(0x82, body);
}

/** What a row of packets looks like. */
export interface BatchShape {
  topics: readonly string[];
  count: number;
  qos: Qos;
  publisher: number;
  /** Whether they are DATA messages of Sparkplug, a Device for each topic. */
  sparkplug?: boolean;
}

/**
 * A row of PUBLISH packets of equal size in one buffer, encoded once; before each write only the
 * sequence numbers, times and Packet Identifiers are patched.
 */
export class PublishBatch {
  /** All packets, one after the other, and PINGREQ behind the last. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of one packet. */
  readonly stride: number;
  readonly #view: DataView;
  readonly #payloadAt: number;
  readonly #sparkplug: boolean;
  readonly #births: number;

  /**
   * Topics are used in turn and must be of one length. Throws when a packet needs more than one
   * length byte, two for Sparkplug: the scanners rely on that.
   */
  constructor(shape: BatchShape) {
    this.#sparkplug = shape.sparkplug === true;
    const packets: Uint8Array[] = [];
    this.#births = birthsBefore(shape.topics.length);
    const nowMs = Date.now();
    for (const [device, topic] of shape.topics.entries()) {
      const prefix = this.#sparkplug ? dataPrefix(PAYLOAD_BYTES, { device, nowMs }) : [];
      packets.push(encodePublish(topic, shape, prefix));
    }
    const first = packets[0];
    if (first === undefined) throw new Error("Cannot build a batch: no topic");
    this.stride = first.length;
    this.bytes = new Uint8Array(shape.count * this.stride + PINGREQ.length);
    for (let index = 0; index < shape.count; index++) {
      const packet = packets[index % packets.length] ?? first;
      if (packet.length !== this.stride) {
        throw new Error("Cannot build a batch: topics differ in length");
      }
      this.bytes.set(packet, index * this.stride);
    }
    this.bytes.set(PINGREQ, shape.count * this.stride);
    this.#view = new DataView(this.bytes.buffer);
    this.#payloadAt = this.stride - PAYLOAD_BYTES;
  }

  /** Numbers the first `count` packets upwards from `sequence`. */
  number(sequence: number, count: number): void {
    let at = this.#payloadAt + SEQUENCE_AT + 4;
    for (let index = 0; index < count; index++) {
      this.#view.setUint32(at, sequence + index);
      if (this.#sparkplug) this.#numberData(at - SEQUENCE_AT - 4, sequence + index);
      at += this.stride;
    }
  }

  /** `seq` of the message whose own bytes begin at `at`; the births had the first ones. */
  #numberData(at: number, sequence: number): void {
    const seq = this.#births + sequence;
    this.bytes[at - SEQ_BEFORE_BODY] = 0x80 | (seq & 0x7f);
    this.bytes[at - SEQ_BEFORE_BODY + 1] = (seq >> 7) & 1;
  }

  /** Gives the first `count` packets the Packet Identifiers from `packetId` on, after 65535 comes 1. */
  identify(packetId: number, count: number): void {
    let at = this.#payloadAt - 2;
    let id = packetId;
    for (let index = 0; index < count; index++) {
      this.#view.setUint16(at, id);
      at += this.stride;
      id = id === 65535 ? 1 : id + 1;
    }
  }

  /** Writes both times into packet `index`. */
  stamp(index: number, times: { dueMs: number; writtenMs: number }): void {
    const at = index * this.stride + this.#payloadAt;
    this.#view.setFloat64(at + DUE_AT, times.dueMs);
    this.#view.setFloat64(at + WRITTEN_AT, times.writtenMs);
  }
}

function encodePublish(
  topic: string,
  shape: BatchShape,
  prefix: Iterable<number>,
): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(FILLING);
  payload.fill(0, 0, PUBLISHER_AT);
  payload[PUBLISHER_AT] = shape.publisher >> 8;
  payload[PUBLISHER_AT + 1] = shape.publisher & 255;
  const packetId = shape.qos > 0 ? [0, 1] : [];
  const body = [...lengthPrefixed(topic), ...packetId, ...prefix, ...payload];
  if (body.length > (shape.sparkplug === true ? 16_383 : 127)) {
    throw new Error(`Cannot encode PUBLISH: topic too long: "${topic}"`);
  }
  return withFixedHeader(0x30 | (shape.qos << 1), body);
}

function lengthPrefixed(text: string): number[] {
  const bytes = encoder.encode(text);
  return [bytes.length >> 8, bytes.length & 255, ...bytes];
}

function withFixedHeader(first: number, body: readonly number[]): Uint8Array<ArrayBuffer> {
  const header = [first];
  let rest = body.length;
  do {
    header.push(rest > 127 ? (rest & 127) | 128 : rest);
    rest >>= 7;
  } while (rest > 0);
  const packet = new Uint8Array(header.length + body.length);
  packet.set(header);
  packet.set(body, header.length);
  return packet;
}
