/** A Sparkplug aware server, seen from its sockets: births are kept, deaths tell their time. */
import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { TestBroker } from "../../support/test_broker.ts";
import { name, WireClient } from "../../support/wire_client.ts";
import {
  birth,
  CERTIFICATES,
  death,
  metric,
  received,
  send,
  sparkplugPayload,
  splitTimestamp,
} from "./_traffic.ts";

const NBIRTH = "spBv1.0/G/NBIRTH/E";
const DBIRTH = "spBv1.0/G/DBIRTH/E/D1";

/** What a fresh client gets of the certificates that match, by topic. */
async function certificates(broker: TestBroker, filter: string) {
  using client = await WireClient.connect(broker.port);
  await client.subscribe(filter, 1);
  const messages = await received(client);
  return messages.map(({ topic, payload, qos, retain }) => ({ topic, payload, qos, retain }))
    .toSorted((a, b) => a.topic < b.topic ? -1 : 1);
}

function certificate(topic: string, payload: Uint8Array) {
  return { topic: name(CERTIFICATES + topic), payload, qos: 1, retain: true };
}

Deno.test("births are kept for whoever comes later, byte for byte, the latest only [tck-id-conformance-mqtt-aware-store]", async () => {
  await using broker = await TestBroker.start();
  const node = await WireClient.connect(broker.port);
  await send(node, NBIRTH, { payload: birth(1) });
  await send(node, DBIRTH, { payload: birth(2, 1) });
  const [last, device] = [birth(300), birth(400, 1)];
  await send(node, NBIRTH, { payload: last });
  await send(node, DBIRTH, { payload: device, qos: 1 });
  const data = sparkplugPayload({ metrics: [metric("value", 5)], seq: 2 });
  await send(node, "spBv1.0/G/NDATA/E", { payload: data });
  await send(node, "spBv1.0/G/DDATA/E/D1", { payload: data });
  await send(node, "spBv1.0/G/DDEATH/E/D1", { payload: data });
  await send(node, "spBv1.0/G/NDEATH/E", { payload: death(0) });
  await node.disconnect();
  const expected = [certificate(DBIRTH, device), certificate(NBIRTH, last)];
  assertEquals(await certificates(broker, `${CERTIFICATES}#`), expected);
});

for (
  const [id, topic] of [
    ["tck-id-conformance-mqtt-aware-nbirth-mqtt-topic", NBIRTH],
    ["tck-id-conformance-mqtt-aware-dbirth-mqtt-topic", DBIRTH],
  ] as const
) {
  Deno.test(`a birth is found by every filter that matches its certificate [${id}]`, async () => {
    await using broker = await TestBroker.start();
    using node = await WireClient.connect(broker.port);
    const payload = birth(7);
    await send(node, topic, { payload, qos: 1 });
    const wildcard = topic.replace("/G/", "/+/").replace("/E", "/+").replace("/D1", "/+");
    const filters = [topic, "spBv1.0/G/#", "#", wildcard].map((f) => CERTIFICATES + f);
    for (const filter of [...filters, "$sparkplug/#", "$sparkplug/+/#"]) {
      const found = await certificates(broker, filter);
      assertEquals(found, [certificate(topic, payload)], filter);
    }
    const others = ["#", "+/#", "+/certificates/#", `${CERTIFICATES}spBv1.0/H/#`];
    for (const filter of others) assertEquals(await certificates(broker, filter), [], filter);
  });
}

Deno.test("two Devices of an Edge Node have two certificates [tck-id-conformance-mqtt-aware-dbirth-mqtt-topic]", async () => {
  await using broker = await TestBroker.start();
  using node = await WireClient.connect(broker.port);
  const topics = ["spBv1.0/G/DBIRTH/E/D 1", "spBv1.0/G/DBIRTH/E/Ünit", "spBv1.0/G/DBIRTH/F/D 1"];
  for (const [i, topic] of topics.entries()) {
    await send(node, topic, { payload: birth(i), qos: 1 });
  }
  const found = await certificates(broker, `${CERTIFICATES}spBv1.0/G/DBIRTH/#`);
  assertEquals(found.map((one) => one.topic), topics.map((topic) => name(CERTIFICATES + topic)));
});

for (
  const [id, topic] of [
    ["tck-id-conformance-mqtt-aware-nbirth-mqtt-retain", NBIRTH],
    ["tck-id-conformance-mqtt-aware-dbirth-mqtt-retain", DBIRTH],
  ] as const
) {
  Deno.test(`a certificate has RETAIN 1 for new and for standing subscriptions [${id}]`, async () => {
    await using broker = await TestBroker.start();
    using node = await WireClient.connect(broker.port);
    using standing = await WireClient.connect(broker.port);
    await standing.subscribe(`${CERTIFICATES}#`, 1);
    const payload = birth(7);
    await send(node, topic, { payload, qos: 1 });
    const [live] = await received(standing);
    assertEquals([live?.retain, live?.payload], [true, payload]);
    assertEquals(await certificates(broker, CERTIFICATES + topic), [certificate(topic, payload)]);
    // A repeated SUBSCRIBE is answered anew. [MQTT-3.8.4-3]
    await standing.subscribe(`${CERTIFICATES}#`, 1);
    assertEquals((await received(standing)).map(({ retain }) => retain), [true]);
  });
}

