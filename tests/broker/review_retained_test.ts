/** Regressions: what retained messages cost, when their deletion is durable, and `$SYS`. */
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { MemoryStore } from "../../src/store/mod.ts";
import { payload, publishPacket, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import { DelayedStore } from "./_delayed_store.ts";
import type { FakeClient } from "./_fake_client.ts";

/** As deep as the limits of the tests allow. */
function deepTopic(root: string): string {
  return root + "/a".repeat(15);
}

Deno.test("every level of a retained topic is charged to the retained bytes, and freed with it", () => {
  const core = new Core();
  const client = core.connect();
  client.publish(deepTopic("x"), "v", { retain: true });
  const deep = core.statistics.retainedBytes;
  assertGreater(deep, 16 * 100);
  client.publish(deepTopic("x").slice(0, -1) + "b", "v", { retain: true });
  assertLess(core.statistics.retainedBytes - deep, deep / 4); // they share 15 levels
  client.publish(deepTopic("x"), "", { retain: true });
  assertEquals(core.statistics.retainedBytes, deep);
  client.publish(deepTopic("x").slice(0, -1) + "b", "", { retain: true });
  assertEquals(core.statistics.retainedBytes, 0);
});

Deno.test("deep retained topics reach the limit of bytes", () => {
  const core = new Core({ limits: { retainedBytesMax: 20_000 } });
  const client = core.connect();
  for (let i = 0; i < 100; i++) client.publish(deepTopic(`${i}`), "", { retain: true });
  for (let i = 0; i < 100; i++) client.publish(deepTopic(`${i}`), "v", { retain: true });
  assertGreater(core.statistics.dropped["retained-limit"], 80);
  assertLess(core.statistics.retainedBytes, 20_001);
});

Deno.test("a replaced retained message is charged once", () => {
  const core = new Core();
  const client = core.connect();
  client.publish("a/b", "v", { retain: true });
  const once = core.statistics.retainedBytes;
  for (let i = 0; i < 10; i++) client.publish("a/b", "w", { retain: true });
  assertEquals(core.statistics.retainedBytes, once);
});

function deleteRetained(client: FakeClient): void {
  client.send(publishPacket("t", "", { qos: 1, retain: true, packetId: 2 }));
}

/** A retained message that is durable, and whose deletion by `a` waits at the gate. */
function deletionUnderWay(): { core: Core; store: DelayedStore; a: FakeClient } {
  const store = new DelayedStore();
  const core = new Core({ store });
  const a = core.connect();
  a.send(publishPacket("t", "v", { qos: 1, retain: true, packetId: 1 }));
  core.release(store.sealed);
  a.take("PUBACK");
  deleteRetained(a);
  assertEquals(a.types, []);
  return { core, store, a };
}

Deno.test("a second deletion is not acknowledged before the first is committed [MQTT-3.3.1-10]", () => {
  const { core, store, a } = deletionUnderWay();
  const first = store.sealed;
  const b = core.connect();
  deleteRetained(b);
  assertEquals(b.types, []);
  core.release(first);
  assertEquals(a.types, ["PUBACK"]);
  core.release(store.sealed);
  assertEquals(b.types, ["PUBACK"]);
});

Deno.test("a deletion of what is durably gone is acknowledged at once", () => {
  const { core, store } = deletionUnderWay();
  deleteRetained(core.connect());
  core.release(store.sealed);
  const { records } = store.journal;
  const c = core.connect();
  deleteRetained(c);
  assertEquals(c.types, ["PUBACK"]);
  assertEquals(store.journal.records, records);
});

Deno.test("a deletion on another topic does not wait for the one under way", () => {
  const { core } = deletionUnderWay();
  const c = core.connect();
  c.send(publishPacket("other", "", { qos: 1, retain: true, packetId: 1 }));
  assertEquals(c.types, ["PUBACK"]);
});

Deno.test("$SYS topics of the broker are replayed to subscribers and replaced", () => {
  const core = new Core();
  core.publish("$SYS/broker/uptime", payload("1 seconds"), true);
  core.publish("$SYS/broker/uptime", payload("2 seconds"), true);
  const client = core.connect();
  client.subscribe("$SYS/#");
  assertEquals(client.takeMessages().map((m) => [text(m.payload), m.retain]), [
    ["2 seconds", true],
  ]);
});

Deno.test("$SYS topics of the broker are not journalled", () => {
  const store = new MemoryStore();
  const core = new Core({ store });
  const { records } = store.journal;
  core.publish("$SYS/broker/uptime", payload("1 seconds"), true);
  core.publish("$SYS/broker/uptime", payload("2 seconds"), true);
  assertEquals(store.journal.records, records);
  assertEquals(store.load().retained, []);
});

Deno.test("$SYS topics of the broker take no room from the retained messages of clients", () => {
  const core = new Core({ limits: { retainedMessagesMax: 1, retainedBytesMax: 2_000 } });
  for (let i = 0; i < 50; i++) core.publish(`$SYS/broker/${i}`, payload("1"), true);
  const client = core.connect();
  client.publish("plant/state", "up", { qos: 1, retain: true });
  const { retainedMessages, dropped } = core.statistics;
  assertEquals([retainedMessages, dropped["retained-limit"]], [1, 0]);
});

Deno.test("$SYS topics of the broker count in no gauge of retained messages", () => {
  const core = new Core();
  const client = core.connect();
  client.publish("a", "v", { retain: true });
  const before = core.statistics.retainedBytes;
  core.publish("$SYS/broker/uptime", payload("1 seconds"), true);
  client.publish("a", "w", { retain: true }); // brings the gauges up to date
  assertEquals(core.statistics.retainedMessages, 1);
  assertEquals(core.statistics.retainedBytes, before);
});
