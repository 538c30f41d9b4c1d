/**
 * The peer's faults, as values. Each is one object made once, so that refusing a packet allocates
 * nothing and can be compared by identity.
 */

/** A breach of MQTT 3.1.1 or of a limit by the peer; the connection it came from is closed. */
export interface ProtocolError {
  /** The normative statement that was broken (`MQTT-3.1.0-2`), or `limit:` and the key of a limit. */
  readonly tag: string;
  /** What was wrong, for the log. */
  readonly reason: string;
  /** Bytes to send before the connection is closed (a CONNACK), or null for none. */
  readonly farewell: Uint8Array | null;
}

/** Makes a protocol error; `connack` is the return code of the CONNACK that goes out first. */
export function protocolError(tag: string, reason: string, connack?: number): ProtocolError {
  const farewell = connack === undefined ? null : new Uint8Array([0x20, 2, 0, connack]);
  return { tag, reason, farewell };
}

/** Every protocol error that decoding can find, by name. */
export const DecodeError = {
  reservedPacketType: protocolError("MQTT-4.8.0-1", "Control Packet type 0 or 15 is reserved"),
  fixedHeaderFlags: protocolError("MQTT-2.2.2-2", "reserved flags of the fixed header are set"),
  pubrelFlags: protocolError("MQTT-3.6.1-1", "PUBREL flags are not 0010"),
  subscribeFlags: protocolError("MQTT-3.8.1-1", "SUBSCRIBE flags are not 0010"),
  unsubscribeFlags: protocolError("MQTT-3.10.1-1", "UNSUBSCRIBE flags are not 0010"),
  disconnectFlags: protocolError("MQTT-3.14.1-1", "DISCONNECT flags are not 0000"),
  publishQos3: protocolError("MQTT-3.3.1-4", "PUBLISH with both QoS bits set"),
  publishDupQos0: protocolError("MQTT-3.3.1-2", "PUBLISH with DUP at QoS 0"),
  remainingLengthTooLong: protocolError("MQTT-4.8.0-1", "Remaining Length has a fifth byte"),
  packetTooLarge: protocolError("limit:packet_bytes_max", "Control Packet exceeds the limit"),
  wrongLength: protocolError("MQTT-4.8.0-1", "Remaining Length does not fit the packet"),
  packetTruncated: protocolError("MQTT-4.8.0-1", "a field runs past the end of the packet"),
  packetIdZero: protocolError("MQTT-2.3.1-1", "Packet Identifier is 0"),
  illFormedUtf8: protocolError("MQTT-1.5.3-1", "string is not well-formed UTF-8"),
  nullCharacter: protocolError("MQTT-1.5.3-2", "string contains U+0000"),
  protocolName: protocolError("MQTT-3.1.2-1", "protocol name is not MQTT"),
  protocolLevel: protocolError("MQTT-3.1.2-2", "protocol level is not supported", 1),
  /** MQTT 5 clients read reason code 0x84, Unsupported Protocol Version, in their own CONNACK form. */
  protocolLevel5: {
    tag: "MQTT-3.1.2-2",
    reason: "MQTT 5 is not supported",
    farewell: new Uint8Array([0x20, 3, 0, 0x84, 0]),
  } satisfies ProtocolError,
  connectReservedFlag: protocolError("MQTT-3.1.2-3", "reserved CONNECT flag is set"),
  willFlagsWithoutWill: protocolError("MQTT-3.1.2-11", "Will QoS or Will Retain without Will Flag"),
  willQos3: protocolError("MQTT-3.1.2-14", "Will QoS is 3"),
  passwordWithoutUserName: protocolError("MQTT-3.1.2-22", "Password Flag without User Name Flag"),
  connectMalformed: protocolError("MQTT-3.1.4-1", "CONNECT does not conform to section 3.1"),
  emptyClientIdentifier: protocolError(
    "MQTT-3.1.3-8",
    "zero-byte Client Identifier with Clean Session 0",
    2,
  ),
  clientIdentifierTooLong: protocolError(
    "limit:client_identifier_bytes_max",
    "Client Identifier exceeds the limit",
    2,
  ),
  topicWildcard: protocolError("MQTT-3.3.2-2", "Topic Name contains a wildcard"),
  topicEmpty: protocolError("MQTT-4.7.3-1", "Topic Name or Topic Filter is empty"),
  topicTooLong: protocolError("limit:topic_bytes_max", "topic exceeds the limit of bytes"),
  topicTooDeep: protocolError("limit:topic_levels_max", "topic exceeds the limit of levels"),
  filterMultiLevel: protocolError("MQTT-4.7.1-2", "# is not the whole last level"),
  filterSingleLevel: protocolError("MQTT-4.7.1-3", "+ does not occupy an entire level"),
  subscribeEmpty: protocolError("MQTT-3.8.3-3", "SUBSCRIBE without a Topic Filter"),
  subscribeReservedBits: protocolError("MQTT-3-8.3-4", "reserved bits or QoS 3 in SUBSCRIBE"),
  unsubscribeEmpty: protocolError("MQTT-3.10.3-2", "UNSUBSCRIBE without a Topic Filter"),
} as const;

/** Tells a protocol error from a decoded value. */
export function isProtocolError(value: object): value is ProtocolError {
  return "farewell" in value;
}
