/** Protocol errors that the core finds: packets that are well-formed and not allowed. */
import { type ProtocolError, protocolError } from "../mqtt/mod.ts";

/** A packet that its connection or its exchange has no transition for. */
export const UNEXPECTED_PACKET: ProtocolError = protocolError(
  "MQTT-4.8.0-1",
  "packet is not allowed in this state",
);
/** [MQTT-3.1.0-1] */
export const FIRST_NOT_CONNECT: ProtocolError = protocolError(
  "MQTT-3.1.0-1",
  "first packet is not CONNECT",
);
/** [MQTT-3.1.0-2] */
export const SECOND_CONNECT: ProtocolError = protocolError("MQTT-3.1.0-2", "second CONNECT");
/** More Packet Identifiers than `receiveInFlightMax`. */
export const RECEIVE_LIMIT: ProtocolError = protocolError(
  "limit:receive_in_flight_max",
  "too many QoS 2 messages open",
);
/** The policy closes whoever publishes there. [MQTT-3.3.5-2] */
export const PUBLISH_REFUSED: ProtocolError = protocolError(
  "MQTT-3.3.5-2",
  "publish is not allowed",
);
/** Return code 2. [MQTT-3.1.3-9] */
export const ZERO_LENGTH_REFUSED: ProtocolError = protocolError(
  "MQTT-3.1.3-9",
  "zero-byte Client Identifiers are switched off",
  2,
);
