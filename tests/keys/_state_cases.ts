/** Keys of the tables about what outlives a connection. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { concatenate, publishPacket, text, WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

const AWAY = { clientIdentifier: "away", cleanSession: false };

/** A broker with a session that waits for its client, subscribed to "t" at QoS 1. */
async function withStored(changes: ConfigChanges): Promise<TestBroker> {
  const broker = await TestBroker.start(changes);
  using client = await WireClient.connect(broker.port, AWAY);
  await client.subscribe("t", 1);
  await client.disconnect();
  return broker;
}

async function publish(broker: TestBroker, contents: readonly string[]): Promise<void> {
  using publisher = await WireClient.connect(broker.port);
  for (const content of contents) {
    await publisher.publish("t", content, { qos: 1 });
    // Rates are counted in whole milliseconds.
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

async function delivered(broker: TestBroker): Promise<string[]> {
  using client = await WireClient.connect(broker.port, AWAY);
  const packets = await client.drain();
  return packets.map((packet) => packet.type === "PUBLISH" ? text(packet.payload) : packet.type);
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!condition()) {
    assert(performance.now() < deadline, "not seen in 30 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function statisticsOf(broker: TestBroker) {
  return broker.server.broker.statistics;
}

function syncs(broker: TestBroker): number {
  return broker.server.storeStatistics!.syncs;
}

/** What is left of dead letters when five messages find a queue that is full with one. */
async function deadLetters(changes: ConfigChanges["deadLetters"]) {
  await using broker = await withStored({ queue: { messagesMax: 1 }, deadLetters: changes ?? {} });
  await publish(broker, ["kept", "1", "2", "3", "4", "5"]);
  const { deadLetters: kept, deadLetterBytes: bytes, deadLettersNotKept } = statisticsOf(broker);
  return { kept, bytes, notKept: deadLettersNotKept };
}

const queueCases: KeyCases = {
  "queue.total_messages_max": async () => {
    await using broker = await withStored({ queue: { totalMessagesMax: 2 } });
    await publish(broker, ["1", "2", "3"]);
    assertEquals(await delivered(broker), ["1", "2"]);
  },
  "queue.message_expiry_ms": async () => {
    await using broker = await withStored({ queue: { messageExpiryMs: 1_000 } });
    await publish(broker, ["old"]);
    await until(() => statisticsOf(broker).dropped["message-expired"] === 1);
    await publish(broker, ["new"]);
    assertEquals(await delivered(broker), ["new"]);
  },
};

const retainedAndSessionCases: KeyCases = {
  "retained.expiry_ms": async () => {
    await using broker = await TestBroker.start({ retained: { expiryMs: 1_000 } });
    using publisher = await WireClient.connect(broker.port);
    await publisher.publish("r", "old", { qos: 1, retain: true });
    assertEquals(statisticsOf(broker).retainedMessages, 1);
    await until(() => statisticsOf(broker).retainedMessages === 0);
    assertEquals(statisticsOf(broker).retainedExpired, 1);
  },
  "retained.full": async () => {
    await using broker = await TestBroker.start({
      limits: { retainedMessagesMax: 2 },
      retained: { full: "drop_oldest" },
    });
    using client = await WireClient.connect(broker.port);
    for (const topic of ["r/1", "r/2", "r/3"]) {
      await client.publish(topic, topic, { qos: 1, retain: true });
    }
    await client.subscribe("r/#");
    const packets = await client.drain();
    const topics = packets.map((packet) => packet.type === "PUBLISH" ? packet.topic : packet.type);
    assertEquals(topics, ["r/2", "r/3"]);
  },
  "session.full": async () => {
    await using broker = await withStored({
      limits: { sessionsMax: 2 },
      session: { full: "drop_oldest" },
    });
    using _second = await WireClient.connect(broker.port, { clientIdentifier: "second" });
    using _third = await WireClient.connect(broker.port, { clientIdentifier: "third" });
    assertEquals(statisticsOf(broker).sessionsEvicted, 1);
    using fourth = await WireClient.open(broker.port);
    assertEquals((await fourth.sendConnect({ clientIdentifier: "fourth" })).returnCode, 3);
  },
};

const storeCases: KeyCases = {
  "store.durability": async () => {
    await using commit = await withStored({});
    const before = syncs(commit);
    await publish(commit, ["1"]);
    assertGreater(syncs(commit), before);
    const interval = { durability: "interval", syncIntervalMs: 60_000 } as const;
    await using later = await withStored({ store: interval });
    await publish(later, ["1"]);
    assertEquals(syncs(later), 0);
  },
  "store.sync_interval_ms": async () => {
    await using broker = await withStored({
      store: { durability: "interval", syncIntervalMs: 200 },
    });
    await publish(broker, ["1"]);
    await until(() => syncs(broker) > 0);
  },
  "store.syncs_per_second_max": async () => {
    const startedMs = performance.now();
    await using broker = await withStored({ store: { syncsPerSecondMax: 5 } });
    await publish(broker, ["1", "2", "3", "4", "5"]);
    const seconds = (performance.now() - startedMs) / 1000;
    assertLessOrEqual(syncs(broker), 1 + seconds * 5);
  },
  "store.wal_bytes_max": async () => {
    await using broker = await withStored({ store: { walBytesMax: 65_536 } });
    await publish(broker, Array.from({ length: 20 }, () => "x".repeat(10_000)));
    await until(() => broker.server.storeStatistics!.checkpoints > 0);
  },
  "store.backlog_bytes_max": async () => {
    for (const backlogBytesMax of [65_536, 16_777_216]) {
      await using broker = await withStored({ store: { backlogBytesMax } });
      using publisher = await WireClient.connect(broker.port);
      const packet = publishPacket("t", "x".repeat(10_000), { qos: 1, packetId: 1 });
      const burst = Array.from({ length: 50 }, () => encodePacket(packet));
      await publisher.sendBytes(concatenate(burst));
      for (let i = 0; i < 50; i++) await publisher.expect("PUBACK");
      assertEquals(statisticsOf(broker).storeHolds > 0, backlogBytesMax === 65_536);
    }
  },
};

const deadLetterCases: KeyCases = {
  "dead_letters.messages_max": async () => {
    assertEquals((await deadLetters({})).kept, 5);
    assertEquals((await deadLetters({ messagesMax: 2, perSecondMax: 1_000_000 })).kept, 2);
    assertEquals(await deadLetters({ messagesMax: 0 }), { kept: 0, bytes: 0, notKept: 5 });
  },
  "dead_letters.bytes_max": async () => {
    const { kept, bytes } = await deadLetters({ bytesMax: 1_024 });
    assertEquals(kept, 3);
    assertLessOrEqual(bytes, 1_024);
  },
  "dead_letters.expiry_ms": async () => {
    const settings = { queue: { messagesMax: 1 }, deadLetters: { expiryMs: 1_000 } };
    await using broker = await withStored(settings);
    await publish(broker, ["kept", "lost"]);
    assertEquals(statisticsOf(broker).deadLetters, 1);
    await until(() => statisticsOf(broker).deadLetters === 0);
  },
  "dead_letters.per_second_max": async () => {
    assertGreater((await deadLetters({ messagesMax: 1, perSecondMax: 1 })).notKept, 0);
    assertEquals((await deadLetters({ messagesMax: 1, perSecondMax: 1_000_000 })).notKept, 0);
  },
  "dead_letters.republish": async () => {
    for (const republish of [true, false]) {
      const settings = { queue: { messagesMax: 1 }, deadLetters: { republish } };
      await using broker = await withStored(settings);
      using watcher = await WireClient.connect(broker.port);
      await watcher.subscribe("$dead-letter/#", 1);
      await publish(broker, ["kept", "lost"]);
      const packets = await watcher.drain();
      const seen = packets.map((p) => p.type === "PUBLISH" ? [p.topic, text(p.payload)] : p.type);
      assertEquals(seen, republish ? [["$dead-letter/t", "lost"]] : []);
    }
  },
};

/** The cases by path. */
export const stateCases: KeyCases = {
  ...queueCases,
  ...retainedAndSessionCases,
  ...storeCases,
  ...deadLetterCases,
};
