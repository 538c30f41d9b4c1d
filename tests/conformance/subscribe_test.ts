/** SUBSCRIBE and SUBACK: sections 3.8 and 3.9. */
import { assert, assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { concatenate, filter, publishPacket, text, WireClient } from "../support/wire_client.ts";
import type { Qos, SubackPacket } from "../../src/mqtt/mod.ts";
import { bytes, expectNothing, expectViolation, field, packet, uint16 } from "./_raw.ts";

const QOS = [0, 1, 2] as const;

Deno.test("Topic Filters with wildcards are supported [MQTT-3.8.3-2]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const topicFilter of ["#", "+", "a/#", "a/+", "+/b/#"]) {
    const { returnCodes } = await client.subscribe(topicFilter, 1);
    assertEquals(returnCodes, [1]);
    await client.send(publishPacket(topicFilter === "+" ? "a" : "a/b", "x"));
    await client.receiveMessage();
    await client.send({ type: "UNSUBSCRIBE", packetId: 2, filters: [filter(topicFilter)] });
    await client.expect("UNSUBACK");
  }
});

Deno.test("a SUBSCRIBE without a Topic Filter closes the connection [MQTT-3.8.3-3]", async () => {
  await using broker = await TestBroker.start();
  await expectViolation(broker.port, packet(0x82, uint16(1)));
});

Deno.test("QoS 3 and reserved bits behind a Topic Filter close the connection [MQTT-3-8.3-4]", async () => {
  await using broker = await TestBroker.start();
  const good = concatenate([field("a"), bytes(0)]);
  for (const options of [3, 4, 5, 8, 0x10, 0x20, 0x40, 0x80, 0x81, 0xff]) {
    await expectViolation(broker.port, packet(0x82, uint16(1), field("a"), bytes(options)));
    await expectViolation(broker.port, packet(0x82, uint16(1), good, field("a"), bytes(options)));
  }
});

Deno.test("a SUBSCRIBE that is malformed adds none of its filters [MQTT-3-8.3-4]", async () => {
  await using broker = await TestBroker.start();
  const options = { clientIdentifier: "c", cleanSession: false };
  using client = await WireClient.connect(broker.port, options);
  await client.sendBytes(
    packet(0x82, uint16(1), field("a"), bytes(1), field("b"), bytes(3)),
  );
  assertEquals(await client.expectClosed(), []);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("a", "x", { qos: 1 });
  using back = await WireClient.connect(broker.port, options);
  await expectNothing(back);
});

Deno.test("SUBSCRIBE is answered by SUBACK with the same Packet Identifier [MQTT-3.8.4-1] [MQTT-3.8.4-2]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const packetId of [1, 2, 0x0100, 0xfffe, 0xffff]) {
    assertEquals(await client.subscribe("t", 1, packetId), {
      type: "SUBACK",
      packetId,
      returnCodes: [1],
    });
  }
  await expectNothing(client);
});

Deno.test("the same Topic Filter again replaces the subscription and its QoS [MQTT-3.8.4-3]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  using publisher = await WireClient.connect(broker.port);
  for (const qos of [1, 0, 2, 1, 0] as const) {
    await client.subscribe("t/+", qos);
    await publisher.publish("t/x", "x", { qos: 2 });
    assertEquals((await client.receiveMessage()).qos, qos);
    await expectNothing(client);
  }
  // There is one subscription to remove, not five.
  await client.send({ type: "UNSUBSCRIBE", packetId: 2, filters: [filter("t/+")] });
  await client.expect("UNSUBACK");
  await publisher.publish("t/x", "x", { qos: 2 });
  await expectNothing(client);
});

Deno.test("the same Topic Filter again sends the retained messages again [MQTT-3.8.4-3]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t/x", "x", { qos: 2, retain: true });
  using client = await WireClient.connect(broker.port);
  for (const granted of [1, 1, 0, 2] as const) {
    await client.subscribe("t/+", granted);
    const { qos, retain } = await client.receiveMessage();
    assertEquals({ qos, retain }, { qos: granted, retain: true });
    await expectNothing(client);
  }
});

