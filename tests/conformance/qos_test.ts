/** Packet Identifiers and the delivery protocols of QoS 0, 1 and 2: sections 2.3.1 and 4.3. */
import { assert, assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { publishPacket, text, WireClient } from "../support/wire_client.ts";
import { expectNothing } from "./_raw.ts";

const KEPT = { clientIdentifier: "c", cleanSession: false };

Deno.test("a QoS 0 message is sent once and not stored [MQTT-4.3.1-1]", async () => {
  await using broker = await TestBroker.start();
  const client = await WireClient.connect(broker.port, KEPT);
  await client.subscribe("t", 2);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "x", { qos: 0 });
  const { qos, dup, packetId } = await client.expect("PUBLISH");
  assertEquals({ qos, dup, packetId }, { qos: 0, dup: false, packetId: 0 });
  client.close();
  using back = await WireClient.connect(broker.port, KEPT);
  await expectNothing(back);
});

Deno.test("a new QoS 1 message goes out with DUP 0 and an identifier of its own [MQTT-4.3.2-1] [MQTT-2.3.1-4]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 1);
  using publisher = await WireClient.connect(broker.port);
  const identifiers = new Set<number>();
  for (let index = 0; index < 50; index++) {
    await publisher.publish("t", String(index), { qos: 1 });
    const { qos, dup, packetId } = await client.expect("PUBLISH");
    assertEquals({ qos, dup }, { qos: 1, dup: false });
    identifiers.add(packetId);
  }
  assertEquals(identifiers.size, 50);
  assert(!identifiers.has(0));
});

Deno.test("a QoS 1 message is unacknowledged until its PUBACK comes [MQTT-4.3.2-1]", async () => {
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 1 } });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 1);
  using publisher = await WireClient.connect(broker.port);
  for (const content of ["1", "2"]) await publisher.publish("t", content, { qos: 1 });
  const first = await client.expect("PUBLISH");
  await expectNothing(client);
  // A PUBACK for something else does not count.
  const stranger = first.packetId === 9 ? 10 : 9;
  await client.send({ type: "PUBACK", packetId: stranger });
  await expectNothing(client);
  await client.send({ type: "PUBACK", packetId: first.packetId });
  const second = await client.expect("PUBLISH");
  assertEquals([text(second.payload), second.dup], ["2", false]);
});

Deno.test("PUBACK ends a delivery: it is not sent again [MQTT-4.3.2-1]", async () => {
  await using broker = await TestBroker.start();
  const client = await WireClient.connect(broker.port, KEPT);
  await client.subscribe("t", 1);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "x", { qos: 1 });
  await client.receiveMessage();
  await client.drain();
  client.close();
  using back = await WireClient.connect(broker.port, KEPT);
  await expectNothing(back);
});

Deno.test("after PUBACK the same identifier is a new message, even with DUP [MQTT-4.3.2-2]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("t", 1);
  using client = await WireClient.connect(broker.port);
  for (const dup of [false, false, true, true]) {
    await client.send(publishPacket("t", `dup ${dup}`, { qos: 1, dup, packetId: 7 }));
    assertEquals(await client.receive(), { type: "PUBACK", packetId: 7 });
    assertEquals(text((await watcher.receiveMessage()).payload), `dup ${dup}`);
  }
  await expectNothing(watcher);
});

Deno.test("a QoS 2 delivery goes PUBLISH, PUBREC, PUBREL, PUBCOMP with one identifier [MQTT-4.3.3-1]", async () => {
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 1 } });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 2);
  using publisher = await WireClient.connect(broker.port);
  for (const content of ["1", "2"]) await publisher.publish("t", content, { qos: 2 });
  const { packetId, qos, dup } = await client.expect("PUBLISH");
  assertEquals({ qos, dup }, { qos: 2, dup: false });
  assert(packetId > 0);
  await expectNothing(client);
  await client.send({ type: "PUBREC", packetId });
  assertEquals(await client.receive(), { type: "PUBREL", packetId });
  // The identifier is in use until PUBCOMP, so the second message waits.
  await expectNothing(client);
  await client.send({ type: "PUBCOMP", packetId });
  assertEquals(text((await client.expect("PUBLISH")).payload), "2");
});

Deno.test("a PUBREC that comes twice is answered by PUBREL, never by PUBLISH [MQTT-4.3.3-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 2);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "x", { qos: 2 });
  const { packetId } = await client.expect("PUBLISH");
  for (let round = 0; round < 3; round++) {
    await client.send({ type: "PUBREC", packetId });
    assertEquals(await client.drain(), [{ type: "PUBREL", packetId }]);
  }
  await client.send({ type: "PUBCOMP", packetId });
  await expectNothing(client);
});

Deno.test("QoS 2 messages in flight have identifiers of their own [MQTT-4.3.3-1] [MQTT-2.3.1-4]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 2);
  using publisher = await WireClient.connect(broker.port);
  const identifiers = new Set<number>();
  for (let index = 0; index < 40; index++) {
    const qos = index % 2 === 0 ? 2 : 1;
    await publisher.publish("t", "x", { qos });
    const { packetId } = await client.expect("PUBLISH");
    identifiers.add(packetId);
    // Half of the QoS 2 messages are one step further and still in flight.
    if (index % 4 !== 0) continue;
    await client.send({ type: "PUBREC", packetId });
    await client.expect("PUBREL");
  }
  assertEquals(identifiers.size, 40);
});

