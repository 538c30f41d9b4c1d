/** PUBLISH (section 3.3), Topic Names (4.7) and UTF-8 encoded strings (1.5.3). */
import { DecodeError, type PublishPacket } from "../../src/mqtt/mod.ts";
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

const EMPTY = new Uint8Array(0);
const ID = [0, 10];

function publish(changes: Partial<PublishPacket>): PublishPacket {
  return {
    type: "PUBLISH",
    dup: false,
    qos: 0,
    retain: false,
    topic: name("a/b"),
    packetId: 0,
    payload: EMPTY,
    ...changes,
  };
}

function readsPublish(
  what: string,
  raw: Uint8Array,
  changes: Partial<PublishPacket>,
  canonical = true,
): GoodCase {
  return good(what, raw, { packet: publish(changes), direction: "both", canonical });
}

/** A Topic Name of one kind, at QoS 0 with payload 1. */
function readsTopic(what: string, topic: string): GoodCase {
  return readsPublish(`a PUBLISH to ${what}`, packet(0x30, text(topic), 1), {
    topic: name(topic),
    payload: bytes(1),
  });
}

function longPayload(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i & 0xff);
}

/** A PUBLISH whose Remaining Length is exactly this. */
function ofRemainingLength(remaining: number): GoodCase {
  const payload = longPayload(remaining - 5);
  return readsPublish(
    `a PUBLISH with Remaining Length ${remaining}`,
    packet(0x30, text("a/b"), payload),
    { payload },
  );
}

/** Good PUBLISH packets. */
export const PUBLISH_GOOD: readonly GoodCase[] = [
  readsPublish("a PUBLISH at QoS 0", packet(0x30, text("a/b"), [1, 2, 3]), {
    payload: bytes(1, 2, 3),
  }),
  readsPublish("a PUBLISH without payload", packet(0x30, text("a/b")), {}),
  readsPublish("a PUBLISH to be retained", packet(0x31, text("a/b"), 7), {
    retain: true,
    payload: bytes(7),
  }),
  readsPublish("a PUBLISH that clears a retained message", packet(0x31, text("a/b")), {
    retain: true,
  }),
  readsPublish("a PUBLISH at QoS 1", packet(0x32, text("a/b"), ID, 1), {
    qos: 1,
    packetId: 10,
    payload: bytes(1),
  }),
  readsPublish("a PUBLISH at QoS 1 without payload", packet(0x32, text("a/b"), ID), {
    qos: 1,
    packetId: 10,
  }),
  readsPublish("a PUBLISH at QoS 1 that is re-sent [MQTT-3.3.1-1]", packet(0x3a, text("a/b"), ID), {
    qos: 1,
    dup: true,
    packetId: 10,
  }),
  readsPublish("a PUBLISH at QoS 1 to be retained", packet(0x33, text("a/b"), ID, 1), {
    qos: 1,
    retain: true,
    packetId: 10,
    payload: bytes(1),
  }),
  readsPublish("a PUBLISH at QoS 2", packet(0x34, text("a/b"), ID, 1), {
    qos: 2,
    packetId: 10,
    payload: bytes(1),
  }),
  readsPublish("a PUBLISH at QoS 2 with every flag", packet(0x3d, text("a/b"), ID), {
    qos: 2,
    dup: true,
    retain: true,
    packetId: 10,
  }),
  readsPublish("a PUBLISH with Packet Identifier 65535", packet(0x32, text("a/b"), 0xff, 0xff), {
    qos: 1,
    packetId: 65_535,
  }),
  readsPublish("a PUBLISH with Packet Identifier 256", packet(0x32, text("a/b"), 1, 0), {
    qos: 1,
    packetId: 256,
  }),
  ...[127, 128, 129, 16_383, 16_384].map(ofRemainingLength),
  readsPublish(
    "a PUBLISH with a Remaining Length of two bytes where one would do",
    bytes(0x30, 0x86, 0x00, text("a/b"), 9),
    { payload: bytes(9) },
    false,
  ),
  readsPublish(
    "a PUBLISH with a Remaining Length of four bytes where one would do",
    bytes(0x30, 0x86, 0x80, 0x80, 0x00, text("a/b"), 9),
    { payload: bytes(9) },
    false,
  ),
  readsPublish(
    "a PUBLISH at QoS 1 with a Remaining Length of three bytes where one would do",
    bytes(0x32, 0x88, 0x80, 0x00, text("a/b"), ID, 9),
    { qos: 1, packetId: 10, payload: bytes(9) },
    false,
  ),
  readsPublish(
    "a PUBLISH whose payload looks like a packet",
    packet(0x30, text("a/b"), packet(0x30, text("a/b"), 1)),
    { payload: packet(0x30, text("a/b"), 1) },
  ),
  readsTopic("a topic of one character", "a"),
  readsTopic("a topic that is one slash [MQTT-4.7.3-1]", "/"),
  readsTopic("a topic with an empty level in front", "/finance"),
  readsTopic("a topic with an empty level behind", "finance/"),
  readsTopic("a topic with empty levels between", "a//b"),
  readsTopic("a topic of empty levels only", "///"),
  readsTopic("a topic with a space", "Accounts payable"),
  readsTopic("a topic that begins with $", "$share/x"),
  readsTopic("a topic named like a property of objects", "__proto__/constructor"),
  readsTopic("a topic in UTF-8 of two bytes", "straße/ä"),
  readsTopic("a topic in UTF-8 of three bytes", "温度"),
  readsTopic("a topic in UTF-8 of four bytes", "😀/𪛔"),
  readsTopic("a topic with a byte order mark [MQTT-1.5.3-3]", "\ufeffa/\ufeff"),
  readsTopic("a topic with control characters", "a\u0001\u001f\u007f\u009f"),
  readsTopic("a topic with non-characters", "\uffff\ufffe\ufdd0"),
  readsTopic("a topic as long as the limit", "x".repeat(80)),
  readsTopic("a topic as deep as the limit", "1/2/3/4/5/6/7/8"),
];

