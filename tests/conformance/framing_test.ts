/** Fixed header, Packet Identifiers, malformed packets and the byte stream: chapters 2, 4.8 and 7. */
import { assert, assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import {
  concatenate,
  connectPacket,
  filter,
  name,
  publishPacket,
  text,
  WireClient,
} from "../support/wire_client.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import {
  bytes,
  expectRejected,
  expectViolation,
  field,
  hex,
  packet,
  rawConnect,
  RawSocket,
  uint16,
} from "./_raw.ts";

/** Packets with a fixed header whose flags are reserved: type, legal flags and a legal body. */
const RESERVED_FLAGS = [
  { sentence: "PUBACK with flags other than 0000 [MQTT-2.2.2-2]", first: 0x40, body: uint16(1) },
  { sentence: "PUBREC with flags other than 0000 [MQTT-2.2.2-2]", first: 0x50, body: uint16(1) },
  { sentence: "PUBREL with flags other than 0010 [MQTT-3.6.1-1]", first: 0x62, body: uint16(1) },
  { sentence: "PUBCOMP with flags other than 0000 [MQTT-2.2.2-2]", first: 0x70, body: uint16(1) },
  {
    sentence: "SUBSCRIBE with flags other than 0010 [MQTT-3.8.1-1]",
    first: 0x82,
    body: concatenate([uint16(1), field("a"), bytes(0)]),
  },
  {
    sentence: "UNSUBSCRIBE with flags other than 0010 [MQTT-3.10.1-1]",
    first: 0xa2,
    body: concatenate([uint16(1), field("a")]),
  },
  { sentence: "PINGREQ with flags other than 0000 [MQTT-2.2.2-2]", first: 0xc0, body: bytes() },
  { sentence: "DISCONNECT with flags other than 0000 [MQTT-3.14.1-1]", first: 0xe0, body: bytes() },
];

for (const { sentence, first, body } of RESERVED_FLAGS) {
  Deno.test(`the connection is closed for ${sentence}`, async () => {
    await using broker = await TestBroker.start();
    for (let flags = 0; flags < 16; flags++) {
      const changed = (first & 0xf0) | flags;
      if (changed !== first) await expectViolation(broker.port, packet(changed, body));
    }
    // The same bytes with the legal flags are no violation.
    if (first === 0xe0) return;
    using client = await WireClient.connect(broker.port);
    await client.sendBytes(packet(first, body));
    await client.drain();
  });
}

Deno.test("a CONNECT with a flag in its fixed header is not accepted [MQTT-2.2.2-2]", async () => {
  await using broker = await TestBroker.start();
  for (let flags = 1; flags < 16; flags++) {
    const connect = rawConnect();
    connect[0] = 0x10 | flags;
    await expectRejected(broker.port, connect);
  }
});

Deno.test("a DISCONNECT with reserved flags does not discard the Will [MQTT-3.14.1-1]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("will");
  using client = await WireClient.connect(broker.port, { will: { topic: name("will") } });
  await client.sendBytes(hex("e1 00"));
  assertEquals((await watcher.receiveMessage()).topic, name("will"));
});

Deno.test("every packet of the server carries the flags of table 2.2 [MQTT-2.2.2-1]", async () => {
  await using broker = await TestBroker.start();
  using socket = await RawSocket.open(broker.port);
  const dialogue = [
    { sent: rawConnect(), answer: "20 02 00 00" },
    { sent: packet(0x82, uint16(7), field("a"), bytes(2)), answer: "90 03 00 07 02" },
    { sent: packet(0xc0), answer: "d0 00" },
    { sent: packet(0x32, field("x"), uint16(9)), answer: "40 02 00 09" },
    { sent: packet(0x34, field("x"), uint16(10)), answer: "50 02 00 0a" },
    { sent: packet(0x62, uint16(10)), answer: "70 02 00 0a" },
    // To itself: PUBREC, and the message under the server's first Packet Identifier.
    { sent: packet(0x34, field("a"), uint16(11)), answer: null },
    { sent: packet(0x50, uint16(1)), answer: "62 02 00 01" },
    { sent: packet(0xa2, uint16(12), field("a")), answer: "b0 02 00 0c" },
  ];
  for (const { sent, answer } of dialogue) {
    await socket.write(sent);
    if (answer !== null) {
      assertEquals(await socket.read(hex(answer).length), hex(answer));
      continue;
    }
    const both = await socket.read(4 + 7);
    const firstBytes = both[0] === 0x50 ? [both[0], both[4]] : [both[7], both[0]];
    assertEquals(firstBytes, [0x50, 0x34]);
  }
});