Deno.test("the same Topic Filter again does not interrupt the flow [MQTT-3.8.4-3]", async () => {
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 1000 } });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 1);
  using publisher = await WireClient.connect(broker.port);
  const count = 300;
  const publishing = publishMany(publisher, count);
  const contents: string[] = [];
  for (let round = 0; contents.length < count; round++) {
    if (round % 10 === 0) {
      const subscriptions = [{ filter: filter("t"), qos: 1 as Qos }];
      await client.send({ type: "SUBSCRIBE", packetId: 5, subscriptions });
    }
    const received = await client.receive();
    if (received.type === "PUBLISH") contents.push(text(received.payload));
  }
  await publishing;
  assertEquals(contents, Array.from({ length: count }, (_, index) => String(index)));
  for (const rest of await client.drain()) assertEquals(rest.type, "SUBACK");
});

Deno.test("several Topic Filters are handled in order and answered once [MQTT-3.8.4-4]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("b", "kept", { qos: 1, retain: true });
  using client = await WireClient.connect(broker.port);
  // The last word on a filter counts, as in a sequence of packets.
  const returnCodes = await subscribeAll(client, [["a", 2], ["b", 1], ["c/+", 0], ["a", 0]]);
  assertEquals(returnCodes, [2, 1, 0, 0]);
  assertEquals(text((await client.receiveMessage()).payload), "kept");
  for (const [topic, expected] of [["a", 0], ["b", 1], ["c/d", 0]] as const) {
    await publisher.publish(topic, "x", { qos: 2 });
    assertEquals((await client.receiveMessage()).qos, expected);
  }
  await expectNothing(client);
});

Deno.test("every Topic Filter has its return code, granted or failed [MQTT-3.8.4-5] [MQTT-3.9.3-1]", async () => {
  await using broker = await TestBroker.start({ limits: { subscriptionsPerSessionMax: 3 } });
  using client = await WireClient.connect(broker.port);
  const returnCodes = await subscribeAll(client, [
    ["a", 2],
    ["b", 0],
    ["c", 1],
    ["too/many", 2],
    ["a", 1],
  ]);
  assertEquals(returnCodes, [2, 0, 1, 0x80, 1]);
  // A code of 0x80 means what it says.
  await client.send(publishPacket("too/many", "x"), publishPacket("c", "x"));
  assertEquals((await client.receiveMessage()).topic, publishPacket("c", "x").topic);
  await expectNothing(client);
});

Deno.test("a message comes at the lower of its QoS and the one granted [MQTT-3.8.4-6]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  for (const asked of QOS) {
    using client = await WireClient.connect(broker.port);
    const granted = (await client.subscribe("t", asked)).returnCodes[0]!;
    for (const qos of QOS) {
      await publisher.publish("t", "x", { qos });
      assertEquals((await client.receiveMessage()).qos, Math.min(qos, granted));
    }
    await expectNothing(client);
  }
});

Deno.test("return codes stand in the order of the Topic Filters [MQTT-3.9.3-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  const asked = Array.from({ length: 60 }, (_, index): [string, Qos] => [
    `t/${(index * 37) % 60}`,
    ((index * 7 + (index >> 2)) % 3) as Qos,
  ]);
  assertEquals(await subscribeAll(client, asked), asked.map(([, qos]) => qos));
});

Deno.test("return codes are 0, 1, 2 or 0x80 and nothing else [MQTT-3.9.3-2]", async () => {
  await using broker = await TestBroker.start({
    limits: { subscriptionsPerSessionMax: 10, subscriptionsMax: 12 },
  });
  for (const _ of QOS) {
    using client = await WireClient.connect(broker.port);
    const asked = Array.from({ length: 15 }, (_, index): [string, Qos] => [
      `t/${index}`,
      (index % 3) as Qos,
    ]);
    const codes = await subscribeAll(client, asked);
    assertEquals(codes.length, 15);
    assert(codes.every((code) => [0, 1, 2, 0x80].includes(code)), String(codes));
    assertEquals(codes.slice(10), [0x80, 0x80, 0x80, 0x80, 0x80]);
  }
});

async function subscribeAll(
  client: WireClient,
  asked: readonly (readonly [string, Qos])[],
): Promise<SubackPacket["returnCodes"]> {
  const subscriptions = asked.map(([topicFilter, qos]) => ({ filter: filter(topicFilter), qos }));
  await client.send({ type: "SUBSCRIBE", packetId: 77, subscriptions });
  const suback = await client.expect("SUBACK");
  assertEquals(suback.packetId, 77);
  return suback.returnCodes;
}

async function publishMany(publisher: WireClient, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await publisher.publish("t", String(index), { qos: 1 });
  }
}
