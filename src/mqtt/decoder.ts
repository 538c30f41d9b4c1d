/** Bytes to Control Packets, for either direction. */
import {
  type AcknowledgementPacket,
  type ConnackPacket,
  type ControlPacket,
  PACKET_NAMES,
  type PublishPacket,
  type SubackPacket,
} from "./control_packet.ts";
import { decodeConnect } from "./connect.ts";
import { Frame, FrameStatus } from "./frame.ts";
import type { DecoderLimits } from "./limits.ts";
import { DecodeError, isProtocolError, type ProtocolError } from "./protocol_error.ts";
import { PublishView } from "./publish.ts";
import { decodeSubscribe, decodeUnsubscribe } from "./subscribe.ts";
import { decodeTopicName } from "./topic.ts";

/** What `decodePacket` found at the start of its bytes. */
export type DecodeResult =
  | { readonly status: "packet"; readonly packet: ControlPacket; readonly end: number }
  | { readonly status: "incomplete"; readonly totalBytes: number }
  | { readonly status: "error"; readonly error: ProtocolError };

/**
 * Decodes the Control Packet at `start` of `bytes`. Payloads are copied. `totalBytes` of an
 * incomplete packet is 0 as long as its Remaining Length is not known.
 */
export function decodePacket(
  bytes: Uint8Array,
  start: number,
  limits: DecoderLimits,
): DecodeResult {
  const frame = new Frame();
  const packetBytesMax = limits.packetBytesMax;
  const status = frame.read(bytes, start, { limit: bytes.length, packetBytesMax });
  if (status === FrameStatus.error) return { status: "error", error: frame.error };
  if (status === FrameStatus.incomplete) {
    return { status: "incomplete", totalBytes: frame.totalBytes };
  }
  const packet = decodeBody(bytes, frame, limits);
  if (isProtocolError(packet)) return { status: "error", error: packet };
  return { status: "packet", packet, end: frame.end };
}

function decodeBody(
  bytes: Uint8Array,
  frame: Frame,
  limits: DecoderLimits,
): ControlPacket | ProtocolError {
  const range = { start: frame.bodyStart, end: frame.end };
  const name = PACKET_NAMES[frame.first >> 4];
  switch (name) {
    case "CONNECT":
      return decodeConnect(bytes, range, limits);
    case "PUBLISH":
      return decodePublish(bytes, frame, limits);
    case "SUBSCRIBE":
      return decodeSubscribe(bytes, range, limits);
    case "UNSUBSCRIBE":
      return decodeUnsubscribe(bytes, range, limits);
    case "CONNACK":
      return decodeConnack(bytes, range);
    case "SUBACK":
      return decodeSuback(bytes, range);
    case "PINGREQ":
    case "PINGRESP":
    case "DISCONNECT":
      return range.start === range.end ? { type: name } : DecodeError.wrongLength;
    default: {
      const packetId = decodePacketId(bytes, range.start, range.end);
      if (typeof packetId !== "number") return packetId;
      return { type: name as AcknowledgementPacket["type"], packetId };
    }
  }
}

/** Reads the body of a packet that is a Packet Identifier and nothing else, `bytes[start, end)`. */
export function decodePacketId(
  bytes: Uint8Array,
  start: number,
  end: number,
): number | ProtocolError {
  if (end - start !== 2) return DecodeError.wrongLength;
  const packetId = (bytes[start]! << 8) | bytes[start + 1]!;
  return packetId === 0 ? DecodeError.packetIdZero : packetId; // [MQTT-2.3.1-1]
}

function decodePublish(
  bytes: Uint8Array,
  frame: Frame,
  limits: DecoderLimits,
): PublishPacket | ProtocolError {
  const view = new PublishView();
  const fault = view.read(bytes, frame.first, frame);
  if (fault !== null) return fault;
  const topic = decodeTopicName(bytes, { start: view.topicStart, end: view.topicEnd }, limits);
  if (typeof topic !== "string") return topic;
  return {
    type: "PUBLISH",
    dup: view.dup,
    qos: view.qos,
    retain: view.retain,
    topic,
    packetId: view.packetId,
    payload: bytes.slice(view.payloadStart, view.end),
  };
}

function decodeConnack(
  bytes: Uint8Array,
  range: { start: number; end: number },
): ConnackPacket | ProtocolError {
  const { start, end } = range;
  if (end - start !== 2) return DecodeError.wrongLength;
  const acknowledgeFlags = bytes[start]!;
  if (acknowledgeFlags > 1) return DecodeError.fixedHeaderFlags;
  return { type: "CONNACK", sessionPresent: acknowledgeFlags === 1, returnCode: bytes[start + 1]! };
}

function decodeSuback(
  bytes: Uint8Array,
  range: { start: number; end: number },
): SubackPacket | ProtocolError {
  const { start, end } = range;
  if (end - start < 3) return DecodeError.wrongLength;
  const packetId = decodePacketId(bytes, start, start + 2);
  if (typeof packetId !== "number") return packetId;
  return { type: "SUBACK", packetId, returnCodes: [...bytes.subarray(start + 2, end)] };
}