Deno.test("the birth itself passes as it came and is not retained [tck-id-conformance-mqtt-aware-basic]", async () => {
  await using broker = await TestBroker.start();
  using node = await WireClient.connect(broker.port);
  using host = await WireClient.connect(broker.port);
  await host.subscribe("spBv1.0/#", 1);
  await host.subscribe(`${CERTIFICATES}#`, 0);
  const payload = birth(7);
  await send(node, NBIRTH, { payload });
  await send(node, DBIRTH, { payload, qos: 1 });
  const seen = (await received(host)).map(({ topic, qos, retain }) => [topic, qos, retain]);
  assertEquals(seen, [
    [name(NBIRTH), 0, false],
    [name(CERTIFICATES + NBIRTH), 0, true], // behind the birth, at the QoS of the subscription
    [name(DBIRTH), 1, false],
    [name(CERTIFICATES + DBIRTH), 0, true],
  ]);
  using late = await WireClient.connect(broker.port);
  await late.subscribe("spBv1.0/#", 1);
  assertEquals(await received(late), []);
  // A client may retain a birth itself: that is MQTT.
  await send(node, NBIRTH, { payload, qos: 1, retain: true });
  assertEquals((await received(late)).map(({ retain }) => retain), [false]);
  await late.subscribe(NBIRTH, 1);
  assertEquals((await received(late)).map(({ retain }) => retain), [true]);
});

Deno.test("certificates outlive the broker [tck-id-conformance-mqtt-aware-store]", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const payload = birth(7);
  {
    await using broker = await TestBroker.start({ store: { dataDir } }, { keepDataDir: true });
    using node = await WireClient.connect(broker.port);
    await send(node, NBIRTH, { payload }); // QoS 0
    await send(node, DBIRTH, { payload, qos: 1 });
  }
  // What is kept is found in the mode "off", too.
  for (const mode of ["aware", "off"] as const) {
    const changes = { store: { dataDir }, sparkplug: { mode } };
    await using broker = await TestBroker.start(changes, { keepDataDir: mode === "aware" });
    const expected = [certificate(DBIRTH, payload), certificate(NBIRTH, payload)];
    assertEquals(await certificates(broker, `${CERTIFICATES}#`), expected);
    const { certificates: count, retainedMessages } = broker.server.broker.statistics;
    assertEquals([count, retainedMessages], [2, 0]);
  }
});

Deno.test("the Will of an Edge Node tells when it died [tck-id-conformance-mqtt-aware-ndeath-timestamp]", async () => {
  await using broker = await TestBroker.start();
  using host = await WireClient.connect(broker.port);
  await host.subscribe("spBv1.0/G/NDEATH/#", 1);
  const topic = name("spBv1.0/G/NDEATH/E");
  for (const made of [Date.now() - 3_600_000, undefined]) {
    const will = { topic, payload: death(9, made), qos: 1 as const };
    const node = await WireClient.connect(broker.port, { will });
    await node.drain();
    const cutMs = Date.now();
    node.close();
    const { payload } = await host.receiveMessage();
    const { timestampMs, rest } = splitTimestamp(payload);
    assertGreaterOrEqual(timestampMs, cutMs);
    assertLessOrEqual(timestampMs, Date.now());
    assertEquals(rest, death(9));
  }
});

Deno.test("an NDEATH that its Edge Node publishes itself tells its time [tck-id-conformance-mqtt-aware-ndeath-timestamp]", async () => {
  await using broker = await TestBroker.start();
  using host = await WireClient.connect(broker.port);
  await host.subscribe("spBv1.0/G/#", 1);
  using node = await WireClient.connect(broker.port);
  const hourAgoMs = Date.now() - 3_600_000;
  for (const qos of [0, 1] as const) {
    const sentMs = Date.now();
    await send(node, "spBv1.0/G/NDEATH/E", { payload: death(3, hourAgoMs), qos });
    await node.drain();
    const [message] = await received(host);
    const { timestampMs, rest } = splitTimestamp(message!.payload);
    assertGreaterOrEqual(timestampMs, sentMs);
    assertEquals(rest, death(3));
  }
  // The time of a DDEATH is its Device's own, and what cannot be parsed passes.
  const untouched = [
    ["spBv1.0/G/DDEATH/E/D", death(3, hourAgoMs)],
    ["spBv1.0/G/NDATA/E", death(3, hourAgoMs)],
    ["spBv1.0/G/NDEATH/E", Uint8Array.of(0x08)],
    ["spBv1.0/G/NDEATH/E", new Uint8Array(0)],
    ["spBv1.0/G/NDEATH/E/D", death(3, hourAgoMs)],
  ] as const;
  for (const [topic, payload] of untouched) {
    await send(node, topic, { payload, qos: 1 });
    assertEquals((await received(host)).map((message) => message.payload), [payload], topic);
  }
  const { deathsStamped, deathsNotStamped } = broker.server.broker.statistics;
  assertEquals([deathsStamped, deathsNotStamped], [2, 1]);
});

Deno.test("an empty NDEATH removes a retained one, as in MQTT [tck-id-conformance-mqtt-retained]", async () => {
  await using broker = await TestBroker.start();
  using node = await WireClient.connect(broker.port);
  const topic = "spBv1.0/G/NDEATH/E";
  await send(node, topic, { payload: death(3, 1), qos: 1, retain: true });
  const { statistics } = broker.server.broker;
  assertEquals(statistics.retainedMessages, 1);
  await send(node, topic, { payload: new Uint8Array(0), qos: 1, retain: true });
  assertEquals(statistics.retainedMessages, 0);
});
