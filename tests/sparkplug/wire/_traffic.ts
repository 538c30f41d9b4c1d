/** Sparkplug messages as a client sends them: payloads field by field, and topics. */
import type { PublishPacket, Qos } from "../../../src/mqtt/mod.ts";
import { concatenate, name, type WireClient } from "../../support/wire_client.ts";

/** In front of the topic of a birth. */
export const CERTIFICATES = "$sparkplug/certificates/";

/** A payload: its time stamp and `seq` if given, and metrics. */
export interface PayloadFields {
  readonly timestampMs?: number;
  readonly metrics?: readonly Uint8Array[];
  readonly seq?: number;
}

/** A payload in the order of its field numbers. */
export function sparkplugPayload({ timestampMs, metrics = [], seq }: PayloadFields): Uint8Array {
  return concatenate([
    ...(timestampMs === undefined ? [] : [field(1, 0), varint(timestampMs)]),
    ...metrics.flatMap((metric) => [field(2, 2), varint(metric.length), metric]),
    ...(seq === undefined ? [] : [field(3, 0), varint(seq)]),
  ]);
}

/** A metric of type Int64. */
export function metric(metricName: string, value: number): Uint8Array {
  const text = new TextEncoder().encode(metricName);
  const head = [field(1, 2), varint(text.length), text];
  return concatenate([...head, field(4, 0), varint(4), field(11, 0), varint(value)]);
}

/** A birth with one metric of this value. */
export function birth(value: number, seq = 0): Uint8Array {
  return sparkplugPayload({ timestampMs: Date.now(), metrics: [metric("value", value)], seq });
}

/** An NDEATH: `bdSeq`, and a time stamp if given. */
export function death(bdSeq: number, timestampMs?: number): Uint8Array {
  const metrics = [metric("bdSeq", bdSeq)];
  return sparkplugPayload(timestampMs === undefined ? { metrics } : { timestampMs, metrics });
}

/** Publishes bytes, and completes the handshake at QoS 1. */
export async function send(
  client: WireClient,
  topic: string,
  options: { payload: Uint8Array; qos?: Qos; retain?: boolean },
): Promise<void> {
  const { payload, qos = 0, retain = false } = options;
  const packetId = qos === 0 ? 0 : 77;
  await client.send({
    type: "PUBLISH",
    dup: false,
    qos,
    retain,
    topic: name(topic),
    packetId,
    payload,
  });
  if (qos === 1) await client.expect("PUBACK");
}

/** The messages that the broker has sent so far, acknowledged. */
export async function received(client: WireClient): Promise<PublishPacket[]> {
  const messages: PublishPacket[] = [];
  for (const packet of await client.drain()) {
    if (packet.type !== "PUBLISH") throw new Error(`Cannot read messages: got ${packet.type}`);
    if (packet.qos === 1) await client.send({ type: "PUBACK", packetId: packet.packetId });
    messages.push(packet);
  }
  return messages;
}

/** The time stamp of a payload, which must be its first field, and the bytes behind it. */
export function splitTimestamp(payload: Uint8Array): { timestampMs: number; rest: Uint8Array } {
  if (payload[0] !== 0x08) throw new Error(`Cannot read time stamp: first byte ${payload[0]}`);
  let timestampMs = 0;
  let scale = 1;
  let at = 1;
  for (;; at++, scale *= 128) {
    timestampMs += (payload[at]! & 0x7f) * scale;
    if (payload[at]! < 0x80) break;
  }
  return { timestampMs, rest: payload.subarray(at + 1) };
}

function field(number: number, wireType: number): Uint8Array {
  return varint(number * 8 + wireType);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
