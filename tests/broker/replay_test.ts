/** Retained messages that wait for their client: bounded, in order, and only as long as wanted. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import type { PublishPacket } from "../../src/mqtt/mod.ts";
import { filter, publishPacket, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

/** A client whose window is full and whose queue has begun, so that what comes next has to wait. */
function blocked(core: Core): FakeClient {
  const client = core.connect({ clientIdentifier: "blocked" });
  client.subscribe("block", 1);
  const publisher = core.connect();
  for (let i = 0; i <= core.limits.inFlightMessagesMax; i++) {
    publisher.publish("block", "x", { qos: 1 });
  }
  publisher.disconnect();
  return client;
}

/** Acknowledges everything; gives the messages that are not the block. */
function unblock(client: FakeClient): PublishPacket[] {
  const messages: PublishPacket[] = [];
  while (client.inbox.length > 0) {
    for (const packet of client.takeMessages()) {
      if (packet.qos > 0) client.send({ type: "PUBACK", packetId: packet.packetId });
      if (packet.topic !== "block") messages.push(packet);
    }
  }
  return messages;
}

function subscribe(client: FakeClient, topic: string): void {
  const subscriptions = [{ filter: filter(topic), qos: 1 as const }];
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
}

Deno.test("subscribing and unsubscribing again and again leaves nothing that grows", () => {
  const core = new Core();
  const client = blocked(core);
  for (let i = 0; i < 5_000; i++) {
    subscribe(client, `x/${i}`);
    client.send({ type: "UNSUBSCRIBE", packetId: 1, filters: [filter(`x/${i}`)] });
  }
  const { length } = client.connection.session!.queue;
  assertLessOrEqual(length, core.limits.queueMessagesMax + core.limits.subscriptionsPerSessionMax);
});

Deno.test("subscribing to one filter again and again holds its retained messages a few times at most", () => {
  const core = new Core();
  const publisher = core.connect();
  for (let i = 0; i < 100; i++) publisher.publish(`r/${i}`, "x", { qos: 1, retain: true });
  const client = blocked(core);
  const before = client.connection.session!.queue.length;
  for (let i = 0; i < 1_000; i++) subscribe(client, "r/#");
  assertLessOrEqual(client.connection.session!.queue.length - before, 8);
});

Deno.test("one SUBSCRIBE that names a filter often holds its retained messages a few times at most", () => {
  const core = new Core();
  const publisher = core.connect();
  for (let i = 0; i < 100; i++) publisher.publish(`r/${i}`, "x", { qos: 1, retain: true });
  const client = core.connect();
  const subscriptions = Array(1_000).fill({ filter: filter("r/#"), qos: 1 });
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  assertLessOrEqual(client.connection.session!.queue.length, 8);
});

Deno.test("a few filters that wait keep the order, and so do many", () => {
  const core = new Core();
  const client = blocked(core);
  for (let i = 0; i < 10; i++) subscribe(client, `x/${i}`);
  subscribe(client, "r");
  const publisher = core.connect();
  for (const value of ["1", "2", "3"]) publisher.publish("r", value, { qos: 1, retain: true });
  const values = unblock(client).map((m) => Number(text(m.payload)));
  assertEquals(values, values.toSorted());
});

Deno.test("subscriptions whose retained messages wait take no room from messages", () => {
  const core = new Core();
  const client = blocked(core);
  for (let i = 0; i < core.limits.subscriptionsPerSessionMax - 1; i++) subscribe(client, `x/${i}`);
  for (let i = 0; i < 10; i++) core.connect().publish("block", "y", { qos: 1 });
  assertEquals(core.statistics.dropped["queue-full-newest"], 0);
});

Deno.test("a message retained after UNSUBSCRIBE is not sent to the client that left [MQTT-3.10.4-2]", () => {
  const core = new Core();
  const client = blocked(core);
  subscribe(client, "r");
  client.send({ type: "UNSUBSCRIBE", packetId: 1, filters: [filter("r")] });
  core.connect().publish("r", "later", { qos: 1, retain: true });
  assertEquals(unblock(client), []);
});

Deno.test("a retained message that waits does not overtake older messages of its topic [MQTT-4.6.0-6]", () => {
  const core = new Core();
  const client = blocked(core);
  subscribe(client, "r");
  const publisher = core.connect();
  for (const value of ["1", "2", "3"]) publisher.publish("r", value, { qos: 1, retain: true });
  const values = unblock(client).map((m) => Number(text(m.payload)));
  assertEquals(values, values.toSorted());
});

Deno.test("a message does not overtake the retained one that its client waits for", () => {
  const core = new Core();
  const publisher = core.connect();
  publisher.publish("r", "0", { qos: 1, retain: true });
  const client = blocked(core);
  subscribe(client, "r");
  publisher.publish("r", "1", { qos: 1 });
  publisher.publish("r", "2");
  const got = unblock(client).map((m) => `${text(m.payload)}${m.retain ? "r" : ""}`);
  assertEquals(got, ["0r", "1", "2"]);
});

Deno.test("retained messages that waited when the client left come when it is back", () => {
  const core = new Core();
  core.connect().publish("r", "kept", { qos: 1, retain: true });
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  client.frozen = true;
  for (let i = 0; i < 40; i++) client.send(publishPacket("none", "x", { qos: 1, packetId: 1 }));
  subscribe(client, "r");
  client.lose();
  const again = core.connect({ clientIdentifier: "c", cleanSession: false });
  assertEquals(unblock(again).map((m) => text(m.payload)), ["kept"]);
  assertEquals(core.statistics.inFlightMessages, 0);
});

Deno.test("a client that leaves while retained messages wait leaves nothing behind", () => {
  const core = new Core();
  const publisher = core.connect();
  for (let i = 0; i < 50; i++) publisher.publish(`r/${i}`, "x", { qos: 1, retain: true });
  const client = blocked(core);
  subscribe(client, "r/#");
  client.lose();
  publisher.disconnect();
  const { sessions, queuedMessages, queuedBytes, inFlightMessages } = core.statistics;
  assertEquals([sessions, queuedMessages, queuedBytes, inFlightMessages], [0, 0, 0, 0]);
});
