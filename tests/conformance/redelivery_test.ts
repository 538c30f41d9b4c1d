/** What is sent again after a reconnect, and in which order: sections 4.4 and 4.6. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import {
  type ConnectOptions,
  filter,
  publishPacket,
  text,
  WireClient,
} from "../support/wire_client.ts";
import type { ControlPacket, PublishPacket } from "../../src/mqtt/mod.ts";
import { expectNothing, receiveMany } from "./_raw.ts";

const KEPT: ConnectOptions = { clientIdentifier: "c", cleanSession: false };

for (const qos of [1, 2] as const) {
  Deno.test(`unacknowledged QoS ${qos} messages come again with DUP, identifier and order [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1]`, async () => {
    await using broker = await TestBroker.start();
    const client = await subscribed(broker, qos);
    const original = await publishTo(broker, client, [qos, qos, qos, qos, qos]);
    client.close();
    // And again, as often as it takes.
    for (let round = 0; round < 3; round++) {
      using back = await WireClient.connect(broker.port, KEPT);
      assertEquals(await receiveMany(back, 5), original.map(withDup));
      await expectNothing(back);
    }
  });
}

Deno.test("QoS 1 and QoS 2 messages come again in their common order [MQTT-4.6.0-1] [MQTT-4.4.0-1]", async () => {
  await using broker = await TestBroker.start();
  const client = await subscribed(broker, 2);
  const original = await publishTo(broker, client, [1, 2, 2, 1, 2, 1, 1]);
  client.close();
  using back = await WireClient.connect(broker.port, KEPT);
  assertEquals(await receiveMany(back, 7), original.map(withDup));
  await expectNothing(back);
});

Deno.test("only what is unacknowledged comes again, around a gap [MQTT-4.4.0-1] [MQTT-4.6.0-1]", async () => {
  await using broker = await TestBroker.start();
  const client = await subscribed(broker, 1);
  const original = await publishTo(broker, client, [1, 1, 1, 1, 1]);
  for (const index of [3, 1]) {
    await client.send({ type: "PUBACK", packetId: original[index]!.packetId });
  }
  await expectNothing(client);
  client.close();
  using back = await WireClient.connect(broker.port, KEPT);
  const expected = [0, 2, 4].map((index) => withDup(original[index]!));
  assertEquals(await receiveMany(back, 3), expected);
  await expectNothing(back);
});

Deno.test("after PUBREC the PUBREL comes again and the PUBLISH does not [MQTT-4.4.0-1] [MQTT-4.3.3-1]", async () => {
  await using broker = await TestBroker.start();
  const client = await subscribed(broker, 2);
  const [first] = await publishTo(broker, client, [2]);
  const { packetId } = first!;
  await client.send({ type: "PUBREC", packetId });
  await client.expect("PUBREL");
  client.close();
  for (let round = 0; round < 2; round++) {
    using back = await WireClient.connect(broker.port, KEPT);
    assertEquals(await back.receive(), { type: "PUBREL", packetId });
    await expectNothing(back);
  }
  using last = await WireClient.connect(broker.port, KEPT);
  await last.expect("PUBREL");
  await last.send({ type: "PUBCOMP", packetId });
  await expectNothing(last);
  using done = await WireClient.connect(broker.port, KEPT);
  await expectNothing(done);
});

Deno.test("PUBLISH and PUBREL come again side by side [MQTT-4.4.0-1]", async () => {
  await using broker = await TestBroker.start();
  const client = await subscribed(broker, 2);
  const original = await publishTo(broker, client, [2, 2, 1, 2]);
  const [released, ...rest] = original;
  await client.send({ type: "PUBREC", packetId: released!.packetId });
  await client.expect("PUBREL");
  client.close();
  using back = await WireClient.connect(broker.port, KEPT);
  const again = await receiveMany(back, 4);
  const published = again.filter((each) => each.type === "PUBLISH");
  assertEquals(published, rest.map(withDup));
  const released2 = again.filter((each) => each.type === "PUBREL");
  assertEquals(released2, [{ type: "PUBREL", packetId: released!.packetId }]);
  await expectNothing(back);
});

Deno.test("what comes again goes before what waited, which has DUP 0 [MQTT-4.6.0-1] [MQTT-3.3.1-1] [MQTT-3.3.1-3]", async () => {
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 3 } });
  const client = await subscribed(broker, 2);
  const original = await publishTo(broker, client, [1, 2, 1]);
  client.close();
  using publisher = await WireClient.connect(broker.port);
  for (const content of ["a", "b", "c"]) await publisher.publish("t", content, { qos: 1 });
  using back = await WireClient.connect(broker.port, KEPT);
  const again = await receiveMany(back, 3) as PublishPacket[];
  assertEquals(again, original.map(withDup));
  await back.send({ type: "PUBACK", packetId: again[0]!.packetId });
  await back.send({ type: "PUBREC", packetId: again[1]!.packetId });
  await back.send({ type: "PUBACK", packetId: again[2]!.packetId });
  const rest = await receiveMany(back, 3);
  assertEquals(rest.map(describe).sort(), ["PUBREL", "a 0", "b 0"]);
  await back.send({ type: "PUBCOMP", packetId: again[1]!.packetId });
  assertEquals(describe(await back.receive()), "c 0");
});

Deno.test("a message that comes again keeps topic, payload, QoS and RETAIN [MQTT-4.4.0-1]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("r/one", "kept", { qos: 1, retain: true });
  await publisher.publish("r/two", "kept too", { qos: 2, retain: true });
  const client = await WireClient.connect(broker.port, KEPT);
  const subscriptions = [{ filter: filter("r/#"), qos: 2 as const }];
  await client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  // Messages may come before the SUBACK (section 3.8.4).
  const original = (await receiveMany(client, 3)).filter((each) => each.type === "PUBLISH");
  assertEquals(original.map(({ retain }) => retain), [true, true]);
  client.close();
  // Neither a newer retained message nor the removal changes what was sent.
  await publisher.publish("r/one", "", { qos: 1, retain: true });
  using back = await WireClient.connect(broker.port, KEPT);
  assertEquals(await receiveMany(back, 2), original.map(withDup));
});

Deno.test("messages of one topic and QoS keep their order through window and queue [MQTT-4.6.0-5] [MQTT-4.6.0-6]", async () => {
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 4 } });
  using client = await WireClient.connect(broker.port);
  await client.send({
    type: "SUBSCRIBE",
    packetId: 1,
    subscriptions: [{ filter: filter("+/+"), qos: 2 }],
  });
  await client.expect("SUBACK");
  using publisher = await WireClient.connect(broker.port);
  const count = 120;
  for (let index = 0; index < count; index++) {
    const qos = (index % 3) as 0 | 1 | 2;
    const options = { qos, packetId: qos === 0 ? 0 : index + 1 };
    await publisher.send(publishPacket(`t/${index % 2}`, String(index), options));
  }
  await publisher.drain();
  const streams = new Map<string, number[]>();
  for (let received = 0; received < count;) {
    const packet = await client.receive();
    if (packet.type === "PUBREL") {
      await client.send({ type: "PUBCOMP", packetId: packet.packetId });
      continue;
    }
    if (packet.type !== "PUBLISH") throw new Error(`Cannot receive: got ${packet.type}`);
    received++;
    const stream = `${packet.topic} ${packet.qos}`;
    streams.set(stream, [...streams.get(stream) ?? [], Number(text(packet.payload))]);
    if (packet.qos === 1) await client.send({ type: "PUBACK", packetId: packet.packetId });
    if (packet.qos === 2) await client.send({ type: "PUBREC", packetId: packet.packetId });
  }
  assertEquals(streams.size, 6);
  for (const [stream, numbers] of streams) {
    assertEquals(numbers, numbers.toSorted((a, b) => a - b), stream);
    assertEquals(numbers.length, 20, stream);
  }
});

Deno.test("every one of several subscribers gets the publisher's order [MQTT-4.6.0-6]", async () => {
  await using broker = await TestBroker.start();
  await using clients = new AsyncDisposableStack();
  const subscribers: WireClient[] = [];
  for (const topicFilter of ["t", "+", "#"]) {
    const client = clients.use(await WireClient.connect(broker.port));
    await client.subscribe(topicFilter, 1);
    subscribers.push(client);
  }
  using publisher = await WireClient.connect(broker.port);
  const numbers = Array.from({ length: 60 }, (_, index) => String(index));
  const packets = numbers.map((content, index) =>
    publishPacket("t", content, { qos: 1, packetId: index + 1 })
  );
  await publisher.send(...packets);
  for (const subscriber of subscribers) {
    const received = [];
    for (const _ of numbers) received.push(text((await subscriber.receiveMessage()).payload));
    assertEquals(received, numbers);
  }
});

for (const qos of [0, 1] as const) {
  Deno.test(`a live QoS ${qos} message does not overtake the retained one of its topic [MQTT-4.6.0-6]`, async () => {
    // More than one outbox full of retained messages, so that some have to wait.
    const outbox = { bytesMax: 60_000, highWaterBytes: 20_000, lowWaterBytes: 1_000 };
    await using broker = await TestBroker.start({ outbox });
    using publisher = await WireClient.connect(broker.port);
    const large = "retained".repeat(1_000);
    for (let index = 0; index < 10; index++) {
      await publisher.publish(`r/${index}`, large, { qos: 1, retain: true });
    }
    using client = await WireClient.connect(broker.port);
    const live = Array.from(
      { length: 10 },
      (_, index) =>
        publishPacket(`r/${index}`, "live", { qos, packetId: qos === 0 ? 0 : index + 1 }),
    );
    const subscriptions = [{ filter: filter("r/+"), qos }];
    await client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions }, ...live);
    const lengths = new Map<string, number[]>();
    for (let received = 0; received < 20;) {
      const packet = await client.receive();
      if (packet.type !== "PUBLISH") continue;
      received++;
      lengths.set(packet.topic, [...lengths.get(packet.topic) ?? [], packet.payload.length]);
    }
    assertEquals(lengths.size, 10);
    for (const each of lengths.values()) assertEquals(each, [large.length, 4]);
  });
}

Deno.test("a retained message that waits for the window is not overtaken by a live one [MQTT-4.6.0-6]", async () => {
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 1 } });
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("r", "older", { qos: 1, retain: true });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t", 1);
  // One in flight, one behind it in the queue.
  for (const content of ["1", "2"]) await publisher.publish("t", content, { qos: 1 });
  const first = await client.expect("PUBLISH");
  await client.subscribe("r", 1, 2);
  await publisher.publish("r", "newer", { qos: 1 });
  await client.send({ type: "PUBACK", packetId: first.packetId });
  const contents = [];
  for (let index = 0; index < 3; index++) {
    contents.push(text((await client.receiveMessage()).payload));
  }
  assertEquals(contents, ["2", "older", "newer"]);
});

Deno.test("PUBACKs come in the order of their PUBLISHes [MQTT-4.6.0-2]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  const identifiers = [9, 3, 77, 1, 65_535, 2];
  await client.send(
    ...identifiers.map((packetId) => publishPacket("t", "x", { qos: 1, packetId })),
  );
  const expected = identifiers.map((packetId) => ({ type: "PUBACK", packetId }));
  assertEquals<unknown>(await receiveMany(client, identifiers.length), expected);
});

Deno.test("PUBRECs come in the order of their PUBLISHes [MQTT-4.6.0-3]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  const identifiers = [9, 3, 77, 1, 65_535, 2];
  await client.send(
    ...identifiers.map((packetId) => publishPacket("t", "x", { qos: 2, packetId })),
  );
  const expected = identifiers.map((packetId) => ({ type: "PUBREC", packetId }));
  assertEquals<unknown>(await receiveMany(client, identifiers.length), expected);
});

Deno.test("PUBRELs come in the order of the PUBRECs [MQTT-4.6.0-4]", async () => {
  await using broker = await TestBroker.start();
  using client = await subscribed(broker, 2);
  const original = await publishTo(broker, client, [2, 2, 2, 2, 2]);
  // Not the order of the PUBLISHes.
  const identifiers = [4, 0, 3, 1, 2].map((index) => original[index]!.packetId);
  await client.send(...identifiers.map((packetId) => ({ type: "PUBREC" as const, packetId })));
  const expected = identifiers.map((packetId) => ({ type: "PUBREL", packetId }));
  assertEquals<unknown>(await receiveMany(client, identifiers.length), expected);
});

async function subscribed(broker: TestBroker, qos: 1 | 2): Promise<WireClient> {
  const client = await WireClient.connect(broker.port, KEPT);
  await client.subscribe("t", qos);
  return client;
}

/** Publishes one message for each QoS; gives what the client received and left unacknowledged. */
async function publishTo(
  broker: TestBroker,
  client: WireClient,
  levels: readonly (1 | 2)[],
): Promise<PublishPacket[]> {
  using publisher = await WireClient.connect(broker.port);
  const received: PublishPacket[] = [];
  for (const [index, qos] of levels.entries()) {
    await publisher.publish("t", `message ${index}`, { qos });
    const packet = await client.expect("PUBLISH");
    assertEquals([text(packet.payload), packet.dup, packet.qos], [`message ${index}`, false, qos]);
    received.push(packet);
  }
  return received;
}

function withDup(packet: PublishPacket): PublishPacket {
  return { ...packet, dup: true };
}

function describe(packet: ControlPacket): string {
  return packet.type === "PUBLISH" ? `${text(packet.payload)} ${Number(packet.dup)}` : packet.type;
}
