/** Where the next QoS 0 packet of the same topic ends, if it can go with the run. */
import { assertEquals } from "@std/assert";
import { sameTopicEnd } from "../../src/broker/packet_run.ts";
import { TopicEntry } from "../../src/broker/topic_cache.ts";
import { bytes, text as field } from "../wire_cases/wire_case.ts";

const ENTRY = new TopicEntry(new TextEncoder().encode("a/b"), "a/b" as TopicEntry["name"]);

/** A packet with these bytes of Remaining Length behind the first byte. */
function packet(length: readonly number[], payloadBytes: number, topic = "a/b"): Uint8Array {
  return bytes(0x30, [...length], field(topic), new Uint8Array(payloadBytes).fill(7));
}

function endOf(source: Uint8Array, range: { limit?: number; packetBytesMax?: number } = {}) {
  const { limit = source.length, packetBytesMax = 65_536 } = range;
  return sameTopicEnd(source, { start: 0, limit, packetBytesMax }, ENTRY);
}

Deno.test("a packet of one or two length bytes goes with the run, to its last byte", () => {
  for (const payloadBytes of [0, 1, 121, 122, 123, 124, 130, 250, 251, 252, 1_000]) {
    const remaining = 5 + payloadBytes;
    const length = remaining > 127 ? [0x80 | (remaining & 0x7f), remaining >> 7] : [remaining];
    const source = packet(length, payloadBytes);
    assertEquals(endOf(source), source.length, `${payloadBytes}`);
    assertEquals(endOf(bytes(source, 0x30, 0)), source.length, `${payloadBytes} and more behind`);
    assertEquals(endOf(source, { limit: source.length - 1 }), 0, `${payloadBytes}, cut off`);
  }
});

Deno.test("a packet exactly as long as packets may be goes with the run, a longer one does not", () => {
  const source = packet([15], 10);
  assertEquals(endOf(source, { packetBytesMax: source.length }), source.length);
  assertEquals(endOf(source, { packetBytesMax: source.length - 1 }), 0);
});

Deno.test("a packet of another topic, QoS or kind does not go with the run", () => {
  for (const topic of ["a/c", "x/b", "a/bc", "a/", "a"]) {
    assertEquals(endOf(packet([2 + topic.length + 4], 4, topic)), 0, topic);
  }
  for (const first of [0x31, 0x32, 0x34, 0x38, 0xc0]) {
    const source = packet([9], 4);
    source[0] = first;
    assertEquals(endOf(source), 0, `${first}`);
  }
});

Deno.test("a Remaining Length of more bytes than it needs, or of three, does not go with the run", () => {
  assertEquals(endOf(packet([0x85, 0x00], 0)), 0);
  assertEquals(endOf(packet([0x80, 0x80, 0x01], 16_379)), 0);
});

Deno.test("a Topic Name that would end behind its packet does not go with the run", () => {
  const source = packet([5], 0);
  source[1] = 4;
  assertEquals(endOf(source), 0);
});
