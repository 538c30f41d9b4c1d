/** Retained messages: section 3.3.1.3. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { type ConnectOptions, text, WireClient } from "../support/wire_client.ts";
import { expectNothing } from "./_raw.ts";

const QOS = [0, 1, 2] as const;

Deno.test("a retained message is kept for future subscribers with its QoS [MQTT-3.3.1-5]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  for (const qos of QOS) await publisher.publish(`r/${qos}`, `q${qos}`, { qos, retain: true });
  for (const granted of QOS) {
    for (const qos of QOS) {
      const [message] = await retained(broker, `r/${qos}`, granted);
      assertEquals(message, { payload: `q${qos}`, qos: Math.min(qos, granted), retain: true });
    }
  }
});

Deno.test("a new subscription gets the last retained message of every matching topic [MQTT-3.3.1-6]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  for (const topic of ["a", "a/b", "a/c", "a/b/c", "b"]) {
    await publisher.publish(topic, "first", { qos: 1, retain: true });
    await publisher.publish(topic, topic, { qos: 1, retain: true });
  }
  for (
    const [topicFilter, expected] of [
      ["a", ["a"]],
      ["a/#", ["a", "a/b", "a/b/c", "a/c"]],
      ["+", ["a", "b"]],
      ["+/b", ["a/b"]],
      ["+/+/#", ["a/b", "a/b/c", "a/c"]],
      ["#", ["a", "a/b", "a/b/c", "a/c", "b"]],
      ["c", []],
    ] as const
  ) {
    const found = await retained(broker, topicFilter, 1);
    assertEquals(found.map(({ payload }) => payload).sort(), [...expected], topicFilter);
  }
});

Deno.test("a stored subscription is not new: resuming replays nothing [MQTT-3.3.1-6]", async () => {
  await using broker = await TestBroker.start();
  const options: ConnectOptions = { clientIdentifier: "c", cleanSession: false };
  const first = await WireClient.connect(broker.port, options);
  await first.subscribe("r", 1);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("r", "x", { qos: 1, retain: true });
  await first.receiveMessage();
  await first.drain();
  await first.disconnect();
  using client = await WireClient.connect(broker.port, options);
  await expectNothing(client);
});

for (const before of QOS) {
  Deno.test(`a QoS 0 retained message replaces one of QoS ${before} [MQTT-3.3.1-7]`, async () => {
    await using broker = await TestBroker.start();
    using publisher = await WireClient.connect(broker.port);
    await publisher.publish("r", "older", { qos: before, retain: true });
    await publisher.publish("r", "newer", { qos: 0, retain: true });
    await publisher.drain();
    const expected = [{ payload: "newer", qos: 0, retain: true }];
    assertEquals(await retained(broker, "r", 2), expected);
  });
}

Deno.test("a message that finds no room discards the older one of its topic [MQTT-3.3.1-7]", async () => {
  await using broker = await TestBroker.start({ limits: { retainedBytesMax: 100 } });
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("r", "older", { qos: 1, retain: true });
  await publisher.publish("r", "x".repeat(200), { qos: 0, retain: true });
  await publisher.drain();
  assertEquals(await retained(broker, "r", 1), []);
});

Deno.test("RETAIN is 1 for the answer to a subscription, 0 for what follows [MQTT-3.3.1-8] [MQTT-3.3.1-9]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("r", "stored", { qos: 1, retain: true });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("r", 2);
  const flags = [(await client.receiveMessage()).retain];
  for (const qos of QOS) {
    for (const retain of [false, true]) {
      await publisher.publish("r", "live", { qos, retain });
      flags.push((await client.receiveMessage()).retain);
    }
  }
  assertEquals(flags, [true, false, false, false, false, false, false]);
});

Deno.test("RETAIN is 0 for a live message that waits for an absent client [MQTT-3.3.1-9]", async () => {
  await using broker = await TestBroker.start();
  const options: ConnectOptions = { clientIdentifier: "c", cleanSession: false };
  const first = await WireClient.connect(broker.port, options);
  await first.subscribe("r", 1);
  await first.disconnect();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("r", "x", { qos: 1, retain: true });
  using client = await WireClient.connect(broker.port, options);
  assertEquals((await client.receiveMessage()).retain, false);
});

Deno.test("an empty retained message reaches subscribers and removes the old one [MQTT-3.3.1-10] [MQTT-3.3.1-11]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  using client = await WireClient.connect(broker.port);
  await client.subscribe("r", 2);
  for (const qos of QOS) {
    await publisher.publish("r", "x", { qos: 1, retain: true });
    await client.receiveMessage();
    await publisher.publish("r", "", { qos, retain: true });
    const empty = await client.receiveMessage();
    assertEquals([empty.payload.length, empty.qos, empty.retain], [0, qos, false]);
    await publisher.drain();
    assertEquals(await retained(broker, "r", 2), []);
  }
});

Deno.test("removing one retained message leaves its neighbours [MQTT-3.3.1-10]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  for (const topic of ["a", "a/b", "a/b/c"]) {
    await publisher.publish(topic, topic, { qos: 1, retain: true });
  }
  await publisher.publish("a/b", "", { qos: 1, retain: true });
  const found = await retained(broker, "#", 1);
  assertEquals(found.map(({ payload }) => payload).sort(), ["a", "a/b/c"]);
});

Deno.test("an empty retained message on a topic without one stores nothing [MQTT-3.3.1-11]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  for (const qos of QOS) await publisher.publish("r", "", { qos, retain: true });
  await publisher.drain();
  assertEquals(await retained(broker, "#", 2), []);
});

Deno.test("without RETAIN nothing is stored, replaced or removed [MQTT-3.3.1-12]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("kept", "stored", { qos: 1, retain: true });
  for (const qos of QOS) {
    await publisher.publish("kept", "live", { qos });
    await publisher.publish("kept", "", { qos });
    await publisher.publish("new", "live", { qos });
  }
  await publisher.drain();
  assertEquals(await retained(broker, "#", 2), [{ payload: "stored", qos: 1, retain: true }]);
});

Deno.test("a message retained after the SUBSCRIBE comes once, although the answer to it waits [MQTT-3.3.1-9]", async () => {
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 1 } });
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("r", "older", { qos: 1, retain: true });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 1);
  // One in flight, one behind it in the queue.
  for (const content of ["1", "2"]) await publisher.publish("t", content, { qos: 1 });
  const first = await client.expect("PUBLISH");
  await client.subscribe("r", 1, 2);
  await publisher.publish("r", "newer", { qos: 1, retain: true });
  await client.send({ type: "PUBACK", packetId: first.packetId });
  const received: string[] = [];
  for (;;) {
    const packets = await client.drain();
    if (packets.length === 0) break;
    for (const packet of packets) {
      if (packet.type !== "PUBLISH") continue;
      received.push(`${text(packet.payload)} ${packet.retain}`);
      await client.send({ type: "PUBACK", packetId: packet.packetId });
    }
  }
  assertEquals(received.filter((each) => each.startsWith("newer")), ["newer false"]);
});

/** What a new client gets for a subscription. */
async function retained(broker: TestBroker, topicFilter: string, qos: 0 | 1 | 2) {
  using client = await WireClient.connect(broker.port);
  await client.subscribe(topicFilter, qos);
  return (await client.drain()).map((packet) => {
    if (packet.type !== "PUBLISH") throw new Error(`Cannot read retained: got ${packet.type}`);
    return { payload: text(packet.payload), qos: packet.qos, retain: packet.retain };
  });
}
