/** Births and Wills over `kill -9`. */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { BrokerProcess } from "../../durability/_broker_process.ts";
import { name, WireClient } from "../../support/wire_client.ts";
import { birth, CERTIFICATES, death, received, send, splitTimestamp } from "./_traffic.ts";

const NBIRTH = "spBv1.0/G/NBIRTH/E";
const DBIRTH = "spBv1.0/G/DBIRTH/E/D";
const PASSING = { topic: name("spBv1.0/G/NDEATH/F"), payload: death(9), qos: 1 as const };
const BDSEQ_AGAIN = "$SYS/broker/sparkplug/violations/" +
  "tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq";
const DEATH = { topic: name("spBv1.0/G/NDEATH/E"), payload: death(4, 1_000), qos: 1 as const };

Deno.test("certificates, NDEATH and bdSeq survive kill -9 [tck-id-conformance-mqtt-aware-store] [tck-id-conformance-mqtt-aware-ndeath-timestamp]", async () => {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const config = `${directory}/relayq.toml`;
  await Deno.writeTextFile(
    config,
    `[[listeners]]\naddress = "127.0.0.1:0"\n[store]\ndata_dir = "${directory}/data"\n` +
      '[sparkplug]\nmode = "monitor"\n[sys_topics]\ninterval_ms = 100\n',
  );
  const payloads = { old: birth(1), node: birth(2), device: birth(3) };
  let broker = BrokerProcess.start(config);
  try {
    await broker.listening();
    const options = { clientIdentifier: "host", cleanSession: false };
    const host = await WireClient.connect(broker.port, options);
    await host.subscribe("spBv1.0/+/NDEATH/E", 1);
    await host.disconnect();
    const node = await WireClient.connect(broker.port, { will: DEATH });
    await send(node, NBIRTH, { payload: payloads.old, qos: 1 });
    await send(node, NBIRTH, { payload: payloads.node }); // nobody waits for it
    // What is acknowledged behind it is durable, and so is what came before.
    await send(node, DBIRTH, { payload: payloads.device, qos: 1 });
    // Somebody who was here for a moment.
    const passing = await WireClient.connect(broker.port, { will: PASSING });
    await passing.disconnect();
    const killedMs = Date.now();
    await broker.kill();
    node.close();
    broker = BrokerProcess.start(config);
    await broker.listening();
    using late = await WireClient.connect(broker.port);
    await late.subscribe(`${CERTIFICATES}#`, 1);
    const found = await received(late);
    const byTopic = new Map(found.map((message) => [message.topic, message.payload]));
    assertEquals(byTopic.size, 2);
    assertEquals(byTopic.get(name(CERTIFICATES + NBIRTH)), payloads.node);
    assertEquals(byTopic.get(name(CERTIFICATES + DBIRTH)), payloads.device);
    assert(found.every(({ retain }) => retain));
    using back = await WireClient.connect(broker.port, options);
    const { timestampMs, rest } = splitTimestamp((await back.receiveMessage()).payload);
    assertGreaterOrEqual(timestampMs, killedMs);
    assertEquals(rest, death(4));
    using watcher = await WireClient.connect(broker.port);
    await watcher.subscribe(`${BDSEQ_AGAIN}/#`);
    for (const will of [DEATH, PASSING]) (await WireClient.connect(broker.port, { will })).close();
    const counted = [await watcher.receiveMessage(), await watcher.receiveMessage()];
    assertEquals(counted.map(({ topic }) => topic.slice(BDSEQ_AGAIN.length)).toSorted(), [
      "/G/E",
      "/G/F",
    ]);
  } finally {
    await broker.kill();
    await Deno.remove(directory, { recursive: true });
  }
});
