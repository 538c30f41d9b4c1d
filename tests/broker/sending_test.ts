/** The server as sender: what it counts, whom it holds and when, and what may not be read any more. */
import { assertEquals } from "@std/assert";
import { type AccessPolicy, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { encodePacket, type Qos } from "../../src/mqtt/mod.ts";
import { concatenate, publishPacket, text } from "../support/wire_client.ts";
import { Core, type CoreOptions } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";
import { RecordingStore } from "./_recording_store.ts";

/** The ways of a message: QoS of the publisher and of the subscription. */
const WAYS: readonly (readonly [Qos, Qos])[] = [[0, 0], [1, 0], [1, 1], [2, 2]];
const PACKET_BYTES = 4_096;

/** What goes out as a PUBLISH of exactly 4,096 bytes on topic "t" at this QoS. */
function content(qos: Qos): string {
  return "x".repeat(PACKET_BYTES - (qos === 0 ? 6 : 8));
}

function publishOf(qos: Qos, granted: Qos, packetId: number): Uint8Array {
  const options = { qos, packetId: qos === 0 ? 0 : packetId };
  return encodePacket(publishPacket("t", content(granted), options));
}

for (const [qos, granted] of WAYS) {
  Deno.test(`QoS ${qos} to ${granted}: what is sent is counted with its packets and bytes`, () => {
    const core = new Core();
    const reader = core.connect({ clientIdentifier: "reader" });
    reader.subscribe("t", granted);
    const publisher = core.connect();
    const before = { ...core.statistics };
    const [received, answers] = [reader.receivedBytes, publisher.receivedBytes];
    for (let i = 1; i <= 3; i++) publisher.sendBytes(publishOf(qos, granted, i));
    const acknowledged = publisher.takeAll().length;
    const { statistics } = core;
    assertEquals(reader.takeMessages().length, 3);
    assertEquals(statistics.publishSent - before.publishSent, 3);
    assertEquals(statistics.packetsSent - before.packetsSent, 3 + acknowledged);
    assertEquals(statistics.publishBytesSent - before.publishBytesSent, 3 * PACKET_BYTES);
    const bytes = reader.receivedBytes - received + publisher.receivedBytes - answers;
    assertEquals(statistics.bytesSent - before.bytesSent, bytes);
  });

  Deno.test(`QoS ${qos} to ${granted}: a publisher is held above the high-water mark, not at it`, () => {
    const core = new Core();
    const reader = core.connect({ clientIdentifier: "reader" });
    reader.subscribe("t", granted);
    reader.frozen = true;
    const publisher = core.connect();
    for (let i = 1; i <= 4; i++) publisher.sendBytes(publishOf(qos, granted, i));
    assertEquals(reader.connection.pendingBytes, core.limits.outboxHighWaterBytes);
    assertEquals(publisher.connection.readable, true);
    publisher.sendBytes(publishOf(qos, granted, 5));
    assertEquals(publisher.connection.readable, false);
    reader.thaw();
    assertEquals(publisher.connection.readable, true);
    assertEquals(reader.takeMessages().length, 5);
  });
}

/** A reader that takes nothing, and other clients that send runs of QoS 0 packets to it. */
function stalled(limits: CoreOptions["limits"] = {}) {
  const core = new Core({ limits: { deadLettersMessagesMax: 0, ...limits } });
  const reader = core.connect({ clientIdentifier: "reader" });
  reader.subscribe("t", 0);
  reader.frozen = true;
  const run = (...sizes: number[]) => {
    const packets = sizes.map((bytes) => {
      const payloadBytes = bytes - (bytes > 129 ? 6 : 5);
      return encodePacket(publishPacket("t", "x".repeat(payloadBytes)));
    });
    core.connect().sendBytes(concatenate(packets));
  };
  const sizes = () => {
    reader.thaw();
    return reader.takeMessages().map(({ payload }) => payload.length + 6);
  };
  return { core, run, sizes };
}

Deno.test("of a run that does not fit as a whole, those that fit are sent", () => {
  const { core, run, sizes } = stalled();
  run(...new Array(15).fill(PACKET_BYTES));
  run(PACKET_BYTES, PACKET_BYTES);
  assertEquals(core.statistics.dropped["stalled-consumer"], 1);
  run(PACKET_BYTES, PACKET_BYTES, PACKET_BYTES);
  assertEquals(core.statistics.dropped["stalled-consumer"], 4);
  assertEquals(sizes(), new Array(16).fill(PACKET_BYTES));
});

Deno.test("below the high-water mark one message fits, even if it is larger than the rest", () => {
  const limits = {
    outboxBytesMax: 10_000,
    outboxHighWaterBytes: 5_000,
    outboxLowWaterBytes: 1_000,
  };
  const { core, run, sizes } = stalled(limits);
  run(5_000);
  run(6_000, 6_000);
  assertEquals(core.statistics.dropped["stalled-consumer"], 1);
  assertEquals(sizes(), [5_000, 6_000]);
});

/** Everything may be read until the topics in `closed` are closed. */
function readable(closed: Set<string>): AccessPolicy {
  return { ...OPEN_ACCESS, read: (_client, topic) => !closed.has(topic) };
}

function reconnect(core: Core): FakeClient {
  return core.connect({ clientIdentifier: "reader", cleanSession: false });
}

Deno.test("of what waited, only what may not be read any more is given up, and the denial is told", () => {
  const closed = new Set<string>();
  const store = new RecordingStore();
  const core = new Core({ store, policy: readable(closed) });
  const reader = reconnect(core);
  reader.subscribe("#", 1);
  reader.lose();
  const publisher = core.connect();
  for (const topic of ["open", "shut", "open"]) publisher.publish(topic, topic, { qos: 1 });
  closed.add("shut");
  core.broker.takeDenials();
  const messages = reconnect(core).takeMessages();
  assertEquals(messages.map(({ payload }) => text(payload)), ["open", "open"]);
  assertEquals(store.reasons, ["read-refused"]);
  const denied = core.broker.takeDenials()!.kept.map((d) => [d.action, d.topic, d.count]);
  assertEquals(denied, [["read", "shut", 1]]);
});

Deno.test("a QoS 2 message on its way that may not be read any more ends as a stored exchange", () => {
  const closed = new Set<string>();
  const store = new RecordingStore();
  const core = new Core({ store, policy: readable(closed) });
  const reader = reconnect(core);
  reader.subscribe("#", 2);
  core.connect().publish("shut", "x", { qos: 2 });
  const { packetId } = reader.take("PUBLISH");
  reader.lose();
  closed.add("shut");
  const back = reconnect(core);
  assertEquals(back.takeAll(), [{ type: "PUBREL", packetId }]);
  assertEquals(store.load().sessions[0]!.deliveries.map(({ released }) => released), [true]);
  back.send({ type: "PUBCOMP", packetId });
  assertEquals(store.load().sessions[0]!.deliveries, []);
  assertEquals(core.statistics.inFlightMessages, 0);
});

Deno.test("the store knows of every delivery whether it was sent, and in which order", () => {
  const store = new RecordingStore();
  const core = new Core({ store, limits: { inFlightMessagesMax: 1 } });
  const reader = reconnect(core);
  reader.subscribe("t", 1);
  const publisher = core.connect();
  for (const letter of "abc") publisher.publish("t", letter, { qos: 1 });
  const sent = () => store.load().sessions[0]!.deliveries.map((d) => [d.packetId, d.sent > 0]);
  assertEquals(sent(), [[1, true], [0, false], [0, false]]);
  reader.send({ type: "PUBACK", packetId: reader.take("PUBLISH").packetId });
  assertEquals(sent(), [[2, true], [0, false]]);
});