Deno.test("an identifier in use is passed over when the numbers begin anew [MQTT-2.3.1-4] [MQTT-4.3.2-1]", async () => {
  const inFlightMessagesMax = 1000;
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax } });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 1);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "never acknowledged", { qos: 1 });
  const held = (await client.expect("PUBLISH")).packetId;
  const batch = Array.from(
    { length: 800 },
    (_, index) => publishPacket("t", "", { qos: 1, packetId: index + 1 }),
  );
  const seen = new Set<number>();
  for (let sent = 0; sent < 66_000; sent += batch.length) {
    await publisher.send(...batch);
    const acknowledgements = [];
    for (const _ of batch) {
      const { packetId } = await client.expect("PUBLISH");
      assert(packetId !== held && packetId !== 0, `identifier ${packetId} is in use`);
      seen.add(packetId);
      acknowledgements.push({ type: "PUBACK" as const, packetId });
    }
    await client.send(...acknowledgements);
    await publisher.drain();
  }
  assertEquals(seen.size, 65_534);
});

Deno.test("a QoS 2 PUBLISH before its PUBREL is acknowledged again and handed on once [MQTT-4.3.3-2]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("t", 1);
  using client = await WireClient.connect(broker.port);
  for (const dup of [false, true, true, false]) {
    await client.send(publishPacket("t", "x", { qos: 2, dup, packetId: 7 }));
    assertEquals(await client.receive(), { type: "PUBREC", packetId: 7 });
  }
  assertEquals(text((await watcher.receiveMessage()).payload), "x");
  await expectNothing(watcher);
  await client.send({ type: "PUBREL", packetId: 7 });
  assertEquals(await client.receive(), { type: "PUBCOMP", packetId: 7 });
  await expectNothing(watcher);
});

Deno.test("after PUBCOMP the same identifier is a new message, even with DUP [MQTT-4.3.3-2]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("t", 1);
  using client = await WireClient.connect(broker.port);
  for (const [index, dup] of [false, true, false].entries()) {
    await client.send(publishPacket("t", String(index), { qos: 2, dup, packetId: 7 }));
    await client.expect("PUBREC");
    await client.send({ type: "PUBREL", packetId: 7 });
    await client.expect("PUBCOMP");
    assertEquals(text((await watcher.receiveMessage()).payload), String(index));
  }
  await expectNothing(watcher);
});

Deno.test("a QoS 2 message is handed on once although its client reconnects [MQTT-4.3.3-2] [MQTT-2.3.1-3]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("t", 2);
  for (const attempt of [0, 1, 2]) {
    using client = await WireClient.connect(broker.port, KEPT);
    await client.send(publishPacket("t", "x", { qos: 2, dup: attempt > 0, packetId: 7 }));
    assertEquals(await client.receive(), { type: "PUBREC", packetId: 7 });
  }
  assertEquals(text((await watcher.receiveMessage()).payload), "x");
  using client = await WireClient.connect(broker.port, KEPT);
  await client.send({ type: "PUBREL", packetId: 7 });
  assertEquals(await client.receive(), { type: "PUBCOMP", packetId: 7 });
  await expectNothing(watcher);
});

Deno.test("every PUBREL is answered by PUBCOMP, also one that comes again [MQTT-4.3.3-2]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port, KEPT);
  await client.publish("t", "x", { qos: 2, packetId: 7 });
  using back = await WireClient.connect(broker.port, KEPT);
  await back.send({ type: "PUBREL", packetId: 7 });
  assertEquals(await back.receive(), { type: "PUBCOMP", packetId: 7 });
});

Deno.test("identifiers of the two directions and of two clients are independent [MQTT-2.3.1-4]", async () => {
  await using broker = await TestBroker.start();
  using one = await WireClient.connect(broker.port);
  using two = await WireClient.connect(broker.port);
  await one.subscribe("to/one", 2);
  await two.publish("to/one", "x", { qos: 2, packetId: 1 });
  const { packetId } = await one.expect("PUBLISH");
  // The client uses the number that the server is using, and so does the other client.
  for (const client of [one, two]) {
    await client.send(publishPacket("elsewhere", "x", { qos: 2, packetId }));
    assertEquals(await client.receive(), { type: "PUBREC", packetId });
  }
  await one.send({ type: "PUBREC", packetId });
  assertEquals(await one.receive(), { type: "PUBREL", packetId });
  await one.send({ type: "PUBREL", packetId });
  assertEquals(await one.receive(), { type: "PUBCOMP", packetId });
});

Deno.test("QoS 1 with an identifier in QoS 2 use is a message of its own, and the identifier is free [MQTT-2.3.1-2]", async () => {
  // What a client does that lost its state with the power: the server must not shut it out.
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("t", 0);
  const identity = { clientIdentifier: "forgetful", cleanSession: false };
  using before = await WireClient.connect(broker.port, identity);
  await before.send(publishPacket("t", "two", { qos: 2, packetId: 7 }));
  await before.expect("PUBREC");
  before.close();
  using after = await WireClient.connect(broker.port, identity);
  await after.publish("t", "one", { qos: 1, packetId: 7 });
  await after.publish("t", "three", { qos: 2, packetId: 7 });
  const contents = [];
  for (let i = 0; i < 3; i++) contents.push(text((await watcher.receiveMessage()).payload));
  assertEquals(contents, ["two", "one", "three"]);
});
