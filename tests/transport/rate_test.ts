/** Rates over real sockets: reading stops, nothing is lost, and nobody else notices. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { encodePacket, type Qos } from "../../src/mqtt/mod.ts";
import { TestBroker } from "../support/test_broker.ts";
import { concatenate, publishPacket, text, WireClient } from "../support/wire_client.ts";

function messages(count: number, qos: Qos, content = ""): Uint8Array {
  const packets = Array.from({ length: count }, (_, i) => {
    const packetId = qos === 0 ? 0 : 1 + i;
    return encodePacket(publishPacket("t", `${i} ${content}`, { qos, packetId }));
  });
  return concatenate(packets);
}

async function expectNumbers(client: WireClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const message = await client.receiveMessage(15_000);
    assertEquals(parseInt(text(message.payload)), i);
  }
}

Deno.test("a client that floods is not read, and the socket keeps what it sends", async () => {
  await using broker = await TestBroker.start({
    rate: { clientMessagesPerSecond: 10, clientMessagesBurst: 10 },
  });
  using flooding = await WireClient.connect(broker.port, { clientIdentifier: "flooding" });
  const bytes = messages(5_000, 0, "x".repeat(10_000));
  let written = false;
  const flood = flooding.sendBytes(bytes).then(() => written = true, () => {});
  using reader = await WireClient.connect(broker.port);
  await reader.subscribe("other");
  using other = await WireClient.connect(broker.port);
  for (let i = 0; i < 20; i++) {
    await other.publish("other", `${i}`, { qos: (i % 2) as Qos });
    assertEquals(text((await reader.receiveMessage()).payload), `${i}`);
    if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 1_100));
  }
  const { statistics } = broker.server.broker;
  assertGreater(statistics.rateHolds, 0);
  assertLess(statistics.publishReceived, 200);
  assertEquals(written, false, "50 MB do not fit into the buffers of a socket");
  assertEquals(statistics.publishersHeld, 0);
  flooding.close();
  await flood;
});

for (const qos of [0, 1, 2] as const) {
  Deno.test(`QoS ${qos} messages above the rate come later, all and in order`, async () => {
    await using broker = await TestBroker.start({
      rate: { clientMessagesPerSecond: 400, clientMessagesBurst: 100 },
    });
    using reader = await WireClient.connect(broker.port);
    await reader.subscribe("t", qos === 2 ? 0 : qos);
    using publisher = await WireClient.connect(broker.port);
    await publisher.sendBytes(messages(500, qos));
    await expectNumbers(reader, 500);
    const answer = ([null, "PUBACK", "PUBREC"] as const)[qos];
    if (answer !== null) { for (let i = 0; i < 500; i++) await publisher.expect(answer); }
    assertGreater(broker.server.broker.statistics.rateHolds, 0);
    assertEquals(await publisher.drain(), []);
  });
}

Deno.test("what a client has sent before it left is read when its time comes", async () => {
  await using broker = await TestBroker.start({
    rate: { clientBytesPerSecond: 20_000, clientBytesBurst: 10_000 },
  });
  using reader = await WireClient.connect(broker.port);
  await reader.subscribe("t");
  const publisher = await WireClient.connect(broker.port, { clientIdentifier: "leaving" });
  await publisher.sendBytes(messages(40, 0, "x".repeat(1_000)));
  publisher.close();
  await expectNumbers(reader, 40);
  const deadline = performance.now() + 15_000;
  while (broker.server.broker.statistics.clientsConnected > 1) {
    assert(performance.now() < deadline, "its end is not seen");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertGreater(broker.server.broker.statistics.rateHolds, 0);
});

Deno.test("clients that wait for the limit of all do not keep the broker from ending", async () => {
  const broker = await TestBroker.start({
    rate: { totalMessagesPerSecond: 1, totalMessagesBurst: 1 },
  });
  const all: WireClient[] = [];
  for (let i = 0; i < 5; i++) {
    const client = await WireClient.connect(broker.port);
    all.push(client);
    await client.sendBytes(messages(100, 0));
  }
  const { statistics } = broker.server.broker;
  while (statistics.rateHolds < 5) await new Promise((resolve) => setTimeout(resolve, 5));
  await broker[Symbol.asyncDispose]();
  assertEquals(statistics.connectionsOpen, 0);
  assertLessOrEqual(statistics.publishReceived, 5 + 15);
  for (const client of all) client.close();
});
