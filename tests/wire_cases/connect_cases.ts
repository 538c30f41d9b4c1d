/** CONNECT and CONNACK (sections 3.1 and 3.2). */
import { type ConnectPacket, DecodeError } from "../../src/mqtt/mod.ts";
import {
  bad,
  type BadCase,
  binary,
  bytes,
  good,
  type GoodCase,
  name,
  packet,
  text,
} from "./wire_case.ts";

const MQTT = bytes(text("MQTT"), 4);
const CLEAN = 0x02;

function connect(changes: Partial<ConnectPacket>): ConnectPacket {
  return {
    type: "CONNECT",
    protocolLevel: 4,
    cleanSession: true,
    keepAliveSeconds: 60,
    clientIdentifier: "a",
    will: null,
    userName: null,
    password: null,
    ...changes,
  };
}

const EMPTY = new Uint8Array(0);
const WILL = { topic: name("w"), payload: bytes(1, 2), qos: 0 as const, retain: false };

function readsConnect(
  what: string,
  raw: Uint8Array,
  changes: Partial<ConnectPacket>,
): GoodCase {
  return good(what, raw, { packet: connect(changes), direction: "toServer" });
}

/** A CONNECT with these flags and payload. */
function withFlags(flags: number, ...payload: ArrayLike<number>[]): Uint8Array {
  return packet(0x10, MQTT, flags, 0, 60, ...payload);
}

/** Good CONNECT and CONNACK packets. */
export const CONNECT_GOOD: readonly GoodCase[] = [
  readsConnect("a CONNECT with Clean Session", withFlags(CLEAN, text("a")), {}),
  readsConnect("a CONNECT without Clean Session", withFlags(0, text("a")), { cleanSession: false }),
  readsConnect(
    "a CONNECT with a zero-byte Client Identifier [MQTT-3.1.3-6]",
    withFlags(CLEAN, text("")),
    { clientIdentifier: "" },
  ),
  readsConnect(
    "a CONNECT without keep alive",
    packet(0x10, MQTT, CLEAN, 0, 0, text("a")),
    { keepAliveSeconds: 0 },
  ),
  readsConnect(
    "a CONNECT with the longest keep alive",
    packet(0x10, MQTT, CLEAN, 0xff, 0xff, text("a")),
    { keepAliveSeconds: 65_535 },
  ),
  ...([0, 1, 2] as const).map((qos) =>
    readsConnect(
      `a CONNECT with a Will at QoS ${qos}`,
      withFlags(CLEAN | 0x04 | (qos << 3), text("a"), text("w"), binary([1, 2])),
      { will: { ...WILL, qos } },
    )
  ),
  readsConnect(
    "a CONNECT with a retained Will",
    withFlags(CLEAN | 0x04 | 0x20, text("a"), text("w"), binary([1, 2])),
    { will: { ...WILL, retain: true } },
  ),
  readsConnect(
    "a CONNECT with a Will whose payload is empty",
    withFlags(CLEAN | 0x04, text("a"), text("w"), binary([])),
    { will: { ...WILL, payload: EMPTY } },
  ),
  readsConnect(
    "a CONNECT with a Will whose payload is not text",
    withFlags(CLEAN | 0x04, text("a"), text("w"), binary([0, 0xff])),
    { will: { ...WILL, payload: bytes(0, 0xff) } },
  ),
  readsConnect("a CONNECT with a user name", withFlags(CLEAN | 0x80, text("a"), text("u")), {
    userName: "u",
  }),
  readsConnect(
    "a CONNECT with an empty user name",
    withFlags(CLEAN | 0x80, text("a"), text("")),
    { userName: "" },
  ),
  readsConnect(
    "a CONNECT with user name and password",
    withFlags(CLEAN | 0xc0, text("a"), text("u"), binary([0, 0xff, 0])),
    { userName: "u", password: bytes(0, 0xff, 0) },
  ),
  readsConnect(
    "a CONNECT with an empty password",
    withFlags(CLEAN | 0xc0, text("a"), text("u"), binary([])),
    { userName: "u", password: EMPTY },
  ),
  readsConnect(
    "a CONNECT with every field there is",
    withFlags(0xf6, text("a"), text("w"), binary([1, 2]), text("u"), binary([9])),
    { will: { ...WILL, qos: 2, retain: true }, userName: "u", password: bytes(9) },
  ),
  readsConnect(
    "a CONNECT with a Client Identifier of 23 characters [MQTT-3.1.3-5]",
    withFlags(CLEAN, text("0123456789abcdefghijkLM")),
    { clientIdentifier: "0123456789abcdefghijkLM" },
  ),
  readsConnect(
    "a CONNECT with a Client Identifier as long as the limit",
    withFlags(CLEAN, text("x".repeat(32))),
    { clientIdentifier: "x".repeat(32) },
  ),
  readsConnect(
    "a CONNECT with a Client Identifier in UTF-8 of four bytes [MQTT-3.1.3-4]",
    withFlags(CLEAN, text("A𪛔")),
    { clientIdentifier: "A𪛔" },
  ),
  readsConnect(
    "a CONNECT whose Client Identifier begins with a byte order mark [MQTT-1.5.3-3]",
    withFlags(CLEAN, binary([0xef, 0xbb, 0xbf, 0x61])),
    { clientIdentifier: "\ufeffa" },
  ),
  good("a CONNECT of MQTT 3.1", packet(0x10, text("MQIsdp"), 3, CLEAN, 0, 60, text("a")), {
    packet: connect({ protocolLevel: 3 }),
    direction: "toServer",
    limits: { mqtt31: true },
  }),
  good(
    "a CONNECT with a Remaining Length longer than needed",
    bytes(0x10, 0x8d, 0x00, MQTT, CLEAN, 0, 60, text("a")),
    { packet: connect({}), direction: "toServer", canonical: false },
  ),
  ...[0, 1, 2, 3, 4, 5, 255].map((returnCode) =>
    good(`a CONNACK with return code ${returnCode}`, bytes(0x20, 2, 0, returnCode), {
      packet: { type: "CONNACK", sessionPresent: false, returnCode },
      direction: "toClient",
    })
  ),
  good("a CONNACK with Session Present", bytes(0x20, 2, 1, 0), {
    packet: { type: "CONNACK", sessionPresent: true, returnCode: 0 },
    direction: "toClient",
  }),
];

