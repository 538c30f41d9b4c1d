/** A Sparkplug compliant server is an MQTT one: QoS 0 and 1, Wills, retained messages, while aware. */
import { assertEquals } from "@std/assert";
import type { Will } from "../../../src/mqtt/mod.ts";
import { TestBroker } from "../../support/test_broker.ts";
import {
  type ConnectOptions,
  connectPacket,
  filter,
  name,
  payload,
  publishPacket,
  text,
  WireClient,
} from "../../support/wire_client.ts";
import { SecurityFiles } from "../../support/security_files.ts";
import { received } from "./_traffic.ts";

const DATA = "spBv1.0/G/NDATA/E";
/** Not an NDEATH: its payload would be stamped. */
const WILL = { topic: name("spBv1.0/STATE/H"), payload: payload("gone"), qos: 1 as const };

Deno.test("QoS 0 is published and received [tck-id-conformance-mqtt-qos0] [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using broker = await TestBroker.start();
  using subscriber = await WireClient.connect(broker.port);
  await subscriber.subscribe(DATA, 0);
  using publisher = await WireClient.connect(broker.port);
  for (const content of ["1", "2", "3"]) await publisher.publish(DATA, content);
  for (const content of ["1", "2", "3"]) {
    assertEquals(await subscriber.receive(), publishPacket(DATA, content));
  }
});

Deno.test("QoS 1 is acknowledged, received, and repeated to who did not acknowledge [tck-id-conformance-mqtt-qos1] [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using broker = await TestBroker.start();
  const options = { clientIdentifier: "host", cleanSession: false };
  const host = await WireClient.connect(broker.port, options);
  await host.subscribe(DATA, 1);
  using publisher = await WireClient.connect(broker.port);
  for (const content of ["1", "2", "3"]) await publisher.publish(DATA, content, { qos: 1 });
  const first = [];
  for (let i = 0; i < 3; i++) first.push(await host.expect("PUBLISH"));
  assertEquals(first.map(({ payload: p, qos, dup }) => [text(p), qos, dup]), [
    ["1", 1, false],
    ["2", 1, false],
    ["3", 1, false],
  ]);
  await host.send({ type: "PUBACK", packetId: first[0]!.packetId });
  await host.drain();
  host.close();
  using back = await WireClient.connect(broker.port, options);
  const again = [await back.receiveMessage(), await back.receiveMessage()];
  assertEquals(again, first.slice(1).map((packet) => ({ ...packet, dup: true })));
  assertEquals(await back.drain(), []);
});

/** How a connection can end, and whether its Will is published. */
const ENDINGS: readonly (readonly [string, boolean, (client: WireClient) => Promise<void>])[] = [
  ["a cut", true, (client) => Promise.resolve(client.close())],
  ["DISCONNECT", false, (client) => client.disconnect()],
  ["a protocol error", true, async (client) => {
    await client.sendBytes(Uint8Array.of(0xf0, 0));
    await client.expectClosed();
  }],
];

for (const [cause, isPublished, end] of ENDINGS) {
  Deno.test(`after ${cause} the Will is ${isPublished ? "" : "not "}published [tck-id-conformance-mqtt-will-messages] [tck-id-conformance-mqtt-aware-basic]`, async () => {
    await using broker = await TestBroker.start();
    using watcher = await watch(broker, 1);
    const client = await WireClient.connect(broker.port, { will: WILL });
    await client.drain();
    await end(client);
    if (!isPublished) return assertEquals(await watcher.drain(), []);
    const { topic, payload: content, qos, retain } = await watcher.receiveMessage();
    assertEquals({ topic, payload: content, qos, retain }, { ...WILL, retain: false });
  });
}

Deno.test("silence for one and a half keep alives publishes the Will [tck-id-conformance-mqtt-will-messages] [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker, 1);
  using client = await WireClient.connect(broker.port, { will: WILL, keepAliveSeconds: 1 });
  assertEquals(text((await watcher.receiveMessage(20_000)).payload), "gone");
  assertEquals(await client.expectClosed(), []);
});

Deno.test("a take-over publishes the Will of the older connection [tck-id-conformance-mqtt-will-messages] [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker, 1);
  const options = { clientIdentifier: "node", will: WILL };
  using older = await WireClient.connect(broker.port, options);
  using _newer = await WireClient.connect(broker.port, options);
  await older.expectClosed();
  assertEquals(text((await watcher.receiveMessage()).payload), "gone");
});

Deno.test("a retained Will is retained, and an empty one clears its topic [tck-id-conformance-mqtt-will-messages] [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker, 1);
  await die(broker, { ...WILL, retain: true });
  assertEquals((await watcher.receiveMessage()).retain, false);
  assertEquals(await retained(broker), [["gone", 1]]);
  await die(broker, { ...WILL, payload: payload(""), retain: true });
  assertEquals(text((await watcher.receiveMessage()).payload), "");
  assertEquals(await retained(broker), []);
});

