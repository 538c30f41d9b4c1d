/** What the encoder refuses, and what PublishView reads in place. */
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type ControlPacket,
  DecodeError,
  decodePacket,
  encodePacket,
  PROTOCOL_LIMITS,
  PublishView,
  type TopicFilter,
} from "../../src/mqtt/mod.ts";
import { connectPacket, name, publishPacket } from "../support/wire_client.ts";

const LONG = "x".repeat(65_536);
const LONG_BYTES = new Uint8Array(65_536);

const TOO_LONG: readonly [string, ControlPacket][] = [
  ["a Client Identifier", connectPacket({ clientIdentifier: LONG })],
  ["a user name", connectPacket({ userName: LONG })],
  ["a password", connectPacket({ userName: "u", password: LONG_BYTES })],
  ["a Will Topic", connectPacket({ will: { topic: name(LONG) } })],
  ["a Will Message", connectPacket({ will: { topic: name("w"), payload: LONG_BYTES } })],
  ["a Topic Name", publishPacket(LONG, "")],
  ["a Topic Filter", {
    type: "SUBSCRIBE",
    packetId: 1,
    subscriptions: [{ filter: LONG as TopicFilter, qos: 0 }],
  }],
  ["a Topic Filter to leave", { type: "UNSUBSCRIBE", packetId: 1, filters: [LONG as TopicFilter] }],
];

for (const [what, packet] of TOO_LONG) {
  Deno.test(`the encoder refuses ${what} of 65,536 bytes`, () => {
    assertThrows(() => encodePacket(packet), RangeError, "Cannot encode field: 65536 bytes");
  });
}

Deno.test("the encoder counts bytes and not characters", () => {
  encodePacket(publishPacket("ä".repeat(32_767), ""));
  assertThrows(() => encodePacket(publishPacket("ä".repeat(32_768), "")), RangeError);
});

Deno.test("the encoder writes the largest packet there is, and refuses one byte more", () => {
  const room = 268_435_455 - 3;
  const packet = publishPacket("a", "");
  const largest = encodePacket({ ...packet, payload: new Uint8Array(room) });
  assertEquals(largest.length, PROTOCOL_LIMITS.packetBytesMax);
  assertEquals(decodePacket(largest, 0, PROTOCOL_LIMITS).status, "packet");
  const larger = { ...packet, payload: new Uint8Array(room + 1) };
  assertThrows(() => encodePacket(larger), RangeError, "do not fit Remaining Length");
});

Deno.test("a decoded payload is a copy of the bytes it came in", () => {
  const bytes = encodePacket(publishPacket("a", "abc"));
  const result = decodePacket(bytes, 0, PROTOCOL_LIMITS);
  bytes.fill(0);
  if (result.status !== "packet" || result.packet.type !== "PUBLISH") {
    throw new Error(result.status);
  }
  assertEquals(new TextDecoder().decode(result.packet.payload), "abc");
});

Deno.test("PublishView reads one packet after the other without traces of the last", () => {
  const view = new PublishView();
  const qos2 = encodePacket(publishPacket("topic", "abc", { qos: 2, packetId: 9, retain: true }));
  assertEquals(view.read(qos2, qos2[0]!, { bodyStart: 2, end: qos2.length }), null);
  assertEquals([view.qos, view.packetId, view.retain, view.dup], [2, 9, true, false]);
  assertEquals([view.topicStart, view.topicEnd, view.payloadStart, view.end], [4, 9, 11, 14]);
  const qos0 = encodePacket(publishPacket("t", ""));
  assertEquals(view.read(qos0, qos0[0]!, { bodyStart: 2, end: qos0.length }), null);
  assertEquals([view.qos, view.packetId, view.retain, view.dup], [0, 0, false, false]);
  assertEquals([view.topicStart, view.topicEnd, view.payloadStart, view.end], [4, 5, 5, 5]);
});

Deno.test("PublishView does not read behind the end of its packet", () => {
  const view = new PublishView();
  // Behind the packet stand bytes that would make it good.
  const bytes = Uint8Array.of(0x32, 3, 0, 1, 0x61, 0, 7);
  assertStrictEquals(view.read(bytes, 0x32, { bodyStart: 2, end: 5 }), DecodeError.packetTruncated);
});
