/** Control Packets to bytes. */
import type { ByteBuffer } from "./byte_buffer.ts";
import {
  type ConnectPacket,
  type ControlPacket,
  PacketType,
  type PublishPacket,
} from "./control_packet.ts";
import { remainingLengthBytes } from "./frame.ts";
import { encodeUtf8 } from "./utf8.ts";

/** Flags that PUBREL, SUBSCRIBE and UNSUBSCRIBE carry by specification. */
const FLAG_BIT_1 = 0x02;

/**
 * Writes fixed header `first` with Remaining Length `remaining` at `at`; gives the next offset.
 * Positional, because it runs once for each message and subscriber.
 */
export function writeFixedHeader(
  target: Uint8Array,
  at: number,
  first: number,
  remaining: number,
): number {
  target[at++] = first;
  let rest = remaining;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** Appends a four-byte packet: PUBACK, PUBREC, PUBREL, PUBCOMP or UNSUBACK. */
export function appendAcknowledgement(buffer: ByteBuffer, first: number, packetId: number): void {
  const at = buffer.extend(4);
  const bytes = buffer.bytes;
  bytes[at] = first;
  bytes[at + 1] = 2;
  bytes[at + 2] = packetId >> 8;
  bytes[at + 3] = packetId & 0xff;
}

/** Encodes any Control Packet. Lengths must fit their fields, or a RangeError is thrown. */
export function encodePacket(packet: ControlPacket): Uint8Array {
  switch (packet.type) {
    case "CONNECT":
      return frame(PacketType.CONNECT << 4, connectFields(packet));
    case "CONNACK":
      return frame(PacketType.CONNACK << 4, [
        Uint8Array.of(packet.sessionPresent ? 1 : 0, packet.returnCode),
      ]);
    case "PUBLISH":
      return frame(publishFirstByte(packet), publishFields(packet));
    case "SUBSCRIBE":
      return frame((PacketType.SUBSCRIBE << 4) | FLAG_BIT_1, [
        uint16(packet.packetId),
        ...packet.subscriptions.flatMap((s) => [text(s.filter), Uint8Array.of(s.qos)]),
      ]);
    case "SUBACK":
      return frame(PacketType.SUBACK << 4, [
        uint16(packet.packetId),
        Uint8Array.from(packet.returnCodes),
      ]);
    case "UNSUBSCRIBE":
      return frame((PacketType.UNSUBSCRIBE << 4) | FLAG_BIT_1, [
        uint16(packet.packetId),
        ...packet.filters.map(text),
      ]);
    case "PINGREQ":
    case "PINGRESP":
    case "DISCONNECT":
      return frame(PacketType[packet.type] << 4, []);
    default: {
      const flags = packet.type === "PUBREL" ? FLAG_BIT_1 : 0;
      return frame((PacketType[packet.type] << 4) | flags, [uint16(packet.packetId)]);
    }
  }
}

function connectFields(packet: ConnectPacket): Uint8Array[] {
  const { will, userName, password } = packet;
  const flags = (packet.cleanSession ? 0x02 : 0) |
    (will === null ? 0 : 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0)) |
    (password === null ? 0 : 0x40) | (userName === null ? 0 : 0x80);
  const fields = [
    text(packet.protocolLevel === 3 ? "MQIsdp" : "MQTT"),
    Uint8Array.of(packet.protocolLevel, flags),
    uint16(packet.keepAliveSeconds),
    text(packet.clientIdentifier),
  ];
  if (will !== null) fields.push(text(will.topic), prefixed(will.payload));
  if (userName !== null) fields.push(text(userName));
  if (password !== null) fields.push(prefixed(password));
  return fields;
}

function publishFirstByte(packet: PublishPacket): number {
  return (PacketType.PUBLISH << 4) | (packet.dup ? 0x08 : 0) | (packet.qos << 1) |
    (packet.retain ? 0x01 : 0);
}

function publishFields(packet: PublishPacket): Uint8Array[] {
  const fields = [text(packet.topic)];
  if (packet.qos > 0) fields.push(uint16(packet.packetId)); // [MQTT-2.3.1-5]
  fields.push(packet.payload);
  return fields;
}

function frame(first: number, fields: readonly Uint8Array[]): Uint8Array {
  const remaining = fields.reduce((sum, field) => sum + field.length, 0);
  if (remaining > 268_435_455) {
    throw new RangeError(`Cannot encode packet: ${remaining} bytes do not fit Remaining Length`);
  }
  const bytes = new Uint8Array(1 + remainingLengthBytes(remaining) + remaining);
  let at = writeFixedHeader(bytes, 0, first, remaining);
  for (const field of fields) {
    bytes.set(field, at);
    at += field.length;
  }
  return bytes;
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff);
}

function text(value: string): Uint8Array {
  return prefixed(encodeUtf8(value));
}

function prefixed(content: Uint8Array): Uint8Array {
  if (content.length > 65_535) {
    throw new RangeError(
      `Cannot encode field: ${content.length} bytes do not fit two length bytes`,
    );
  }
  const field = new Uint8Array(2 + content.length);
  field[0] = content.length >> 8;
  field[1] = content.length & 0xff;
  field.set(content, 2);
  return field;
}
