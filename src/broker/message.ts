/** Application Messages in memory: encoded once, shared by every session they go to. */
import {
  type ByteBuffer,
  copyBytes,
  type PublishView,
  type Qos,
  remainingLengthBytes,
  writeFixedHeader,
} from "../mqtt/mod.ts";

const PUBLISH = 0x30;
const SLAB_BYTES = 16_384;
const SHARED_BYTES_MAX = 1024;
const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * `bytes[start, end)` holds two length bytes, the Topic Name and the payload: the body of a QoS 0
 * PUBLISH. The bytes never change.
 */
export class Message {
  bytes: Uint8Array;
  start: number;
  topicEnd: number;
  end: number;
  readonly qos: Qos;
  /** Number of this message in the store, 0 as long as nothing durable refers to it. */
  storeId = 0;

  constructor(
    bytes: Uint8Array,
    range: { start: number; topicEnd: number; end: number; qos: Qos },
  ) {
    this.bytes = bytes;
    this.start = range.start;
    this.topicEnd = range.topicEnd;
    this.end = range.end;
    this.qos = range.qos;
  }

  /** Bytes of Topic Name and payload. */
  get size(): number {
    return this.end - this.start;
  }

  /** The Topic Name. */
  get topic(): string {
    return TEXT.decode(this.bytes.subarray(this.start + 2, this.topicEnd));
  }

  /** The payload, a view of the shared bytes. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.topicEnd, this.end);
  }

  /** Moves the message to memory of its own, so that it does not keep its neighbours alive. */
  detach(): void {
    if (this.bytes.length === this.size) return;
    const { start } = this;
    this.bytes = this.bytes.slice(start, this.end);
    this.topicEnd -= start;
    this.end -= start;
    this.start = 0;
  }

  /** Bytes of the PUBLISH at this QoS. */
  packetBytes(qos: Qos): number {
    const remaining = this.size + (qos > 0 ? 2 : 0);
    return 1 + remainingLengthBytes(remaining) + remaining;
  }

  /**
   * Appends the PUBLISH with the flags DUP, QoS and RETAIN in `flags`, and `packetId` where the QoS
   * is above 0. Positional, because it runs once for each message and subscriber.
   */
  appendTo(buffer: ByteBuffer, flags: number, packetId: number): void {
    const withId = (flags & 0x06) !== 0;
    const remaining = this.end - this.start + (withId ? 2 : 0);
    const total = 1 + remainingLengthBytes(remaining) + remaining;
    let at = buffer.extend(total);
    const target = buffer.bytes;
    at = writeFixedHeader(target, at, PUBLISH | flags, remaining);
    if (!withId) {
      copyBytes(this.bytes, this.start, this.end, target, at); // [MQTT-2.3.1-5]
      return;
    }
    copyBytes(this.bytes, this.start, this.topicEnd, target, at);
    at += this.topicEnd - this.start;
    target[at] = packetId >> 8;
    target[at + 1] = packetId & 0xff;
    copyBytes(this.bytes, this.topicEnd, this.end, target, at + 2);
  }
}

/** Makes messages; short ones share blocks, because an array for each would cost more than itself. */
export class MessageArena {
  #slab = new Uint8Array(SLAB_BYTES);
  #used = 0;

  /** Copies the PUBLISH that `view` describes out of the bytes it came in. */
  copy(source: Uint8Array, view: PublishView): Message {
    const topicBytes = view.topicEnd - view.topicStart + 2;
    const size = topicBytes + view.end - view.payloadStart;
    let bytes: Uint8Array;
    let start = 0;
    if (size > SHARED_BYTES_MAX) bytes = new Uint8Array(size);
    else {
      if (this.#used + size > SLAB_BYTES) {
        this.#slab = new Uint8Array(SLAB_BYTES);
        this.#used = 0;
      }
      bytes = this.#slab;
      start = this.#used;
      this.#used += size;
    }
    const topicEnd = start + topicBytes;
    copyBytes(source, view.topicStart - 2, view.topicEnd, bytes, start);
    copyBytes(source, view.payloadStart, view.end, bytes, topicEnd);
    return new Message(bytes, { start, topicEnd, end: start + size, qos: view.qos });
  }
}

/** A message that the server itself publishes, or that comes from the store or a Will. */
export function makeMessage(topic: string, payload: Uint8Array, qos: Qos): Message {
  const name = new TextEncoder().encode(topic);
  const bytes = new Uint8Array(2 + name.length + payload.length);
  bytes[0] = name.length >> 8;
  bytes[1] = name.length & 0xff;
  bytes.set(name, 2);
  bytes.set(payload, 2 + name.length);
  return new Message(bytes, { start: 0, topicEnd: 2 + name.length, end: bytes.length, qos });
}
