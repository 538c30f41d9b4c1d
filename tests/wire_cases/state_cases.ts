/** Packets that are well-formed and that the state of their sender forbids. */
import { bytes, packet, text } from "./wire_case.ts";

/** A packet that its state forbids. */
export interface StateCase {
  /** Reads as the rest of "The broker refuses …". */
  readonly name: string;
  readonly sender: "unconnected" | "connected";
  readonly bytes: Uint8Array;
  readonly tag: string;
}

const CONNECT = packet(0x10, text("MQTT"), 4, 2, 0, 0, text("second"));
const CLIENT_PACKETS: readonly (readonly [string, Uint8Array])[] = [
  ["PUBLISH", packet(0x30, text("a"), 1)],
  ["PUBACK", bytes(0x40, 2, 0, 1)],
  ["PUBREC", bytes(0x50, 2, 0, 1)],
  ["PUBREL", bytes(0x62, 2, 0, 1)],
  ["PUBCOMP", bytes(0x70, 2, 0, 1)],
  ["SUBSCRIBE", packet(0x82, 0, 1, text("a"), 0)],
  ["UNSUBSCRIBE", packet(0xa2, 0, 1, text("a"))],
  ["PINGREQ", bytes(0xc0, 0)],
  ["DISCONNECT", bytes(0xe0, 0)],
];
const SERVER_PACKETS: readonly (readonly [string, Uint8Array])[] = [
  ["CONNACK", bytes(0x20, 2, 0, 0)],
  ["SUBACK", bytes(0x90, 3, 0, 1, 0)],
  ["UNSUBACK", bytes(0xb0, 2, 0, 1)],
  ["PINGRESP", bytes(0xd0, 0)],
];

/** Every packet that no state of the connection table allows where it is sent. */
export const STATE_CASES: readonly StateCase[] = [
  ...[...CLIENT_PACKETS, ...SERVER_PACKETS].map(([type, raw]): StateCase => ({
    name: `a ${type} as the first packet [MQTT-3.1.0-1]`,
    sender: "unconnected",
    bytes: raw,
    tag: "MQTT-3.1.0-1",
  })),
  ...SERVER_PACKETS.map(([type, raw]): StateCase => ({
    name: `a ${type} from a client`,
    sender: "connected",
    bytes: raw,
    tag: "MQTT-4.8.0-1",
  })),
  {
    name: "a second CONNECT [MQTT-3.1.0-2]",
    sender: "connected",
    bytes: CONNECT,
    tag: "MQTT-3.1.0-2",
  },
  {
    name: "the first byte of a second CONNECT [MQTT-3.1.0-2]",
    sender: "connected",
    bytes: bytes(0x10),
    tag: "MQTT-3.1.0-2",
  },
  {
    name: "the first byte of a PUBLISH as the first packet [MQTT-3.1.0-1]",
    sender: "unconnected",
    bytes: bytes(0x30),
    tag: "MQTT-3.1.0-1",
  },
  {
    name: "a PUBLISH of five length bytes as the first packet [MQTT-3.1.0-1]",
    sender: "unconnected",
    bytes: bytes(0x30, 0xff, 0xff, 0xff, 0xff, 0x01),
    tag: "MQTT-3.1.0-1",
  },
  {
    name: "a second CONNECT above the limit of bytes [MQTT-3.1.0-2]",
    sender: "connected",
    bytes: bytes(0x10, 0xff, 0xff, 0xff, 0x7f),
    tag: "MQTT-3.1.0-2",
  },
];
