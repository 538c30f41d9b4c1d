/** CONNECT (section 3.1). */
import type { ConnectPacket, Qos, Will } from "./control_packet.ts";
import { FieldReader } from "./field_reader.ts";
import type { DecoderLimits } from "./limits.ts";
import { DecodeError, type ProtocolError } from "./protocol_error.ts";
import { decodeTopicName, type TopicName } from "./topic.ts";

const RESERVED = 0x01;
const CLEAN_SESSION = 0x02;
const WILL = 0x04;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USER_NAME = 0x80;

/** Reads the body of a CONNECT, `bytes[start, end)`. [MQTT-3.1.4-1] */
export function decodeConnect(
  bytes: Uint8Array,
  range: { start: number; end: number },
  limits: DecoderLimits,
): ConnectPacket | ProtocolError {
  const reader = new FieldReader(bytes, { ...range, truncated: DecodeError.connectMalformed });
  const name = reader.string();
  const level = reader.uint8();
  const protocolFault = reader.fault ?? judgeProtocol(name, level, limits);
  if (protocolFault !== null) return protocolFault;
  const flags = reader.uint8();
  const keepAliveSeconds = reader.uint16();
  const flagsFault = reader.fault ?? judgeFlags(flags);
  if (flagsFault !== null) return flagsFault;

  // The order is fixed. [MQTT-3.1.3-1] [MQTT-3.1.3-3]
  const identifierStart = reader.position + 2;
  const clientIdentifier = reader.string(); // [MQTT-3.1.3-4]
  const identifierBytes = reader.position - identifierStart;
  const will = (flags & WILL) === 0 ? null : readWill(reader, flags, limits);
  const userName = (flags & USER_NAME) === 0 ? null : reader.string(); // [MQTT-3.1.3-11]
  const password = (flags & PASSWORD) === 0 ? null : reader.binary();
  if (reader.fault !== null) return reader.fault;
  if (!reader.done) return DecodeError.connectMalformed;
  const cleanSession = (flags & CLEAN_SESSION) !== 0;
  if (clientIdentifier === "" && !cleanSession) return DecodeError.emptyClientIdentifier;
  if (identifierBytes > limits.clientIdentifierBytesMax) return DecodeError.clientIdentifierTooLong;
  return {
    type: "CONNECT",
    protocolLevel: level as 3 | 4,
    cleanSession,
    keepAliveSeconds,
    clientIdentifier,
    will,
    userName,
    password,
  };
}

function judgeProtocol(name: string, level: number, limits: DecoderLimits): ProtocolError | null {
  if (name === "MQTT") {
    if (level === 4) return null;
    return level === 5 ? DecodeError.protocolLevel5 : DecodeError.protocolLevel; // [MQTT-3.1.2-2]
  }
  if (name === "MQIsdp") {
    return level === 3 && limits.mqtt31 ? null : DecodeError.protocolLevel;
  }
  return DecodeError.protocolName; // [MQTT-3.1.2-1]
}

function judgeFlags(flags: number): ProtocolError | null {
  if ((flags & RESERVED) !== 0) return DecodeError.connectReservedFlag; // [MQTT-3.1.2-3]
  const willQos = (flags >> 3) & 3;
  if ((flags & WILL) === 0) {
    // [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15]
    if (willQos !== 0 || (flags & WILL_RETAIN) !== 0) return DecodeError.willFlagsWithoutWill;
  } else if (willQos === 3) return DecodeError.willQos3; // [MQTT-3.1.2-14]
  if ((flags & USER_NAME) === 0 && (flags & PASSWORD) !== 0) {
    return DecodeError.passwordWithoutUserName; // [MQTT-3.1.2-22]
  }
  return null;
}

function readWill(reader: FieldReader, flags: number, limits: DecoderLimits): Will {
  const range = reader.lengthPrefixed();
  const name = reader.fault ?? decodeTopicName(reader.bytes, range, limits); // [MQTT-3.1.3-10]
  const topic = reader.take(name, "" as TopicName);
  const payload = reader.binary();
  return {
    topic,
    payload,
    qos: ((flags >> 3) & 3) as Qos,
    retain: (flags & WILL_RETAIN) !== 0,
  };
}
