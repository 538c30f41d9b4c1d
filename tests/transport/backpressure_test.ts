/** Fast publishers, slow and frozen subscribers, silent and greedy clients, over real sockets. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { encodePacket, type Qos } from "../../src/mqtt/mod.ts";
import { TestBroker } from "../support/test_broker.ts";
import { concatenate, publishPacket, WireClient } from "../support/wire_client.ts";

const HIGH_WATER = 65_536;
const OUTBOX_MAX = 262_144;
const OUTBOX = {
  bytesMax: OUTBOX_MAX,
  highWaterBytes: HIGH_WATER,
  lowWaterBytes: 16_384,
  slowConsumerGraceMs: 200,
  stalledWriteTimeoutMs: 60_000,
};

/** Encodes numbered messages of about `bytes` bytes each. */
function messages(
  count: number,
  { topic, qos, bytes }: { topic: string; qos: Qos; bytes: number },
): Uint8Array {
  const packets = Array.from({ length: count }, (_, i) => {
    const content = String(i).padEnd(bytes, ".");
    const packetId = qos === 0 ? 0 : 1 + i % 65_535;
    return encodePacket(publishPacket(topic, content, { qos, packetId }));
  });
  return concatenate(packets);
}

/** The largest value that `read` had while `work` went on. */
async function maximumDuring(work: Promise<unknown>, read: () => number): Promise<number> {
  let maximum = 0;
  const timer = setInterval(() => maximum = Math.max(maximum, read()), 1);
  await work;
  clearInterval(timer);
  return maximum;
}

function largestBacklog(broker: TestBroker): number {
  return Math.max(0, ...[...broker.server.broker.connections()].map((c) => c.pendingBytes));
}

