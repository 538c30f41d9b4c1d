/** CONNECT and CONNACK: sections 3.1.0 to 3.1.4 and 3.2, without the Session and the Will. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import {
  concatenate,
  connectPacket,
  filter,
  publishPacket,
  text,
  WireClient,
} from "../support/wire_client.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import {
  answerUntilClose,
  bytes,
  expectNothing,
  expectRejected,
  field,
  hex,
  packet,
  rawConnect,
  receiveMany,
  uint16,
} from "./_raw.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const UNACCEPTABLE_LEVEL = hex("20 02 00 01");
const IDENTIFIER_REJECTED = hex("20 02 00 02");
const SERVER_UNAVAILABLE = hex("20 02 00 03");

/** CONNECTs that are refused with a CONNACK. */
const REFUSALS = [
  { connect: rawConnect({ level: 6 }), answer: UNACCEPTABLE_LEVEL },
  { connect: rawConnect({ flags: 0, payload: [field("")] }), answer: IDENTIFIER_REJECTED },
];

Deno.test("a first packet that is not CONNECT closes the connection [MQTT-3.1.0-1]", async () => {
  await using broker = await TestBroker.start();
  const packets = ["30 03 0001 74", "82 06 0001 0001 74 00", "c0 00", "e0 00", "40 02 0001"];
  for (const digits of packets) await expectRejected(broker.port, hex(digits));
  // A CONNECT behind it does not mend it.
  await expectRejected(broker.port, concatenate([hex("c0 00"), rawConnect()]));
});

Deno.test("a second CONNECT ends the connection [MQTT-3.1.0-2]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.send(connectPacket());
  assertEquals(await client.expectClosed(), []);
  // In one write with the first.
  using twice = await WireClient.open(broker.port);
  await twice.send(connectPacket(), connectPacket());
  const answers = await twice.expectClosed();
  assertEquals(answers, [{ type: "CONNACK", sessionPresent: false, returnCode: 0 }]);
});

Deno.test("a CONNECT with another protocol name is not processed [MQTT-3.1.2-1]", async () => {
  await using broker = await TestBroker.start();
  for (const protocolName of ["mqtt", "MQTTT", "MQT", "", "MQTT\u0000", "HTTP", "\ufeffMQTT"]) {
    await expectRejected(broker.port, rawConnect({ protocolName }));
  }
  await expectRejected(broker.port, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
});

Deno.test("an unknown protocol level is answered by 0x01 and the end [MQTT-3.1.2-2]", async () => {
  await using broker = await TestBroker.start();
  for (const level of [0, 1, 2, 3, 6, 7, 0x84, 255]) {
    const answer = await answerUntilClose(broker.port, rawConnect({ level }));
    assertEquals(answer, UNACCEPTABLE_LEVEL);
  }
});

Deno.test("MQTT 5 is refused in words that its clients understand [MQTT-3.1.2-2]", async () => {
  await using broker = await TestBroker.start();
  const connect = packet(0x10, field("MQTT"), bytes(5, 2), uint16(0), bytes(0), field("peer"));
  assertEquals(await answerUntilClose(broker.port, connect), hex("20 03 00 84 00"));
});

Deno.test("MQTT 3.1 is refused like any other level unless it is switched on [MQTT-3.1.2-2]", async () => {
  const old = rawConnect({ protocolName: "MQIsdp", level: 3 });
  await using closed = await TestBroker.start();
  assertEquals(await answerUntilClose(closed.port, old), UNACCEPTABLE_LEVEL);
  await using open = await TestBroker.start({ protocol: { mqtt31: true } });
  using client = await WireClient.open(open.port);
  await client.sendBytes(old);
  assertEquals((await client.expect("CONNACK")).returnCode, 0);
});

Deno.test("the Client Identifier tells one client's state from another's [MQTT-3.1.3-2]", async () => {
  await using broker = await TestBroker.start();
  for (const clientIdentifier of ["one", "two", "One"]) {
    const client = await WireClient.connect(broker.port, { clientIdentifier, cleanSession: false });
    await client.subscribe(`to/${clientIdentifier}`, 1);
    await client.disconnect();
  }
  using publisher = await WireClient.connect(broker.port);
  for (const clientIdentifier of ["one", "two", "One"]) {
    await publisher.publish(`to/${clientIdentifier}`, clientIdentifier, { qos: 1 });
  }
  for (const clientIdentifier of ["One", "one", "two"]) {
    using client = await WireClient.connect(broker.port, { clientIdentifier, cleanSession: false });
    assertEquals(text((await client.receiveMessage()).payload), clientIdentifier);
    await expectNothing(client);
  }
});

Deno.test("Client Identifiers of 1 to 23 bytes of the alphabet are allowed [MQTT-3.1.3-5]", async () => {
  await using broker = await TestBroker.start();
  for (let length = 1; length <= 23; length++) {
    const clientIdentifier = ALPHABET.slice(length, 2 * length);
    using client = await WireClient.connect(broker.port, { clientIdentifier });
    await client.drain();
  }
  for (const character of ALPHABET) {
    using client = await WireClient.connect(broker.port, { clientIdentifier: character });
    await client.drain();
  }
});

Deno.test("clients without a Client Identifier get one each [MQTT-3.1.3-6]", async () => {
  await using broker = await TestBroker.start();
  using one = await WireClient.connect(broker.port, { clientIdentifier: "" });
  using two = await WireClient.connect(broker.port, { clientIdentifier: "" });
  using three = await WireClient.connect(broker.port, { clientIdentifier: "" });
  await one.subscribe("for/one");
  await two.subscribe("for/two");
  await three.publish("for/one", "1", { qos: 1 });
  await three.publish("for/two", "2", { qos: 1 });
  assertEquals(text((await one.receiveMessage()).payload), "1");
  assertEquals(text((await two.receiveMessage()).payload), "2");
  for (const client of [one, two, three]) await expectNothing(client);
});

Deno.test("a zero-byte Client Identifier with Clean Session 0 is rejected [MQTT-3.1.3-7] [MQTT-3.1.3-8]", async () => {
  await using broker = await TestBroker.start();
  const connect = rawConnect({ flags: 0, payload: [field("")] });
  assertEquals(await answerUntilClose(broker.port, connect), IDENTIFIER_REJECTED);
});

Deno.test("a Client Identifier that is not wanted is answered by 0x02 and the end [MQTT-3.1.3-9]", async () => {
  await using broker = await TestBroker.start({
    limits: { clientIdentifierBytesMax: 30 },
    protocol: { zeroLengthClientIdentifiers: false },
  });
  const long = rawConnect({ payload: [field("x".repeat(31))] });
  assertEquals(await answerUntilClose(broker.port, long), IDENTIFIER_REJECTED);
  const empty = rawConnect({ payload: [field("")] });
  assertEquals(await answerUntilClose(broker.port, empty), IDENTIFIER_REJECTED);
  using client = await WireClient.connect(broker.port, { clientIdentifier: "x".repeat(30) });
  await client.drain();
});

Deno.test("an accepted CONNECT is answered by CONNACK 0 [MQTT-3.1.4-4] [MQTT-3.2.2-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.open(broker.port);
  assertEquals(await client.sendConnect(), {
    type: "CONNACK",
    sessionPresent: false,
    returnCode: 0,
  });
});