Deno.test("Packet Identifier 0 closes the connection [MQTT-2.3.1-1]", async () => {
  await using broker = await TestBroker.start();
  const zero = uint16(0);
  await expectViolation(broker.port, packet(0x32, field("a"), zero));
  await expectViolation(broker.port, packet(0x34, field("a"), zero));
  await expectViolation(broker.port, packet(0x82, zero, field("a"), bytes(0)));
  await expectViolation(broker.port, packet(0xa2, zero, field("a")));
  // Cut off where the identifier should stand.
  await expectViolation(broker.port, packet(0x32, field("a")));
  await expectViolation(broker.port, packet(0x82));
});

Deno.test("a PUBLISH at QoS 0 has no Packet Identifier, either way [MQTT-2.3.1-5]", async () => {
  await using broker = await TestBroker.start();
  using subscriber = await RawSocket.connect(broker.port);
  await subscriber.write(packet(0x82, uint16(1), field("t"), bytes(2)));
  await subscriber.read(5);
  using publisher = await WireClient.connect(broker.port);
  // What stands where an identifier would stand is payload.
  await publisher.sendBytes(hex("30 06 0001 74 0007 41"));
  assertEquals(await subscriber.read(8), hex("30 06 0001 74 0007 41"));
});

Deno.test("acknowledgements carry the identifier of what they acknowledge [MQTT-2.3.1-6]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const packetId of [1, 255, 256, 0x1234, 65_535]) {
    await client.send(publishPacket("t", "x", { qos: 1, packetId }));
    assertEquals((await client.expect("PUBACK")).packetId, packetId);
    await client.send(publishPacket("t", "x", { qos: 2, packetId }));
    assertEquals((await client.expect("PUBREC")).packetId, packetId);
    await client.send({ type: "PUBREL", packetId });
    assertEquals((await client.expect("PUBCOMP")).packetId, packetId);
  }
});

Deno.test("SUBACK and UNSUBACK carry the identifier of their request [MQTT-2.3.1-7]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const packetId of [65_535, 1, 256, 0xabcd]) {
    await client.send({
      type: "SUBSCRIBE",
      packetId,
      subscriptions: [{ filter: filter("a"), qos: 0 }],
    });
    assertEquals((await client.expect("SUBACK")).packetId, packetId);
    await client.send({ type: "UNSUBSCRIBE", packetId, filters: [filter("a")] });
    assertEquals((await client.expect("UNSUBACK")).packetId, packetId);
  }
});

/** Bytes that no state of a connected client allows. */
const VIOLATIONS: readonly (readonly [string, string])[] = [
  ["packet type 0", "00 00"],
  ["packet type 15", "f0 00"],
  ["CONNACK from a client", "20 02 00 00"],
  ["SUBACK from a client", "90 03 00 01 00"],
  ["UNSUBACK from a client", "b0 02 00 01"],
  ["PINGRESP from a client", "d0 00"],
  ["a Remaining Length of five bytes", "c0 80 80 80 80 00"],
  ["PINGREQ with a body", "c0 01 00"],
  ["DISCONNECT with a body", "e0 01 00"],
  ["PUBACK without an identifier", "40 00"],
  ["PUBACK with a byte too many", "40 03 00 01 00"],
  ["PUBREL with a byte missing", "62 01 00"],
  ["PUBLISH without a Topic Name", "30 00"],
  ["PUBLISH whose Topic Name runs past its end", "30 03 00 05 61"],
  ["SUBSCRIBE whose filter runs past its end", "82 06 00 01 00 09 61 00"],
  ["SUBSCRIBE without a QoS behind the filter", "82 05 00 01 00 01 61"],
  ["UNSUBSCRIBE whose filter runs past its end", "a2 05 00 01 00 09 61"],
];

