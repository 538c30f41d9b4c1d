/** SUBSCRIBE (section 3.8) and UNSUBSCRIBE (section 3.10). */
import type {
  Qos,
  SubscribePacket,
  SubscriptionRequest,
  UnsubscribePacket,
} from "./control_packet.ts";
import { FieldReader } from "./field_reader.ts";
import type { DecoderLimits } from "./limits.ts";
import { DecodeError, type ProtocolError } from "./protocol_error.ts";
import { decodeTopicFilter, type TopicFilter } from "./topic.ts";

/** Reads the body of a SUBSCRIBE, `bytes[start, end)`. */
export function decodeSubscribe(
  bytes: Uint8Array,
  range: { start: number; end: number },
  limits: DecoderLimits,
): SubscribePacket | ProtocolError {
  const reader = new FieldReader(bytes, { ...range, truncated: DecodeError.packetTruncated });
  const packetId = readPacketId(reader);
  const subscriptions: SubscriptionRequest[] = [];
  while (!reader.done) {
    const filter = readFilter(reader, limits);
    const options = reader.uint8();
    if (options > 2) reader.fault ??= DecodeError.subscribeReservedBits; // [MQTT-3-8.3-4]
    subscriptions.push({ filter, qos: options as Qos });
  }
  if (reader.fault !== null) return reader.fault;
  if (subscriptions.length === 0) return DecodeError.subscribeEmpty; // [MQTT-3.8.3-3]
  return { type: "SUBSCRIBE", packetId, subscriptions };
}

/** Reads the body of an UNSUBSCRIBE, `bytes[start, end)`. */
export function decodeUnsubscribe(
  bytes: Uint8Array,
  range: { start: number; end: number },
  limits: DecoderLimits,
): UnsubscribePacket | ProtocolError {
  const reader = new FieldReader(bytes, { ...range, truncated: DecodeError.packetTruncated });
  const packetId = readPacketId(reader);
  const filters: TopicFilter[] = [];
  while (!reader.done) filters.push(readFilter(reader, limits));
  if (reader.fault !== null) return reader.fault;
  if (filters.length === 0) return DecodeError.unsubscribeEmpty; // [MQTT-3.10.3-2]
  return { type: "UNSUBSCRIBE", packetId, filters };
}

function readPacketId(reader: FieldReader): number {
  const packetId = reader.uint16();
  if (packetId === 0) reader.fault ??= DecodeError.packetIdZero; // [MQTT-2.3.1-1]
  return packetId;
}

function readFilter(reader: FieldReader, limits: DecoderLimits): TopicFilter {
  const range = reader.lengthPrefixed();
  const filter = reader.fault ?? decodeTopicFilter(reader.bytes, range, limits);
  return reader.take(filter, "" as TopicFilter); // [MQTT-3.8.3-1] [MQTT-3.10.3-1]
}
