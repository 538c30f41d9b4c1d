/** The table against the broker core: one chunk and byte by byte do the same. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { BrokerEvent } from "../../src/broker/mod.ts";
import type { DecoderLimits } from "../../src/mqtt/mod.ts";
import { Core } from "../broker/_core.ts";
import { BAD_CASES, GOOD_CASES, STATE_CASES, WIRE_LIMITS } from "./mod.ts";

/** How a client's bytes reach the core. */
const FEEDS = {
  "in one chunk": (bytes: Uint8Array) => [bytes],
  "byte by byte": (bytes: Uint8Array) => [...bytes].map((byte) => Uint8Array.of(byte)),
} as const;

/** Sends bytes to a new broker and gives everything that can be seen of it. */
function outcome(
  chunks: readonly Uint8Array[],
  from: { sender: "unconnected" | "connected"; limits: DecoderLimits },
) {
  const core = new Core({ limits: from.limits });
  const client = from.sender === "connected" ? core.connect() : core.open();
  client.foreign = from.sender === "unconnected" && chunksAreOfMqtt5(chunks);
  const other = core.connect({ clientIdentifier: "other" });
  other.subscribe("#", 2);
  for (const chunk of chunks) client.sendBytes(chunk);
  const errors = core.events
    .filter((event): event is BrokerEvent & { kind: "protocolError" } =>
      event.kind === "protocolError"
    ).map((event) => event.error);
  return {
    errors,
    closed: client.connection.closed,
    answers: client.takeAll(),
    delivered: other.takeAll(),
    counters: core.statistics.protocolErrors,
    othersLive: !other.connection.closed,
    unread: client.unread,
  };
}

function chunksAreOfMqtt5(chunks: readonly Uint8Array[]): boolean {
  return chunks.flatMap((chunk) => [...chunk])[8] === 5;
}

for (const [how, feed] of Object.entries(FEEDS)) {
  for (const { name, bytes, error, direction, sender } of BAD_CASES) {
    if (direction === "toClient") continue;
    Deno.test(`The broker closes, ${how}, on ${name}`, () => {
      const seen = outcome(feed(bytes), { sender, limits: WIRE_LIMITS });
      assertEquals(seen.errors.length, 1);
      assertStrictEquals(seen.errors[0], error);
      assert(seen.closed && seen.othersLive);
      assertEquals([...seen.counters], [[error.tag, 1]]);
      assertEquals(seen.delivered, []);
      assertEquals(seen.answers.length, error.farewell?.[1] === 2 ? 1 : 0);
    });
  }

  for (const { name, bytes, tag, sender } of STATE_CASES) {
    Deno.test(`The broker refuses, ${how}, ${name}`, () => {
      const seen = outcome(feed(bytes), { sender, limits: WIRE_LIMITS });
      assertEquals(seen.errors.map((error) => error.tag), [tag]);
      assert(seen.closed && seen.othersLive);
      assertEquals([...seen.counters], [[tag, 1]]);
    });
  }
}

for (const { name, bytes, direction, packet, limits } of GOOD_CASES) {
  if (direction === "toClient") continue;
  const sender = packet.type === "CONNECT" ? "unconnected" : "connected";
  Deno.test(`The broker takes, in one chunk and byte by byte, ${name}`, () => {
    const whole = outcome(FEEDS["in one chunk"](bytes), { sender, limits });
    assertEquals(outcome(FEEDS["byte by byte"](bytes), { sender, limits }), whole);
    assertEquals(whole.errors, []);
    assertEquals(whole.closed, packet.type === "DISCONNECT");
    assertEquals(whole.unread, 0);
    assert(whole.othersLive);
    if (packet.type !== "PUBLISH" || packet.topic.startsWith("$")) return;
    const [delivered] = whole.delivered;
    assert(delivered?.type === "PUBLISH");
    assertEquals(delivered.topic, packet.topic);
    assertEquals(delivered.payload, packet.payload);
    assertEquals([delivered.qos, delivered.retain, delivered.dup], [packet.qos, false, false]);
  });
}

Deno.test("All good PUBLISH packets in one chunk arrive in order at whatever length it is cut", () => {
  const cases = GOOD_CASES.filter(({ packet }) => packet.type === "PUBLISH" && packet.qos === 0);
  const bytes = Uint8Array.from(cases.flatMap((c) => c.bytes.length < 1000 ? [...c.bytes] : []));
  const topics = cases.filter((c) => c.bytes.length < 1000).map(({ packet }) =>
    packet.type === "PUBLISH" ? packet.topic : ""
  ).filter((topic) => !topic.startsWith("$"));
  for (const size of [1, 2, 3, 5, 7, 11, 64, 333, 1000, bytes.length]) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
    const seen = outcome(chunks, { sender: "connected", limits: WIRE_LIMITS });
    const got = seen.delivered.map((packet) => packet.type === "PUBLISH" ? packet.topic : "");
    assertEquals(got, topics, `chunks of ${size}`);
  }
});
