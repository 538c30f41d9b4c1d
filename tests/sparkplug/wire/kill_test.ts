/** Births and Wills over `kill -9`. */
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { BrokerProcess } from "../../durability/_broker_process.ts";
import { name, WireClient } from "../../support/wire_client.ts";
import { birth, CERTIFICATES, death, received, send, splitTimestamp } from "./_traffic.ts";

const NBIRTH = "spBv1.0/G/NBIRTH/E";
const DBIRTH = "spBv1.0/G/DBIRTH/E/D";
const DEATH = { topic: name("spBv1.0/G/NDEATH/E"), payload: death(4, 1_000), qos: 1 as const };

Deno.test("certificates and NDEATH survive kill -9 [tck-id-conformance-mqtt-aware-store] [tck-id-conformance-mqtt-aware-ndeath-timestamp]", async () => {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const config = `${directory}/relayq.toml`;
  await Deno.writeTextFile(
    config,
    `[[listeners]]\naddress = "127.0.0.1:0"\n[store]\ndata_dir = "${directory}/data"\n`,
  );
  const payloads = { old: birth(1), node: birth(2), device: birth(3) };
  let broker = BrokerProcess.start(config);
  try {
    await broker.listening();
    const options = { clientIdentifier: "host", cleanSession: false };
    const host = await WireClient.connect(broker.port, options);
    await host.subscribe("spBv1.0/+/NDEATH/#", 1);
    await host.disconnect();
    const node = await WireClient.connect(broker.port, { will: DEATH });
    await send(node, NBIRTH, { payload: payloads.old, qos: 1 });
    await send(node, NBIRTH, { payload: payloads.node }); // nobody waits for it
    // What is acknowledged behind it is durable, and so is what came before.
    await send(node, DBIRTH, { payload: payloads.device, qos: 1 });
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
  } finally {
    await broker.kill();
    await Deno.remove(directory, { recursive: true });
  }
});