for (const [fault, digits] of VIOLATIONS) {
  Deno.test(`${fault} closes this connection and no other [MQTT-4.8.0-1]`, async () => {
    await using broker = await TestBroker.start();
    using bystander = await WireClient.connect(broker.port);
    await expectViolation(broker.port, hex(digits));
    await bystander.drain();
  });
}

Deno.test("what stands behind a violation is not processed [MQTT-4.8.0-1]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("#");
  const late = encodePacket(publishPacket("late", "x"));
  await expectViolation(broker.port, concatenate([hex("f0 00"), late]));
  assertEquals(await watcher.drain(), []);
});

Deno.test("a packet there is no room for closes its connection only [MQTT-4.8.0-2]", async () => {
  const limits = { receiveInFlightMax: 2, packetBytesMax: 1000 };
  await using broker = await TestBroker.start({ limits });
  using bystander = await WireClient.connect(broker.port);
  using client = await WireClient.connect(broker.port);
  for (const packetId of [1, 2, 3]) {
    await client.send(publishPacket("t", "x", { qos: 2, packetId }));
  }
  const answers = await client.expectClosed();
  assertEquals(answers, [1, 2].map((packetId) => ({ type: "PUBREC" as const, packetId })));
  await expectViolation(broker.port, packet(0x30, field("t"), new Uint8Array(1000)));
  await bystander.drain();
});

Deno.test("one chunk and single bytes give the same answers [MQTT-7.1.1-1]", async () => {
  const script = concatenate([
    connectPacket({ clientIdentifier: "splitter" }),
    { type: "SUBSCRIBE" as const, packetId: 3, subscriptions: [{ filter: filter("s/#"), qos: 2 }] },
    publishPacket("s/0", "zero"),
    publishPacket("s/0", "zero again"),
    publishPacket("s/1", "one", { qos: 1, packetId: 4 }),
    publishPacket("s/2", "x".repeat(150), { qos: 2, packetId: 5 }),
    { type: "PUBREL" as const, packetId: 5 },
    { type: "UNSUBSCRIBE" as const, packetId: 6, filters: [filter("s/#")] },
    publishPacket("s/0", "unheard"),
    { type: "PINGREQ" as const },
    { type: "DISCONNECT" as const },
  ].map((each) => encodePacket(each as Parameters<typeof encodePacket>[0])));
  const answers = [];
  for (const step of [script.length, 1, 3]) {
    await using broker = await TestBroker.start();
    using client = await WireClient.open(broker.port);
    for (let at = 0; at < script.length; at += step) {
      await client.sendBytes(script.subarray(at, at + step));
    }
    answers.push(await client.expectClosed());
  }
  assertEquals(answers[0]!.length, 11);
  // Acknowledgements and messages may be interleaved differently; each kind keeps its order.
  const sorted = answers.map((all) => {
    const published = all.filter((each) => each.type === "PUBLISH");
    return { published, rest: all.filter((each) => each.type !== "PUBLISH") };
  });
  assertEquals(sorted[1], sorted[0]!);
  assertEquals(sorted[2], sorted[0]!);
});

Deno.test("a large message crosses the stream whole and in order [MQTT-7.1.1-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("big");
  const content = Array.from({ length: 50_000 }, (_, index) => String(index)).join(" ");
  await client.send(publishPacket("big", content));
  assert(text((await client.receiveMessage()).payload) === content);
});

Deno.test("a dialogue in the bytes of the standard needs no extension [MQTT-7.0.0-2]", async () => {
  await using broker = await TestBroker.start();
  using socket = await RawSocket.open(broker.port);
  await socket.write(hex("10 0d 0004 4d515454 04 02 003c 0001 61"));
  assertEquals(await socket.read(4), hex("20 02 00 00"));
  await socket.write(hex("82 06 0001 0001 74 00"));
  assertEquals(await socket.read(5), hex("90 03 0001 00"));
  await socket.write(hex("30 05 0001 74 6869"));
  assertEquals(await socket.read(7), hex("30 05 0001 74 6869"));
  await socket.write(hex("c0 00"));
  assertEquals(await socket.read(2), hex("d0 00"));
  await socket.write(hex("e0 00"));
  assertEquals(await socket.read(1), bytes());
});
