/** From publisher to subscriber: order, window, overlap, QoS, retained messages. */
import { assertEquals } from "@std/assert";
import { encodePacket, type PublishPacket, type Qos } from "../../src/mqtt/mod.ts";
import { concatenate, filter, publishPacket, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

function texts(messages: readonly PublishPacket[]): string[] {
  return messages.map((message) => text(message.payload));
}

/** Acknowledges everything that comes until nothing comes any more; gives the messages. */
function consume(client: FakeClient): PublishPacket[] {
  const messages: PublishPacket[] = [];
  while (client.inbox.length > 0) {
    for (const packet of client.takeAll()) {
      if (packet.type === "PUBREL") client.send({ type: "PUBCOMP", packetId: packet.packetId });
      if (packet.type !== "PUBLISH") continue;
      messages.push(packet);
      if (packet.qos === 1) client.send({ type: "PUBACK", packetId: packet.packetId });
      if (packet.qos === 2) client.send({ type: "PUBREC", packetId: packet.packetId });
    }
  }
  return messages;
}

for (const published of [0, 1, 2] as const) {
  for (const granted of [0, 1, 2] as const) {
    Deno.test(`a message of QoS ${published} reaches a subscription of QoS ${granted} once [MQTT-3.8.4-6]`, () => {
      const core = new Core();
      const subscriber = core.connect();
      subscriber.subscribe("t", granted);
      core.connect().publish("t", "x", { qos: published });
      const messages = consume(subscriber);
      assertEquals(messages.map((m) => m.qos), [Math.min(published, granted) as Qos]);
      assertEquals(core.statistics.inFlightMessages, 0);
    });
  }
}

Deno.test("overlapping subscriptions give one copy at the highest QoS [MQTT-3.3.5-1]", () => {
  const core = new Core();
  const subscriber = core.connect();
  subscriber.subscribe("a/#", 0);
  subscriber.subscribe("a/+", 2);
  subscriber.subscribe("+/b", 1);
  core.connect().publish("a/b", "x", { qos: 2 });
  assertEquals(consume(subscriber).map((m) => m.qos), [2]);
  subscriber.send({ type: "UNSUBSCRIBE", packetId: 1, filters: [filter("a/+")] });
  subscriber.take("UNSUBACK");
  core.connect().publish("a/b", "y", { qos: 2 });
  assertEquals(consume(subscriber).map((m) => m.qos), [1]);
});

Deno.test("no more than the window is in flight, and the rest follows in order [MQTT-4.6.0-6]", () => {
  const core = new Core();
  const subscriber = core.connect();
  subscriber.subscribe("t", 1);
  const publisher = core.connect();
  for (let i = 0; i < 30; i++) publisher.publish("t", `${i}`, { qos: 1 });
  assertEquals(subscriber.inbox.length, core.limits.inFlightMessagesMax);
  assertEquals(core.statistics.queuedMessages, 30 - core.limits.inFlightMessagesMax);
  assertEquals(texts(consume(subscriber)), Array.from({ length: 30 }, (_, i) => `${i}`));
  assertEquals(core.statistics.queuedMessages + core.statistics.queuedBytes, 0);
});

Deno.test("QoS 0 does not overtake a waiting QoS 1, published alone or in a run", () => {
  const core = new Core();
  const subscriber = core.connect();
  subscriber.subscribe("#", 1);
  const publisher = core.connect();
  const packets = Array.from(
    { length: 40 },
    (_, i) =>
      publishPacket(i % 3 === 0 ? "a" : "b", `${i}`, {
        qos: i < 12 || i % 5 === 0 ? 1 : 0,
        packetId: i < 12 || i % 5 === 0 ? i + 1 : 0,
      }),
  );
  publisher.sendBytes(concatenate(packets.map(encodePacket)));
  assertEquals(texts(consume(subscriber)), packets.map((packet) => text(packet.payload)));
});

Deno.test("QoS 0 passes while the window is full and nothing waits", () => {
  const core = new Core();
  const subscriber = core.connect();
  subscriber.subscribe("t", 1);
  const publisher = core.connect();
  for (let i = 0; i < core.limits.inFlightMessagesMax; i++) publisher.publish("t", "1", { qos: 1 });
  publisher.publish("t", "0");
  assertEquals(subscriber.inbox.length, core.limits.inFlightMessagesMax + 1);
});

Deno.test("a client that publishes to itself gets its own messages in order", () => {
  const core = new Core();
  const client = core.connect();
  client.subscribe("t", 2);
  const packets = Array.from({ length: 20 }, (_, i) => publishPacket("t", `${i}`));
  client.sendBytes(concatenate(packets.map(encodePacket)));
  assertEquals(texts(consume(client)), packets.map((packet) => text(packet.payload)));
});

Deno.test("SUBSCRIBE and UNSUBSCRIBE inside a chunk hold from their place in it", () => {
  const core = new Core();
  const client = core.connect();
  client.send(
    publishPacket("t", "before"),
    { type: "SUBSCRIBE", packetId: 1, subscriptions: [{ filter: filter("t"), qos: 0 }] },
    publishPacket("t", "between"),
    publishPacket("t", "between too"),
    { type: "UNSUBSCRIBE", packetId: 2, filters: [filter("t")] },
    publishPacket("t", "after"),
  );
  assertEquals(client.types, ["SUBACK", "PUBLISH", "PUBLISH", "UNSUBACK"]);
  assertEquals(texts(client.takeMessages()), ["between", "between too"]);
});

Deno.test("what is in flight or waits is still delivered after UNSUBSCRIBE [MQTT-3.10.4-3]", () => {
  const core = new Core();
  const subscriber = core.connect();
  subscriber.subscribe("t", 1);
  const publisher = core.connect();
  for (let i = 0; i < 12; i++) publisher.publish("t", `${i}`, { qos: 1 });
  subscriber.send({ type: "UNSUBSCRIBE", packetId: 2, filters: [filter("t")] });
  publisher.publish("t", "after", { qos: 1 });
  assertEquals(texts(consume(subscriber)), Array.from({ length: 12 }, (_, i) => `${i}`));
});

Deno.test("a retained message comes with RETAIN to a new subscription, without to an old one", () => {
  const core = new Core();
  const old = core.connect();
  old.subscribe("t", 1);
  core.connect().publish("t", "x", { qos: 1, retain: true });
  const fresh = core.connect();
  fresh.subscribe("+", 2);
  assertEquals(consume(old).map((m) => [m.retain, m.qos]), [[false, 1]]); // [MQTT-3.3.1-9]
  assertEquals(consume(fresh).map((m) => [m.retain, m.qos]), [[true, 1]]); // [MQTT-3.3.1-8]
});

Deno.test("a zero-byte retained message clears and is passed on, and is not kept [MQTT-3.3.1-10] [MQTT-3.3.1-11]", () => {
  const core = new Core();
  const watcher = core.connect();
  watcher.subscribe("t");
  const publisher = core.connect();
  publisher.publish("t", "x", { retain: true });
  publisher.publish("t", "", { retain: true });
  assertEquals(texts(watcher.takeMessages()), ["x", ""]);
  assertEquals([core.statistics.retainedMessages, core.statistics.retainedBytes], [0, 0]);
  const late = core.connect();
  late.subscribe("t");
  assertEquals(late.takeMessages(), []);
});

Deno.test("every SUBSCRIBE to the same filter replays what is retained [MQTT-3.8.4-3]", () => {
  const core = new Core();
  core.connect().publish("t", "x", { retain: true });
  const client = core.connect();
  client.subscribe("t");
  assertEquals(texts(client.takeMessages()), ["x"]);
  client.subscribe("t");
  assertEquals(texts(client.takeMessages()), ["x"]);
  assertEquals(core.statistics.subscriptions, 1);
});

Deno.test("retained messages of overlapping filters come for each filter", () => {
  const core = new Core();
  core.connect().publish("a/b", "x", { qos: 1, retain: true });
  const client = core.connect();
  client.send({
    type: "SUBSCRIBE",
    packetId: 1,
    subscriptions: [{ filter: filter("a/+"), qos: 0 }, { filter: filter("#"), qos: 1 }],
  });
  client.take("SUBACK");
  assertEquals(consume(client).map((m) => [m.qos, m.retain]), [[0, true], [1, true]]);
});

Deno.test("a retained message above the limit is passed on and its older one forgotten [MQTT-3.3.1-7]", () => {
  const core = new Core({ limits: { retainedBytesMax: 270 } });
  const watcher = core.connect();
  watcher.subscribe("t");
  const publisher = core.connect();
  publisher.publish("t", "old", { retain: true });
  publisher.publish("t", "x".repeat(50), { retain: true });
  assertEquals(watcher.takeMessages().length, 2);
  assertEquals(core.statistics.retainedMessages, 0);
  assertEquals(core.statistics.dropped["retained-limit"], 1);
});

Deno.test("what clients publish to $SYS is acknowledged and dropped", () => {
  const core = new Core();
  const watcher = core.connect();
  watcher.subscribe("$SYS/#");
  const publisher = core.connect();
  publisher.publish("$SYS/x", "forged");
  publisher.publish("$SYS/x", "forged", { qos: 1 });
  publisher.publish("$SYS/x", "forged", { qos: 2, retain: true });
  assertEquals(watcher.takeMessages(), []);
  assertEquals(core.statistics.dropped["server-topic"], 3);
  core.publish("$SYS/x", new Uint8Array(1));
  assertEquals(watcher.takeMessages().length, 1);
});
