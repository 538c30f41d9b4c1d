/** Keys of the tables `queue` and `outbox`. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import type { ConfigChanges } from "../support/test_broker.ts";
import { TestBroker } from "../support/test_broker.ts";
import { concatenate, publishPacket, text, WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

/** Publishes to a client that is away; gives what it gets when it is back. */
async function kept(queue: ConfigChanges["queue"], contents: string[]): Promise<string[]> {
  await using broker = await TestBroker.start({ queue: queue ?? {} });
  const away = { clientIdentifier: "away", cleanSession: false };
  using before = await WireClient.connect(broker.port, away);
  await before.subscribe("t", 1);
  await before.disconnect();
  using publisher = await WireClient.connect(broker.port);
  for (const content of contents) await publisher.publish("t", content, { qos: 1 });
  using after = await WireClient.connect(broker.port, away);
  const packets = await after.drain();
  const { dropped } = broker.server.broker.statistics;
  const lost = dropped["queue-full-newest"] + dropped["queue-full-oldest"];
  assertEquals(lost, contents.length - packets.length);
  return packets.map((packet) => packet.type === "PUBLISH" ? text(packet.payload) : packet.type);
}

/** A broker with small outboxes, a frozen subscriber, and a publisher that floods it. */
async function flooded(
  outbox: NonNullable<ConfigChanges["outbox"]>,
  see: (broker: TestBroker) => boolean,
): Promise<TestBroker> {
  const broker = await TestBroker.start({
    outbox: {
      bytesMax: 200_000,
      highWaterBytes: 100_000,
      lowWaterBytes: 50_000,
      slowConsumerGraceMs: 60_000,
      stalledWriteTimeoutMs: 60_000,
      ...outbox,
    },
  });
  using frozen = await WireClient.connect(broker.port, { clientIdentifier: "frozen" });
  await frozen.subscribe("flood");
  using publisher = await WireClient.connect(broker.port, { clientIdentifier: "publisher" });
  const packet = encodePacket(publishPacket("flood", "x".repeat(10_000)));
  const batch = concatenate(Array.from({ length: 100 }, () => packet));
  const flood = (async () => {
    for (let i = 0; i < 40; i++) await publisher.sendBytes(batch);
  })().catch(() => {});
  const deadline = performance.now() + 30_000;
  while (!see(broker)) {
    assert(performance.now() < deadline, "the limit was not seen in 30 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  publisher.close();
  frozen.close();
  await flood;
  return broker;
}

function backlog(broker: TestBroker): number {
  return Math.max(0, ...[...broker.server.broker.connections()].map((c) => c.pendingBytes));
}

/** The cases by path. */
export const queueAndOutboxCases: KeyCases = {
  "queue.messages_max": async () => {
    assertEquals(await kept({ messagesMax: 2 }, ["1", "2", "3"]), ["1", "2"]);
  },
  "queue.bytes_max": async () => {
    assertEquals(await kept({ bytesMax: 350 }, ["1", "2", "3", "4"]), ["1", "2", "3"]);
  },
  "queue.total_bytes_max": async () => {
    assertEquals(await kept({ totalBytesMax: 350 }, ["1", "2", "3", "4"]), ["1", "2", "3"]);
  },
  "queue.full": async () => {
    const full = { messagesMax: 2, full: "drop_oldest" } as const;
    assertEquals(await kept(full, ["1", "2", "3"]), ["2", "3"]);
  },
  "outbox.bytes_max": async () => {
    await using broker = await flooded(
      { slowConsumerGraceMs: 0 },
      (b) => b.server.broker.statistics.dropped["stalled-consumer"] > 0,
    );
    assertLessOrEqual(backlog(broker), 200_000);
  },
  "outbox.high_water_bytes": async () => {
    const held = await flooded({}, (b) => b.server.broker.statistics.publishersHeld > 0);
    assertEquals(held.server.broker.statistics.dropped["stalled-consumer"], 0);
    await held[Symbol.asyncDispose]();
    // With the mark at the bound itself there is nothing left to hold before messages are dropped.
    const late = await flooded(
      { highWaterBytes: 200_000 },
      (b) => b.server.broker.statistics.dropped["stalled-consumer"] > 0,
    );
    await late[Symbol.asyncDispose]();
  },
  "outbox.low_water_bytes": async () => {
    for (const lowWaterBytes of [0, 7_000_000]) {
      await using broker = await TestBroker.start({
        outbox: {
          bytesMax: 40_000_000,
          highWaterBytes: 8_000_000,
          lowWaterBytes,
          slowConsumerGraceMs: 60_000,
        },
      });
      assertEquals(await backlogWhenResumed(broker) > 1, lowWaterBytes > 0);
    }
  },
  "outbox.slow_consumer_grace_ms": async () => {
    const started = performance.now();
    await using broker = await flooded(
      { slowConsumerGraceMs: 700 },
      (b) => b.server.broker.statistics.slowConsumers > 0,
    );
    assertGreater(performance.now() - started, 700);
    assertEquals(broker.server.broker.statistics.slowConsumers, 1);
  },
  "outbox.stalled_write_timeout_ms": async () => {
    await using broker = await flooded(
      { stalledWriteTimeoutMs: 300 },
      (b) => b.server.broker.statistics.stalledWrites > 0,
    );
    assertEquals(broker.server.broker.statistics.stalledWrites, 1);
  },
};

/** Backlog of a subscriber at the moment when the publisher that it held may be read again. */
async function backlogWhenResumed(broker: TestBroker): Promise<number> {
  using subscriber = await WireClient.connect(broker.port, { clientIdentifier: "reader" });
  await subscriber.subscribe("flood");
  using publisher = await WireClient.connect(broker.port, { clientIdentifier: "publisher" });
  const core = broker.server.broker;
  const [reader, writer] = [...core.connections()];
  assert(reader !== undefined && writer !== undefined);
  const packet = encodePacket(publishPacket("flood", "x".repeat(10_000)));
  const batch = concatenate(Array.from({ length: 3_000 }, () => packet));
  const flood = publisher.sendBytes(batch).catch(() => {});
  while (writer.holds === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  // Watches at the very moment: `holds` falls inside `drained`.
  let pendingAtResume = -1;
  const drained = core.drained.bind(core);
  core.drained = (connection, bytes, instant) => {
    const before = writer.holds;
    drained(connection, bytes, instant);
    if (pendingAtResume < 0 && before > 0 && writer.holds === 0) {
      pendingAtResume = reader.pendingBytes;
    }
  };
  while (pendingAtResume < 0) await subscriber.receiveMessage();
  publisher.close();
  await flood;
  return pendingAtResume;
}
