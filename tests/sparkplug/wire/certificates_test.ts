/** The tree of certificates: whose it is, who may read it, how much it holds. */
import { assertEquals } from "@std/assert";
import { encodePacket } from "../../../src/mqtt/mod.ts";
import { type ConfigChanges, TestBroker } from "../../support/test_broker.ts";
import { encode, passwordFileText, SecurityFiles } from "../../support/security_files.ts";
import { concatenate, name, text, WireClient } from "../../support/wire_client.ts";
import { birth, CERTIFICATES, death, received, send } from "./_traffic.ts";

const NBIRTH = "spBv1.0/G/NBIRTH/E";

/** Topics of the certificates that a fresh client gets, without what they have in common. */
async function kept(broker: TestBroker): Promise<string[]> {
  using client = await WireClient.connect(broker.port);
  await client.subscribe("$sparkplug/#", 1);
  return topicsOf(await received(client)).toSorted();
}

function topicsOf(messages: readonly { topic: string }[]): string[] {
  return messages.map(({ topic }) => topic.replace(`${CERTIFICATES}spBv1.0/`, ""));
}

function statisticsOf(broker: TestBroker) {
  return broker.server.broker.statistics;
}

Deno.test("clients cannot publish in the tree of certificates, in no mode", async () => {
  for (const mode of ["aware", "off"] as const) {
    await using broker = await TestBroker.start({ sparkplug: { mode } });
    using watcher = await WireClient.connect(broker.port);
    await watcher.subscribe("$sparkplug/#", 1);
    const topics = [CERTIFICATES + NBIRTH, "$sparkplug/x"];
    const will = { topic: name(CERTIFICATES + NBIRTH), payload: birth(1), retain: true };
    const forger = await WireClient.connect(broker.port, { will });
    for (const topic of topics) {
      for (const qos of [0, 1] as const) {
        await send(forger, topic, { payload: birth(1), qos, retain: true }); // acknowledged
      }
    }
    await forger.drain();
    forger.close();
    using _next = await WireClient.connect(broker.port);
    assertEquals(await watcher.drain(), []);
    assertEquals(await kept(broker), []);
    assertEquals(statisticsOf(broker).dropped["server-topic"], 5);
  }
});

Deno.test("in strict mode who publishes in the tree of certificates is closed", async () => {
  await using broker = await TestBroker.start({ sparkplug: { mode: "strict" } });
  using forger = await WireClient.connect(broker.port);
  await forger.publish("$SYS/x", "x", { qos: 1 }); // passed over, as in every mode
  const forged = { payload: birth(1), qos: 1 as const, retain: true };
  await send(forger, CERTIFICATES + NBIRTH, forged).then(
    () => assertEquals("acknowledged", "closed"),
    () => {},
  );
  assertEquals(await kept(broker), []);
  assertEquals(statisticsOf(broker).dropped["server-topic"], 2);
});

Deno.test("the birth of another client takes the place of the one that is kept", async () => {
  await using broker = await TestBroker.start();
  using older = await WireClient.connect(broker.port);
  using newer = await WireClient.connect(broker.port);
  await send(older, NBIRTH, { payload: birth(1), qos: 1 });
  const payload = birth(2);
  await send(newer, NBIRTH, { payload, qos: 1 });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("$sparkplug/#", 0);
  assertEquals((await received(client)).map((message) => message.payload), [payload]);
});

Deno.test("what is no birth is not kept: empty ones, Wills, other topics", async () => {
  await using broker = await TestBroker.start();
  using node = await WireClient.connect(broker.port);
  await send(node, NBIRTH, { payload: birth(1), qos: 1 });
  await send(node, NBIRTH, { payload: new Uint8Array(0), qos: 1 });
  await send(node, NBIRTH, { payload: new Uint8Array(0), qos: 1, retain: true });
  const topics = [
    "spBv1.0/G/NBIRTH",
    "spBv1.0/G/NBIRTH/E/D",
    "spBv1.0/G/DBIRTH/E",
    "spBv1.0/G/DBIRTH/E/D/x",
    "spBv1.0//NBIRTH/E",
    "spBv1.0/G/NBIRTH/",
    "spBv1.0/G/nbirth/E",
    "spbv1.0/G/NBIRTH/E",
    "spAv1.0/G/NBIRTH/E",
    "spBv1.0/STATE/NBIRTH",
    "x/spBv1.0/G/NBIRTH/E",
  ];
  for (const topic of topics) await send(node, topic, { payload: birth(1), qos: 1 });
  const will = { topic: name("spBv1.0/G/NBIRTH/W"), payload: birth(1), qos: 1 as const };
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("spBv1.0/G/NBIRTH/W");
  (await WireClient.connect(broker.port, { will })).close();
  await watcher.receiveMessage();
  assertEquals(await kept(broker), ["G/NBIRTH/E"]);
  const { certificatesStored, certificatesRefused } = statisticsOf(broker);
  assertEquals([certificatesStored, certificatesRefused], [1, 2]);
});

