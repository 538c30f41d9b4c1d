/** A broker whose database is damaged starts, says so, and has what could be rescued. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { text, WireClient } from "../support/wire_client.ts";

const AWAY = { clientIdentifier: "away", cleanSession: false };

async function leftBehind(dataDir: string): Promise<void> {
  await using broker = await TestBroker.start({ store: { dataDir } }, { keepDataDir: true });
  using away = await WireClient.connect(broker.port, AWAY);
  await away.subscribe("t", 1);
  await away.disconnect();
  using publisher = await WireClient.connect(broker.port);
  for (let i = 0; i < 20; i++) await publisher.publish("t", `${i}`, { qos: 1 });
  await publisher.publish("kept", "value", { qos: 1, retain: true });
}

Deno.test("a broker starts on a database that is all NUL, and keeps the old file", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  await leftBehind(dataDir);
  const path = `${dataDir}/relayq.db`;
  Deno.writeFileSync(path, new Uint8Array(Deno.statSync(path).size));
  await using broker = await TestBroker.start({
    store: { dataDir },
    sysTopics: { enabled: true, intervalMs: 100 },
  });
  assertStringIncludes(broker.log.join(""), "error store damaged: ");
  assertStringIncludes(broker.log.join(""), "error audit: database quarantined: ");
  const names = [...Deno.readDirSync(dataDir)].map((entry) => entry.name);
  assertEquals(names.filter((name) => /^relayq\.db\.damaged-\d{8}T\d{6}Z$/.test(name)).length, 1);
  using client = await WireClient.open(broker.port);
  assertEquals((await client.sendConnect(AWAY)).sessionPresent, false);
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("$SYS/broker/store/quarantines");
  assertEquals(text((await watcher.receiveMessage()).payload), "1");
});

Deno.test("what a damaged page does not hold is rescued: sessions, queues, retained messages", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  await leftBehind(dataDir);
  const path = `${dataDir}/relayq.db`;
  // The first page: without it SQLite does not know what the others are.
  const file = Deno.openSync(path, { write: true });
  file.writeSync(new Uint8Array(4096));
  file.close();
  await using broker = await TestBroker.start({ store: { dataDir } });
  assertStringIncludes(broker.log.join(""), "error store damaged: rescued in ");
  using away = await WireClient.open(broker.port);
  assertEquals((await away.sendConnect(AWAY)).sessionPresent, true);
  const packets = await away.drain();
  const got = packets.map((packet) => packet.type === "PUBLISH" ? text(packet.payload) : "");
  assertEquals(got, Array.from({ length: 20 }, (_, i) => `${i}`));
  using other = await WireClient.connect(broker.port);
  await other.subscribe("kept");
  assertEquals(text((await other.receiveMessage()).payload), "value");
});
