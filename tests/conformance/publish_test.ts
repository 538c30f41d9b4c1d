/** PUBLISH without Retain: sections 3.3.1.1, 3.3.1.2, 3.3.2, 3.3.4 and 3.3.5. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { filter, name, publishPacket, text, WireClient } from "../support/wire_client.ts";
import {
  expectNothing,
  expectViolation,
  field,
  hex,
  packet,
  rawConnect,
  RawSocket,
  uint16,
} from "./_raw.ts";

const QOS = [0, 1, 2] as const;

Deno.test("a message at QoS 0 leaves the server with DUP 0 [MQTT-3.3.1-2] [MQTT-4.3.1-1]", async () => {
  await using broker = await TestBroker.start();
  using subscriber = await RawSocket.connect(broker.port);
  await subscriber.write(hex("82 06 0001 0001 74 00"));
  await subscriber.read(5);
  using publisher = await WireClient.connect(broker.port);
  // As it came, and from QoS 1 and 2 with DUP, with and without Retain.
  const sent = ["30 04 0001 74 41", "31 04 0001 74 41", "3a 06 0001 74 0001 41"]
    .concat(["3b 06 0001 74 0002 41", "3c 06 0001 74 0003 41", "3d 06 0001 74 0004 41"]);
  for (const digits of sent) {
    await publisher.sendBytes(hex(digits));
    assertEquals(await subscriber.read(6), hex("30 04 0001 74 41"));
  }
});

Deno.test("DUP in a PUBLISH at QoS 0 closes the connection [MQTT-3.3.1-2]", async () => {
  await using broker = await TestBroker.start();
  await expectViolation(broker.port, packet(0x38, field("t")));
  await expectViolation(broker.port, packet(0x39, field("t")));
});

for (const qos of [1, 2] as const) {
  Deno.test(`DUP of an incoming QoS ${qos} PUBLISH is not handed on [MQTT-3.3.1-3]`, async () => {
    await using broker = await TestBroker.start();
    const options = { clientIdentifier: "away", cleanSession: false };
    const away = await WireClient.connect(broker.port, options);
    await away.subscribe("t", 2);
    await away.disconnect();
    using subscriber = await WireClient.connect(broker.port);
    await subscriber.subscribe("t", 2);
    using publisher = await WireClient.connect(broker.port);
    const dup = true;
    await publisher.send(publishPacket("t", "x", { qos, dup, packetId: 1, retain: true }));
    await publisher.expect(qos === 1 ? "PUBACK" : "PUBREC");
    const received = await subscriber.receiveMessage();
    assertEquals({ qos: received.qos, dup: received.dup }, { qos, dup: false });
    // Nor to a client that comes back, nor out of the retained messages.
    using back = await WireClient.connect(broker.port, options);
    assertEquals((await back.receiveMessage()).dup, false);
    using late = await WireClient.connect(broker.port);
    await late.subscribe("t", 2);
    assertEquals((await late.receiveMessage()).dup, false);
  });
}

Deno.test("both QoS bits set close the connection [MQTT-3.3.1-4]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#", 2);
  for (const first of [0x36, 0x37, 0x3e, 0x3f]) {
    await expectViolation(broker.port, packet(first, field("t"), uint16(1)));
  }
  await expectNothing(watcher);
});

Deno.test("the Topic Name stands first, whatever the QoS [MQTT-3.3.2-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("some/topic", 0);
  for (
    const [first, identifier] of [[0x30, []], [0x32, [uint16(1)]], [0x34, [uint16(2)]]] as const
  ) {
    await client.sendBytes(packet(first, field("some/topic"), ...identifier, hex("41 42")));
    const packets = (await client.drain()).filter((each) => each.type === "PUBLISH");
    assertEquals(packets, [publishPacket("some/topic", "AB")]);
  }
});

Deno.test("a wildcard in a Topic Name closes the connection [MQTT-3.3.2-2] [MQTT-4.7.1-1]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#", 2);
  for (const topic of ["#", "+", "a/#", "a/+/b", "a+", "a#b", "/#"]) {
    await expectViolation(broker.port, packet(0x30, field(topic)));
    await expectViolation(broker.port, packet(0x32, field(topic), uint16(1)));
    await expectViolation(broker.port, packet(0x35, field(topic), uint16(1), hex("41")));
  }
  await expectNothing(watcher);
});

Deno.test("a wildcard in a Will Topic is refused [MQTT-4.7.1-1]", async () => {
  await using broker = await TestBroker.start();
  for (const topic of ["#", "a/+"]) {
    using client = await WireClient.open(broker.port);
    const payload = [field("peer"), field(topic), field("gone")];
    await client.sendBytes(rawConnect({ flags: 0x06, payload }));
    assertEquals(await client.expectClosed(), []);
  }
});

Deno.test("a message carries the Topic Name it was published to [MQTT-3.3.2-3]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("plant/+/temperature", 0);
  using other = await WireClient.connect(broker.port);
  await other.subscribe("plant/#", 1);
  using publisher = await WireClient.connect(broker.port);
  const topics = ["plant/1/temperature", "plant//temperature", "plant/Ä/temperature"];
  for (const [index, topic] of topics.entries()) {
    await publisher.publish(topic, String(index), { qos: index === 1 ? 0 : 1 });
  }
  for (const [index, topic] of topics.entries()) {
    for (const receiver of [client, other]) {
      const received = await receiver.receiveMessage();
      assertEquals([received.topic, text(received.payload)], [name(topic), String(index)]);
    }
  }
});

Deno.test("PUBLISH is answered by nothing, PUBACK or PUBREC as its QoS says [MQTT-3.3.4-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.send(publishPacket("t", "x"));
  await expectNothing(client);
  await client.send(publishPacket("t", "x", { qos: 1, packetId: 5 }));
  assertEquals(await client.receive(), { type: "PUBACK", packetId: 5 });
  await client.send(publishPacket("t", "x", { qos: 2, packetId: 6 }));
  assertEquals(await client.receive(), { type: "PUBREC", packetId: 6 });
  await expectNothing(client);
});

Deno.test("an empty payload is a message like any other [MQTT-3.3.4-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 2);
  using publisher = await WireClient.connect(broker.port);
  for (const qos of QOS) {
    await publisher.publish("t", "", { qos });
    const { payload, qos: received } = await client.receiveMessage();
    assertEquals([payload.length, received], [0, qos]);
  }
});

Deno.test("overlapping subscriptions give one copy at their highest QoS [MQTT-3.3.5-1]", async () => {
  await using broker = await TestBroker.start();
  const orders = [["a/b", "a/+", "a/#"], ["a/#", "a/b", "a/+"], ["a/+", "a/#", "a/b"]];
  using publisher = await WireClient.connect(broker.port);
  for (const order of orders) {
    using client = await WireClient.connect(broker.port);
    for (const [index, topicFilter] of order.entries()) {
      await client.subscribe(topicFilter, QOS[index]!);
    }
    for (const qos of QOS) {
      await publisher.publish("a/b", "x", { qos });
      assertEquals((await client.receiveMessage()).qos, qos);
      await expectNothing(client);
    }
  }
});

Deno.test("without the subscription of the highest QoS the next one counts [MQTT-3.3.5-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("a/#", 2);
  await client.subscribe("a/b", 1);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("a/b", "x", { qos: 2 });
  assertEquals((await client.receiveMessage()).qos, 2);
  await client.send({ type: "UNSUBSCRIBE", packetId: 3, filters: [filter("a/#")] });
  await client.expect("UNSUBACK");
  await publisher.publish("a/b", "x", { qos: 2 });
  assertEquals((await client.receiveMessage()).qos, 1);
});

Deno.test("a PUBLISH that is not authorised is acknowledged and dropped [MQTT-3.3.5-2]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("$SYS/#", 2);
  using client = await WireClient.connect(broker.port);
  for (const qos of QOS) {
    // `publish` fails unless every acknowledgement of its QoS comes.
    await client.publish("$SYS/broker/version", "forged", { qos, retain: true });
  }
  await client.drain();
  await expectNothing(watcher);
  await watcher.subscribe("$SYS/broker/version", 2);
  await expectNothing(watcher);
});
