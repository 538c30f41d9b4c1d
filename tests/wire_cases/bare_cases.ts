/** Acknowledgements (3.4 to 3.7, 3.11), PINGREQ, PINGRESP, DISCONNECT, and fixed headers (2.2). */
import { type AcknowledgementPacket, DecodeError } from "../../src/mqtt/mod.ts";
import { bad, type BadCase, bytes, type Direction, good, type GoodCase } from "./wire_case.ts";

const ACKNOWLEDGEMENTS: readonly (readonly [AcknowledgementPacket["type"], number, Direction])[] = [
  ["PUBACK", 0x40, "both"],
  ["PUBREC", 0x50, "both"],
  ["PUBREL", 0x62, "both"],
  ["PUBCOMP", 0x70, "both"],
  ["UNSUBACK", 0xb0, "toClient"],
];

/** Good packets of a fixed header, with or without a Packet Identifier. */
export const BARE_GOOD: readonly GoodCase[] = [
  ...ACKNOWLEDGEMENTS.flatMap(([type, first, direction]) => [
    ...[1, 255, 256, 65_535].map((packetId) =>
      good(
        `a ${type} with Packet Identifier ${packetId}`,
        bytes(
          first,
          2,
          packetId >> 8,
          packetId & 0xff,
        ),
        { packet: { type, packetId }, direction },
      )
    ),
    good(
      `a ${type} with a Remaining Length longer than needed`,
      bytes(first, 0x82, 0x80, 0x00, 0, 7),
      { packet: { type, packetId: 7 }, direction, canonical: false },
    ),
  ]),
  good("a PINGREQ", bytes(0xc0, 0), { packet: { type: "PINGREQ" }, direction: "toServer" }),
  good("a PINGREQ with a Remaining Length of two bytes", bytes(0xc0, 0x80, 0x00), {
    packet: { type: "PINGREQ" },
    direction: "toServer",
    canonical: false,
  }),
  good("a PINGRESP", bytes(0xd0, 0), { packet: { type: "PINGRESP" }, direction: "toClient" }),
  good("a DISCONNECT", bytes(0xe0, 0), { packet: { type: "DISCONNECT" }, direction: "toServer" }),
];

const E = DecodeError;

/** Acknowledgements that are none. */
const BAD_ACKNOWLEDGEMENTS: readonly BadCase[] = ACKNOWLEDGEMENTS.flatMap(
  ([type, first, direction]) => [
    bad(`a ${type} with an empty body`, bytes(first, 0), { error: E.wrongLength, direction }),
    bad(`a ${type} with half a Packet Identifier`, bytes(first, 1, 0), {
      error: E.wrongLength,
      direction,
    }),
    bad(`a ${type} with a byte too many`, bytes(first, 3, 0, 1, 0), {
      error: E.wrongLength,
      direction,
    }),
    bad(`a ${type} with Packet Identifier 0 [MQTT-2.3.1-1]`, bytes(first, 2, 0, 0), {
      error: E.packetIdZero,
      direction,
    }),
    bad(`a ${type} with wrong flags [MQTT-2.2.2-2]`, bytes(first ^ 0x02, 2, 0, 1), {
      error: type === "PUBREL" ? E.pubrelFlags : E.fixedHeaderFlags,
      direction,
    }),
    bad(`a ${type} with a fifth length byte`, bytes(first, 0xff, 0xff, 0xff, 0xff, 0x7f), {
      error: E.remainingLengthTooLong,
      direction,
    }),
  ],
);

/** Bad packets of a fixed header, and fixed headers that are none. */
export const BARE_BAD: readonly BadCase[] = [
  ...BAD_ACKNOWLEDGEMENTS,
  bad("a PUBREL with flags 0011 [MQTT-3.6.1-1]", bytes(0x63, 2, 0, 1), {
    error: E.pubrelFlags,
    direction: "both",
  }),
  bad("a PUBREL with flags 1010 [MQTT-3.6.1-1]", bytes(0x6a, 2, 0, 1), {
    error: E.pubrelFlags,
    direction: "both",
  }),
  bad("a PINGREQ with a body", bytes(0xc0, 1, 0), { error: E.wrongLength }),
  bad("a PINGREQ with flags", bytes(0xc1, 0), { error: E.fixedHeaderFlags }),
  bad("a PINGRESP with a body", bytes(0xd0, 1, 0), {
    error: E.wrongLength,
    direction: "toClient",
  }),
  bad("a PINGRESP with flags", bytes(0xd8, 0), {
    error: E.fixedHeaderFlags,
    direction: "toClient",
  }),
  bad("a DISCONNECT with a body", bytes(0xe0, 1, 0), { error: E.wrongLength }),
  bad("a DISCONNECT in the form of MQTT 5", bytes(0xe0, 2, 0, 0), { error: E.wrongLength }),
  ...[0xe1, 0xe2, 0xef].map((first) =>
    bad(`a DISCONNECT with first byte ${first} [MQTT-3.14.1-1]`, bytes(first, 0), {
      error: E.disconnectFlags,
    })
  ),
  bad("a packet of type 0", bytes(0x00, 0), { error: E.reservedPacketType, direction: "both" }),
  bad("a packet of type 0 with flags", bytes(0x0f, 2, 0, 1), {
    error: E.reservedPacketType,
    direction: "both",
  }),
  bad("a packet of type 15", bytes(0xf0, 0), { error: E.reservedPacketType, direction: "both" }),
  bad("a packet of type 15 with flags", bytes(0xff, 0xff, 0xff, 0xff, 0xff), {
    error: E.reservedPacketType,
    direction: "both",
  }),
  bad("the greeting of an HTTP client", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"), {
    error: E.fixedHeaderFlags,
  }),
  bad("the greeting of a TLS client", bytes(0x16, 0x03, 0x01, 0x02, 0x00, 0x01), {
    error: E.fixedHeaderFlags,
  }),
  bad("the greeting of an SSH client", new TextEncoder().encode("SSH-2.0-x\r\n"), {
    error: E.fixedHeaderFlags,
  }),
];
