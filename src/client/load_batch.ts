/** PUBLISH packets of a load, encoded once and patched before each write. */
import { encodePacket, type Qos, type TopicName } from "../mqtt/mod.ts";

/** Where the number of a message stands in its payload: uint32. */
const SEQUENCE_AT = 0;
/** Where the time stands at which it was due: float64, in ms of `performance.now()`. */
const DUE_AT = 4;
/** Payloads are at least so long. */
export const LOAD_PAYLOAD_BYTES_MIN = 12;

/** A row of packets of equal size in one buffer. */
export class LoadBatch {
  /** All packets, one behind the other. */
  readonly bytes: Uint8Array;
  /** Bytes of one packet. */
  readonly stride: number;
  readonly #view: DataView;
  readonly #payloadAt: number;

  constructor(
    { topic, qos, payloadBytes }: { topic: TopicName; qos: Qos; payloadBytes: number },
    count: number,
  ) {
    const payload = new Uint8Array(payloadBytes).fill(0x2e);
    const flags = { dup: false, retain: false, packetId: qos === 0 ? 0 : 1 };
    const packet = encodePacket({ type: "PUBLISH", topic, qos, payload, ...flags });
    this.stride = packet.length;
    this.bytes = new Uint8Array(count * packet.length);
    for (let i = 0; i < count; i++) this.bytes.set(packet, i * packet.length);
    this.#view = new DataView(this.bytes.buffer);
    this.#payloadAt = packet.length - payloadBytes;
  }

  /** Numbers packet `index`, and notes when it was due. */
  stamp(index: number, { sequence, dueMs }: { sequence: number; dueMs: number }): void {
    const at = index * this.stride + this.#payloadAt;
    this.#view.setUint32(at + SEQUENCE_AT, sequence);
    this.#view.setFloat64(at + DUE_AT, dueMs);
  }

  /** Gives packet `index` its Packet Identifier. */
  identify(index: number, packetId: number): void {
    this.#view.setUint16(index * this.stride + this.#payloadAt - 2, packetId);
  }
}

/** Number of the message whose payload begins at `at`. */
export function sequenceAt(view: DataView, at: number): number {
  return view.getUint32(at + SEQUENCE_AT);
}

/** When it was due. */
export function dueMsAt(view: DataView, at: number): number {
  return view.getFloat64(at + DUE_AT);
}