for (const willQos of [0, 1] as const) {
  for (const granted of [0, 1] as const) {
    Deno.test(`a Will at QoS ${willQos} reaches a subscription at QoS ${granted} [tck-id-conformance-mqtt-will-messages] [tck-id-conformance-mqtt-aware-basic]`, async () => {
      await using broker = await TestBroker.start();
      using watcher = await watch(broker, granted);
      await die(broker, { ...WILL, qos: willQos });
      assertEquals((await watcher.receiveMessage()).qos, Math.min(willQos, granted));
    });
  }
}

Deno.test("who may not publish on a topic has no Will there [tck-id-conformance-mqtt-will-messages] [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using files = await SecurityFiles.make();
  const accessFile = await files.access(
    "everyone\nallow read,subscribe #\nallow publish spBv1.0/G/#\n",
  );
  await using broker = await TestBroker.start({ security: { accessFile } });
  using watcher = await watch(broker, 1);
  await die(broker, WILL);
  await die(broker, { ...WILL, topic: name("spBv1.0/G/DDEATH/E/D") });
  assertEquals((await watcher.receiveMessage()).topic, name("spBv1.0/G/DDEATH/E/D"));
});

Deno.test("Will QoS or Will Retain without a Will close the connection [tck-id-conformance-mqtt-will-messages] [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using broker = await TestBroker.start();
  for (const flags of [0x08, 0x20]) {
    using client = await WireClient.open(broker.port);
    const clean = 0x02;
    const head = [0x10, 16, 0, 4, ...payload("MQTT"), 4, clean | flags, 0, 0];
    await client.sendBytes(Uint8Array.of(...head, 0, 4, ...payload("node")));
    assertEquals(await client.expectClosed(), []);
  }
});

Deno.test("retained messages: replaced, cleared, found by wildcards, at the lower QoS [tck-id-conformance-mqtt-retained] [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await watch(broker, 1);
  using host = await WireClient.connect(broker.port, { will: WILL });
  const topic = WILL.topic;
  for (const [content, qos] of [["first", 1], ["second", 0], ["third", 1]] as const) {
    await host.publish(topic, content, { qos, retain: true });
  }
  const live = (await received(watcher)).map(({ payload: p, retain }) => [text(p), retain]);
  assertEquals(live, [["first", false], ["second", false], ["third", false]]);
  assertEquals(await retained(broker), [["third", 1]]);
  assertEquals(await retained(broker, "spBv1.0/+/H", 0), [["third", 0]]);
  await watcher.subscribe("spBv1.0/STATE/#", 1); // a repeated SUBSCRIBE
  assertEquals((await received(watcher)).map(({ retain }) => retain), [true]);
  assertEquals((await retained(broker, "#")).length, 1); // without the certificates and $SYS
  await host.publish(topic, "", { qos: 1, retain: true });
  assertEquals((await received(watcher)).map(({ payload: p }) => text(p)), [""]);
  assertEquals(await retained(broker), []);
});

Deno.test("retained messages outlive their publisher and the broker [tck-id-conformance-mqtt-retained] [tck-id-conformance-mqtt-aware-basic]", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  {
    await using broker = await TestBroker.start({ store: { dataDir } }, { keepDataDir: true });
    const host = await WireClient.connect(broker.port);
    await host.publish(WILL.topic, "online", { qos: 1, retain: true });
    await host.disconnect();
    assertEquals(await retained(broker), [["online", 1]]);
  }
  await using broker = await TestBroker.start({ store: { dataDir } });
  assertEquals(await retained(broker), [["online", 1]]);
});

async function watch(broker: TestBroker, qos: 0 | 1): Promise<WireClient> {
  const watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("spBv1.0/#", qos);
  return watcher;
}

/** A client with this Will is cut off. */
async function die(broker: TestBroker, will: ConnectOptions["will"] & Partial<Will>) {
  const client = await WireClient.open(broker.port);
  await client.send(connectPacket({ will }), { type: "PINGREQ" });
  await client.expect("CONNACK");
  await client.expect("PINGRESP");
  client.close();
}

/** Contents and QoS of what a new subscription gets. */
async function retained(broker: TestBroker, topicFilter = "spBv1.0/#", qos: 0 | 1 = 1) {
  using client = await WireClient.connect(broker.port);
  const subscriptions = [{ filter: filter(topicFilter), qos }];
  await client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  await client.expect("SUBACK");
  return (await received(client)).map((m) => [text(m.payload), m.qos]);
}