Deno.test("a QoS 1 flood to a slow subscriber is slowed, bounded and loses nothing", async () => {
  await using broker = await TestBroker.start({
    outbox: { ...OUTBOX, slowConsumerGraceMs: 30_000 },
  });
  using subscriber = await WireClient.connect(broker.port, { clientIdentifier: "slow" });
  await subscriber.subscribe("flood", 1);
  using publisher = await WireClient.connect(broker.port, { clientIdentifier: "fast" });
  const count = 6_000;
  const flood = publisher.sendBytes(messages(count, { topic: "flood", qos: 1, bytes: 100 }));
  async function consume(): Promise<void> {
    for (let i = 0; i < count; i++) {
      const message = await subscriber.receiveMessage();
      assertEquals(parseInt(new TextDecoder().decode(message.payload)), i);
      if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  const { statistics } = broker.server.broker;
  const queued = await maximumDuring(consume(), () => statistics.queuedMessages);
  await flood;
  for (let i = 0; i < count; i++) await publisher.expect("PUBACK");
  assertGreater(statistics.publishersHeld, 0);
  // Four windows, and what one read of the publisher may hold on top.
  assertLessOrEqual(queued, 4 * 64 + 65_536 / 100);
  assertEquals(statistics.dropped["queue-full-newest"], 0);
  assertEquals(statistics.queuedMessages, 0);
});

Deno.test("a frozen subscriber costs bounded memory and holds nobody", async () => {
  await using broker = await TestBroker.start({ outbox: OUTBOX });
  using frozen = await WireClient.connect(broker.port, { clientIdentifier: "frozen" });
  await frozen.subscribe("flood/#", 0);
  using reader = await WireClient.connect(broker.port, { clientIdentifier: "reader" });
  await reader.subscribe("flood/a", 0);
  using publisher = await WireClient.connect(broker.port, { clientIdentifier: "fast" });
  const count = 20_000;
  const flood = publisher.sendBytes(messages(count, { topic: "flood/a", qos: 0, bytes: 1_000 }));
  let next = 0;
  async function read(): Promise<void> {
    while (next < count) {
      const message = await reader.receiveMessage(20_000);
      assertEquals(parseInt(new TextDecoder().decode(message.payload)), next++);
    }
  }
  const backlog = await maximumDuring(read(), () => largestBacklog(broker));
  await flood;
  assertEquals(next, count);
  assertLessOrEqual(backlog, OUTBOX_MAX + 131_072);
  const { statistics } = broker.server.broker;
  assertGreater(statistics.dropped["stalled-consumer"], 0);
  assertGreater(statistics.slowConsumers, 0);
});

Deno.test("a slow consumer that catches up gets everything again", async () => {
  await using broker = await TestBroker.start({ outbox: OUTBOX });
  using frozen = await WireClient.connect(broker.port, { clientIdentifier: "frozen" });
  await frozen.subscribe("flood", 0);
  using publisher = await WireClient.connect(broker.port, { clientIdentifier: "fast" });
  await publisher.sendBytes(messages(20_000, { topic: "flood", qos: 0, bytes: 1_000 }));
  await publisher.drain();
  assertGreater(broker.server.broker.statistics.dropped["stalled-consumer"], 0);
  while (await frozen.next(300) !== "silence"); // catches up
  await publisher.publish("flood", "after");
  const message = await frozen.receiveMessage();
  assertEquals(new TextDecoder().decode(message.payload), "after");
  assert(broker.log.some((line) => line.includes("caught up") && line.includes('"frozen"')));
});

Deno.test("a client that does not read its answers is not read either, and closed in the end", async () => {
  await using broker = await TestBroker.start({
    outbox: { ...OUTBOX, stalledWriteTimeoutMs: 500 },
  });
  using greedy = await WireClient.connect(broker.port, { clientIdentifier: "greedy" });
  const pings = new Uint8Array(1_048_576);
  for (let i = 0; i < pings.length; i += 2) pings[i] = 0xc0;
  async function flood(): Promise<void> {
    try {
      for (let i = 0; i < 100; i++) await greedy.sendBytes(pings);
    } catch {
      return; // closed: what should happen
    }
    throw new Error("Cannot see backpressure: 100 MiB of PINGREQ were taken");
  }
  const backlog = await maximumDuring(flood(), () => largestBacklog(broker));
  assertLessOrEqual(backlog, OUTBOX_MAX + 65_536);
  assertEquals(broker.server.broker.statistics.stalledWrites, 1);
});

Deno.test("a client that connects and says nothing is closed after the connect timeout", async () => {
  await using broker = await TestBroker.start({ limits: { connectTimeoutMs: 300 } });
  using silent = await WireClient.open(broker.port);
  assertEquals(await silent.expectClosed(), []);
  assertEquals(broker.server.broker.statistics.connectTimeouts, 1);
});

Deno.test("half a CONNECT does not stop the connect timeout", async () => {
  await using broker = await TestBroker.start({ limits: { connectTimeoutMs: 300 } });
  using half = await WireClient.open(broker.port);
  await half.sendBytes(Uint8Array.of(0x10, 0x20, 0, 4, 0x4d));
  assertEquals(await half.expectClosed(), []);
  assertEquals(broker.server.broker.statistics.connectTimeouts, 1);
});

Deno.test("connections above the limit are closed, and there is room again later", async () => {
  await using broker = await TestBroker.start({ limits: { connectionsMax: 2 } });
  using first = await WireClient.connect(broker.port, { clientIdentifier: "first" });
  const second = await WireClient.connect(broker.port, { clientIdentifier: "second" });
  using third = await WireClient.open(broker.port);
  await third.expectClosed();
  await second.disconnect();
  for (let tries = 0;; tries++) {
    using fourth = await WireClient.open(broker.port);
    await fourth.send({ type: "PINGREQ" }).catch(() => {});
    const answer = await fourth.next(1_000);
    // Accepted connections are refused with a reason in the log, others have no line at all.
    if (broker.log.some((line) => line.includes("MQTT-3.1.0-1"))) break;
    assertEquals(answer, "closed");
    if (tries === 100) throw new Error("Cannot connect: no room after a client left");
  }
  assertEquals(await first.drain(), []);
});