const E = DecodeError;

/** Bad CONNECT and CONNACK packets. */
export const CONNECT_BAD: readonly BadCase[] = [
  bad("a CONNECT with an empty body", bytes(0x10, 0), { error: E.connectMalformed }),
  bad("a CONNECT that ends inside the protocol name's length", bytes(0x10, 1, 0), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT that ends inside the protocol name", packet(0x10, 0, 4, [0x4d, 0x51]), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT without protocol level", packet(0x10, text("MQTT")), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT without flags", packet(0x10, MQTT), { error: E.connectMalformed }),
  bad("a CONNECT without keep alive field", packet(0x10, MQTT, CLEAN), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT with half a keep alive field", packet(0x10, MQTT, CLEAN, 0), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT without Client Identifier [MQTT-3.1.3-3]", packet(0x10, MQTT, CLEAN, 0, 60), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT that ends inside the Client Identifier", withFlags(CLEAN, [0, 3, 0x61]), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT with bytes behind the last field", withFlags(CLEAN, text("a"), [0]), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT with Will Flag and no Will Topic", withFlags(CLEAN | 0x04, text("a")), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT with Will Flag and no Will Message", withFlags(0x06, text("a"), text("w")), {
    error: E.connectMalformed,
  }),
  bad(
    "a CONNECT that ends inside the Will Message",
    withFlags(0x06, text("a"), text("w"), [0, 2, 1]),
    { error: E.connectMalformed },
  ),
  bad("a CONNECT with User Name Flag and no user name", withFlags(0x82, text("a")), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT with Password Flag and no password", withFlags(0xc2, text("a"), text("u")), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT with a Will that the flags do not name", withFlags(2, text("a"), text("w")), {
    error: E.connectMalformed,
  }),
  bad("a CONNECT of another protocol [MQTT-3.1.2-1]", packet(0x10, text("HTTP"), 4, 2, 0, 60), {
    error: E.protocolName,
  }),
  bad("a CONNECT whose protocol name is lower case", packet(0x10, text("mqtt"), 4, 2, 0, 60), {
    error: E.protocolName,
  }),
  bad("a CONNECT whose protocol name is empty", packet(0x10, text(""), 4, 2, 0, 60), {
    error: E.protocolName,
  }),
  bad("a CONNECT whose protocol name is ill-formed", packet(0x10, binary([0xff]), 4, 2, 0, 60), {
    error: E.illFormedUtf8,
  }),
  ...[0, 3, 6, 0x84, 255].map((level) =>
    bad(
      `a CONNECT of protocol level ${level} [MQTT-3.1.2-2]`,
      packet(0x10, text("MQTT"), level, 2, 0, 60, text("a")),
      { error: E.protocolLevel },
    )
  ),
  bad(
    "a CONNECT of MQTT 5 in the form of MQTT 5",
    packet(0x10, text("MQTT"), 5, 2, 0, 60, 0, text("a")),
    { error: E.protocolLevel5 },
  ),
  bad(
    "a CONNECT of MQTT 3.1 where that is switched off",
    packet(0x10, text("MQIsdp"), 3, 2, 0, 60, text("a")),
    { error: E.protocolLevel },
  ),
  bad(
    "a CONNECT with the name of MQTT 3.1 and the level of 3.1.1",
    packet(0x10, text("MQIsdp"), 4, 2, 0, 60, text("a")),
    { error: E.protocolLevel },
  ),
  bad("a CONNECT with the reserved flag [MQTT-3.1.2-3]", withFlags(0x03, text("a")), {
    error: E.connectReservedFlag,
  }),
  ...[0x08, 0x10, 0x18].map((flags) =>
    bad(
      `a CONNECT with Will QoS ${flags >> 3} without Will Flag [MQTT-3.1.2-13]`,
      withFlags(CLEAN | flags, text("a")),
      { error: E.willFlagsWithoutWill },
    )
  ),
  bad(
    "a CONNECT with Will Retain without Will Flag [MQTT-3.1.2-15]",
    withFlags(CLEAN | 0x20, text("a")),
    { error: E.willFlagsWithoutWill },
  ),
  bad(
    "a CONNECT with Will QoS 3 [MQTT-3.1.2-14]",
    withFlags(CLEAN | 0x1c, text("a"), text("w"), binary([1])),
    { error: E.willQos3 },
  ),
  bad(
    "a CONNECT with a password without a user name [MQTT-3.1.2-22]",
    withFlags(CLEAN | 0x40, text("a"), binary([1])),
    { error: E.passwordWithoutUserName },
  ),
  bad(
    "a CONNECT with a zero-byte Client Identifier and Clean Session 0 [MQTT-3.1.3-8]",
    withFlags(0, text("")),
    { error: E.emptyClientIdentifier },
  ),
  bad("a CONNECT with a Client Identifier above the limit", withFlags(2, text("x".repeat(33))), {
    error: E.clientIdentifierTooLong,
  }),
  bad(
    "a CONNECT with a Client Identifier above the limit in bytes only",
    withFlags(2, text("ä".repeat(17))),
    { error: E.clientIdentifierTooLong },
  ),
  bad("a CONNECT with U+0000 in the Client Identifier", withFlags(2, binary([0x61, 0])), {
    error: E.nullCharacter,
  }),
  bad(
    "a CONNECT with a surrogate in the Client Identifier",
    withFlags(2, [0, 3, 0xed, 0xa0, 0x80]),
    {
      error: E.illFormedUtf8,
    },
  ),
  bad(
    "a CONNECT with an ill-formed user name [MQTT-3.1.3-11]",
    withFlags(0x82, text("a"), [0, 1, 0x80]),
    {
      error: E.illFormedUtf8,
    },
  ),
  bad(
    "a CONNECT with a wildcard in the Will Topic",
    withFlags(0x06, text("a"), text("w/#"), binary([])),
    { error: E.topicWildcard },
  ),
  bad("a CONNECT with an empty Will Topic", withFlags(0x06, text("a"), text(""), binary([])), {
    error: E.topicEmpty,
  }),
  bad(
    "a CONNECT with an ill-formed Will Topic [MQTT-3.1.3-10]",
    withFlags(0x06, text("a"), binary([0xc0, 0xaf]), binary([])),
    { error: E.illFormedUtf8 },
  ),
  bad(
    "a CONNECT with a Will Topic above the limit of levels",
    withFlags(0x06, text("a"), text("1/2/3/4/5/6/7/8/9"), binary([])),
    { error: E.topicTooDeep },
  ),
  bad("a CONNECT with flags in its fixed header", packet(0x11, MQTT, 2, 0, 60, text("a")), {
    error: E.fixedHeaderFlags,
  }),
  bad("a CONNACK with one byte", bytes(0x20, 1, 0), {
    error: E.wrongLength,
    direction: "toClient",
  }),
  bad("a CONNACK with three bytes", bytes(0x20, 3, 0, 0, 0), {
    error: E.wrongLength,
    direction: "toClient",
  }),
  bad("a CONNACK with a reserved acknowledge flag", bytes(0x20, 2, 2, 0), {
    error: E.fixedHeaderFlags,
    direction: "toClient",
  }),
  bad("a CONNACK with flags in its fixed header", bytes(0x21, 2, 0, 0), {
    error: E.fixedHeaderFlags,
    direction: "toClient",
  }),
];
