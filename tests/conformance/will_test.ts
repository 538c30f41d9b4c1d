/** Will and DISCONNECT: sections 3.1.2.5 to 3.1.2.7 and 3.14. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import {
  connectPacket,
  name,
  payload,
  publishPacket,
  text,
  WireClient,
} from "../support/wire_client.ts";
import { expectNothing, hex } from "./_raw.ts";

const WILL = { topic: name("will"), payload: payload("gone") };

Deno.test("a Will is published when the network fails [MQTT-3.1.2-8]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker);
  const client = await WireClient.connect(broker.port, { will: WILL });
  await client.drain();
  await expectNothing(watcher);
  client.close();
  const will = await watcher.receiveMessage();
  assertEquals([will.topic, text(will.payload)], [name("will"), "gone"]);
  await expectNothing(watcher);
});

Deno.test("a Will is published when the server closes for a violation [MQTT-3.1.2-8]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker);
  using client = await WireClient.connect(broker.port, { will: WILL });
  await client.sendBytes(hex("f0 00"));
  assertEquals(await client.expectClosed(), []);
  assertEquals((await watcher.receiveMessage()).topic, name("will"));
});

Deno.test("a Will is published for a persistent session, too [MQTT-3.1.2-8]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker);
  const options = { clientIdentifier: "c", cleanSession: false, will: WILL };
  const client = await WireClient.connect(broker.port, options);
  client.close();
  assertEquals((await watcher.receiveMessage()).topic, name("will"));
});

Deno.test("the Will of a CONNECT that is refused is not published [MQTT-3.1.2-8]", async () => {
  await using broker = await TestBroker.start({ limits: { sessionsMax: 1 } });
  using watcher = await watch(broker);
  using client = await WireClient.open(broker.port);
  assertEquals((await client.sendConnect({ will: WILL })).returnCode, 3);
  await client.expectClosed();
  await expectNothing(watcher);
});

for (const qos of [0, 1, 2] as const) {
  Deno.test(`a Will with QoS ${qos} is published with it [MQTT-3.1.2-8] [MQTT-3.1.2-9]`, async () => {
    await using broker = await TestBroker.start();
    using watcher = await watch(broker);
    const client = await WireClient.connect(broker.port, { will: { ...WILL, qos } });
    client.close();
    assertEquals((await watcher.receiveMessage()).qos, qos);
  });
}

Deno.test("a Will published once is gone: the next end is silent [MQTT-3.1.2-10]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker);
  const options = { clientIdentifier: "c", cleanSession: false };
  const first = await WireClient.connect(broker.port, { ...options, will: WILL });
  first.close();
  await watcher.receiveMessage();
  // The same Session without a Will ends twice, by DISCONNECT and by take-over.
  const second = await WireClient.connect(broker.port, options);
  await second.disconnect();
  using third = await WireClient.connect(broker.port, options);
  using fourth = await WireClient.connect(broker.port, options);
  await third.expectClosed();
  await fourth.drain();
  await expectNothing(watcher);
});

Deno.test("DISCONNECT discards the Will for good [MQTT-3.1.2-10] [MQTT-3.14.4-3]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker);
  const options = { clientIdentifier: "c", cleanSession: false };
  const first = await WireClient.connect(broker.port, { ...options, will: WILL });
  await first.disconnect();
  using second = await WireClient.connect(broker.port, options);
  using third = await WireClient.connect(broker.port, options);
  await second.expectClosed();
  await third.drain();
  await expectNothing(watcher);
});

Deno.test("DISCONNECT discards a Will to be retained, at every QoS [MQTT-3.14.4-3]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker);
  for (const qos of [0, 1, 2] as const) {
    const will = { ...WILL, qos, retain: true };
    const client = await WireClient.connect(broker.port, { will });
    await client.disconnect();
  }
  await watcher.subscribe("will", 2);
  await expectNothing(watcher);
});

Deno.test("without a Will nothing is published at the end [MQTT-3.1.2-12]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#", 2);
  const client = await WireClient.connect(broker.port, { clientIdentifier: "c" });
  await client.drain();
  // The take-over is the end of the first connection, and the server has seen it.
  using next = await WireClient.connect(broker.port, { clientIdentifier: "c" });
  await client.expectClosed();
  await next.drain();
  await expectNothing(watcher);
});

Deno.test("without Will Retain the Will is not retained [MQTT-3.1.2-16]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("will", "older", { qos: 1, retain: true });
  await watcher.receiveMessage();
  const client = await WireClient.connect(broker.port, { will: { ...WILL, qos: 1 } });
  client.close();
  assertEquals((await watcher.receiveMessage()).retain, false);
  using later = await WireClient.connect(broker.port);
  await later.subscribe("will");
  assertEquals(text((await later.receiveMessage()).payload), "older");
});

Deno.test("with Will Retain the Will is retained [MQTT-3.1.2-17]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker);
  const client = await WireClient.connect(broker.port, {
    will: { ...WILL, qos: 2, retain: true },
  });
  client.close();
  assertEquals((await watcher.receiveMessage()).retain, false);
  using later = await WireClient.connect(broker.port);
  await later.subscribe("will", 2);
  const { retain, qos, payload } = await later.receiveMessage();
  assertEquals({ retain, qos, payload: text(payload) }, { retain: true, qos: 2, payload: "gone" });
});

Deno.test("take-over publishes the Will before anything the new connection sends [MQTT-3.1.2-8] [MQTT-3.1.4-2]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#");
  using older = await WireClient.connect(broker.port, { clientIdentifier: "c", will: WILL });
  using newer = await WireClient.open(broker.port);
  await newer.send(connectPacket({ clientIdentifier: "c" }), publishPacket("new", "x"));
  assertEquals(await older.expectClosed(), []);
  assertEquals((await watcher.receiveMessage()).topic, name("will"));
  assertEquals((await watcher.receiveMessage()).topic, name("new"));
  await expectNothing(watcher);
});

Deno.test("the server closes the connection after DISCONNECT [MQTT-3.14.4-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.send({ type: "DISCONNECT" });
  assertEquals(await client.expectClosed(), []);
});

Deno.test("packets behind DISCONNECT are not processed [MQTT-3.14.4-2]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#");
  using client = await WireClient.connect(broker.port, { will: WILL });
  await client.send(
    { type: "DISCONNECT" },
    publishPacket("late", "x", { qos: 1, packetId: 1 }),
    { type: "PINGREQ" },
  );
  assertEquals(await client.expectClosed(), []);
  await expectNothing(watcher);
});

Deno.test("what a client sent before it left is delivered, and before its Will [MQTT-3.1.2-8]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#");
  const client = await WireClient.connect(broker.port, { will: WILL });
  await client.send(publishPacket("last", "words"));
  client.close();
  assertEquals((await watcher.receiveMessage()).topic, name("last"));
  assertEquals((await watcher.receiveMessage()).topic, name("will"));
});

async function watch(broker: TestBroker): Promise<WireClient> {
  const watcher = await WireClient.connect(broker.port, { clientIdentifier: "watcher" });
  await watcher.subscribe("will", 2);
  return watcher;
}
