/**
 * The packets that clients of the fuzzer send most, written at once: the encoder has targets of its
 * own, and is too slow in small pieces for millions of them.
 */
import { type ControlPacket, encodePacket, type PublishPacket } from "../src/mqtt/mod.ts";

const ENCODER = new TextEncoder();
const SPACE = 0x20;
const PUBLISH_FIRST = 0x30;
const FIRST_BYTES = { PUBACK: 0x40, PUBREC: 0x50, PUBREL: 0x62, PUBCOMP: 0x70 } as const;
/** Topic Names as bytes: there are few. */
const TOPICS = new Map<string, Uint8Array>();

/** An acknowledgement. */
export function acknowledgement(type: keyof typeof FIRST_BYTES, packetId: number): Uint8Array {
  return Uint8Array.of(FIRST_BYTES[type], 2, packetId >> 8, packetId & 0xff);
}

/** ASCII text as payload, with blanks behind it up to a length. */
export function paddedPayload(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(text.length, length));
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.fill(SPACE, text.length);
}

/** Where a payload ends without the blanks behind it. */
export function endOfPadded(payload: Uint8Array): number {
  let end = payload.length;
  while (end > 0 && payload[end - 1] === SPACE) end--;
  return end;
}

/** The bytes of packets of one client, one behind the other. */
export function clientBytes(packets: readonly ControlPacket[]): Uint8Array {
  let length = 0;
  const others: Uint8Array[] = [];
  for (const packet of packets) {
    if (packet.type === "PUBLISH") {
      length += packet.payload.length + topicBytes(packet.topic).length + 9;
      continue;
    }
    const bytes = encodePacket(packet);
    length += bytes.length;
    others.push(bytes);
  }
  const all = new Uint8Array(length);
  let at = 0;
  let next = 0;
  for (const packet of packets) {
    if (packet.type === "PUBLISH") {
      at = writePublish(all, at, packet);
      continue;
    }
    const bytes = others[next++]!;
    all.set(bytes, at);
    at += bytes.length;
  }
  return all.subarray(0, at);
}

function writePublish(all: Uint8Array, start: number, packet: PublishPacket): number {
  const topic = topicBytes(packet.topic);
  let remaining = 2 + topic.length + (packet.qos > 0 ? 2 : 0) + packet.payload.length;
  let at = start;
  all[at++] = PUBLISH_FIRST | (packet.dup ? 8 : 0) | packet.qos << 1 | (packet.retain ? 1 : 0);
  for (; remaining > 127; remaining >>= 7) all[at++] = remaining & 127 | 128;
  all[at++] = remaining;
  all[at++] = topic.length >> 8;
  all[at++] = topic.length & 0xff;
  all.set(topic, at);
  at += topic.length;
  if (packet.qos > 0) {
    all[at++] = packet.packetId >> 8;
    all[at++] = packet.packetId & 0xff;
  }
  all.set(packet.payload, at);
  return at + packet.payload.length;
}

function topicBytes(topic: string): Uint8Array {
  let bytes = TOPICS.get(topic);
  if (bytes === undefined) TOPICS.set(topic, bytes = ENCODER.encode(topic));
  return bytes;
}