Deno.test("births that come in one piece with other messages are kept all the same", async () => {
  await using broker = await TestBroker.start();
  using node = await WireClient.connect(broker.port);
  const packets = ["E", "E", "F", "E"].map((node, i) =>
    encodePacket({
      type: "PUBLISH",
      dup: false,
      qos: 0,
      retain: false,
      topic: name(`spBv1.0/G/NBIRTH/${node}`),
      packetId: 0,
      payload: encode(String(i)),
    })
  );
  await node.sendBytes(concatenate(packets));
  await node.drain();
  using client = await WireClient.connect(broker.port);
  await client.subscribe("$sparkplug/#", 0);
  const found = (await received(client)).map((message) => text(message.payload));
  assertEquals(found.toSorted(), ["2", "3"]);
  assertEquals(statisticsOf(broker).publishReceived, 4);
});

Deno.test("certificates have room of their own, which retained messages cannot take", async () => {
  const changes: ConfigChanges = {
    limits: { retainedMessagesMax: 2, retainedBytesMax: 10_000 },
    retained: { full: "drop_oldest", expiryMs: 1 },
    sparkplug: { certificatesMax: 3 },
  };
  await using broker = await TestBroker.start(changes);
  using node = await WireClient.connect(broker.port);
  for (const id of ["1", "2", "3", "4"]) {
    await send(node, `spBv1.0/G/NBIRTH/${id}`, { payload: birth(1), qos: 1 });
  }
  for (const topic of ["r/1", "r/2", "r/3"]) {
    await node.publish(topic, "x", { qos: 1, retain: true });
  }
  // The expiry of retained messages, which is not for certificates, looks once a second.
  const deadline = performance.now() + 30_000;
  while (statisticsOf(broker).retainedMessages > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assertEquals(await kept(broker), ["G/NBIRTH/1", "G/NBIRTH/2", "G/NBIRTH/3"]);
  const { certificates, certificatesRefused, retainedMessages } = statisticsOf(broker);
  assertEquals([certificates, certificatesRefused, retainedMessages], [3, 1, 0]);
  assertEquals(statisticsOf(broker).dropped["retained-limit"], 2); // r/1 and the fourth
  // Who has a place may be born again.
  await send(node, "spBv1.0/G/NBIRTH/2", { payload: birth(2), qos: 1 });
  assertEquals(statisticsOf(broker).certificatesStored, 4);
});

Deno.test("a birth that does not fit is delivered, and the older one is not the last any more", async () => {
  await using broker = await TestBroker.start({ sparkplug: { certificatesBytesMax: 4_000 } });
  using node = await WireClient.connect(broker.port);
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("spBv1.0/#");
  await watcher.subscribe("$sparkplug/#");
  await send(node, NBIRTH, { payload: birth(1), qos: 1 });
  const { certificateBytes } = statisticsOf(broker);
  assertEquals(certificateBytes > 0 && certificateBytes <= 4_000, true);
  await send(node, NBIRTH, { payload: new Uint8Array(4_000), qos: 1 });
  const seen = (await received(watcher)).map(({ topic, retain }) => [topic, retain]);
  assertEquals(seen, [
    [name(NBIRTH), false],
    [name(CERTIFICATES + NBIRTH), true],
    [name(NBIRTH), false],
    [name(CERTIFICATES + NBIRTH), false],
  ]);
  assertEquals(await kept(broker), []);
  assertEquals(statisticsOf(broker).certificateBytes, 0);
});

Deno.test("the longest topic of a birth has no certificate, and harms nobody", async () => {
  await using broker = await TestBroker.start();
  using node = await WireClient.connect(broker.port);
  using host = await WireClient.connect(broker.port);
  await host.subscribe("spBv1.0/#");
  const longest = "spBv1.0/G/NBIRTH/";
  await send(node, longest + "E".repeat(65_535 - longest.length), { payload: birth(1), qos: 1 });
  const fitting = longest + "E".repeat(65_535 - longest.length - CERTIFICATES.length);
  await send(node, fitting, { payload: birth(1), qos: 1 });
  assertEquals((await received(host)).length, 2);
  assertEquals((await kept(broker)).map((topic) => topic.length), [fitting.length - 8]);
});

Deno.test("levels and length that clients may use do not bind the tree of certificates", async () => {
  await using broker = await TestBroker.start({ limits: { topicLevelsMax: 5, topicBytesMax: 30 } });
  using node = await WireClient.connect(broker.port);
  await send(node, "spBv1.0/G/DBIRTH/E/D", { payload: birth(1), qos: 1 });
  assertEquals(await kept(broker), ["G/DBIRTH/E/D"]);
});

Deno.test("a certificate is read by who may read it and its birth", async () => {
  await using files = await SecurityFiles.make();
  const users = { both: "x", tree: "x", births: "x", part: "x", node: "x" };
  const passwordFile = `${files.directory}/passwords`;
  await Deno.writeTextFile(passwordFile, await passwordFileText(users));
  const accessFile = await files.access(`
everyone
allow subscribe #
allow subscribe $sparkplug/#
user both
allow read spBv1.0/#
allow read $sparkplug/#
user tree
allow read $sparkplug/#
user births
allow read spBv1.0/#
user part
allow read $sparkplug/#
allow read spBv1.0/+/+/F/#
user node
allow publish spBv1.0/#
`);
  await using broker = await TestBroker.start({ security: { passwordFile, accessFile } });
  async function connect(userName: string): Promise<WireClient> {
    return await WireClient.connect(broker.port, { userName, password: encode("x") });
  }
  using node = await connect("node");
  using both = await connect("both");
  using tree = await connect("tree");
  using births = await connect("births");
  using part = await connect("part");
  const readers = [both, tree, births, part];
  async function seen(): Promise<string[][]> {
    return await Promise.all(readers.map(async (reader) => topicsOf(await received(reader))));
  }
  for (const reader of readers) await reader.subscribe("$sparkplug/#", 1);
  for (const id of ["E", "F"]) {
    await send(node, `spBv1.0/G/NBIRTH/${id}`, { payload: birth(1), qos: 1 });
  }
  const expected = [["G/NBIRTH/E", "G/NBIRTH/F"], [], [], ["G/NBIRTH/F"]];
  assertEquals(await seen(), expected); // live
  for (const reader of readers) await reader.subscribe("$sparkplug/#", 1);
  assertEquals(await seen(), expected); // retained
});

Deno.test("the figures of certificates and deaths are published", async () => {
  await using broker = await TestBroker.start({ sysTopics: { enabled: true, intervalMs: 100 } });
  using node = await WireClient.connect(broker.port);
  await send(node, NBIRTH, { payload: birth(1), qos: 1 });
  await send(node, NBIRTH, { payload: birth(2), qos: 1 });
  await send(node, NBIRTH, { payload: new Uint8Array(0), qos: 1 });
  await send(node, "spBv1.0/G/NDEATH/E", { payload: death(1), qos: 1 });
  await send(node, "spBv1.0/G/NDEATH/E", { payload: Uint8Array.of(0x08), qos: 1 });
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("$SYS/broker/sparkplug/#");
  const { certificateBytes } = statisticsOf(broker);
  const expected = {
    "certificates/count": "1",
    "certificates/bytes": String(certificateBytes),
    "certificates/stored": "2",
    "certificates/expired": "0",
    "certificates/purged": "0",
    "certificates/refused": "1",
    "ndeath/stamped": "1",
    "ndeath/not-stamped": "1",
  };
  const figures: Record<string, string> = {};
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const { topic, payload } = await watcher.receiveMessage();
    figures[topic.replace("$SYS/broker/sparkplug/", "")] = text(payload);
    const agrees = Object.entries(expected).every(([key, value]) => figures[key] === value);
    if (agrees) break;
  }
  assertEquals(figures, expected);
});
