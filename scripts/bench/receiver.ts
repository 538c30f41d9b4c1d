/** The receiving end of one connection: counts frames, checks sequence numbers, prepares acks. */

import {
  DUE_AT,
  FILLING,
  PAYLOAD_BYTES,
  PUBLISHER_AT,
  type Qos,
  SEQUENCE_AT,
  WRITTEN_AT,
} from "./packets.ts";
import { epochNowMs } from "./clock.ts";
import type { LatencyLog } from "./latency_log.ts";

/** What a receiver has to expect. */
export interface ReceiverShape {
  /** The level every PUBLISH must have; "mixed" takes QoS 0 and 1. */
  qos: Qos | "mixed";
  /** How many publishers there are; each numbers its own messages. */
  publishers: number;
  bufferBytes: number;
  /** The only topic that can come; absent where a filter matches many. */
  topic?: string;
  /** Where to note latencies; absent when they are not measured. */
  latencies?: LatencyLog;
}

const decoder = new TextDecoder();
const NO_BYTES = new Uint8Array(0);

/**
 * Reads into one fixed buffer and walks its frames by their length bytes, without an allocation per
 * frame. Only packets of the rig's own size can come, so a longer one is an error.
 */
export class Receiver {
  /** PUBLISH packets so far. */
  received = 0;
  /** Sequence numbers left out so far. */
  missing = 0;
  /** PUBLISH packets whose sequence number did not rise: doubled or out of order. */
  disorder = 0;
  readonly #shape: ReceiverShape;
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  readonly #acks: Uint8Array;
  readonly #next: Float64Array;
  #end = 0;
  #ackBytes = 0;

  constructor(shape: ReceiverShape) {
    this.#shape = shape;
    this.#buffer = new Uint8Array(shape.bufferBytes);
    this.#view = new DataView(this.#buffer.buffer);
    this.#acks = new Uint8Array(shape.qos === 0 ? 0 : shape.bufferBytes);
    this.#next = new Float64Array(shape.publishers);
  }

  /** Room for the next read, at most `bytesMax`. */
  room(bytesMax = this.#buffer.length): Uint8Array {
    return this.#buffer.subarray(this.#end, Math.min(this.#buffer.length, this.#end + bytesMax));
  }

  /**
   * Takes in `count` bytes that were read into the room. Returns the acknowledgements to send, valid
   * until the next call. Throws on anything a subscriber of this rig can never receive.
   */
  accept(count: number): Uint8Array {
    const buffer = this.#buffer;
    const end = this.#end + count;
    const nowMs = this.#shape.latencies === undefined ? 0 : epochNowMs();
    this.#ackBytes = 0;
    let at = 0;
    while (at + 2 <= end) {
      const first = buffer[at] ?? 0;
      let length = buffer[at + 1] ?? 0;
      let body = at + 2;
      if (length > 127) {
        if (body === end) break;
        const high = buffer[body++] ?? 0;
        if (high > 127) throw new Error(`Cannot scan: frame ${first} has a long length`);
        length = (length & 127) | (high << 7);
      }
      const next = body + length;
      if (next > end) break;
      if (at === 0 && first >> 4 === 3) this.#verify(body, next);
      if (first >> 4 === 3) this.#acceptPublish(first, { payloadAt: next - PAYLOAD_BYTES, nowMs });
      else this.#acceptControl(first, at);
      at = next;
    }
    if (at < end) buffer.copyWithin(0, at, end);
    this.#end = end - at;
    return this.#ackBytes === 0 ? NO_BYTES : this.#acks.subarray(0, this.#ackBytes);
  }

  #acceptPublish(first: number, frame: { payloadAt: number; nowMs: number }): void {
    const { payloadAt } = frame;
    const qos = (first >> 1) & 3;
    if (qos !== this.#shape.qos && this.#shape.qos !== "mixed") {
      throw new Error(`Cannot accept PUBLISH: QoS ${qos}`);
    }
    this.received++;
    const publisher = this.#view.getUint16(payloadAt + PUBLISHER_AT);
    const sequence = this.#view.getUint32(payloadAt + SEQUENCE_AT + 4);
    const expected = this.#next[publisher];
    if (expected === undefined) throw new Error(`Cannot accept PUBLISH: publisher ${publisher}`);
    if (sequence < expected) {
      this.disorder++;
    } else {
      this.missing += sequence - expected;
      this.#next[publisher] = sequence + 1;
    }
    if (qos > 0) this.#acknowledge(qos === 1 ? 0x40 : 0x50, payloadAt - 2);
    this.#shape.latencies?.note(frame.nowMs, {
      dueMs: this.#view.getFloat64(payloadAt + DUE_AT),
      writtenMs: this.#view.getFloat64(payloadAt + WRITTEN_AT),
    });
  }

  /** Compares all of the first PUBLISH of a read: topic and filling are not looked at in each. */
  #verify(body: number, end: number): void {
    const topicLength = this.#view.getUint16(body);
    const topicAt = body + 2;
    const topic = decoder.decode(this.#buffer.subarray(topicAt, topicAt + topicLength));
    if (this.#shape.topic !== undefined && topic !== this.#shape.topic) {
      throw new Error(`Cannot accept PUBLISH: topic "${topic}", not "${this.#shape.topic}"`);
    }
    for (let at = end - PAYLOAD_BYTES + PUBLISHER_AT + 2; at < end; at++) {
      if (this.#buffer[at] !== FILLING) throw new Error("Cannot accept PUBLISH: payload damaged");
    }
  }

  #acceptControl(first: number, at: number): void {
    if (first === 0x62 && this.#shape.qos === 2) this.#acknowledge(0x70, at + 2);
    else if (first !== 0xd0) throw new Error(`Cannot scan: unexpected first byte ${first}`);
  }

  #acknowledge(type: number, idAt: number): void {
    const at = this.#ackBytes;
    this.#acks[at] = type;
    this.#acks[at + 1] = 2;
    this.#acks[at + 2] = this.#buffer[idAt] ?? 0;
    this.#acks[at + 3] = this.#buffer[idAt + 1] ?? 0;
    this.#ackBytes = at + 4;
  }
}