const E = DecodeError;

function badTopic(what: string, topic: ArrayLike<number>, error: BadCase["error"]): BadCase {
  return bad(`a PUBLISH to ${what}`, packet(0x30, binary(topic), 1), { error, direction: "both" });
}

/** The same topics are refused at every QoS. */
const BAD_TOPICS: readonly BadCase[] = [
  badTopic("an empty topic [MQTT-4.7.3-1]", [], E.topicEmpty),
  badTopic("a topic with # [MQTT-3.3.2-2]", [0x61, 0x2f, 0x23], E.topicWildcard),
  badTopic("a topic with + [MQTT-3.3.2-2]", [0x2b, 0x2f, 0x61], E.topicWildcard),
  badTopic("a topic with # inside a level", [0x61, 0x23, 0x62], E.topicWildcard),
  badTopic("a topic with U+0000 [MQTT-4.7.3-2]", [0x61, 0, 0x62], E.nullCharacter),
  badTopic("a topic that is U+0000 alone [MQTT-1.5.3-2]", [0], E.nullCharacter),
  badTopic("a topic with a high surrogate [MQTT-1.5.3-1]", [0xed, 0xa0, 0x80], E.illFormedUtf8),
  badTopic("a topic with a low surrogate [MQTT-1.5.3-1]", [0xed, 0xbf, 0xbf], E.illFormedUtf8),
  badTopic(
    "a topic with a surrogate pair in UTF-8",
    [0xed, 0xa0, 0x81, 0xed, 0xb0, 0x80],
    E.illFormedUtf8,
  ),
  badTopic("a topic with an overlong slash", [0xc0, 0xaf], E.illFormedUtf8),
  badTopic("a topic with an overlong U+0000", [0xc0, 0x80], E.illFormedUtf8),
  badTopic("a topic with an overlong form of three bytes", [0xe0, 0x80, 0xaf], E.illFormedUtf8),
  badTopic(
    "a topic with an overlong form of four bytes",
    [0xf0, 0x80, 0x80, 0xaf],
    E.illFormedUtf8,
  ),
  badTopic("a topic above U+10FFFF", [0xf4, 0x90, 0x80, 0x80], E.illFormedUtf8),
  badTopic("a topic with a form of five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80], E.illFormedUtf8),
  badTopic("a topic that ends inside a character", [0x61, 0xe6, 0xb8], E.illFormedUtf8),
  badTopic("a topic with a lone continuation byte", [0x61, 0x80], E.illFormedUtf8),
  badTopic("a topic with the byte FF", [0xff], E.illFormedUtf8),
  badTopic("a topic with the byte FE", [0x61, 0xfe], E.illFormedUtf8),
  badTopic("a topic above the limit of bytes", new Uint8Array(81).fill(0x61), E.topicTooLong),
  badTopic("a topic above the limit of levels", new Uint8Array(8).fill(0x2f), E.topicTooDeep),
];

/** Bad PUBLISH packets. */
export const PUBLISH_BAD: readonly BadCase[] = [
  ...BAD_TOPICS,
  bad("a PUBLISH at QoS 2 to a topic with +", packet(0x34, text("+"), ID), {
    error: E.topicWildcard,
    direction: "both",
  }),
  bad("a retained PUBLISH to an ill-formed topic", packet(0x31, binary([0xc1]), 1), {
    error: E.illFormedUtf8,
    direction: "both",
  }),
  bad("a PUBLISH with an empty body", bytes(0x30, 0), {
    error: E.packetTruncated,
    direction: "both",
  }),
  bad("a PUBLISH with half a topic length", bytes(0x30, 1, 0), {
    error: E.packetTruncated,
    direction: "both",
  }),
  bad("a PUBLISH whose topic runs past its end by one byte", packet(0x30, 0, 2, 0x61), {
    error: E.packetTruncated,
    direction: "both",
  }),
  bad("a PUBLISH whose topic length is 65535", packet(0x30, 0xff, 0xff, 0x61), {
    error: E.packetTruncated,
    direction: "both",
  }),
  bad("a PUBLISH at QoS 1 without Packet Identifier", packet(0x32, text("a")), {
    error: E.packetTruncated,
    direction: "both",
  }),
  bad("a PUBLISH at QoS 1 with half a Packet Identifier", packet(0x32, text("a"), 0), {
    error: E.packetTruncated,
    direction: "both",
  }),
  bad("a PUBLISH at QoS 1 with Packet Identifier 0 [MQTT-2.3.1-1]", packet(0x32, text("a"), 0, 0), {
    error: E.packetIdZero,
    direction: "both",
  }),
  bad("a PUBLISH at QoS 2 with Packet Identifier 0 [MQTT-2.3.1-1]", packet(0x34, text("a"), 0, 0), {
    error: E.packetIdZero,
    direction: "both",
  }),
  ...[0x36, 0x37, 0x3e, 0x3f].map((first) =>
    bad(`a PUBLISH at QoS 3, first byte ${first} [MQTT-3.3.1-4]`, packet(first, text("a"), ID), {
      error: E.publishQos3,
      direction: "both",
    })
  ),
  ...[0x38, 0x39].map((first) =>
    bad(
      `a PUBLISH with DUP at QoS 0, first byte ${first} [MQTT-3.3.1-2]`,
      packet(first, text("a")),
      {
        error: E.publishDupQos0,
        direction: "both",
      },
    )
  ),
  bad("a PUBLISH above the limit of bytes", bytes(0x30, 0xf0, 0xa2, 0x04), {
    error: E.packetTooLarge,
    direction: "both",
  }),
  bad("a PUBLISH with the largest Remaining Length", bytes(0x30, 0xff, 0xff, 0xff, 0x7f), {
    error: E.packetTooLarge,
    direction: "both",
  }),
  bad("a PUBLISH with a fifth length byte", bytes(0x30, 0x80, 0x80, 0x80, 0x80, 0x01), {
    error: E.remainingLengthTooLong,
    direction: "both",
  }),
];