Deno.test("nothing behind a refused CONNECT is processed [MQTT-3.1.4-5]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#");
  const behind = concatenate([
    encodePacket(publishPacket("behind", "x", { retain: true })),
    encodePacket(publishPacket("behind", "x", { qos: 1, packetId: 1 })),
    hex("c0 00"),
    rawConnect(),
  ]);
  for (const { connect, answer } of REFUSALS) {
    const sent = concatenate([connect, behind]);
    assertEquals(await answerUntilClose(broker.port, sent), answer);
  }
  await expectNothing(watcher);
  await watcher.subscribe("behind");
  await expectNothing(watcher);
});

Deno.test("bytes that follow a refusal later are not processed either [MQTT-3.1.4-5]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#");
  using client = await WireClient.open(broker.port);
  await client.sendBytes(rawConnect({ level: 6 }));
  assertEquals((await client.expect("CONNACK")).returnCode, 1);
  await client.sendBytes(
    concatenate([rawConnect(), encodePacket(publishPacket("behind", "x", { retain: true }))]),
  );
  assertEquals(await client.expectClosed(), []);
  await expectNothing(watcher);
});

Deno.test("what stands behind an accepted CONNECT is processed, and CONNACK comes first [MQTT-3.2.0-1]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("r", "retained", { qos: 1, retain: true });
  using client = await WireClient.open(broker.port);
  await client.send(
    connectPacket(),
    { type: "SUBSCRIBE", packetId: 1, subscriptions: [{ filter: filter("r"), qos: 1 }] },
    { type: "PINGREQ" },
  );
  assertEquals((await receiveMany(client, 1))[0]!.type, "CONNACK");
  const rest = (await receiveMany(client, 3)).map((each) => each.type);
  assertEquals(rest.sort(), ["PINGRESP", "PUBLISH", "SUBACK"]);
});

Deno.test("messages that wait for a client come behind its CONNACK [MQTT-3.2.0-1]", async () => {
  await using broker = await TestBroker.start();
  const options = { clientIdentifier: "c", cleanSession: false };
  const before = await WireClient.connect(broker.port, options);
  await before.subscribe("t", 2);
  await before.disconnect();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "1", { qos: 1 });
  await publisher.publish("t", "2", { qos: 2 });
  using client = await WireClient.open(broker.port);
  await client.send(connectPacket(options));
  const types = (await receiveMany(client, 3)).map((each) => each.type);
  assertEquals(types, ["CONNACK", "PUBLISH", "PUBLISH"]);
});

Deno.test("a refusal says Session Present 0 and ends the connection [MQTT-3.2.2-4] [MQTT-3.2.2-5]", async () => {
  await using broker = await TestBroker.start({ limits: { sessionsMax: 1 } });
  const options = { clientIdentifier: "peer", cleanSession: false };
  const stored = await WireClient.connect(broker.port, options);
  await stored.disconnect();
  const payload = [field("another")];
  const full = await answerUntilClose(broker.port, rawConnect({ flags: 0, payload }));
  assertEquals(full, SERVER_UNAVAILABLE);
  // Even for a Client Identifier that has a Session.
  const level = await answerUntilClose(broker.port, rawConnect({ level: 6, flags: 0 }));
  assertEquals(level, UNACCEPTABLE_LEVEL);
  for (const { connect, answer } of REFUSALS) {
    assertEquals(await answerUntilClose(broker.port, connect), answer);
  }
  using again = await WireClient.open(broker.port);
  assertEquals((await again.sendConnect(options)).sessionPresent, true);
});

Deno.test("a refusal leaves the connected client of that name alone [MQTT-3.1.4-5]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port, { clientIdentifier: "peer" });
  await answerUntilClose(broker.port, rawConnect({ level: 6 }));
  await expectRejected(broker.port, rawConnect({ flags: 0x03 }));
  await client.drain();
});
