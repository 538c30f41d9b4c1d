/** UNSUBSCRIBE and UNSUBACK: section 3.10. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { filter, name, publishPacket, text, WireClient } from "../support/wire_client.ts";
import { expectNothing, expectViolation, field, packet, uint16 } from "./_raw.ts";

Deno.test("an UNSUBSCRIBE without a Topic Filter closes the connection [MQTT-3.10.3-2]", async () => {
  await using broker = await TestBroker.start();
  await expectViolation(broker.port, packet(0xa2, uint16(1)));
});

Deno.test("Topic Filters of an UNSUBSCRIBE stand one behind the other [MQTT-3.10.3-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const topicFilter of ["a", "längere/Ebene", "c/#"]) await client.subscribe(topicFilter);
  const filters = [field("a"), field("längere/Ebene"), field("c/#")];
  await client.sendBytes(packet(0xa2, uint16(9), ...filters));
  assertEquals(await client.expect("UNSUBACK"), { type: "UNSUBACK", packetId: 9 });
  for (const topic of ["a", "längere/Ebene", "c/d"]) await client.send(publishPacket(topic, "x"));
  await expectNothing(client);
});

Deno.test("a Topic Filter is removed if it is the same character by character [MQTT-3.10.4-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("a/b", 0);
  const others = ["a/+", "a/#", "#", "+/b", "A/b", "a/b/", "/a/b", "a/b ", "a", "a/b/c"];
  await unsubscribe(client, others);
  await client.send(publishPacket("a/b", "still"));
  assertEquals(text((await client.receiveMessage()).payload), "still");
  await unsubscribe(client, ["a/b"]);
  await client.send(publishPacket("a/b", "x"));
  await expectNothing(client);
});

Deno.test("a Topic Filter with wildcards removes itself and not what it matches [MQTT-3.10.4-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("a/#", 0);
  await client.subscribe("a/+", 0);
  await client.subscribe("a/b", 0);
  await unsubscribe(client, ["a/b", "a/c"]);
  await client.send(publishPacket("a/b", "1"));
  assertEquals(text((await client.receiveMessage()).payload), "1");
  await unsubscribe(client, ["a/#"]);
  await client.send(publishPacket("a/b/c", "x"), publishPacket("a/c", "2"));
  assertEquals((await client.receiveMessage()).topic, name("a/c"));
  await unsubscribe(client, ["a/+"]);
  await client.send(publishPacket("a/b", "x"), publishPacket("a/c", "x"));
  await expectNothing(client);
});

Deno.test("the subscriptions of other clients are left alone [MQTT-3.10.4-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  using other = await WireClient.connect(broker.port);
  await client.subscribe("t", 1);
  await other.subscribe("t", 1);
  await unsubscribe(client, ["t"]);
  await client.publish("t", "x", { qos: 1 });
  assertEquals(text((await other.receiveMessage()).payload), "x");
  await expectNothing(client);
});

for (const qos of [0, 1, 2] as const) {
  Deno.test(`after UNSUBACK no new message of QoS ${qos} comes [MQTT-3.10.4-2]`, async () => {
    await using broker = await TestBroker.start();
    using client = await WireClient.connect(broker.port);
    await client.subscribe("t/+", qos);
    using publisher = await WireClient.connect(broker.port);
    await publisher.publish("t/x", "heard", { qos });
    assertEquals(text((await client.receiveMessage()).payload), "heard");
    await unsubscribe(client, ["t/+"]);
    await publisher.publish("t/x", "unheard", { qos, retain: true });
    await publisher.drain();
    await expectNothing(client);
  });
}

Deno.test("a delivery that has begun is completed after UNSUBSCRIBE [MQTT-3.10.4-3]", async () => {
  await using broker = await TestBroker.start();
  const options = { clientIdentifier: "c", cleanSession: false };
  using client = await WireClient.connect(broker.port, options);
  await client.subscribe("t", 2);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "one", { qos: 1 });
  await publisher.publish("t", "two", { qos: 2 });
  await publisher.publish("t", "three", { qos: 2 });
  const one = await client.expect("PUBLISH");
  const two = await client.expect("PUBLISH");
  const three = await client.expect("PUBLISH");
  await unsubscribe(client, ["t"]);
  const packetId = two.packetId;
  await client.send({ type: "PUBREC", packetId });
  assertEquals(await client.receive(), { type: "PUBREL", packetId });
  await client.send({ type: "PUBCOMP", packetId });
  await expectNothing(client);
  // What is still unacknowledged comes again on the next connection.
  client.close();
  using back = await WireClient.connect(broker.port, options);
  assertEquals(await back.expect("PUBLISH"), { ...one, dup: true });
  assertEquals(await back.expect("PUBLISH"), { ...three, dup: true });
  await expectNothing(back);
});

Deno.test("UNSUBSCRIBE is answered by UNSUBACK with the same Packet Identifier [MQTT-3.10.4-4]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const packetId of [1, 0x0100, 0xffff]) {
    await client.subscribe("t");
    await client.send({ type: "UNSUBSCRIBE", packetId, filters: [filter("t")] });
    assertEquals(await client.receive(), { type: "UNSUBACK", packetId });
  }
});

Deno.test("UNSUBACK comes although no subscription is removed [MQTT-3.10.4-5]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.send({ type: "UNSUBSCRIBE", packetId: 3, filters: [filter("never/there")] });
  assertEquals(await client.receive(), { type: "UNSUBACK", packetId: 3 });
  await expectNothing(client);
});

Deno.test("several Topic Filters are removed and answered once [MQTT-3.10.4-6]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const topicFilter of ["a", "b/+", "c/#", "d"]) await client.subscribe(topicFilter);
  await unsubscribe(client, ["a", "never/there", "b/+", "a", "c/#"]);
  for (const topic of ["a", "b/x", "c", "d"]) await client.send(publishPacket(topic, topic));
  assertEquals(text((await client.receiveMessage()).payload), "d");
  await expectNothing(client);
});

/** Sends UNSUBSCRIBE and expects one UNSUBACK and nothing else. */
async function unsubscribe(client: WireClient, filters: readonly string[]): Promise<void> {
  await client.send({ type: "UNSUBSCRIBE", packetId: 40, filters: filters.map(filter) });
  assertEquals(await client.receive(), { type: "UNSUBACK", packetId: 40 });
  await expectNothing(client);
}
